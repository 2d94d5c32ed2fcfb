"""What all commands for LF View do alike: take the key from the environment, open a session."""

from __future__ import annotations

import os
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from asyncclient.cli._commands import run_with
from asyncclient.cli._errors import Problem
from asyncclient.cli._settings import settings
from asyncclient.errors import ConfigurationError

if TYPE_CHECKING:
    from asyncclient.lfview import AsyncSession, AsyncUnauthenticatedSession

__all__ = ["DISCOVERY_VARIABLE", "SERVICE_VARIABLE", "Url", "api_key", "opened", "place", "run", "run_reading"]

DISCOVERY_VARIABLE: Final = "LFVIEW_DISCOVERY_URL"
SERVICE_VARIABLE: Final = "LFVIEW_SERVICE"

Url = Annotated[str, typer.Argument(help="URL of a view as the browser shows it, or of any resource.")]


def run(work: Callable[[AsyncSession], Awaitable[int | None]]) -> None:
    """Do the work of a command with a session of the user, and end the program with its exit code."""
    run_with(opened, work)


def opened() -> AsyncSession:
    """Return a session of the user, to be opened.

    Raises:
        ConfigurationError: There is no key.
    """
    _need_numpy()
    from asyncclient.lfview import AsyncSession
    from asyncclient.lfview._resuming import API_KEY_VARIABLE

    key = api_key()
    if key is None:
        raise ConfigurationError(f"the key for LF View is missing: set {API_KEY_VARIABLE}")
    return AsyncSession(key, **place(), **settings().client_options())


def run_reading(work: Callable[[AsyncUnauthenticatedSession], Awaitable[int | None]]) -> None:
    """Do work that needs a key only for what is not public, and end the program with its exit code."""
    run_with(_reading, work)


def _reading() -> AsyncUnauthenticatedSession:
    _need_numpy()
    from asyncclient.lfview import AsyncUnauthenticatedSession

    return AsyncUnauthenticatedSession(api_key(), **place(), **settings().client_options())


def api_key() -> str | None:
    """Return the key of the environment, where ``transfers resume`` takes it too; None if there is none."""
    from asyncclient.lfview._resuming import API_KEY_VARIABLE

    return os.environ.get(API_KEY_VARIABLE) or None


def place() -> dict[str, Any]:
    """Return where the service is asked for, as keyword arguments of sessions."""
    found: dict[str, Any] = {}
    if url := os.environ.get(DISCOVERY_VARIABLE):
        found["discovery_url"] = url
    if service := os.environ.get(SERVICE_VARIABLE):
        found["service"] = service
    return found


def _need_numpy() -> None:
    try:
        import numpy  # noqa: F401  # the resources need it, and would say it less clearly
    except ImportError as error:
        raise Problem(f"lfview needs the extra 'lfview': pip install 'asyncclient[lfview]' ({error})") from error
