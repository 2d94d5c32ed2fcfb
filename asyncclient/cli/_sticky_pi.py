"""``asyncclient sticky-pi``: images, bundles, users, reports and the server of the Sticky Pi platform."""

from __future__ import annotations

import enum
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from asyncclient.cli._api import Describe, Group, Operation, Param, answer, complete
from asyncclient.cli._commands import SilentCommand, make_group
from asyncclient.cli._counts import counted
from asyncclient.cli._errors import FAILED, Missing, Problem, complain
from asyncclient.cli._many import confirm
from asyncclient.cli._options import Yes
from asyncclient.cli._output import Output
from asyncclient.cli._sticky_pi_api import catalogue, service
from asyncclient.cli._sticky_pi_run import (
    LOCAL_FOLDER,
    USER_DEFAULT,
    Device,
    End,
    Folder,
    Host,
    Start,
    User,
    Where,
    bars,
    moment,
    run,
    secret,
    shown_rows,
)
from asyncclient.cli._sticky_pi_serve import serve

if TYPE_CHECKING:
    from asyncclient.cli._sticky_pi_run import Client

__all__ = ["sticky_pi"]

sticky_pi = make_group(
    "sticky-pi",
    "The Sticky Pi platform: images of insect traps. Without --host everything is in a folder of this machine.",
)
sticky_pi.command(cls=SilentCommand)(serve)

_LOCAL = Path(LOCAL_FOLDER)
_FIRST, _LAST = "1970-01-01", "2100-01-01"


class What(enum.StrEnum):
    """Which rendition of an image its URL leads to."""

    metadata = "metadata"
    image = "image"
    thumbnail = "thumbnail"
    mini = "thumbnail-mini"


class Part(enum.StrEnum):
    """Which files of a bundle are meant."""

    all = "all"
    data = "data"
    model = "model"


_Part = Annotated[Part, typer.Option("--what", help="Which files of the bundle.")]
_Bundle = Annotated[str, typer.Argument(help="Name of the bundle.")]


@sticky_pi.command("put-images")
def put_images(
    paths: Annotated[list[Path], typer.Argument(metavar="DIR", help="Folders, searched to the ground, or files.")],
    local_dir: Folder = _LOCAL,
    host: Host = None,
    username: User = USER_DEFAULT,
    threads: Annotated[int, typer.Option(help="Files on their way at a time.", min=1, max=64)] = 8,
    skip_on_error: Annotated[
        bool, typer.Option(help="Leave out files that cannot be sent, and name them at the end.")
    ] = True,
) -> None:
    """Send the images that are not known yet. Files that have not changed are not read again.

    The exit code is 1 if files had to be left out.
    """

    async def work(client: Client) -> int:
        failures: list[Any] | None = [] if skip_on_error else None
        with bars() as show:
            rows = await client.put_images(list(_files(paths)), failures=failures, on_progress=show)
        left_out = [{"path": failure.path, "error": str(failure.error)} for failure in failures or ()]
        said = f"{counted(len(rows), 'image')} sent, {counted(len(left_out), 'file')} left out"
        Output().result(shown_rows({"sent": rows, "left_out": left_out}), said)
        for entry in left_out:
            complain(f"{entry['path']}: {entry['error']}", path=entry["path"])
        return FAILED if left_out else 0

    run(Where(local_dir, host, username), work, n_threads=threads)


def _files(paths: Sequence[Path]) -> Iterator[Path]:
    for path in paths:
        if path.is_dir():
            yield from sorted(file for file in path.rglob("*.jp*g") if file.is_file())
        elif path.exists():
            yield path
        else:
            raise Missing(f"there is no {path}")


@sticky_pi.command("get-image-series")
def get_image_series(
    device: Device = "%",
    start: Start = _FIRST,
    end: End = _LAST,
    what: Annotated[What, typer.Option(help="What the URL of each image leads to.")] = What.metadata,
    local_dir: Folder = _LOCAL,
    host: Host = None,
    username: User = USER_DEFAULT,
) -> None:
    """List the images of devices in a range of time."""

    async def work(client: Client) -> None:
        rows = await client.get_image_series([_range(device, start, end)], what.value)
        lines = [
            "  ".join(filter(None, (row["device"], str(row["datetime"]), row["md5"], row["url"])))
            for row in sorted(rows, key=lambda row: (row["device"], row["datetime"]))
        ]
        Output().result(shown_rows(rows), "\n".join(lines) or None)
        Output().note(counted(len(rows), "image"))

    run(Where(local_dir, host, username), work)


def _range(device: str, start: str, end: str) -> dict[str, Any]:
    found = {
        "device": device,
        "start_datetime": moment(start, "--start"),
        "end_datetime": moment(end, "--end"),
    }
    if found["end_datetime"] <= found["start_datetime"]:  # type: ignore[operator]  # both are datetimes
        raise Problem(f"the range ends before it starts: --start {start} --end {end}")
    return found


