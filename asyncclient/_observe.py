"""What observers are told of one call, one attempt, one transfer; loaded when somebody wants to hear it."""

from __future__ import annotations

import time
from types import TracebackType
from typing import TYPE_CHECKING, Final

from asyncclient import _events as e
from asyncclient._messages import Request
from asyncclient._redact import HIDDEN_PATH, REDACTED

if TYPE_CHECKING:
    from asyncclient._messages import Headers
    from asyncclient._observers import Observers
    from asyncclient.errors import APIError, TransportError

__all__ = ["AttemptWatch", "CallWatch", "TransferWatch"]

_REQUEST_IDS: Final = frozenset(
    (b"x-request-id", b"x-amzn-requestid", b"x-amz-request-id", b"request-id", b"x-correlation-id")
)


class CallWatch:
    """Tells of one call. As a context manager it is the call's beginning and end.

    Args:
        observers: Whom to tell.
        call: The call.
    """

    __slots__ = ("_began_s", "_observers", "_requests", "attempt", "call", "status")

    def __init__(self, observers: Observers, call: e.Call) -> None:
        self._observers = observers
        self._began_s = time.perf_counter()
        self._requests = 0
        self.call = call
        self.status: int | None = None
        self.attempt: AttemptWatch | None = None

    def __enter__(self) -> None:
        self._observers.emit(e.CallStarted(self.call))

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        duration_s = time.perf_counter() - self._began_s
        error = None if kind is None else kind.__name__
        self._observers.emit(e.CallFinished(self.call, duration_s, self._requests, self.status, error))

    def begin(self, request: Request, signature: tuple[bytes, bytes] | None, *, own: bool) -> AttemptWatch:
        """Return what tells of the next attempt.

        Args:
            request: Without its signature.
            signature: The header that signs it.
            own: Whether it goes to the service itself.
        """
        self._requests += 1
        origin, body = request.origin, request.body
        attempt = e.Attempt(
            self.call,
            self._requests,
            request.method.decode("ascii", "replace"),
            origin.scheme,
            origin.host,
            origin.port,
            request.path if own else HIDDEN_PATH,
            0 if body is None else len(body) if isinstance(body, bytes) else body.length,
            own,
        )
        self.attempt = AttemptWatch(self, self._observers, attempt, request, signature)
        return self.attempt

    def admitted(self) -> None:
        """The attempt may begin: it has waited long enough."""
        if self.attempt is not None:
            self.attempt.admitted()

    def retry(self, error: APIError | TransportError, delay_s: float) -> None:
        """An attempt failed and is repeated."""
        self._observers.emit(e.RetryScheduled(self.call, self._requests, _reason(error), delay_s))

    def renewed(self) -> None:
        """The credentials were refused and are renewed."""
        self._observers.emit(e.CredentialsRefused(self.call))


