"""Containers that uploaded files go to: those that exist, and those that are made."""

from __future__ import annotations

import functools
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, TypeVar

from asyncclient.cli._flywheel_paths import unique_names
from asyncclient.cli._flywheel_run import Session
from asyncclient.cli._flywheel_tree import LEVELS, loaded, named_children

__all__ = ["Folder", "Home", "make", "prefixes", "survey"]

R = TypeVar("R")

_AT_A_TIME: Final = 8

Folder = tuple[str, ...]
"""Path of a folder below the one that is copied; each level of it is a level of the service."""


@dataclass(frozen=True, slots=True)
class Home:
    """A container files go to.

    Attributes:
        steps: Path to it.
        kind: ``group`` to ``acquisition``.
        record: As the service sent it.
    """

    steps: tuple[str, ...]
    kind: str
    record: Any

    def files(self) -> dict[str, Any]:
        """Return its files by their safe names."""
        files = list(getattr(self.record, "files", None) or ())
        names = unique_names((str(file.name), str(file.file_id)) for file in files)
        return dict(zip(names, files, strict=True))

    @property
    def kind_below(self) -> str:
        """The kind of the containers in it."""
        return LEVELS[LEVELS.index(self.kind) + 1]


def prefixes(folders: Iterable[Folder]) -> list[Folder]:
    """Return all folders with those they lie in, the outer ones first."""
    found = {folder[:depth] for folder in folders for depth in range(1, len(folder) + 1)}
    return sorted(found, key=lambda folder: (len(folder), folder))


def _levels(folders: Sequence[Folder]) -> Iterable[list[Folder]]:
    for depth in range(1, 1 + max((len(folder) for folder in folders), default=0)):
        yield [folder for folder in folders if len(folder) == depth]


async def survey(session: Session, base: Home, folders: Sequence[Folder]) -> dict[Folder, Home]:
    """Return the containers that exist already."""
    homes: dict[Folder, Home] = {(): base}
    for level in _levels(folders):
        asked = [folder for folder in level if folder[:-1] in homes]
        parents = list(dict.fromkeys(folder[:-1] for folder in asked))
        rows = {parent: row async for parent, row in _each(session, functools.partial(_below, session, homes), parents)}
        there = [folder for folder in asked if folder[-1] in rows[folder[:-1]]]
        load = functools.partial(_load, session, homes, rows)
        homes.update({folder: home async for folder, home in _each(session, load, there)})
    return homes


async def _below(session: Session, homes: Mapping[Folder, Home], parent: Folder) -> dict[str, Any]:
    home = homes[parent]
    return await named_children(session, home.kind, str(home.record.id))


async def _load(
    session: Session, homes: Mapping[Folder, Home], rows: Mapping[Folder, Mapping[str, Any]], folder: Folder
) -> Home:
    above, row = homes[folder[:-1]], rows[folder[:-1]][folder[-1]]
    return Home((*above.steps, str(row.label)), above.kind_below, await loaded(session, above.kind_below, str(row.id)))


async def make(session: Session, homes: dict[Folder, Home], folders: Sequence[Folder]) -> None:
    """Make the containers that do not exist yet, the outer ones first, and note them in ``homes``."""
    for level in _levels(folders):
        lacking = [folder for folder in level if folder not in homes]
        add = functools.partial(_add, homes)
        homes.update({folder: home async for folder, home in _each(session, add, lacking)})


async def _add(homes: Mapping[Folder, Home], folder: Folder) -> Home:
    above = homes[folder[:-1]]
    record = await getattr(above.record, f"add_{above.kind_below}")(label=folder[-1])
    return Home((*above.steps, folder[-1]), above.kind_below, record)


async def _each(
    session: Session, work: Callable[[Folder], Awaitable[R]], items: Sequence[Folder]
) -> AsyncIterator[tuple[Folder, R]]:
    async def take(item: Folder) -> tuple[Folder, R]:
        return item, await work(item)

    async for pair in session.hub.map(take, items, concurrency=_AT_A_TIME):
        yield pair
