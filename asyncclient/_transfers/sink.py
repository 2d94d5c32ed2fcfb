"""Where downloads go, in one form: files on disk, file objects, callables.

``positional`` sinks (files) take ranges in any order, several at once, and can be resumed. The others take the bytes
once and in order; the transfer behind them is one stream.
"""

from __future__ import annotations

import asyncio
import inspect
import io
import os
import threading
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Final, Protocol

from asyncclient._transfers.digest import OrderedDigest, Updatable
from asyncclient._transfers.hops import FOREIGN, finish, run_hop
from asyncclient._transfers.source_memory import update
from asyncclient._transfers.windows import WINDOW_BYTES
from asyncclient.errors import ArgumentTypeError, ResumeError

__all__ = ["CallableSink", "ObjectSink", "Sink", "SinkWriter"]

# A vector of this many network chunks is written without joining them.
_MAX_PIECES: Final = 256


class Sink(Protocol):
    """Somewhere to put a download.

    Attributes:
        positional: Whether ranges may come in any order and several at once.
    """

    @property
    def positional(self) -> bool: ...

    async def open(self, size: int | None) -> int:
        """Prepare for ``size`` bytes, or for an unknown number.

        Returns:
            Bytes that lie there from an earlier run, proven or not; 0 if there are none.

        Raises:
            OSError: It cannot be written, or the disk has no room.
        """
        ...

    async def write(self, offset: int, pieces: Sequence[bytes], digest: Updatable | None = None) -> None:
        """Write pieces one behind the other.

        Args:
            offset: Of the first byte.
            pieces: Must not be changed afterwards.
            digest: Updated with them in the thread that writes.
        """
        ...

    def barrier(self) -> Callable[[], None] | None:
        """Return what makes written data durable (blocking, for the journal); None if there is no such thing."""
        ...

    async def restart(self) -> None:
        """Forget all that was written.

        Raises:
            ResumeError: It has been handed on already.
        """
        ...

    async def md5(self) -> str:
        """Return the md5 of everything from byte 0 to the end of what was written."""
        ...

    async def commit(self) -> None:
        """Finish: what was written is complete and verified."""
        ...

    async def aclose(self) -> None:
        """Release what was opened here; an unfinished part file stays, to be resumed. May be repeated."""
        ...


class SinkWriter:
    """Puts the chunks of one answer into a sink: 1 MiB together per hop, writing one window while the next arrives.

    Args:
        sink: Where to.
        offset: Of the first byte.
        digest: Updated in order with all that is written.

    Attributes:
        written: Bytes whose writing has ended.
    """

    def __init__(self, sink: Sink, offset: int, digest: Updatable | None = None) -> None:
        self._sink = sink
        self._offset = offset
        self._digest = digest
        self._pieces: list[bytes] = []
        self._size = 0
        self._writing: asyncio.Task[None] | None = None
        self._writing_bytes = 0
        self.written = 0

    async def feed(self, chunk: bytes) -> None:
        """Take a chunk; waits only when two windows are full.

        Raises:
            OSError: An earlier chunk could not be written.
        """
        self._pieces.append(chunk)
        self._size += len(chunk)
        if self._size >= WINDOW_BYTES or len(self._pieces) >= _MAX_PIECES:
            await self._settle()
            self._start()

    async def flush(self) -> None:
        """Wait until everything fed is written."""
        await self._settle()
        if self._size:
            self._start()
            await self._settle()

    async def aclose(self) -> None:
        """Drop what is not under way and end what is; nothing is raised."""
        self._pieces, self._size = [], 0
        await self._stop()

    def _start(self) -> None:
        pieces, self._pieces = self._pieces, []
        self._writing_bytes, self._size = self._size, 0
        self._writing = asyncio.create_task(self._sink.write(self._offset, pieces, self._digest))
        self._offset += self._writing_bytes

    async def _stop(self) -> None:
        """Wait for the end of a write; a function of the user is cancelled, for what it waits for may never come."""
        if self._writing is not None:
            if isinstance(self._sink, CallableSink):
                self._writing.cancel()
            await finish(self._writing)

    async def _settle(self) -> None:
        if self._writing is None:
            return
        try:
            await asyncio.shield(self._writing)
        except asyncio.CancelledError:
            await self._stop()
            raise
        self.written += self._writing_bytes
        self._writing = None


