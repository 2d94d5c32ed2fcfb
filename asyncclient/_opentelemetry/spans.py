"""Events as spans."""

from __future__ import annotations

import weakref
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Final

from asyncclient import _events as e
from asyncclient._opentelemetry.attributes import Attributes, error_type, host_of, method_of, of_target, of_transfer

if TYPE_CHECKING:
    from contextvars import Token

    from opentelemetry.context import Context
    from opentelemetry.trace import Span

__all__ = ["CallSpans", "TransferSpans"]

_WORD: Final = {"up": "upload file", "down": "download file"}


class CallSpans:
    """Spans of calls and of their attempts."""

    def __init__(self, tracer: Any, *, propagate: bool) -> None:
        self._tracer = tracer
        self._propagate = propagate
        self._calls: weakref.WeakKeyDictionary[e.Call, _Open] = weakref.WeakKeyDictionary()
        self._attempts: weakref.WeakKeyDictionary[e.Attempt, _Open] = weakref.WeakKeyDictionary()
        self.handlers: Mapping[type, Callable[[Any], None]] = {
            e.CallStarted: self._call_started,
            e.CallFinished: self._call_finished,
            e.AttemptStarted: self._attempt_started,
            e.AttemptFinished: self._attempt_finished,
            e.BodyFinished: self._body_finished,
            e.RetryScheduled: self._retry_scheduled,
            e.CredentialsRefused: self._credentials_refused,
        }

    def _call_started(self, event: e.CallStarted) -> None:
        call = event.call
        attributes = {
            "asyncclient.service": call.service,
            "asyncclient.operation": call.operation,
            "asyncclient.lane": call.lane,
        }
        self._calls[call] = _Open(self._tracer.start_span(call.operation, attributes=attributes))

    def _call_finished(self, event: e.CallFinished) -> None:
        opened = self._calls.pop(event.call, None)
        if opened is not None:
            opened.span.set_attribute("asyncclient.attempts", event.attempts)
            opened.end(event.error)

    def _attempt_started(self, event: e.AttemptStarted) -> None:
        from opentelemetry.trace import SpanKind

        attempt = event.attempt
        attributes = {
            **of_target(attempt),
            "url.full": f"{attempt.scheme}://{host_of(attempt.host)}:{attempt.port}{attempt.path}",
            "asyncclient.service": attempt.call.service,
        }
        if attempt.number > 1:
            attributes["http.request.resend_count"] = attempt.number - 1
        if attempt.request_bytes is not None:
            attributes["http.request.body.size"] = attempt.request_bytes
        opened = _Open(self._tracer.start_span(method_of(attempt), kind=SpanKind.CLIENT, attributes=attributes))
        self._attempts[attempt] = opened
        if self._propagate and attempt.own:
            _propagate(opened, attempt)

    def _attempt_finished(self, event: e.AttemptFinished) -> None:
        opened = self._attempts.get(event.attempt)
        if opened is None:
            return
        span = opened.span
        if event.status is not None:
            span.set_attribute("http.response.status_code", event.status)
        if event.response_bytes is not None:
            span.set_attribute("http.response.body.size", event.response_bytes)
        if event.request_id is not None:
            span.set_attribute("asyncclient.request_id", event.request_id)
        span.set_attribute("asyncclient.waited", event.waited_s)
        if event.streamed:
            opened.leave()  # what the program does while it reads the body is no part of the request
            span.add_event("head")
            return
        del self._attempts[event.attempt]
        opened.end(error_type(event))

    def _body_finished(self, event: e.BodyFinished) -> None:
        opened = self._attempts.pop(event.attempt, None)
        if opened is not None:
            opened.span.set_attribute("asyncclient.response.bytes", event.bytes)
            opened.span.set_attribute("asyncclient.response.complete", event.complete)
            opened.end(event.error)

    def _retry_scheduled(self, event: e.RetryScheduled) -> None:
        attributes = {"asyncclient.reason": event.reason, "asyncclient.delay": event.delay_s}
        self._add_event(event.call, "retry", attributes)

    def _credentials_refused(self, event: e.CredentialsRefused) -> None:
        self._add_event(event.call, "credentials renewed", {})

    def _add_event(self, call: e.Call, name: str, attributes: Attributes) -> None:
        opened = self._calls.get(call)
        if opened is not None:
            opened.span.add_event(name, attributes)


