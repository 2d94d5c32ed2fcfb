"""The service's exceptions under their official names, and which answer becomes which. Pure."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, Final

from asyncclient import errors
from asyncclient._failure import class_of, error_of, facts_of
from asyncclient._retry import Kind, classify
from asyncclient.errors import EmptyRequestError

if TYPE_CHECKING:
    from asyncclient._messages import Request
    from asyncclient._pipeline import Answer

__all__ = [
    "BadRequest",
    "ClientException",
    "EmptyRequestError",
    "FileFormatException",
    "InvalidCredentialsException",
    "LimitExceededException",
    "MissingCredentials",
    "NotFound",
    "TooManyRequestsException",
]


class ClientException(errors.AsyncClientError):
    """Base of the service's own refusals."""


class InvalidCredentialsException(ClientException, errors.Forbidden):
    """403 ``Forbidden``, or the token endpoint refused the credentials."""


class TooManyRequestsException(ClientException, errors.TooManyRequests):
    """429 ``Too Many Requests``: the limit per second, after all retries."""


class LimitExceededException(ClientException, errors.TooManyRequests):
    """429 ``Limit Exceeded``: the quota per month; repeating is no use."""


class BadRequest(ClientException, errors.BadRequest):
    """400, with the service's reason as message."""


class NotFound(ClientException, errors.NotFound):
    """404, with the service's reason as message."""


class FileFormatException(ClientException, errors.ArgumentError):
    """The type of a file cannot be told, and none was given."""


class MissingCredentials(errors.ConfigurationError):
    """No usable credentials were found; the cause is attached."""


_FIXED: Final[dict[type[errors.APIError], str]] = {
    InvalidCredentialsException: "Credentials provided are not valid.",
    TooManyRequestsException: "You have reached the limit of requests per second.",
    LimitExceededException: "You have reached the limit of total requests per month.",
}


def refusal(request: Request, answer: Answer) -> errors.APIError:
    """Make the exception of an answer.

    The service marks some refusals by a value anywhere at the top level of the body, compared exactly.
    """
    body, message = facts_of(answer)
    kind = _kind(answer.status, body)
    error = error_of(request, answer, now=time.time(), kind=kind)
    if kind in _FIXED:
        text = _FIXED[kind]
    elif issubclass(kind, ClientException):
        own = body.get("message") if isinstance(body, dict) else None
        text = own if isinstance(own, str) else answer.body.decode("utf-8", "replace")[:2000] or message or str(error)
    else:
        return error
    error.args, error.message = (text,), text
    return error


def _kind(status: int, body: Any) -> type[errors.APIError]:
    values = list(body.values()) if isinstance(body, dict) else []
    if status == 400:
        return BadRequest
    if status == 404:
        return NotFound
    if status == 403 and "Forbidden" in values:
        return InvalidCredentialsException
    if status == 429 and "Too Many Requests" in values:
        return TooManyRequestsException
    if status == 429 and "Limit Exceeded" in values:
        return LimitExceededException
    return class_of(status)


def retry_kind(error: errors.AsyncClientError, *, repeatable: bool) -> Kind:
    """Sort an error: every 5xx may pass, a 429 only where the service means its limit per second or names a wait."""
    if isinstance(error, errors.TooManyRequests):
        if isinstance(error, LimitExceededException):
            return Kind.FATAL
        waits = isinstance(error, TooManyRequestsException) or error.retry_after is not None
        return Kind.THROTTLE if waits else Kind.FATAL
    if isinstance(error, errors.APIError):
        return Kind.SERVER if error.status >= 500 and repeatable else Kind.FATAL
    return classify(error, repeatable=repeatable)
