"""Sources that are read through methods of somebody else: file objects, and streams that cannot be rewound.

A stream is cut by ``take``: each part is held in memory until it is confirmed, which is what makes it repeatable; the
caller reserves that memory beforehand. One task reads a stream; the parts it gave out can be sent by several.
"""

from __future__ import annotations

import asyncio
import contextlib
import inspect
import os
import threading
from collections.abc import AsyncGenerator, AsyncIterable, Awaitable, Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

from asyncclient._transfers.digest import PartDigest, RunningDigest, Updatable
from asyncclient._transfers.hops import FOREIGN, run_hop
from asyncclient._transfers.source import SCAN, Held, Identity, ScanOptions, TakesByRange, check_range, ended_early
from asyncclient._transfers.source_memory import MemoryBody, update
from asyncclient._transfers.windows import WINDOW_BYTES
from asyncclient.errors import ArgumentTypeError, SourceChanged

__all__ = ["ObjectSource", "StreamSource", "from_async_iterable", "from_iterable", "from_reader", "is_async_file"]

Pull = Callable[[], Awaitable[bytes]]
"""Returns the next piece of a stream, ``b""`` at its end."""


class Unidentified:
    """The part of a source that is no file of ours: there is nothing to compare."""

    path: Path | None = None

    def identity(self) -> Identity | None:
        """Return None."""
        return None

    async def changed(self) -> bool:
        """Return False: there is nothing to compare with."""
        return False

    async def check(self) -> None:
        """Do nothing: there is nothing to compare with."""

    async def aclose(self) -> None:
        """Do nothing: what was handed in belongs to the caller."""


class ObjectSource(Unidentified, TakesByRange):
    """A seekable binary file object, sync or async, from the position it had when it was handed in.

    Args:
        file: Has ``seek`` and ``read``; its position afterwards is anywhere.
        base: The position that is byte 0.
        size: Bytes from there to the end.
        name: A file name for it.
    """

    replayable = True

    def __init__(self, file: Any, base: int, size: int, *, name: str | None = None) -> None:
        self._file = file
        self._base = base
        self._async = is_async_file(file)
        # Two readers of one position: seek and read must not be parted. One of the two locks is used.
        self._thread_lock = threading.Lock()
        self._task_lock = asyncio.Lock()
        self.size = size
        self.name = name

    @classmethod
    async def of(cls, file: Any, *, name: str | None = None) -> ObjectSource:
        """Measure a file object from its position to its end."""

        async def call(method: Callable[..., Any], *args: Any) -> Any:
            result = method(*args) if is_async_file(file) else await run_hop(method, *args, crew=FOREIGN)
            return await result if inspect.isawaitable(result) else result

        base = await call(file.tell)
        await call(file.seek, 0, os.SEEK_END)
        end = await call(file.tell)
        await call(file.seek, base)
        return cls(file, base, max(0, end - base), name=name)

    async def windows(
        self, offset: int = 0, length: int | None = None, *, digest: Updatable | None = None
    ) -> AsyncGenerator[memoryview, None]:
        """Read a range in windows of at most 1 MiB."""
        stop = offset + check_range(self.size, offset, length)
        for start in range(offset, stop, WINDOW_BYTES):
            yield memoryview(await self._read(start, min(WINDOW_BYTES, stop - start), digest))

    async def scan(
        self, digest: Updatable, offset: int = 0, length: int | None = None, *, options: ScanOptions = SCAN
    ) -> int:
        """Digest a range without handing out its bytes; returns how many there were."""
        return await _drain(self.windows(offset, length, digest=digest), options)

    def body(self, offset: int = 0, length: int | None = None, *, md5: bool = True) -> ObjectBody:
        """Return the body of a request that sends a range."""
        return ObjectBody(self, offset, check_range(self.size, offset, length), md5=md5)

    async def _read(self, offset: int, length: int, digest: Updatable | None) -> bytes:
        if not self._async:
            return await run_hop(self._read_blocking, offset, length, digest, crew=FOREIGN)
        async with self._task_lock:
            await self._file.seek(self._base + offset)
            data = await self._read_all(offset, length)
        if digest is not None:
            await update(digest, data)
        return data

    async def _read_all(self, offset: int, length: int) -> bytes:
        pieces: list[bytes] = []
        while length:
            piece = check_piece(await self._file.read(length))
            if not piece:
                raise ended_early(self.name, self.size, offset + sum(map(len, pieces)))
            pieces.append(piece)
            length -= len(piece)
        return pieces[0] if len(pieces) == 1 else b"".join(pieces)

    def _read_blocking(self, offset: int, length: int, digest: Updatable | None) -> bytes:
        pieces: list[bytes] = []
        with self._thread_lock:
            self._file.seek(self._base + offset)
            while length:
                piece = check_piece(self._file.read(length))
                if not piece:
                    raise ended_early(self.name, self.size, offset + sum(map(len, pieces)))
                pieces.append(piece)
                length -= len(piece)
        data = pieces[0] if len(pieces) == 1 else b"".join(pieces)
        if digest is not None:
            digest.update(data)
        return data