class _InOrder:
    """What sinks that take bytes once have in common.

    The digest of everything is kept on the way, as nothing can be read back.
    """

    def __init__(self) -> None:
        self._digest = OrderedDigest()
        self._at = 0

    def _expect(self, offset: int) -> None:
        if offset != self._at:
            raise ResumeError(f"this destination takes bytes in order: it is at {self._at}, not at {offset}")

    async def _note(self, pieces: Sequence[bytes], digest: Updatable | None) -> None:
        data = pieces[0] if len(pieces) == 1 else b"".join(pieces)
        await update(_Both(self._digest, self._at, digest), data)
        self._at += len(data)

    async def open(self, size: int | None) -> int:
        """Do nothing: there is nothing to prepare."""
        return 0

    def barrier(self) -> Callable[[], None] | None:
        """Return None: what was handed on is out of reach."""
        return None

    async def md5(self) -> str:
        """Return the md5 of everything written."""
        return self._digest.hexdigest()

    async def commit(self) -> None:
        """Do nothing: everything was handed on already."""

    async def aclose(self) -> None:
        """Do nothing: what was handed in belongs to the caller."""


class _Both:
    """Updates the digest of the whole and that of a part in one go."""

    def __init__(self, ordered: OrderedDigest, at: int, digest: Updatable | None) -> None:
        self._ordered = ordered
        self._at = at
        self._digest = digest

    def update(self, data: bytes | memoryview, /) -> None:
        self._ordered.feed(self._at, data)
        if self._digest is not None:
            self._digest.update(data)


class CallableSink(_InOrder):
    """A function that is called with every piece, on the event loop; if it returns an awaitable, that is awaited.

    Args:
        function: Must not block for long.
    """

    positional = False

    def __init__(self, function: Callable[[bytes], Awaitable[None] | None]) -> None:
        super().__init__()
        self._function = function

    async def write(self, offset: int, pieces: Sequence[bytes], digest: Updatable | None = None) -> None:
        """Hand on pieces."""
        self._expect(offset)
        for piece in pieces:
            result = self._function(piece)
            if inspect.isawaitable(result):
                await result
        await self._note(pieces, digest)

    async def restart(self) -> None:
        """Refuse, unless nothing was handed on."""
        if self._at:
            raise ResumeError(f"{self._at} bytes were handed on already and cannot be taken back")


class ObjectSink(_InOrder):
    """A binary file object, sync (used in worker threads) or async, from its position on.

    Args:
        file: Has ``write``; with ``seek`` and ``truncate`` it can be started again.
    """

    positional = False

    def __init__(self, file: Any) -> None:
        super().__init__()
        self._file = file
        self._async = inspect.iscoroutinefunction(file.write)
        self._lock = threading.Lock()
        self._base: int | None = None

    async def open(self, size: int | None) -> int:
        """Remember the position, if there is one."""
        try:
            self._base = await self._call("tell")
        except (AttributeError, OSError):
            self._base = None
        return 0

    async def write(self, offset: int, pieces: Sequence[bytes], digest: Updatable | None = None) -> None:
        """Write pieces one behind the other."""
        self._expect(offset)
        if self._async:
            for piece in pieces:
                await self._file.write(piece)
        else:
            await run_hop(self._write_blocking, pieces, crew=FOREIGN)
        await self._note(pieces, digest)

    async def restart(self) -> None:
        """Go back to where it began and cut off what follows."""
        if self._at:
            try:
                if self._base is None:
                    raise OSError("no position")
                await self._call("seek", self._base)
                await self._call("truncate")
            except (AttributeError, OSError) as error:
                raise ResumeError(f"{self._at} bytes were written and cannot be taken back") from error
        self._at = 0
        self._digest = OrderedDigest()

    async def commit(self) -> None:
        """Flush it, if it can."""
        if hasattr(self._file, "flush"):
            await self._call("flush")

    def _write_blocking(self, pieces: Sequence[bytes]) -> None:
        with self._lock:
            for piece in pieces:
                view = memoryview(piece)
                while view:  # raw files may take less than they are given
                    count = self._file.write(view)
                    view = view[count if isinstance(count, int) else len(view) :]

    async def _call(self, name: str, *args: Any) -> Any:
        method = getattr(self._file, name)
        result = method(*args) if self._async else await run_hop(method, *args, crew=FOREIGN)
        return await result if inspect.isawaitable(result) else result


def as_object_sink(value: Any) -> ObjectSink | CallableSink | None:
    """Make a sink of a file object or a callable; None if it is neither.

    Raises:
        ArgumentTypeError: It is a text file.
    """
    if isinstance(value, io.TextIOBase):
        raise ArgumentTypeError("a text file cannot take a download; open it in binary mode", argument="destination")
    if callable(getattr(value, "write", None)):
        return ObjectSink(value)
    function: Callable[[bytes], Any] | None = value if callable(value) and not isinstance(value, os.PathLike) else None
    return None if function is None else CallableSink(function)
