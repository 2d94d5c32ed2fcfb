"""The closing tables of the demo, and its JSON document."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, Final

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from asyncclient.cli._counts import counted

__all__ = [
    "CALLS",
    "TRANSFERS",
    "calls_row",
    "closing",
    "notes",
    "number",
    "peaks",
    "print_report",
    "shortened",
    "story",
    "transfers_row",
]

_MB: Final = 1e6
_MOST: Final = 10  # lines of a kind

TRANSFERS: Final = ("service", "files", "up", "down", "s", "MB/s", "verified", "resumed", "retries")
"""Columns. Up and down are MB; verified are MB that were compared; resumed are MB that were not sent again."""

CALLS: Final = ("service", "idle", "p50", "p95", "loaded", "p50", "p95")
"""Columns: number of calls, and ms, before and while bulk work ran."""


def print_report(data: Mapping[str, Any], *, as_json: bool) -> None:
    """Write what :func:`asyncclient.cli._demo_data.data_of` returned to standard output."""
    if as_json:
        print(json.dumps(data, indent=2, ensure_ascii=False))
        return
    console = Console(highlight=False)
    rows = [*data["services"], {**data["totals"], "title": "all"}]
    console.print("Transfers: MB moved up and down, compared (verified), not sent again (resumed)")
    console.print(_table(TRANSFERS, [transfers_row(row) for row in rows]))
    console.print("Small calls: how many, and ms, before (idle) and during the transfers (loaded)")
    console.print(_table(CALLS, [calls_row(row) for row in rows]))
    for line in [*notes(data), peaks(data)]:
        console.print(escape(line), soft_wrap=True)
    for problem in shortened(data["problems"]):
        console.print(escape(f"NOT RIGHT: {problem}"), style="bold red", soft_wrap=True)
    console.print(escape(closing(data)), soft_wrap=True, style="bold")


def _table(headings: Sequence[str], rows: Sequence[Sequence[str]]) -> Table:
    table = Table(box=SIMPLE_HEAD, pad_edge=False, padding=(0, 1, 0, 0))
    for index, heading in enumerate(headings):
        table.add_column(heading, justify="right" if index else "left", overflow="fold")
    for index, row in enumerate(rows):
        table.add_row(*(escape(cell) for cell in row), end_section=index == len(rows) - 2)
    return table


def transfers_row(row: Mapping[str, Any]) -> list[str]:
    """Return the cells of a service, or of the totals, in the order of :data:`TRANSFERS`."""
    if row.get("left_out"):
        return [row["title"], "left out", *["-"] * (len(TRANSFERS) - 2)]
    sizes = [row["bytes_up"], row["bytes_down"]]
    return [
        row["title"],
        str(row["files"]),
        *(number(size / _MB) for size in sizes),
        number(row["seconds"]),
        number(row["mb_per_s"]),
        number(row["verified_bytes"] / _MB),
        number(row["not_sent_again_bytes"] / _MB) if row["not_sent_again_bytes"] else "-",
        str(row["retries"]),
    ]


def calls_row(row: Mapping[str, Any]) -> list[str]:
    """Return the cells of a service, or of the totals, in the order of :data:`CALLS`."""
    cells = [row["title"]]
    for state in ("idle", "under_load"):
        found = row["calls"][state]
        cells += [str(found["count"]), number(found["p50_ms"]), number(found["p95_ms"])]
    return cells


def number(value: float | None) -> str:
    """Write a number with one digit after the point; a dash for None."""
    return "-" if value is None else f"{value:.1f}"


def notes(data: Mapping[str, Any]) -> list[str]:
    """Return what there is to say about single services."""
    lines = []
    for row in data["services"]:
        lines += shortened([f"{row['title']}: {name}: refused (empty), as it should be." for name in row["refused"]])
        lines += [f"{row['title']}: {note}" for note in row["notes"]]
        if row["left_out"]:
            lines.append(f"{row['title']} was left out: {row['left_out']}")
    if data["resumption"] is not None:
        lines.append(story(data["resumption"]))
    return lines


def shortened(lines: Sequence[str]) -> list[str]:
    """Return the first lines, and how many more there are; JSON has all of them."""
    return list(lines) if len(lines) <= _MOST + 1 else [*lines[:_MOST], f"... and {len(lines) - _MOST} more like this."]


def story(found: Mapping[str, int]) -> str:
    """Say what came of the upload that was killed."""
    return (
        f"LF View: the process that uploaded the View, with a hub of its own, was killed after "
        f"{found['before_bytes'] / _MB:.1f} of {found['total_bytes'] / _MB:.1f} MB ({found['before_parts']} of "
        f"{counted(found['total_parts'], 'part')}). This process went on through the shared hub: {found['saved_bytes'] / _MB:.1f} MB "
        f"({counted(found['saved_parts'], 'part')}) were not sent again, {found['sent_twice_bytes'] / _MB:.1f} MB "
        f"({counted(found['sent_twice_parts'], 'part')}) were."
    )


def peaks(data: Mapping[str, Any]) -> str:
    """Say how much was in use at most."""
    totals = data["totals"]
    grown = totals["memory_growth_bytes"]
    memory = "" if grown is None else f"; the process grew by {grown / _MB:.0f} MB, with the View in memory"
    return (
        f"At most {totals['peak_connections']} connections, {totals['peak_in_flight']} requests in flight "
        f"({totals['peak_lanes']['bulk']} bulk, {totals['peak_lanes']['control']} small){memory}."
    )


def closing(data: Mapping[str, Any]) -> str:
    """Say whether all is well."""
    if not data["ok"]:
        return "Something differs."
    totals = data["totals"]
    done = sum(not row["left_out"] for row in data["services"])
    return (
        f"All {counted(totals['files'], 'file')} of {counted(done, 'service')} ({totals['verified_bytes'] / _MB:.1f} MB) came back the same, "
        f"byte for byte, in {totals['seconds']:.1f} s."
    )
