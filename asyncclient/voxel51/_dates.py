"""Dates as the platform takes them. Pure, but for a warning."""

from __future__ import annotations

import datetime as dt
import warnings
from typing import Any, TypeAlias

from asyncclient.errors import ArgumentError, ArgumentTypeError
from asyncclient.voxel51.exceptions import InvalidArguments

__all__ = ["Date", "date_text", "ttl_fields"]

Date: TypeAlias = "str | dt.datetime | dt.date"
"""Text is sent as it is; without an offset the platform takes it for UTC."""


def date_text(value: Any, argument: str) -> str:
    """Write a date.

    A datetime without a time zone is sent as it is, with a warning, as the platform takes it for UTC; one whose offset
    is no whole number of minutes, which nothing on the wire can say, is sent in UTC.

    Raises:
        ArgumentTypeError: It is neither text nor a date.
        ArgumentError: It cannot be told in UTC.
    """
    if isinstance(value, str):
        return value
    if not isinstance(value, (dt.datetime, dt.date)):
        raise ArgumentTypeError(
            f"{argument} must be a datetime, a date or text such as 2030-01-31T12:00:00.000Z, "
            f"not {type(value).__name__}",
            argument=argument,
        )
    if not isinstance(value, dt.datetime):
        return str(value.isoformat())
    offset = value.utcoffset()
    if offset is None:
        warnings.warn(
            f"{argument} has no time zone; the platform takes it for UTC. Give datetime.now(tz=...) or .astimezone().",
            UserWarning,
            stacklevel=4,
        )
    elif offset % dt.timedelta(minutes=1):
        try:
            value = value.astimezone(dt.UTC)
        except OverflowError:
            raise ArgumentError(f"{argument} is too near the end of the calendar", argument=argument) from None
    return str(value.isoformat())


def ttl_fields(days: Any, expiration_date: Any) -> dict[str, str]:
    """Return the one field of the two that was given.

    Raises:
        InvalidArguments: Both were given, or neither.
        ArgumentTypeError: ``days`` is no number.
        ArgumentError: ``days`` is not finite.
    """
    if (days is None) == (expiration_date is None):
        raise InvalidArguments("Either `days` or `expiration_date` must be provided", "days")
    if expiration_date is not None:
        return {"expiration_date": date_text(expiration_date, "expiration_date")}
    if isinstance(days, bool) or not isinstance(days, (int, float, str)):
        raise ArgumentTypeError(f"days must be a number, not {type(days).__name__}", argument="days")
    try:
        finite = abs(float(days)) < float("inf")
    except (ValueError, OverflowError):
        finite = False
    if not finite:
        raise ArgumentError(f"days must be a finite number, not {days!r:.40}", argument="days")
    return {"days": str(days)}
