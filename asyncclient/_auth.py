"""How requests are signed: a header, renewed before it lapses, refreshed once after a 401, by one task for all.

An :class:`Auth` belongs to a client. ``_pipeline.py`` asks it for the header at every attempt, so that a retry never
repeats a token that lapsed while it waited.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Generic, NamedTuple, Protocol, TypeVar

__all__ = ["Auth", "HeaderAuth", "SingleFlight", "Token", "is_fresh"]

T = TypeVar("T")

_MARGIN_S = 60.0
_MARGIN_SHARE = 0.1


class Token(NamedTuple):
    """A bearer token and when it lapses.

    Attributes:
        value: The token; empty for none.
        expires_at: Seconds since the epoch.
        lifetime_s: Seconds it was issued for; 0 if unknown.
    """

    value: str
    expires_at: float
    lifetime_s: float = 0.0

    def __repr__(self) -> str:
        return f"Token({'***' if self.value else 'none'}, expires_at={self.expires_at})"


def is_fresh(token: Token, now: float) -> bool:
    """Tell whether a token may still be sent: more than ``min(60 s, a tenth of its life)`` must remain."""
    if not token.value:
        return False
    margin_s = min(_MARGIN_S, token.lifetime_s * _MARGIN_SHARE) if token.lifetime_s > 0 else _MARGIN_S
    return token.expires_at - now > margin_s


class Auth(Protocol):
    """Signs requests."""

    def header_nowait(self) -> tuple[bytes, bytes] | None:
        """Return the header if a valid one is at hand; must not wait."""
        ...

    async def header(self) -> tuple[bytes, bytes]:
        """Return a valid header, fetching a token if need be; callers at the same time share one fetch."""
        ...

    def reject(self, header: tuple[bytes, bytes]) -> bool:
        """Note that the service refused this header with 401.

        Returns:
            True if another one can be had, so that the request is worth repeating.
        """
        ...


class HeaderAuth:
    """A key that never changes."""

    __slots__ = ("_header",)

    def __init__(self, name: bytes, value: bytes) -> None:
        self._header = (name, value)

    def header_nowait(self) -> tuple[bytes, bytes]:
        """Return the header."""
        return self._header

    async def header(self) -> tuple[bytes, bytes]:
        """Return the header."""
        return self._header

    def reject(self, header: tuple[bytes, bytes]) -> bool:
        """Return False: there is no other key."""
        return False

    def __repr__(self) -> str:
        return "HeaderAuth(***)"


class SingleFlight(Generic[T]):
    """Runs one coroutine function at a time and shares its outcome with everyone who asks meanwhile.

    The work runs in a task of its own: cancelling the caller who happened to start it neither stops it nor strands
    the others. A failure is seen by all who waited; the next call starts afresh. Callers in another event loop start
    a flight of their own, for futures cannot be shared between loops.
    """

    __slots__ = ("_loop", "_task", "_work")

    def __init__(self, work: Callable[[], Awaitable[T]]) -> None:
        self._work = work
        self._task: asyncio.Task[T] | None = None
        self._loop: asyncio.AbstractEventLoop | None = None

    async def __call__(self) -> T:
        """Join the flight under way, or start one."""
        loop = asyncio.get_running_loop()
        task = self._task
        if task is None or task.done() or self._loop is not loop:
            task = loop.create_task(self._run())
            task.add_done_callback(_retrieve)
            self._task, self._loop = task, loop
        return await asyncio.shield(task)

    async def _run(self) -> T:
        return await self._work()


def _retrieve(task: asyncio.Task[T]) -> None:
    # Every caller may have been cancelled; an exception nobody looked at would be reported as lost.
    if not task.cancelled():
        task.exception()
