"""Small public values: ``UNSET``, limits, timeouts, retry policy, progress."""

from __future__ import annotations

import enum
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final, Literal

from asyncclient.errors import ArgumentError, ArgumentTypeError

if TYPE_CHECKING:
    from asyncclient._snapshots import HubStatistics, Progress

__all__ = ["UNSET", "HubStatistics", "Limits", "Progress", "RetryPolicy", "Timeouts", "Unset"]


class _UnsetType(enum.Enum):
    UNSET = b"UNSET"  # bytes: where it strays into a body or a list it is refused, not sent as a word

    def __repr__(self) -> str:
        return "UNSET"

    def __bool__(self) -> Literal[False]:
        return False


Unset = Literal[_UnsetType.UNSET]
"""The type of :data:`UNSET`, for annotations: ``str | None | Unset``."""

UNSET: Final = _UnsetType.UNSET
"""An argument that was not given, where that differs from ``None``. False in a boolean context."""


def _check_seconds(name: str, value: object, *, least: float | None = None) -> None:
    """Refuse what is no number of seconds: at least ``least``, or more than 0."""
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise ArgumentTypeError(f"{name} must be a number of seconds, not {type(value).__name__}", argument=name)
    if not (value > 0 if least is None else value >= least):  # put so that NaN is refused too
        wanted = "more than 0" if least is None else f"at least {least:g}"
        raise ArgumentError(f"{name} must be {wanted}, not {value!r}", argument=name)


def _check_count(name: str, value: object, *, least: int) -> None:
    if isinstance(value, bool) or not isinstance(value, int):
        raise ArgumentTypeError(f"{name} must be a whole number, not {type(value).__name__}", argument=name)
    if value < least:
        raise ArgumentError(f"{name} must be at least {least}, not {value!r}", argument=name)


def _check_bandwidth(value: object) -> None:
    pair = value if isinstance(value, tuple) else (value,)
    if len(pair) != 2 and isinstance(value, tuple):
        raise ArgumentError(f"max_bandwidth must be one number or (up, down), not {value!r}", argument="max_bandwidth")
    for rate in pair:
        if rate is None:
            continue
        if isinstance(rate, bool) or not isinstance(rate, (int, float)):
            wanted = "a number of bytes per second, (up, down) or None"
            raise ArgumentTypeError(
                f"max_bandwidth must be {wanted}, not {type(rate).__name__}", argument="max_bandwidth"
            )
        if not rate > 0:  # put so that NaN is refused too
            raise ArgumentError(f"max_bandwidth must be more than 0, not {rate!r}", argument="max_bandwidth")


@dataclass(frozen=True, slots=True)
class Timeouts:
    """How long to wait, in seconds; None waits for ever.

    Attributes:
        connect: For name lookup, TCP and TLS together.
        read: Between two pieces of an answer.
        write: Until the peer takes the next piece of a request.
        total: For a whole small call, waiting, retries and decoding included. Transfers have no total.
    """

    connect: float | None = 10.0
    read: float | None = 60.0
    write: float | None = 60.0
    total: float | None = 300.0

    def __post_init__(self) -> None:
        for name in ("connect", "read", "write", "total"):
            value = getattr(self, name)
            if value is not None:
                _check_seconds(name, value)

    @classmethod
    def of(cls, value: Any, default: Timeouts | None = None) -> Timeouts:
        """Convert what users give as ``timeout=``.

        Args:
            value: A :class:`Timeouts`; a number, the total in seconds (no single wait lasts longer); an
                ``httpx.Timeout``, which sets connect, read and write; or None, which never gives up.
            default: What is not said by ``value``.
        """
        base = default if default is not None else cls()
        if isinstance(value, cls):
            return value
        if value is None:
            return cls(None, None, None, None)
        if isinstance(value, (int, float)):
            _check_seconds("timeout", value)
            return replace(base, total=float(value))
        if all(hasattr(value, name) for name in ("connect", "read", "write")):  # httpx.Timeout, without importing it
            return cls(value.connect, value.read, value.write, base.total)
        raise ArgumentTypeError(
            f"timeout must be seconds, None, Timeouts or httpx.Timeout, not {type(value).__name__}", argument="timeout"
        )


