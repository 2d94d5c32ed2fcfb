"""The hierarchy of Flywheel as the commands walk it: what a path names, and what lies below."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from asyncclient.cli._errors import Problem
from asyncclient.cli._flywheel_paths import Filter, shown, unique_names
from asyncclient.cli._flywheel_run import Session
from asyncclient.errors import NotFound

__all__ = ["CHILDREN", "LEVELS", "Node", "RemoteFile", "files_below", "find", "loaded", "named_children", "step_of"]

LEVELS: Final = ("group", "project", "subject", "session", "acquisition")
CHILDREN: Final = {"group": "projects", "project": "subjects", "subject": "sessions", "session": "acquisitions"}
_AT_A_TIME: Final = 8


@dataclass(frozen=True, slots=True)
class Node:
    """What a path names.

    Attributes:
        steps: The path.
        kind: ``group`` to ``acquisition``, ``analysis``, ``file``; ``site`` for the empty path.
        record: As the service sent it; None for the site.
        children: What lies below, containers first, as the service sent it.
    """

    steps: tuple[str, ...]
    kind: str
    record: Any = None
    children: tuple[Any, ...] = ()


@dataclass(frozen=True, slots=True)
class RemoteFile:
    """A file of the service.

    Attributes:
        steps: The path to it.
        place: Safe names of folders and file, from where the walk began.
        record: As the service sent it, with the container it lies in.
    """

    steps: tuple[str, ...]
    place: tuple[str, ...]
    record: Any

    @property
    def size_bytes(self) -> int:
        """Its size, 0 if the service does not say."""
        return self.record.size or 0


def step_of(record: Any) -> str:
    """Return what a record is called in a path."""
    if record.container_type == "file":
        return str(record.name)
    return str(record.id if record.container_type == "group" else record.label)


async def find(session: Session, steps: tuple[str, ...]) -> Node:
    """Return what a path names; a file may be named with or without the word ``files`` before it.

    Raises:
        NotFound: There is nothing.
        Problem: The path ends in the word ``files`` or ``analyses``.
    """
    try:
        found = await session.client.resolve(list(steps))
    except NotFound:
        if len(steps) < 3 or steps[-2] == "files":
            raise
        found = await _file(session, steps)
    if not steps:
        return Node((), "site", None, tuple(found.children or ()))
    if steps[-1] in ("files", "analyses") and step_of(found.path[-1]) != steps[-1]:
        raise Problem(f"{shown(steps)}: names no container and no file")
    record = found.path[-1]
    return Node(steps, record.container_type, record, tuple(found.children or ()))


async def _file(session: Session, steps: tuple[str, ...]) -> Any:
    try:
        return await session.client.resolve([*steps[:-1], "files", steps[-1]])
    except NotFound as error:
        raise NotFound(f"{shown(steps)}: there is no such container or file", status=error.status) from error


async def loaded(session: Session, kind: str, container_id: str) -> Any:
    """Fetch a container with its files."""
    return await getattr(session.client, f"get_{kind}")(container_id)


async def named_children(session: Session, kind: str, container_id: str) -> dict[str, Any]:
    """Return the containers directly below one, by the safe names of their labels."""
    if kind not in CHILDREN:
        return {}
    operation = f"get_{kind}_{CHILDREN[kind]}"
    rows = [row async for row in session.client.iterate(operation, **{f"{kind}_id": container_id, "limit": 250})]
    return dict(zip(unique_names((str(row.label or ""), str(row.id)) for row in rows), rows, strict=True))


async def files_below(session: Session, node: Node, wanted: Filter) -> list[RemoteFile]:
    """Return the wanted files of a container and of all below it, level by level; those of analyses are not among them."""
    found: list[RemoteFile] = []
    level: list[tuple[tuple[str, ...], tuple[str, ...], str, str]] = [(node.steps, (), node.kind, str(node.record.id))]

    async def look(entry: tuple[tuple[str, ...], tuple[str, ...], str, str]) -> Any:
        _, _, kind, identity = entry
        return entry, await loaded(session, kind, identity), await named_children(session, kind, identity)

    while level:
        below = []
        async for (steps, place, kind, _), record, children in session.hub.map(look, level, concurrency=_AT_A_TIME):
            found += _files(steps, place, record, set(children), wanted)
            for name, row in children.items():
                child = LEVELS[LEVELS.index(kind) + 1]
                below.append(((*steps, str(row.label)), (*place, name), child, str(row.id)))
        level = below
    return found


def _files(
    steps: tuple[str, ...], place: tuple[str, ...], record: Any, folders: set[str], wanted: Filter
) -> list[RemoteFile]:
    files = list(getattr(record, "files", None) or ())
    # Folders come first: their names are taken when the files get theirs.
    taken = [*((name, "") for name in sorted(folders)), *((str(file.name), str(file.file_id)) for file in files)]
    names = unique_names(taken)[len(folders) :]
    return [
        RemoteFile((*steps, str(file.name)), (*place, name), file)
        for file, name in zip(files, names, strict=True)
        if wanted.takes(str(file.name), file.type)
    ]
