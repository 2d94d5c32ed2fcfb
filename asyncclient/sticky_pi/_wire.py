"""What goes into JSON and what comes out of it: datetimes are text there. Pure."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from asyncclient.errors import ArgumentError, ArgumentTypeError, DecodeError
from asyncclient.sticky_pi.utils import datetime_to_string, json_out_parser

__all__ = ["from_wire", "to_wire"]


def to_wire(value: Any, operation: str) -> Any:
    """Copy an argument, with datetimes as text and decimals as numbers.

    Raises:
        ArgumentError: It refers to itself, or is nested more deeply than JSON readers follow.
        ArgumentTypeError: It holds what JSON has no form for.
    """
    try:
        return _plain(value, operation)
    except RecursionError:
        raise ArgumentError(f"{operation}(): info is nested too deeply", argument="info") from None


def _plain(value: Any, operation: str) -> Any:
    if value is None or isinstance(value, (str, bool, int, float)):
        return value
    if isinstance(value, dt.datetime):
        return datetime_to_string(value)
    if isinstance(value, Mapping):
        return {_key(key): _plain(item, operation) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(item, operation) for item in value]
    if isinstance(value, Decimal):
        return float(value)
    raise ArgumentTypeError(f"{operation}(): Un-parsable json object: {value!r}", argument="info")


def _key(key: Any) -> str:
    """JSON has only texts as keys; numbers become what Python's own writer makes of them."""
    if isinstance(key, str):
        return key
    if key is None or isinstance(key, bool):
        return {None: "null", True: "true", False: "false"}[key]
    if isinstance(key, (int, float)):
        return repr(key)
    raise ArgumentTypeError(f"keys must be text, not {type(key).__name__}", argument="info")


def from_wire(value: Any) -> Any:
    """Turn the texts of an answer that are datetimes into datetimes, in place.

    Raises:
        DecodeError: A text has the form of a datetime, and is none.
    """
    try:
        return _parsed(value)
    except ValueError as error:
        raise DecodeError(f"the answer holds an impossible datetime: {error}") from None


def _parsed(value: Any) -> Any:
    if isinstance(value, dict):
        for key, item in value.items():
            if isinstance(item, (dict, list)):
                value[key] = _parsed(item)
        return json_out_parser(value)
    if isinstance(value, list):
        return [_parsed(item) if isinstance(item, (dict, list)) else item for item in value]
    return value
