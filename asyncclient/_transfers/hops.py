"""Blocking work in worker threads, within bounds, never left behind.

A hop is one blocking function run in a thread. What it touches (a buffer, a file descriptor) belongs to the frame that
waits for it, so that frame must not go on while the thread still runs, whatever kind of cancellation hits it:
``anyio.to_thread`` alone outlives ``asyncio.Task.cancel``, and a write would go on into a reused descriptor.
"""

from __future__ import annotations

import asyncio
import os
import threading
from collections.abc import Callable
from typing import Any, Final, Generic, TypeVar

import anyio
import anyio.to_thread
from anyio.lowlevel import RunVar

__all__ = ["Hop", "cpu_limiter", "disk_limiter", "run_hop"]

T = TypeVar("T")

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
    """Return this event loop's limiter for waits on a disk (open, fsync, rename): they need a thread, not a core."""
    try:
        return _disk.get()
    except LookupError:
        limiter = anyio.CapacityLimiter(_DISK_THREADS)
        _disk.set(limiter)
        return limiter


class Hop(Generic[T]):
    """A blocking call on its way through a worker thread.

    Args:
        function: Called in the thread.
        args: Its arguments.
        limiter: Bounds the threads. Default: :func:`cpu_limiter`.
    """

    __slots__ = ("_args", "_function", "_gate", "_state", "_task")

    def __init__(self, function: Callable[..., T], *args: Any, limiter: anyio.CapacityLimiter | None = None) -> None:
        self._function = function
        self._args = args
        self._gate = threading.Lock()
        self._state = "waiting"
        limiter = limiter if limiter is not None else cpu_limiter()
        self._task: asyncio.Task[T] = asyncio.create_task(anyio.to_thread.run_sync(self._run, limiter=limiter))

    def _run(self) -> T:
        with self._gate:
            if self._state == "dropped":
                raise _Dropped
            self._state = "running"
        return self._function(*self._args)

    async def wait(self) -> T:
        """Wait for the result.

        Cancelling drops a call that has not begun, and waits for the end of one that has.
        """
        try:
            return await asyncio.shield(self._task)
        except asyncio.CancelledError:
            await self.settle()
            raise

    async def settle(self) -> None:
        """Drop the call if it has not begun, else wait until the thread is done; never raises what it raised."""
        with self._gate:
            if self._state == "waiting":
                self._state = "dropped"
        if self._state == "dropped":
            self._task.cancel()
        await finish(self._task)


class _Dropped(Exception):
    """The hop was cancelled before its thread began."""


async def run_hop(function: Callable[..., T], *args: Any, limiter: anyio.CapacityLimiter | None = None) -> T:
    """Call a blocking function in a worker thread; see :class:`Hop`."""
    return await Hop(function, *args, limiter=limiter).wait()


async def finish(task: asyncio.Task[Any]) -> None:
    """Wait until a task has ended, through any cancellation, which is passed on afterwards."""
    cancelled = False
    with anyio.CancelScope(shield=True):
        while not task.done():
            try:
                await asyncio.wait((task,))
            except asyncio.CancelledError:  # asyncio's own kind passes the shield
                cancelled = True
    if not task.cancelled():
        task.exception()  # looked at, so that it is not reported as never retrieved
    if cancelled:
        raise asyncio.CancelledError
