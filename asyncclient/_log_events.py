"""Events as log records; loaded when there is something to log."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from typing import Any, Final

from asyncclient import _events as e
from asyncclient._logging import logger_of

__all__ = ["log_event"]

_POOL: Final = logging.getLogger("asyncclient.pool")
_TRANSFERS: Final = logging.getLogger("asyncclient.transfers")


def log_event(event: e.Event) -> None:
    """Log an event, if it is worth a record at a level that is on."""
    write = _WRITERS.get(type(event))
    if write is not None:
        write(event)


def _call_finished(event: e.CallFinished) -> None:
    log = logger_of(event.call.service)
    if not log.isEnabledFor(logging.DEBUG):
        return
    facts = {
        **_call(event.call),
        "event": "call",
        "status": event.status,
        "attempts": event.attempts,
        "duration_ms": _ms(event.duration_s),
        "error": event.error,
    }
    end = event.error or event.status
    log.debug(
        "%s: %s after %.1f ms and %d attempts",
        event.call.operation,
        end,
        facts["duration_ms"],
        event.attempts,
        extra=facts,
    )


def _attempt_finished(event: e.AttemptFinished) -> None:
    attempt = event.attempt
    log = logger_of(attempt.call.service)
    if not log.isEnabledFor(logging.DEBUG):
        return
    facts = {
        **_call(attempt.call),
        "event": "attempt",
        "method": attempt.method,
        "host": attempt.host,
        "port": attempt.port,
        "path": attempt.path,
        "attempt": attempt.number,
        "status": event.status,
        "request_bytes": attempt.request_bytes,
        "response_bytes": event.response_bytes,
        "duration_ms": _ms(event.duration_s),
        "waited_ms": _ms(event.waited_s),
        "request_id": event.request_id,
        "error": event.error,
    }
    log.debug(
        "%s %s://%s:%d%s -> %s, %s bytes out, %s in, %.1f ms, attempt %d, request id %s",
        attempt.method,
        attempt.scheme,
        attempt.host,
        attempt.port,
        attempt.path,
        event.error or event.status,
        _known(attempt.request_bytes),
        _known(event.response_bytes),
        facts["duration_ms"],
        attempt.number,
        event.request_id or "none",
        extra=facts,
    )


def _body_finished(event: e.BodyFinished) -> None:
    attempt = event.attempt
    log = logger_of(attempt.call.service)
    if not log.isEnabledFor(logging.DEBUG):
        return
    facts = {
        **_call(attempt.call),
        "event": "body",
        "attempt": attempt.number,
        "moved_bytes": event.bytes,
        "duration_ms": _ms(event.duration_s),
        "complete": event.complete,
        "error": event.error,
    }
    end = event.error or ("read to its end" if event.complete else "closed before its end")
    log.debug(
        "%s: body of attempt %d: %s, %d bytes in %.1f ms",
        attempt.call.operation,
        attempt.number,
        end,
        event.bytes,
        facts["duration_ms"],
        extra=facts,
    )


def _retry_scheduled(event: e.RetryScheduled) -> None:
    facts = {
        **_call(event.call),
        "event": "retry",
        "attempt": event.attempt,
        "reason": event.reason,
        "delay_ms": _ms(event.delay_s),
    }
    logger_of(event.call.service).info(
        "%s: attempt %d ended with %s, the next in %.3f s",
        event.call.operation,
        event.attempt,
        event.reason,
        event.delay_s,
        extra=facts,
    )


def _credentials_refused(event: e.CredentialsRefused) -> None:
    logger_of(event.call.service).info(
        "%s: the credentials were refused and are renewed",
        event.call.operation,
        extra={**_call(event.call), "event": "credentials"},
    )


def _paused(event: e.Paused) -> None:
    facts = {"event": "pause", "service": event.service, "origin": event.origin, "delay_ms": _ms(event.delay_s)}
    _POOL.info("%s asks to be left alone: transfers pause for %.1f s", event.origin, event.delay_s, extra=facts)


def _retry_budget_spent(event: e.RetryBudgetSpent) -> None:
    facts = {"event": "retry-budget", "service": event.service, "origin": event.origin}
    _POOL.warning("too many requests to %s fail: errors are raised without another attempt", event.origin, extra=facts)


def _transfer_started(event: e.TransferStarted) -> None:
    _transfer_log(logging.DEBUG, "transfer-started", event.transfer, "begins", {})


def _transfer_phase(event: e.TransferPhase) -> None:
    _transfer_log(logging.DEBUG, "transfer-phase", event.transfer, event.phase, {"phase": event.phase})


def _transfer_resumed(event: e.TransferResumed) -> None:
    words = f"goes on after {event.bytes} bytes"
    _transfer_log(logging.INFO, "transfer-resumed", event.transfer, words, {"resumed_bytes": event.bytes})


def _transfer_retry(event: e.TransferRetry) -> None:
    words = f"broke off with {event.reason}, goes on in {event.delay_s:.3f} s"
    facts = {"reason": event.reason, "delay_ms": _ms(event.delay_s)}
    _transfer_log(logging.INFO, "transfer-retry", event.transfer, words, facts)


def _transfer_restarted(event: e.TransferRestarted) -> None:
    words = f"begins anew ({event.reason})"
    _transfer_log(logging.WARNING, "transfer-restarted", event.transfer, words, {"reason": event.reason})


def _transfer_finished(event: e.TransferFinished) -> None:
    facts = {
        "duration_ms": _ms(event.duration_s),
        "moved_bytes": event.bytes,
        "resumed_bytes": event.resumed_bytes,
        "parts": event.parts,
        "error": event.error,
    }
    words = f"{event.error or 'done'}: {event.bytes} bytes in {event.duration_s:.3f} s"
    _transfer_log(logging.DEBUG, "transfer-finished", event.transfer, words, facts)


def _transfer_log(level: int, event: str, transfer: e.Transfer, words: str, facts: dict[str, Any]) -> None:
    if _TRANSFERS.isEnabledFor(level):
        extra = {
            "event": event,
            "service": transfer.service,
            "transfer": transfer.id,
            "direction": transfer.direction,
            "file": transfer.name,
            **facts,
        }
        _TRANSFERS.log(level, "%s %s (%s): %s", transfer.direction, transfer.id, transfer.name, words, extra=extra)


def _call(call: e.Call) -> dict[str, Any]:
    return {"service": call.service, "operation": call.operation, "lane": call.lane}


def _ms(seconds: float) -> float:
    return round(seconds * 1000.0, 3)


def _known(size: int | None) -> int | str:
    return "?" if size is None else size


_WRITERS: Final[Mapping[type, Callable[[Any], None]]] = {
    e.CallFinished: _call_finished,
    e.AttemptFinished: _attempt_finished,
    e.BodyFinished: _body_finished,
    e.RetryScheduled: _retry_scheduled,
    e.CredentialsRefused: _credentials_refused,
    e.Paused: _paused,
    e.RetryBudgetSpent: _retry_budget_spent,
    e.TransferStarted: _transfer_started,
    e.TransferPhase: _transfer_phase,
    e.TransferResumed: _transfer_resumed,
    e.TransferRetry: _transfer_retry,
    e.TransferRestarted: _transfer_restarted,
    e.TransferFinished: _transfer_finished,
}