@sticky_pi.command("put-ml-bundle")
def put_ml_bundle(
    name: _Bundle,
    directory: Annotated[Path, typer.Argument(metavar="DIR", help="Its folder.", exists=True, file_okay=False)],
    what: _Part = Part.all,
    local_dir: Folder = _LOCAL,
    host: Host = None,
    username: User = USER_DEFAULT,
) -> None:
    """Send the files of a bundle that are missing there, or older and different.

    Files of a kind that bundles do not hold are left out, and named.
    """

    async def work(client: Client) -> None:
        left_out: list[str] = []
        with bars() as show:
            rows = await client.put_ml_bundle_dir(name, directory, what.value, left_out=left_out, on_progress=show)
        sent = _keys(rows)
        Output().result({"sent": sent, "left_out": [{"key": key} for key in left_out]}, _lines(sent))
        Output().note(f"{counted(len(sent), 'file')} sent, {counted(len(left_out), 'file')} left out")
        if left_out and not Output().as_json:
            complain(f"left out, as bundles hold no files of such kinds: {', '.join(left_out)}")

    run(Where(local_dir, host, username), work)


@sticky_pi.command("get-ml-bundle")
def get_ml_bundle(
    name: _Bundle,
    directory: Annotated[Path, typer.Argument(metavar="DIR", help="Its folder; named as the bundle.")],
    what: _Part = Part.all,
    local_dir: Folder = _LOCAL,
    host: Host = None,
    username: User = USER_DEFAULT,
) -> None:
    """Fetch the files of a bundle that are missing here, or older and different."""

    async def work(client: Client) -> None:
        with bars() as show:
            found = _keys(await client.get_ml_bundle_dir(name, directory, what.value, on_progress=show))
        Output().result(found, _lines(found))
        Output().note(f"{counted(len(found), 'file')} fetched")

    run(Where(local_dir, host, username), work)


def _keys(rows: Sequence[dict[str, Any]]) -> list[dict[str, str]]:
    return [{"key": row["key"], "md5": row["md5"]} for row in rows]  # without URLs: they are signed


def _lines(files: Sequence[dict[str, str]]) -> str | None:
    return "\n".join(file["key"] for file in files) or None


@sticky_pi.command()
def users(
    add: Annotated[
        str | None, typer.Option(metavar="NAME", help="Create this user; the password is asked for.")
    ] = None,
    delete: Annotated[str | None, typer.Option(metavar="NAME", help="Delete this user.")] = None,
    email: Annotated[str | None, typer.Option(help="Of the new user.")] = None,
    admin: Annotated[bool, typer.Option("--admin", help="The new user is an administrator.")] = False,
    yes: Yes = False,
    read_only: Annotated[bool, typer.Option("--read-only", help="The new user may not write.")] = False,
    local_dir: Folder = _LOCAL,
    host: Host = None,
    username: User = USER_DEFAULT,
) -> None:
    """List the users, or create or delete one. The password of a new user may be in STICKY_PI_NEW_PASSWORD."""

    async def work(client: Client) -> None:
        if add is not None:
            new = {"username": add, "password": secret("STICKY_PI_NEW_PASSWORD", f"Password of {add}: ")}
            await client.put_users([{**new, "email": email, "is_admin": admin, "can_write": not read_only}])
        if delete is not None and confirm(f"Delete the user {delete}?", yes=yes):
            await _delete_user(client, delete)
        rows = [_shown(row) for row in await client.get_users()]
        lines = [f"{row['username']}  {row['role']}  {row['email'] or ''}".rstrip() for row in rows]
        Output().result(shown_rows(rows), "\n".join(lines) or None)

    run(Where(local_dir, host, username), work)


async def _delete_user(client: Client, name: str) -> None:
    """Delete one user, by id: names are patterns to the API, and might match others."""
    found = [row["id"] for row in await client.get_users() if row["username"] == name]
    if not found:
        raise Missing(f"there is no user {name}")
    await client.delete_users([{"id": found[0]}])


def _shown(row: dict[str, Any]) -> dict[str, Any]:
    role = "reads" if not row["can_write"] else "administers" if row["is_admin"] else "writes"
    return {"id": row["id"], "username": row["username"], "email": row["email"], "role": role}


complete("sticky-pi", catalogue)


@sticky_pi.command()
def api(
    group: Group = None,
    operation: Operation = None,
    param: Param = None,
    describe: Describe = False,
    local_dir: Folder = _LOCAL,
    host: Host = None,
    username: User = USER_DEFAULT,
) -> None:
    """Call an operation and print its answer as JSON."""
    answer(service(Where(local_dir, host, username)), group, operation, param or (), describe=describe)


@sticky_pi.command()
def report(
    device: Device = "%",
    start: Start = _FIRST,
    end: End = _LAST,
    output: Annotated[Path, typer.Option("--output", "-o", help="The page to write.")] = Path("sticky-pi-report.html"),
    thumbnails: Annotated[int, typer.Option(help="Most pictures of a device.", min=0, max=500)] = 24,
    local_dir: Folder = _LOCAL,
    host: Host = None,
    username: User = USER_DEFAULT,
) -> None:
    """Write an HTML page: the activity of each device over time, and pictures with the annotated contours."""
    from asyncclient.cli._sticky_pi_report import write_report

    async def work(client: Client) -> None:
        devices = await write_report(client, _range(device, start, end), output, thumbnails)
        images = sum(len(each.shots) for each in devices)
        said = f"{output}: {counted(images, 'image')} of {counted(len(devices), 'device')}"
        Output().result({"path": str(output), "images": images, "devices": len(devices)}, said)

    run(Where(local_dir, host, username), work)
