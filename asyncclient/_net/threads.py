"""Blocking reads in threads that stay safe when the task that asked for them is cancelled."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from typing import TypeVar

import anyio
import anyio.to_thread
from anyio.lowlevel import RunVar

__all__ = ["ThreadOwned", "in_thread"]

_T = TypeVar("_T")
_default_limiter: RunVar[anyio.CapacityLimiter] = RunVar("asyncclient_file_limiter")


async def in_thread(function: Callable[[], _T], limiter: anyio.CapacityLimiter | None) -> _T:
    """Run a blocking call in a thread.

    Args:
        function: What to call.
        limiter: Bounds the threads. Default: ``min(4, cpus)`` threads per event loop.

    A cancelled task leaves at once; the call goes on in its thread until it returns.
    """
    if limiter is None:
        try:
            limiter = _default_limiter.get()
        except LookupError:
            limiter = anyio.CapacityLimiter(min(4, os.cpu_count() or 1))
            _default_limiter.set(limiter)
    return await anyio.to_thread.run_sync(function, limiter=limiter)


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
