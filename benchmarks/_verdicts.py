"""What became of each target, and how numbers are written. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final, Literal

from _results import Result, Row, judge
from _targets import TARGETS, TIMES, Comparison, Target

__all__ = ["Judged", "Verdict", "bound_text", "judge_all", "number_text", "range_text", "ratio_text", "value_text"]

Verdict = Literal["met", "missed", "not run", "failed"]
_LEFT_OUT: Final = "left out by the script that measures it"


@dataclass(frozen=True)
class Judged:
    """A target and what became of it.

    Attributes:
        row: The comparison that decides; None where there is none.
        beside: The same in the measures that do not decide.
        why: For what was not run or failed: the reason. For what was missed: the known one. A smaller size, as well.
    """

    target: Target
    verdict: Verdict
    row: Row | None = None
    beside: tuple[Row, ...] = ()
    why: str = ""


def judge_all(results: Iterable[Result]) -> list[Judged]:
    """Judge all targets, in their order; none is ever left out."""
    by_script = {result.script: result for result in results}
    return [_judged(target, by_script.get(target.script, Result(target.script))) for target in TARGETS]


def _judged(target: Target, result: Result) -> Judged:
    if result.status == "failed":
        return Judged(target, "failed", why=result.why)
    rows = [row for row in result.rows if row.target == target.id]
    deciding = next((row for row in rows if row.measure == target.measure), None)
    if deciding is None:
        return Judged(target, "not run", why=_LEFT_OUT if result.status == "measured" else result.why)
    beside = tuple(row for row in rows if row is not deciding)
    reasons = [deciding.note] if deciding.met else [deciding.note, target.why_missed]
    return Judged(target, "met" if deciding.met else "missed", deciding, beside, "; ".join(filter(None, reasons)))


def number_text(value: float, digits: int = 3) -> str:
    """Write a number with so many digits that count, or all before the point, and thousands apart."""
    before = len(f"{abs(value):.0f}")
    return f"{value:,.{max(0, digits - before)}f}" if before >= 3 else f"{value:.{digits}g}"


def value_text(value: float, unit: str, comparison: Comparison, digits: int = 3) -> str:
    """Write what was measured; a small part as one over how many times it goes in."""
    if unit == TIMES and comparison == "≤" and 0 < value < 0.5:
        return f"1/{number_text(1 / value, digits)}"
    return f"{number_text(value, digits)} {unit}"


def ratio_text(row: Row) -> str:
    """Write what is judged, with as many digits as it takes to see on which side of the bound it is."""
    for digits in range(3, 9):
        text = value_text(row.ratio, row.unit, row.comparison, digits)
        number = float(text.removesuffix(row.unit).removeprefix("1/").replace(",", ""))
        read = 1 / number if text.startswith("1/") else number
        if judge(read, row.comparison, row.wanted) == row.met:
            break
    return text


def bound_text(target: Target) -> str:
    bound = value_text(target.wanted, target.unit, target.comparison)
    return f"{target.comparison} {bound}" if target.wanted else bound


def range_text(row: Row) -> str:
    """Write the spread over the rounds; nothing where there was one round."""
    if row.rounds < 2:
        return ""
    ends: Sequence[float] = sorted((row.low, row.high))
    return " to ".join(value_text(end, row.unit, row.comparison) for end in ends)
