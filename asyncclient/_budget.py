"""Memory for parts in flight: bytes are reserved before they are read, first come first served.

Order of acquisition, to be kept everywhere so that nobody waits for somebody who waits for him: bytes, then a slot of
the scheduler. Whoever holds a slot never waits for bytes. Not thread-safe: one event loop owns it.
"""

from __future__ import annotations

import asyncio
import os
from collections import deque
from typing import Final, Self

from asyncclient.errors import HubClosed

__all__ = ["ByteBudget", "Reservation", "default_budget_bytes"]

_MOST: Final = 256 * 1024 * 1024
_CLOSED: Final = "the hub was closed while this call was under way"


def default_budget_bytes() -> int:
    """Return ``min(256 MiB, RAM / 8)``; 256 MiB where the system does not say how much memory it has."""
    try:
        ram = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, ValueError, OSError):  # Windows has no sysconf, some systems not these names
        return _MOST
    return min(_MOST, ram // 8) if ram > 0 else _MOST


class Reservation:
    """Bytes that may be held in memory; given back exactly once."""

    __slots__ = ("_budget", "size_bytes")

    def __init__(self, budget: ByteBudget | None, size_bytes: int) -> None:
        self._budget: ByteBudget | None = budget
        self.size_bytes = size_bytes

    @classmethod
    def nothing(cls) -> Self:
        """Return one of no bytes, for what needs none."""
        return cls(None, 0)

    def release(self) -> None:
        """Give the bytes back; further calls do nothing."""
        budget = self._budget
        if budget is not None:
            self._budget = None
            budget._release(self.size_bytes)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.release()


class ByteBudget:
    """Hands out bytes.

    ::

        with await budget.reserve(part.length):
            ...

    Args:
        total_bytes: At most this many at a time, but for a single reservation that is larger: it runs alone.

    Attributes:
        in_use_bytes: Reserved now.
    """

    def __init__(self, total_bytes: int) -> None:
        self.total_bytes: Final = total_bytes
        self.in_use_bytes = 0
        self._waiters: deque[tuple[asyncio.Future[Reservation], int]] = deque()
        self._dead = 0
        self._closed = False

    @property
    def waiting(self) -> int:
        """Reservations that wait for their turn."""
        return len(self._waiters) - self._dead

    def reserve_nowait(self, size_bytes: int) -> Reservation | None:
        """Take bytes if they are free and nobody waits, else None."""
        if self._waiters or not self._fits(size_bytes):
            return None
        return self._grant(size_bytes)

    async def reserve(self, size_bytes: int) -> Reservation:
        """Wait for bytes, behind everybody who came before.

        Raises:
            HubClosed: The hub was closed meanwhile.

        Cancelling leaves no trace: bytes that were granted in the same moment go to the next waiter.
        """
        found = self.reserve_nowait(size_bytes)
        if found is not None:
            return found
        if self._closed:
            raise HubClosed(_CLOSED)
        future: asyncio.Future[Reservation] = asyncio.get_running_loop().create_future()
        self._waiters.append((future, size_bytes))
        try:
            return await future
        except BaseException:
            if future.done() and not future.cancelled():
                if future.exception() is None:
                    future.result().release()
            else:
                future.cancel()  # a coroutine that is thrown away, not cancelled, leaves it waiting
                self._bury()
            raise

    def close(self) -> None:
        """Let no one wait any more: whoever does gets :class:`HubClosed`."""
        self._closed = True
        waiters, self._waiters, self._dead = self._waiters, deque(), 0
        for future, _ in waiters:
            if not future.done():
                future.set_exception(HubClosed(_CLOSED))

    def _fits(self, size_bytes: int) -> bool:
        return self.in_use_bytes + size_bytes <= self.total_bytes or not self.in_use_bytes

    def _grant(self, size_bytes: int) -> Reservation:
        self.in_use_bytes += size_bytes
        return Reservation(self, size_bytes)

    def _release(self, size_bytes: int) -> None:
        self.in_use_bytes -= size_bytes
        self._wake()

    def _bury(self) -> None:
        """Account for a waiter that was cancelled; it may have been what stood in everybody's way."""
        if self._closed:
            return
        self._dead += 1
        if self._dead * 2 > len(self._waiters):  # all at once: one by one would make a mass cancellation quadratic
            self._waiters = deque(waiter for waiter in self._waiters if not waiter[0].done())
            self._dead = 0
        self._wake()

    def _wake(self) -> None:
        while self._waiters:
            future, size_bytes = self._waiters[0]
            if future.done():
                self._dead -= 1  # may pass below 0 for an instant: its task has not run yet to say so
            elif not self._fits(size_bytes):
                return
            else:
                future.set_result(self._grant(size_bytes))
            self._waiters.popleft()
