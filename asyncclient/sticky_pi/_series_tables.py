"""The table of series that each project has, with the columns that its users have added."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Mapping
from typing import Any, Final

from sqlalchemy import (
    CHAR,
    BigInteger,
    Boolean,
    Column,
    Connection,
    Date,
    DateTime,
    Double,
    Float,
    Integer,
    MetaData,
    Numeric,
    SmallInteger,
    String,
    Table,
    Text,
    UniqueConstraint,
    inspect,
)
from sqlalchemy.dialects.sqlite import DATETIME as SQLITE_DATETIME
from sqlalchemy.schema import CreateTable, DropTable
from sqlalchemy.types import TypeEngine

from asyncclient.sticky_pi._inputs import moment
from asyncclient.sticky_pi._refusals import BadInput

__all__ = [
    "FIXED",
    "add_column",
    "coerced",
    "column_name",
    "drop_column",
    "drop_table",
    "load_table",
    "make_table",
    "rename_column",
]

FIXED: Final = ("id", "device", "start_datetime", "end_datetime")

_NAME: Final = re.compile(r"[^\W\d][\w .-]{0,62}")
_TYPE: Final = re.compile(r"([A-Za-z]+(?: precision)?)(?:\s*\(\s*(\d{1,5})\s*(?:,\s*(\d{1,2})\s*)?\))?", re.IGNORECASE)
_MAX_TEXT: Final = 2048
_MAX_DIGITS: Final = 38


def _datetime() -> TypeEngine[Any]:
    on_sqlite: Any = SQLITE_DATETIME
    return DateTime().with_variant(on_sqlite(truncate_microseconds=True), "sqlite")


def _table_name(project: int) -> str:
    return f"project_series_{project:d}"


def _fixed_columns() -> list[Column[Any]]:
    # CHAR is filled up with spaces by PostgreSQL.
    device = CHAR(8).with_variant(String(8), "postgresql")
    return [
        Column("id", Integer, primary_key=True, autoincrement=True),
        Column("device", device, nullable=False),
        Column("start_datetime", _datetime(), nullable=False),
        Column("end_datetime", _datetime(), nullable=False),
    ]


def make_table(connection: Connection, project: int) -> None:
    """Create the table of a project, in place of one that a project of that number may have left."""
    table = Table(
        _table_name(project),
        MetaData(),
        *_fixed_columns(),
        UniqueConstraint("device", "start_datetime", "end_datetime"),
        sqlite_autoincrement=True,
        mysql_engine="InnoDB",
        mysql_charset="utf8mb4",
        mysql_collate="utf8mb4_general_ci",
    )
    connection.execute(DropTable(table, if_exists=True))
    connection.execute(CreateTable(table))


def drop_table(connection: Connection, project: int) -> None:
    """Drop the table of a project, if there is one."""
    connection.execute(DropTable(Table(_table_name(project), MetaData()), if_exists=True))


def load_table(connection: Connection, project: int) -> Table:
    """Return the table of a project as it is now; one that is missing is made."""
    name = _table_name(project)
    if not inspect(connection).has_table(name):
        make_table(connection, project)  # a process died between making the project and this
    own = [Column(found["name"], found["type"]) for found in inspect(connection).get_columns(name)]
    return Table(name, MetaData(), *_fixed_columns(), *[column for column in own if column.name not in FIXED])


def column_name(entry: Mapping[str, Any], key: str) -> str:
    """Return the name of a custom column."""
    name = entry[key]
    if not isinstance(name, str) or not _NAME.fullmatch(name) or name != name.strip():
        raise BadInput(f"{key} must begin with a letter and have letters, digits, spaces, dots, - or _, not {name!r}")
    if name.lower() in FIXED:
        raise BadInput(f"{key} must be that of a custom column, not {name!r}")
    return name


def add_column(connection: Connection, table: Table, name: str, kind: Any) -> None:
    """Add a column of an SQL type."""
    if name in table.c:
        raise BadInput(f"there is a column {name!r} already")
    dialect = connection.dialect
    written = _type(kind).compile(dialect=dialect)
    _alter(connection, table, f"ADD COLUMN {_quoted(connection, name)} {written}")


def rename_column(connection: Connection, table: Table, old: str, new: str) -> None:
    """Give a column another name."""
    _check_there(table, old)
    if new in table.c:
        raise BadInput(f"there is a column {new!r} already")
    _alter(connection, table, f"RENAME COLUMN {_quoted(connection, old)} TO {_quoted(connection, new)}")


def drop_column(connection: Connection, table: Table, name: str) -> None:
    """Drop a column with what is in it."""
    _check_there(table, name)
    _alter(connection, table, f"DROP COLUMN {_quoted(connection, name)}")


def _alter(connection: Connection, table: Table, change: str) -> None:
    # Names passed column_name, and types _type; there are no parameters in statements that change tables.
    connection.exec_driver_sql(f"ALTER TABLE {_quoted(connection, table.name)} {change}")


def _quoted(connection: Connection, name: str) -> str:
    return connection.dialect.identifier_preparer.quote_identifier(name)


def _check_there(table: Table, name: str) -> None:
    if name not in table.c:
        raise BadInput(f"there is no column {name!r}")


def _type(kind: Any) -> TypeEngine[Any]:
    """Read an SQL type out of those that make sense here."""
    match = _TYPE.fullmatch(kind.strip()) if isinstance(kind, str) else None
    if match is None:
        raise BadInput(f"column_SQL_type must be an SQL type, for instance INTEGER or VARCHAR(64), not {kind!r}")
    name, first, second = match[1].upper(), match[2], match[3]
    if name in ("VARCHAR", "CHAR", "STRING") and first and 0 < int(first) <= _MAX_TEXT and not second:
        return String(int(first))
    if name in ("DECIMAL", "NUMERIC") and (not first or 0 < int(first) <= _MAX_DIGITS):
        digits, scale = int(first or 10), int(second or 0)
        if scale <= digits:
            return Numeric(digits, scale, asdecimal=False)
    simple = None if first else _SIMPLE.get(name)
    if simple is None:
        raise BadInput(f"the SQL type {kind!r} is not supported; those are: {', '.join(sorted(_SIMPLE))}, VARCHAR(n)")
    return simple


_SIMPLE: Final[Mapping[str, TypeEngine[Any]]] = {
    "INTEGER": Integer(),
    "INT": Integer(),
    "SMALLINT": SmallInteger(),
    "BIGINT": BigInteger(),
    "FLOAT": Float(),
    "REAL": Float(),
    "DOUBLE": Double(),
    "DOUBLE PRECISION": Double(),
    "TEXT": Text(),
    "DATETIME": _datetime(),
    "TIMESTAMP": _datetime(),
    "DATE": Date(),
    "BOOLEAN": Boolean(),
    "BOOL": Boolean(),
}


def coerced(column: Column[Any], entry: Mapping[str, Any]) -> Any:
    """Return the value for a column in the type that the column has."""
    value, kind = entry[column.name], column.type
    if value is None:
        if column.name in FIXED:
            raise BadInput(f"{column.name} must have a value")
        return None
    try:
        if isinstance(kind, DateTime):
            return moment(entry, column.name)
        if isinstance(kind, Date):
            return moment(entry, column.name).date()
        return _plain(kind, value)
    except (TypeError, ValueError, OverflowError) as error:
        if isinstance(error, BadInput):
            raise
        raise BadInput(f"{column.name} must be {kind}, not {value!r}"[:300]) from error


def _plain(kind: TypeEngine[Any], value: Any) -> Any:
    if isinstance(value, (list, dict)):
        raise TypeError
    if isinstance(kind, Boolean):
        if value not in (0, 1):
            raise ValueError
        return bool(value)
    if isinstance(kind, Integer):
        number = int(value)
        if isinstance(value, float) and number != value:
            raise ValueError
        return number
    if isinstance(kind, (Float, Numeric)):
        return float(value)
    if isinstance(value, dt.datetime):
        return value.strftime("%Y-%m-%d %H:%M:%S")
    if isinstance(value, str) and "\x00" in value:
        raise ValueError
    return str(value)
