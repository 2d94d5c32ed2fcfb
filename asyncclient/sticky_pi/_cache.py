"""What is known of image files that were looked at before, on disk as JSON: nothing in it is ever executed."""

from __future__ import annotations

import contextlib
import datetime as dt
import hashlib
import logging
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, ClassVar, Final, NamedTuple

from asyncclient import _codec
from asyncclient._transfers.fileio import write_atomically
from asyncclient.errors import ArgumentError, DecodeError
from asyncclient.sticky_pi.utils import datetime_to_string, string_to_datetime

__all__ = ["Cache", "Entry", "Key"]

_log: Final = logging.getLogger(__name__)
_VERSION: Final = 1

Key = tuple[str, float]
"""Path of a file, and the time of its last change in seconds."""


class Entry(NamedTuple):
    """What a file is; None in all places if it is no image."""

    device: str | None
    datetime: dt.datetime | None
    md5: str | None


_NO_IMAGE: Final = Entry(None, None, None)


class Cache(dict[str, dict[Key, Entry]]):
    """Results of functions on files: source text of the function, then path and time of change, then the result.

    Blocking; read from disk when it is made. A file that is damaged, or of another kind, counts as empty.

    Args:
        path: Where it is kept. Its folder is made.
    """

    _sync_each_n: ClassVar[int] = 1024

    def __init__(self, path: str) -> None:
        super().__init__()
        self._path = Path(path)
        self._added = 0
        self._path.parent.mkdir(parents=True, exist_ok=True)
        self._digests: dict[str, str] = {}
        self._stored = _load(self._path)

    def get_hashes(self, function_src: str) -> Any:
        """Return the keys that are known for a function: a set, or an empty dict if the function is not known."""
        known = self._of(function_src)
        return set(known) if known is not None else {}

    def get_cached(self, function_src: str, hash: Key) -> dict[str, Any] | None:  # noqa: A002
        """Return a result: ``device``, ``datetime``, ``md5`` and ``url``, the path; None if the file is no image.

        Raises:
            KeyError: It is not known.
        """
        known = self._of(function_src)
        if known is None:
            raise KeyError(hash)
        entry = known[hash]
        return None if entry.md5 is None else {**entry._asdict(), "url": hash[0]}

    def add(self, function_src: str, results: Iterable[Mapping[Key, Mapping[str, Any]]]) -> None:
        """Remember results; every 1,024 they are written to disk.

        Args:
            function_src: Source text of the function.
            results: Dicts of one key each, with ``device``, ``datetime`` and ``md5``; all None for what is no image.
        """
        for result in results:
            known = self._of(function_src)
            if known is None:
                known = self[function_src] = {}
            for key, found in result.items():
                known[key] = Entry(found["device"], found["datetime"], found["md5"])
                self._added += 1
        if self._added >= self._sync_each_n:
            self.sync()

    @property
    def changed(self) -> bool:
        """Whether there is something that is not on disk."""
        return self._added > 0

    def sync(self) -> None:
        """Write everything to disk, whole or not at all."""
        self._added = 0
        functions = {**self._stored, **{self._digest(source): known for source, known in self.items()}}
        lines = [_codec.encode({"sticky_pi_cache": _VERSION})]
        for digest, known in functions.items():
            for key, entry in known.items():
                with contextlib.suppress(ArgumentError):  # a path that is no text is not remembered
                    lines.append(_codec.encode(_row(digest, key, entry)))
        write_atomically(self._path, b"\n".join(lines) + b"\n")

    def delete(self) -> None:
        """Remove it from disk, if it is there; what is in memory stays."""
        self._path.unlink(missing_ok=True)

    def _of(self, function_src: str) -> dict[Key, Entry] | None:
        if function_src not in self and (stored := self._stored.get(self._digest(function_src))) is not None:
            self[function_src] = stored
        return super().get(function_src)

    def _digest(self, function_src: str) -> str:
        """The name of a function on disk, so that its whole text is not repeated in every line."""
        if function_src not in self._digests:
            self._digests[function_src] = hashlib.blake2b(function_src.encode(), digest_size=8).hexdigest()
        return self._digests[function_src]


def _row(digest: str, key: Key, entry: Entry) -> list[Any]:
    return [digest, *key, entry.device, datetime_to_string(entry.datetime), entry.md5]


def _load(path: Path) -> dict[str, dict[Key, Entry]]:
    try:
        first, *lines = path.read_bytes().splitlines()
    except (FileNotFoundError, ValueError):  # not there, or empty
        return {}
    found: dict[str, dict[Key, Entry]] = {}
    try:
        if _codec.decode_json(first) != {"sticky_pi_cache": _VERSION}:
            raise DecodeError("another kind of file")
        for row in _codec.decode_json(b"[" + b",".join(lines) + b"]"):
            digest, key, entry = _entry(row)
            found.setdefault(digest, {})[key] = entry
    except DecodeError as error:
        _log.warning("the cache of image statistics in %s cannot be used, and is made anew: %s", path, error)
        return {}
    return found


def _entry(row: Any) -> tuple[str, Key, Entry]:
    # No match statement: it takes as long as all the rest, and there is a row for each file that was ever looked at.
    if isinstance(row, list) and len(row) == 6:
        digest, name, changed, device, taken, md5 = row
        if isinstance(digest, str) and isinstance(name, str) and isinstance(changed, (int, float)):
            if device is None and taken is None and md5 is None:
                return digest, (name, float(changed)), _NO_IMAGE
            if isinstance(device, str) and isinstance(taken, str) and isinstance(md5, str):
                return digest, (name, float(changed)), Entry(device, _moment(taken), md5)
    raise DecodeError("a line is not as it was written")


def _moment(text: str) -> dt.datetime:
    try:
        return string_to_datetime(text)
    except ValueError:
        raise DecodeError("a line has no usable datetime") from None
