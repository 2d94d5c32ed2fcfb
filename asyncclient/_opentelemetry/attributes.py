"""Names and values of attributes, for spans and metrics alike. Pure."""

from __future__ import annotations

from typing import Any, Final

from asyncclient import _events as e

__all__ = ["Attributes", "error_type", "host_of", "method_of", "of_target", "of_transfer", "with_error"]

Attributes = dict[str, Any]

# Of the conventions; any other method would be a dimension without bound.
_METHODS: Final = frozenset({"GET", "HEAD", "POST", "PUT", "DELETE", "CONNECT", "OPTIONS", "TRACE", "PATCH", "QUERY"})


def of_target(attempt: e.Attempt) -> Attributes:
    return {
        "http.request.method": method_of(attempt),
        "server.address": attempt.host,
        "server.port": attempt.port,
        "url.scheme": attempt.scheme,
    }


def method_of(attempt: e.Attempt) -> str:
    return attempt.method if attempt.method in _METHODS else "_OTHER"


def host_of(host: str) -> str:
    return f"[{host}]" if ":" in host else host


def of_transfer(transfer: e.Transfer) -> Attributes:
    return {"asyncclient.service": transfer.service, "asyncclient.transfer.direction": transfer.direction}


def error_type(event: e.AttemptFinished) -> str | None:
    if event.error is not None:
        return event.error
    return str(event.status) if event.status is not None and event.status >= 400 else None


def with_error(attributes: Attributes, error: str | None) -> Attributes:
    return attributes if error is None else {**attributes, "error.type": error}
