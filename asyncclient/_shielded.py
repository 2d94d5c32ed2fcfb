"""Sending through somebody else's transport so that a cancellation never strikes inside of it.

httpcore 1.0.9 loses a place in its pool for good when a request is cancelled between getting a connection and using it
(encode/httpcore#1093), or a second time while it closes an answer. So every send, every wait for a piece of a body and
every closing runs in an inner task. The caller's cancellation returns at once. The inner task, left alone, goes on until
there is an answer to close, or until no connection can be in the making any more and it is cancelled; only then its
turn ends. Thus the turns bound what the foreign pool has to do, and its own queue stays empty.
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any, Final, Protocol, TypeVar

import anyio

from asyncclient._messages import Headers, Request, Response, TimeoutsView
from asyncclient.errors import ConnectTimeout, HubClosed, ReadError

__all__ = ["ForeignAnswer", "ShieldedTransport", "take_turn"]

R = TypeVar("R")

_ABANDONED_S: Final = 60.0  # for a connection to be made, where no connect timeout is set


async def take_turn(turns: anyio.Semaphore, timeout_s: float | None) -> bool:
    """Acquire one of ``turns``, first come first served; return False if that took too long."""
    try:
        turns.acquire_nowait()
    except anyio.WouldBlock:
        try:
            async with asyncio.timeout(timeout_s):
                await turns.acquire()
        except TimeoutError:
            return False
    return True


class ForeignAnswer(Protocol):
    """An answer of a foreign transport, in our words."""

    status: int
    headers: Headers
    http_version: bytes
    reason: bytes

    def whole(self) -> bytes | None:
        """Return the raw body if it is there already."""
        ...

    async def piece(self) -> bytes:
        """Wait for the next piece of the raw body, ``b""`` at its end; raises our errors."""
        ...

    async def aclose(self) -> None:
        """Give the connection back, or drop it; raises nothing."""
        ...


class ShieldedTransport:
    """A :class:`~asyncclient._messages.Transport` over :meth:`_exchange`, which a caller's cancellation cannot reach.

    Args:
        max_connections: Exchanges at a time, those included that nobody waits for any more.
    """

    def __init__(self, max_connections: int) -> None:
        self._turns = anyio.Semaphore(max_connections, fast_acquire=True)
        self._tasks: set[asyncio.Task[Any]] = set()
        self._closed = False

    async def _exchange(self, request: Request, timeouts: TimeoutsView) -> ForeignAnswer:
        raise NotImplementedError

    async def _shut(self) -> None:
        raise NotImplementedError

    async def send(self, request: Request, timeouts: TimeoutsView) -> Response:
        """Send the request; see :class:`~asyncclient._messages.Transport`."""
        if not await take_turn(self._turns, timeouts.connect):
            raise ConnectTimeout(f"{request.origin}: no connection became free in time", **_facts(request))
        if self._closed:
            self._turns.release()
            raise HubClosed("this transport is closed")
        loop = asyncio.get_running_loop()
        connected_by = loop.time() + (_ABANDONED_S if timeouts.connect is None else 2 * timeouts.connect + 1)
        task = self._spawn(self._exchange(request, timeouts))
        task.add_done_callback(self._end_turn_unless_answered)
        try:
            answer = await asyncio.shield(task)
        except asyncio.CancelledError:
            if task.cancelled():
                raise _closed_early(request) from None
            abandon = loop.call_at(connected_by, task.cancel)
            task.add_done_callback(lambda _: abandon.cancel())
            task.add_done_callback(self._close_unwanted)
            raise
        return Response(
            answer.status,
            answer.headers,
            _Stream(self, answer, request),
            http_version=answer.http_version,
            reason=answer.reason,
        )

    async def aclose(self) -> None:
        """Cancel what is under way and close the foreign transport."""
        self._closed = True
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks)
        await self._shut()

    def _spawn(self, coroutine: Coroutine[Any, Any, R]) -> asyncio.Task[R]:
        task = asyncio.get_running_loop().create_task(coroutine)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    def _end_turn_unless_answered(self, task: asyncio.Task[ForeignAnswer]) -> None:
        if task.cancelled() or task.exception() is not None:
            self._turns.release()

    def _close_unwanted(self, task: asyncio.Task[ForeignAnswer]) -> None:
        if not task.cancelled() and task.exception() is None:
            self._spawn(self._close_answer(task.result()))

    async def _close_answer(self, answer: ForeignAnswer, reading: asyncio.Task[bytes] | None = None) -> None:
        try:
            await answer.aclose()
            if reading is not None and not reading.done():
                reading.cancel()  # not before: see the head of this module
                await asyncio.wait([reading])
        finally:
            if reading is not None and reading.done() and not reading.cancelled():
                reading.exception()  # looked at, though nobody waits for it
            self._turns.release()


class _Stream:
    """The body of a foreign answer. A wait that is cancelled goes on, and the next ``read`` joins it."""

    __slots__ = ("_answer", "_closing", "_ended", "_reading", "_request", "_transport")

    def __init__(self, transport: ShieldedTransport, answer: ForeignAnswer, request: Request) -> None:
        self._transport = transport
        self._answer = answer
        self._request = request
        self._reading: asyncio.Task[bytes] | None = None
        self._closing: asyncio.Task[None] | None = None
        self._ended = False

    async def read(self) -> bytes:
        if self._ended:
            return b""
        task = self._reading
        if task is None:
            task = self._reading = self._transport._spawn(self._answer.piece())
        try:
            piece = await asyncio.shield(task)
        except asyncio.CancelledError:
            if not task.cancelled():
                raise
            self._ended = True
            raise _closed_early(self._request) from None
        except BaseException:
            await asyncio.wait([self._close()])
            raise
        self._reading = None
        if not piece:
            await asyncio.wait([self._close()])  # the connection is free before the reader goes on
        return piece

    def read_nowait(self) -> bytes | None:
        if self._ended:
            return b""
        whole = self._answer.whole() if self._reading is None else None
        self._ended = whole is not None
        return whole

    async def aclose(self) -> None:
        self._close()

    def _close(self) -> asyncio.Task[None]:
        self._ended = True
        if self._closing is None:
            self._closing = self._transport._spawn(self._transport._close_answer(self._answer, self._reading))
        return self._closing


def _facts(request: Request) -> dict[str, Any]:
    return {"origin": str(request.origin), "method": request.method.decode("ascii", "replace")}


def _closed_early(request: Request) -> ReadError:
    return ReadError(f"{request.origin}: the transport was closed meanwhile", **_facts(request))
