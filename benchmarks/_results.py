"""The form that all results have: what was measured round by round, and how it compares with a target. Pure."""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any, Final, Literal

from _targets import TIMES, Comparison, Measure, target_of

__all__ = ["Result", "Row", "Series", "Side", "Status", "compare", "judge", "measured", "pick", "series"]

Status = Literal["measured", "failed", "not run"]

_RESOLUTION: Final = 1e-9  # less than any clock tells; a zero is what was too short for it


@dataclass(frozen=True)
class Series:
    """What one contender took for one work, over all rounds.

    Attributes:
        group: The work, as "small up".
        name: The contender.
        measure: CPU, wall, memory or count.
        unit: Of the numbers.
        median: Of the rounds; so are ``low``, the lowest, and ``high``, the highest.
        rounds: How many there were.
        values: Each round, in order; empty in a summary.
    """

    group: str
    name: str
    measure: Measure
    unit: str
    median: float
    low: float
    high: float
    rounds: int
    values: tuple[float, ...] = ()


@dataclass(frozen=True)
class Side:
    """One side of a comparison."""

    name: str
    unit: str
    median: float
    low: float
    high: float


@dataclass(frozen=True)
class Row:
    """One comparison with a target.

    Attributes:
        target: The id of the target; ``question``, ``wanted``, ``comparison`` are the target's.
        measure: What was compared. A target is judged by the row of its own measure; others stand beside it.
        ours: What we took.
        other: What the other took; None where the target bounds our number alone.
        ratio: The number that is judged: of the medians, in the direction that the comparison says.
        low: The lowest of the rounds, each compared with the other's of the same round; ``high`` the highest.
        unit: Of ratio, low and high.
        rounds: How many there were.
        met: Whether ``ratio`` keeps the bound.
        note: What differs from the question, as a smaller size.
    """

    target: str
    question: str
    measure: Measure
    ours: Side
    other: Side | None
    ratio: float
    low: float
    high: float
    unit: str
    wanted: float
    comparison: Comparison
    met: bool
    rounds: int
    note: str = ""


@dataclass(frozen=True)
class Result:
    """What one script found, or that it did not.

    Attributes:
        about: The docstring of the script: what it asks, and how it measures.
        profile: "full", "quick", or "custom" where it was started by itself.
        why: The reason where the status is not "measured".
        details: What else a script has to say.
    """

    script: str
    status: Status = "not run"
    why: str = ""
    about: str = ""
    profile: str = ""
    settings: Mapping[str, Any] = field(default_factory=dict)
    machine: Mapping[str, Any] = field(default_factory=dict)
    versions: Mapping[str, str] = field(default_factory=dict)
    series: tuple[Series, ...] = ()
    rows: tuple[Row, ...] = ()
    details: Mapping[str, Any] = field(default_factory=dict)

    def summary(self) -> Result:
        """Leave out the values of the rounds."""
        return replace(self, series=tuple(replace(each, values=()) for each in self.series))

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, given: Mapping[str, Any]) -> Result:
        found = tuple(Series(**{**each, "values": tuple(each["values"])}) for each in given["series"])
        return cls(**{**given, "series": found, "rows": tuple(_row(each) for each in given["rows"])})


def _row(given: Mapping[str, Any]) -> Row:
    other = Side(**given["other"]) if given["other"] else None
    return Row(**{**given, "ours": Side(**given["ours"]), "other": other})


def series(group: str, name: str, measure: Measure, unit: str, values: Iterable[float]) -> Series:
    """Describe some rounds, one at least."""
    kept = tuple(values)
    return Series(group, name, measure, unit, statistics.median(kept), min(kept), max(kept), len(kept), kept)


def pick(found: Iterable[Series], group: str, name: str, measure: Measure) -> Series | None:
    """Return what a contender took for a work; None if it was left out."""
    for each in found:
        if (each.group, each.name, each.measure) == (group, name, measure):
            return each
    return None


def judge(number: float, comparison: Comparison, wanted: float) -> bool:
    """Say whether a number keeps a bound; the bound itself does."""
    return number <= wanted if comparison == "≤" else number >= wanted


def compare(target: str, ours: Series, other: Series, note: str = "") -> Row:
    """Compare two contenders of the same rounds.

    Raises:
        ValueError: They were not measured in the same number of rounds, or in another unit.
    """
    asked = target_of(target)
    if ours.unit != other.unit:
        raise ValueError(f"{ours.unit} cannot be compared with {other.unit}")
    pairs = zip(ours.values, other.values, strict=True)
    ratios = [_ratio(one, two, asked.comparison) for one, two in pairs]
    ratio = _ratio(ours.median, other.median, asked.comparison)
    return _judged(target, (ours, other), (ratio, min(ratios), max(ratios)), TIMES, note)


def measured(target: str, ours: Series, note: str = "") -> Row:
    """Compare a number of ours with its bound; the worst round is what counts."""
    worst = ours.high if target_of(target).comparison == "≤" else ours.low
    return _judged(target, (ours, None), (worst, ours.low, ours.high), target_of(target).unit, note)


def _ratio(ours: float, other: float, comparison: Comparison) -> float:
    above, below = (ours, other) if comparison == "≤" else (other, ours)
    return above / max(below, _RESOLUTION)


def _judged(
    target: str, sides: tuple[Series, Series | None], numbers: tuple[float, float, float], unit: str, note: str
) -> Row:
    asked, (ours, other) = target_of(target), sides
    return Row(
        target,
        asked.question,
        ours.measure,
        _side(ours),
        _side(other) if other else None,
        *numbers,
        unit,
        asked.wanted,
        asked.comparison,
        judge(numbers[0], asked.comparison, asked.wanted),
        ours.rounds,
        note,
    )


def _side(found: Series) -> Side:
    return Side(found.name, found.unit, found.median, found.low, found.high)


def compare_all(target: str, found: Sequence[Series], group: str, names: tuple[str, str], note: str = "") -> list[Row]:
    """Compare CPU and wall time of two contenders, where both were measured.

    Args:
        target: The id of the target.
        found: Everything that was measured.
        group: The work.
        names: Ours, and the other.
        note: As of a row.
    """
    rows = []
    measures: tuple[Measure, ...] = ("CPU", "wall")
    for measure in measures:
        ours, other = (pick(found, group, name, measure) for name in names)
        if ours is not None and other is not None:
            rows.append(compare(target, ours, other, note))
    return rows
