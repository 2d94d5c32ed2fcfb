"""Request bodies that are produced piece by piece: files, file objects, iterables.

A body is opened once for every attempt and yields the same bytes each time, or says that it cannot. Reading happens in
threads, 1 MiB a hop: at 64 KiB the hops cost more than the reading.
"""

from __future__ import annotations

import inspect
import os
import threading
import time
from collections.abc import AsyncIterable, AsyncIterator, Awaitable, Callable, Iterable
from pathlib import Path
from typing import Any, BinaryIO, Final, NamedTuple, cast

from asyncclient._net.threads import DISK, FOREIGN, ThreadOwned, in_thread
from asyncclient.errors import ArgumentTypeError, LocalProtocolError, SourceChanged

__all__ = ["READ_BYTES", "FileBody", "FileObjectBody", "FileStamp", "IterBody"]

READ_BYTES: Final = 1024 * 1024
"""Bytes read in one thread hop."""

# A sync iterable is advanced in a thread until this much has come together, or this time is over.
_BATCH_BYTES: Final = 256 * 1024
_BATCH_S: Final = 0.1


class FileStamp(NamedTuple):
    """What must not change in a file while it is read."""

    size: int
    """Bytes in the whole file."""
    mtime_ns: int
    """Time of the last change in nanoseconds."""

    @classmethod
    def of(cls, status: os.stat_result) -> FileStamp:
        """Take the stamp from a ``stat`` result."""
        return cls(status.st_size, status.st_mtime_ns)


class FileBody:
    """A range of a file on disk.

    Args:
        path: The file.
        offset: First byte.
        length: Number of bytes.
        stamp: What the file was when the transfer was planned. Default: what it is when the body is opened.

    Opening raises :class:`~asyncclient.errors.SourceChanged` when the file is not what the stamp says or is too short,
    and so does reading when it changes on the way. That is known before the last piece is handed out, so the peer never
    has a whole body of which parts are of different age.
    """

    replayable: bool = True

    def __init__(
        self,
        path: str | os.PathLike[str],
        offset: int,
        length: int,
        *,
        stamp: FileStamp | None = None,
    ) -> None:
        self.path = Path(path)
        self.offset = offset
        self.length = length
        self.stamp = stamp

    @classmethod
    async def whole(cls, path: str | os.PathLike[str]) -> FileBody:
        """Make the body of a whole file as it is now."""
        stamp = FileStamp.of(await in_thread(Path(path).stat, DISK))
        return cls(path, 0, stamp.size, stamp=stamp)

    async def open(self) -> AsyncIterator[bytes]:
        """Read the range in pieces of 1 MiB."""
        reader = _FileReader(self.path, self.offset, self.length, self.stamp)
        try:
            while piece := await in_thread(reader.step, DISK):
                yield piece
                if reader.done:
                    return
        finally:
            reader.close()

    def __repr__(self) -> str:
        return f"<FileBody {self.length} bytes at {self.offset}>"


class _FileReader(ThreadOwned):
    """The blocking half of :class:`FileBody`; a small file is opened, read, checked and closed in one hop."""

    def __init__(self, path: Path, offset: int, length: int, stamp: FileStamp | None) -> None:
        super().__init__()
        self._path = path
        self._offset = offset
        self._left = length
        self._stamp = stamp
        self._file: BinaryIO | None = None
        self.done = False

    def _step(self) -> bytes:
        file = self._file if self._file is not None else self._open()
        piece = _read_exactly(file, min(self._left, READ_BYTES))
        self._left -= len(piece)
        if self._left and not piece:
            raise SourceChanged(f"{self._path} ended {self._left} bytes too early")
        if not self._left:
            self._check(file)
            self._release()
            self.done = True
        return piece

    def _open(self) -> BinaryIO:
        file = self._file = cast(BinaryIO, self._path.open("rb", buffering=0))
        stamp = FileStamp.of(os.fstat(file.fileno()))
        if self._stamp is None:
            self._stamp = stamp
        self._check(file)
        if stamp.size < self._offset + self._left:
            raise SourceChanged(
                f"{self._path} has {stamp.size} bytes, bytes {self._offset} to {self._offset + self._left} were asked for"
            )
        file.seek(self._offset)
        return file

    def _check(self, file: BinaryIO) -> None:
        now = FileStamp.of(os.fstat(file.fileno()))
        was = self._stamp
        assert was is not None
        if now.size != was.size:
            raise SourceChanged(f"{self._path} changed while it was sent: it had {was.size} bytes and has {now.size}")
        if now != was:
            raise SourceChanged(f"{self._path} changed while it was sent: it was written to")

    def _release(self) -> None:
        if self._file is not None:
            self._file.close()
            self._file = None


def _read_exactly(file: BinaryIO, size: int) -> bytes:
    """Read size bytes, fewer only at the end; unbuffered files may return less than asked for."""
    data = file.read(size)
    if len(data) == size or not data:
        return data
    pieces = [data]
    size -= len(data)
    while size and (data := file.read(size)):
        pieces.append(data)
        size -= len(data)
    return b"".join(pieces)


