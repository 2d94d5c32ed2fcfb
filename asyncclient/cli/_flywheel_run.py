"""What all Flywheel commands do alike: open a session, show how far it is, make results plain."""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import typer

from asyncclient.cli._errors import OK, Problem, guarded
from asyncclient.errors import ArgumentError, ArgumentTypeError

if TYPE_CHECKING:
    from asyncclient import AsyncHub
    from asyncclient.flywheel import AsyncClient

__all__ = ["KEY", "Moving", "Session", "plain", "run"]

KEY: Final = "FLYWHEEL_API_KEY"
_EVERY_S: Final = 0.1


@dataclass(frozen=True, slots=True)
class Session:
    """A client with its hub.

    Attributes:
        client: Of the user whose key it is.
        hub: What it sends through.
    """

    client: AsyncClient
    hub: AsyncHub


def run(work: Callable[[Session], Awaitable[int | None]], *, debug: bool) -> None:
    """Do the work of a command with the key of the user, and end the program with its exit code."""

    async def in_session() -> int:
        from asyncclient import AsyncHub, flywheel

        async with (
            AsyncHub(verify=os.environ.get("FW_SSL_CERT_FILE") or True) as hub,
            flywheel.AsyncClient(os.environ.get(KEY) or None, hub=hub) as client,
        ):
            return await work(Session(client, hub)) or OK

    def checked() -> int:
        try:
            return asyncio.run(in_session())
        except (ArgumentError, ArgumentTypeError) as error:
            raise Problem(str(error)) from error

    raise typer.Exit(guarded(checked, debug=debug))


def plain(value: Any) -> Any:
    """Return an answer as JSON can say it, with the names of the wire."""
    if hasattr(value, "model_dump"):
        return value.model_dump(mode="json", by_alias=True, exclude_unset=True)
    if isinstance(value, Mapping):
        return {str(name): plain(item) for name, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    return json.loads(json.dumps(value, default=str))


class Moving:
    """How far a number of files is: a bar on standard error if that is a terminal, else nothing.

    Bytes are those that went through the hub meanwhile; what is sent around the content is little beside it.
    """

    def __init__(self, hub: AsyncHub, files: int, size_bytes: int) -> None:
        self._hub = hub
        self._files = files
        self._size = size_bytes
        self._done = 0
        self._bar: tuple[Any, Any] | None = None

    def advance(self) -> None:
        """Count one more file."""
        self._done += 1

    def showing(self) -> AbstractAsyncContextManager[Moving]:
        """Show it while the block runs."""
        return self._showing()

    @asynccontextmanager
    async def _showing(self) -> AsyncIterator[Moving]:
        from rich.console import Console

        console = Console(stderr=True, highlight=False)
        if not console.is_terminal or console.is_dumb_terminal:
            yield self
            return
        from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TransferSpeedColumn

        columns = TextColumn("{task.description}", markup=False), BarColumn(), DownloadColumn(), TransferSpeedColumn()
        with Progress(*columns, console=console, redirect_stdout=False, redirect_stderr=False) as bars:
            self._bar = bars, bars.add_task("", total=self._size)
            looking = asyncio.create_task(self._look(self._moved()))
            try:
                yield self
                self._show(self._size)
            finally:
                looking.cancel()
                await asyncio.gather(looking, return_exceptions=True)

    def _moved(self) -> int:
        found = self._hub.statistics()
        return found.bytes_sent + found.bytes_received

    async def _look(self, before: int) -> None:
        while True:
            self._show(min(self._size, self._moved() - before))
            await asyncio.sleep(_EVERY_S)

    def _show(self, completed: int) -> None:
        assert self._bar is not None
        bars, task = self._bar
        bars.update(task, completed=completed, description=f"{self._done}/{self._files} files")
