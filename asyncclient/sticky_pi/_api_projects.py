"""The part of the API that keeps projects, permissions, and the series of projects."""

from __future__ import annotations

import datetime as dt
import logging
from collections.abc import Mapping
from typing import Any, ClassVar, Final

from sqlalchemy import Table, delete, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from asyncclient.sticky_pi import _series_tables as series_tables
from asyncclient.sticky_pi._api_users import UsersPart
from asyncclient.sticky_pi._inputs import (
    check_columns,
    choose,
    info_list,
    insertable,
    row_of,
    text,
    whole_number,
    with_stamp,
)
from asyncclient.sticky_pi._permissions import ADMINISTER, READ, WRITE, is_owner, user_id
from asyncclient.sticky_pi._refusals import AccessDenied, BadInput, NotStored
from asyncclient.sticky_pi._spec import ClientInfo, Info, Rows
from asyncclient.sticky_pi._tables import permissions, projects

__all__ = ["ProjectsPart"]

_log: Final = logging.getLogger("asyncclient.sticky_pi")


class ProjectsPart(UsersPart):
    """Projects, permissions and series."""

    _series_datetimes_as_text: ClassVar[bool] = False

    # --- projects ----------------------------------------------------------------------------------------------------

    async def get_projects(self, info: Info | None = None, client_info: ClientInfo | None = None) -> Rows:
        """List projects; see :meth:`AsyncBaseAPISpec.get_projects`."""
        async with self._read() as connection:
            return await self._find_projects(connection, info, READ, client_info)

    async def _find_projects(
        self, connection: AsyncConnection, info: Info | None, level: int, client_info: ClientInfo | None
    ) -> Rows:
        entries: Info = [{}] if info is None else info_list(info)
        found: Rows = []
        for entry in entries:
            query = select(projects).where(*self._matching(projects, entry)).order_by(projects.c.id)
            if not is_owner(client_info):
                query = query.join(permissions, permissions.c.parent_project_id == projects.c.id).where(
                    permissions.c.parent_user_id == user_id(client_info), permissions.c.level >= level
                )
            found += [dict(row) for row in (await connection.execute(query)).mappings()]
        return found

    async def put_projects(self, info: Info, client_info: ClientInfo | None = None) -> Rows:
        """Create projects; see :meth:`AsyncBaseAPISpec.put_projects`."""
        entries, stored, user = info_list(info), [], user_id(client_info)
        for entry in entries:
            check_columns(entry, ("name",), ("description", "notes"))
            text(entry, "name")
        for entry in entries:
            row = row_of(projects, with_stamp({"description": None, "notes": None, **entry}, user))
            async with self._write() as connection:
                result = await connection.execute(projects.insert().values(insertable(row)))
                row["id"] = result.inserted_primary_key[0]  # type: ignore[index]  # there is one after an insert
                if user is None:
                    _log.warning("Cannot create default permission for this project. No user id was provided")
                else:
                    await self._grant(connection, row["id"], user, ADMINISTER, user)
                await connection.run_sync(series_tables.make_table, row["id"])
            stored.append(row)
        return stored

    async def delete_projects(self, info: Info, client_info: ClientInfo | None = None) -> Rows:
        """Delete projects with their series; see :meth:`AsyncBaseAPISpec.delete_projects`."""
        if info is None:
            raise BadInput("info must be a list of dicts; [{}] stands for all", argument="info")
        async with self._write() as connection:
            found = await self._find_projects(connection, info, ADMINISTER, client_info)
            unique = {row["id"]: row for row in found}
            for number in unique:
                await connection.execute(delete(projects).where(projects.c.id == number))
        # Afterwards, as MariaDB would commit before: a table without a project is dropped with the next use of its id.
        for number in unique:
            async with self._write() as connection:
                await connection.run_sync(series_tables.drop_table, number)
        return list(unique.values())

    # --- permissions -------------------------------------------------------------------------------------------------

    async def get_project_permissions(self, info: Info | None = None, client_info: ClientInfo | None = None) -> Rows:
        """List permissions; see :meth:`AsyncBaseAPISpec.get_project_permissions`."""
        async with self._read() as connection:
            numbers = {row["id"] for row in await self._find_projects(connection, info, READ, client_info)}
            query = select(permissions).where(permissions.c.parent_project_id.in_(numbers)).order_by(permissions.c.id)
            return [dict(row) for row in (await connection.execute(query)).mappings()]

    async def put_project_permissions(self, info: Info, client_info: ClientInfo | None = None) -> Rows:
        """Give levels to users; see :meth:`AsyncBaseAPISpec.put_project_permissions`. Somebody must give them."""
        if client_info is None:
            raise BadInput("client_info is needed: who gives a permission is stored with it", argument="client_info")
        entries, stored = info_list(info), []
        for entry in entries:
            check_columns(entry, ("project_id", "user_id", "level"))
            if not 0 <= whole_number(entry, "level") <= ADMINISTER:
                raise BadInput(f"level must be 0, 1, 2 or 3, not {entry['level']!r}", argument="level")
        for entry in entries:
            async with self._write() as connection:
                project = await self._check_level(connection, entry, ADMINISTER, client_info)
                level, user = whole_number(entry, "level"), whole_number(entry, "user_id")
                stored.append(await self._grant(connection, project, user, level, user_id(client_info)))
        return stored

    async def _grant(
        self, connection: AsyncConnection, project: int, user: int, level: int, by: int | None
    ) -> dict[str, Any]:
        values = {"parent_project_id": project, "parent_user_id": user, "level": level}
        row = row_of(permissions, with_stamp(values, by))
        await connection.execute(permissions.insert().values(insertable(row)))
        return row

    async def _check_level(
        self, connection: AsyncConnection, entry: Mapping[str, Any], level: int, client_info: ClientInfo | None
    ) -> int:
        """Return the number of a project, if the user has a level on it; who has none does not learn if it exists."""
        number = whole_number(entry, "project_id")
        if is_owner(client_info):
            if (await connection.execute(select(projects.c.id).where(projects.c.id == number))).first() is None:
                raise NotStored(f"there is no project {number}")
            return number
        query = select(permissions.c.level).where(
            permissions.c.parent_project_id == number, permissions.c.parent_user_id == user_id(client_info)
        )
        own = (await connection.execute(query)).scalar()
        if own is None or own < level:
            raise AccessDenied(f"level {level} is needed on project {number}")
        return number

    # --- series ------------------------------------------------------------------------------------------------------

    async def get_project_series(self, info: Info | None = None, client_info: ClientInfo | None = None) -> Rows:
        """List the rows of the series of projects; see :meth:`AsyncBaseAPISpec.get_project_series`."""
        found: Rows = []
        for entry in _project_list(info):
            async with self._write() as connection:
                table = await self._series_table(connection, entry, READ, client_info)
                rows = (await connection.execute(select(table).order_by(table.c.id))).mappings().all()
            found += [self._series_row(dict(row)) for row in rows]
        return found

    async def put_project_series(self, info: Info, client_info: ClientInfo | None = None) -> Rows:
        """Insert or update rows, one by one; see :meth:`AsyncBaseAPISpec.put_project_series`."""
        stored: Rows = []
        for entry in _project_list(info):
            async with self._write() as connection:
                table = await self._series_table(connection, entry, WRITE, client_info)
                number = await _put_series(connection, table, entry)
                row = (await connection.execute(select(table).where(table.c.id == number))).mappings().one()
            stored.append(self._series_row(dict(row)))
        return stored

    async def delete_project_series(self, info: Info, client_info: ClientInfo | None = None) -> Rows:
        """Delete rows and return them, one by one; see :meth:`AsyncBaseAPISpec.delete_project_series`."""
        deleted: Rows = []
        for entry in _project_list(info):
            number = whole_number(entry, "id")
            async with self._write() as connection:
                table = await self._series_table(connection, entry, ADMINISTER, client_info)
                row = (await connection.execute(select(table).where(table.c.id == number))).mappings().first()
                if row is None:
                    raise NotStored(f"there is no row {number} in the series of project {entry['project_id']}")
                await connection.execute(delete(table).where(table.c.id == number))
            deleted.append(self._series_row(dict(row)))
        return deleted

    async def put_project_columns(self, info: Info, client_info: ClientInfo | None = None) -> Rows:
        """Add or rename columns; see :meth:`AsyncBaseAPISpec.put_project_columns`."""
        changed: Rows = []
        for entry in _project_list(info):
            choose(entry, "column_name")
            name, kind = series_tables.column_name(entry, "column_name"), entry.get("column_SQL_type")
            old = series_tables.column_name(entry, "old_column_name") if entry.get("old_column_name") else None
            if old is None and not kind:
                raise BadInput("column_SQL_type is needed to add a column, or old_column_name to rename one")
            async with self._write() as connection:
                table = await self._series_table(connection, entry, WRITE, client_info)
                if old is None:
                    await connection.run_sync(series_tables.add_column, table, name, kind)
                else:
                    await connection.run_sync(series_tables.rename_column, table, old, name)
            changed.append({"column_name": name, "column_SQL_type": kind if old is None else None})
        return changed

    async def delete_project_columns(self, info: Info, client_info: ClientInfo | None = None) -> Rows:
        """Drop columns; see :meth:`AsyncBaseAPISpec.delete_project_columns`."""
        dropped: Rows = []
        for entry in _project_list(info):
            choose(entry, "column_name")
            name = series_tables.column_name(entry, "column_name")
            async with self._write() as connection:
                table = await self._series_table(connection, entry, ADMINISTER, client_info)
                await connection.run_sync(series_tables.drop_column, table, name)
            dropped.append({"column_name": name})
        return dropped

    async def _series_table(
        self, connection: AsyncConnection, entry: Mapping[str, Any], level: int, client_info: ClientInfo | None
    ) -> Table:
        number = await self._check_level(connection, entry, level, client_info)
        return await connection.run_sync(series_tables.load_table, number)

    def _series_row(self, row: Mapping[str, Any]) -> dict[str, Any]:
        shown = {}
        for name, value in row.items():
            if isinstance(value, dt.datetime) and self._series_datetimes_as_text:
                value = value.strftime("%Y-%m-%d %H:%M:%S")
            elif isinstance(value, dt.date) and not isinstance(value, dt.datetime):
                value = value.isoformat()
            shown[name] = value
        return shown


