"""``asyncclient voxel51 analytics``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from asyncclient.cli._commands import make_group
from asyncclient.cli._output import Output, bars
from asyncclient.cli._tables import pairs_table
from asyncclient.cli._voxel51_batch import Force, SomeIds, details
from asyncclient.cli._voxel51_data import OneId, ToPath
from asyncclient.cli._voxel51_jobs import print_or_write
from asyncclient.cli._voxel51_lists import Ascending, Count, Limit, Search, SortBy, ordered
from asyncclient.cli._voxel51_run import AllFields, PrintId, run
from asyncclient.cli._voxel51_tables import ANALYTICS, records_table

if TYPE_CHECKING:
    from asyncclient.voxel51 import AsyncAPI

__all__ = ["analytics"]

analytics = make_group("analytics", "Analytics.")

_FLAGS: Final = ("supports_cpu", "supports_gpu", "is_image_to_video")


@analytics.command("list")
def list_(
    limit: Limit = -1,
    search: Search = None,
    sort_by: SortBy = "upload_date",
    ascending: Ascending = False,
    all_fields: AllFields = False,
    count: Count = False,
    all_versions: Annotated[bool, typer.Option("--all-versions", help="Older versions too.")] = False,
    public: Annotated[bool, typer.Option("--public", help="Public analytics.")] = False,
    user: Annotated[bool, typer.Option("--user", help="Your own analytics.")] = False,
    include_pending: Annotated[bool, typer.Option("--include-pending", help="Pending ones too (default).")] = False,
    exclude_pending: Annotated[bool, typer.Option("--exclude-pending", help="No pending analytics.")] = False,
    pending_only: Annotated[bool, typer.Option("--pending-only", help="Only pending analytics.")] = False,
) -> None:
    """List analytics, newest first."""
    scopes = [name for name, flag in (("public", public), ("user", user)) if flag]
    terms = [f"scope:{'|'.join(scopes)}"] if scopes else []
    terms += [search] if search else []
    if "pending:" not in (search or ""):
        terms += ["pending:True"] if pending_only else []
        terms += ["pending:False"] if exclude_pending else []

    async def work(api: AsyncAPI) -> None:
        from asyncclient.voxel51 import AnalyticsQuery

        query = ordered(AnalyticsQuery(), limit, sort_by, ascending=ascending).set_all_versions(all_versions)
        for term in terms:
            query.add_search_direct(term)
        rows: Sequence[Mapping[str, Any]] = (await api.query_analytics(query))["analytics"]
        text = records_table(rows, ANALYTICS, every=all_fields)
        Output().result(rows, text + (f"\n\nFound {len(rows)} analytic(s)\n" if count else ""))

    run(work)


@analytics.command()
def info(
    ids: SomeIds,
    all_fields: AllFields = False,
) -> None:
    """Show the details of analytics."""

    async def work(api: AsyncAPI) -> int:
        answers = api.batch_get_analytic_details(ids)
        return await details(
            answers, "analytic", Output(), lambda rows: records_table(rows, ANALYTICS, every=all_fields)
        )

    run(work)


@analytics.command()
def doc(analytic_id: OneId, path: ToPath = None) -> None:
    """Show the documentation of an analytic, as JSON."""

    async def work(api: AsyncAPI) -> None:
        found = await api.get_analytic_doc(analytic_id)
        print_or_write(found, path, f"Documentation for analytic '{analytic_id}'", Output())

    run(work)


@analytics.command()
def upload(
    path: Annotated[Path, typer.Argument(help="The documentation file, JSON.", show_default=False)],
    analytic_type: Annotated[
        str | None, typer.Option("-t", "--analytic-type", help="PLATFORM or IMAGE_TO_VIDEO.", show_default=False)
    ] = None,
    print_id: PrintId = False,
) -> None:
    """Register a new analytic."""

    async def work(api: AsyncAPI) -> None:
        row: Mapping[str, Any] = await api.upload_analytic(path, analytic_type)
        names = ("name", "version", "scope", "id", *_FLAGS, "description")
        rows = [(name, bool(row.get(name)) if name in _FLAGS else row.get(name)) for name in names]
        Output().result(row, str(row["id"]) if print_id else pairs_table("Analytic", rows))

    run(work)


@analytics.command("upload-image")
def upload_image(
    analytic_id: Annotated[str, typer.Option("-i", "--id", help="Id of the analytic.")],
    path: Annotated[Path, typer.Option("-p", "--path", help="A .tar, .tar.gz or .tar.bz file.")],
    image_type: Annotated[str, typer.Option("-t", "--image-type", help="CPU or GPU.")],
) -> None:
    """Upload the container image of an analytic."""

    async def work(api: AsyncAPI) -> None:
        with bars() as report:
            await api.upload_analytic_image(analytic_id, path, image_type, on_progress=report)
        said = f"{image_type.upper()} image for analytic {analytic_id} uploaded"
        Output().result({"id": analytic_id, "image_type": image_type.upper()}, said)

    run(work)


@analytics.command()
def delete(
    ids: Annotated[list[str], typer.Argument(metavar="ID", help="Ids.", show_default=False)],
    force: Force = False,
) -> None:
    """Delete analytics of your own."""

    async def work(api: AsyncAPI) -> None:
        output = Output()
        output.say(f"Found {len(ids)} analytic(s) to delete")
        if not force and not output.confirmed():
            return
        for analytic_id in ids:
            await api.delete_analytic(analytic_id)
            output.say(f"Analytic '{analytic_id}' deleted")
        output.result({"deleted": ids}, None)

    run(work)
