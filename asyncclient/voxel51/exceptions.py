"""The platform's exceptions under their official names, and which answer becomes which. Pure."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, Final

from asyncclient import errors
from asyncclient._failure import error_of, facts_of, phrase

if TYPE_CHECKING:
    from asyncclient._messages import Request
    from asyncclient._pipeline import Answer

__all__ = [
    "APIError",
    "AnalyticNotFound",
    "ApplicationAPIError",
    "ApplicationTokenError",
    "InvalidArguments",
    "JobExecutionError",
    "JobTimeout",
    "RemoteDataPathError",
    "TokenError",
    "application_refusal",
    "refusal",
]

HELP: Final = (
    "See https://voxel51.com/docs/api/?python#authentication for more information about activating an API token."
)


class APIError(errors.APIError):
    """The platform refused; the text is ``"<status>: <reason>"``.

    Attributes:
        status: HTTP status.
        code: The code in the body of the answer, or None.
        message: The platform's reason without the status.
    """

    def __init__(self, message: str = "", code: int = 0, *, status: int = 0, **facts: Any) -> None:
        given = facts.pop("error_code", None)
        super().__init__(message, status=status or int(code), code=given, **facts)
        self.args = (f"{self.status}: {message}",)


class ApplicationAPIError(APIError):
    """The platform refused one of the requests that only applications make."""


class BadRequest(APIError, errors.BadRequest):
    """400 or 422."""


class Unauthorized(APIError, errors.Unauthorized):
    """401."""


class Forbidden(APIError, errors.Forbidden):
    """403."""


class NotFound(APIError, errors.NotFound):
    """404 or 410."""


class Conflict(APIError, errors.Conflict):
    """409 or 412."""


class TooManyRequests(APIError, errors.TooManyRequests):
    """429, after all retries."""


class ServerError(APIError, errors.ServerError):
    """5xx, after all retries."""


class ApplicationBadRequest(ApplicationAPIError, BadRequest):
    """400 or 422, to an application."""


class ApplicationUnauthorized(ApplicationAPIError, Unauthorized):
    """401, to an application."""


class ApplicationForbidden(ApplicationAPIError, Forbidden):
    """403, to an application."""


class ApplicationNotFound(ApplicationAPIError, NotFound):
    """404 or 410, to an application."""


class ApplicationConflict(ApplicationAPIError, Conflict):
    """409 or 412, to an application."""


class ApplicationTooManyRequests(ApplicationAPIError, TooManyRequests):
    """429, to an application, after all retries."""


class ApplicationServerError(ApplicationAPIError, ServerError):
    """5xx, to an application, after all retries."""


class InvalidArguments(BadRequest, errors.ArgumentError):
    """Arguments that exclude each other, or none of several of which one is needed; nothing was sent."""

    def __init__(self, message: str, argument: str | None = None) -> None:
        super().__init__(message, 400)
        self.argument = argument


class TokenError(errors.ConfigurationError):
    """There is no usable token; the cause is attached."""


class ApplicationTokenError(TokenError):
    """There is no usable application token; the cause is attached."""


class JobExecutionError(errors.AsyncClientError):
    """A job failed, or was waited for too long.

    Attributes:
        job_id: The job, or None if its metadata does not say.
        state: Its last known state, or None.
        failure_type: ``USER``, ``ANALYTIC``, ``PLATFORM`` or ``NONE``; None if it is not known.
        timed_out: Whether the wait was too long.
    """

    timed_out = False

    def __init__(
        self, message: str, *, job_id: str | None = None, state: str | None = None, failure_type: str | None = None
    ) -> None:
        super().__init__(message)
        self.job_id = job_id
        self.state = state
        self.failure_type = failure_type


class JobTimeout(JobExecutionError, TimeoutError):
    """A job was waited for as long as allowed; it goes on."""

    timed_out = True


class RemoteDataPathError(errors.ArgumentError):
    """A reference to uploaded data has no data id."""


class AnalyticNotFound(errors.AsyncClientError, ValueError):
    """No analytic has this name, and version."""


_USER: Final[dict[type[errors.APIError], type[APIError]]] = {
    errors.BadRequest: BadRequest,
    errors.Unauthorized: Unauthorized,
    errors.Forbidden: Forbidden,
    errors.NotFound: NotFound,
    errors.Conflict: Conflict,
    errors.TooManyRequests: TooManyRequests,
    errors.ServerError: ServerError,
}
_APPLICATION: Final[dict[type[errors.APIError], type[APIError]]] = {
    errors.BadRequest: ApplicationBadRequest,
    errors.Unauthorized: ApplicationUnauthorized,
    errors.Forbidden: ApplicationForbidden,
    errors.NotFound: ApplicationNotFound,
    errors.Conflict: ApplicationConflict,
    errors.TooManyRequests: ApplicationTooManyRequests,
    errors.ServerError: ApplicationServerError,
}


def refusal(request: Request, answer: Answer) -> errors.APIError:
    """Make the exception of an answer to a user's request."""
    return _refusal(request, answer, _USER, APIError)


def application_refusal(request: Request, answer: Answer) -> errors.APIError:
    """Make the exception of an answer to a request that only applications make."""
    return _refusal(request, answer, _APPLICATION, ApplicationAPIError)


def _refusal(
    request: Request, answer: Answer, classes: dict[type[errors.APIError], type[APIError]], other: type[APIError]
) -> errors.APIError:
    plain = error_of(request, answer, now=time.time())
    code, reason = _words(answer)
    if reason is None:
        # Without the query: it may hold a signature.
        reason = f"{phrase(answer.status)} for URL: {request.origin}{request.path}"
    return classes.get(type(plain), other)(
        reason,
        status=answer.status,
        error_code=code,
        request_id=plain.request_id,
        body=plain.body,
        method=plain.method,
        path=plain.path,
        retry_after=plain.retry_after,
    )


def _words(answer: Answer) -> tuple[str | None, str | None]:
    """Return code and message of ``{"error": {"code": ..., "message": ...}}``; None for what is not there."""
    body, _ = facts_of(answer)
    error = body.get("error") if isinstance(body, dict) else None
    if not isinstance(error, dict):
        return None, None
    code, message = error.get("code"), error.get("message")
    return None if code is None else str(code), None if message is None else str(message)