class ObjectBody:
    """A range of a file object as a request body; see :class:`~asyncclient._transfers.source.PartBody`."""

    replayable = True

    def __init__(self, source: ObjectSource, offset: int, length: int, *, md5: bool = True) -> None:
        self._source = source
        self._md5 = md5
        self._offset = offset
        self.length = length
        self.digest: PartDigest | None = None

    async def open(self) -> AsyncGenerator[bytes, None]:
        """Read the range anew."""
        running = RunningDigest(md5=self._md5)
        async with contextlib.aclosing(self._source.windows(self._offset, self.length, digest=running)) as windows:
            async for window in windows:
                if running.size == self.length:
                    self.digest = running.part()
                yield bytes(window)
        if not self.length:
            self.digest = running.part()


class StreamSource(Unidentified):
    """Bytes that come once, in order.

    Args:
        pull: Returns the next piece, ``b""`` at the end.
        size: Bytes in all, if known; another number of bytes then is an error.
        name: A file name for it.
    """

    replayable = False

    def __init__(self, pull: Pull, *, size: int | None = None, name: str | None = None) -> None:
        self._pull = pull
        self._rest = memoryview(b"")
        self._given = 0
        self._last_taken = False
        self.size = size
        self.name = name

    async def begin(self) -> None:
        """Wait for the first bytes, or the end: a request made before would hold its slot for somebody who waits for one."""
        await self._fill()

    async def take(self, length: int) -> Held | None:
        """Read the next part of up to ``length`` bytes into memory; None after the last.

        One piece more is read, so that ``last`` is known when the last part is in hand.
        """
        if length < 1:
            raise ValueError(f"a part needs at least one byte, not {length}")
        if self._last_taken:
            return None
        offset = self._given
        pieces: list[memoryview] = []
        while length and (piece := await self._next(length)):
            pieces.append(piece)
            length -= len(piece)
        self._last_taken = not await self._fill()
        data = b"".join(pieces)
        return Held(offset, len(data), self._last_taken, MemoryBody(data))

    async def windows(
        self, offset: int | None = None, length: int | None = None, *, digest: Updatable | None = None
    ) -> AsyncGenerator[memoryview, None]:
        """Read on from where the stream is, which must be ``offset``, if it is given."""
        self._expect_at(offset)
        while length is None or length:
            window = await self._next(WINDOW_BYTES if length is None else min(WINDOW_BYTES, length))
            if not window:
                if length:
                    raise ended_early(self.name, self._given + length, self._given)
                return
            if length is not None:
                length -= len(window)
            if digest is not None:
                await update(digest, window)
            yield window

    async def scan(
        self, digest: Updatable, offset: int | None = None, length: int | None = None, *, options: ScanOptions = SCAN
    ) -> int:
        """Digest what comes, which uses it up; returns how many bytes there were."""
        return await _drain(self.windows(offset, length, digest=digest), options)

    def body(self, offset: int | None = None, length: int | None = None, *, md5: bool = True) -> StreamBody:
        """Return a body that can be sent once, straight from the stream; ``length`` None sends all that comes."""
        self._expect_at(offset)
        if length is None and self.size is not None:
            length = self.size - self._given
        return StreamBody(self, length, md5=md5)

    def _expect_at(self, offset: int | None) -> None:
        if offset not in (None, self._given):
            raise ValueError(f"the stream is at byte {self._given} and cannot go to {offset}")

    async def _next(self, most: int) -> memoryview:
        await self._fill()
        piece, self._rest = self._rest[:most], self._rest[most:]
        self._given += len(piece)
        return piece

    async def _fill(self) -> bool:
        """Make sure there is a rest, unless the stream is over; tells whether there is one."""
        if not self._rest:
            self._rest = memoryview(check_piece(await self._pull()))
            self._check_size()
        return bool(self._rest)

    def _check_size(self) -> None:
        if self.size is None:
            return
        if not self._rest and self._given < self.size:
            raise ended_early(self.name, self.size, self._given)
        if self._given + len(self._rest) > self.size:
            raise SourceChanged(f"{self.name or 'the source'} holds more than the {self.size} bytes announced")


