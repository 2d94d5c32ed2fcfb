"""Files on disk without ceremony: small ones are read, or written, in one visit to a thread."""

from __future__ import annotations

import contextlib
import mimetypes
import os
import stat
from collections.abc import AsyncIterator
from contextlib import aclosing
from pathlib import Path
from typing import Final, NamedTuple

from asyncclient._net.bodies import FileBody, FileStamp
from asyncclient._transfers.loose import loose_path, sweep
from asyncclient._transfers.progress import Meter
from asyncclient.voxel51.utils import ensure_basedir

__all__ = ["SMALL_BYTES", "CountedBody", "LocalFile", "look_at", "write_small"]

SMALL_BYTES: Final = 256 * 1024
_FLAGS: Final = os.O_RDONLY | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
_NEW: Final = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_BINARY", 0)


class LocalFile(NamedTuple):
    """A regular file.

    Attributes:
        path: Where it lies.
        stamp: What it was when it was looked at.
        content: All of it, if it is small.
    """

    path: str
    stamp: FileStamp
    content: bytes | None

    @property
    def name(self) -> str:
        """The last component of its path."""
        return os.path.basename(self.path)  # noqa: PTH119  # cheap

    @property
    def size(self) -> int:
        """Its bytes."""
        return self.stamp.size

    def body(self) -> FileBody:
        """Return it as a body, which fails with ``SourceChanged`` when the file is no longer the same."""
        return FileBody(self.path, 0, self.stamp.size, stamp=self.stamp)


def look_at(path: str) -> LocalFile | None:
    """Look at a file, and read it if it is small; None if it is no regular file. Blocking.

    Raises:
        OSError: It cannot be opened.
    """
    if not mimetypes.inited:
        mimetypes.init()  # reads files, which must not happen on the event loop
    try:
        handle = os.open(path, _FLAGS)
    except ValueError:
        return None
    try:
        found = os.fstat(handle)
        if not stat.S_ISREG(found.st_mode):
            return None
        content = os.read(handle, found.st_size + 1) if found.st_size <= SMALL_BYTES else None
    finally:
        os.close(handle)
    whole = content is not None and len(content) == found.st_size
    return LocalFile(path, FileStamp.of(found), content if whole else None)


class CountedBody:
    """A body whose bytes are counted as they pass."""

    replayable = True

    def __init__(self, body: FileBody, meter: Meter) -> None:
        self.length = body.length
        self._body = body
        self._meter = meter
        self._sent = 0

    async def open(self) -> AsyncIterator[bytes]:
        """Begin the body anew."""
        self._meter.move(-self._sent)  # of an attempt that was given up
        self._sent = 0
        async with aclosing(self._body.open()) as pieces:  # type: ignore[type-var]  # a generator
            async for piece in pieces:
                yield piece
                self._sent += len(piece)
                self._meter.move(len(piece))


def write_small(path: str, content: bytes) -> bool:
    """Put a file in place, at once; False if what is there is no regular file. Not forced to the disk. Blocking.

    Raises:
        OSError: It cannot be written; nothing is left.
    """
    with contextlib.suppress(FileNotFoundError):
        if not stat.S_ISREG(os.lstat(path).st_mode):
            return False
    destination = Path(path)
    sweep(destination.parent)
    temporary = loose_path(destination)
    try:
        handle = os.open(temporary, _NEW, 0o666)
    except FileNotFoundError:
        ensure_basedir(path)
        handle = os.open(temporary, _NEW, 0o666)
    try:
        try:
            view = memoryview(content)
            while view:
                view = view[os.write(handle, view) :]
        finally:
            os.close(handle)
        os.replace(temporary, path)  # noqa: PTH105  # cheap
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(temporary)  # noqa: PTH108  # cheap
        raise
    return True
