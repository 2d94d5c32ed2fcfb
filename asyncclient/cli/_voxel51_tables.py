"""Tables of the Voxel51 commands: which columns, how values look. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from asyncclient.cli._tables import cell_text, simple_table

__all__ = ["ANALYTICS", "DATA", "JOBS", "human_bytes", "records_table"]

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


def _shown(name: str, value: Any) -> str:
    return _RULES.get(name, cell_text)(value)


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
