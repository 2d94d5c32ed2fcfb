"""Sources on disk: regular files by descriptor, at any offset, from several threads at once."""

from __future__ import annotations

import io
import os
import stat as stat_bits
from collections.abc import AsyncGenerator
from pathlib import Path
from typing import Any, Final

from asyncclient._transfers.digest import PartDigest, RunningDigest, Updatable
from asyncclient._transfers.fileio import FileHandle
from asyncclient._transfers.hops import DISK, obtain, run_hop
from asyncclient._transfers.source import (
    SCAN,
    Identity,
    ScanOptions,
    TakesByRange,
    check_range,
    ended_early,
    path_changed,
)
from asyncclient._transfers.source_memory import MemorySource
from asyncclient._transfers.windows import INLINE_BYTES, WINDOW_BYTES, read_ahead, window_lengths
from asyncclient.errors import ArgumentError, SourceChanged

__all__ = ["FileSource", "adopt_file", "open_path"]

# A digest without a consumer reads four windows per hop: the hop then costs 1 % of the md5, and cancelling waits 10 ms.
_SCAN_BYTES: Final = 4 * WINDOW_BYTES


async def open_path(path: Path) -> FileSource | MemorySource:
    """Open a regular file for reading; a small one is read at once, in the same hop.

    Raises:
        ArgumentError: It is not a regular file.
        OSError: It does not exist or cannot be read.
    """
    return await obtain(_open, path, release=_close)


async def adopt_file(file: Any) -> FileSource | None:
    """Make a source of an open file object that is a plain file underneath, from its position on; else None.

    Only the exact types are taken: subclasses and wrappers (``gzip``) have descriptors that hold other bytes than they
    read.
    """
    return await obtain(_adopt, file, release=_close)


def _close(source: Any) -> None:
    if isinstance(source, FileSource):
        source.close()


def _open(path: Path) -> FileSource | MemorySource:
    # Without O_NONBLOCK, opening a pipe nobody writes to would wait for ever.
    handle = FileHandle(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0))
    try:
        found = handle.stat()
        if not stat_bits.S_ISREG(found.st_mode):
            raise ArgumentError(f"{path} is not a regular file; open it and hand in the file object", argument="source")
        identity = Identity.of(found)
        if found.st_size > INLINE_BYTES:
            return FileSource(handle, identity, path=path)
        data = handle.read(found.st_size + 1, 0)
        if len(data) != found.st_size:
            raise ended_early(str(path), found.st_size, len(data))
    except BaseException:
        handle.close()
        raise
    handle.close()
    return MemorySource(data, path=path, identity=identity)


def _adopt(file: Any) -> FileSource | None:
    raw = file.raw if type(file) is io.BufferedReader else file
    if type(raw) is not io.FileIO or not raw.readable():
        return None
    found = os.fstat(raw.fileno())
    if not stat_bits.S_ISREG(found.st_mode):
        return None
    path = Path(os.fsdecode(raw.name)).absolute() if isinstance(raw.name, (str, bytes)) else None
    handle = FileHandle.adopt(os.dup(raw.fileno()))
    return FileSource(handle, Identity.of(found), path=path, base=min(file.tell(), found.st_size))


