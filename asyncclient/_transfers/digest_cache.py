"""Digests of files that were read before, keyed by what tells one state of a file from another.

A file can change twice within the resolution of its time stamp, so a digest is only remembered if the file was at
least two seconds old when it was read (the rule of git's index for "racy" entries).
"""

from __future__ import annotations

import contextlib
import re
import time
from collections import OrderedDict
from pathlib import Path
from typing import Any, Final

from asyncclient import _codec
from asyncclient._transfers.fileio import write_atomically
from asyncclient._transfers.source import Identity
from asyncclient.errors import DecodeError

__all__ = ["DigestCache"]

_RACY_NS: Final = 2_000_000_000
_MAX_ENTRIES: Final = 65_536
_DIGEST: Final = re.compile(r"(?:[0-9a-f]{8,128}(?:-\d{1,5})?)?\Z")

_Key = tuple[Identity, str]


class DigestCache:
    """A bounded memory of digests, least recently used first to go.

    Args:
        file: Where :meth:`load` reads and :meth:`save` writes, one JSON array per line. None keeps it in memory only.
        max_entries: Most digests remembered.

    :meth:`get` and :meth:`put` may be called from any thread. :meth:`load` and :meth:`save` block and belong in a
    thread, when nothing else uses it.
    """

    def __init__(self, file: Path | None = None, *, max_entries: int = _MAX_ENTRIES) -> None:
        self.file = file
        self._max_entries = max_entries
        self._entries: OrderedDict[_Key, str] = OrderedDict()
        self._changed = False

    def __len__(self) -> int:
        return len(self._entries)

    def get(self, identity: Identity, kind: str) -> str | None:
        """Return the digest of a file in this very state, or None."""
        # No lock, which a fork could leave taken: each step is atomic, and that an entry has just gone does no harm.
        found = self._entries.get((identity, kind))
        if found is not None:
            with contextlib.suppress(KeyError):
                self._entries.move_to_end((identity, kind))
        return found

    def put(self, identity: Identity, kind: str, digest: str, *, now_ns: int | None = None) -> bool:
        """Remember a digest that was computed just now; returns False if the file is too young for that."""
        now_ns = time.time_ns() if now_ns is None else now_ns
        if now_ns - identity.mtime_ns < _RACY_NS:
            return False
        self._insert((identity, kind), digest)
        self._changed = True
        return True

    def load(self) -> int:
        """Read the file, if there is one; returns the entries found. Lines that make no sense are left out; blocking."""
        if self.file is None:
            return 0
        try:
            data = self.file.read_bytes()
        except FileNotFoundError:
            return 0
        found = [entry for entry in map(_parse, data.splitlines()) if entry is not None]
        for key, digest in found:
            self._insert(key, digest)
        return len(found)

    def save(self) -> None:
        """Write everything to the file, whole or not at all, with what other processes wrote meanwhile; blocking."""
        if self.file is None or not self._changed:
            return
        mine = list(self._entries.items())
        self.load()
        for key, digest in mine:
            self._insert(key, digest)
        write_atomically(self.file, b"".join(_line(key, digest) for key, digest in self._entries.items()))
        self._changed = False

    def _insert(self, key: _Key, digest: str) -> None:
        self._entries.pop(key, None)
        self._entries[key] = digest
        if len(self._entries) > self._max_entries:
            self._entries.popitem(last=False)


def _line(key: _Key, digest: str) -> bytes:
    identity, kind = key
    return _codec.encode([*identity, kind, digest]) + b"\n"


def _parse(line: bytes) -> tuple[_Key, str] | None:
    try:
        value: Any = _codec.decode_json(line)
    except DecodeError:
        return None
    if not isinstance(value, list) or len(value) != 6:
        return None
    *numbers, kind, digest = value
    if not all(type(number) is int for number in numbers) or not isinstance(kind, str) or not isinstance(digest, str):
        return None
    return ((Identity(*numbers), kind), digest) if _DIGEST.match(digest) else None
