"""From a refusing answer to the error that says so. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from asyncclient import _codec
from asyncclient._retry import parse_retry_after
from asyncclient.errors import (
    APIError,
    BadRequest,
    Conflict,
    DecodeError,
    Forbidden,
    NotFound,
    ServerError,
    TooManyRequests,
    Unauthorized,
)

if TYPE_CHECKING:
    from asyncclient._messages import Request
    from asyncclient._pipeline import Answer

__all__ = ["class_of", "error_of", "facts_of", "phrase"]

_CLASSES: Final[Mapping[int, type[APIError]]] = {
    400: BadRequest,
    401: Unauthorized,
    403: Forbidden,
    404: NotFound,
    409: Conflict,
    410: NotFound,
    412: Conflict,
    422: BadRequest,
    429: TooManyRequests,
}
_REQUEST_IDS: Final = (b"x-request-id", b"x-amzn-requestid", b"x-amz-request-id", b"request-id", b"x-correlation-id")
_TEXT_LIMIT: Final = 2000


def class_of(status: int) -> type[APIError]:
    """Return the error class of a status."""
    return _CLASSES.get(status, ServerError if status >= 500 else APIError)


def error_of(request: Request, answer: Answer, *, now: float, kind: type[APIError] | None = None) -> APIError:
    """Make the error of an answer.

    Args:
        request: What was refused.
        answer: The refusal.
        now: Seconds since the epoch, for dates in ``Retry-After``.
        kind: The class; default: by the status.
    """
    body, message = facts_of(answer)
    code = body.get("code") if isinstance(body, dict) else None
    return (kind or class_of(answer.status))(
        message or f"{answer.status} {phrase(answer.status)}: {request.method.decode('ascii')} {request.path}",
        status=answer.status,
        code=str(code) if code is not None else None,
        request_id=next((found for name in _REQUEST_IDS if (found := answer.header(name))), None),
        body=body,
        method=request.method.decode("ascii"),
        path=request.path,
        retry_after=parse_retry_after(answer.headers, now=now),
    )


def facts_of(answer: Answer) -> tuple[Any, str]:
    """Return the decoded body (JSON, else text, else None) and the service's own words, which may be empty."""
    if not answer.body:
        return None, ""
    try:
        body = _codec.decode_json(answer.body)
    except DecodeError:
        text = answer.body[: 4 * _TEXT_LIMIT].decode("utf-8", "replace")[:_TEXT_LIMIT]
        return text, ""
    if isinstance(body, dict):
        for key in ("message", "error", "detail", "error_description"):
            if isinstance(body.get(key), str) and body[key]:
                return body, body[key]
    return body, ""


def phrase(status: int) -> str:
    """Return the standard phrase of a status, or an empty text."""
    import http  # not needed before something is refused

    try:
        return http.HTTPStatus(status).phrase
    except ValueError:
        return ""