@dataclass(frozen=True, slots=True)
class Limits:
    """What a hub may use at most.

    Attributes:
        max_connections: Connections at a time, over all origins; also the number of requests in flight.
        control_reserve: Of these, how many only small calls may use. Default: ``max(2, max_connections // 8)``.
        max_connections_per_origin: Requests in flight to one origin. Default: ``max_connections``. Where it is less,
            bulk transfers leave an eighth of it, at least one, to small calls.
        keepalive_expiry: Seconds an idle connection is kept.
        max_response_bytes: Size a decoded small answer may have. Downloads have no limit.
        max_bytes_in_flight: Memory for parts in flight. Default: ``min(256 MiB, RAM / 8)``.
        max_bandwidth: Bytes per second of all transfers together: a number for each direction, or ``(up, down)``, where
            None is no bound. Small calls are not counted. Default: None.
    """

    max_connections: int = 32
    control_reserve: int | None = None
    max_connections_per_origin: int | None = None
    keepalive_expiry: float | None = 30.0
    max_response_bytes: int = 256 * 1024 * 1024
    max_bytes_in_flight: int | None = None
    max_bandwidth: float | tuple[float | None, float | None] | None = None

    def __post_init__(self) -> None:
        for name in ("max_connections", "max_response_bytes", "max_connections_per_origin", "max_bytes_in_flight"):
            value = getattr(self, name)
            if value is not None or name in ("max_connections", "max_response_bytes"):
                _check_count(name, value, least=1)
        if self.keepalive_expiry is not None:
            _check_seconds("keepalive_expiry", self.keepalive_expiry, least=0)
        if self.control_reserve is not None:
            _check_count("control_reserve", self.control_reserve, least=0)
            if self.control_reserve >= self.max_connections:
                raise ArgumentError(
                    f"control_reserve must be less than max_connections, not {self.control_reserve!r}",
                    argument="control_reserve",
                )
        _check_bandwidth(self.max_bandwidth)

    @property
    def bandwidth(self) -> tuple[float | None, float | None]:
        """Bytes per second up and down; None is no bound."""
        both = self.max_bandwidth
        return both if isinstance(both, tuple) else (both, both)

    @property
    def reserve(self) -> int:
        """Connections that bulk transfers may not take."""
        if self.control_reserve is not None:
            return self.control_reserve
        return min(max(2, self.max_connections // 8), self.max_connections - 1)

    @property
    def reserve_per_origin(self) -> int:
        """Of the requests in flight to one origin, how many bulk transfers may not take."""
        per_origin = self.max_connections_per_origin
        if per_origin is None or per_origin >= self.max_connections:
            return 0  # the reserve of the whole hub does it
        return min(self.reserve, max(1, per_origin // 8), per_origin - 1)


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """How often and how long to try again.

    The wait before try n + 1 is drawn from ``[0, min(cap, base * 2**(n - 1))]`` (full jitter, as in "Exponential
    Backoff and Jitter", AWS Architecture Blog, 2015). A ``Retry-After`` of the service replaces it, if longer.

    Attributes:
        max_retries: Tries beyond the first in one call, whatever failed.
        max_throttle_retries: If given, tries after 429 answers are counted by themselves, up to this many.
        base_transport_s: Base after a broken connection.
        base_server_s: Base after a 5xx.
        base_throttle_s: Base after a 429.
        cap_s: Longest wait drawn.
        retry_after_cap_s: Longest ``Retry-After`` that is obeyed; beyond it the error is raised at once.
    """

    max_retries: int = 3
    max_throttle_retries: int | None = None
    base_transport_s: float = 0.1
    base_server_s: float = 0.5
    base_throttle_s: float = 1.0
    cap_s: float = 20.0
    retry_after_cap_s: float = 120.0

    def __post_init__(self) -> None:
        _check_count("max_retries", self.max_retries, least=0)
        if self.max_throttle_retries is not None:
            _check_count("max_throttle_retries", self.max_throttle_retries, least=0)
        for name in ("base_transport_s", "base_server_s", "base_throttle_s", "cap_s", "retry_after_cap_s"):
            _check_seconds(name, getattr(self, name), least=0)


def __getattr__(name: str) -> object:
    # Making a dataclass takes longer than loading most modules, and few programs look at these two.
    if name in ("HubStatistics", "Progress"):
        from asyncclient import _snapshots

        return getattr(_snapshots, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
