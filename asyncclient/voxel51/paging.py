"""Walking through all that a query finds."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping
from typing import TYPE_CHECKING, Any, Final

from asyncclient._paging import page_items
from asyncclient._values import CONVERTERS
from asyncclient.errors import ArgumentError, ArgumentTypeError, DecodeError
from asyncclient.voxel51.base import PlatformClient

if TYPE_CHECKING:
    from asyncclient._endpoint import Page

__all__ = ["PagingMethods", "page_query"]

_PAGE_SIZE: Final = 200
_ORDER: Final = "upload_date:asc"


class PagingMethods(PlatformClient):
    """Queries of any length."""

    async def iterate(self, operation: str, /, *args: Any, **arguments: Any) -> AsyncGenerator[Any]:
        """Yield the records that a query finds, fetching page after page as they are used up.

        ::

            async for job in api.iterate("query_jobs", JobsQuery().add_all_fields()):
                ...

        A page shorter than asked for is not taken for the last, because the platform may allow fewer records per page:
        the end is an empty page. A query without an order is sorted by upload date, oldest first, as pages would
        overlap otherwise.

        Args:
            operation: ``query_analytics``, ``query_data``, ``query_jobs``, ``query_application_data`` or
                ``query_application_jobs``.
            args: The query. Its limit is the size of each page; the first record is at its offset.
            arguments: The same by name.

        Raises:
            ArgumentError: There is no such operation, or it is not paged.
            DecodeError: The platform returned the same page again, which would never end.
        """
        method, page = self._paged(operation)
        query = _query_of(operation, args, arguments)
        offset, before = int(query.get("offset") or 0), None
        while True:
            found = page_items(operation, page, await method(page_query(query, offset, page)))
            if not found:
                return
            if found == before and all(isinstance(record, dict) and "id" in record for record in found):
                raise DecodeError(f"{operation}: the platform returned the same page twice; stopped")
            for record in found:
                yield record
            offset, before = offset + len(found), found


def page_query(query: Mapping[str, Any], offset: int, page: Page) -> dict[str, Any]:
    """Return the query of one page. Pure."""
    limit = page.limit or "limit"
    made = {"sort": _ORDER, limit: _PAGE_SIZE, **query, page.token: offset}
    if not offset:
        del made[page.token]  # as the platform's own client never sends an offset of 0
    return made


def _query_of(operation: str, args: tuple[Any, ...], arguments: Mapping[str, Any]) -> Mapping[str, Any]:
    given = [*args, *arguments.values()]
    if len(given) != 1:
        raise ArgumentTypeError(f"iterate({operation!r}) takes one query, not {len(given)}", argument="operation")
    query = CONVERTERS["to-dict"](given[0])
    if not isinstance(query, Mapping):
        raise ArgumentTypeError(
            f"iterate({operation!r}) takes a query, not {type(given[0]).__name__}", argument="query"
        )
    limit = query.get("limit")
    if limit is not None and (isinstance(limit, bool) or not isinstance(limit, int) or limit < 1):
        raise ArgumentError(
            f"the limit of a query must be a whole number of at least 1, not {limit!r}", argument="limit"
        )
    return query
