"""Deadlines of calls: what ``asyncio.timeout`` does, for a fraction of its cost.

Deadlines of one length come in the order in which they began, so they share one timer of the loop. It is set to the
first of them and looks again when it fires: a call that ends in time, as nearly all do, never touches the loop's heap.
"""

from __future__ import annotations

import asyncio
from contextvars import Context
from typing import Final

from asyncclient.errors import AsyncClientError

__all__ = ["Deadline", "Deadlines", "cause_of"]

_MANY: Final = 64
"""Timers of lengths that nobody uses any more are stopped beyond this many, and fire in vain below."""


class Deadline:
    """Cancels the task that began it when the time is up, once.

    Attributes:
        when: In seconds of the loop's clock.
        expired: The time was up before :meth:`end`.
    """

    __slots__ = ("_cancelling", "_running", "_task", "expired", "when")

    def __init__(self, running: dict[Deadline, None], task: asyncio.Task[object], when: float) -> None:
        self._running = running
        self._task = task
        self._cancelling = task.cancelling()
        self.when = when
        self.expired = False

    def expire(self) -> None:
        """Cancel the task."""
        self.expired = True
        self._task.cancel()

    def end(self, error: BaseException | None = None) -> bool:
        """Stop counting; to be called exactly once, however the work ended.

        Returns:
            Whether ``error``, with which it ended, is due to the deadline. A cancellation that somebody else asked for
            as well is theirs.
        """
        if not self.expired:
            del self._running[self]
            return False
        ours = self._task.uncancel() <= self._cancelling
        if isinstance(error, asyncio.CancelledError):
            return ours
        return isinstance(error, (AsyncClientError, TimeoutError))


class _Line:
    """Deadlines of one length, the first to come first."""

    __slots__ = ("length_s", "running", "timer")

    def __init__(self, length_s: float) -> None:
        self.length_s = length_s
        self.running: dict[Deadline, None] = {}
        self.timer: asyncio.TimerHandle | None = None


class Deadlines:
    """Those of one event loop."""

    __slots__ = ("_lines", "_sweep_at")

    def __init__(self) -> None:
        self._lines: dict[float, _Line] = {}
        self._sweep_at = _MANY

    def begin(self, length_s: float) -> Deadline:
        """Let the running task be cancelled after so many seconds, unless :meth:`Deadline.end` comes first.

        Raises:
            RuntimeError: There is no running task.
        """
        loop = asyncio.get_running_loop()
        task = asyncio.current_task(loop)
        if task is None:
            raise RuntimeError("a call with a deadline must run in a task")
        when = loop.time() + length_s
        line = self._lines.get(length_s)
        if line is None:
            line = self._add(length_s)
            self._start(line, when, loop)
        deadline = Deadline(line.running, task, when)
        line.running[deadline] = None
        return deadline

    def close(self) -> None:
        """Stop the timers that nobody needs; deadlines that still run keep theirs."""
        for line in [line for line in self._lines.values() if not line.running]:
            self._remove(line)

    def _add(self, length_s: float) -> _Line:
        if len(self._lines) >= self._sweep_at:
            self.close()
            self._sweep_at = max(_MANY, 2 * len(self._lines))
        line = self._lines[length_s] = _Line(length_s)
        return line

    def _remove(self, line: _Line) -> None:
        del self._lines[line.length_s]
        if line.timer is not None:
            line.timer.cancel()

    def _start(self, line: _Line, when: float, loop: asyncio.AbstractEventLoop) -> None:
        # In a context of its own: that of the call it happens to begin with would be kept alive by all that follow.
        line.timer = loop.call_at(when, self._fired, line, loop, context=Context())

    def _fired(self, line: _Line, loop: asyncio.AbstractEventLoop) -> None:
        line.timer = None
        now = loop.time()
        while line.running:
            first = next(iter(line.running))
            if first.when > now:
                self._start(line, first.when, loop)
                return
            del line.running[first]
            first.expire()
        self._remove(line)


def cause_of(error: BaseException) -> BaseException:
    """Return what :class:`~asyncclient.errors.DeadlineExceeded` comes from: for a cancellation, a ``TimeoutError``."""
    if not isinstance(error, asyncio.CancelledError):
        return error
    cause = TimeoutError()
    cause.__cause__ = error
    return cause
