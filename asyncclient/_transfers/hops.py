"""Blocking work in worker threads, within bounds, never left behind.

A hop is one blocking function run in a thread. What it touches (a buffer, a file descriptor) belongs to the frame that
waits for it, so that frame must not go on while the thread still runs, whatever kind of cancellation hits it:
``anyio.to_thread`` alone outlives ``asyncio.Task.cancel``, and a write would go on into a reused descriptor.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from typing import Any, Generic, TypeVar

import anyio
import anyio.to_thread

from asyncclient._net.threads import cpu_limiter, disk_limiter

__all__ = ["Hop", "cpu_limiter", "disk_limiter", "finish", "run_hop", "settle"]

T = TypeVar("T")


class Hop(Generic[T]):
    """A blocking call on its way through a worker thread.

    Args:
        function: Called in the thread.
        args: Its arguments.
        limiter: Bounds the threads. Default: :func:`cpu_limiter`.
    """

    __slots__ = ("_call", "_gate", "_state", "_task")

    def __init__(self, function: Callable[..., T], *args: Any, limiter: anyio.CapacityLimiter | None = None) -> None:
        self._call: tuple[Callable[..., T], tuple[Any, ...]] | None = (function, args)
        self._gate = threading.Lock()
        self._state = "waiting"
        limiter = limiter if limiter is not None else cpu_limiter()
        self._task: asyncio.Task[T] = asyncio.create_task(anyio.to_thread.run_sync(self._run, limiter=limiter))

    def _run(self) -> T:
        with self._gate:
            # Forgotten here: the worker thread may refer to this hop for a while after it has reported the result.
            call, self._call = self._call, None
            if call is None:
                raise _Dropped
            self._state = "running"
        function, args = call
        return function(*args)

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
        await settle(self)

    def _drop(self) -> asyncio.Task[T]:
        with self._gate:
            if self._state == "waiting":
                self._state, self._call = "dropped", None
        if self._state == "dropped":
            self._task.cancel()
        return self._task


class _Dropped(Exception):
    """The hop was cancelled before its thread began."""


async def run_hop(function: Callable[..., T], *args: Any, limiter: anyio.CapacityLimiter | None = None) -> T:
    """Call a blocking function in a worker thread; see :class:`Hop`."""
    return await Hop(function, *args, limiter=limiter).wait()


async def settle(*hops: Hop[Any]) -> None:
    """Drop the calls that have not begun, and wait until the threads of the others are done."""
    # Not one task per hop: a task that is cancelled before its first step would wait for nothing.
    await finish(*[hop._drop() for hop in hops])


async def finish(*tasks: asyncio.Future[Any]) -> None:
    """Wait until tasks have ended, through any cancellation, which is passed on afterwards."""
    cancelled = False
    with anyio.CancelScope(shield=True):
        while left := [task for task in tasks if not task.done()]:
            try:
                await asyncio.wait(left)
            except asyncio.CancelledError:  # asyncio's own kind passes the shield
                cancelled = True
    for task in tasks:
        if not task.cancelled():
            task.exception()  # looked at, so that it is not reported as never retrieved
    if cancelled:
        raise asyncio.CancelledError
