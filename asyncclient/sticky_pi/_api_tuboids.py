"""The part of the API that keeps tiled tuboids and their labels."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any, Final, NamedTuple

import anyio
from sqlalchemy import delete, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from asyncclient._transfers.hops import DISK, run_hop
from asyncclient.sticky_pi._api_base import TUBOID
from asyncclient.sticky_pi._api_series import SeriesPart
from asyncclient.sticky_pi._inputs import (
    check_columns,
    check_what,
    choose,
    info_list,
    insertable,
    moment,
    pieces,
    row_of,
    text,
    values_of,
    whole_number,
    with_stamp,
)
from asyncclient.sticky_pi._permissions import user_id
from asyncclient.sticky_pi._refusals import AlreadyStored, BadInput, BadUpload, DoesNotFit, NotStored
from asyncclient.sticky_pi._spec import ClientInfo, Info, Rows
from asyncclient.sticky_pi._staging import Staged, as_bytes
from asyncclient.sticky_pi._storage_keys import tuboid_keys
from asyncclient.sticky_pi._tables import itc_labels, tuboid_series, tuboids
from asyncclient.sticky_pi.utils import string_to_datetime

__all__ = ["TuboidsPart"]

_IDENTITY: Final = ("device", "start_datetime", "end_datetime", "algo_name", "algo_version")
_COUNTS: Final = ("n_images", "n_tuboids")
_SHOWN_OF_SERIES: Final = ("algo_name", "algo_version", "n_tuboids", "device", "start_datetime", "end_datetime")
_REQUIRED_OF_LABELS: Final = ("algo_name", "algo_version", "pattern", "type")
_SHOT_FIELDS: Final = 4
_MAX_METADATA: Final = 16 * 1024 * 1024


class _Shots(NamedTuple):
    """What the metadata of a tuboid say.

    Attributes:
        number: How many shots there are.
        first: When the first one was taken.
        last: When the last one was taken.
    """

    number: int
    first: dt.datetime
    last: dt.datetime


class TuboidsPart(SeriesPart):
    """Tuboids and labels: stored, listed and deleted."""

    # --- listing -----------------------------------------------------------------------------------------------------

    async def get_tiled_tuboid_series(
        self, info: Info, what: str = "metadata", client_info: ClientInfo | None = None
    ) -> Rows:
        """List the tuboids of series; see :meth:`AsyncBaseAPISpec.get_tiled_tuboid_series`."""
        entries, what = info_list(info), check_what(what, ("metadata", "data"))
        conditions = [self._inside(entry) for entry in entries]
        of_series = [tuboid_series.c[name].label(f"{name}_series") for name in _SHOWN_OF_SERIES]
        query = select(tuboids, *of_series).join(tuboid_series, tuboid_series.c.id == tuboids.c.parent_series_id)
        found: Rows = []
        async with self._read() as connection:
            for entry, condition in zip(entries, conditions, strict=True):
                rows = (await connection.execute(query.where(*condition).order_by(tuboids.c.id))).mappings().all()
                self._warn_if_none(entry, rows)
                found += [self._with_files(dict(row), what) for row in rows]
        return found

    def _inside(self, entry: Mapping[str, Any]) -> tuple[Any, ...]:
        start, end = self._range(entry)
        like = self._database.like(tuboid_series.c.device, text(entry, "device"))
        return like, tuboid_series.c.start_datetime >= start, tuboid_series.c.end_datetime <= end

    def _with_files(self, row: Mapping[str, Any], what: str) -> dict[str, Any]:
        return {**row, **(self._storage.get_urls_for_tiled_tuboids(row) if what == "data" else {})}

    # --- storing -----------------------------------------------------------------------------------------------------

    async def _put_tiled_tuboids(self, files: Any, client_info: ClientInfo | None = None) -> Rows:
        """Store tuboids, from the end of the list to its start: those before a refused one stay.

        Args:
            files: Dicts with ``tuboid_id``, ``series_info``, and the files ``metadata``, ``tuboid`` and ``context``:
                paths, open files or bytes.
            client_info: Who stores them.
        """
        stored: Rows = []
        for entry in reversed(info_list(files, name="files")):
            stored.append(await self._put_tuboid(entry, client_info))
        return stored

    async def _put_tuboid(self, entry: Mapping[str, Any], client_info: ClientInfo | None) -> dict[str, Any]:
        name = text(entry, "tuboid_id")
        tuboid_keys(name)  # refuses names that lead elsewhere
        number = _number_of(name)
        shots = await run_hop(_read_shots, choose(entry, "metadata"), crew=DISK)
        series = await self._series_for(choose(entry, "series_info"))
        _check_bounds(shots, series)
        values = {"parent_series_id": series["id"], "tuboid_id": name, "id_in_series": number, "n_shots": shots.number}
        values |= {"start_datetime": shots.first, "end_datetime": shots.last}
        row = row_of(tuboids, with_stamp(values, user_id(client_info)))
        staged = await self._storage.stage_tuboid(entry)
        try:
            row["id"] = await self._publish_tuboid(row, series, staged)
        finally:
            with anyio.CancelScope(shield=True):
                await staged.discard()
        return {**row, **{f"{key}_series": series[key] for key in _SHOWN_OF_SERIES}}

    async def _publish_tuboid(self, row: Mapping[str, Any], series: Mapping[str, Any], staged: Staged) -> int:
        async with self._write() as connection:
            # Locked, so that nobody else counts until this one is in.
            await connection.execute(
                select(tuboid_series.c.id).where(tuboid_series.c.id == series["id"]).with_for_update()
            )
            counted = select(func.count()).where(tuboids.c.parent_series_id == series["id"])
            if (await connection.execute(counted)).scalar_one() >= series["n_tuboids"]:
                raise AlreadyStored(
                    f"Cannot add more tuboids to parent series {_shown(series)}. Already all of them are there"
                )
            result = await connection.execute(tuboids.insert().values(insertable(row)))
            await self._forget_deletions(connection, TUBOID, [row["tuboid_id"]])
            await staged.publish()
        return int(result.inserted_primary_key[0])  # type: ignore[index]  # there is one after an insert

    async def _series_for(self, given: Any) -> dict[str, Any]:
        """Return the series that a tuboid belongs to; it is made if there is none, and stays if the tuboid does not."""
        if not isinstance(given, Mapping):
            raise BadInput(f"series_info must be a dict, not {type(given).__name__}", argument="series_info")
        identity = _identity_of(given)
        async with self._read() as connection:
            found = await self._find_series(connection, identity)
        if found is None:
            values = {**identity, **{name: whole_number(given, name) for name in _COUNTS}}
            row = with_stamp(values, None)  # the platform stores no user here
            try:
                async with self._write() as connection:
                    await connection.execute(tuboid_series.insert().values(insertable(row)))
            except AlreadyStored:
                pass  # by somebody else, just now
            async with self._read() as connection:
                found = await self._find_series(connection, identity)
        if found is None:
            raise NotStored(f"the series {_shown(identity)} was deleted just now")
        return found

    async def _find_series(self, connection: AsyncConnection, identity: Mapping[str, Any]) -> dict[str, Any] | None:
        same = [tuboid_series.c[name] == value for name, value in identity.items()]
        row = (await connection.execute(select(tuboid_series).where(*same))).mappings().first()
        return None if row is None else dict(row)

    # --- deleting ----------------------------------------------------------------------------------------------------

    async def delete_tiled_tuboids(self, info: Info, client_info: ClientInfo | None = None) -> Rows:
        """Delete series with tuboids, labels and files; see :meth:`AsyncBaseAPISpec.delete_tiled_tuboids`."""
        conditions = [self._inside(entry) for entry in info_list(info)]
        found: Rows = []
        names: list[str] = []
        async with self._write() as connection:
            for condition in conditions:
                rows = (await connection.execute(select(tuboid_series).where(*condition))).mappings().all()
                for chunk in pieces([row["id"] for row in rows], self._get_image_chunk_size):
                    inside = select(tuboids.c.tuboid_id).where(tuboids.c.parent_series_id.in_(chunk))
                    names += (await connection.execute(inside)).scalars().all()
                    await connection.execute(delete(tuboid_series).where(tuboid_series.c.id.in_(chunk)))
                found += [dict(row) for row in rows]
            await self._note_deletions(connection, TUBOID, names)
        await self._sweep(TUBOID, names)
        return found

    # --- labels ------------------------------------------------------------------------------------------------------

    async def put_itc_labels(self, info: Info, client_info: ClientInfo | None = None) -> Rows:
        """Store labels of tuboids, one by one; see :meth:`AsyncBaseAPISpec.put_itc_labels`."""
        stored: Rows = []
        for entry in info_list(info):
            name = text(entry, "tuboid_id")
            for key in _REQUIRED_OF_LABELS:
                text(entry, key)
            async with self._write() as connection:
                query = select(tuboids.c.id).where(self._is_tuboid([name]))
                parent = (await connection.execute(query)).scalar()
                if parent is None:
                    raise NotStored(f"No match for {entry}"[:1000])
                values = {**values_of(itc_labels, entry), "parent_tuboid_id": parent}
                values["label"] = whole_number(entry, "label")
                row = row_of(itc_labels, with_stamp(values, user_id(client_info)))
                await connection.execute(itc_labels.insert().values(insertable(row)))
            stored.append(row)
        return stored

    async def _get_itc_labels(self, info: Info, client_info: ClientInfo | None = None) -> Rows:
        """List the labels of tuboids.

        Args:
            info: Dicts with ``tuboid_id``.
            client_info: Who asks.
        """
        names = list(dict.fromkeys(text(entry, "tuboid_id") for entry in info_list(info)))
        found: Rows = []
        async with self._read() as connection:
            for chunk in pieces(names, self._get_image_chunk_size):
                query = select(itc_labels).join(tuboids, tuboids.c.id == itc_labels.c.parent_tuboid_id)
                rows = await connection.execute(query.where(self._is_tuboid(chunk)).order_by(itc_labels.c.id))
                found += [dict(row) for row in rows.mappings()]
        return found

    def _is_tuboid(self, names: Sequence[str]) -> Any:
        column = self._database.equal(tuboids.c.tuboid_id)
        return column.in_([self._database.equal_value(name) for name in names])


def _identity_of(given: Mapping[str, Any]) -> dict[str, Any]:
    check_columns(given, _IDENTITY, _COUNTS)
    identity: dict[str, Any] = {name: text(given, name) for name in ("device", "algo_name", "algo_version")}
    identity |= {name: moment(given, name) for name in ("start_datetime", "end_datetime")}
    if identity["end_datetime"] < identity["start_datetime"]:
        raise BadInput(f"the series {_shown(identity)} ends before it starts")
    return identity


def _check_bounds(shots: _Shots, series: Mapping[str, Any]) -> None:
    if shots.first < series["start_datetime"]:
        raise DoesNotFit("tuboid starts before its parent series")
    if shots.last > series["end_datetime"]:
        raise DoesNotFit("tuboid ends after its parent series")


def _number_of(tuboid_id: str) -> int:
    last = tuboid_id.rpartition(".")[2]
    if not last.isascii() or not last.isdigit():
        raise BadInput(f"the last field of a tuboid id must be a number: {tuboid_id!r}", argument="tuboid_id")
    return whole_number({"number": last}, "number")


def _read_shots(content: Any) -> _Shots:
    data = as_bytes(content)
    try:
        lines = data[:_MAX_METADATA].decode("utf-8").splitlines()
    except UnicodeDecodeError as error:
        raise BadUpload("the metadata of the tuboid are not text") from error
    times = []
    for line in lines:
        if not line.strip():
            break
        times.append(_time_of(line))
    if not times:
        raise BadUpload("Empty tuboid sent (0 shots)")
    return _Shots(len(times), times[0], times[-1])


def _time_of(line: str) -> dt.datetime:
    fields = line.split(",")
    if len(fields) != _SHOT_FIELDS:
        raise BadUpload(f"a line of the metadata of a tuboid must have 4 fields: {line[:100]!r}")
    try:
        for number in fields[1:]:
            float(number)
        return string_to_datetime(fields[0].strip().rpartition(".")[2], is_filename=True)
    except ValueError as error:
        raise BadUpload(f"a line of the metadata of a tuboid cannot be read: {line[:100]!r}") from error


def _shown(series: Mapping[str, Any]) -> str:
    device, start, end = series["device"], series["start_datetime"], series["end_datetime"]
    return f"<TuboidSeries(device='{device}', start_datetime='{start}', end_datetime='{end}')>"
