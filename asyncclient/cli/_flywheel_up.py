"""Plans of uploads: which local file goes to which container, and which containers have to be made."""

from __future__ import annotations

import asyncio
import functools
from collections.abc import Iterable, Sequence
from contextlib import ExitStack
from pathlib import Path

from asyncclient.cli._errors import Problem
from asyncclient.cli._files import Item, scan
from asyncclient.cli._flywheel_homes import Folder, Home, make, prefixes, survey
from asyncclient.cli._flywheel_paths import Filter, left_behind, shown
from asyncclient.cli._flywheel_plan import Copy, Plan, Report, same_as
from asyncclient.cli._flywheel_run import Session
from asyncclient.cli._flywheel_tree import LEVELS, find, loaded
from asyncclient.errors import NotFound

__all__ = ["plan_upload"]


async def plan_upload(
    session: Session, source: Path, target: tuple[str, ...], wanted: Filter, *, recursive: bool
) -> Plan:
    """Plan the upload of a file, or of everything in a folder.

    Args:
        session: Of the user.
        source: The file or folder.
        target: A container, or for a file also the name it gets in one. Folders in the source are the levels below it;
            what does not exist yet, below the group, is made.
        wanted: Which files.
        recursive: Whether ``source`` may be a folder.

    Raises:
        Problem: It may not, and is one; it does not exist; it is a file that is not wanted; or it has more levels than
            the service.
    """
    if not target:
        raise Problem(f"{shown(target)}: name something in a group")
    items = await asyncio.to_thread(_local, source, wanted, recursive)
    if isinstance(items, Item):
        return await _of_file(session, items, target)
    return await _of_folder(session, items, target)


def _local(source: Path, wanted: Filter, recursive: bool) -> Item | list[Item]:
    """Return the file, or the wanted files of the folder."""
    if source.is_dir():
        if not recursive:
            raise Problem(f"{source}: is a folder; --recursive copies everything in it")
        return [item for item in scan(source) if wanted.takes(item.path.name) and not left_behind(item.path.name)]
    if not source.is_file():
        raise Problem(f"{source}: there is no such file")
    wanted.check(str(source), source.name)
    return Item(source, source.name, source.stat().st_size)


# --- one file --------------------------------------------------------------------------------------------------------


async def _of_file(session: Session, item: Item, target: tuple[str, ...]) -> Plan:
    name = item.name
    try:
        node = await find(session, target)
        if node.kind == "file":
            name = str(node.record.name)
            node = await find(session, target[: -2 if target[-2] == "files" else -1])
    except NotFound:
        if len(target) < 3:
            raise
        name = target[-1]
        node = await find(session, target[: -2 if target[-2] == "files" else -1])
    if node.kind not in LEVELS[1:]:
        raise Problem(f"{shown(node.steps)}: is of kind {node.kind}; files go to {', '.join(LEVELS[1:])}")
    home = Home(node.steps, node.kind, await loaded(session, node.kind, str(node.record.id)))
    return Plan([_copy(session, item, name, {(): home}, home.steps, ())])


# --- a folder --------------------------------------------------------------------------------------------------------


async def _of_folder(session: Session, items: Sequence[Item], target: tuple[str, ...]) -> Plan:
    lacking: Folder = ()
    _check_depth(items, len(target))
    base = target
    while (home := await _found(session, base)) is None:
        lacking, base = (base[-1], *lacking), base[:-1]
    folders = {item: (*lacking, *Path(item.name).parts[:-1]) for item in items}
    homes = await survey(session, home, prefixes([*folders.values(), lacking]))
    copies = [
        _copy(session, item, Path(item.name).name, homes, (*base, *folder), folder) for item, folder in folders.items()
    ]
    return Plan(copies, functools.partial(make, session, homes, prefixes(folders.values())))


def _check_depth(items: Iterable[Item], depth: int) -> None:
    """Refuse files that would lie in a group, or below an acquisition."""
    for item in items:
        levels = depth + len(Path(item.name).parts) - 1
        if levels > len(LEVELS):
            raise Problem(f"{item.name}: lies too deep; below an acquisition there are no folders")
        if levels < 2:
            raise Problem(f"{item.name}: a group holds no files; only the folders of projects may lie in one")


async def _found(session: Session, steps: tuple[str, ...]) -> Home | None:
    try:
        node = await find(session, steps)
    except NotFound:
        if len(steps) == 1:
            raise
        return None
    if node.kind not in LEVELS:
        raise Problem(f"{shown(steps)}: is of kind {node.kind}; files go to {', '.join(LEVELS[1:])}")
    return Home(steps, node.kind, await loaded(session, node.kind, str(node.record.id)))


def _copy(
    session: Session, item: Item, name: str, homes: dict[Folder, Home], steps: tuple[str, ...], folder: Folder
) -> Copy:
    """Plan one upload; the container is looked up when it is time, as it may have to be made first."""
    there = homes[folder].files().get(name) if folder in homes else None
    name = name if there is None else str(there.name)

    async def send(report: Report) -> None:
        home = homes[folder]
        await _send(session, item.path, name, home, report)

    async def same() -> bool:
        return there is not None and await same_as(item.path, there)

    return Copy(str(item.path), shown((*steps, name)), item.size_bytes, send, same)


async def _send(session: Session, path: Path, name: str, home: Home, report: Report) -> None:
    from asyncclient.flywheel import FileSpec

    upload = getattr(session.client, f"upload_file_to_{home.kind}")
    if name == path.name:
        await upload(str(home.record.id), FileSpec(path), on_progress=report)
        return
    with ExitStack() as stack:
        content = stack.enter_context(path.open("rb"))
        await upload(str(home.record.id), FileSpec(name, content), on_progress=report)
