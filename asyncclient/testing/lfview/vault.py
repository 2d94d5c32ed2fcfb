"""Records that outlive the process: one small JSON file each, in a folder, or nothing at all without one."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

__all__ = ["Vault"]


class Vault:
    """Keeps records by kind and key.

    A record is replaced by renaming a finished file over it, so one that is read is whole, whenever the process was killed.

    Args:
        folder: Where; None: records are not kept.
    """

    def __init__(self, folder: Path | None) -> None:
        self._folder = folder

    def save(self, kind: str, key: str, record: dict[str, Any]) -> None:
        """Keep a record in place of the one there was."""
        if self._folder is not None:
            path = self._path(kind, key)
            path.parent.mkdir(parents=True, exist_ok=True)
            new = path.with_suffix(".new")
            new.write_text(json.dumps({"key": key, "record": record}), "utf-8")
            new.replace(path)

    def remove(self, kind: str, key: str) -> None:
        """Forget a record."""
        if self._folder is not None:
            self._path(kind, key).unlink(missing_ok=True)

    def load(self, kind: str) -> Iterator[tuple[str, dict[str, Any]]]:
        """Return keys and records of a kind."""
        if self._folder is not None:
            for path in sorted((self._folder / kind).glob("*.json")):
                kept = json.loads(path.read_text("utf-8"))
                yield kept["key"], kept["record"]

    def clear(self, *kinds: str) -> None:
        """Forget all records of these kinds."""
        if self._folder is not None:
            for kind in kinds:
                shutil.rmtree(self._folder / kind, ignore_errors=True)

    def _path(self, kind: str, key: str) -> Path:
        assert self._folder is not None
        return self._folder / kind / f"{quote(key, safe='')}.json"
