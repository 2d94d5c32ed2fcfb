"""Where all commands write: results to standard output, everything else to standard error."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from asyncclient.cli._errors import FAILED, OK
from asyncclient.cli._settings import settings

if TYPE_CHECKING:
    from rich.console import Console

    from asyncclient.types import Progress

__all__ = ["Output", "bars", "progress_console", "status_of"]


class Output:
    """Where a command writes: one result to standard output, with ``--json`` as one JSON document and nothing else."""

    @property
    def as_json(self) -> bool:
        """Whether the result is JSON."""
        return settings().as_json

    def say(self, text: str) -> None:
        """Write what is no result; nothing with ``--quiet``."""
        if not settings().quiet:
            print(text, file=sys.stderr if self.as_json else sys.stdout, flush=True)

    def note(self, text: str) -> None:
        """Write what a result is about to standard error; nothing with ``--json`` or ``--quiet``."""
        if not (self.as_json or settings().quiet):
            print(text, file=sys.stderr)

    def result(self, value: Any, text: str | None) -> None:
        """Write the result: a value as JSON, or the text; None stands for none."""
        if self.as_json:
            print(json.dumps(value, indent=4, ensure_ascii=False, default=str))
        elif text is not None:
            print(text)

    def confirmed(self, question: str = "Are you sure you want to continue?") -> bool:
        """Ask whether to go on; silence, and the end of the input, mean no."""
        stream = sys.stderr if self.as_json else sys.stdout
        while True:
            print(f"{question} [y/N] ", end="", file=stream, flush=True)
            answer = sys.stdin.readline().strip().lower()
            if answer in ("", "n", "no"):
                return False
            if answer in ("y", "ye", "yes"):
                return True
            print("Please respond with 'y[es]' or 'n[o]'", file=stream)


def status_of(failures: int) -> int:
    """Return the exit code of a command that may have failed in parts."""
    return FAILED if failures else OK


def progress_console() -> Console | None:
    """Return a console on standard error that bars can be shown on; None if they cannot, or are not wanted."""
    if settings().quiet or not settings().progress or not sys.stderr.isatty():
        return None
    from rich.console import Console

    console = Console(stderr=True, highlight=False)
    return console if console.is_terminal and not console.is_dumb_terminal else None


@contextmanager
def bars() -> Iterator[Callable[[Progress], None] | None]:
    """Give a callback that shows how far files are, as bars on standard error; None where there are no bars."""
    console = progress_console()
    if console is None:
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
