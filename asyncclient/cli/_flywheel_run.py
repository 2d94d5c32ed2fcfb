"""What all Flywheel commands do alike: open a session, show how far it is."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from asyncclient.cli._commands import run_with
from asyncclient.cli._output import progress_console
from asyncclient.cli._settings import settings

if TYPE_CHECKING:
    from asyncclient import AsyncHub
    from asyncclient.flywheel import AsyncClient
    from asyncclient.types import Progress

__all__ = ["Moving", "Session", "api_key", "opened", "run"]


@dataclass(frozen=True, slots=True)
class Session:
    """A client with its hub.

    Attributes:
        client: Of the user whose key it is.
        hub: What it sends through.
    """

    client: AsyncClient
    hub: AsyncHub


def run(work: Callable[[Session], Awaitable[int | None]]) -> None:
    """Do the work of a command with the key of the user, and end the program with its exit code."""
    run_with(opened, work)


@asynccontextmanager
async def opened() -> AsyncIterator[Session]:
    """Open a session with the key of the environment, else that of the last login."""
    from asyncclient import AsyncHub, flywheel
    from asyncclient.flywheel._trust import certificates

    async with (
        AsyncHub(verify=certificates() or True) as hub,
        flywheel.AsyncClient(api_key(), hub=hub, **settings().client_options()) as client,
    ):
        yield Session(client, hub)


def api_key() -> str | None:
    """Return the key of the environment; None leaves it to the client, which takes that of the last login."""
    from asyncclient.flywheel._keys import API_KEY_VARIABLE

    return os.environ.get(API_KEY_VARIABLE) or None


class Moving:
    """How far a number of files is: a bar on standard error if that is a terminal, else nothing.

    Bytes are what the transfers say of themselves: sent or received, confirmed or not; less when an attempt is given up.
    """

    def __init__(self, files: int, size_bytes: int) -> None:
        self._files = files
        self._size = size_bytes
        self._done = 0
        self._finished_bytes = 0
        self._under_way: dict[int, int] = {}
        self._bar: tuple[Any, Any] | None = None

    @property
    def bytes_moved(self) -> int:
        """Bytes in all so far."""
        return min(self._size, self._finished_bytes + sum(self._under_way.values()))

    def advance(self) -> None:
        """Count one more file."""
        self._done += 1
        self._show()

    @contextmanager
    def file(self) -> Iterator[Callable[[Progress], None]]:
        """Give what one file reports to; what it has moved by the end of the block counts as moved."""
        number = self._done + len(self._under_way)
        while number in self._under_way:
            number += 1
        self._under_way[number] = 0

        def report(progress: Progress) -> None:
            self._under_way[number] = max(progress.bytes_done, progress.bytes_sent)
            self._show()

        try:
            yield report
        finally:
            self._finished_bytes += self._under_way.pop(number)

    @asynccontextmanager
    async def showing(self) -> AsyncIterator[Moving]:
        """Show it while the block runs."""
        console = progress_console()
        if console is None:
            yield self
            return
        from rich.progress import BarColumn, DownloadColumn, TextColumn, TransferSpeedColumn
        from rich.progress import Progress as Bars

        columns = TextColumn("{task.description}", markup=False), BarColumn(), DownloadColumn(), TransferSpeedColumn()
        with Bars(*columns, console=console, redirect_stdout=False, redirect_stderr=False) as bars:
            self._bar = bars, bars.add_task("", total=self._size)
            try:
                yield self
            finally:
                self._show()

    def _show(self) -> None:
        if self._bar is not None:
            bars, task = self._bar
            bars.update(task, completed=self.bytes_moved, description=f"{self._done}/{self._files} files")
