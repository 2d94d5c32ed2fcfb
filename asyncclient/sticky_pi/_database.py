"""One database: its engine, transactions, and the few things in which SQLite, MariaDB and PostgreSQL differ."""

from __future__ import annotations

import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Final

import anyio
from sqlalchemy import ColumnElement, event, func, inspect, select
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError as BadURL
from sqlalchemy.exc import DataError, DBAPIError, IntegrityError, NoSuchModuleError, OperationalError, ProgrammingError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from asyncclient.errors import ConfigurationError
from asyncclient.sticky_pi._private import make_private_file, make_private_folder
from asyncclient.sticky_pi._refusals import AlreadyStored, Busy, DoesNotFit, NotStored
from asyncclient.sticky_pi._tables import locks, metadata

__all__ = ["INTENTS", "Database", "database_url", "set_sqlite_pragma"]

INTENTS: Final = "intents"
_BUSY_S: Final = 60
_RECYCLE_S: Final = 3600
_POOL: Final[dict[str, Any]] = {"pool_size": 8, "max_overflow": 8, "pool_timeout": 120}
_DRIVERS: Final = {
    "sqlite": "sqlite+aiosqlite",
    "mysql": "mysql+asyncmy",
    "mariadb": "mysql+asyncmy",
    "postgresql": "postgresql+asyncpg",
    "postgres": "postgresql+asyncpg",
}
_CREATE_TRIES: Final = 5
_SETTINGS: Final = "PRAGMA foreign_keys=ON; PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL"
_FOREIGN_KEY_CODES: Final = (1452, 1216, "23503", "SQLITE_CONSTRAINT_FOREIGNKEY")
_DATA_CODES: Final = (1264, 1265, 1292, 1366, 1406)
_CONFLICT_CODES: Final = (1213, 1205, "40P01", "40001")  # deadlocks, waits that took too long, lost races
_NULL_CODES: Final = (1048, 1364, "23502", "SQLITE_CONSTRAINT_NOTNULL")


def set_sqlite_pragma(dbapi_connection: Any, connection_record: Any) -> None:
    """Switch foreign keys on for a new SQLite connection; a hook that does nothing for other databases."""
    raw = getattr(dbapi_connection, "driver_connection", dbapi_connection)
    raw = getattr(raw, "_conn", raw)  # within the async driver
    if not isinstance(raw, sqlite3.Connection):
        return
    cursor = dbapi_connection.cursor()
    cursor.execute("PRAGMA foreign_keys=ON")
    cursor.close()


def database_url(text: str | URL) -> URL:
    """Read the URL of a database; a missing driver is chosen.

    Raises:
        ConfigurationError: It is no URL of a database, or of one that is not supported.
    """
    try:
        url = make_url(text)
        if url.get_backend_name() not in _DRIVERS:
            raise ConfigurationError(f"no support for databases of kind {url.get_backend_name()!r}")
        if "+" not in url.drivername:
            url = url.set(drivername=_DRIVERS[url.drivername])
    except BadURL:  # its message shows the URL, in which there may be a password
        raise ConfigurationError("the URL of the database cannot be read") from None
    if url.get_backend_name() in ("mysql", "mariadb") and "charset" not in url.query:
        url = url.update_query_dict({"charset": "utf8mb4"})
    return url


