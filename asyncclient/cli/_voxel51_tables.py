"""Tables of the Voxel51 commands: which columns, how values look. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from rich.cells import cell_len

__all__ = ["ANALYTICS", "DATA", "JOBS", "human_bytes", "pairs_table", "records_table", "simple_table"]

Record = Mapping[str, Any]

DATA: Final = (("id", "name", "size", "type", "upload_date", "expiration_date"), ("encoding",))
"""Columns, and those that ``--all-fields`` adds."""

JOBS: Final = (
    ("id", "name", "state", "archived", "upload_date", "expiration_date", "expired"),
    (
        *("analytic_id", "compute_mode", "auto_start", "start_date", "completion_date"),
        *("fail_date", "failure_type"),
    ),
)
ANALYTICS: Final = (
    ("id", "name", "version", "scope", "supports_cpu", "supports_gpu", "pending", "upload_date"),
    ("description",),
)

_LONGEST: Final = 51
_HEADING_PADDING: Final = 2


def records_table(records: Iterable[Record], columns: tuple[Sequence[str], Sequence[str]], *, every: bool) -> str:
    """Lay out records of the platform.

    Args:
        records: As the platform sends them; what is missing is left empty.
        columns: One of the constants of this module.
        every: Whether all columns are shown.
    """
    names = [*columns[0], *(columns[1] if every else ())]
    return simple_table(
        names, [[_shown(name, record[name]) if name in record else "" for name in names] for record in records]
    )


def pairs_table(title: str, rows: Iterable[tuple[str, Any]]) -> str:
    """Lay out names and values."""
    return simple_table([title, ""], [[name, _text(value)] for name, value in rows])


def simple_table(headings: Sequence[str], rows: Sequence[Sequence[Any]]) -> str:
    """Lay out rows as text, every value as it is: versions and ids are not numbers."""
    texts = [[_text(value) for value in row] for row in rows]
    widths = [
        max(cell_len(heading) + _HEADING_PADDING, *(cell_len(row[index]) for row in texts), 0)
        for index, heading in enumerate(headings)
    ]
    lines = [headings, ["-" * width for width in widths], *texts]
    return "\n".join(_line(line, widths) for line in lines)


def _line(values: Sequence[str], widths: Sequence[int]) -> str:
    padded = (value + " " * (width - cell_len(value)) for value, width in zip(values, widths, strict=True))
    return "  ".join(padded).rstrip()


def _text(value: Any) -> str:
    # One line each, and nothing that steers a terminal: names come from whoever uploaded the files.
    text = "" if value is None else str(value)
    return "".join(sign if sign.isprintable() else "?" for sign in text)


def _shown(name: str, value: Any) -> str:
    return _RULES.get(name, _text)(value)


def _date(value: Any) -> str:
    if not isinstance(value, str) or not value:
        return ""
    try:
        return datetime.fromisoformat(value).astimezone().strftime("%Y-%m-%d %H:%M:%S %Z")
    except (ValueError, OverflowError, OSError):
        return value


def _short(value: Any) -> str:
    text = "" if value is None else str(value)
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 4]} ..."


def _flag(value: Any) -> str:
    return str(bool(value))


def _size(value: Any) -> str:
    return human_bytes(value) if isinstance(value, (int, float)) and value >= 0 else ""


def human_bytes(count: float) -> str:
    """Write a number of bytes as the platform does: ``2.5KB``."""
    from asyncclient.voxel51.utils import to_human_bytes_str

    return to_human_bytes_str(count)


_RULES: Final[Mapping[str, Callable[[Any], str]]] = {
    **dict.fromkeys(("upload_date", "expiration_date", "start_date", "completion_date"), _date),
    **dict.fromkeys(("name", "description"), _short),
    **dict.fromkeys(("auto_start", "expired", "supports_cpu", "supports_gpu", "pending"), _flag),
    "size": _size,
}