class TransferSpans:
    """Spans of transfers; calls they make are their children."""

    def __init__(self, tracer: Any) -> None:
        self._tracer = tracer
        self._open: weakref.WeakKeyDictionary[e.Transfer, _Open] = weakref.WeakKeyDictionary()
        self.handlers: Mapping[type, Callable[[Any], None]] = {
            e.TransferStarted: self._started,
            e.TransferPhase: self._phase,
            e.TransferResumed: self._resumed,
            e.TransferRetry: self._retry,
            e.TransferRestarted: self._restarted,
            e.TransferFinished: self._finished,
        }

    def _started(self, event: e.TransferStarted) -> None:
        transfer = event.transfer
        attributes = {
            **of_transfer(transfer),
            "asyncclient.transfer.id": transfer.id,
            "asyncclient.transfer.name": transfer.name or "",
        }
        self._open[transfer] = _Open(
            self._tracer.start_span(_WORD.get(transfer.direction, "transfer file"), attributes=attributes)
        )

    def _phase(self, event: e.TransferPhase) -> None:
        self._add_event(event.transfer, event.phase, {})

    def _resumed(self, event: e.TransferResumed) -> None:
        self._add_event(event.transfer, "resumed", {"asyncclient.transfer.resumed": event.bytes})

    def _retry(self, event: e.TransferRetry) -> None:
        attributes = {"asyncclient.reason": event.reason, "asyncclient.delay": event.delay_s}
        self._add_event(event.transfer, "retry", attributes)

    def _restarted(self, event: e.TransferRestarted) -> None:
        self._add_event(event.transfer, "restarted", {"asyncclient.reason": event.reason})

    def _add_event(self, transfer: e.Transfer, name: str, attributes: Attributes) -> None:
        opened = self._open.get(transfer)
        if opened is not None:
            opened.span.add_event(name, attributes)

    def _finished(self, event: e.TransferFinished) -> None:
        opened = self._open.pop(event.transfer, None)
        if opened is not None:
            opened.span.set_attribute("asyncclient.transfer.bytes", event.bytes)
            opened.span.set_attribute("asyncclient.transfer.resumed", event.resumed_bytes)
            opened.span.set_attribute("asyncclient.transfer.parts", event.parts)
            opened.end(event.error)


class _Open:
    """A span that is the current one where it was started, until it is left or ends."""

    __slots__ = ("_token", "context", "span")

    def __init__(self, span: Span) -> None:
        from opentelemetry import context, trace

        self.span = span
        self.context: Context = trace.set_span_in_context(span)
        self._token: Token[Context] | None = context.attach(self.context)

    def leave(self) -> None:
        """Make what was current before it current again; it goes on."""
        from opentelemetry import context

        token, self._token = self._token, None
        # A coroutine that is thrown away is finished in the context of whoever does so, which is not ours to change.
        if token is not None and context.get_current() is self.context:
            context.detach(token)

    def end(self, error: str | None) -> None:
        """End it, with the kind of its error."""
        from opentelemetry.trace import Status, StatusCode

        if error is not None:
            self.span.set_attribute("error.type", error)
            self.span.set_status(Status(StatusCode.ERROR))
        self.span.end()
        self.leave()


def _propagate(opened: _Open, attempt: e.Attempt) -> None:
    """Send the ids of the span along, and nothing else: baggage is the program's, not the service's."""
    from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

    carrier: dict[str, str] = {}
    TraceContextTextMapPropagator().inject(carrier, opened.context)
    for name, value in carrier.items():
        attempt.add_header(name, value)
