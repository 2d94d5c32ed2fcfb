"""What a command that fails says, and with which code it ends."""

from __future__ import annotations

import sys
import traceback
from collections.abc import Callable
from typing import Final

from asyncclient.errors import AsyncClientError, ConfigurationError

__all__ = ["FAILED", "INTERRUPTED", "OK", "UNUSABLE", "Problem", "complain", "guarded"]

OK: Final = 0
FAILED: Final = 1
UNUSABLE: Final = 2
INTERRUPTED: Final = 130  # what shells report for a process that SIGINT ended


class Problem(Exception):
    """A reason not to start, in words for the user."""


def complain(message: str) -> None:
    """Write one line to standard error."""
    print(f"asyncclient: {' '.join(message.split())}", file=sys.stderr)


def guarded(work: Callable[[], int], *, debug: bool) -> int:
    """Do the work of a command and return its exit code.

    Expected failures become one line. Anything else is a defect and keeps its traceback.
    """
    try:
        return work()
    except KeyboardInterrupt:
        complain("interrupted")
        return INTERRUPTED
    except (Problem, AsyncClientError, OSError, ImportError) as error:
        if debug:
            traceback.print_exception(error)
        complain(_words(error))
        return UNUSABLE if isinstance(error, (Problem, ConfigurationError, ImportError)) else FAILED


def _words(error: Exception) -> str:
    return str(error) or type(error).__name__
