"""``asyncclient transfers``: the commands and their options."""

from __future__ import annotations

from typing import Annotated

import typer

from asyncclient.cli._commands import LocalCommand, finish, make_group
from asyncclient.cli._complete import all_jobs, finishable_jobs

__all__ = ["transfers"]

transfers = make_group(
    "transfers", "Uploads and downloads of this machine, of all services, that were interrupted.", commands=LocalCommand
)

_HELP = "Ids, or a few characters of their beginnings or ends."
_Force = Annotated[bool, typer.Option("--force", help="Take it from a process that seems to work on it.")]


@transfers.command("list")
def list_transfers() -> None:
    """Show what was begun and is not complete, the oldest first."""
    from asyncclient.cli import _transfers  # not for --help

    finish(_transfers.list_all)


@transfers.command()
def resume(
    jobs: Annotated[list[str] | None, typer.Argument(metavar="ID", help=_HELP, autocompletion=finishable_jobs)] = None,
    everything: Annotated[bool, typer.Option("-a", "--all", help="All that can be finished from here.")] = False,
    force: _Force = False,
) -> None:
    """Finish uploads and downloads of files; what has arrived is not moved again.

    Keys come from where the services' own commands take them; `asyncclient config` shows where.
    """
    from asyncclient.cli import _transfers

    finish(lambda: _transfers.resume(_transfers.Request(jobs or (), everything, force)))


@transfers.command()
def abort(
    jobs: Annotated[list[str] | None, typer.Argument(metavar="ID", help=_HELP, autocompletion=all_jobs)] = None,
    force: _Force = False,
) -> None:
    """Give up uploads and downloads: drop what has arrived, part files and journals."""
    from asyncclient.cli import _transfers

    finish(lambda: _transfers.abort(_transfers.Request(jobs or (), False, force)))


@transfers.command()
def prune(
    older_than: Annotated[str, typer.Option("--older-than", help="Untouched for so long: 14d, 12h, 30m, 0.")] = "14d",
) -> None:
    """Delete journals and part files that nobody has touched for long."""
    from asyncclient.cli import _transfers

    finish(lambda: _transfers.prune(_transfers.seconds(older_than)))
