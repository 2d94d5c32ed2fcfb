"""``asyncclient voxel51 jobs``: list, create, look at, fetch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from asyncclient.cli._commands import make_group
from asyncclient.cli._errors import Problem
from asyncclient.cli._output import Output
from asyncclient.cli._voxel51_batch import SomeIds, details
from asyncclient.cli._voxel51_data import OneId, ToPath, Url
from asyncclient.cli._voxel51_job_changes import add_changes
from asyncclient.cli._voxel51_lists import Ascending, Count, Limit, Search, SortBy, ordered
from asyncclient.cli._voxel51_run import AllFields, PrintId, run, show_download
from asyncclient.cli._voxel51_tables import JOBS, records_table

if TYPE_CHECKING:
    from asyncclient.voxel51 import AsyncAPI, JobRequest

__all__ = ["jobs", "print_or_write"]

jobs = make_group("jobs", "Jobs and their outputs.")


def _state(name: str) -> Any:
    return typer.Option(f"--{name}", help=f"Show {name} jobs; several of these flags add up.")


@jobs.command("list")
def list_(
    limit: Limit = -1,
    search: Search = None,
    sort_by: SortBy = "upload_date",
    ascending: Ascending = False,
    all_fields: AllFields = False,
    count: Count = False,
    ready: Annotated[bool, _state("ready")] = False,
    queued: Annotated[bool, _state("queued")] = False,
    scheduled: Annotated[bool, _state("scheduled")] = False,
    running: Annotated[bool, _state("running")] = False,
    complete: Annotated[bool, _state("complete")] = False,
    failed: Annotated[bool, _state("failed")] = False,
    include_archived: Annotated[bool, typer.Option("--include-archived", help="Archived jobs too.")] = False,
    exclude_archived: Annotated[bool, typer.Option("--exclude-archived", help="No archived jobs (default).")] = False,
    archived_only: Annotated[bool, typer.Option("--archived-only", help="Only archived jobs.")] = False,
    include_expired: Annotated[bool, typer.Option("--include-expired", help="Expired jobs too (default).")] = False,
    exclude_expired: Annotated[bool, typer.Option("--exclude-expired", help="No expired jobs.")] = False,
    expired_only: Annotated[bool, typer.Option("--expired-only", help="Only expired jobs.")] = False,
) -> None:
    """List jobs, newest first."""
    flags = {
        "READY": ready,
        "QUEUED": queued,
        "SCHEDULED": scheduled,
        "RUNNING": running,
        "COMPLETE": complete,
        "FAILED": failed,
    }
    terms = [f"state:{'|'.join(name for name, flag in flags.items() if flag)}"] if any(flags.values()) else []
    terms += [search] if search else []
    if "archived:" not in (search or ""):
        terms += ["archived:True"] if archived_only else [] if include_archived else ["archived:False"]
    terms += ["expired:True"] if expired_only else []
    terms += ["expired:False"] if exclude_expired else []

    async def work(api: AsyncAPI) -> None:
        from asyncclient.voxel51 import JobsQuery

        query = ordered(JobsQuery(), limit, sort_by, ascending=ascending)
        for term in terms:
            query.add_search_direct(term)
        rows: Sequence[Mapping[str, Any]] = (await api.query_jobs(query))["jobs"]
        text = records_table(rows, JOBS, every=all_fields)
        Output().result(rows, text + (f"\n\nShowing {len(rows)} job(s)\n" if count else ""))

    run(work)


@jobs.command()
def info(
    ids: SomeIds,
    all_fields: AllFields = False,
) -> None:
    """Show the details of jobs."""

    async def work(api: AsyncAPI) -> int:
        answers = api.batch_get_job_details(ids)
        return await details(answers, "job", Output(), lambda rows: records_table(rows, JOBS, every=all_fields))

    run(work)


@jobs.command()
def upload(
    request: Annotated[Path, typer.Option("-r", "--request", metavar="PATH", help="A job request, as JSON.")],
    name: Annotated[str, typer.Option("-n", "--name", help="Name of the job.")],
    auto_start: Annotated[bool, typer.Option("--auto-start", help="Start it at once.")] = False,
    print_id: PrintId = False,
) -> None:
    """Create a job from a job request."""

    async def work(api: AsyncAPI) -> None:
        row: Mapping[str, Any] = await api.upload_job_request(_read_request(request), name, auto_start)
        said = f"Created{' and started' if auto_start else ''} job '{row['id']}'"
        Output().result(row, str(row["id"]) if print_id else said)

    run(work)


def _read_request(path: Path) -> JobRequest:
    from asyncclient.voxel51 import JobRequest

    try:
        return JobRequest.from_json(path)
    except (ValueError, TypeError, AttributeError) as error:
        raise Problem(f"{path}: is not a job request: {error}") from error


@jobs.command()
def request(job_id: OneId, path: ToPath = None) -> None:
    """Show the request that a job was made from, as JSON."""

    async def work(api: AsyncAPI) -> None:
        found = await api.get_job_request(job_id)
        print_or_write(found.to_dict(), path, f"Request for job '{job_id}'", Output())

    run(work)


@jobs.command()
def status(job_id: OneId, path: ToPath = None) -> None:
    """Show the status document of a job, as JSON."""

    async def work(api: AsyncAPI) -> None:
        print_or_write(await api.get_job_status(job_id), path, f"Status for job '{job_id}'", Output())

    run(work)


def print_or_write(document: Any, path: Path | None, what: str, output: Output) -> None:
    """Show a JSON document, or write it to a file."""
    from asyncclient.voxel51.utils import json_to_str, write_json

    if path is None:
        print(json_to_str(document))
    else:
        write_json(document, path)
        output.result({"path": str(path)}, f"{what} written to '{path}'")


@jobs.command()
def log(job_id: OneId, path: ToPath = None, url: Url = False) -> None:
    """Show the logfile of a job that ran a private analytic."""

    async def work(api: AsyncAPI) -> None:
        output = Output()
        if url:
            link = await api.get_job_logfile_download_url(job_id)
            output.result({"url": link}, link)
            return
        text = await api.download_job_logfile(job_id, path)
        if path is None:
            output.result({"id": job_id, "log": text}, text)
        else:
            said = f"Logfile for job '{job_id}' written to '{path}'"
            output.result({"id": job_id, "path": str(path)}, said)

    run(work)


@jobs.command()
def download(job_id: OneId, path: ToPath = None, url: Url = False) -> None:
    """Download the output of a job that is complete."""

    async def work(api: AsyncAPI) -> None:
        link = api.get_job_output_download_url if url else None
        await show_download(job_id, link, api.download_job_output, path)

    run(work)


add_changes(jobs)
