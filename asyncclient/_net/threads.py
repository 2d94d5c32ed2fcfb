"""The threads of an event loop: how many there are, and reads in them that stay safe when they are given up."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from typing import Final, TypeVar

import anyio
import anyio.to_thread
from anyio.lowlevel import RunVar

__all__ = ["ThreadOwned", "cpu_limiter", "disk_limiter", "in_thread"]

_T = TypeVar("_T")
_CPU_THREADS: Final = 4
_DISK_THREADS: Final = 8

_cpu: RunVar[anyio.CapacityLimiter] = RunVar("asyncclient_cpu_limiter")
_disk: RunVar[anyio.CapacityLimiter] = RunVar("asyncclient_disk_limiter")


def cpu_limiter() -> anyio.CapacityLimiter:
    """Return this event loop's limiter for digests and other computing: ``min(4, cpus)`` threads."""
    try:
        return _cpu.get()
    except LookupError:
        limiter = anyio.CapacityLimiter(min(_CPU_THREADS, os.cpu_count() or 1))
        _cpu.set(limiter)
        return limiter


def disk_limiter() -> anyio.CapacityLimiter:
    """Return this event loop's limiter for waits on a disk (open, read, fsync, rename): a thread each, but no core."""
    try:
        return _disk.get()
    except LookupError:
        limiter = anyio.CapacityLimiter(_DISK_THREADS)
        _disk.set(limiter)
        return limiter


async def in_thread(function: Callable[[], _T], limiter: anyio.CapacityLimiter | None) -> _T:
    """Run a blocking call in a thread.

    Args:
        function: What to call.
        limiter: Bounds the threads. Default: :func:`disk_limiter`, as what is called waits and does not compute.

    A cancelled task leaves at once; the call goes on in its thread until it returns.
    """
    return await anyio.to_thread.run_sync(function, limiter=limiter if limiter is not None else disk_limiter())


class ThreadOwned:
    """Something that threads use one after another, and that is not closed while one of them uses it.

    Closing a file under a thread that reads it would hand its descriptor number to whatever is opened next. So
    :meth:`close` leaves the closing to the thread, if there is one inside.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._closing = False

    def step(self) -> bytes:
        """Do the next piece of work, in a thread; ``b""`` at the end, or once closed."""
        try:
            with self._lock:
                return b"" if self._closing else self._step()
        finally:
            # Looked at after the lock is free: either this thread sees the wish, or the one who wishes gets the lock.
            if self._closing:
                self.close()

    def close(self) -> None:
        """Close, now or when the thread inside is done; may be repeated."""
        self._closing = True
        if self._lock.acquire(blocking=False):
            try:
                self._release()
            finally:
                self._lock.release()

    def _step(self) -> bytes:
        raise NotImplementedError

    def _release(self) -> None:
        raise NotImplementedError
