"""The result of the demo as one HTML page: the closing tables, and plots of what happened when. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from html import escape
from typing import Any, Final

from asyncclient.cli import _plots
from asyncclient.cli._demo_data import rates
from asyncclient.cli._demo_record import Part, Run
from asyncclient.cli._demo_report import CALLS, TRANSFERS, calls_row, closing, notes, peaks, shortened, transfers_row
from asyncclient.cli._page import document
from asyncclient.cli._plots import COLOURS, Bar, Line, Series

__all__ = ["page"]

_MB: Final = 1e6
_STEP_S: Final = 0.25  # of the plot
_ROW_S: Final = 1.0  # of its table
_TITLE: Final = "asyncclient demo"

_STYLE: Final = """
:root { --c0: #0072b2; --c1: #d55e00; --c2: #009e73; --c3: #cc79a7; --c4: #c79200; --shade: #1c27330d; --bad: #b3261e; }
@media (prefers-color-scheme: dark) { :root {
  --c0: #56b4e9; --c1: #f08a4b; --c2: #2fc79a; --c3: #e0a0c6; --c4: #f0c94c; --shade: #ffffff12; --bad: #ff8a80; } }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; margin: .6rem 0; font-size: .9rem; }
caption { text-align: left; color: var(--soft); padding-bottom: .3rem; }
th, td { text-align: right; padding: .25rem .7rem; border-bottom: 1px solid var(--edge); }
th:first-child, td:first-child { text-align: left; padding-left: 0; } #transfers tr:last-child > *, #calls tr:last-child > * { font-weight: 600; }
caption { white-space: nowrap; } .plot text { paint-order: stroke; stroke: Canvas; stroke-width: 3px; stroke-linejoin: round; }
.wide { overflow-x: auto; } .verdict { font-size: 1.1rem; color: var(--ink); font-weight: 600; }
.bad, .bad li { color: var(--bad); }
.legend { list-style: none; display: flex; flex-wrap: wrap; gap: .2rem 1.2rem; padding: 0; margin: .3rem 0; font-size: .85rem; }
.key { display: inline-block; width: .8em; height: .8em; border-radius: 2px; margin-right: .4em; }
.grid { stroke: var(--edge); stroke-width: 1; } .shade { fill: var(--shade); }
.level { stroke: var(--soft); stroke-dasharray: 6 4; } .event { stroke: var(--ink); stroke-dasharray: 2 3; }
details { margin: .4rem 0 1rem; font-size: .85rem; } summary { color: var(--soft); cursor: pointer; }
"""


def page(data: Mapping[str, Any], run: Run) -> str:
    """Write the page.

    Args:
        data: What :func:`asyncclient.cli._demo_data.data_of` returned; all numbers in tables are of it.
        run: What happened when.
    """
    plots = _throughput(run), _latency(data, run), _resumed(data, run)
    return document(_TITLE, _STYLE, "\n".join([_summary(data), _tables(data), *plots, _steps(data)]))


def _summary(data: Mapping[str, Any]) -> str:
    state = "verdict" if data["ok"] else "verdict bad"
    lines = [
        f'<p class="{state}">{escape(closing(data))}</p>',
        f"<p>Files for Lucidtech: {escape(str(data['source']))}. {escape(data['machine'])}.</p>",
    ]
    if data["problems"]:
        lines.append(f'<ul class="bad">{_items(shortened(data["problems"]))}</ul>')
    return "\n".join(lines)


def _items(texts: Iterable[str]) -> str:
    return "".join(f"<li>{escape(text)}</li>" for text in texts)


def _tables(data: Mapping[str, Any]) -> str:
    rows = [*data["services"], {**data["totals"], "title": "all"}]
    moved = "MB moved up and down, compared (verified), and not sent again (resumed); a MB is 10⁶ bytes."
    small = "Small calls: how many, and ms that half and 95 % of them took at most, before (idle) and during the transfers (loaded)."  # fmt: skip
    return (
        "<h2>Result</h2>"
        + _table("transfers", moved, TRANSFERS, map(transfers_row, rows))
        + _table("calls", small, CALLS, map(calls_row, rows))
        + f"<ul>{_items([*notes(data), peaks(data)])}</ul>"
    )


def _table(name: str, caption: str, headings: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    head = "".join(f'<th scope="col">{escape(heading)}</th>' for heading in headings)
    body = "".join(
        f'<tr><th scope="row">{escape(row[0])}</th>{"".join(f"<td>{escape(cell)}</td>" for cell in row[1:])}</tr>'
        for row in rows
    )
    return (
        f'<div class="wide"><table id="{name}"><caption>{escape(caption)}</caption>'
        f"<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>"
    )


def _colour(run: Run, part: Part) -> str:
    return COLOURS[run.parts.index(part) % len(COLOURS)]


def _throughput(run: Run) -> str:
    found = rates(run, _STEP_S)
    start = [(0.0, found[0][1])] if found else []
    series = [
        Series(part.title, _colour(run, part), [(at_s, values[index] / _MB) for at_s, values in start + found])
        for index, part in enumerate(run.parts)
    ]
    rows = [[f"{at_s:.1f}", *(f"{value / _MB:.1f}" for value in values)] for at_s, values in rates(run, _ROW_S)]
    numbers = _table(
        "throughput", "MB per second, both ways together", ["until second", *(part.title for part in run.parts)], rows
    )
    plot = _plots.areas(series, "Throughput over time, by service, in MB per second", "MB/s")
    keys = _plots.legend((each.name, each.colour) for each in series)
    said = "MB per second, both ways together; one service on top of the other, so that the edge is the whole."
    return f"<h2>Throughput</h2><figure>{keys}{plot}<figcaption>{said}</figcaption></figure>{_numbers(numbers)}"


def _latency(data: Mapping[str, Any], run: Run) -> str:
    began_s, ended_s = run.load
    series = [
        Series(part.title, _colour(run, part), [(call.at_s - began_s, 1000 * call.seconds) for call in part.calls])
        for part in run.parts
    ]
    idle = data["totals"]["calls"]["idle"]["p50_ms"]
    level = None if idle is None else Line(idle, f"half of the calls before: at most {idle:.1f} ms")
    plot = _plots.points(
        series,
        "Time that small calls took, by service, before and during the transfers",
        level,
        (0.0, ended_s - began_s),
    )
    keys = _plots.legend((each.name, each.colour) for each in series)
    said = "Each point is a small call, with all it takes: its turn, the request, the answer. The scale is logarithmic. Shaded: transfers are under way, and share the processors with the servers."  # fmt: skip
    return f"<h2>Small calls while transfers run</h2><figure>{keys}{plot}<figcaption>{said}</figcaption></figure>"


def _resumed(data: Mapping[str, Any], run: Run) -> str:
    found = data["resumption"]
    if found is None:
        return ""
    index, part = next((index, part) for index, part in enumerate(run.parts) if part.resumption is not None)
    began_s = run.load[0]
    sent = Series(
        part.title,
        _colour(run, part),
        [(each.at_s - began_s, each.up[index] / _MB) for each in run.samples if each.at_s >= began_s],
    )
    marks = [Line(mark.at_s - began_s, mark.what) for mark in part.marks if mark.what not in ("began", "ended")]
    total = found["total_bytes"] / _MB
    line = _plots.growth(
        sent,
        "MB of the View that were sent, over time, with the kill and the resumption",
        Line(total, f"all contents: {total:.1f} MB"),
        marks,
    )
    drawn = _plots.bars(
        _pieces(found),
        ["process that was killed", "this process"],
        "What was sent before the kill, and after it",
        total,
    )
    keys = _plots.legend((name, colour) for name, colour in zip(_KINDS, ("--c2", "--c1", "--c0"), strict=True))
    rows = [
        [name, f"{found[f'{key}_bytes'] / _MB:.1f}", str(found[f"{key}_parts"])]
        for name, key in (("all contents", "total"), ("arrived before the kill", "before"), ("not sent again", "saved"), ("sent again", "sent_twice"), ("sent after the kill", "sent_later"))
    ]  # fmt: skip
    numbers = _table("resumed", "As the emulator saw it", ["what", "MB", "parts"], rows)
    said = "What was sent again are parts that were under way. The first process had a hub of its own."
    return f"<h2>Killed and resumed</h2><figure>{line}{keys}{drawn}<figcaption>{said}</figcaption></figure>{numbers}"


_KINDS: Final = (
    "arrived before the kill, not sent again",
    "arrived before the kill, sent again",
    "sent after the kill",
)


def _pieces(found: Mapping[str, int]) -> list[Bar]:
    saved, twice, later = (found[name] / _MB for name in ("saved_bytes", "sent_twice_bytes", "sent_later_bytes"))
    sizes = [(0, 0.0, saved, "--c2"), (0, saved, twice, "--c1"), (1, saved, later, "--c0")]
    return [
        Bar(row, start, size, colour, f"{name}: {size:.1f} MB")
        for (row, start, size, colour), name in zip(sizes, _KINDS, strict=True)
    ]


def _steps(data: Mapping[str, Any]) -> str:
    rows = [
        [f"{row['title']}: {step['name']}", str(step["files"]), f"{step['seconds']:.2f}"]
        for row in data["services"]
        for step in row["steps"]
    ]
    return "<h2>Steps</h2>" + _numbers(
        _table("steps", "What was done at each service, in order", ["step", "files", "seconds"], rows)
    )


def _numbers(table: str) -> str:
    return f"<details><summary>Numbers</summary>{table}</details>"
