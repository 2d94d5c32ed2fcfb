"""Tables as text. Pure."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Sequence
from typing import Any, Final

__all__ = ["cell_text", "pairs_table", "simple_table"]

_HEADING_PADDING: Final = 2


def pairs_table(title: str, rows: Iterable[tuple[str, Any]]) -> str:
    """Lay out names and values."""
    return simple_table([title, ""], [[name, value] for name, value in rows])


def simple_table(headings: Sequence[str], rows: Sequence[Sequence[Any]]) -> str:
    """Lay out rows as text, every value as it is: versions and ids are not numbers."""
    texts = [[cell_text(value) for value in row] for row in rows]
    widths = [
        max(_width(heading) + _HEADING_PADDING, *(_width(row[index]) for row in texts), 0)
        for index, heading in enumerate(headings)
    ]
    lines = [headings, ["-" * width for width in widths], *texts]
    return "\n".join(_line(line, widths) for line in lines)


def cell_text(value: Any) -> str:
    """Return a value as one line, with nothing that steers a terminal: names come from whoever uploaded the files."""
    text = "" if value is None else str(value)
    return "".join(sign if sign.isprintable() else "?" for sign in text)


def _line(values: Sequence[str], widths: Sequence[int]) -> str:
    padded = (value + " " * (width - _width(value)) for value, width in zip(values, widths, strict=True))
    return "  ".join(padded).rstrip()


def _width(text: str) -> int:
    if text.isascii():
        return len(text)
    return sum(_columns(sign) for sign in text)


def _columns(sign: str) -> int:
    if unicodedata.combining(sign) or unicodedata.category(sign) == "Cf":
        return 0
    return 2 if unicodedata.east_asian_width(sign) in "WF" else 1