class FileObjectBody:
    """An open binary file: the builtin kind, or one whose methods are coroutines as in aiofiles and anyio.

    Args:
        file: Seekable. It stays open, its position is left wherever reading ended.
        start: Position of the first byte.
        length: Number of bytes.

    It must have one length from first to last; one that has become shorter raises
    :class:`~asyncclient.errors.SourceChanged`.
    """

    replayable: bool = True

    def __init__(self, file: Any, start: int, length: int) -> None:
        self.length = length
        self._file = file
        self._start = start
        self._lock = threading.Lock()

    @classmethod
    async def of(cls, file: Any) -> FileObjectBody:
        """Make the body of what is left in a file, from its position to its end.

        Raises:
            ArgumentTypeError: It is not a seekable binary file.
        """
        body = cls(file, 0, 0)
        try:
            start = await body._call(file.tell)
            end = await body._call(file.seek, 0, os.SEEK_END)
            if end is None:  # some wrappers return nothing
                end = await body._call(file.tell)
            await body._call(file.seek, start)
            probe = await body._call(file.read, 0)
        except (AttributeError, OSError) as error:
            raise ArgumentTypeError("a file object must be seekable; wrap a stream in an iterator of bytes") from error
        if not isinstance(probe, bytes):
            raise ArgumentTypeError("a file object must be opened in binary mode")
        body._start, body.length = start, max(0, end - start)
        return body

    async def _call(self, method: Callable[..., Any], *args: Any) -> Any:
        if inspect.iscoroutinefunction(method):
            return await method(*args)
        result = await in_thread(lambda: method(*args), FOREIGN)
        return await result if isinstance(result, Awaitable) else result

    async def open(self) -> AsyncIterator[bytes]:
        """Read from the start again, in pieces of 1 MiB."""
        position, end = self._start, self._start + self.length
        while position < end:
            piece = await self._read_at(position, min(end - position, READ_BYTES))
            if not piece:
                raise SourceChanged(f"the file ended {end - position} of {self.length} bytes too early")
            position += len(piece)
            yield piece

    async def _read_at(self, position: int, size: int) -> Any:
        # Positioned every time: an attempt that was given up may have left a thread that still reads.
        if inspect.iscoroutinefunction(self._file.read):
            await self._file.seek(position)
            return await self._file.read(size)
        return await in_thread(lambda: self._read_locked(position, size), FOREIGN)

    def _read_locked(self, position: int, size: int) -> Any:
        with self._lock:
            self._file.seek(position)
            return self._file.read(size)

    def __repr__(self) -> str:
        return f"<FileObjectBody {self.length} bytes>"


class IterBody:
    """Pieces from an iterable; can be sent once.

    Args:
        pieces: Sync or async. A sync one is advanced in a thread, as it may block.
        length: Bytes in all, if known; otherwise the body is sent in chunks.
    """

    replayable: bool = False

    def __init__(
        self,
        pieces: Iterable[bytes] | AsyncIterable[bytes],
        length: int | None = None,
    ) -> None:
        if isinstance(pieces, str) or not isinstance(pieces, (Iterable, AsyncIterable)):
            raise ArgumentTypeError(f"a body must be an iterable of bytes, not {type(pieces).__name__}")
        self.length = length
        self._pieces: Iterable[bytes] | AsyncIterable[bytes] | None = pieces

    def open(self) -> AsyncIterator[bytes]:
        """Begin the one iteration.

        Raises:
            LocalProtocolError: It was begun before.
        """
        pieces, self._pieces = self._pieces, None
        if pieces is None:
            raise LocalProtocolError("a body from an iterable can be sent only once")
        if isinstance(pieces, AsyncIterable):
            return _checked(pieces)
        return self._from_thread(pieces)

    async def _from_thread(self, pieces: Iterable[bytes]) -> AsyncIterator[bytes]:
        reader = _IterableReader(pieces)
        try:
            while piece := await in_thread(reader.step, FOREIGN):
                yield piece
        finally:
            reader.close()

    def __repr__(self) -> str:
        return f"<IterBody {'?' if self.length is None else self.length} bytes>"


async def _checked(pieces: AsyncIterable[bytes]) -> AsyncIterator[bytes]:
    iterator = aiter(pieces)
    try:
        async for piece in iterator:
            yield _bytes_only(piece)
    finally:
        aclose = getattr(iterator, "aclose", None)
        if aclose is not None:
            await aclose()


class _IterableReader(ThreadOwned):
    """Advances a blocking iterator and closes it if it is a generator."""

    def __init__(self, pieces: Iterable[bytes]) -> None:
        super().__init__()
        self._iterator = iter(pieces)

    def _step(self) -> bytes:
        """Collect pieces: a hop for each would make short ones slow, waiting for many would make live ones late."""
        batch: list[bytes] = []
        size = 0
        begun = time.monotonic()
        for piece in self._iterator:
            data = _bytes_only(piece)
            if data:
                batch.append(data)
                size += len(data)
                if size >= _BATCH_BYTES or time.monotonic() - begun > _BATCH_S:
                    break
        return batch[0] if len(batch) == 1 else b"".join(batch)

    def _release(self) -> None:
        close = getattr(self._iterator, "close", None)
        if close is not None:
            close()


def _bytes_only(piece: Any) -> bytes:
    if isinstance(piece, bytes):
        return piece
    if not isinstance(piece, (bytearray, memoryview)):
        raise ArgumentTypeError(f"a body must consist of bytes, not {type(piece).__name__}")
    return bytes(piece)  # whoever made it may use its memory for the next piece, while this one still waits to be sent
