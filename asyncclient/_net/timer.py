"""A deadline that moves all the time and almost never comes."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable

__all__ = ["DeadlineTimer"]


class DeadlineTimer:
    """Calls back when a deadline has passed that was not moved in time.

    Moving it costs a look at the clock: the timer of the loop is left alone, and when it fires and the deadline has
    moved, it is set again. A request of a millisecond so never touches the loop's heap of timers.
    """

    __slots__ = ("_callback", "_handle", "_loop", "_when", "deadline")

    def __init__(self, loop: asyncio.AbstractEventLoop, callback: Callable[[], None]) -> None:
        self.deadline = math.inf
        self._loop = loop
        self._callback = callback
        self._handle: asyncio.TimerHandle | None = None
        self._when = 0.0

    def arm(self, delay_s: float | None) -> None:
        """Move the deadline to that many seconds from now; None for never."""
        if delay_s is None:
            self.deadline = math.inf
            return
        deadline = self.deadline = self._loop.time() + delay_s
        if self._handle is None:
            self._start(deadline)
        elif deadline < self._when:
            self._handle.cancel()
            self._start(deadline)

    def cancel(self) -> None:
        """Never call back again, and let go of whom there was to call."""
        if self._handle is not None:
            self._handle.cancel()
            self._handle = None
        self._callback = _nobody

    def _start(self, when: float) -> None:
        self._handle = self._loop.call_at(when, self._fired)
        self._when = when

    def _fired(self) -> None:
        self._handle = None
        if self.deadline <= self._loop.time():
            self._callback()
        elif self.deadline < math.inf:
            self._start(self.deadline)


def _nobody() -> None:
    """Stand in for a callback that is no longer wanted."""
