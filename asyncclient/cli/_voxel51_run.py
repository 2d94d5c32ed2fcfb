"""What all Voxel51 commands do alike: open a session, and print what the platform's own tool prints."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Annotated

import typer

from asyncclient._logging import logger_of, shown_on_stderr
from asyncclient.cli._commands import finish
from asyncclient.cli._settings import settings

if TYPE_CHECKING:
    from asyncclient.voxel51 import AsyncAPI

__all__ = ["AllFields", "PrintId", "run", "run_locally"]

PrintId = Annotated[bool, typer.Option("--print-id", help="Print only ids, one a line.")]
AllFields = Annotated[bool, typer.Option("-a", "--all-fields", help="Show all columns.")]


def run(work: Callable[[AsyncAPI], Awaitable[int | None]]) -> None:
    """Do the work of a command with a session of the active token, and end the program with its exit code."""

    async def in_session() -> int | None:
        from asyncclient.voxel51 import AsyncAPI

        async with AsyncAPI(**settings().client_options()) as api:
            return await work(api)

    run_locally(lambda: asyncio.run(in_session()))


def run_locally(work: Callable[[], int | None]) -> None:
    """Do work that needs no session, and end the program with its exit code."""
    with contextlib.ExitStack() as stack:
        if not settings().debug:  # which shows the whole log
            level = logging.WARNING if settings().quiet else logging.INFO
            stack.enter_context(shown_on_stderr(logger_of("voxel51"), level, "%(message)s", events=False))
        finish(work)
