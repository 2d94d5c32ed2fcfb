"""What all parts of the API share: a database, a storage, and files whose rows are gone."""

from __future__ import annotations

import abc
import datetime as dt
import logging
from collections.abc import AsyncIterator, Iterable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager
from types import TracebackType
from typing import Any, ClassVar, Final, Self

import anyio
from sqlalchemy import ColumnElement, and_, delete, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from asyncclient.sticky_pi._database import Database
from asyncclient.sticky_pi._inputs import moment, text
from asyncclient.sticky_pi._spec import Rows
from asyncclient.sticky_pi._storage_base import AsyncBaseStorage
from asyncclient.sticky_pi._tables import deletions, images
from asyncclient.sticky_pi.utils import string_to_datetime

__all__ = ["IMAGE", "TUBOID", "APIBase"]

_log: Final = logging.getLogger(__name__)

IMAGE: Final = "image"
TUBOID: Final = "tuboid"
_SWEEP: Final = 256
_DEVICES: Final = 64
"""In one query: SQLite has a limit on how deeply conditions are nested, and each is a query plan of its own."""


class APIBase(abc.ABC):
    """Opens database and storage with the first call, or with ``async with``; belongs to one event loop.

    Args:
        api_conf: The configuration.
    """

    _get_image_chunk_size: ClassVar[int] = 512

    def __init__(self, api_conf: Mapping[str, Any], *args: Any, **kwargs: Any) -> None:
        self._configuration = api_conf
        self._database = self._make_database()
        self._storage = self._make_storage()
        self._opening: anyio.Lock | None = None
        self._open = False

    @abc.abstractmethod
    def _make_database(self) -> Database:
        """Return the database that the configuration names."""

    @abc.abstractmethod
    def _make_storage(self) -> AsyncBaseStorage:
        """Return the storage that the configuration names."""

    def __repr__(self) -> str:
        return f"<{type(self).__name__} on {self._database!r}>"

    # --- life --------------------------------------------------------------------------------------------------------

    async def __aenter__(self) -> Self:
        try:
            await self._ready()
        except BaseException:  # there will be no __aexit__
            await self.aclose()
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """Close database and storage. May be repeated; the next call opens them again."""
        self._open = False
        with anyio.CancelScope(shield=True):
            try:
                await self._database.aclose()
            finally:
                await self._storage.aclose()

    async def _ready(self) -> None:
        if self._open:
            return
        if self._opening is None:
            self._opening = anyio.Lock()
        async with self._opening:
            if not self._open:
                await self._start()
                self._open = True

    async def _start(self) -> None:
        await self._storage.open()
        try:
            await self._database.open()
            await self._sweep_leftovers()
        except BaseException:
            await self.aclose()
            raise

    @asynccontextmanager
    async def _read(self) -> AsyncIterator[AsyncConnection]:
        await self._ready()
        async with self._database.read() as connection:
            yield connection

    @asynccontextmanager
    async def _write(self) -> AsyncIterator[AsyncConnection]:
        await self._ready()
        async with self._database.write() as connection:
            yield connection

    # --- images by what identifies them ------------------------------------------------------------------------------

    async def _find_images(
        self, connection: AsyncConnection, info: Iterable[Mapping[str, Any]], columns: Sequence[Any] = (images,)
    ) -> Rows:
        """Return the rows of images given by device and datetime, each once, in the order of their ids.

        Args:
            connection: Within a transaction.
            info: Dicts with ``device`` and ``datetime``.
            columns: What is shown of each; ``id`` is one of them.
        """
        wanted = {(self._database.equal_value(text(entry, "device")), moment(entry, "datetime")) for entry in info}
        found = {}
        for group in _groups(sorted(wanted), self._get_image_chunk_size):
            rows = await connection.execute(select(*columns).where(self._any_of(group)))
            names = list(map(str, rows.keys()))  # the columns' own are of a kind of str that slows JSON down
            for row in rows:
                shown = dict(zip(names, row, strict=True))  # several times as fast as the row's own mapping
                found[shown["id"]] = shown
        return [found[number] for number in sorted(found)]

    def _any_of(self, keys: Mapping[str, Sequence[dt.datetime]]) -> ColumnElement[bool]:
        # Pairs in one IN would read better, but SQLite goes through the whole table for them.
        device = self._database.equal(images.c.device)
        return or_(*[and_(device == name, images.c.datetime.in_(moments)) for name, moments in keys.items()])

    # --- files whose rows are gone -----------------------------------------------------------------------------------
    #
    # A row is deleted together with a note that its files have to go; the note goes with the files. Who stores the
    # same name again deletes the note in the transaction that shows the new files, so nobody removes those.

    async def _note_deletions(self, connection: AsyncConnection, kind: str, names: Sequence[str]) -> None:
        if names:
            await self._forget_deletions(connection, kind, names)
            await connection.execute(deletions.insert(), [{"kind": kind, "name": name} for name in names])

    async def _forget_deletions(self, connection: AsyncConnection, kind: str, names: Sequence[str]) -> None:
        for start in range(0, len(names), _SWEEP):
            chunk = names[start : start + _SWEEP]
            await connection.execute(delete(deletions).where(deletions.c.kind == kind, deletions.c.name.in_(chunk)))

    async def _sweep(self, kind: str, names: Sequence[str]) -> None:
        """Delete files, unless somebody has stored them again since their deletion was noted."""
        for start in range(0, len(names), _SWEEP):
            chunk = list(names[start : start + _SWEEP])
            noted = deletions.c.kind == kind, deletions.c.name.in_(chunk)
            async with self._write() as connection:
                rows = await connection.execute(select(deletions.c.name).where(*noted).with_for_update())
                for name in rows.scalars().all():
                    await self._delete_files(kind, name)
                await connection.execute(delete(deletions).where(*noted))

    async def _delete_files(self, kind: str, name: str) -> None:
        try:
            if kind == TUBOID:
                await self._storage.delete_tiled_tuboid_files({"tuboid_id": name})
            else:
                device, taken, _ = name.split(".")
                image = {"device": device, "datetime": string_to_datetime(taken, is_filename=True)}
                await self._storage.delete_image_files(image)
        except Exception:
            _log.error("Storage Error. Failed to delete %s %s", kind, name)
            raise

    async def _sweep_leftovers(self) -> None:
        """Finish what a process began that died; what fails again stays noted."""
        async with self._database.read() as connection:
            rows = (await connection.execute(select(deletions).limit(_SWEEP * 16))).all()
        self._open = True  # what follows is an ordinary use
        try:
            for kind in (IMAGE, TUBOID):
                await self._sweep(kind, [row.name for row in rows if row.kind == kind])
        except Exception as error:  # noqa: BLE001  # nobody asked for this; it must not keep the API from starting
            _log.warning("files of deleted records are still there: %s", error)
        finally:
            self._open = False


def _groups(keys: Sequence[tuple[str, dt.datetime]], most: int) -> Iterator[dict[str, list[dt.datetime]]]:
    """Yield datetimes by device: at most so many, and of few devices, at a time."""
    group: dict[str, list[dt.datetime]] = {}
    count = 0
    for device, taken in keys:
        if count == most or (len(group) == _DEVICES and device not in group):
            yield group
            group, count = {}, 0
        group.setdefault(device, []).append(taken)
        count += 1
    if group:
        yield group
