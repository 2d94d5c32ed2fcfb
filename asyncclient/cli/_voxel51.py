"""``asyncclient voxel51``: the commands of the Voxel51 Platform's own tool."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from asyncclient.cli._api import add_api
from asyncclient.cli._commands import make_group
from asyncclient.cli._output import Output
from asyncclient.cli._tables import simple_table
from asyncclient.cli._voxel51_analytics import analytics
from asyncclient.cli._voxel51_api import SERVICE
from asyncclient.cli._voxel51_auth import auth
from asyncclient.cli._voxel51_data import data
from asyncclient.cli._voxel51_jobs import jobs
from asyncclient.cli._voxel51_run import run

if TYPE_CHECKING:
    from asyncclient.voxel51 import AsyncAPI

__all__ = ["voxel51"]

voxel51 = make_group("voxel51", "The Voxel51 Platform: data, jobs, analytics.", version=True)
for group in (auth, data, jobs, analytics):
    voxel51.add_typer(group)


@voxel51.command()
def status(
    platform: Annotated[bool, typer.Option("-p", "--platform", help="Only of the platform.")] = False,
    jobs_cluster: Annotated[bool, typer.Option("-j", "--jobs-cluster", help="Only of the jobs cluster.")] = False,
) -> None:
    """Show whether the platform's services are operational."""
    wanted = [name for name, flag in (("platform", platform), ("jobs", jobs_cluster)) if flag]

    async def work(api: AsyncAPI) -> None:
        found = await api.get_platform_status()
        statuses = {name: entry for name, entry in found.items() if not wanted or name in wanted}
        rows = [[name, entry.get("operational"), entry.get("message")] for name, entry in statuses.items()]
        Output().result(statuses, simple_table(["service", "operational", "message"], rows))

    run(work)


add_api(voxel51, "voxel51", SERVICE)
