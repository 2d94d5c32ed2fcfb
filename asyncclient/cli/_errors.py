"""What a command that fails says, and with which code it ends."""

from __future__ import annotations

import json
import sys
import traceback
from collections.abc import Callable
from typing import Any, Final

from asyncclient.cli._settings import settings
from asyncclient.errors import (
    APIError,
    ArgumentError,
    ArgumentTypeError,
    AsyncClientError,
    ConfigurationError,
    DeadlineExceeded,
    Forbidden,
    NotFound,
    ServerError,
    TooManyRequests,
    TransportError,
    Unauthorized,
)

__all__ = [
    "BROKEN_PIPE",
    "EXIT_CODES",
    "FAILED",
    "INTERRUPTED",
    "MISSING",
    "OK",
    "REFUSED",
    "UNREACHABLE",
    "UNUSABLE",
    "Missing",
    "Problem",
    "complain",
    "exit_code",
    "guarded",
    "one_line",
    "words_of",
]

OK: Final = 0
FAILED: Final = 1
UNUSABLE: Final = 2
REFUSED: Final = 3
MISSING: Final = 4
UNREACHABLE: Final = 5
INTERRUPTED: Final = 130  # what shells report for a process that SIGINT ended
BROKEN_PIPE: Final = 141  # likewise for SIGPIPE

EXIT_CODES: Final = {
    OK: "everything is as it should be",
    FAILED: "something differs, some of several items failed, or the service refused in another way than those below",
    UNUSABLE: "the command could not start: wrong arguments, an unusable file or folder, a missing extra",
    REFUSED: "credentials are missing, unusable or refused, or do not allow it",
    MISSING: "what was named is not there",
    UNREACHABLE: "the service cannot be reached, or cannot answer at present: try again later",
    INTERRUPTED: "interrupted by Ctrl-C or SIGTERM",
    BROKEN_PIPE: "whoever read the output has closed it, such as head",
}
"""What each exit code means. Scripts rely on them: a code never changes its meaning."""

_FACTS: Final = ("status", "code", "request_id", "transfer_id", "document_id")


class Problem(Exception):
    """A reason not to start, in words for the user."""


class Missing(Problem):
    """What was named is not there."""


# The first that fits counts.
_CODES: Final[tuple[tuple[tuple[type[Exception], ...], int], ...]] = (
    ((Missing, NotFound), MISSING),
    ((ConfigurationError, Unauthorized, Forbidden), REFUSED),
    ((TransportError, DeadlineExceeded, TooManyRequests, ServerError), UNREACHABLE),
    ((APIError,), FAILED),
    ((Problem, ArgumentError, ArgumentTypeError, ImportError), UNUSABLE),
)


# Services have classes of their own, not all of which derive from those above.
_STATUSES: Final = {401: REFUSED, 403: REFUSED, 404: MISSING, 410: MISSING, 429: UNREACHABLE}


def exit_code(error: Exception) -> int:
    """Return the exit code of a command that an error has ended."""
    if isinstance(error, APIError):
        status = getattr(error, "status", 0)
        if (code := UNREACHABLE if status >= 500 else _STATUSES.get(status)) is not None:
            return code
    return next((code for kinds, code in _CODES if isinstance(error, kinds)), FAILED)


def one_line(text: str) -> str:
    """Return text as one line with nothing in it that steers a terminal: names come from whoever gave them."""
    return "".join(sign if sign.isprintable() else "?" for sign in " ".join(text.split()))


def complain(message: str, error: Exception | None = None, **facts: Any) -> None:
    """Write one line to standard error; with ``--json`` it is a JSON object.

    Args:
        message: In words for the user.
        error: What happened; its facts go into the JSON.
        facts: More of them.
    """
    if not settings().as_json:
        print(f"asyncclient: {one_line(message)}", file=sys.stderr)
        return
    found: dict[str, Any] = {"message": one_line(message), "kind": type(error or Problem()).__name__}
    if error is not None:
        found |= {name: value for name in _FACTS if isinstance(value := getattr(error, name, None), (str, int))}
    print(json.dumps({"error": found | facts}, ensure_ascii=False), file=sys.stderr)


def guarded(work: Callable[[], int]) -> int:
    """Do the work of a command and return its exit code.

    Expected failures become one line. Anything else is a defect and keeps its traceback.
    """
    from asyncclient.cli._logs import watched  # needed by nothing that fails before

    try:
        with watched():
            return work()
    except KeyboardInterrupt:
        complain("interrupted", kind="Interrupted", exit_code=INTERRUPTED)
        return INTERRUPTED
    except BrokenPipeError:  # of standard output: those of connections have become a TransportError
        raise
    except (Problem, AsyncClientError, OSError, ImportError) as error:
        if settings().debug:
            traceback.print_exception(error)
        code = exit_code(error)
        complain(words_of(error), error, exit_code=code)
        return code


def words_of(error: Exception) -> str:
    """Return what an error says; its name if it says nothing."""
    return str(error) or type(error).__name__