class StreamBody:
    """What is left of a stream, as a body that can be opened once."""

    replayable = False

    def __init__(self, source: StreamSource, length: int | None, *, md5: bool = True) -> None:
        self._source = source
        self._md5 = md5
        self.length = length
        self.digest: PartDigest | None = None

    async def open(self) -> AsyncGenerator[bytes, None]:
        """Read on in the stream."""
        running = RunningDigest(md5=self._md5)
        async with contextlib.aclosing(self._source.windows(None, self.length, digest=running)) as windows:
            async for window in windows:
                yield bytes(window)
        self.digest = running.part()


def from_async_iterable(items: AsyncIterable[bytes], *, size: int | None, name: str | None) -> StreamSource:
    """Make a source of an async iterator of bytes."""
    iterator = aiter(items)

    async def pull() -> bytes:
        async for piece in iterator:
            if piece:
                return _stable(piece)
        return b""

    return StreamSource(pull, size=size, name=name)


def from_iterable(items: Iterable[bytes], *, size: int | None, name: str | None) -> StreamSource:
    """Make a source of an iterable of bytes; its code runs in worker threads, one step at a time."""
    iterator = iter(items)

    async def pull() -> bytes:
        return await run_hop(_collect, iterator, crew=FOREIGN)

    return StreamSource(pull, size=size, name=name)


def from_reader(file: Any, *, size: int | None, name: str | None) -> StreamSource:
    """Make a source of a file object that cannot seek; a sync one is read in worker threads."""
    # read1 returns what a pipe has; read would wait until a whole window has come.
    read = getattr(file, "read1", file.read)

    async def pull() -> bytes:
        if is_async_file(file):
            return _stable(await file.read(WINDOW_BYTES))
        return _stable(await run_hop(read, WINDOW_BYTES, crew=FOREIGN))

    return StreamSource(pull, size=size, name=name)


def is_async_file(file: Any) -> bool:
    """Tell whether the methods of a file object are coroutines (aiofiles, anyio)."""
    return inspect.iscoroutinefunction(getattr(file, "read", None))


def check_piece(piece: Any) -> Any:
    """Return a piece that was read if it is bytes.

    Raises:
        ArgumentTypeError: It is text or something else.
    """
    if isinstance(piece, (bytes, bytearray, memoryview)):
        return piece
    hint = "; open the file in binary mode" if isinstance(piece, str) else ""
    raise ArgumentTypeError(f"a source must give bytes, not {type(piece).__name__}{hint}", argument="source")


def _stable(piece: Any) -> bytes:
    # A producer may use its buffer again as soon as it is asked for more.
    return piece if isinstance(piece, bytes) else bytes(check_piece(piece))


def _collect(iterator: Iterator[bytes]) -> bytes:
    """Take pieces until there is a window's worth: a hop for each of many short ones would cost more than they do."""
    pieces: list[bytes] = []
    size = 0
    for piece in iterator:
        pieces.append(_stable(piece))
        size += len(pieces[-1])
        if size >= WINDOW_BYTES:
            break
    return pieces[0] if len(pieces) == 1 else b"".join(pieces)


async def _drain(windows: AsyncGenerator[memoryview, None], options: ScanOptions) -> int:
    size = 0
    async for window in windows:
        size += len(window)
        options.report(size)
    return size
