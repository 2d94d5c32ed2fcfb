"""Checks and conversions of single argument values. Pure.

Every refusal names the operation and the argument, what is accepted and the type that was given; never the value,
which may be a secret.
"""

from __future__ import annotations

import enum
import math
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final, Protocol

from asyncclient._endpoint import Endpoint, Param
from asyncclient.errors import ArgumentError, ArgumentTypeError

__all__ = [
    "CONVERTERS",
    "SupportsToDict",
    "check_json_type",
    "check_numeric_text",
    "is_date",
    "members",
    "plain",
    "text_of",
    "wrong_type",
]

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
    if is_date(value):
        return str(value.isoformat())
    if isinstance(value, float) and not math.isfinite(value):
        raise ArgumentError(f"{operation}(): {param.name} must be finite", argument=param.name)
    if not isinstance(value, (str, int, float)) and not _has_text(value):
        raise wrong_type(operation, param, value, accepted)
    try:
        return str(value)
    except ValueError:  # Python writes no integers of more than some thousand digits
        raise ArgumentError(f"{operation}(): {param.name} has too many digits", argument=param.name) from None


def _has_text(value: Any) -> bool:
    """Tell whether a value is of a library type whose text is its value."""
    import decimal  # in here: most programs never need either
    import uuid

    return isinstance(value, (uuid.UUID, decimal.Decimal))


def is_date(value: Any) -> bool:
    """Tell whether a value is a date or a datetime."""
    if value is None or isinstance(value, (str, int, float, list, tuple, dict)):
        return False  # nearly always, and then the module need not be loaded
    import datetime as dt

    return isinstance(value, dt.date)


def _iso_local(value: Any) -> Any:
    """Write a datetime with its offset; naive means local time, a negative offset becomes UTC."""
    import datetime as dt

    if not isinstance(value, dt.datetime):
        return value
    aware = value.astimezone() if value.tzinfo is None else value
    offset = aware.utcoffset()
    if offset is not None and offset < dt.timedelta(0):
        aware = aware.astimezone(dt.UTC)
    return aware.isoformat()


def _iso(value: Any) -> Any:
    """Write a date or datetime as it is."""
    return value.isoformat() if is_date(value) else value


def _dates_as_text(value: Any) -> Any:
    """Write the dates within JSON values as text; a value without any is given back as it is."""
    if is_date(value):
        return value.isoformat()
    if isinstance(value, Mapping):
        items = {key: _dates_as_text(item) for key, item in value.items()}
        return items if any(items[key] is not item for key, item in value.items()) else value
    if isinstance(value, (list, tuple)):
        members = [_dates_as_text(item) for item in value]
        return members if any(new is not old for new, old in zip(members, value, strict=True)) else value
    return value


def _member(name: str) -> Callable[[Any], Any]:
    """Return the converter that puts a text under one key; anything else is a body already."""

    def put(value: Any) -> Any:
        return {name: value} if isinstance(value, str) else _dates_as_text(value)

    return put


class SupportsToDict(Protocol):
    """An object that stands for the dict its method returns, such as a query that was put together."""

    def to_dict(self) -> Mapping[str, Any]:
        """Return the members."""
        ...


def _to_dict(value: Any) -> Any:
    """Return the members of an object that has ``to_dict``; what has none is refused by its type later."""
    to_dict = getattr(value, "to_dict", None)
    return to_dict() if callable(to_dict) and not isinstance(value, type) else value


def members(endpoint: Endpoint[Any], argument: str, value: Any) -> Mapping[str, Any]:
    """Return the arguments that one argument stands for.

    Raises:
        ArgumentTypeError: It is no mapping, and has no ``to_dict``.
        ArgumentError: It has a member that the operation does not take.
    """
    found = _to_dict(value)
    if not isinstance(found, Mapping):
        raise ArgumentTypeError(
            f"{endpoint.name}(): {argument} must be a query or a mapping, not {type(value).__name__}",
            argument=argument,
        )
    if unknown := [str(name) for name in found if name not in endpoint.plan.names]:
        raise ArgumentError(
            f"{endpoint.name}(): {argument} has {', '.join(unknown)}; accepted: {', '.join(sorted(endpoint.plan.names))}",
            argument=argument,
        )
    return found


def _listed(value: Any) -> Any:
    """Make a list of any iterable of texts; a single text would be cut into its letters and is refused later.

    Raises:
        ArgumentError: One of them is empty.
        ArgumentTypeError: One of them is no text.
    """
    if isinstance(value, (str, bytes, Mapping)) or not isinstance(value, Iterable):
        return value
    found = list(value)
    for item in found:
        if not isinstance(item, str):
            raise ArgumentTypeError(f"a list of ids must hold text, not {type(item).__name__}", argument="ids")
        if not item:
            raise ArgumentError("a list of ids must not hold an empty one", argument="ids")
    return found


CONVERTERS: Final[Mapping[str, Callable[[Any], Any]]] = {
    "listed": _listed,
    "to-dict": _to_dict,
    "iso": _iso,
    "iso-local": _iso_local,
    "json": _dates_as_text,
    "as-text": _member("text"),
    "as-value": _member("value"),
}
"""What :attr:`Param.convert` may name."""
