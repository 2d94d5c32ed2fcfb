"""The emulator's time: the real one, moved forward on request, and its texts."""

from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta

from asyncclient.testing._contract import Refusal

__all__ = ["Clock", "days_from", "moment_from", "text_of"]


class Clock:
    """Tells the time."""

    def __init__(self) -> None:
        self._ahead = timedelta()

    def now(self) -> datetime:
        """Return the present time in UTC."""
        return datetime.now(UTC) + self._ahead

    def advance(self, by: timedelta) -> None:
        """Move the time forward."""
        self._ahead += by


def text_of(moment: datetime | None) -> str | None:
    """Write a date as the service does: UTC, milliseconds, ``Z``."""
    if moment is None:
        return None
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def moment_from(text: str, where: str) -> datetime:
    """Read a date; without an offset it is UTC.

    Raises:
        Refusal: 400, it is none.
    """
    try:
        moment = datetime.fromisoformat(text.strip())
        return (moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError):
        raise Refusal(400, f"{where}: is not a date") from None


def days_from(text: str, start: datetime) -> datetime:
    """Return the date so many days, or parts of them, after another one.

    Raises:
        Refusal: 400, that is no number, or leads out of the calendar.
    """
    try:
        days = float(text)
        if not math.isfinite(days):
            raise ValueError
        return start + timedelta(days=days)
    except (ValueError, OverflowError):
        raise Refusal(400, "days: is not a number of days") from None
