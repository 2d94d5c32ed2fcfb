"""Blocking work in worker threads, within bounds, never left behind.

A hop is one blocking function run in a thread. What it touches (a buffer, a file descriptor) belongs to the frame that
waits for it, so that frame must not go on while the thread still runs, whatever kind of cancellation hits it:
``anyio.to_thread`` alone outlives ``asyncio.Task.cancel``, and a write would go on into a reused descriptor.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any, TypeVar

import anyio

from asyncclient._net.crew import Crew, Errand
from asyncclient._net.threads import CPU, DISK, FOREIGN

__all__ = ["CPU", "DISK", "FOREIGN", "Hop", "finish", "obtain", "run_hop", "settle", "run_to_end"]

T = TypeVar("T")


class Hop(Errand[T]):
    """A blocking call on its way through a worker thread.

    Args:
        function: Called in the thread.
        args: Its arguments.
        crew: Whose threads.
    """

    __slots__ = ()

    def __init__(self, function: Callable[..., T], *args: Any, crew: Crew = CPU) -> None:
        super().__init__(function, args, crew)

    async def wait(self) -> T:
        """Wait for the result.

        Cancelling drops a call that has not begun, and waits for the end of one that has.
        """
        if not self.over:
            try:
                await self.waiter()
            except asyncio.CancelledError:
                await self.settle()
                raise
        return self.result()

    async def settle(self) -> None:
        """Drop the call if it has not begun, else wait until the thread is done; never raises what it raised."""
        await settle(self)


async def run_hop(function: Callable[..., T], *args: Any, crew: Crew = CPU) -> T:
    """Call a blocking function in a worker thread; see :class:`Hop`."""
    return await Hop(function, *args, crew=crew).wait()


async def obtain(function: Callable[..., T], *args: Any, release: Callable[[T], object], crew: Crew = DISK) -> T:
    """Call a function whose result must be given back; whoever is cancelled does not get it any more.

    Args:
        function: Called in a worker thread.
        args: Its arguments.
        release: Called with the result in that case; must not block for long.
        crew: Whose threads.
    """
    hop = Hop(function, *args, crew=crew)
    try:
        return await hop.wait()
    except asyncio.CancelledError:
        if hop.returned:
            release(hop.result())
        raise


async def run_to_end(function: Callable[..., object], *args: Any, crew: Crew = DISK) -> None:
    """Call a function that must not be left out, whatever is cancelled: what takes away or puts in place is of this kind.

    A cancellation is passed on when the function has returned.
    """
    hop = Hop(function, *args, crew=crew)
    await finish(hop.waiter())
    hop.result()


async def settle(*hops: Hop[Any]) -> None:
    """Drop the calls that have not begun, and wait until the threads of the others are done."""
    await finish(*[hop.waiter() for hop in hops if not hop.take_back()])


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
