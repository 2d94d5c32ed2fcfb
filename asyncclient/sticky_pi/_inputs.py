"""What callers send, checked and turned into values of columns; and rows, as callers see them. Pure."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any, Final, TypeVar

from sqlalchemy import Table

from asyncclient.sticky_pi._refusals import BadInput
from asyncclient.sticky_pi._tables import API_VERSION
from asyncclient.sticky_pi.utils import json_out_parser, string_to_datetime

__all__ = [
    "MASK",
    "as_python",
    "check_columns",
    "check_filter",
    "check_what",
    "choose",
    "image_row",
    "info_list",
    "insertable",
    "moment",
    "pieces",
    "row_of",
    "text",
    "values_of",
    "whole_number",
    "with_stamp",
]

T = TypeVar("T")

MASK: Final = "***********"
_SQL_FORMS: Final = ("%Y-%m-%d %H:%M:%S", "%Y-%m-%d %H:%M:%S.%f", "%Y-%m-%d")
_MAX_SHOWN: Final = 60


def info_list(info: Any, *, name: str = "info") -> list[dict[str, Any]]:
    """Check that ``info`` is a list of dicts, and return shallow copies of them."""
    if isinstance(info, (str, bytes, Mapping)) or not isinstance(info, Sequence):
        raise BadInput(f"{name} must be a list of dicts, not {type(info).__name__}", argument=name)
    for index, entry in enumerate(info):
        if not isinstance(entry, Mapping):
            raise BadInput(f"{name}[{index}] must be a dict, not {type(entry).__name__}", argument=name)
    return [dict(entry) for entry in info]


def as_python(entry: Mapping[str, Any]) -> dict[str, Any]:
    """Return a copy of a dict in which texts of datetimes are datetimes; so it is shown in messages."""
    try:
        return json_out_parser(dict(entry))
    except ValueError as error:
        raise BadInput(f"not a datetime: {error}") from error


def choose(entry: Mapping[str, Any], key: str) -> Any:
    """Return the value of a required key."""
    try:
        return entry[key]
    except KeyError:
        raise BadInput(f"the key {key!r} is missing; there are: {', '.join(map(str, entry)) or 'none'}") from None


def text(entry: Mapping[str, Any], key: str) -> str:
    """Return the value of a required key that must be text."""
    value = choose(entry, key)
    if not isinstance(value, str):
        raise BadInput(f"{key} must be text, not {_shown(value)}")
    if "\x00" in value:
        raise BadInput(f"{key} must not contain NUL characters")
    return value


def whole_number(entry: Mapping[str, Any], key: str) -> int:
    """Return the value of a required key that must be a whole number; text of one counts."""
    value = choose(entry, key)
    try:
        if isinstance(value, bool) or (isinstance(value, float) and not value.is_integer()):
            raise ValueError
        number = int(value)
    except (TypeError, ValueError, OverflowError):
        raise BadInput(f"{key} must be a whole number, not {_shown(value)}") from None
    if not -(2**31) <= number < 2**31:
        raise BadInput(f"{key} must fit 32 bits, not {_shown(value)}")
    return number


def moment(entry: Mapping[str, Any], key: str) -> dt.datetime:
    """Return the value of a required key that must be a datetime or its text, cut to whole seconds."""
    value = choose(entry, key)
    if isinstance(value, dt.datetime):
        return value.replace(microsecond=0, tzinfo=None)
    if isinstance(value, str):
        for read in (_api_form, _file_form, _sql_form):
            try:
                return read(value).replace(microsecond=0)
            except ValueError:
                continue
    raise BadInput(
        f"{key} must be a datetime, or text like 2020-06-20T20:19:15Z or 2020-06-20_20-19-15, not {_shown(value)}"
    )


def _api_form(value: str) -> dt.datetime:
    return string_to_datetime(value)


def _file_form(value: str) -> dt.datetime:
    return string_to_datetime(value, is_filename=True)


def _sql_form(value: str) -> dt.datetime:
    for form in _SQL_FORMS:
        try:
            return dt.datetime.strptime(value, form)
        except ValueError:
            continue
    raise ValueError(value)


def check_what(what: Any, accepted: Iterable[str]) -> str:
    """Check the argument ``what``."""
    names = tuple(accepted)
    if what not in names:
        raise BadInput(f"Unexpected `what` argument: {_shown(what)}. Should be in {', '.join(names)}", argument="what")
    return str(what)


def check_filter(entry: Mapping[str, Any], table: Table, hidden: Iterable[str] = ()) -> dict[str, str]:
    """Check a filter: columns with LIKE patterns; numbers stand for their text."""
    found = {}
    given: Mapping[Any, Any] = entry  # whatever the annotation says
    for key, value in given.items():
        if not isinstance(key, str) or key not in table.c or key in hidden:
            raise BadInput(f"{table.name} has no column {_shown(key)} to filter by")
        if value is None or isinstance(value, (bool, list, dict)):
            raise BadInput(f"a filter must be text or a number, not {_shown(value)} for {key!r}")
        if isinstance(value, dt.datetime):
            value = value.strftime("%Y-%m-%d %H:%M:%S")
        if "\x00" in str(value):
            raise BadInput(f"a filter must not contain NUL characters: {key!r}")
        found[key] = str(value)
    return found


def check_columns(entry: Mapping[str, Any], required: Iterable[str], optional: Iterable[str] = ()) -> None:
    """Check that required keys are there, and that no other than these and the optional ones are."""
    names, more = tuple(required), tuple(optional)
    for name in names:
        choose(entry, name)
    for key in entry:
        if key not in names and key not in more:
            raise BadInput(f"unknown key {_shown(key)}; accepted are: {', '.join((*names, *more))}")


def values_of(table: Table, source: Mapping[str, Any]) -> dict[str, Any]:
    """Return the values that ``source`` has for the own columns of a table, None for those it lacks."""
    own = [column.name for column in table.columns if column.name not in ("datetime_created", "api_version")]
    return {name: _finite(source.get(name)) for name in own if name not in ("id", "api_user_id")}


def with_stamp(values: Mapping[str, Any], user: Any) -> dict[str, Any]:
    """Add the columns that all tables share: now (UTC), the version, and the id of the user or None."""
    now = dt.datetime.now(dt.UTC).replace(tzinfo=None)
    return {"datetime_created": now, "api_version": API_VERSION, "api_user_id": user, "id": None, **values}


def row_of(table: Table, row: Mapping[str, Any]) -> dict[str, Any]:
    """Return a row with its keys in the order of the columns; None for what it lacks."""
    return {column.name: row.get(column.name) for column in table.columns}


def insertable(row: Mapping[str, Any]) -> dict[str, Any]:
    """Return a row without ``id``, which the database chooses."""
    return {name: value for name, value in row.items() if name != "id"}


def image_row(row: Mapping[str, Any]) -> dict[str, Any]:
    """Turn a row of ``images`` into what queries show: whole seconds, floats, and 1 or 0 for ``but``."""
    shown = dict(row)
    shown["datetime_created"] = shown["datetime_created"].replace(microsecond=0)
    for name in ("lat", "lng"):
        if isinstance(shown[name], Decimal):
            shown[name] = float(shown[name])
    if shown["but"] is not None:
        shown["but"] = int(shown["but"])
    return shown


def pieces(items: Sequence[T], size: int) -> Iterator[Sequence[T]]:
    """Yield parts of a sequence, in order."""
    return (items[start : start + size] for start in range(0, len(items), size))


def _finite(value: Any) -> Any:
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _shown(value: Any) -> str:
    shown = repr(value)
    return shown if len(shown) <= _MAX_SHOWN else f"{shown[:_MAX_SHOWN]}..."
