"""A bound on bytes per second: one token bucket per direction for the whole hub.

What moves is paid for afterwards, in steps of 256 KiB: nothing is given back when a request is cancelled, and the next
who pays waits for the debt. Short bodies wait for the debt of others before they begin, so many of them keep the rate
too. Small calls (lane *control*) are neither charged nor held up.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import Final

__all__ = ["CHARGE_BYTES", "Pacer", "TokenBucket"]

CHARGE_BYTES: Final = 256 * 1024
BURST_S: Final = 0.5


class TokenBucket:
    """Tokens are bytes; they come at a steady rate, and half a second's worth is kept for a burst.

    Args:
        rate: Bytes per second, more than 0.
        clock: Seconds, monotonic.
    """

    __slots__ = ("_burst", "_clock", "_filled_at", "_rate", "_tokens")

    def __init__(self, rate: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._rate = rate
        self._burst = rate * BURST_S
        self._tokens = self._burst
        self._clock = clock
        self._filled_at = clock()

    def take(self, count: int) -> float:
        """Take tokens, on credit if need be.

        Returns:
            Seconds until the debt, that of earlier takers included, is paid; 0 if there is none.
        """
        now = self._clock()
        self._tokens = min(self._burst, self._tokens + (now - self._filled_at) * self._rate) - count
        self._filled_at = now
        return max(0.0, -self._tokens / self._rate)


class Pacer:
    """Pays for the bytes of one body."""

    __slots__ = ("_bucket", "_due")

    def __init__(self, bucket: TokenBucket) -> None:
        self._bucket = bucket
        self._due = 0

    async def begin(self) -> None:
        """Wait until the debt of others is paid."""
        await self._wait(0)

    def moved(self, count: int) -> None:
        """Account for bytes."""
        self._due += count

    async def pay(self) -> None:
        """Wait if a charge is due; cancelling leaves it paid."""
        if self._due >= CHARGE_BYTES:
            due, self._due = self._due, 0
            await self._wait(due)

    def end(self) -> None:
        """Charge what is left to those who come next; may be repeated."""
        due, self._due = self._due, 0
        if due:
            self._bucket.take(due)

    async def _wait(self, count: int) -> None:
        delay_s = self._bucket.take(count)
        if delay_s > 0.0:
            await asyncio.sleep(delay_s)
