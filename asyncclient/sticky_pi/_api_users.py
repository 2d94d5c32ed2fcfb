"""The part of the API that keeps users, passwords and tokens."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any, Final, Literal

from sqlalchemy import Boolean, Integer, String, Table, cast, delete, select

from asyncclient._transfers.hops import run_hop
from asyncclient.sticky_pi._api_base import APIBase
from asyncclient.sticky_pi._inputs import (
    MASK,
    check_columns,
    check_filter,
    info_list,
    insertable,
    text,
    with_stamp,
)
from asyncclient.sticky_pi._passwords import hash_password, read_token, verify_password
from asyncclient.sticky_pi._permissions import is_owner, user_id
from asyncclient.sticky_pi._refusals import AccessDenied, BadInput
from asyncclient.sticky_pi._spec import ClientInfo, Info, Rows
from asyncclient.sticky_pi._tables import users

__all__ = ["UsersPart"]

_log: Final = logging.getLogger("asyncclient.sticky_pi")
_OPTIONAL: Final = ("email", "is_admin", "can_write")
_MAX_PASSWORD: Final = 1024


class UsersPart(APIBase):
    """Users: created, listed, deleted, and recognised."""

    def _matching(self, table: Table, entry: Mapping[str, Any], hidden: tuple[str, ...] = ()) -> list[Any]:
        """Return the conditions of one filter."""
        conditions = []
        for name, pattern in check_filter(entry, table, hidden).items():
            column: Any = table.c[name]
            if isinstance(column.type, Boolean):
                column = cast(column, Integer)
            if not isinstance(column.type, String):
                column = cast(column, String(64))
            conditions.append(self._database.like(column, pattern))
        return conditions

    async def get_users(self, info: Info | None = None, client_info: ClientInfo | None = None) -> Rows:
        """List users; see :meth:`AsyncBaseAPISpec.get_users`. Only administrators see the addresses of others."""
        entries: Info = [{}] if info is None else info_list(info)
        if not is_owner(client_info) and any("email" in entry for entry in entries):
            raise AccessDenied("only administrators may look for users by their address")
        conditions = [self._matching(users, entry, ("password_hash",)) for entry in entries]
        found: Rows = []
        async with self._read() as connection:
            for condition in conditions:
                rows = await connection.execute(select(users).where(*condition).order_by(users.c.id))
                found += [_shown(dict(row), client_info) for row in rows.mappings()]
        return found

    async def put_users(self, info: Info, client_info: ClientInfo | None = None) -> Rows:
        """Create users, one by one; return the last one, or all users where none is given, as the platform does.

        See :meth:`AsyncBaseAPISpec.put_users`.
        """
        entries = info_list(info)
        for entry in entries:
            _check_user(entry)
        for entry in entries:
            values = {
                "username": entry["username"],
                "email": entry.get("email"),
                "password_hash": await run_hop(hash_password, entry["password"]),
                "is_admin": bool(entry.get("is_admin")),
                "can_write": entry.get("can_write") is not False,
            }
            async with self._write() as connection:
                await connection.execute(users.insert().values(insertable(with_stamp(values, user_id(client_info)))))
        if not entries:
            return await self.get_users(client_info=client_info)
        user = await self._user(username=entries[-1]["username"])
        return [] if user is None else [_shown(user, client_info)]

    async def delete_users(self, info: Info, client_info: ClientInfo | None = None) -> Rows:
        """Delete users with their permissions; see :meth:`AsyncBaseAPISpec.delete_users`."""
        conditions = [self._matching(users, entry, ("password_hash",)) for entry in info_list(info)]
        found: Rows = []
        async with self._write() as connection:
            for condition in conditions:
                rows = (await connection.execute(select(users).where(*condition).order_by(users.c.id))).mappings().all()
                for row in rows:
                    await connection.execute(delete(users).where(users.c.id == row["id"]))
                found += [_shown(dict(row), client_info) for row in rows]
        return found

    # --- who is it ---------------------------------------------------------------------------------------------------

    async def verify_password(self, username_or_token: str, password: str) -> str | Literal[False]:
        """Check a token, or a user name and a password.

        Args:
            username_or_token: Either of them.
            password: Ignored if there is a token.

        Returns:
            The name of the user, or False, with a warning in the log.
        """
        user = await self._recognise(username_or_token, password)
        return False if user is None else str(user["username"])

    async def _recognise(self, username_or_token: str, password: str) -> dict[str, Any] | None:
        """Return who a user is: ``id``, ``username``, ``is_admin`` and ``can_write``; None for nobody."""
        if not username_or_token:
            _log.warning("No such user or token `%s`", username_or_token)
            return None
        by_token = await self._user_of_token(username_or_token)
        return by_token if by_token is not None else await self._user_of_password(username_or_token, password)

    async def _user_of_token(self, token: str) -> dict[str, Any] | None:
        number = read_token(str(self._configuration["SECRET_API_KEY"]), token)
        return None if number is None else _identity(await self._user(id=number))

    async def _user_of_password(self, username: str, password: str) -> dict[str, Any] | None:
        row = await self._user(username=username)
        stored = None if row is None else row["password_hash"]
        right = len(password) <= _MAX_PASSWORD and await run_hop(verify_password, password, stored)
        if row is None:
            _log.warning("No such user: `%s`", _in_one_line(username))
        elif not right:
            _log.warning("Failed to authenticate `%s` with password", _in_one_line(username))
        return _identity(row) if right else None

    async def _user(self, **columns: Any) -> dict[str, Any] | None:
        if any(isinstance(value, str) and "\x00" in value for value in columns.values()):
            return None
        conditions = [users.c[name] == value for name, value in columns.items()]
        async with self._read() as connection:
            rows = (await connection.execute(select(users).where(*conditions))).mappings().all()
        # Databases may ignore case and spaces at the end; who somebody is must be exact.
        exact = (row for row in rows if all(row[name] == value for name, value in columns.items()))
        return next((dict(row) for row in exact), None)


def _in_one_line(name: str) -> str:
    return "".join(c if c.isprintable() else "?" for c in name[:64])


def _check_user(entry: Mapping[str, Any]) -> None:
    check_columns(entry, ("username", "password"), _OPTIONAL)
    if not text(entry, "username").strip() or ":" in entry["username"]:
        raise BadInput("a user name must not be empty, nor have a colon, which basic authentication cannot carry")
    if not text(entry, "password") or len(entry["password"]) > _MAX_PASSWORD:
        raise BadInput(f"a password must have 1 to {_MAX_PASSWORD} characters")
    if entry.get("email") is not None:
        text(entry, "email")
    for name in ("is_admin", "can_write"):
        if not isinstance(entry.get(name), (bool, int, type(None))):
            raise BadInput(f"{name} must be true or false")


def _identity(row: Mapping[str, Any] | None) -> dict[str, Any] | None:
    if row is None:
        return None
    return {name: row[name] for name in ("id", "username", "is_admin", "can_write")}


def _shown(row: Mapping[str, Any], client_info: ClientInfo | None) -> dict[str, Any]:
    shown = {**row, "password_hash": MASK}
    if not is_owner(client_info) and row["id"] != user_id(client_info):
        shown["email"] = None
    return shown
