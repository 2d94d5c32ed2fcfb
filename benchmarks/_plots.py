"""Plots as SVG: bars with their spread and a bound, and lines. Pure: the same input gives the same bytes.

They are read as images, in light and dark, so that each brings its colours and its ground, and says in words what it shows.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from html import escape
from typing import Final

__all__ = ["Bar", "Line", "Point", "bars", "lines"]

_WIDTH: Final = 820
_LABELS: Final = 300  # the room for what bars are called
_VALUES: Final = 84  # and for their numbers
_ROW: Final = 26
_TOP: Final = 44
_AXIS: Final = 34
_PLOT: Final = 250  # the height of a plot of lines
_LEGEND: Final = 20
_LONGEST: Final = 46  # letters that fit into the room for labels

# Colours that the colour-blind can tell apart (Okabe and Ito), and dashes for who sees none.
_LINES: Final = (
    ("#0072b2", ""),
    ("#d55e00", "7 3"),
    ("#009e73", "2 3"),
    ("#cc79a7", "9 3 2 3"),
    ("#8a6d00", "4 2"),
    ("#56b4e9", "1 2"),
)
_CLASSES: Final[dict[bool | None, str]] = {True: "met", False: "missed", None: "beside"}
_STYLE: Final = """
text { font: 12px system-ui, sans-serif; fill: #1c2733; } .title { font-size: 14px; font-weight: 600; }
.soft { fill: #5d6b7a; } .ground { fill: #ffffff; } .grid { stroke: #d5dbe1; } .spread { stroke: #1c2733; }
.met { fill: #0072b2; } .missed { fill: #d55e00; } .beside { fill: #9aa8b6; }
.bound { stroke: #1c2733; stroke-width: 2; stroke-dasharray: 3 2; }
@media (prefers-color-scheme: dark) {
text { fill: #e8edf2; } .soft { fill: #9aa8b6; } .ground { fill: #16191d; } .grid { stroke: #3a4652; }
.spread { stroke: #e8edf2; } .met { fill: #4fa3e0; } .missed { fill: #f08a4b; } .beside { fill: #5d6b7a; } .bound { stroke: #e8edf2; }
}
"""


@dataclass(frozen=True)
class Bar:
    """One bar.

    Attributes:
        label: What it is of.
        value: Where it ends, above zero; ``low`` and ``high`` are the ends of the spread.
        bound: Where the mark of what was asked for stands; None for none.
        met: Whether that is kept, which is the colour; None where it is not what is judged.
        text: The number as it is written beside the bar.
    """

    label: str
    value: float
    low: float
    high: float
    bound: float | None
    met: bool | None
    text: str


@dataclass(frozen=True)
class Point:
    """A median and its spread."""

    median: float
    low: float
    high: float


@dataclass(frozen=True)
class Line:
    """One line: a point for each place on the axis, None where there is none."""

    name: str
    points: tuple[Point | None, ...]


class _Scale:
    """Places numbers along a logarithmic axis: a ratio of two is equally far whether it is won or lost."""

    def __init__(self, values: Sequence[float], start: float, stop: float) -> None:
        shown = [value for value in values if value > 0] or [1.0]
        self.first = math.floor(math.log10(min(shown)) * 2) / 2
        self.last = max(math.ceil(math.log10(max(shown)) * 2) / 2, self.first + 0.5)
        self._start, self._length = start, stop - start

    def at(self, value: float) -> float:
        if value <= 0:
            return self._start
        share = (math.log10(value) - self.first) / (self.last - self.first)
        return self._start + self._length * min(1.0, max(0.0, share))

    def ticks(self) -> Iterator[float]:
        """Give 1, 2 and 5 times the powers of ten that are in range; powers alone where those would be too many."""
        steps = (1, 2, 5) if self.last - self.first < 3 else (1,)
        for power in range(math.floor(self.first), math.ceil(self.last) + 1):
            for step in steps:
                if self.first - 1e-9 <= math.log10(step) + power <= self.last + 1e-9:
                    yield step * 10.0**power


def bars(title: str, description: str, shown: Sequence[Bar], axis: str) -> str:
    """Draw bars from 1 to the left or right, with whiskers for the spread and a mark for what was asked for.

    Args:
        title: Above the plot.
        description: What the plot shows, in words, for who does not see it.
        shown: From above to below.
        axis: What the axis counts.
    """
    height = _TOP + _ROW * len(shown) + _AXIS
    values = [1.0, *(number for bar in shown for number in (bar.value, bar.low, bar.high, bar.bound or 0))]
    scale = _Scale(values, _LABELS, _WIDTH - _VALUES)
    below = _TOP + _ROW * len(shown)
    grid = "".join(
        f'<line class="grid" x1="{scale.at(tick):.1f}" x2="{scale.at(tick):.1f}" y1="{_TOP}" y2="{below}"/>'
        f'<text class="soft" x="{scale.at(tick):.1f}" y="{below + 15}" text-anchor="middle">{_number(tick)}</text>'
        for tick in scale.ticks()
    )
    rows = "".join(_bar(bar, scale, _TOP + _ROW * number) for number, bar in enumerate(shown))
    said = f'<text class="soft" x="{_WIDTH - 12}" y="{below + 30}" text-anchor="end">{escape(axis)}</text>'
    return _svg(height, title, description, grid + rows + said)


def _bar(bar: Bar, scale: _Scale, y: float) -> str:
    (left, right), middle = sorted((scale.at(1.0), scale.at(bar.value))), y + _ROW / 2
    low, high = scale.at(bar.low), scale.at(bar.high)
    parts = [
        f'<text x="{_LABELS - 8}" y="{middle + 4:.1f}" text-anchor="end">{escape(_short(bar.label))}</text>',
        f'<rect class="{_CLASSES[bar.met]}" x="{left:.1f}" y="{y + 6:.1f}" '
        f'width="{max(1.0, right - left):.1f}" height="{_ROW - 12}"/>',
        f'<path class="spread" fill="none" d="M{low:.1f} {middle - 4:.1f}v8m0-4H{high:.1f}m0-4v8"/>',
    ]
    if bar.bound is not None:
        at = scale.at(bar.bound)
        parts.append(f'<line class="bound" x1="{at:.1f}" x2="{at:.1f}" y1="{y + 2:.1f}" y2="{y + _ROW - 2:.1f}"/>')
    parts.append(f'<text x="{_WIDTH - _VALUES + 8}" y="{middle + 4:.1f}">{escape(bar.text)}</text>')
    return "".join(parts)


def lines(title: str, description: str, shown: Sequence[Line], places: Sequence[str], axes: tuple[str, str]) -> str:
    """Draw lines over places that are equally far apart, with whiskers for the spread.

    Args:
        title: Above the plot.
        description: What the plot shows, in words.
        shown: At most six.
        places: What stands below the axis, one for each point of a line.
        axes: What runs to the right, and what upward.
    """
    left, right, below = 60, _WIDTH - 30, _TOP + _PLOT
    points = [point for line in shown for point in line.points if point is not None]
    scale = _Scale([number for point in points for number in (point.low, point.high)], below, _TOP + 10)
    xs = [left + (right - left) * (number + 0.5) / len(places) for number in range(len(places))]
    parts = [
        f'<line class="grid" x1="{left}" x2="{right}" y1="{scale.at(tick):.1f}" y2="{scale.at(tick):.1f}"/>'
        f'<text class="soft" x="{left - 6}" y="{scale.at(tick) + 4:.1f}" text-anchor="end">{_number(tick)}</text>'
        for tick in scale.ticks()
    ]
    for x, place in zip(xs, places, strict=True):
        parts.append(f'<text class="soft" x="{x:.1f}" y="{below + 16}" text-anchor="middle">{escape(place)}</text>')
    parts.append(f'<text class="soft" x="{right}" y="{below + 31}" text-anchor="end">{escape(axes[0])}</text>')
    parts.append(f'<text class="soft" x="12" y="{_TOP - 4}">{escape(axes[1])}</text>')
    for number, line in enumerate(shown):
        parts.append(_line(line, xs, scale, number))
        parts.append(_legend(line.name, number, below + 44 + _LEGEND * (number // 2)))
    height = below + 44 + _LEGEND * math.ceil(len(shown) / 2)
    return _svg(height, title, description, "".join(parts))


def _line(line: Line, xs: Sequence[float], scale: _Scale, number: int) -> str:
    colour, dashes = _LINES[number % len(_LINES)]
    drawn = [(x, point) for x, point in zip(xs, line.points, strict=True) if point is not None]
    path = " ".join(f"{x:.1f},{scale.at(point.median):.1f}" for x, point in drawn)
    parts = [f'<polyline fill="none" stroke="{colour}" stroke-width="2" stroke-dasharray="{dashes}" points="{path}"/>']
    for x, point in drawn:
        low, high = scale.at(point.low), scale.at(point.high)
        parts.append(
            f'<path stroke="{colour}" d="M{x - 4:.1f} {low:.1f}h8m-4 0V{high:.1f}m-4 0h8"/>'
            f'<circle fill="{colour}" cx="{x:.1f}" cy="{scale.at(point.median):.1f}" r="3.5"/>'
        )
    return "".join(parts)


def _legend(name: str, number: int, y: float) -> str:
    colour, dashes = _LINES[number % len(_LINES)]
    x = 60 + (number % 2) * 360
    return (
        f'<line stroke="{colour}" stroke-width="2" stroke-dasharray="{dashes}" x1="{x}" x2="{x + 30}" y1="{y}" y2="{y}"/>'
        f'<text x="{x + 38}" y="{y + 4}">{escape(name)}</text>'
    )


def _svg(height: float, title: str, description: str, content: str) -> str:
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {height:.0f}" role="img" '
        f'aria-labelledby="title description"><title id="title">{escape(title)}</title>'
        f'<desc id="description">{escape(description)}</desc><style>{_STYLE}</style>'
        f'<rect class="ground" width="{_WIDTH}" height="{height:.0f}" rx="6"/>'
        f'<text class="title" x="12" y="22">{escape(title)}</text>{content}</svg>\n'
    )


def _short(label: str) -> str:
    return label if len(label) <= _LONGEST else label[: _LONGEST - 1] + "…"


def _number(value: float) -> str:
    return f"{value:,.0f}" if value >= 1000 else f"{value:g}"