class AttemptWatch:
    """Tells of one attempt. As a context manager it is the attempt's beginning and end.

    Attributes:
        request: What to send: the request, and the headers that observers added.
    """

    __slots__ = (
        "_admitted_s",
        "_attempt",
        "_began_s",
        "_call",
        "_ended_s",
        "_facts",
        "_observers",
        "_signature",
        "_streamed",
        "request",
    )

    def __init__(
        self,
        call: CallWatch,
        observers: Observers,
        attempt: e.Attempt,
        request: Request,
        signature: tuple[bytes, bytes] | None,
    ) -> None:
        self._call = call
        self._observers = observers
        self._attempt = attempt
        self._signature = signature
        self._began_s = time.perf_counter()
        self._admitted_s: float | None = None
        self._facts: tuple[int, int | None, str | None] | None = None
        self._streamed = False
        self._ended_s = 0.0
        self.request = request

    def admitted(self) -> None:
        """It has a connection's place; what came before was waiting."""
        self._admitted_s = time.perf_counter()

    def answered(self, status: int, headers: Headers, body: bytes | None) -> None:
        """It was answered; ``body`` is None where it is still on its way."""
        size, request_id, encoded = None, None, False
        for name, value in headers:
            if name == b"content-length" and value.isdigit():
                size = int(value)
            elif name == b"content-encoding":
                encoded = True
            elif name in _REQUEST_IDS and request_id is None:
                request_id = self._shown(value)
        if size is None and body is not None and not encoded:
            size = len(body)
        self._facts = status, size, request_id
        self._streamed = body is None
        self._call.status = status

    def _shown(self, value: bytes) -> str:
        """Return a request id as text, unless the service has put there what it was sent."""
        request, signature = self.request, self._signature
        values = [value for _, value in (*request.headers, *((signature,) if signature is not None else ()))]
        words = [value.rpartition(b" ")[2] for value in values]
        if any(word and word in value for word in words) or any(value in sent for sent in (*values, request.target)):
            return REDACTED.decode()
        return value[:128].decode("latin-1")

    def __enter__(self) -> AttemptWatch:
        attempt, request = self._attempt, self.request
        self._observers.emit(e.AttemptStarted(attempt))
        if attempt.own and attempt._headers:
            self.request = Request(
                request.method,
                request.origin,
                request.target,
                [*request.headers, *attempt._headers],
                request.body,
                idempotent=request.idempotent,
            )
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._ended_s = now = time.perf_counter()
        since = self._admitted_s if self._admitted_s is not None else now
        status, size, request_id = self._facts if self._facts is not None else (None, None, None)
        self._observers.emit(
            e.AttemptFinished(
                self._attempt,
                now - since,
                since - self._began_s,
                status,
                size,
                request_id,
                None if kind is None else kind.__name__,
                self._streamed,
            )
        )

    def body_finished(self, count: int, error: str | None, *, complete: bool) -> None:
        """So many bytes of a streamed body were read, and there will be no more."""
        duration_s = time.perf_counter() - self._ended_s
        self._observers.emit(e.BodyFinished(self._attempt, duration_s, count, complete, error))


class TransferWatch:
    """Tells of one transfer, and counts it.

    Args:
        observers: Whom to tell.
        transfer: The transfer.
        phase: What it begins with.

    Attributes:
        phase: What it does now.
        journal: Whether it keeps a journal.
    """

    __slots__ = ("_began_s", "_observers", "_transfer", "journal", "phase")

    def __init__(self, observers: Observers, transfer: e.Transfer, phase: str, *, journal: bool) -> None:
        self._observers = observers
        self._transfer = transfer
        self._began_s = time.perf_counter()
        self.phase = phase
        self.journal = journal

    def started(self) -> None:
        """It begins."""
        self._observers.transfers.running.add(self)
        self._observers.emit(e.TransferStarted(self._transfer))

    def begins(self, phase: str) -> None:
        """It does something else."""
        self.phase = phase
        self._observers.emit(e.TransferPhase(self._transfer, phase))

    def resumed(self, count: int) -> None:
        """It goes on after so many bytes."""
        self._observers.emit(e.TransferResumed(self._transfer, count))

    def retry(self, error: APIError | TransportError, delay_s: float) -> None:
        """What was on its way broke off, and is asked for again."""
        self._observers.emit(e.TransferRetry(self._transfer, _reason(error), delay_s))

    def restarted(self, reason: str) -> None:
        """What was moved before cannot be used."""
        self._observers.emit(e.TransferRestarted(self._transfer, reason))

    def finished(
        self, *, bytes_done: int, resumed_bytes: int, parts: int = 0, error: BaseException | None = None
    ) -> None:
        """It is done, or was given up; only the first time counts."""
        transfers = self._observers.transfers
        if self not in transfers.running:
            return
        transfers.running.discard(self)
        outcome = "done" if error is None else "failed" if isinstance(error, Exception) else "cancelled"
        transfers.ended[outcome] += 1
        self._observers.emit(
            e.TransferFinished(
                self._transfer,
                time.perf_counter() - self._began_s,
                bytes_done,
                resumed_bytes,
                parts,
                None if error is None else type(error).__name__,
            )
        )


def _reason(error: APIError | TransportError) -> str:
    status = getattr(error, "status", None)
    return type(error).__name__ if status is None else str(status)
