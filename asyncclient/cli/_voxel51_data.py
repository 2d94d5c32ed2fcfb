"""``asyncclient voxel51 data``."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from asyncclient.cli._commands import make_group
from asyncclient.cli._errors import complain
from asyncclient.cli._output import Output, bars, status_of
from asyncclient.cli._tables import simple_table
from asyncclient.cli._voxel51_batch import (
    All,
    Choice,
    Date,
    Days,
    DryRun,
    Force,
    Ids,
    SomeIds,
    Words,
    change,
    details,
    ttl_of,
)
from asyncclient.cli._voxel51_lists import Ascending, Count, Limit, Search, SortBy, ordered
from asyncclient.cli._voxel51_run import AllFields, PrintId, run, show_download
from asyncclient.cli._voxel51_tables import DATA, human_bytes, records_table
from asyncclient.errors import AsyncClientError

if TYPE_CHECKING:
    from asyncclient.types import Progress
    from asyncclient.voxel51 import AsyncAPI

__all__ = ["data"]

data = make_group("data", "Uploaded data.")

_AT_A_TIME: Final = 8

OneId = Annotated[str, typer.Argument(metavar="ID", help="Id.", show_default=False)]
ToPath = Annotated[Path | None, typer.Option("-p", "--path", help="Where to write it.", show_default=False)]
Url = Annotated[bool, typer.Option("-u", "--url", help="Print a signed URL, and fetch nothing.")]


@data.command("list")
def list_(
    limit: Limit = -1,
    search: Search = None,
    sort_by: SortBy = "upload_date",
    ascending: Ascending = False,
    all_fields: AllFields = False,
    count: Count = False,
) -> None:
    """List data, newest first."""

    async def work(api: AsyncAPI) -> None:
        from asyncclient.voxel51 import DataQuery

        query = ordered(DataQuery(), limit, sort_by, ascending=ascending)
        if search:
            query.add_search_direct(search)
        rows: Sequence[Mapping[str, Any]] = (await api.query_data(query))["data"]
        text = records_table(rows, DATA, every=all_fields)
        if count:
            total = sum(size for row in rows if isinstance(size := row.get("size"), int) and size > 0)
            text += f"\n\nShowing {len(rows)} data, {human_bytes(total)}\n"
        Output().result(rows, text)

    run(work)


@data.command()
def info(
    ids: SomeIds,
    all_fields: AllFields = False,
) -> None:
    """Show the details of data."""

    async def work(api: AsyncAPI) -> int:
        answers = api.batch_get_data_details(ids)
        return await details(answers, "data", Output(), lambda rows: records_table(rows, DATA, every=all_fields))

    run(work)


@data.command()
def upload(
    paths: Annotated[list[Path], typer.Argument(metavar="PATH", help="Files.", show_default=False)],
    print_id: PrintId = False,
) -> None:
    """Upload files, several at a time. What could not be uploaded is said at the end; the exit code is then 1."""
    output = Output()

    async def work(api: AsyncAPI) -> int:
        done, failures = [], []
        with bars() as report:
            for path, found in await _sent(api, paths, report, None if print_id else output):
                if isinstance(found, Exception):
                    failures.append(f"{path}: {found}")
                else:
                    done.append({**found, "path": str(path)})
        columns = list(dict.fromkeys(name for row in done for name in row))
        text = "\n".join(row["id"] for row in done)
        if not print_id:
            text = f"\n{simple_table(columns, [[row.get(name) for name in columns] for row in done])}\n"
        output.result(done, text if done else None)
        for failure in failures:
            complain(failure)
        return status_of(len(failures))

    run(work)


async def _sent(
    api: AsyncAPI, paths: Sequence[Path], report: Callable[[Progress], None] | None, output: Output | None
) -> list[tuple[Path, Any]]:
    """Upload files and return for each, in order, what the platform says, or the error."""

    async def send(path: Path) -> tuple[Path, Any]:
        if output is not None:
            output.say(f"Uploading data '{path}'")
        try:
            return path, await api.upload_data(path, on_progress=report)
        except (AsyncClientError, OSError) as error:
            return path, error

    return await api.thread_map(send, paths, _AT_A_TIME)


@data.command("post-url")
def post_url(
    url: Annotated[str, typer.Option("-u", "--url", help="Where the file stays.")],
    filename: Annotated[str, typer.Option("-f", "--filename", help="What it is called.")],
    mime_type: Annotated[str, typer.Option("-m", "--mime-type", help="Its media type.")],
    size: Annotated[int, typer.Option("-s", "--size", help="Its bytes.")],
    expiration_date: Annotated[str, typer.Option("-e", "--expiration-date", help="Until when it stays there.")],
    print_id: PrintId = False,
) -> None:
    """Register a file that stays at a URL."""

    async def work(api: AsyncAPI) -> None:
        row: Mapping[str, Any] = await api.post_data_as_url(url, filename, mime_type, size, expiration_date)
        table = f"\n{simple_table(list(row), [list(row.values())])}\n"
        Output().result(row, str(row["id"]) if print_id else table)

    run(work)


@data.command()
def download(data_id: OneId, path: ToPath = None, url: Url = False) -> None:
    """Download data. What an interrupted download has left behind is used by the next."""

    async def work(api: AsyncAPI) -> None:
        link = api.get_data_download_url if url else None
        await show_download(data_id, link, api.download_data, path)

    run(work)


@data.command()
def ttl(
    ids: Ids = None,
    days: Days = None,
    date: Date = None,
    everything: All = False,
    force: Force = False,
    dry_run: DryRun = False,
) -> None:
    """Change when data expires."""
    words = Words("data to update TTL", "failed to update TTL of data", "data TTL(s) updated")

    async def work(api: AsyncAPI) -> int:
        when = ttl_of(days, date)
        choice = Choice(ids or (), everything, force, dry_run)
        act = lambda chosen: api.batch_update_data_ttl(chosen, **when)  # noqa: E731
        return await change(choice, words, Output(), find=api.list_data, act=act)

    run(work)


@data.command()
def delete(
    ids: Ids = None,
    everything: All = False,
    force: Force = False,
    dry_run: DryRun = False,
) -> None:
    """Delete data."""
    words = Words("data to delete", "failed to delete data", "data deleted")

    async def work(api: AsyncAPI) -> int:
        choice = Choice(ids or (), everything, force, dry_run)
        return await change(choice, words, Output(), find=api.list_data, act=api.batch_delete_data)

    run(work)
