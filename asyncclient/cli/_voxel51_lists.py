"""Options of the commands that list, and what they mean for a query."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, TypeVar

import typer

from asyncclient.cli._errors import Problem

if TYPE_CHECKING:
    from asyncclient.voxel51 import BaseQuery

__all__ = ["Ascending", "Count", "Limit", "Search", "SortBy", "ordered"]

Q = TypeVar("Q", bound="BaseQuery")

Limit = Annotated[int, typer.Option("-l", "--limit", help="Most to show; below 1: all.", show_default=False)]
Search = Annotated[
    str | None, typer.Option("-s", "--search", help="Search, for instance name:clip,type:video.", show_default=False)
]
SortBy = Annotated[str, typer.Option("--sort-by", metavar="FIELD", help="What to sort by.")]
Ascending = Annotated[bool, typer.Option("--ascending", help="Smallest or oldest first.")]
Count = Annotated[bool, typer.Option("-c", "--count", help="Say how many are shown.")]


def ordered(query: Q, limit: int, sort_by: str, *, ascending: bool) -> Q:
    """Ask for all fields, in an order, and for so many.

    Raises:
        Problem: There is no such field.
    """
    query.add_all_fields().sort_by(sort_by, descending=not ascending)
    if query.sort is None:
        fields = ", ".join(query.SUPPORTED_FIELDS or ())
        raise Problem(f"--sort-by: there is no field {sort_by!r}; there are: {fields}")
    if limit > 0:
        query.set_limit(limit)
    return query
