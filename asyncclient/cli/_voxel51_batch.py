"""Commands that do something to many data or jobs in one request."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any

import typer

from asyncclient.cli._errors import OK, Problem
from asyncclient.cli._output import Output, status_of

if TYPE_CHECKING:
    from asyncclient.voxel51 import AsyncAPI

__all__ = [
    "All",
    "Choice",
    "Date",
    "Days",
    "DryRun",
    "Force",
    "Ids",
    "SomeIds",
    "Words",
    "change",
    "details",
    "jobs_like",
    "ttl_of",
]

SomeIds = Annotated[list[str], typer.Argument(metavar="ID", help="Ids.", show_default=False)]
Ids = Annotated[list[str] | None, typer.Argument(metavar="ID", help="Ids.", show_default=False)]
All = Annotated[bool, typer.Option("-a", "--all", help="All there are, in place of ids.")]
Force = Annotated[bool, typer.Option("-f", "--force", "-y", "--yes", help="Do not ask.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Print the ids and do nothing.")]
Days = Annotated[float | None, typer.Option("--days", help="Days to add; may be negative.", show_default=False)]
Date = Annotated[str | None, typer.Option("--date", help="The new date, ISO 8601.", show_default=False)]

Answers = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Words:
    """What a command says: ``Found 2 data to delete``, ``failed to delete data``, ``1/2 data deleted``."""

    found: str
    failed: str
    done: str


@dataclass(frozen=True, slots=True)
class Choice:
    """Which rows a command is about.

    Attributes:
        ids: As given.
        everything: Whether all that fit are meant in place of the ids.
        force: Whether it is not asked again.
        dry_run: Whether they are only listed.
    """

    ids: Sequence[str]
    everything: bool
    force: bool
    dry_run: bool


async def change(
    choice: Choice,
    words: Words,
    output: Output,
    *,
    find: Callable[[], Awaitable[Sequence[Mapping[str, Any]]]],
    act: Callable[[Sequence[str]], Awaitable[Answers]],
) -> int:
    """Do something to the chosen rows.

    Args:
        choice: Which.
        words: What is said.
        output: Where it is written.
        find: Fetches all rows that can be meant.
        act: Makes the request.

    Returns:
        1 if it failed for one of them.
    """
    ids = [str(row["id"]) for row in await find()] if choice.everything else list(choice.ids)
    if choice.dry_run:
        output.result(ids, "\n".join(ids) if ids else None)
        return OK
    if choice.everything:
        output.say(f"Found {len(ids)} {words.found}")
        if ids and not choice.force and not output.confirmed():
            return OK
    if not ids:
        output.result({}, None)
        return OK
    answers = await act(ids)
    failures = _complain(answers, words.failed, output)
    output.result(answers, f"{len(answers) - failures}/{len(answers)} {words.done}")
    return status_of(failures)


async def details(
    answers: Awaitable[Answers], noun: str, output: Output, table: Callable[[list[Mapping[str, Any]]], str]
) -> int:
    """Show the details of several rows; return 1 if one of them could not be fetched."""
    found = await answers
    failures = _complain(found, f"failed to get {noun} details", output)
    records = [answer["response"] for answer in found.values() if answer.get("success")]
    output.result(found, table(records))
    return status_of(failures)


def _complain(answers: Answers, words: str, output: Output) -> int:
    failures = 0
    for row_id, answer in answers.items():
        if not answer.get("success"):
            failures += 1
            message = (answer.get("error") or {}).get("message", "????")
            output.say(f"{words.capitalize()} '{row_id}': {message}")
    return failures


def ttl_of(days: float | None, date: str | None) -> dict[str, Any]:
    """Return the arguments of a TTL method.

    Raises:
        Problem: Both were given, or neither.
    """
    if (days is None) == (not date):
        raise Problem("give either --days or --date")
    return {"days": days} if days is not None else {"expiration_date": date}


async def jobs_like(api: AsyncAPI, *terms: tuple[str, Any]) -> Sequence[Mapping[str, Any]]:
    """Fetch the jobs that fit a search, oldest first."""
    from asyncclient.voxel51 import JobsQuery

    query = JobsQuery().add_all_fields().sort_by("upload_date", descending=False)
    for field, value in terms:
        query.add_search(field, value)
    answer: Mapping[str, Any] = await api.query_jobs(query)
    rows: Sequence[Mapping[str, Any]] = answer["jobs"]
    return rows
