"""What all Sticky Pi commands do alike: open the client that was asked for, read times, show how far it is."""

from __future__ import annotations

import datetime as dt
import getpass
import json
import logging
import os
import sys
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from asyncclient.cli._commands import finish
from asyncclient.cli._errors import OK, Problem
from asyncclient.cli._loop import run_async
from asyncclient.cli._output import progress_console
from asyncclient.cli._settings import settings
from asyncclient.errors import ConfigurationError

if TYPE_CHECKING:
    from asyncclient.sticky_pi import AsyncLocalClient, AsyncRemoteClient
    from asyncclient.sticky_pi._connector import AsyncRemoteAPIConnector
    from asyncclient.types import Progress

    Client = AsyncLocalClient | AsyncRemoteClient

__all__ = [
    "FOLDER_VARIABLE",
    "HOST_VARIABLE",
    "LOCAL_FOLDER",
    "PASSWORD",
    "USER_DEFAULT",
    "USER_VARIABLE",
    "Device",
    "End",
    "Folder",
    "Host",
    "Start",
    "User",
    "Where",
    "bars",
    "client_of",
    "moment",
    "remote_api",
    "run",
    "secret",
    "shown_rows",
]

FOLDER_VARIABLE: Final = "STICKY_PI_LOCAL_DIR"
HOST_VARIABLE: Final = "STICKY_PI_HOST"
USER_VARIABLE: Final = "STICKY_PI_USERNAME"
LOCAL_FOLDER: Final = "sticky-pi"
USER_DEFAULT: Final = "admin"

Folder = Annotated[
    Path,
    typer.Option("--local-dir", envvar=FOLDER_VARIABLE, help="Folder of the client; holds all without --host."),
]
Host = Annotated[
    str | None,
    typer.Option(envvar=HOST_VARIABLE, help="URL of a server. Default: the API embedded in this process."),
]
User = Annotated[str, typer.Option("--username", envvar=USER_VARIABLE, help="Who logs in to the server.")]
Device = Annotated[str, typer.Option(help="Name of a device, or a pattern: % stands for any characters, _ for one.")]
Start = Annotated[str, typer.Option(help="From this time on (UTC): 2022-05-17 or 2022-05-17T18:30:00.")]
End = Annotated[str, typer.Option(help="Up to this time, which is not included.")]

PASSWORD: Final = "STICKY_PI_PASSWORD"  # noqa: S105  # the name of a variable


@dataclass(frozen=True, slots=True)
class Where:
    """Which API is meant.

    Attributes:
        folder: Of the client.
        host: URL of a server, or None for the embedded API.
        username: Who logs in.
    """

    folder: Path
    host: str | None
    username: str


def run(where: Where, work: Callable[[Client], Awaitable[int | None]], **options: Any) -> None:
    """Do the work of a command with an open client, and end the program with its exit code."""
    if not settings().debug:  # what matters is said in the result
        logging.getLogger("asyncclient.sticky_pi").addHandler(logging.NullHandler())

    async def opened() -> int:
        async with client_of(where, options) as client:
            return await work(client) or OK

    finish(lambda: run_async(opened))


def client_of(where: Where, options: Mapping[str, Any]) -> Client:
    """Return a client of the server that was named, or the one with the API embedded."""
    from asyncclient.sticky_pi import AsyncLocalClient, AsyncRemoteClient

    if where.host is None:
        return AsyncLocalClient(where.folder, **options)
    password = secret(PASSWORD, f"Password of {where.username}: ")
    return AsyncRemoteClient(
        where.folder, where.host, where.username, password, **options, **settings().client_options()
    )


def remote_api(where: Where) -> AsyncRemoteAPIConnector:
    """Return the API of a server, without a folder for what a client remembers."""
    from asyncclient.sticky_pi._connector import AsyncRemoteAPIConnector

    assert where.host is not None
    password = secret(PASSWORD, f"Password of {where.username}: ")
    return AsyncRemoteAPIConnector(where.host, where.username, password, **settings().client_options())


def secret(variable: str, prompt: str) -> str:
    """Return a password from the environment, or ask for it. It is never an argument: others could read those.

    Raises:
        ConfigurationError: There is nobody to ask.
    """
    if found := os.environ.get(variable):
        return found
    if not sys.stdin.isatty():
        raise ConfigurationError(f"set {variable}: there is no terminal to ask for a password")
    return getpass.getpass(prompt)


def moment(text: str, option: str) -> dt.datetime:
    """Read a time.

    Raises:
        Problem: It is none.
    """
    try:
        found = dt.datetime.fromisoformat(text)
    except ValueError:
        raise Problem(f"{option} is not a time like 2022-05-17 or 2022-05-17T18:30:00: {text}") from None
    return found.astimezone(dt.UTC).replace(tzinfo=None) if found.tzinfo is not None else found


def shown_rows(value: Any) -> Any:
    """Return rows as JSON can say them, with datetimes as the API writes them."""
    from asyncclient.sticky_pi.utils import json_io_converter

    return json.loads(json.dumps(value, default=json_io_converter))


_PHASES: Final = {"hashing": "look at files", "sending": "send", "receiving": "fetch"}


@contextmanager
def bars() -> Iterator[Callable[[Progress], None]]:
    """Show progress bars on standard error while the block runs, if that is a terminal."""
    console = progress_console()
    if console is None:
        yield lambda _: None
        return
    from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeElapsedColumn
    from rich.progress import Progress as Bars

    columns = TextColumn("{task.description:<14}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn()
    with Bars(*columns, console=console, redirect_stdout=sys.stdout.isatty(), redirect_stderr=False) as shown:
        tasks: dict[str, Any] = {}

        def show(progress: Progress) -> None:
            if progress.phase in _PHASES and progress.bytes_total is None:
                if progress.phase not in tasks:
                    tasks[progress.phase] = shown.add_task(_PHASES[progress.phase], total=None)
                shown.update(tasks[progress.phase], completed=progress.files_done, total=progress.files_total)

        yield show
