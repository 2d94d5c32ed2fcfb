"""How many bulk requests at a time are good for one origin in one direction: learned from what comes of them. Pure.

Additive increase, multiplicative decrease. A limit starts low and doubles while each doubling brings at least a tenth
more (*slow start*); then it creeps up while throughput holds, steps down where more streams bring less or requests
fail, and is cut by three tenths when the peer or the path is congested. Decisions are made at the end of a request,
at most one in half a second, and only while the limit is what holds work back: a program that sends one file at a time
says nothing about what the service can take.

Where the event loop itself has no time left, more streams bring nothing and make every small call wait longer (over
loopback, 20 streams move less than 4, and a small call takes three times as long): then the limit does not grow, and
falls back to where it started.

Throughput counts a request as its bytes and 64 KiB, so that a thousand small files teach as much as one large one. A
step down forgets what was reached before it: measured against the past, a smaller limit would look like another loss
and fall to the bottom.
"""

from __future__ import annotations

import enum
from collections import deque
from typing import Final, NamedTuple

__all__ = ["AdaptiveLimit", "Moment", "Outcome"]

WINDOW_S: Final = 0.5
MIN_COMPLETIONS: Final = 3
"""Requests that must end in a window before it says anything; at least as many as may be in flight, or requests that
began together and end together would make one window rich and the next poor."""
MIN_EVIDENCE_BYTES: Final = 20_000_000
"""Bytes before the first change; below it the start of TCP is what is measured (xet waits for as much)."""
MIN_EVIDENCE_ROUNDS: Final = 4
"""Or as many requests for each one allowed: small files would take for ever to make up the bytes."""
REQUEST_BYTES: Final = 64 * 1024
RECENT_WINDOWS: Final = 16
LOW_WINDOWS: Final = 3
"""In a row with less than 85 % of the best, until a stream is given up."""
LOST_WINDOWS: Final = 8
"""In a row with less than 95 %: else streams that each cost a little would be added for ever, as the best is forgotten."""
BUSY: Final = 0.75
"""Share of its time the loop's thread computes; from here on more streams are no use."""
OVERLOADED: Final = 0.9
CUT: Final = 0.7
MIN_CUT_INTERVAL_S: Final = 1.0
SUCCESS_HALF_LIFE: Final = 8
_DURATIONS: Final = 32
_ALPHA: Final = 1.0 - 0.5 ** (1.0 / SUCCESS_HALF_LIFE)


class Outcome(enum.Enum):
    """How a bulk request ended, as far as congestion goes."""

    GOOD = "good"
    """Answered, be it with a refusal that has nothing to do with load."""
    FAILED = "failed"
    """The service broke (500, a malformed answer): fewer requests may help, but it is no sign of congestion."""
    CONGESTED = "congested"
    """Throttled (429, 503), refused a connection, reset, timed out."""


class Moment(NamedTuple):
    """A reading of two clocks.

    Attributes:
        now_s: Seconds, monotonic.
        cpu_s: Seconds the thread of the event loop has computed.
    """

    now_s: float
    cpu_s: float


