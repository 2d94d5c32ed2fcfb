"""Which refusal of Depot becomes which error. Pure."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from asyncclient._failure import error_of, facts_of
from asyncclient.errors import APIError, Conflict

if TYPE_CHECKING:
    from asyncclient._messages import Request
    from asyncclient._pipeline import Answer

__all__ = ["NameTaken", "refusal"]


class NameTaken(Conflict):
    """409 ``name-taken``: there is a sample of that name."""


def refusal(request: Request, answer: Answer) -> APIError:
    """Make the error of an answer: its class by the ``problem``, or else the status, its message the ``text``."""
    body, _ = facts_of(answer)
    problem = body.get("problem") if isinstance(body, dict) else None
    error = error_of(request, answer, now=time.time(), kind=NameTaken if problem == "name-taken" else None)
    if problem:
        error.code = str(problem)
        error.message = str(body.get("text") or error.message)
        error.args = (error.message,)
    return error
