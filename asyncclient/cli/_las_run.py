"""What all commands for Lucidtech do alike: find credentials, open a client, list, ask before something is deleted."""

from __future__ import annotations

import functools
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

from asyncclient.cli._api import Catalogue, Service, by_module
from asyncclient.cli._commands import run_with
from asyncclient.cli._errors import OK
from asyncclient.cli._output import Output
from asyncclient.cli._settings import settings
from asyncclient.cli._tables import simple_table

if TYPE_CHECKING:
    from asyncclient.las import AsyncClient

__all__ = ["SERVICE", "limited", "run", "show_rows"]


def run(work: Callable[[AsyncClient], Awaitable[int | None]]) -> None:
    """Do the work of a command with an open client, and end the program with its exit code."""
    run_with(_opened, work)


def _opened() -> AsyncClient:
    from asyncclient import las

    return las.AsyncClient(profile=settings().profile, **settings().client_options())


async def limited(client: AsyncClient, operation: str, limit: int | None, **arguments: Any) -> list[Any]:
    """Return the rows of a paged operation, at most so many."""
    given = {name: value for name, value in arguments.items() if value is not None}
    rows = []
    if limit is not None:
        given["max_results"] = min(limit, 1000)
    async for row in client.iterate(operation, **given):
        rows.append(row)
        if len(rows) == limit:
            break
    return rows


def show_rows(rows: Sequence[Mapping[str, Any]], columns: Sequence[str]) -> int:
    """Write rows: those columns as a table, everything as JSON."""
    Output().result(list(rows), simple_table(columns, [[row.get(name) for name in columns] for row in rows]))
    return OK


@functools.cache
def _catalogue() -> Catalogue:
    from asyncclient.las import AsyncClient

    return by_module("asyncclient.las._generated.operations", AsyncClient)


SERVICE: Final = Service(_catalogue, run)
"""What the command ``api`` needs of Lucidtech."""
