r"""The filters and sort orders of finders: ``label=my-label,created>2018-09-22``, ``label:asc,created:desc``. Pure.

Conditions are joined by commas and must all hold. A value may stand in double quotes, where ``\\"`` and ``\\\\`` stand for the
sign itself; commas belong to it then. Without quotes ``null``, ``true`` and ``false`` are what they are in JSON, numbers are
equal to numbers and to their text, and dates compare as times. ``=~`` searches for a regular expression. A condition on a
list holds if it holds for one of its items; ``!=`` is the contrary of ``=``.
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from asyncclient.testing._contract import Refusal

__all__ = ["Condition", "matches", "parse_filter", "parse_sort", "sort_key", "values_at"]

_CONDITION = re.compile(
    r"\s*(?P<field>[^\s=!<>,\"~][^=!<>,\"~]*?)\s*(?P<op>=~|!=|<=|>=|=|<|>)\s*"
    r"(?:\"(?P<quoted>(?:[^\"\\]|\\.)*)\"\s*|(?P<plain>[^,\"]*))(?:,|\Z)",
    re.DOTALL,
)
_ESCAPED = re.compile(r"\\(.)", re.DOTALL)
_DATE = re.compile(r"\d{4}-\d\d-\d\d(?:[T ]\d\d:\d\d(?::\d\d(?:\.\d+)?)?(?:Z|[+-]\d\d:?\d\d)?)?")
_WORDS = {"null": None, "true": True, "false": False}
_ORDERS: dict[str, Callable[[Any, Any], bool]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


@dataclass(frozen=True, slots=True)
class Condition:
    """One condition; ``quoted`` values are text in any case."""

    field: str
    op: str
    value: str
    quoted: bool = False


def parse_filter(text: str) -> list[Condition]:
    """Read a filter.

    Raises:
        Refusal: 422, a part is not of the form field, operator, value, or is no regular expression.
    """
    found, position = [], 0
    while position < len(text):
        match = _CONDITION.match(text, position)
        if match is None:
            raise Refusal(422, f"filter: there is no condition at place {position + 1}")
        quoted = match["quoted"]
        value = match["plain"].strip() if quoted is None else _ESCAPED.sub(r"\1", quoted)
        if match["op"] == "=~":
            _check_expression(value)
        found.append(Condition(match["field"], match["op"], value, quoted is not None))
        position = match.end()
    return found


def _check_expression(text: str) -> None:
    try:
        re.compile(text)
    except re.error:
        raise Refusal(422, "filter: a value of =~ is no regular expression") from None


def matches(document: Any, conditions: list[Condition]) -> bool:
    """Tell whether all conditions hold for a document."""
    return all(_holds(document, condition) for condition in conditions)


def _holds(document: Any, condition: Condition) -> bool:
    found = list(values_at(document, condition.field)) or [None]
    if condition.op == "!=":
        return not any(_equal(value, condition) for value in found)
    if condition.op == "=":
        return any(_equal(value, condition) for value in found)
    if condition.op == "=~":
        return any(isinstance(value, str) and re.search(condition.value, value) is not None for value in found)
    return any(_ordered(value, condition) for value in found)


def values_at(document: Any, path: str) -> Iterator[Any]:
    """Return what a dotted path leads to; lists on the way stand for their items."""
    if isinstance(document, list):
        for item in document:
            yield from values_at(item, path)
    elif path == "":
        yield document
    elif isinstance(document, dict):
        if path in document:  # names may have dots in them
            yield from values_at(document[path], "")
            return
        name, _, rest = path.partition(".")
        if name in document and rest:
            yield from values_at(document[name], rest)


def _equal(value: Any, condition: Condition) -> bool:
    wanted = condition.value
    if condition.quoted:
        return bool(value == wanted)
    if wanted in _WORDS:
        return value is _WORDS[wanted] or value == wanted
    if isinstance(value, bool) or value is None:
        return False
    if isinstance(value, (int, float)):
        return value == _number(wanted)
    if value == wanted:
        return True
    return _DATE.fullmatch(wanted) is not None and _time(value) == _time(wanted)


def _ordered(value: Any, condition: Condition) -> bool:
    compare = _ORDERS[condition.op]
    if isinstance(value, bool) or value is None:
        return False
    if isinstance(value, (int, float)):
        number = _number(condition.value)
        return number is not None and compare(value, number)
    if not isinstance(value, str):
        return False
    if not condition.quoted and _DATE.fullmatch(condition.value):
        time, wanted = _time(value), _time(condition.value)
        return time is not None and wanted is not None and compare(time, wanted)
    return compare(value, condition.value)


def _number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None


def _time(text: Any) -> datetime | None:
    try:
        time = datetime.fromisoformat(text)
    except (TypeError, ValueError):
        return None
    return time if time.tzinfo is not None else time.replace(tzinfo=UTC)


def parse_sort(text: str) -> list[tuple[str, bool]]:
    """Read a sort order: fields, and whether they descend.

    Raises:
        Refusal: 422, a part is not ``field``, ``field:asc`` or ``field:desc``.
    """
    found = []
    for part in text.split(","):
        name, _, direction = part.strip().partition(":")
        if not name or direction not in ("", "asc", "desc"):
            raise Refusal(422, "sort: is not of the form field:asc,field:desc")
        found.append((name, direction == "desc"))
    return found


def sort_key(document: Any, field: str) -> tuple[int, Any]:
    """Return what a document is sorted by; missing values come first, then numbers, then text."""
    value = next(values_at(document, field), None)
    if value is None:
        return (0, 0)
    return (1, value) if isinstance(value, (int, float)) else (2, str(value))
