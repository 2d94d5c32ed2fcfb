"""Which plots the report has, and what is on them. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Final, NamedTuple

from _plots import Bar, Line, Point, bars, lines
from _results import Result, Row, Series, pick
from _targets import TIMES, target_of
from _verdicts import Judged, ratio_text

__all__ = ["Plot", "plots_of", "plots_of_targets"]

_AXES: Final = {
    "≤": "what ours takes, the other being 1: further left is better. Dashed: the target; grey: not what is judged",
    "≥": "times as good as the other: further right is better. Dashed: the target; grey: not what is judged",
}


class Plot(NamedTuple):
    """A plot: the name of its file without the suffix, what it shows in words, and the file."""

    name: str
    alternative: str
    svg: str


def plots_of_targets(judged: Sequence[Judged]) -> list[Plot]:
    """Draw how far each number is on the good side of its bound, where both are above zero."""
    rows = [each.row for each in judged if each.row and each.row.ratio > 0 and each.row.wanted > 0]
    if not rows:
        return []
    title = "How far each number is beyond its target"
    words = "; ".join(
        f"{row.target} {_headroom(row, row.ratio):.2g} {TIMES}, {'met' if row.met else 'missed'}" for row in rows
    )
    drawn = [
        Bar(row.target, *_headrooms(row), 1.0, row.met, f"{_headroom(row, row.ratio):.2g} {TIMES}") for row in rows
    ]
    axis = "1 is the target: further right is better. Targets of zero, and what was not run, are in the table alone"
    return [Plot("targets", f"{title}: {words}", bars(title, words, drawn, axis))]


def _headroom(row: Row, number: float) -> float:
    return row.wanted / max(number, 1e-9) if row.comparison == "≤" else number / row.wanted


def _headrooms(row: Row) -> tuple[float, float, float]:
    low, high = sorted((_headroom(row, row.low), _headroom(row, row.high)))
    return _headroom(row, row.ratio), low, high


def plots_of(result: Result) -> list[Plot]:
    """Draw what a script found: its ratios as bars, and as lines what was measured at several sizes."""
    return [*_ratios(result), *_lines(result)]


def _ratios(result: Result) -> list[Plot]:
    rows = [row for row in result.rows if row.unit == TIMES and row.ratio > 0]
    if not rows:
        return []
    title = f"{result.script}: ratios, median and spread"
    drawn = [_ratio(row) for row in rows]
    words = "; ".join(f"{bar.label} {bar.text}" for bar in drawn)
    return [Plot(result.script, f"{title}: {words}", bars(title, words, drawn, _AXES[rows[0].comparison]))]


def _ratio(row: Row) -> Bar:
    name = row.target.partition(".")[2]
    met = row.met if row.measure == target_of(row.target).measure else None
    return Bar(f"{name}, {row.measure}", row.ratio, row.low, row.high, row.wanted, met, ratio_text(row))


_LINES: Final[Mapping[str, tuple[str, str, str, str]]] = {
    "calls": ("CPU", "CPU of one small call", "calls at a time", "µs"),
    "latency": ("wall", "Time of a small call, by percentile", "percentile of the calls", "ms"),
}
"""What is drawn as lines, from group to group: the measure, a title, and what the axes count."""


def _lines(result: Result) -> list[Plot]:
    if result.script not in _LINES or not result.series:
        return []
    measure, title, across, upward = _LINES[result.script]
    chosen = [each for each in result.series if each.measure == measure]
    groups, names = _unique(each.group for each in chosen), _unique(each.name for each in chosen)
    shown = [Line(name, tuple(_point(chosen, group, name) for group in groups)) for name in names]
    words = "; ".join(f"{each.name}, {each.group}: {each.median:.3g} {each.unit}" for each in chosen)
    svg = lines(title, words, shown, groups, (across, upward))
    return [Plot(f"{result.script}-lines", f"{title}: {words}", svg)]


def _point(chosen: Sequence[Series], group: str, name: str) -> Point | None:
    found = pick(chosen, group, name, chosen[0].measure)
    return Point(found.median, found.low, found.high) if found else None


def _unique(names: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(names))