class Database:
    """An engine that is made with the first transaction.

    Args:
        url: From :func:`database_url`.

    Attributes:
        kind: ``sqlite``, ``mysql`` or ``postgresql``.
        path: The file of a SQLite database; None if it is in memory, or not SQLite's.
    """

    def __init__(self, url: URL) -> None:
        self._url = url
        self._engine: AsyncEngine | None = None
        self._writing: anyio.Lock | None = None
        self.kind: str = {"mariadb": "mysql"}.get(url.get_backend_name(), url.get_backend_name())
        self.path: Path | None = _sqlite_path(url)

    def __repr__(self) -> str:
        return f"<Database {self._url.render_as_string(hide_password=True)}>"

    async def open(self) -> None:
        """Connect, and create the tables that are missing.

        Raises:
            ConfigurationError: The database cannot be reached, or its driver is not installed.
        """
        try:
            self._engine = self._make_engine()
        except (ModuleNotFoundError, NoSuchModuleError) as error:
            raise ConfigurationError(f"the driver {self._url.drivername} is not installed: {error}") from error
        self._writing = anyio.Lock()
        try:
            await self._create()
        except BaseException:
            with anyio.CancelScope(shield=True):
                await self.aclose()
            raise

    async def aclose(self) -> None:
        """Close all connections. May be repeated."""
        engine, self._engine = self._engine, None
        if engine is not None:
            await engine.dispose()

    def _make_engine(self) -> AsyncEngine:
        if self.kind == "sqlite":
            if self.path is not None:
                make_private_folder(self.path.parent)
                make_private_file(self.path)
            # Transactions are begun by _begin_sqlite, not by the driver at a moment of its choice.
            given = {"timeout": _BUSY_S, "isolation_level": None}
            engine = create_async_engine(self._url, connect_args=given, **_POOL)
            event.listen(engine.sync_engine, "connect", _set_up_sqlite)
            event.listen(engine.sync_engine, "begin", _begin_sqlite)
            return engine
        # Snapshots per statement: after waiting for a lock, what others have committed must be visible.
        return create_async_engine(
            self._url, pool_recycle=_RECYCLE_S, pool_pre_ping=True, isolation_level="READ COMMITTED", **_POOL
        )

    async def _create(self) -> None:
        """Create what is missing. Several workers may start at the same time: who comes second tries again."""
        for attempt in range(_CREATE_TRIES):
            try:
                async with self.read() as connection:
                    if await _is_complete(connection):
                        return
                async with self.write() as connection:
                    await connection.run_sync(metadata.create_all)
                    if not await _has_locks(connection):
                        await connection.execute(locks.insert().values(name=INTENTS))
                return
            except (OperationalError, ProgrammingError, IntegrityError, AlreadyStored, OSError) as error:
                if attempt == _CREATE_TRIES - 1:
                    raise ConfigurationError(f"cannot use {self!r}: {_first_line(error)}") from error
                await anyio.sleep(0.1 * (attempt + 1))

    @asynccontextmanager
    async def read(self) -> AsyncIterator[AsyncConnection]:
        """A transaction that reads."""
        async with self._running().begin() as connection:
            yield connection

    @asynccontextmanager
    async def write(self) -> AsyncIterator[AsyncConnection]:
        """A transaction that writes: committed at the end of the block, rolled back by an exception.

        Raises:
            AlreadyStored: A unique key was violated.
            NotStored: A row that is referred to does not exist.
            DoesNotFit: A value is missing, too long, or of a wrong type.
        """
        engine = self._running()
        with _translated():
            if self.kind == "sqlite":
                assert self._writing is not None
                # SQLite has one writer at a time; waiting here costs less than its own waiting, which polls.
                async with self._writing, engine.connect() as connection:
                    await connection.execution_options(writes=True)
                    async with connection.begin():
                        yield connection
            else:
                async with engine.begin() as connection:
                    yield connection

    async def serialise(self, connection: AsyncConnection, name: str) -> None:
        """Wait until no other transaction holds the lock of this name; it is given back at the end of this one."""
        if self.kind != "sqlite":  # there a transaction that writes is alone already
            await connection.execute(select(locks.c.name).where(locks.c.name == name).with_for_update())

    def equal(self, column: ColumnElement[str]) -> ColumnElement[str]:
        """The form of a text column in which it is compared for equality: without case, except in SQLite."""
        return func.lower(column) if self.kind == "postgresql" else column

    def equal_value(self, value: str) -> str:
        """The form of a value that is compared with :meth:`equal`."""
        return value.lower() if self.kind == "postgresql" else value

    def like(self, column: ColumnElement[Any], pattern: str) -> ColumnElement[bool]:
        """A LIKE that ignores the case of letters."""
        return column.ilike(pattern) if self.kind == "postgresql" else column.like(pattern)

    def _running(self) -> AsyncEngine:
        assert self._engine is not None, "open() comes first"
        return self._engine


def _sqlite_path(url: URL) -> Path | None:
    name = (url.database or "") if url.get_backend_name() == "sqlite" else ""
    # What is given as "file:..." has options of its own, and is left to SQLite.
    return None if name in ("", ":memory:") or name.startswith("file:") else Path(name)


async def _is_complete(connection: AsyncConnection) -> bool:
    """Tell whether all tables are there, and what is written after them: two statements, and nobody's turn to write."""
    names = await connection.run_sync(lambda own: inspect(own).get_table_names())
    return metadata.tables.keys() <= set(names) and await _has_locks(connection)


async def _has_locks(connection: AsyncConnection) -> bool:
    return (await connection.execute(select(locks.c.name).where(locks.c.name == INTENTS))).first() is not None


def _set_up_sqlite(dbapi_connection: Any, connection_record: Any) -> None:
    # All at once: each statement by itself crosses to the thread of the connection three times. With a journal of
    # this kind, readers and the writer do not wait for each other.
    dbapi_connection.run_async(lambda driver: driver.executescript(_SETTINGS))


def _begin_sqlite(connection: Any) -> None:
    # A transaction that starts reading and then writes can fail half way; one that says so at once waits instead.
    writes = connection.get_execution_options().get("writes")
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


class _translated:  # noqa: N801  # used like a function
    """Turns what the database refuses into refusals of ours; the SQL stays in the cause."""

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: object, error: BaseException | None, traceback: object) -> None:
        if isinstance(error, IntegrityError):
            codes = _codes(error)
            if codes & set(_FOREIGN_KEY_CODES):
                raise NotStored("a record that this one refers to does not exist") from error
            if codes & set(_NULL_CODES):
                raise DoesNotFit(f"a required value is missing: {_first_line(error)}") from error
            raise AlreadyStored(f"a record with the same identity is stored already: {_first_line(error)}") from error
        if isinstance(error, DBAPIError) and _codes(error) & set(_CONFLICT_CODES):
            raise Busy("others change the same records at this moment; try again") from error
        if isinstance(error, DBAPIError) and _is_about_data(error):
            raise DoesNotFit(f"a value does not fit its column: {_first_line(error)}") from error


def _is_about_data(error: DBAPIError) -> bool:
    if isinstance(error, DataError) or _codes(error) & set(_DATA_CODES):
        return True
    state = str(getattr(error.orig, "sqlstate", None) or "")
    # "22" is the class of data exceptions in the standard; the driver's own check of types has no state.
    return state.startswith("22") or "invalid input for query argument" in str(error.orig)


def _codes(error: DBAPIError) -> set[Any]:
    original: Any = error.orig
    found = {getattr(original, "sqlstate", None), getattr(original, "sqlite_errorname", None)}
    found.add(getattr(original, "pgcode", None))
    if original is not None and original.args:
        found.add(original.args[0])
    return found


def _first_line(error: BaseException) -> str:
    original = getattr(error, "orig", None) or error
    return str(original).partition("\n")[0][:200]
