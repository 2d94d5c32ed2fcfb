"""From a refusing answer to the error that says so. Pure."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, Final

from asyncclient import errors
from asyncclient._failure import class_of, error_of, phrase
from asyncclient.lfview import exceptions
from asyncclient.lfview.exceptions import HTTPError, InvalidAPIKey, ServiceUnavailable

if TYPE_CHECKING:
    from asyncclient._messages import Request
    from asyncclient._pipeline import Answer

__all__ = ["content_refusal", "discovery_refusal", "metadata_refusal", "user_refusal"]

_CLASSES: Final[Mapping[type[errors.APIError], type[HTTPError]]] = {
    errors.BadRequest: exceptions.BadRequest,
    errors.Unauthorized: exceptions.Unauthorized,
    errors.Forbidden: exceptions.Forbidden,
    errors.NotFound: exceptions.NotFound,
    errors.Conflict: exceptions.Conflict,
    errors.TooManyRequests: exceptions.TooManyRequests,
    errors.ServerError: exceptions.ServerError,
}
# Longer ones are pages for a browser; the whole is in ``error.body``.
_TEXT_LIMIT: Final = 2000
_READS: Final = frozenset({b"GET", b"DELETE"})


def metadata_refusal(request: Request, answer: Answer) -> errors.APIError:
    """Make the error of a refused resource: the URL for what was to be read or deleted, else the answer's words."""
    if request.method not in _READS:
        return content_refusal(request, answer)
    what = f"{answer.status} {phrase(answer.status)}".rstrip()
    found = _error(request, answer)
    own = f": {found.message}" if _has_words(found) else ""
    return _worded(found, f"{what}: {request.method.decode('ascii')} {request.origin}{request.path}{own}")


def content_refusal(request: Request, answer: Answer) -> errors.APIError:
    """Make the error of refused content: the words of the answer as they are."""
    text = answer.body[: 4 * _TEXT_LIMIT].decode("utf-8", "replace").strip()
    found = _error(request, answer)
    if not text:
        return found
    return _worded(found, text if len(text) <= _TEXT_LIMIT else f"{text[:_TEXT_LIMIT]} ...")


def discovery_refusal(request: Request, answer: Answer) -> errors.APIError:
    """Make the error of a discovery service that does not answer as it should."""
    found = error_of(request, answer, now=time.time(), kind=ServiceUnavailable)
    return _worded(found, f"the LF View service is not available: {request.origin} answered {answer.status}")


def user_refusal(request: Request, answer: Answer) -> errors.APIError:
    """Make the error of a user who is not let in."""
    if answer.status not in (401, 403):
        return discovery_refusal(request, answer)
    found = error_of(request, answer, now=time.time(), kind=InvalidAPIKey)
    return _worded(found, "the API key is not valid; make one in your LF View profile")


def _error(request: Request, answer: Answer) -> errors.APIError:
    kind = _CLASSES.get(class_of(answer.status), HTTPError)
    return error_of(request, answer, now=time.time(), kind=kind)


def _has_words(error: errors.APIError) -> bool:
    return isinstance(error.body, dict) and error.message in error.body.values()


def _worded(error: errors.APIError, text: str) -> errors.APIError:
    error.args, error.message = (text,), text
    return error
