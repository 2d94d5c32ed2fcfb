"""The service's exception under its official name. Pure."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, Final

from asyncclient import errors
from asyncclient._failure import class_of, error_of, phrase
from asyncclient._retry import Kind, classify

if TYPE_CHECKING:
    from asyncclient._messages import Request
    from asyncclient._pipeline import Answer

__all__ = ["ApiException", "FeatureRefused", "InvalidKey", "LoginNeeded", "NotADevice"]


class ApiException(errors.APIError):
    """The service refuses.

    What the service said is in ``status``, ``reason`` (its message; None if its JSON has none; the standard phrase if
    it sent no JSON), ``detail``, ``body`` (text, None if it is not UTF-8) and ``headers``.
    """

    reason: str | None = None
    detail: Any = None
    headers: dict[str, str]

    def __str__(self) -> str:
        text = f"({self.status}) Reason: {self.reason}"
        return text if not self.detail else f"{text}\nDetail: {self.detail}"


class BadRequest(ApiException, errors.BadRequest):
    """400 or 422."""


class Unauthorized(ApiException, errors.Unauthorized):
    """401."""


class Forbidden(ApiException, errors.Forbidden):
    """403."""


class NotFound(ApiException, errors.NotFound):
    """404 or 410."""


class Conflict(ApiException, errors.Conflict):
    """409 or 412."""


class TooManyRequests(ApiException, errors.TooManyRequests):
    """429, after all retries."""


class ServerError(ApiException, errors.ServerError):
    """5xx, after all retries."""


class InvalidKey(errors.ConfigurationError):
    """The API key cannot be read; its text is not repeated."""


class LoginNeeded(errors.ConfigurationError):
    """There is no API key: none was given, and nobody has logged in with the command line."""


class NotADevice(errors.ConfigurationError, RuntimeError):
    """A drone login was tried with a secret that belongs to no device."""


class FeatureRefused(errors.ArgumentError, NotImplementedError):
    """A feature that changes the form of answers, and is not for single calls."""


_OWN: Final[dict[type[errors.APIError], type[ApiException]]] = {
    errors.BadRequest: BadRequest,
    errors.Unauthorized: Unauthorized,
    errors.Forbidden: Forbidden,
    errors.NotFound: NotFound,
    errors.Conflict: Conflict,
    errors.TooManyRequests: TooManyRequests,
    errors.ServerError: ServerError,
}


def refusal(request: Request, answer: Answer) -> ApiException:
    """Make the exception of an answer."""
    error = error_of(request, answer, now=time.time(), kind=_OWN.get(class_of(answer.status), ApiException))
    assert isinstance(error, ApiException)
    decoded = error.body
    if isinstance(decoded, dict):
        reason = decoded.get("message")
        error.reason = str(reason) if reason is not None else None
        error.detail = decoded.get("detail")
    else:
        error.reason = phrase(answer.status)
    error.body = _text(answer.body)
    error.headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in answer.headers}
    return error


def _text(body: bytes) -> str | None:
    try:
        return body.decode("utf-8")
    except UnicodeDecodeError:
        return None


_PASSING: Final = frozenset({502, 503, 504})


def retry_kind(error: errors.AsyncClientError, *, repeatable: bool) -> Kind:
    """Sort an error: 502, 503, 504 may pass; 429, and a 413 that names a wait, mean that nothing was done."""
    if isinstance(error, errors.APIError):
        if error.status == 429 or (error.status == 413 and error.retry_after is not None):
            return Kind.THROTTLE
        return Kind.SERVER if error.status in _PASSING and repeatable else Kind.FATAL
    return classify(error, repeatable=repeatable)
