"""``asyncclient lfview``: views, and what they are made of, up and down; sharing; deletion."""

from __future__ import annotations

import enum
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from asyncclient.cli._api import add_api
from asyncclient.cli._commands import before, make_group
from asyncclient.cli._counts import counted
from asyncclient.cli._errors import OK, Missing, Problem
from asyncclient.cli._lfview_api import SERVICE
from asyncclient.cli._lfview_run import Url, run, run_reading
from asyncclient.cli._many import confirm, each, show_outcomes
from asyncclient.cli._options import Yes
from asyncclient.cli._output import Output
from asyncclient.cli._tables import pairs_table

if TYPE_CHECKING:
    from asyncclient.lfview import AsyncSession, AsyncUnauthenticatedSession

__all__ = ["lfview", "unsigned"]

lfview = make_group(
    "lfview", "LF View. Uses the key in LFVIEW_API_KEY. The service cannot list views: keep the URLs of yours."
)

_IMAGES: Final = (".png", ".jpg", ".jpeg", ".gif")


class Role(enum.StrEnum):
    """What an invited person may do."""

    editor = "editor"
    spectator = "spectator"


@lfview.command()
def upload(
    paths: Annotated[
        list[Path],
        typer.Argument(metavar="PATH", help="Folders of `lfview download`, tables of points (.csv), images."),
    ],
    name: Annotated[str | None, typer.Option(help="Of a new view. Default: the name of the file.")] = None,
    thumbnail: Annotated[Path | None, typer.Option(help="A PNG that shows the view.")] = None,
) -> None:
    """Upload views, points and images, and print their URLs.

    A table has a line of headings, then x, y, z and any further columns of numbers: it becomes a view of points. A folder
    becomes a new view. An image is uploaded alone, for views that are made by programs.
    """
    from asyncclient._transfers.hops import DISK, run_hop

    before(lambda: _check(paths, thumbnail))

    async def work(session: AsyncSession) -> int:
        rows = []
        for path in paths:
            resource = await run_hop(_read, path, name, crew=DISK)
            options: dict[str, Any] = {} if thumbnail is None else {"thumbnail": thumbnail}
            rows.append({"path": str(path), "url": await session.upload(resource, **options)})
        Output().result(rows, "\n".join(row["url"] for row in rows))
        return OK

    run(work)


def _check(paths: Sequence[Path], thumbnail: Path | None) -> None:
    for path in (*paths, *([thumbnail] if thumbnail is not None else [])):
        if not path.exists():
            raise Missing(f"{path}: there is no such file or folder")
    for path in paths:
        if path.is_file() and path.suffix.lower() not in (".csv", *_IMAGES):
            raise Problem(f"{path}: is neither a table (.csv) nor an image ({', '.join(_IMAGES)})")


def _read(path: Path, name: str | None) -> Any:
    from asyncclient.cli._lfview_folder import read_folder, read_points
    from asyncclient.lfview.files import Image

    if path.is_dir():
        resource: Any = read_folder(path)
        if name is not None:
            resource.name = name
        return resource
    return read_points(path, name or path.stem) if path.suffix.lower() == ".csv" else Image(path)


@lfview.command()
def download(
    url: Url,
    folder: Annotated[Path, typer.Argument(metavar="FOLDER", help="Where to write it; made if it is missing.")],
    allow_failure: Annotated[bool, typer.Option("--allow-failure", help="Leave out what cannot be fetched.")] = False,
) -> None:
    """Download a view and everything in it to a folder: `view.json`, images, and arrays as raw numbers."""
    from asyncclient._transfers.hops import DISK, run_hop
    from asyncclient.cli._lfview_folder import write_folder

    before(lambda: _check_folder(folder))

    async def work(session: AsyncUnauthenticatedSession) -> int:
        found = await session.download(url, copy=True, allow_failure=allow_failure)
        if isinstance(found, str):
            raise Missing(f"{found.partition('?')[0]}: cannot be fetched")
        count = await run_hop(write_folder, found, folder, crew=DISK)
        said = f"Downloaded {counted(count, 'resource')} to '{folder}'"
        Output().result({"url": url, "path": str(folder), "resources": count}, said)
        return OK

    run_reading(work)


def _check_folder(folder: Path) -> None:
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise Problem(f"{folder}: is there already, and not an empty folder")


@lfview.command()
def get(url: Url) -> None:
    """Show a view or another resource, without its content; what it points to is shown as URLs."""

    async def work(session: AsyncUnauthenticatedSession) -> None:
        from asyncclient.lfview._downloading import read_object

        _, metadata = await read_object(session, url)
        found = {**metadata.data, "links": unsigned(metadata.links)}
        Output().result(found, pairs_table("resource", found.items()))

    run_reading(work)


def unsigned(links: Mapping[str, str]) -> dict[str, str]:
    """Return links without their queries, which may hold signatures."""
    return {name: link.partition("?")[0] for name, link in links.items()}


@lfview.command()
def share(
    url: Url,
    email: Annotated[str, typer.Argument(help="Of the person.")],
    role: Annotated[Role, typer.Option(help="What the person may do.")] = Role.spectator,
    send_email: Annotated[bool, typer.Option("--send-email", help="The service mails the link.")] = False,
    message: Annotated[str | None, typer.Option(help="Text of that mail.")] = None,
) -> None:
    """Give somebody access to a view."""

    async def work(session: AsyncSession) -> None:
        await session.invite_to_view(url, email, f"view.{role.value}", send_email, message)
        Output().result({"url": url, "email": email, "role": f"view.{role.value}"}, f"{email}: {role.value}")

    run(work)


@lfview.command()
def delete(
    urls: Annotated[list[str], typer.Argument(metavar="URL", help="Of views or other resources.")],
    yes: Yes = False,
) -> None:
    """Delete views or other resources; what they point to stays."""

    async def work(session: AsyncSession) -> int:
        if not confirm(f"Delete {counted(len(urls), 'resource')}?", yes=yes):
            return OK

        async def remove(url: str) -> Mapping[str, Any]:
            await session.delete(url)
            return {}

        rows = await each(urls, remove, lambda url: {"url": url})
        return show_outcomes(rows, lambda row: f"Deleted {row['url']}", "url")

    run(work)


add_api(lfview, "lfview", SERVICE)
