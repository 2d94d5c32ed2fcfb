"""The files of a bundle in a folder; blocking."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Any, Final

from asyncclient.sticky_pi._storage_keys import counts, is_left_out
from asyncclient.sticky_pi.utils import multipart_etag

__all__ = ["PART_BYTES", "list_bundle_files", "list_left_out"]

PART_BYTES: Final = 15 * 1024 * 1024


def list_bundle_files(
    bundle_dir: str | os.PathLike[str], what: str = "all", ignored_dir_names: Collection[str] = (".cache",)
) -> list[dict[str, Any]]:
    """List the files of a folder that belong to a bundle, sorted: ``key``, ``path``, ``md5`` and ``mtime``.

    Symbolic links are followed, but no folder is entered twice.
    """
    found = _walked(Path(bundle_dir), ignored_dir_names)
    return [_described(key, path) for key, path in sorted(found) if counts(key, what)]


def list_left_out(bundle_dir: str | os.PathLike[str], what: str = "all") -> list[str]:
    """List the files of a folder that are of no kind that bundles hold, sorted: their keys."""
    return sorted(key for key, _ in _walked(Path(bundle_dir), (".cache",)) if is_left_out(key, what))


def _walked(root: Path, ignored_dir_names: Collection[str]) -> Iterator[tuple[str, Path]]:
    seen: set[tuple[int, int]] = set()
    for walked, folders, files in os.walk(root, followlinks=True):
        folder = Path(walked)
        folders[:] = [name for name in folders if _is_new(folder / name, seen)]
        if folder.name not in ignored_dir_names:
            for name in files:
                yield (folder / name).relative_to(root).as_posix(), folder / name


def _is_new(folder: Path, seen: set[tuple[int, int]]) -> bool:
    try:
        facts = folder.stat()
    except OSError:
        return False
    identity = (facts.st_dev, facts.st_ino)
    if identity in seen:
        return False
    seen.add(identity)
    return True


def _described(key: str, path: Path) -> dict[str, Any]:
    return {"key": key, "path": str(path), "md5": multipart_etag(path, PART_BYTES), "mtime": path.stat().st_mtime}
