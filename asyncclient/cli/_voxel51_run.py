"""What all Voxel51 commands do alike: open a session, write results, ask, show how far a file is."""

from __future__ import annotations

import asyncio
import json
import logging
import sys
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from asyncclient.cli._errors import FAILED, OK, Problem, guarded
from asyncclient.errors import ArgumentError, ArgumentTypeError

if TYPE_CHECKING:
    from asyncclient.types import Progress
    from asyncclient.voxel51 import AsyncAPI

__all__ = ["AllFields", "AsJson", "Debug", "Output", "PrintId", "bars", "run", "run_locally", "status_of"]

AsJson = Annotated[bool, typer.Option("--json", help="Print the result as JSON.")]
Debug = Annotated[bool, typer.Option("--debug", help="Show the traceback of an error.")]
PrintId = Annotated[bool, typer.Option("--print-id", help="Print only ids, one a line.")]
AllFields = Annotated[bool, typer.Option("-a", "--all-fields", help="Show all columns.")]

_LOGGER: Final = "asyncclient.voxel51"


@dataclass(frozen=True, slots=True)
class Output:
    """Where a command writes: results to standard output, in JSON nothing else.

    Attributes:
        as_json: Whether the result is JSON.
    """

    as_json: bool

    def say(self, text: str) -> None:
        """Write what is no result."""
        print(text, file=sys.stderr if self.as_json else sys.stdout, flush=True)

    def result(self, value: Any, text: str | None) -> None:
        """Write the result: a value as JSON, or the text; None stands for none."""
        if self.as_json:
            print(json.dumps(value, indent=4, ensure_ascii=False))
        elif text is not None:
            print(text)

    def confirmed(self) -> bool:
        """Ask whether to go on; silence, and the end of the input, mean no."""
        stream = sys.stderr if self.as_json else sys.stdout
        while True:
            print("Are you sure you want to continue? [y/N] ", end="", file=stream, flush=True)
            answer = sys.stdin.readline().strip().lower()
            if answer in ("", "n", "no"):
                return False
            if answer in ("y", "ye", "yes"):
                return True
            print("Please respond with 'y[es]' or 'n[o]'", file=stream)


def run(work: Callable[[AsyncAPI], Awaitable[int | None]], *, debug: bool) -> None:
    """Do the work of a command with a session of the active token, and end the program with its exit code."""

    async def in_session() -> int:
        from asyncclient.voxel51 import AsyncAPI

        async with AsyncAPI() as api:
            return await work(api) or OK

    run_locally(lambda: asyncio.run(in_session()), debug=debug)


def run_locally(work: Callable[[], int | None], *, debug: bool) -> None:
    """Do work that needs no session, and end the program with its exit code."""

    def checked() -> int:
        try:
            return work() or OK
        except (ArgumentError, ArgumentTypeError) as error:
            raise Problem(str(error)) from error

    with _log_on_stderr():
        raise typer.Exit(guarded(checked, debug=debug))


@contextmanager
def _log_on_stderr() -> Iterator[None]:
    logger, handler = logging.getLogger(_LOGGER), logging.StreamHandler(sys.stderr)
    handler.setFormatter(logging.Formatter("%(message)s"))
    level = logger.level
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)
    try:
        yield
    finally:
        logger.removeHandler(handler)
        logger.setLevel(level)


@contextmanager
def bars() -> Iterator[Callable[[Progress], None] | None]:
    """Give a callback that shows bars on standard error, if that is a terminal; else None."""
    from rich.console import Console

    console = Console(stderr=True, highlight=False)
    if not console.is_terminal or console.is_dumb_terminal:
        yield None
        return
    from rich.progress import BarColumn, DownloadColumn, TextColumn, TimeRemainingColumn, TransferSpeedColumn
    from rich.progress import Progress as Bars

    from asyncclient._transfers.progress import rich_progress

    columns = (TextColumn("{task.description}", markup=False), BarColumn(), DownloadColumn())
    # What is printed meanwhile goes above the bars if it goes to the terminal too; otherwise rich must not touch it.
    with Bars(
        *columns,
        TransferSpeedColumn(),
        TimeRemainingColumn(),
        console=console,
        redirect_stdout=sys.stdout.isatty(),
        redirect_stderr=False,
    ) as shown:
        yield rich_progress(shown)


def status_of(failures: int) -> int:
    """Return the exit code of a command that may have failed in parts."""
    return FAILED if failures else OK
