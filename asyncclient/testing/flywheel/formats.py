"""Rows as text: CSV, TSV and the forms of JSON. Pure."""

from __future__ import annotations

import csv
import io
import json
from typing import Any

from asyncclient.testing.flywheel.tables import Json

__all__ = ["MEDIA", "rendered"]

MEDIA = {
    "csv": "text/csv",
    "tsv": "text/tab-separated-values",
    "json": "application/json",
    "ndjson": "application/x-ndjson",
    "json-flat": "application/json",
    "json-row-column": "application/json",
}


def rendered(rows: list[Json], form: str) -> bytes:
    """Return rows in one of the forms of ``MEDIA``."""
    if form in ("csv", "tsv"):
        return _table(rows, "," if form == "csv" else "\t")
    if form == "ndjson":
        return "".join(f"{_json(row)}\n" for row in rows).encode()
    if form == "json-flat":
        return _json(rows).encode()
    if form == "json-row-column":
        names = _names(rows)
        return _json({"data": {"columns": names, "rows": [[row.get(name) for name in names] for row in rows]}}).encode()
    return _json({"data": rows}).encode()


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def _names(rows: list[Json]) -> list[str]:
    return list(dict.fromkeys(name for row in rows for name in row))


def _table(rows: list[Json], delimiter: str) -> bytes:
    out = io.StringIO(newline="")
    writer = csv.writer(out, delimiter=delimiter, lineterminator="\n")
    names = _names(rows)
    writer.writerow(names)
    writer.writerows([_cell(row.get(name)) for name in names] for row in rows)
    return out.getvalue().encode()


def _cell(value: Any) -> Any:
    return _json(value) if isinstance(value, (dict, list)) else value
