"""Reading many small files: a hop to a thread costs more than the read, so files that wait share one."""

from __future__ import annotations

import asyncio
import os
import stat
from collections import deque
from collections.abc import Sequence
from typing import Final, TypeAlias

from anyio.lowlevel import RunVar

__all__ = ["SMALL_BYTES", "read_small"]

SMALL_BYTES: Final = 64 * 1024
"""Files up to here are read whole and sent in one piece."""
_MOST_AT_ONCE: Final = 16
"""Files in one hop: what is read and not yet sent stays below 1 MiB a hop."""
_LATE_S: Final = 0.1
_MOST_LATE: Final = 3
"""One hop at a time, as threads that read contend with the loop for the interpreter. One that takes longer than this, on
a disk that hangs or a share that is far away, makes room for another, so that one file does not hold up the rest."""

# Not blocking: a pipe that nobody writes to must not hold a hop up, and is none of our files.
_FLAGS: Final = os.O_RDONLY | sum(getattr(os, name, 0) for name in ("O_BINARY", "O_CLOEXEC", "O_NONBLOCK"))

_Content: TypeAlias = bytes | BaseException | None
_Read: TypeAlias = tuple[str, "asyncio.Future[bytes | None]"]


async def read_small(path: str) -> bytes | None:
    """Return the content of a file; None if it is larger than :data:`SMALL_BYTES`, no regular file, or changes now.

    Raises:
        OSError: It cannot be read.

    A cancelled task leaves at once; what is read for it is dropped.
    """
    try:
        reader = _readers.get()
    except LookupError:
        reader = _Reader()
        _readers.set(reader)
    return await reader.read(path)


class _Reader:
    """The reads of one event loop. No task of its own: whoever waits is served by the end of a hop."""

    def __init__(self) -> None:
        self._waiting: deque[_Read] = deque()
        self._busy = False
        self._late = 0

    async def read(self, path: str) -> bytes | None:
        loop = asyncio.get_running_loop()
        content: asyncio.Future[bytes | None] = loop.create_future()
        self._waiting.append((path, content))
        if len(self._waiting) == 1:
            loop.call_soon(self._next)  # after all that are about to ask have asked
        return await content

    def _next(self) -> None:
        """Begin a hop for those that wait, unless there is one."""
        batch: list[_Read] = []
        while not self._busy and self._waiting and len(batch) < _MOST_AT_ONCE:
            path, content = self._waiting.popleft()
            if not content.done():  # else: cancelled meanwhile
                batch.append((path, content))
        if batch:
            _Hop(self, batch).begin()


class _Hop:
    """One visit to a thread."""

    def __init__(self, reader: _Reader, batch: Sequence[_Read]) -> None:
        self._reader = reader
        self._batch = batch
        self._is_late = False

    def begin(self) -> None:
        loop = asyncio.get_running_loop()
        try:
            hop = loop.run_in_executor(None, _read_all, [path for path, _ in self._batch])
        except RuntimeError as error:  # the loop is about to end, and takes no more work for threads
            for _, content in self._batch:
                content.set_exception(error)
            self._reader._next()
            return
        self._reader._busy = True
        self._timer = loop.call_later(_LATE_S, self._late)
        hop.add_done_callback(self._landed)

    def _late(self) -> None:
        reader = self._reader
        if reader._late < _MOST_LATE:
            reader._late += 1
            reader._busy, self._is_late = False, True
            reader._next()

    def _landed(self, hop: asyncio.Future[Sequence[_Content]]) -> None:
        reader = self._reader
        self._timer.cancel()
        if self._is_late:
            reader._late -= 1
        else:
            reader._busy = False
        error = hop.exception()
        results = hop.result() if error is None else [error] * len(self._batch)
        for (_, content), found in zip(self._batch, results, strict=True):
            if content.done():
                continue
            if isinstance(found, BaseException):
                content.set_exception(found)
            else:
                content.set_result(found)
        reader._next()  # for those that came meanwhile


_readers: RunVar[_Reader] = RunVar("asyncclient_flywheel_small_files")


def _read_all(paths: Sequence[str]) -> Sequence[_Content]:
    return [_read(path) for path in paths]


def _read(path: str) -> _Content:
    try:
        descriptor = os.open(path, _FLAGS)
        try:
            found = os.fstat(descriptor)
            if not stat.S_ISREG(found.st_mode) or found.st_size > SMALL_BYTES:
                return None
            content = os.read(descriptor, SMALL_BYTES + 1)
        finally:
            os.close(descriptor)
    except OSError as error:
        return error
    return content if len(content) == found.st_size else None
