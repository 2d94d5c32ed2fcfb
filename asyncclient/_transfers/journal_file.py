"""The file under a journal: whole lines or none, and never a line into somebody else's file. Blocking."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from asyncclient._transfers.fileio import FileHandle, write_atomically
from asyncclient.errors import ResumeError

__all__ = ["JournalFile"]


class JournalFile:
    """An open journal that this process owns.

    Attributes:
        path: Where it lies; the owner's name is part of it.
        size: Bytes of whole lines written.
    """

    __slots__ = ("_handle", "_identity", "path", "size")

    def __init__(self, path: Path, handle: FileHandle, size: int) -> None:
        self.path = path
        self.size = size
        self._handle = handle
        self._identity = _inode(handle.stat())

    @classmethod
    def create(cls, path: Path, lines: bytes, *, durable: bool) -> JournalFile:
        """Make a journal that is never seen without its first lines; replaces what has its name.

        Args:
            path: Where.
            lines: What it begins with.
            durable: Whether it is on the disk when this returns.
        """
        write_atomically(path, lines, durable=durable)
        return cls(path, FileHandle(path, os.O_RDWR), len(lines))

    def write(self, lines: Iterable[bytes], *, sync: bool) -> None:
        """Append lines, all or none.

        Raises:
            ResumeError: Another process has taken the journal over.
            OSError: They cannot be written; the journal ends where it ended before.
        """
        data = b"".join(lines)
        self._check_owned()
        try:
            if data:
                self._handle.write([data], self.size)
            if sync:
                self._handle.sync()
        except OSError:
            # Half a line in the middle would hide all that follow it.
            with contextlib.suppress(OSError):
                self._handle.truncate(self.size)
            raise
        self.size += len(data)

    def close(self) -> None:
        """Close the file."""
        self._handle.close()

    def _check_owned(self) -> None:
        try:
            if _inode(self.path.stat()) == self._identity:
                return
        except FileNotFoundError:
            pass
        raise ResumeError("another process has taken over this job; this one must stop", transfer_id=None)


def _inode(stat: os.stat_result) -> tuple[Any, Any]:
    return stat.st_dev, stat.st_ino
