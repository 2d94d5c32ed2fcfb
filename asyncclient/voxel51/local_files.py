"""Files on disk without ceremony: small ones are read, or written, in one visit to a thread that many of them share.

A file of some kilobytes is on the wire in less time than a thread takes to wake up. So files that are asked for while
a thread is busy wait for it together, and it sees to all of them in one go.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import mimetypes
import os
import secrets
import stat
from collections.abc import AsyncIterator, Callable
from contextlib import aclosing
from typing import Any, Final, Generic, NamedTuple, TypeVar

from asyncclient._net.bodies import FileBody, FileStamp
from asyncclient._transfers.hops import disk_limiter, finish, run_hop
from asyncclient._transfers.progress import Meter
from asyncclient.voxel51.utils import ensure_basedir

__all__ = ["SMALL_BYTES", "CountedBody", "Errands", "LocalFile", "look_at", "write_small"]

T = TypeVar("T")

SMALL_BYTES: Final = 256 * 1024
_THREADS: Final = 2
_FLAGS: Final = os.O_RDONLY | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
# With the number of the process, as a fork has the same token.
_TOKEN: Final = secrets.token_hex(8)
_numbers: Final = itertools.count()
_NEW: Final = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_BINARY", 0)


class _Errand(Generic[T]):
    """Something to be done in a thread.

    Attributes:
        done: Set when it is over; another one for whoever goes on to wait after a cancellation.
        over: Whether it is.
    """

    __slots__ = ("call", "done", "error", "over", "value")

    def __init__(self, call: Callable[[], T], done: asyncio.Future[None]) -> None:
        self.call = call
        self.done = done
        self.error: BaseException | None = None
        self.over = False
        self.value: Any = None

    def run(self) -> None:
        """Do it; blocking."""
        try:
            self.value = self.call()
        except Exception as error:  # noqa: BLE001  # raised where it is waited for
            self.error = error

    def end(self) -> None:
        """Tell whoever waits."""
        self.over = True
        if not self.done.done():
            self.done.set_result(None)


class Errands:
    """Runs short blocking calls in threads, those that come together in one visit."""

    __slots__ = ("_tasks", "_waiting", "_working")

    def __init__(self) -> None:
        self._tasks: set[asyncio.Task[None]] = set()
        self._working = 0
        self._waiting: list[_Errand[Any]] = []

    async def run(self, call: Callable[[], T]) -> T:
        """Run a call and return its result. Cancelling drops it if it has not begun, and waits for its end if it has."""
        loop = asyncio.get_running_loop()
        errand = _Errand(call, loop.create_future())
        self._waiting.append(errand)
        if self._working < _THREADS:
            self._working += 1
            task = loop.create_task(self._work())
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        try:
            await errand.done
        except asyncio.CancelledError:
            if errand in self._waiting:
                self._waiting.remove(errand)
            elif not errand.over:
                errand.done = loop.create_future()
                await finish(errand.done)
            raise
        if errand.error is not None:
            raise errand.error
        value: T = errand.value
        return value

    async def _work(self) -> None:
        try:
            while self._waiting:
                errands, self._waiting = self._waiting, []
                try:
                    await run_hop(_run_all, errands, limiter=disk_limiter())
                finally:
                    for errand in errands:
                        errand.end()
        finally:
            # In the same turn as the last look: an errand that comes before the task is seen to be done needs another.
            self._working -= 1


def _run_all(errands: list[_Errand[Any]]) -> None:
    for errand in errands:
        errand.run()


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
    temporary = os.path.join(os.path.dirname(path), f".{_TOKEN}-{os.getpid()}-{next(_numbers)}.part")  # noqa: PTH118, PTH120  # cheap
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
