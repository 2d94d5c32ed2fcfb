"""Finders: a list operation with a memory of what it is asked for, page after page."""

from __future__ import annotations

import functools
from collections.abc import AsyncGenerator, AsyncIterator
from typing import Any, Final

from asyncclient import _paging
from asyncclient.errors import ArgumentError, ArgumentTypeError
from asyncclient.flywheel.objects._binding import act

__all__ = ["Finder", "Finders"]

_PAGE_SIZE: Final = 250


class Finder:
    """Finds objects through one list operation.

    Calling it calls the operation once. With an ``AsyncClient`` the results are awaited, and the iterators are for
    ``async for``; with a ``Client`` they are plain.

    Args:
        client: Of either kind.
        operation: Name of a list operation.
        args: Its leading arguments.
    """

    def __init__(self, client: Any, operation: str, *args: Any) -> None:
        self._client = client
        self._operation = operation
        self._args = args

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Call the operation once."""
        return getattr(self._client, self._operation)(*self._args, *args, **kwargs)

    def find(self, *filters: str, **kwargs: Any) -> Any:
        """Return all objects that match, as a list; with ``limit``, those of one page.

        Args:
            filters: Conditions such as ``label=x`` or ``created>2018-09-22``; all must hold.
            kwargs: Arguments of the operation.
        """
        return act(self._client, _find, self._operation, self._args, _query(filters, kwargs))

    def find_first(self, *filters: str, **kwargs: Any) -> Any:
        """Return the first object that matches, or None."""
        return act(self._client, _find_first, self._operation, self._args, _query(filters, kwargs))

    def find_one(self, *filters: str, **kwargs: Any) -> Any:
        """Return the one object that matches.

        Raises:
            ArgumentError: None does, or more than one (also a ``ValueError``).
        """
        return act(self._client, _find_one, self._operation, self._args, _query(filters, kwargs))

    def iter(self, limit: int = _PAGE_SIZE) -> Any:
        """Iterate over all objects, ``limit`` at a time."""
        return self.iter_find(limit=limit)

    def iter_find(self, *filters: str, **kwargs: Any) -> Any:
        """Iterate over all objects that match.

        Args:
            filters: As in :meth:`find`.
            kwargs: Arguments of the operation; ``limit`` is the size of a page, 250 by default.
        """
        query = _query(filters, kwargs)
        client = self._client
        if hasattr(client, "_run"):
            return client._iterate(_iterate, client._async, self._operation, self._args, query)
        return _iterate(client, self._operation, self._args, query)

    def __repr__(self) -> str:
        return f"<Finder of {self._operation}>"


def _query(filters: tuple[str, ...], kwargs: dict[str, Any]) -> dict[str, Any]:
    """Check filters and join them; pure."""
    for condition in filters:
        if not isinstance(condition, str):
            raise ArgumentTypeError(f"a filter must be text, not {type(condition).__name__}", argument="filter")
        if not any(sign in condition for sign in "=<>") or condition[:1] in "=<>!":
            raise ArgumentError(
                f"{condition!r} is no filter; it must be a field, one of = != < <= > >= =~, and a value",
                argument="filter",
            )
    return {**kwargs, "filter": ",".join(filters)} if filters else dict(kwargs)


async def _once(client: Any, operation: str, args: tuple[Any, ...], query: dict[str, Any]) -> list[Any]:
    _, page = client._paged(operation)
    answer = await getattr(client, operation)(*args, **query)
    if answer is None:
        return []
    return _paging.page_items(operation, page, getattr(answer, "results", answer))


async def _find(client: Any, operation: str, args: tuple[Any, ...], query: dict[str, Any]) -> list[Any]:
    if query.get("limit") is not None:
        return await _once(client, operation, args, query)
    return [item async for item in _iterate(client, operation, args, query)]


async def _find_first(client: Any, operation: str, args: tuple[Any, ...], query: dict[str, Any]) -> Any:
    found = await _once(client, operation, args, {**query, "limit": 1})
    return found[0] if found else None


async def _find_one(client: Any, operation: str, args: tuple[Any, ...], query: dict[str, Any]) -> Any:
    found = await _once(client, operation, args, {**query, "limit": 2})
    if len(found) != 1:
        raise ArgumentError("Found more results than 1!" if found else "No results found!")
    return found[0]


async def _iterate(client: Any, operation: str, args: tuple[Any, ...], query: dict[str, Any]) -> AsyncGenerator[Any]:
    """Yield the items of all pages: after the last id, or by number where an order is asked for."""
    method, page = client._paged(operation)
    if query.get("sort"):
        page = page._replace(style="page", token="page")  # noqa: S106  # a number, no secret
    arguments = {**query, "limit": query.get("limit") or _PAGE_SIZE}
    walk: AsyncIterator[Any] = _paging.items(operation, _unpaged(functools.partial(method, *args)), page, arguments)
    async for item in walk:
        yield item


def _unpaged(method: Any) -> Any:
    """Take the results out of page objects, which some services send unasked."""

    async def call(**kwargs: Any) -> Any:
        answer = await method(**kwargs)
        return getattr(answer, "results", answer) if type(answer).__name__ == "Page" else answer

    return call


class Finders:
    """The finders of a client."""

    @property
    def users(self) -> Finder:
        """All users."""
        return Finder(self, "get_all_users")

    @property
    def groups(self) -> Finder:
        """All groups the user may see."""
        return Finder(self, "get_all_groups")

    @property
    def projects(self) -> Finder:
        """All projects the user may see."""
        return Finder(self, "get_all_projects")

    @property
    def subjects(self) -> Finder:
        """All subjects the user may see."""
        return Finder(self, "get_all_subjects")

    @property
    def sessions(self) -> Finder:
        """All sessions the user may see."""
        return Finder(self, "get_all_sessions")

    @property
    def acquisitions(self) -> Finder:
        """All acquisitions the user may see."""
        return Finder(self, "get_all_acquisitions")

    @property
    def jobs(self) -> Finder:
        """All jobs the user may see."""
        return Finder(self, "get_all_jobs")

    @property
    def gears(self) -> Finder:
        """All gears."""
        return Finder(self, "get_all_gears")

    @property
    def collections(self) -> Finder:
        """All collections the user may see."""
        return Finder(self, "get_all_collections")

    @property
    def data_view_executions(self) -> Finder:
        """All executions of data views."""
        return Finder(self, "get_all_data_view_executions")

    @property
    def files(self) -> Finder:
        """All files the user may see."""
        return Finder(self, "get_all_files")

    @property
    def analyses(self) -> Finder:
        """All analyses the user may see."""
        return Finder(self, "get_all_analyses")
