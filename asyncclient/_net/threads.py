"""The threads that blocking calls run in, by kind, and calls in them that stay safe when they are given up."""

from __future__ import annotations

import asyncio
import os
import threading
from collections.abc import Callable
from typing import Final, TypeVar

from asyncclient._net.crew import Crew, Errand

__all__ = ["CPU", "DISK", "FOREIGN", "ThreadOwned", "in_thread"]

_T = TypeVar("_T")
_CORES: Final = min(4, os.cpu_count() or 1)

CPU: Final = Crew("asyncclient-cpu", few=_CORES, most=_CORES)
"""For digests and other computing."""
DISK: Final = Crew("asyncclient-disk", few=2, most=8)
"""For waits on a disk (open, read, fsync, rename). Threads that make short calls mostly contend for the interpreter."""
FOREIGN: Final = Crew("asyncclient-foreign", few=2, most=1 << 16)
"""For methods of what somebody handed in. They may wait for one another, as the two ends of a pipe do."""


async def in_thread(function: Callable[[], _T], crew: Crew) -> _T:
    """Run a blocking call in a thread.

    A cancelled task leaves at once; the call goes on in its thread until it returns.
    """
    errand = Errand(function, (), crew)
    try:
        await errand.waiter()
    except asyncio.CancelledError:
        errand.take_back()
        raise
    return errand.result()


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
