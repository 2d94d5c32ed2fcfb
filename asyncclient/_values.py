"""Checks and conversions of single argument values. Pure.

Every refusal names the operation and the argument, what is accepted and the type that was given; never the value,
which may be a secret.
"""

from __future__ import annotations

import datetime as dt
import decimal
import enum
import math
import uuid
from collections.abc import Callable, Mapping
from typing import Any, Final

from asyncclient._endpoint import Param
from asyncclient.errors import ArgumentError, ArgumentTypeError

__all__ = ["CONVERTERS", "check_json_type", "check_numeric_text", "plain", "text_of", "wrong_type"]

_EXACT: Final[Mapping[type, frozenset[str]]] = {
    str: frozenset({"string"}),
    bool: frozenset({"boolean"}),
    int: frozenset({"integer", "number"}),
    float: frozenset({"number"}),
    list: frozenset({"array"}),
    tuple: frozenset({"array"}),
    dict: frozenset({"object"}),
}


def check_json_type(operation: str, param: Param, value: Any) -> None:
    exact = _EXACT.get(type(value))
    if exact is None:
        return  # models, enums, numpy values: the encoder knows them or refuses them by name
    if not exact.isdisjoint(param.types):
        return
    if isinstance(value, float) and value.is_integer() and "integer" in param.types:
        return
    raise wrong_type(operation, param, value, " or ".join(param.types))


def wrong_type(operation: str, param: Param, value: Any, accepted: str) -> ArgumentTypeError:
    return ArgumentTypeError(
        f"{operation}(): {param.name} must be {accepted}, not {type(value).__name__}", argument=param.name
    )


def check_numeric_text(operation: str, param: Param, value: str) -> None:
    # Numbers and booleans written as text are common in scripts and equal on the wire; other text is a mistake.
    if "boolean" in param.types and value.lower() in ("true", "false", ""):
        return
    if {"integer", "number"} & set(param.types):
        try:
            float(value)
        except ValueError:
            raise wrong_type(operation, param, value, " or ".join(param.types)) from None
        return
    raise wrong_type(operation, param, value, " or ".join(param.types))


def plain(value: Any) -> Any:
    """Return what an enum member or a numpy scalar stands for; other values as they are."""
    if isinstance(value, enum.Enum):
        return value.value
    item = getattr(value, "item", None)
    return item() if item is not None and getattr(value, "shape", None) == () else value


def text_of(operation: str, param: Param, value: Any, accepted: str) -> str:
    """Write a text, a number, a date or an id as text, for a path, a query or a header."""
    value = plain(value)
    if isinstance(value, (dt.datetime, dt.date)):
        return value.isoformat()
    if isinstance(value, float) and not math.isfinite(value):
        raise ArgumentError(f"{operation}(): {param.name} must be finite", argument=param.name)
    if not isinstance(value, (str, int, float, uuid.UUID, decimal.Decimal)):
        raise wrong_type(operation, param, value, accepted)
    try:
        return str(value)
    except ValueError:  # Python writes no integers of more than some thousand digits
        raise ArgumentError(f"{operation}(): {param.name} has too many digits", argument=param.name) from None


def _iso_local(value: Any) -> Any:
    """Write a datetime with its offset; naive means local time, a negative offset becomes UTC."""
    if not isinstance(value, dt.datetime):
        return value
    aware = value.astimezone() if value.tzinfo is None else value
    offset = aware.utcoffset()
    if offset is not None and offset < dt.timedelta(0):
        aware = aware.astimezone(dt.UTC)
    return aware.isoformat()


def _iso(value: Any) -> Any:
    """Write a date or datetime as it is."""
    return value.isoformat() if isinstance(value, (dt.datetime, dt.date)) else value


CONVERTERS: Final[Mapping[str, Callable[[Any], Any]]] = {"iso": _iso, "iso-local": _iso_local}
"""What :attr:`Param.convert` may name."""
