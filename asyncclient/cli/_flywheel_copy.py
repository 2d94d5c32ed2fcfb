"""``asyncclient flywheel cp`` and ``sync``: doing what was planned, file by file."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from asyncclient.cli._errors import Problem, complain
from asyncclient.cli._flywheel_down import plan_download
from asyncclient.cli._flywheel_paths import SCHEME, Filter, is_remote, parse
from asyncclient.cli._flywheel_plan import Copy, Plan
from asyncclient.cli._flywheel_run import Moving, Session
from asyncclient.cli._flywheel_up import plan_upload
from asyncclient.cli._output import Output, status_of
from asyncclient.errors import AsyncClientError, ConfigurationError

__all__ = ["Request", "check", "copy"]

_AT_A_TIME: Final = 8


@dataclass(frozen=True, slots=True)
class Request:
    """What was asked for.

    Attributes:
        source: Path of a file or folder, or one at the service.
        target: Likewise; just one of the two is at the service.
        recursive: Whether everything below the source is copied.
        changed: Whether files that are there already, and the same, are left out.
        dry_run: Whether nothing is done, and only said what would be.
        wanted: Which files.
    """

    source: str
    target: str
    recursive: bool = False
    changed: bool = False
    dry_run: bool = False
    wanted: Filter = field(default_factory=Filter)


def check(request: Request) -> None:
    """Refuse what can be refused without asking the service.

    Raises:
        Problem: Not just one of the two paths is at the service, or one of them is none.
    """
    if is_remote(request.source) == is_remote(request.target):
        raise Problem(f"one of the two paths must begin with {SCHEME}, and the other must not")
    parse(request.source if is_remote(request.source) else request.target)


async def copy(session: Session, request: Request, output: Output) -> int:
    """Copy files and return the exit code; one that fails does not keep the others from being copied.

    Raises:
        Problem: Source and target do not fit; nothing was copied then.
    """
    plan = await _planned(session, request)
    if not request.dry_run:
        await plan.prepare()
    rows = await _carried_out(session, request, plan.copies)
    output.result(rows, "\n".join(_line(row) for row in rows if row["state"] != "failed") or None)
    for row in rows:
        if row["state"] == "failed":
            complain(f"{row['from']}: {row['error']}")
    return status_of(sum(row["state"] == "failed" for row in rows))


async def _planned(session: Session, request: Request) -> Plan:
    if is_remote(request.source):
        return await plan_download(
            session, parse(request.source), request.target, request.wanted, recursive=request.recursive
        )
    source = Path(request.source)
    return await plan_upload(session, source, parse(request.target), request.wanted, recursive=request.recursive)


async def _carried_out(session: Session, request: Request, copies: Sequence[Copy]) -> list[dict[str, Any]]:
    rows = []
    moving = Moving(len(copies), 0 if request.dry_run else sum(each.size_bytes for each in copies))

    async def take(each: Copy) -> dict[str, Any]:
        row = {"from": each.source, "to": each.target, "size": each.size_bytes}
        try:
            return row | {"state": await _state(request, each, moving)}
        except ConfigurationError:  # the same for all that follow
            raise
        except (AsyncClientError, OSError) as error:
            return row | {"state": "failed", "error": str(error) or type(error).__name__}

    async with moving.showing():
        async for row in session.hub.map(take, copies, concurrency=_AT_A_TIME):
            rows.append(row)
            moving.advance()
    return rows


async def _state(request: Request, each: Copy, moving: Moving) -> str:
    """Copy a file, if it is to be copied, and say what came of it."""
    if request.changed and await each.same():
        return "same"
    if request.dry_run:
        return "planned"
    with moving.file() as report:
        await each.do(report)
    return "copied"


_WORDS: Final = {"same": "is there already", "planned": "would be copied"}


def _line(row: dict[str, Any]) -> str:
    words = _WORDS.get(row["state"], row["state"])
    return "".join(sign if sign.isprintable() else "?" for sign in f"{words}: {row['from']} -> {row['to']}")
