"""``asyncclient flywheel``: look at the hierarchy, copy files both ways, jobs, views, and every operation."""

from __future__ import annotations

import enum
from pathlib import Path
from typing import Annotated

import typer

from asyncclient.cli._api import add_api
from asyncclient.cli._commands import before, make_group
from asyncclient.cli._flywheel_api import SERVICE
from asyncclient.cli._flywheel_copy import Request, check, copy
from asyncclient.cli._flywheel_jobs import (
    JobRequest,
    ViewRequest,
    check_jobs,
    check_view,
    jobs,
    show_columns,
    view,
)
from asyncclient.cli._flywheel_listing import listing
from asyncclient.cli._flywheel_paths import Filter, parse
from asyncclient.cli._flywheel_run import Session, run
from asyncclient.cli._options import Most
from asyncclient.cli._output import Output

__all__ = ["flywheel"]

flywheel = make_group(
    "flywheel",
    "Flywheel: groups, projects, subjects, sessions, acquisitions and their files. Uses FLYWHEEL_API_KEY, or the key of "
    "the last `fw login`. Paths are fw://group/project/subject/session/acquisition/file.",
    version=True,
)

_Source = Annotated[str, typer.Argument(help="A path of this machine, or fw://...", show_default=False)]
_Target = Annotated[str, typer.Argument(help="A path of this machine, or fw://...", show_default=False)]
_Types = Annotated[list[str] | None, typer.Option("--type", help="Only files of this type, such as nifti.")]
_Without = Annotated[list[str] | None, typer.Option("--exclude-type", help="No files of this type.")]
_Names = Annotated[list[str] | None, typer.Option("--name", help="Only files with names like this, such as '*.dcm'.")]
_DryRun = Annotated[bool, typer.Option("-n", "--dry-run", help="Say what would be copied, and copy nothing.")]


class Form(enum.StrEnum):
    """Forms of rows."""

    csv = "csv"
    tsv = "tsv"
    json = "json"
    flat = "json-flat"


@flywheel.command()
def ls(
    path: Annotated[str, typer.Argument(help="fw://group/project/...; default: the groups.")] = "fw://",
) -> None:
    """List what lies in a container, or show a file."""

    async def work(session: Session) -> int:
        return await listing(session, parse(path), Output())

    run(work)


@flywheel.command()
def cp(
    source: _Source,
    target: _Target,
    recursive: Annotated[bool, typer.Option("-r", "--recursive", help="Everything below the source.")] = False,
    resume: Annotated[bool, typer.Option("--resume", help="Leave out what is there already, and the same.")] = False,
    types: _Types = None,
    without: _Without = None,
    names: _Names = None,
    dry_run: _DryRun = False,
) -> None:
    """Copy files from Flywheel to this machine, or the other way.

    What fails is said at the end; the exit code is then 1.
    """
    wanted = Filter(types or (), without or (), names or ())
    _copy(Request(source, target, recursive, resume, dry_run, wanted))


@flywheel.command()
def sync(
    source: _Source,
    target: _Target,
    types: _Types = None,
    without: _Without = None,
    names: _Names = None,
    dry_run: _DryRun = False,
) -> None:
    """Copy everything in a folder or container that is not there yet, or differs. Nothing is deleted.

    Files are compared by size, and by digest where Flywheel has one.
    """
    wanted = Filter(types or (), without or (), names or ())
    _copy(Request(source, target, True, True, dry_run, wanted))


def _copy(request: Request) -> None:
    async def work(session: Session) -> int:
        return await copy(session, request, Output())

    before(lambda: check(request))
    run(work)


@flywheel.command("jobs")
def jobs_(
    job_id: Annotated[str | None, typer.Argument(metavar="ID", help="One job. Default: list them.")] = None,
    state: Annotated[str | None, typer.Option("--state", help="Only jobs in this state, such as running.")] = None,
    gear: Annotated[str | None, typer.Option("--gear", help="Only jobs of the gear of this name.")] = None,
    limit: Annotated[int, typer.Option("-l", "--limit", min=1, help="Most to list.")] = 25,
    log: Annotated[bool, typer.Option("--log", help="Print the log of the job.")] = False,
    wait: Annotated[bool, typer.Option("--wait", help="Wait until it has ended; exit code 1 if it failed.")] = False,
    cancel: Annotated[bool, typer.Option("--cancel", help="Cancel it.")] = False,
) -> None:
    """List jobs, newest first, or show one."""
    request = JobRequest(job_id, state, gear, limit, log, wait, cancel)

    async def work(session: Session) -> int:
        return await jobs(session, request, Output())

    before(lambda: check_jobs(request))
    run(work)


@flywheel.command("view")
def view_(
    path: Annotated[str | None, typer.Argument(help="fw://group/project/... Default: list the columns.")] = None,
    columns: Annotated[
        list[str] | None, typer.Option("-c", "--column", help="A column, such as subject.label.")
    ] = None,
    files: Annotated[str | None, typer.Option("--files", help="Files to read, such as acquisition:*.csv.")] = None,
    saved: Annotated[str | None, typer.Option("--saved", metavar="ID", help="Run this saved view.")] = None,
    where: Annotated[str | None, typer.Option("--filter", help="Conditions on rows.")] = None,
    limit: Most = None,
    form: Annotated[Form, typer.Option("--format", help="Form of the rows.")] = Form.csv,
    target: Annotated[Path | None, typer.Option("-o", "--output", help="File to write them to.")] = None,
) -> None:
    """Run a data view on a container."""
    shape = Form.json if Output().as_json else form
    request = ViewRequest(path, columns or (), files, saved, where, limit, shape.value, target)
    output = Output()

    async def work(session: Session) -> int:
        return await (show_columns(session, output) if path is None else view(session, request, output))

    if path is not None:
        before(lambda: check_view(request))
    run(work)


add_api(flywheel, "flywheel", SERVICE)