def _project_list(info: Info | None) -> Info:
    if info is None:
        raise BadInput("info must be a list of dicts with 'project_id'", argument="info")
    return info_list(info)


async def _put_series(connection: AsyncConnection, table: Table, entry: Mapping[str, Any]) -> int:
    """Insert a row, or update the one with the given id; return its id."""
    given = {name: value for name, value in entry.items() if name != "project_id"}
    check_columns(given, (), table.c.keys())
    values = {name: series_tables.coerced(table.c[name], given) for name in given if name != "id"}
    if given.get("id"):
        number = whole_number(given, "id")
        if (await connection.execute(select(table.c.id).where(table.c.id == number))).first() is None:
            raise NotStored(f"there is no row {number} in the series of project {entry['project_id']}")
        if values:
            await connection.execute(update(table).where(table.c.id == number).values(values))
    else:
        check_columns(given, ("device", "start_datetime", "end_datetime"), table.c.keys())
        result = await connection.execute(table.insert().values(values))
        number = int(result.inserted_primary_key[0])  # type: ignore[index]  # there is one after an insert
    row = (await connection.execute(select(table).where(table.c.id == number))).mappings().one()
    if row["end_datetime"] < row["start_datetime"]:
        raise BadInput(f"the series ends ({row['end_datetime']}) before it starts ({row['start_datetime']})")
    return number
