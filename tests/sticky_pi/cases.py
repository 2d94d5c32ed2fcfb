"""The recorded cases of the contract, where it lies beside the repository."""

from __future__ import annotations

import datetime as dt
import json
import math
import re
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

import pytest

CONTRACT = Path(__file__).parents[3] / "shared" / "contracts" / "sticky_pi"
needs_contract = pytest.mark.skipif(
    not (CONTRACT / "cases.json").is_file(), reason="the contract of Sticky Pi is not beside the repository"
)


@cache
def load() -> dict[str, Any]:
    path = CONTRACT / "cases.json"
    empty: dict[str, Any] = {"functions": [], "scenarios": [], "http": []}
    return json.loads(path.read_text("utf-8")) if path.is_file() else empty


def places(**more: str) -> dict[str, str]:
    return {
        "${IMAGES}": str(CONTRACT / "images"),
        "${SYNTHETIC}": str(CONTRACT / "synthetic"),
        "${TUBOIDS}": str(CONTRACT / "tiled_tuboids"),
        **{f"${{{name}}}": value for name, value in more.items()},
    }


def filled(value: Any, where: dict[str, str], saved: dict[str, Any] | None = None) -> Any:
    """Put real values in the place of placeholders."""
    if isinstance(value, str):
        for name, text in where.items():
            value = value.replace(name, text)
        return value
    if isinstance(value, list):
        return [filled(item, where, saved) for item in value]
    if isinstance(value, dict):
        if set(value) == {"$datetime"}:
            return dt.datetime.fromisoformat(value["$datetime"])
        if set(value) == {"$decimal"}:
            return Decimal(value["$decimal"])
        if set(value) == {"$saved"}:
            name, *path = value["$saved"].split(".")
            found: Any = (saved or {})[name]
            for step in path:
                found = found[int(step)] if isinstance(found, list) else found[step]
            return found
        return {key: filled(item, where, saved) for key, item in value.items()}
    return value


def saved_names(value: Any) -> list[str]:
    """Return the names of earlier results that arguments refer to."""
    return re.findall(r'"\$saved": "(\w+)', json.dumps(value))


def same(actual: Any, expected: Any, *, loose: bool = False) -> bool:
    """Compare an answer with a recorded one, whose volatile parts are not looked at.

    Args:
        actual: Ours.
        expected: The recorded one.
        loose: Whether the recording is of another database: ids are any, numbers are as precise as that keeps them.
    """
    if isinstance(expected, dict) and next(iter(expected), "")[:1] == "$":
        return _same_special(actual, *next(iter(expected.items())))
    if isinstance(expected, dict):
        return (
            isinstance(actual, dict)
            and actual.keys() == expected.keys()
            and all(_same_item(key, actual[key], item, loose) for key, item in expected.items())
        )
    if isinstance(expected, list):
        return (
            isinstance(actual, (list, tuple))
            and len(actual) == len(expected)
            and all(same(ours, theirs, loose=loose) for ours, theirs in zip(actual, expected, strict=True))
        )
    if isinstance(expected, str) and "${volatile}" in expected:
        pattern = re.escape(expected).replace(re.escape("${volatile}"), ".*")
        return isinstance(actual, str) and re.fullmatch(pattern, actual, re.DOTALL) is not None
    return bool(actual == expected) and isinstance(actual, bool) <= isinstance(expected, (bool, int))


def _same_special(actual: Any, kind: str, value: Any) -> bool:
    if kind == "$volatile":
        return True
    if kind == "$nan":
        return actual is None
    if kind == "$datetime":
        return bool(actual == dt.datetime.fromisoformat(value))
    assert kind == "$decimal", kind
    return actual is not None and float(actual) == float(value)


def _same_item(key: str, actual: Any, expected: Any, loose: bool) -> bool:
    if loose and isinstance(expected, (int, float)) and isinstance(actual, (int, float)):
        if key.startswith(("id", "parent")):
            return True
        if key in ("temp", "hum", "lum"):
            return math.isclose(actual, expected, rel_tol=1e-6)
        if key == "alt":
            return abs(actual - expected) <= 0.5
    return same(actual, expected, loose=loose)


def same_rows(actual: Any, expected: Any, *, ordered: bool = False, loose: bool = False) -> bool:
    """Compare rows without regard to their order."""
    if ordered or not isinstance(expected, list) or not isinstance(actual, list):
        return same(actual, expected, loose=loose)
    left = list(expected)
    for row in actual:
        match = next((item for item in left if same(row, item, loose=loose)), None)
        if match is None:
            return False
        left.remove(match)
    return not left
