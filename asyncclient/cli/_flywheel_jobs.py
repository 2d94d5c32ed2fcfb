"""``asyncclient flywheel jobs`` and ``view``."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from asyncclient.cli._api import plain
from asyncclient.cli._errors import OK, Problem
from asyncclient.cli._flywheel_paths import parse, shown
from asyncclient.cli._flywheel_run import Session
from asyncclient.cli._flywheel_tree import find
from asyncclient.cli._output import Output
from asyncclient.cli._tables import pairs_table, simple_table

__all__ = ["JobRequest", "ViewRequest", "check_jobs", "check_view", "jobs", "show_columns", "view"]

_HEADINGS: Final = ("id", "state", "gear", "label", "priority", "created")


@dataclass(frozen=True, slots=True)
class JobRequest:
    """What was asked for.

    Attributes:
        job_id: One job; None lists them.
        state: Only those in this state.
        gear: Only those of this gear.
        limit: Most to list.
        log: Whether the log of the job is printed.
        wait: Whether to wait until it has ended.
        cancel: Whether to cancel it.
    """

    job_id: str | None
    state: str | None
    gear: str | None
    limit: int
    log: bool
    wait: bool
    cancel: bool


def check_jobs(request: JobRequest) -> None:
    """Refuse what does not go together.

    Raises:
        Problem: Something is asked of a job, and none is named; or the other way round.
    """
    if request.job_id is None and (request.log or request.wait or request.cancel):
        raise Problem("--log, --wait and --cancel need the id of a job")
    if request.job_id is not None and (request.state or request.gear):
        raise Problem("--state and --gear choose jobs of a list; leave them out, or the id")
    if request.log + request.wait + request.cancel > 1:
        raise Problem("give one of --log, --wait and --cancel")
    for name, value in (("--state", request.state), ("--gear", request.gear)):
        if value is not None and "," in value:
            raise Problem(f"{name}: {value!r} must not hold a comma")


async def jobs(session: Session, request: JobRequest, output: Output) -> int:
    """List jobs, newest first, or do something with one; the exit code is 1 if one was waited for and failed."""
    if request.job_id is None:
        return await _listed(session, request, output)
    if request.log:
        record = await session.client.get_job_logs(request.job_id)
        lines = list(record.logs or ())
        output.result(plain(lines), "".join(str(line.msg or "") for line in lines).rstrip("\n") or None)
        return OK
    if request.cancel:
        await session.client.change_job_state(request.job_id, "cancelled")
    if request.wait:
        job = await session.client.wait_for_job(request.job_id)
    else:
        job = await session.client.get_job(request.job_id)
    row = _row(job)
    output.result(plain(job), pairs_table("job", row.items()))
    return int(request.wait and job.state != "complete")


async def _listed(session: Session, request: JobRequest, output: Output) -> int:
    conditions = [
        f"{name}={value}" for name, value in (("state", request.state), ("gear_info.name", request.gear)) if value
    ]
    query: dict[str, Any] = {"sort": "created:desc", "limit": request.limit}
    found = await session.client.jobs.find(*conditions, **query)
    rows = [_row(job) for job in found]
    output.result(plain(found), simple_table(_HEADINGS, [[row[name] for name in _HEADINGS] for row in rows]))
    return OK


def _row(job: Any) -> dict[str, Any]:
    gear = getattr(job, "gear_info", None)
    name = f"{gear.name} {gear.version or ''}".strip() if gear is not None and gear.name else ""
    created = job.created.strftime("%Y-%m-%d %H:%M:%S") if job.created is not None else ""
    values = (job.id, job.state, name, getattr(job, "label", None), getattr(job, "priority", None), created)
    return dict(zip(_HEADINGS, (getattr(value, "value", value) for value in values), strict=True))


@dataclass(frozen=True, slots=True)
class ViewRequest:
    """What was asked for.

    Attributes:
        path: The container; None lists the columns.
        columns: Sources of the columns.
        files: ``kind:pattern`` of the files to read, or None.
        saved: Id of a saved view, in place of all this.
        where: Conditions on rows.
        limit: Most rows.
        form: ``csv``, ``tsv``, ``json`` or ``json-flat``.
        target: File to write; None: standard output.
    """

    path: str | None
    columns: Sequence[str]
    files: str | None
    saved: str | None
    where: str | None
    limit: int | None
    form: str
    target: Path | None


def check_view(request: ViewRequest) -> None:
    """Refuse what does not go together.

    Raises:
        Problem: There is neither a saved view nor a column, or both; ``files`` has no kind.
    """
    if bool(request.saved) == bool(request.columns or request.files):
        raise Problem("give either --saved, or --column and --files")
    if request.files is not None and not all(request.files.partition(":")):
        raise Problem(f"--files takes kind:pattern, for instance acquisition:*.csv, not {request.files!r}")


async def show_columns(session: Session, output: Output) -> int:
    """List the columns that views know."""
    found = list(await session.client.data_view_columns() or ())
    rows = [[column.name, getattr(column, "type", None), column.description] for column in found]
    output.result(plain(found), simple_table(["name", "type", "description"], rows))
    return OK


async def view(session: Session, request: ViewRequest, output: Output) -> int:
    """Run a data view on a container and write its rows."""
    steps = parse(request.path or "")
    node = await find(session, steps)
    if node.kind in ("site", "file"):
        raise Problem(f"{shown(steps)}: views run on containers")
    options: dict[str, Any] = {"format": request.form}
    if request.where is not None:
        options["filter"] = request.where
    if request.limit is not None:
        options["limit"] = request.limit
    what = request.saved or _built(session, request)
    if request.target is not None:
        await session.client.save_view_data(what, str(node.record.id), request.target, **options)
        output.result({"path": str(request.target)}, f"Wrote '{request.target}'")
        return OK
    text = (await session.client.read_view_data(what, str(node.record.id), **options)).read()
    sys.stdout.write(text if text.endswith("\n") or not text else f"{text}\n")
    return OK


def _built(session: Session, request: ViewRequest) -> Any:
    options: dict[str, Any] = {"columns": list(request.columns)} if request.columns else {}
    if request.files is not None:
        options["container"], _, options["filename"] = request.files.partition(":")
    return session.client.View(**options)