class FileSource(TakesByRange):
    """A regular file.

    Args:
        handle: Open for reading; closed with the source.
        identity: Its state when it was opened.
        path: Where it lies.
        base: Offset in the file that is byte 0 of the source.
    """

    replayable = True

    def __init__(self, handle: FileHandle, identity: Identity, *, path: Path | None = None, base: int = 0) -> None:
        self._handle = handle
        self._identity = identity
        self._base = base
        self.path = path
        self.name = path.name if path is not None else None
        self.size = identity.size - base

    def identity(self) -> Identity | None:
        """Return what the file was when it was opened; None when only a part of it is the source."""
        return self._identity if self._base == 0 else None

    async def changed(self) -> bool:
        """Tell whether the file, or the file now under its path, is another than at opening."""
        return await run_hop(self._changed, crew=DISK)

    async def check(self) -> None:
        """Make sure the file is still what it was."""
        if await self.changed():
            raise self._error()

    def windows(
        self, offset: int = 0, length: int | None = None, *, digest: Updatable | None = None
    ) -> AsyncGenerator[memoryview, None]:
        """Read a range in windows of at most 1 MiB; each is valid until the next step."""
        length = check_range(self.size, offset, length)
        lengths = window_lengths(length)
        buffers = [memoryview(bytearray(min(length, WINDOW_BYTES))) for _ in range(min(2, len(lengths)))]

        def read(step: int) -> memoryview:
            view = buffers[step % 2][: lengths[step]]
            at = self._base + offset + step * WINDOW_BYTES
            self._expect(self._handle.read_into(view, at), len(view), at)
            if digest is not None:
                digest.update(view)
            return view

        return read_ahead(len(lengths), read)

    async def scan(
        self, digest: Updatable, offset: int = 0, length: int | None = None, *, options: ScanOptions = SCAN
    ) -> int:
        """Digest a range without handing out its bytes, 4 MiB per hop; returns how many there were."""
        length = check_range(self.size, offset, length)
        buffer = memoryview(bytearray(min(length, WINDOW_BYTES)))
        for start in range(offset, offset + length, _SCAN_BYTES):
            stop = min(start + _SCAN_BYTES, offset + length)
            await run_hop(self._scan, digest, buffer, start + self._base, stop + self._base)
            options.report(stop - offset)
        return length

    def _scan(self, digest: Updatable, buffer: memoryview, start: int, stop: int) -> None:
        for at in range(start, stop, len(buffer)):
            view = buffer[: stop - at]
            self._expect(self._handle.read_into(view, at), len(view), at)
            digest.update(view)

    def body(self, offset: int = 0, length: int | None = None, *, md5: bool = True) -> FileBody:
        """Return the body of a request that sends a range; every pass checks at its end that the file did not change."""
        return FileBody(self, offset, check_range(self.size, offset, length), md5=md5)

    def read_stable(self, offset: int, length: int, digest: RunningDigest, *, final: bool) -> bytes:
        """Read one window as bytes of its own and digest it; blocking.

        A transport may keep what it was given after asking for more, so that a window that is sent cannot be reused.

        Args:
            offset: First byte.
            length: Bytes.
            digest: Updated.
            final: Whether to compare the file with what it was at opening, before its last bytes are handed out.
        """
        data = self._handle.read(length, self._base + offset)
        self._expect(len(data), length, offset)
        digest.update(data)
        if final and self._changed():
            raise self._error()
        return data

    def close(self) -> None:
        """Close the descriptor. Parts that are still read keep it until their hop is over."""
        self._handle.close()

    async def aclose(self) -> None:
        """Do what :meth:`close` does."""
        self.close()

    def _changed(self) -> bool:
        if Identity.of(self._handle.stat()) != self._identity:
            return True
        return self.path is not None and path_changed(self.path, self._identity)

    def _expect(self, got: int, wanted: int, at: int) -> None:
        if got != wanted:
            raise ended_early(str(self.path or "the file"), self._identity.size, at + got)

    def _error(self) -> SourceChanged:
        return SourceChanged(f"{self.path or 'the file'} changed since it was opened; start its upload again")


class FileBody:
    """A range of a file as a request body; see :class:`~asyncclient._transfers.source.PartBody`."""

    replayable = True

    def __init__(self, source: FileSource, offset: int, length: int, *, md5: bool = True) -> None:
        self._source = source
        self._md5 = md5
        self._offset = offset
        self.length = length
        self.digest: PartDigest | None = None

    async def open(self) -> AsyncGenerator[bytes, None]:
        """Read the range anew, one window ahead of the consumer."""
        running = RunningDigest(md5=self._md5)
        lengths = window_lengths(self.length)

        def read(step: int) -> bytes:
            at = self._offset + step * WINDOW_BYTES
            return self._source.read_stable(at, lengths[step], running, final=step == len(lengths) - 1)

        pieces = read_ahead(len(lengths), read)
        try:
            async for piece in pieces:
                if running.size == self.length:
                    # Before the last piece goes out: a sender need not ask for more after the announced length.
                    self.digest = running.part()
                yield piece
        finally:
            await pieces.aclose()
        if not self.length:
            self.digest = running.part()
