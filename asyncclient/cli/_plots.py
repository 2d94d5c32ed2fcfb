"""Plots as inline SVG: areas on top of one another, points, a growing line, bars. Pure, and without scripts."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from html import escape
from typing import Final, NamedTuple

__all__ = ["COLOURS", "Bar", "Line", "Series", "areas", "bars", "growth", "legend", "points"]

COLOURS: Final = ("--c0", "--c1", "--c2", "--c3", "--c4")
"""Variables of the style sheet, one for each series."""

_WIDTH, _HEIGHT, _LEFT, _RIGHT, _TOP, _BOTTOM = 960, 280, 56, 16, 16, 40
_ROW, _THICK = 44, 22
_STEPS: Final = (1.0, 2.0, 5.0, 10.0)


class Series(NamedTuple):
    """Values over time.

    Attributes:
        name: Shown in the legend.
        colour: A variable of the style sheet.
        values: Time in seconds, and value.
    """

    name: str
    colour: str
    values: Sequence[tuple[float, float]]


class Line(NamedTuple):
    """A straight line across a plot, at a value or a moment, and what it means."""

    at: float
    name: str


class Bar(NamedTuple):
    """A piece of a bar, in units of the plot.

    Attributes:
        row: Index of the bar.
        start: Where it begins.
        size: How long it is.
        colour: A variable of the style sheet.
        name: What it is.
    """

    row: int
    start: float
    size: float
    colour: str
    name: str


class _Scale(NamedTuple):
    """Turns values into places."""

    low: float
    high: float
    start: float
    end: float
    logarithmic: bool = False

    def __call__(self, value: float) -> float:
        """Return the place of a value; what lies outside is put at the edge."""
        low, high, at = self.low, self.high, min(max(value, self.low), self.high)
        if self.logarithmic:
            low, high, at = math.log(low), math.log(high), math.log(at)
        return self.start + (self.end - self.start) * (at - low) / ((high - low) or 1.0)


def areas(series: Sequence[Series], title: str, unit: str) -> str:
    """Draw values over time on top of one another; all series have the same moments.

    Args:
        series: From the lowest up.
        title: For those who cannot see it.
        unit: Of the values.
    """
    moments = [at for at, _ in series[0].values] if series else []
    sums = [0.0] * len(moments)
    layers = []
    for each in series:
        below = sums
        sums = [a + value for a, (_, value) in zip(sums, each.values, strict=True)]
        layers.append((each, below, sums))
    x, y = _time(moments), _Scale(0.0, _ceiling(max(sums, default=0.0)), _HEIGHT - _BOTTOM, _TOP)
    shapes = []
    for each, low, high in layers:
        upper = [f"{x(at):.1f},{y(value):.1f}" for at, value in zip(moments, high, strict=True)]
        lower = [f"{x(at):.1f},{y(value):.1f}" for at, value in zip(moments, low, strict=True)]
        outline = " ".join([*upper, *reversed(lower)])
        name = escape(each.name)
        shapes.append(f'<polygon points="{outline}" fill="var({each.colour})"><title>{name}</title></polygon>')
    return _svg(title, _frame(x, y, _ticks(y), unit) + "".join(shapes))


def points(series: Sequence[Series], title: str, level: Line | None, span: tuple[float, float]) -> str:
    """Draw milliseconds over time as points, on a logarithmic scale.

    Args:
        series: In the order of the legend.
        title: For those who cannot see it.
        level: What the values are compared with.
        span: From when to when the background is shaded.
    """
    values = [value for each in series for _, value in each.values]
    x = _time([at for each in series for at, _ in each.values] + [0.0])
    low, high = min(values, default=1.0), max(values, default=10.0)
    y = _Scale(_power(low, math.floor), _power(high, math.ceil), _HEIGHT - _BOTTOM, _TOP, logarithmic=True)
    left, right = x(span[0]), x(span[1])
    shade = f'<rect x="{left:.1f}" y="{_TOP}" width="{max(0.0, right - left):.1f}" height="{y.start - _TOP}" class="shade"/>'
    dots = "".join(
        f'<circle cx="{x(at):.1f}" cy="{y(value):.1f}" r="2.4" fill="var({each.colour})" fill-opacity=".75"/>'
        for each in series
        for at, value in each.values
    )
    across = "" if level is None else _across(y(level.at), level.name)
    return _svg(title, shade + _frame(x, y, _decades(y), "ms") + dots + across)


def growth(series: Series, title: str, total: Line, moments: Sequence[Line]) -> str:
    """Draw how something grows towards a total, and what happened on the way.

    Args:
        series: What grows.
        title: For those who cannot see it.
        total: Where it would be complete.
        moments: In order.
    """
    x = _time([at for at, _ in series.values])
    top = max([value for _, value in series.values] + [total.at])
    y = _Scale(0.0, _ceiling(top), _HEIGHT - _BOTTOM, _TOP)
    line = " ".join(f"{x(at):.1f},{y(value):.1f}" for at, value in series.values)
    drawn = f'<polyline points="{line}" fill="none" stroke="var({series.colour})" stroke-width="2.5"/>'
    events = "".join(
        f'<line x1="{x(each.at):.1f}" y1="{_TOP}" x2="{x(each.at):.1f}" y2="{y.start}" class="event"/>'
        f'<text x="{x(each.at) + 4:.1f}" y="{_TOP + 12 + 14 * (number % 3)}">{escape(each.name)}</text>'
        for number, each in enumerate(moments)
    )
    return _svg(title, _frame(x, y, _ticks(y), "MB") + drawn + _across(y(total.at), total.name) + events)


def bars(pieces: Sequence[Bar], rows: Sequence[str], title: str, total: float) -> str:
    """Draw bars made of pieces, one below the other.

    Args:
        pieces: Of all rows.
        rows: What the bars are.
        title: For those who cannot see it.
        total: Length of the scale.
    """
    x = _Scale(0.0, total or 1.0, 170, _WIDTH - _RIGHT)
    drawn = []
    for number, row in enumerate(rows):
        drawn.append(f'<text x="160" y="{_ROW * number + 27}" text-anchor="end">{escape(row)}</text>')
    for each in pieces:
        start, end = x(each.start), x(each.start + each.size)
        drawn.append(
            f'<rect x="{start:.1f}" y="{_ROW * each.row + 12}" width="{max(0.0, end - start):.1f}" height="{_THICK}" '
            f'fill="var({each.colour})"><title>{escape(each.name)}</title></rect>'
        )
    return _svg(title, "".join(drawn), height=_ROW * len(rows) + 8)


def legend(entries: Iterable[tuple[str, str]]) -> str:
    """Write names with the colours they have: pairs of a name and a variable of the style sheet."""
    items = "".join(
        f'<li><span class="key" style="background: var({colour})"></span>{escape(name)}</li>'
        for name, colour in entries
    )
    return f'<ul class="legend">{items}</ul>'


def _svg(title: str, content: str, height: int = _HEIGHT) -> str:
    return (
        f'<svg class="plot" viewBox="0 0 {_WIDTH} {height}" role="img" aria-label="{escape(title)}">'
        f"<title>{escape(title)}</title>{content}</svg>"
    )


def _time(moments: Sequence[float]) -> _Scale:
    return _Scale(min(moments, default=0.0), max(moments, default=1.0), _LEFT, _WIDTH - _RIGHT)


def _across(y: float, name: str) -> str:
    right = _WIDTH - _RIGHT
    return (
        f'<line x1="{_LEFT}" y1="{y:.1f}" x2="{right}" y2="{y:.1f}" class="level"/>'
        f'<text x="{right}" y="{y - 5:.1f}" text-anchor="end">{escape(name)}</text>'
    )


def _frame(x: _Scale, y: _Scale, ticks: Iterable[float], unit: str) -> str:
    right, floor = _WIDTH - _RIGHT, y.start
    parts = [
        f'<line x1="{_LEFT}" y1="{y(tick):.1f}" x2="{right}" y2="{y(tick):.1f}" class="grid"/>'
        f'<text x="{_LEFT - 6}" y="{y(tick) + 4:.1f}" text-anchor="end">{tick:g}</text>'
        for tick in ticks
    ]
    parts += [f'<text x="{x(tick):.1f}" y="{floor + 16}" text-anchor="middle">{tick:g}</text>' for tick in _ticks(x)]
    parts.append(f'<text x="{(_LEFT + right) / 2}" y="{floor + 32}" text-anchor="middle">seconds</text>')
    parts.append(
        f'<text x="12" y="{(_TOP + floor) / 2}" text-anchor="middle" transform="rotate(-90 12 {(_TOP + floor) / 2})">{escape(unit)}</text>'
    )
    return "".join(parts)


def _ticks(scale: _Scale) -> Iterator[float]:
    """Return about six round values of a scale."""
    step = _round((scale.high - scale.low) / 6)
    for number in range(math.ceil(scale.low / step), math.floor(scale.high / step) + 1):
        yield number * step


def _decades(scale: _Scale) -> Iterator[float]:
    value = scale.low
    while value <= scale.high * 1.0001:
        yield float(f"{value:.6g}")
        value *= 10


def _round(size: float) -> float:
    """Return the next of 1, 2, 5 times a power of ten."""
    if size <= 0:
        return 1.0
    power = 10.0 ** math.floor(math.log10(size))
    return next(step * power for step in _STEPS if step * power >= size * 0.9999)


def _ceiling(top: float) -> float:
    step = _round(top / 6)
    return step * max(1, math.ceil(top / step))


def _power(value: float, rounded: Callable[[float], int]) -> float:
    return float(10.0 ** rounded(math.log10(max(value, 1e-3))))
