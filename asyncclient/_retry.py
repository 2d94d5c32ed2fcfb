"""Where it is decided whether a failed attempt is repeated, and after how long. Pure, but for :class:`Budget`.

An attempt ends in an answer or an error. :func:`classify` sorts the error by what may help, :func:`judge` adds the
policy, the count so far and the wait the service asked for. The loop that acts on the verdict is in ``_pipeline.py``.
"""

from __future__ import annotations

import enum
from typing import TYPE_CHECKING, Final, NamedTuple

from asyncclient.errors import (
    APIError,
    AsyncClientError,
    LocalProtocolError,
    RedirectRefused,
    ResponseTooLarge,
    TLSError,
    TooManyRedirects,
    TransportError,
    UnknownHost,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from asyncclient._messages import Headers
    from asyncclient.types import RetryPolicy

__all__ = ["Budget", "Kind", "Verdict", "classify", "judge", "parse_retry_after"]

_THROTTLE: Final = frozenset({429})
_SERVER: Final = frozenset({408, 425, 500, 502, 503, 504})
# A name or a certificate that is wrong, an answer over the limit, a header that cannot be written: the same every time.
_CERTAIN: Final = (UnknownHost, TLSError, ResponseTooLarge, LocalProtocolError, TooManyRedirects, RedirectRefused)


class Kind(enum.Enum):
    """What an error calls for."""

    FATAL = "fatal"
    """Trying again changes nothing, or could do the work twice."""
    TRANSPORT = "transport"
    SERVER = "server"
    THROTTLE = "throttle"
    """The service did not do the work and says so: safe to repeat for any method."""


class Verdict(NamedTuple):
    """Whether to go on.

    Attributes:
        delay_s: Seconds to wait before the next attempt; None to stop.
        kind: What the error was.
        reason: Why it stopped: ``fatal``, ``attempts``, ``budget`` or ``retry_after``; empty when it goes on.
    """

    delay_s: float | None
    kind: Kind
    reason: str = ""


def classify(error: AsyncClientError, *, repeatable: bool) -> Kind:
    """Sort an error.

    Args:
        error: What the attempt ended with.
        repeatable: Whether the request may be sent again although it may have been received and acted upon.
    """
    if isinstance(error, TransportError):
        if isinstance(error, _CERTAIN):
            return Kind.FATAL
        return Kind.TRANSPORT if repeatable or not error.request_sent else Kind.FATAL
    if isinstance(error, APIError):
        if error.status in _THROTTLE:
            return Kind.THROTTLE
        if error.status in _SERVER and repeatable:
            return Kind.SERVER
    return Kind.FATAL


def judge(
    error: AsyncClientError, kind: Kind, retries: Mapping[Kind, int], policy: RetryPolicy, *, draw: float
) -> Verdict:
    """Decide on the next attempt.

    Args:
        error: What the attempt ended with.
        kind: What :func:`classify` made of it.
        retries: How often each kind of error was already answered with another attempt in this call.
        policy: Counts, bases and caps.
        draw: A number drawn uniformly from [0, 1).
    """
    if kind is Kind.FATAL:
        return Verdict(None, kind, "fatal")
    used, allowed = _count(kind, retries, policy)
    if used >= allowed:
        return Verdict(None, kind, "attempts")
    delay_s = draw * _ceiling(kind, used, policy)
    asked = error.retry_after if isinstance(error, APIError) else None
    if asked is not None:
        if asked > policy.retry_after_cap_s:
            return Verdict(None, kind, "retry_after")
        # Up to a tenth more, so that all who were told the same second do not come back in it.
        delay_s = max(delay_s, asked * (1.0 + 0.1 * draw))
    return Verdict(delay_s, kind)


def _count(kind: Kind, retries: Mapping[Kind, int], policy: RetryPolicy) -> tuple[int, int]:
    """Return how many retries count against this one, and how many are allowed.

    One count for all, so that ``max_retries`` bounds the requests of a call whatever goes wrong; throttling has a
    count of its own where the policy gives it one.
    """
    throttled = retries.get(Kind.THROTTLE, 0)
    if policy.max_throttle_retries is None:
        return sum(retries.values()), policy.max_retries
    if kind is Kind.THROTTLE:
        return throttled, policy.max_throttle_retries
    return sum(retries.values()) - throttled, policy.max_retries


def _ceiling(kind: Kind, retries: int, policy: RetryPolicy) -> float:
    base = {
        Kind.TRANSPORT: policy.base_transport_s,
        Kind.SERVER: policy.base_server_s,
        Kind.THROTTLE: policy.base_throttle_s,
    }[kind]
    return min(policy.cap_s, base * 2.0 ** min(retries, 62))


def parse_retry_after(headers: Headers, *, now: float) -> float | None:
    """Read how long the service asks to wait.

    Args:
        headers: Of the answer, names in lower case.
        now: Seconds since the epoch, for the date form.

    Returns:
        Seconds, at least 0; None if nothing usable is said. ``retry-after-ms`` wins over ``retry-after``.
    """
    found = {name: value for name, value in headers if name in (b"retry-after", b"retry-after-ms")}
    milliseconds = _number(found.get(b"retry-after-ms"))
    if milliseconds is not None:
        return milliseconds / 1000.0
    text = found.get(b"retry-after")
    if text is None:
        return None
    seconds = _number(text)
    if seconds is not None:
        return seconds
    import datetime as dt  # with the next one a fifth of what loading the package takes, and dates are rare
    import email.utils

    try:
        when = email.utils.parsedate_to_datetime(text.decode("ascii"))
    except (ValueError, OverflowError):  # UnicodeDecodeError is a ValueError
        return None
    if when.tzinfo is None:  # asctime form, or "-0000": HTTP dates are in UTC, never in this machine's time
        when = when.replace(tzinfo=dt.UTC)
    return max(0.0, when.timestamp() - now)


def _number(text: bytes | None) -> float | None:
    if text is None:
        return None
    try:
        value = float(text)
    except ValueError:
        return None
    return value if 0.0 <= value < float("inf") else None


class Budget:
    """Tokens that repeated attempts cost, one bucket per origin.

    When a service is down, retries of every caller add up to a multiple of the normal load. Each retry takes tokens,
    each success gives some back; with an empty bucket errors are raised at once. Capacity and costs are those of
    botocore's standard mode (500; 14 for failures, 5 for throttling, 1 back per clean call).
    """

    CAPACITY: Final = 500.0
    _COST: Final = {Kind.TRANSPORT: 14.0, Kind.SERVER: 14.0, Kind.THROTTLE: 5.0}

    __slots__ = ("tokens",)

    def __init__(self) -> None:
        self.tokens = self.CAPACITY

    @property
    def full(self) -> bool:
        """Whether nothing is owed; a full budget is as good as a new one."""
        return self.tokens >= self.CAPACITY

    def take(self, kind: Kind) -> bool:
        """Pay for one retry; False when there is not enough left."""
        cost = self._COST[kind]
        if self.tokens < cost:
            return False
        self.tokens -= cost
        return True

    def give_back(self, kind: Kind | None) -> None:
        """Account for a success, after retries of ``kind`` or at the first attempt (None)."""
        if not self.full:
            self.tokens = min(self.CAPACITY, self.tokens + (1.0 if kind is None else self._COST[kind]))
