"""What all Voxel51 commands do alike: open a session, and print what the platform's own tool prints."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from asyncclient._logging import logger_of, shown_on_stderr
from asyncclient.cli._commands import finish
from asyncclient.cli._loop import run_async
from asyncclient.cli._output import Output, bars
from asyncclient.cli._settings import settings

if TYPE_CHECKING:
    from asyncclient.voxel51 import AsyncAPI

__all__ = ["AllFields", "PrintId", "run", "run_locally", "show_download"]

PrintId = Annotated[bool, typer.Option("--print-id", help="Print only ids, one a line.")]
AllFields = Annotated[bool, typer.Option("-a", "--all-fields", help="Show all columns.")]


def run(work: Callable[[AsyncAPI], Awaitable[int | None]]) -> None:
    """Do the work of a command with a session of the active token, and end the program with its exit code."""

    async def in_session() -> int | None:
        from asyncclient.voxel51 import AsyncAPI

        async with AsyncAPI(**settings().client_options()) as api:
            return await work(api)

    run_locally(lambda: run_async(in_session))


async def show_download(
    source_id: str,
    link: Callable[[str], Awaitable[str]] | None,
    fetch: Callable[..., Awaitable[Any]],
    path: Path | None,
) -> None:
    """Print a signed URL, or fetch the file and say where it is.

    Args:
        source_id: Of what is fetched.
        link: Returns the URL; None if the file is wanted.
        fetch: Downloads to a path and returns it.
        path: Where the file goes. Default: where ``fetch`` puts it.
    """
    if link is not None:
        url = await link(source_id)
        Output().result({"url": url}, url)
        return
    with bars() as report:
        target = await fetch(source_id, path, on_progress=report)
    Output().result({"id": source_id, "path": str(target)}, f"Downloaded '{source_id}' to '{target}'")


def run_locally(work: Callable[[], int | None]) -> None:
    """Do work that needs no session, and end the program with its exit code."""
    with contextlib.ExitStack() as stack:
        if not settings().debug:  # which shows the whole log
            level = logging.WARNING if settings().quiet else logging.INFO
            stack.enter_context(shown_on_stderr(logger_of("voxel51"), level, "%(message)s", events=False))
        finish(work)
