"""What every handler gets and gives. Pure: handlers change tables and return the answer."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from asyncclient.testing._contract import Operation
from asyncclient.testing.las.paging import page_of
from asyncclient.testing.las.state import LasState, Tables
from asyncclient.testing.las.tables import Row, Table, now

__all__ = ["PAGING", "Call", "Handler", "Json", "Show", "as_it_is", "fetching", "listing", "removing"]

Json = dict[str, Any]
Show = Callable[["Call", Row], Json]
PAGING = frozenset({"maxResults", "nextToken"})


@dataclass(frozen=True, slots=True)
class Call:
    """One checked request."""

    state: LasState
    operation: Operation
    params: dict[str, str]
    query: Json
    body: Json
    caller: str  # id of the app client
    origin: str  # scheme, host and port as the client named them

    @property
    def tables(self) -> Tables:
        """The data."""
        return self.state.tables

    def created(self) -> Json:
        """Return the members that say who made a row, and when."""
        return {"createdBy": self.caller, "createdTime": now(), "updatedBy": None, "updatedTime": None}

    def named(self) -> Json:
        """Return name and description of a new row, and who made it."""
        return {"name": self.body.get("name"), "description": self.body.get("description"), **self.created()}

    def change(self, row: Row, values: Json) -> None:
        """Change members of a row, and say who did it."""
        row.data.update(values, updatedBy=self.caller, updatedTime=now())

    def job(self, row: Row, finish: Callable[[Row], None] | None) -> Row:
        """Let a row be a job that is not done yet."""
        row.unfinished_polls = self.state.options.pending_polls
        row.finish = finish
        return row

    def page(self, rows: Iterable[Row], show: Show, *, sort_by: str = "createdTime") -> Json:
        """Answer with one page of rows; some filters of the query are part of the answer."""
        options = self.state.options
        filters = {name: value for name, value in self.query.items() if name not in PAGING}
        sort_by = self.query.get("sortBy", sort_by)
        asked = self.query.get("maxResults", 0)
        page = page_of(
            list(rows),
            {"operation": self.operation.id, **self.params, **filters},
            self.query.get("nextToken"),
            min(asked if asked > 0 else options.page_size, options.max_page_size),
            short=options.short_pages,
            sort_key=lambda row: row.data.get(sort_by) or "",
            descending=self.query.get("order") == "descending",
        )
        assert self.operation.items is not None
        echo = {name: value for name, value in self.query.items() if name in self.operation.echo}
        return {**echo, self.operation.items: [show(self, row) for row in page.rows], "nextToken": page.token}


Handler = Callable[[Call], Json | None]


def as_it_is(call: Call, row: Row) -> Json:
    """Show a row as it is stored."""
    return row.data


def fetching(table: str, param: str, show: Show = as_it_is) -> Handler:
    """Return the handler that fetches one row of a table."""

    def fetch(call: Call) -> Json:
        rows: Table = getattr(call.tables, table)
        return show(call, rows.get(call.params[param]))

    return fetch


def listing(table: str, show: Show = as_it_is) -> Handler:
    """Return the handler that lists a table."""

    def listed(call: Call) -> Json:
        rows: Table = getattr(call.tables, table)
        return call.page(rows, show)

    return listed


def removing(table: str, param: str) -> Handler:
    """Return the handler that deletes one row of a table and answers with it."""

    def remove(call: Call) -> Json:
        rows: Table = getattr(call.tables, table)
        row = rows.get(call.params[param])
        rows.remove(row)
        return row.data

    return remove