class AdaptiveLimit:
    """A limit that learns.

    Args:
        start: Requests at a time to begin with.
        most: Never more than this.

    Attributes:
        value: Requests at a time that are allowed now; at least 1.
    """

    __slots__ = (
        "_best",
        "_bytes",
        "_completions",
        "_cut_at",
        "_durations",
        "_evidence_bytes",
        "_evidence_count",
        "_idle_since",
        "_last_gain",
        "_limit",
        "_lost_windows",
        "_low_windows",
        "_most",
        "_peak",
        "_since",
        "_slow_start",
        "_start",
        "_success",
        "value",
    )

    def __init__(self, start: int, most: int) -> None:
        self._most = max(1, most)
        self._start = self._limit = float(min(max(1, start), self._most))
        self.value = int(self._limit)
        self._slow_start = True
        self._success = 1.0
        self._best: deque[float] = deque(maxlen=RECENT_WINDOWS)
        self._last_gain = 0.0
        self._low_windows = self._lost_windows = 0
        self._cut_at = float("-inf")
        self._durations: deque[float] = deque(maxlen=_DURATIONS)
        self._evidence_bytes = self._evidence_count = 0
        self._since = self._idle_since = Moment(0.0, 0.0)
        self._bytes = self._completions = self._peak = 0

    def begin(self, in_flight: int, now: Moment) -> None:
        """Account for a request that begins; ``in_flight`` includes it."""
        if in_flight == 1:  # nothing was going on: that time is no part of any throughput
            since, idle = self._since, self._idle_since
            self._since = Moment(since.now_s + now.now_s - idle.now_s, since.cpu_s + now.cpu_s - idle.cpu_s)
        if in_flight > self._peak:
            self._peak = in_flight

    def moved(self, count: int) -> None:
        """Account for bytes that arrived at their end."""
        self._bytes += count

    def end(self, outcome: Outcome, in_flight: int, duration_s: float, now: Moment) -> None:
        """Account for a request that ends, and change the limit if that is due; ``in_flight`` still includes it."""
        self._success += _ALPHA * ((outcome is Outcome.GOOD) - self._success)
        self._durations.append(duration_s)
        self._completions += 1
        if outcome is Outcome.CONGESTED:
            self._cut(in_flight, now)
        elif now.now_s - self._since.now_s >= WINDOW_S and self._completions >= max(MIN_COMPLETIONS, self.value):
            self._close_window(in_flight, now)
        if in_flight == 1:
            self._idle_since = now

    def _open_window(self, now: Moment, in_flight: int) -> None:
        self._since = now
        self._bytes = self._completions = 0
        self._peak = in_flight

    def _close_window(self, in_flight: int, now: Moment) -> None:
        elapsed_s = now.now_s - self._since.now_s
        throughput = (self._bytes + REQUEST_BYTES * self._completions) / elapsed_s
        busy = (now.cpu_s - self._since.cpu_s) / elapsed_s
        self._evidence_bytes += self._bytes
        self._evidence_count += self._completions
        saturated = self._peak >= 0.9 * self.value
        self._open_window(now, in_flight)
        if saturated:
            self._learn(throughput, busy)

    def _learn(self, throughput: float, busy: float) -> None:
        best = max(self._best, default=0.0)
        self._best.append(throughput)
        self._low_windows = self._low_windows + 1 if throughput < 0.85 * best else 0
        self._lost_windows = self._lost_windows + 1 if throughput < 0.95 * best else 0
        if self._slow_start and self._low_windows:
            self._slow_start = False
            self._shrink(self._limit / 2.0)  # the last doubling did harm
        elif self._low_windows >= LOW_WINDOWS or self._lost_windows >= LOST_WINDOWS or self._success < 0.5:
            self._shrink(self._limit - 1.0)
        elif busy >= BUSY and self._limit >= self._start:
            self._slow_start = False
            if busy >= OVERLOADED and self._limit > self._start:
                self._shrink(max(self._start, self._limit - 1.0))
        elif self._success > 0.8 and throughput >= 0.95 * best and self._knows_enough():
            self._grow(throughput)

    def _knows_enough(self) -> bool:
        enough = MIN_EVIDENCE_ROUNDS * self.value
        return self._evidence_bytes >= MIN_EVIDENCE_BYTES or self._evidence_count >= enough

    def _grow(self, throughput: float) -> None:
        if self._slow_start and throughput < 1.1 * self._last_gain:
            self._slow_start = False
        self._last_gain = throughput
        self._set(self._limit * 2.0 if self._slow_start else self._limit + 1.0)

    def _cut(self, in_flight: int, now: Moment) -> None:
        """Fall at once, but once for a burst of failures that were all under way together."""
        typical_s = sorted(self._durations)[len(self._durations) // 2]
        if now.now_s - self._cut_at < max(MIN_CUT_INTERVAL_S, typical_s):
            return
        self._cut_at = now.now_s
        self._slow_start = False
        self._open_window(now, in_flight)
        self._shrink(self._limit * CUT)

    def _shrink(self, limit: float) -> None:
        self._best.clear()
        self._low_windows = self._lost_windows = 0
        self._set(limit)

    def _set(self, limit: float) -> None:
        self._limit = min(max(1.0, limit), float(self._most))
        self.value = int(self._limit)

    def __repr__(self) -> str:
        return f"<AdaptiveLimit {self.value} of {self._most}>"
