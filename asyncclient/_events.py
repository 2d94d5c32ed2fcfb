"""What an observer of a hub is told: facts about calls, attempts and transfers, never what was said on the wire.

No event holds a header, a query, a body or the text of an error: what is not there cannot leak.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol, TypeAlias

if TYPE_CHECKING:
    from asyncclient.types import HubStatistics

__all__ = [
    "Attempt",
    "AttemptFinished",
    "AttemptStarted",
    "BodyFinished",
    "Call",
    "CallFinished",
    "CallStarted",
    "CredentialsRefused",
    "Event",
    "HubOpened",
    "HubShut",
    "Observer",
    "Paused",
    "RetryBudgetSpent",
    "RetryScheduled",
    "Transfer",
    "TransferFinished",
    "TransferPhase",
    "TransferRestarted",
    "TransferResumed",
    "TransferRetry",
    "TransferStarted",
]


@dataclass(frozen=True, slots=True, eq=False, weakref_slot=True)
class Call:
    """One call of a client: a request, what repeats it, and the redirects it is sent through.

    Attributes:
        service: ``las``, ``lfview``, ``voxel51``, ``flywheel`` or ``sticky_pi``.
        operation: Name of the operation.
        lane: ``control`` for small calls, ``bulk`` for file content.
    """

    service: str
    operation: str
    lane: str


@dataclass(frozen=True, slots=True, eq=False, weakref_slot=True)
class Attempt:
    """One request of a call.

    Attributes:
        call: The call.
        number: From 1; redirects count as well.
        method: HTTP method.
        scheme: ``http`` or ``https``.
        host: Host name or address.
        port: TCP port.
        path: Path, percent-encoded, without the query; ``/[redacted]`` where the address may be a permission by itself,
            that is, anywhere but at the service.
        request_bytes: Size of the body, or None if unknown.
        own: Whether it goes to the service itself, which gets the client's credentials, and not to a store.
    """

    call: Call
    number: int
    method: str
    scheme: str
    host: str
    port: int
    path: str
    request_bytes: int | None
    own: bool
    _headers: list[tuple[bytes, bytes]] = field(default_factory=list, repr=False)

    def add_header(self, name: str, value: str) -> bool:
        """Send one more header with this attempt, such as ``traceparent``; while ``AttemptStarted`` is observed.

        Returns:
            False where it is not sent: a store gets none, as the signature of its URL may be of the headers, too.
        """
        if self.own:
            self._headers.append((name.lower().encode("ascii"), value.encode("latin-1")))
        return self.own


@dataclass(frozen=True, slots=True, eq=False, weakref_slot=True)
class Transfer:
    """One file on its way.

    Attributes:
        id: Of the job; the same when it is resumed.
        service: Name of the service.
        direction: ``up`` or ``down``.
        name: File name, or None.
    """

    id: str
    service: str
    direction: str
    name: str | None


@dataclass(frozen=True, slots=True)
class CallStarted:
    """A call began."""

    call: Call


@dataclass(frozen=True, slots=True)
class CallFinished:
    """A call ended.

    Attributes:
        call: The call.
        duration_s: Waiting and retries included.
        attempts: Requests sent for it.
        status: Of the last answer, or None if there was none.
        error: Name of the exception it ended with, or None.
    """

    call: Call
    duration_s: float
    attempts: int
    status: int | None
    error: str | None


@dataclass(frozen=True, slots=True)
class AttemptStarted:
    """An attempt began; it may wait for a connection first."""

    attempt: Attempt


@dataclass(frozen=True, slots=True)
class AttemptFinished:
    """An attempt was answered or broke off; of a stream, its head has arrived.

    Attributes:
        attempt: The attempt.
        duration_s: From when it was let on a connection.
        waited_s: Before that.
        status: Of the answer, or None.
        response_bytes: Size of its body as sent, or None if unknown.
        request_id: The answer's request-id header, or None.
        error: Name of the exception, or None. A refusal is an answer, not an error.
        streamed: Whether the body is still on its way; ``BodyFinished`` follows.
    """

    attempt: Attempt
    duration_s: float
    waited_s: float
    status: int | None
    response_bytes: int | None
    request_id: str | None
    error: str | None
    streamed: bool = False


@dataclass(frozen=True, slots=True)
class BodyFinished:
    """The body of a streamed answer was read to its end, broke off, or was given up.

    Attributes:
        attempt: The attempt that was answered with it.
        duration_s: From when the head of the answer had arrived.
        bytes: Read so far, as sent.
        complete: Whether its end was reached.
        error: Name of the exception that reading ended with, or None. A stream that is closed early has none.
    """

    attempt: Attempt
    duration_s: float
    bytes: int
    complete: bool
    error: str | None


@dataclass(frozen=True, slots=True)
class RetryScheduled:
    """An attempt failed and is repeated.

    Attributes:
        call: The call.
        attempt: Number of the one that failed.
        reason: A status, or the name of an exception.
        delay_s: Until the next one.
    """

    call: Call
    attempt: int
    reason: str
    delay_s: float


@dataclass(frozen=True, slots=True)
class CredentialsRefused:
    """A call was answered with 401; its credentials are renewed, and it is sent again."""

    call: Call


@dataclass(frozen=True, slots=True)
class Paused:
    """A service asked to be left alone: no bulk work begins there for a while.

    Attributes:
        service: Whose client was told.
        origin: ``scheme://host:port``.
        delay_s: For how long.
    """

    service: str
    origin: str
    delay_s: float


@dataclass(frozen=True, slots=True)
class RetryBudgetSpent:
    """So many requests to an origin fail that errors are raised at once.

    Attributes:
        service: Whose client was told.
        origin: ``scheme://host:port``.
    """

    service: str
    origin: str


@dataclass(frozen=True, slots=True)
class TransferStarted:
    """A transfer began."""

    transfer: Transfer


@dataclass(frozen=True, slots=True)
class TransferPhase:
    """A transfer does something else now: ``hashing``, ``sending``, ``receiving`` or ``verifying``."""

    transfer: Transfer
    phase: str


@dataclass(frozen=True, slots=True)
class TransferResumed:
    """A transfer goes on where an earlier call stopped.

    Attributes:
        transfer: The transfer.
        bytes: Moved by the earlier call.
    """

    transfer: Transfer
    bytes: int


@dataclass(frozen=True, slots=True)
class TransferRetry:
    """Content broke off on its way, and is asked for again from where it broke off.

    Attributes:
        transfer: The transfer.
        reason: A status, or the name of an exception.
        delay_s: Until then.
    """

    transfer: Transfer
    reason: str
    delay_s: float


@dataclass(frozen=True, slots=True)
class TransferRestarted:
    """What an earlier call or attempt moved cannot be used.

    Attributes:
        transfer: The transfer.
        reason: ``source_changed``, ``remote_changed``, ``session_expired`` or ``digest_mismatch``.
    """

    transfer: Transfer
    reason: str


@dataclass(frozen=True, slots=True)
class TransferFinished:
    """A transfer ended.

    Attributes:
        transfer: The transfer.
        duration_s: Of this call.
        bytes: Confirmed by the other side or written, those of earlier calls included.
        resumed_bytes: Of these, moved by earlier calls.
        parts: Requests the content was cut into; 0 if it failed.
        error: Name of the exception it ended with, or None.
    """

    transfer: Transfer
    duration_s: float
    bytes: int
    resumed_bytes: int
    parts: int
    error: str | None


@dataclass(frozen=True, slots=True)
class HubOpened:
    """A hub was used for the first time.

    Attributes:
        statistics: Of the hub; may be called in any thread.
    """

    statistics: Callable[[], HubStatistics]


@dataclass(frozen=True, slots=True)
class HubShut:
    """A hub was closed; ``statistics`` equals that of :class:`HubOpened`."""

    statistics: Callable[[], HubStatistics]


Event: TypeAlias = (
    CallStarted
    | CallFinished
    | AttemptStarted
    | AttemptFinished
    | BodyFinished
    | RetryScheduled
    | CredentialsRefused
    | Paused
    | RetryBudgetSpent
    | TransferStarted
    | TransferPhase
    | TransferResumed
    | TransferRetry
    | TransferRestarted
    | TransferFinished
    | HubOpened
    | HubShut
)


class Observer(Protocol):
    """Is told what a hub does, as it happens."""

    def on_event(self, event: Event) -> None:
        """Take note of an event; must neither block nor wait.

        Called on the event loop, in the task and the context of whoever made the call. What it raises is logged once, and
        changes nothing. Later versions may bring further events: pass over those you do not know.
        """
        ...
