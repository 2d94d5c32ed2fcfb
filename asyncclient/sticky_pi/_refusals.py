"""What the API refuses, and why. Each class knows the HTTP status that says the same."""

from __future__ import annotations

from typing import ClassVar

from asyncclient.errors import ArgumentError, AsyncClientError

__all__ = [
    "AccessDenied",
    "AlreadyStored",
    "BadInput",
    "BadUpload",
    "Busy",
    "DoesNotFit",
    "NotStored",
    "Refusal",
    "TooLarge",
    "TooManyAttempts",
]


class Refusal(AsyncClientError):
    """The API refuses a call; nothing of the refused item was stored.

    Attributes:
        status: HTTP status that says the same.
    """

    status: ClassVar[int] = 400


class BadInput(Refusal, ArgumentError):
    """``info`` or ``what`` cannot be understood: keys are missing or unknown, or values have a wrong form."""


class BadUpload(Refusal, ValueError):
    """An uploaded file is not what it claims to be."""

    status = 422


class DoesNotFit(Refusal, ValueError):
    """A record contradicts what is stored, or does not fit into its columns."""

    status = 422


class AlreadyStored(Refusal, ValueError):
    """A record with the same identity is stored already."""

    status = 409


class NotStored(Refusal, LookupError, ValueError):
    """A record that is needed does not exist."""

    status = 404


class AccessDenied(Refusal, PermissionError):
    """The user may not do this, or what it is asked of does not exist for this user."""

    status = 403


class TooLarge(Refusal, ValueError):
    """A request has more bytes or parts than are accepted."""

    status = 413


class Busy(Refusal):
    """Others change the same records; the call can be repeated as it is."""

    status = 503


class TooManyAttempts(Refusal):
    """Too many wrong passwords; the user has to wait.

    Attributes:
        retry_after: Seconds to wait.
    """

    status = 429

    def __init__(self, retry_after: int) -> None:
        super().__init__(f"too many wrong passwords; try again in {retry_after} s")
        self.retry_after = retry_after
