"""Cut lists into pages with opaque tokens. Pure.

A token remembers the last row given, not a position, so that rows which come and go between two pages are neither repeated
nor skipped, and the filters, so that it is refused for another list. It also counts pages, so that an empty page does not
repeat the token it was asked with.
"""

from __future__ import annotations

import base64
import binascii
import json
import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from asyncclient.testing._contract import Refusal
from asyncclient.testing.las.tables import Row

__all__ = ["Cursor", "Page", "page_of", "read_token", "room_on", "write_token"]


@dataclass(frozen=True, slots=True)
class Cursor:
    """Where a list goes on."""

    page: int = 0
    after: tuple[str, int] | None = None  # sort key and number of the last row given


@dataclass(frozen=True, slots=True)
class Page:
    """Some rows, and the token of the next page if there is one."""

    rows: list[Row]
    token: str | None


def write_token(filters: dict[str, Any], cursor: Cursor) -> str:
    """Make the opaque text that leads to a cursor."""
    text = json.dumps([_fingerprint(filters), cursor.page, cursor.after], separators=(",", ":"))
    return base64.urlsafe_b64encode(text.encode()).decode()


def read_token(filters: dict[str, Any], token: str | None) -> Cursor:
    """Return where a list goes on; without a token, or with an empty one, at its start.

    Raises:
        Refusal: 400, the token is not one of ours, or of another list.
    """
    if not token:
        return Cursor()
    try:
        fingerprint, page, after = json.loads(base64.b64decode(token, altchars=b"-_", validate=True))
        cursor = Cursor(int(page), None if after is None else (str(after[0]), int(after[1])))
    except (binascii.Error, ValueError, TypeError, KeyError, IndexError):
        raise Refusal(400, "Invalid nextToken") from None
    if fingerprint != _fingerprint(filters):
        raise Refusal(400, "Invalid nextToken: it belongs to a list with other filters")
    return cursor


def _fingerprint(filters: dict[str, Any]) -> int:
    return zlib.crc32(json.dumps(filters, sort_keys=True).encode())


def room_on(page: int, limit: int, *, short: bool) -> int:
    """Return how many rows a page may have: with ``short``, half of them, none, and all in turn."""
    if not short:
        return limit
    return ((limit + 1) // 2, 0, limit)[page % 3]


def page_of(
    rows: Sequence[Row],
    filters: dict[str, Any],
    token: str | None,
    limit: int,
    *,
    short: bool = False,
    sort_key: Callable[[Row], str] = lambda row: "",
    descending: bool = False,
) -> Page:
    """Return the page a token leads to, and the token of the next."""
    cursor = read_token(filters, token)

    def place(row: Row) -> tuple[str, int]:
        return sort_key(row), row.number

    ordered = sorted(rows, key=place, reverse=descending)
    last = cursor.after
    if last is not None:
        ordered = [row for row in ordered if (place(row) < last if descending else place(row) > last)]
    taken = ordered[: room_on(cursor.page, limit, short=short)]
    if len(taken) == len(ordered):
        return Page(taken, None)
    after = place(taken[-1]) if taken else last
    return Page(taken, write_token(filters, Cursor(cursor.page + 1, after)))
