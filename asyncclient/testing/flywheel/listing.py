"""Lists as finders read them: filtered, sorted, page by page. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from itertools import islice
from typing import Any, TypeVar

from asyncclient.testing._contract import Refusal
from asyncclient.testing.flywheel.filters import matches, parse_filter, parse_sort, sort_key
from asyncclient.testing.flywheel.tables import Json

__all__ = ["listed"]

T = TypeVar("T")


def listed(
    rows: Iterable[T],
    show: Callable[[T], Json],
    query: Json,
    *,
    paged: bool = False,
    ids: Callable[[T], tuple[str, ...]] | None = None,
) -> list[Json] | Json:
    """Return one page of a list.

    Args:
        rows: In the order they have unless ``sort`` says otherwise.
        show: Makes the JSON of a row; asked only for what is needed.
        query: ``filter``, ``sort``, ``limit`` (0 or none: all), ``skip``, ``page`` (from 1), ``after_id``.
        paged: Answer with ``count``, ``total`` and ``results``.
        ids: What ``after_id`` is compared with. Default: the id.

    Raises:
        Refusal: 422, the query contradicts itself or cannot be read.
    """
    _check(query)
    window = _window(query)
    before, rest = _split(list(rows), query.get("after_id"), ids or _ids)
    if not (query.get("filter") or query.get("sort") or paged):
        return [show(row) for row in islice(rest, window.start, window.stop)]
    found = _sorted(_filtered(map(show, rest), query), query)
    results = found[window]
    if not paged:
        return results
    return {"count": len(results), "total": len(found) + len(_filtered(map(show, before), query)), "results": results}


def _ids(row: Any) -> tuple[str, ...]:
    return (row["_id"] if isinstance(row, dict) else row.id,)


def _split(rows: list[T], after: str | None, ids: Callable[[T], tuple[str, ...]]) -> tuple[list[T], list[T]]:
    if not after:
        return [], rows
    for place, row in enumerate(rows):
        if after in ids(row):
            return rows[: place + 1], rows[place + 1 :]
    return [row for row in rows if ids(row)[0] <= after], [row for row in rows if ids(row)[0] > after]


def _check(query: Json) -> None:
    for name in ("limit", "skip"):
        if query.get(name, 0) < 0:
            raise Refusal(422, f"query.{name}: is negative")
    if query.get("page", 1) < 1:
        raise Refusal(422, "query.page: begins with 1")
    if query.get("after_id") and any(query.get(name) for name in ("sort", "page", "skip")):
        raise Refusal(422, "query.after_id: cannot be combined with sort, page or skip")


def _window(query: Json) -> slice:
    limit = query.get("limit") or None
    start = query.get("skip", 0) + (query.get("page", 1) - 1) * (limit or 2**62)
    return slice(start, None if limit is None else start + limit)


def _filtered(documents: Iterable[Json], query: Json) -> list[Json]:
    conditions = parse_filter(query.get("filter") or "")
    return [document for document in documents if matches(document, conditions)]


def _sorted(documents: list[Json], query: Json) -> list[Json]:
    for field, descending in reversed(parse_sort(query["sort"]) if query.get("sort") else []):
        documents.sort(key=_key_of(field), reverse=descending)
    return documents


def _key_of(field: str) -> Callable[[Json], Any]:
    return lambda document: sort_key(document, field)
