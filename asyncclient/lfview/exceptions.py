"""What can be wrong with resources, before anything is sent and in what the service answers.

Every one is a ``ValueError``, as in the platform's own client, and belongs to the tree of ``asyncclient.errors``. A
connection that breaks and a call that takes too long are none of the service's own, and no ``ValueError`` there either.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from asyncclient import errors

__all__ = [
    "BadAnswer",
    "BadRequest",
    "BadURL",
    "Conflict",
    "Forbidden",
    "HTTPError",
    "InvalidAPIKey",
    "NotAResource",
    "NotFound",
    "NotUploaded",
    "Problem",
    "ServerError",
    "ServiceUnavailable",
    "TermsNotAccepted",
    "TooManyRequests",
    "Unauthorized",
    "UnknownProperty",
    "UnknownType",
    "ValidationError",
]


class Problem(NamedTuple):
    """One thing that is wrong.

    Attributes:
        path: Where, seen from the object that was checked: ``elements[0].vertices.shape``; empty for the object itself.
        message: What is wrong there.
    """

    path: str
    message: str

    def under(self, prefix: str) -> Problem:
        """Return the same problem, seen from the owner of the object."""
        if not self.path:
            return Problem(prefix, self.message)
        return Problem(prefix + self.path if self.path.startswith("[") else f"{prefix}.{self.path}", self.message)


class ValidationError(errors.ArgumentError):
    """A resource is not valid; nothing was sent.

    Attributes:
        problems: Everything found in one go, at least one.
        owner: Name of the class that was checked, or empty.
    """

    def __init__(self, problems: str | Iterable[Problem], *, owner: str = "") -> None:
        found = (Problem("", problems),) if isinstance(problems, str) else tuple(problems)
        super().__init__(_message(found, owner), argument=found[0].path or None)
        self.problems = found
        self.owner = owner


def _message(problems: tuple[Problem, ...], owner: str) -> str:
    lines = [": ".join(filter(None, problem)) for problem in problems]
    if len(lines) > 1:
        return "\n  ".join([f"{owner or 'value'} has {len(lines)} problems", *lines])
    return f"{owner}.{lines[0]}" if owner and problems[0].path else ": ".join(filter(None, [owner, lines[0]]))


class UnknownProperty(ValidationError, AttributeError):
    """The class has no property of this name; the message names the nearest one."""


class NotAResource(errors.ArgumentError):
    """The object is none that can be uploaded on its own."""


class NotUploaded(errors.ArgumentError):
    """The object has no URL yet; upload it first."""


class BadURL(errors.ArgumentError):
    """The URL has none of the forms it needs to have."""


class UnknownType(errors.DecodeError, ValueError):
    """An answer, or a URL, names a type for which there is no class."""


class BadAnswer(errors.DecodeError, ValueError):
    """An answer is not JSON, or lacks what every answer of its kind has."""


class HTTPError(errors.APIError, ValueError):
    """The service, or the place where content lies, answered with an error.

    For what was to be written, and for content, the message is the answer's text; for what was to be read or deleted,
    it names the URL.
    """


class BadRequest(HTTPError, errors.BadRequest):
    """400 or 422."""


class Unauthorized(HTTPError, errors.Unauthorized):
    """401."""


class Forbidden(HTTPError, errors.Forbidden):
    """403."""


class NotFound(HTTPError, errors.NotFound):
    """404 or 410."""


class Conflict(HTTPError, errors.Conflict):
    """409 or 412."""


class TooManyRequests(HTTPError, errors.TooManyRequests):
    """429, after all retries."""


class ServerError(HTTPError, errors.ServerError):
    """5xx, after all retries."""


class ServiceUnavailable(HTTPError):
    """The discovery service, or that of users, answered with an error."""


class InvalidAPIKey(HTTPError):
    """The service does not accept the key."""


class TermsNotAccepted(errors.ConfigurationError, ValueError):
    """The terms of service have to be accepted first, in the browser."""
