"""Data views: rows over the hierarchy, with facts of containers and files, or with what is in files.

A view has one row for each container of the deepest level that its columns name, below the container it is read for. With
``fileSpec`` there is a row for each file that fits, and where files are processed (CSV, TSV, JSON lists) for each of their
records. Reads files; for threads.
"""

from __future__ import annotations

import csv
import io
import json
import re
import statistics
import zipfile
from collections.abc import Callable, Iterator, Mapping
from fnmatch import fnmatchcase
from typing import Any

from asyncclient.testing._contract import Refusal
from asyncclient.testing.flywheel import tree
from asyncclient.testing.flywheel.contents import ContentFile
from asyncclient.testing.flywheel.filters import matches, parse_filter, parse_sort, sort_key, values_at
from asyncclient.testing.flywheel.shown import shown, shown_file
from asyncclient.testing.flywheel.state import FlywheelState
from asyncclient.testing.flywheel.tables import LEVELS, Container, Json, Series, Version

__all__ = ["rows_of"]

Found = tuple[Container, Series, Version]

_TYPES: Mapping[str, Callable[[Any], Any]] = {
    "int": lambda value: int(float(value)),
    "float": float,
    "string": str,
    "bool": lambda value: value if isinstance(value, bool) else str(value).lower() in ("1", "true", "yes"),
}
_ACCUMULATORS: Mapping[str, Callable[[list[Any]], Any]] = {
    "count": len,
    "sum": sum,
    "mean": statistics.fmean,
    "standard_deviation": statistics.pstdev,
    "minimum": min,
    "maximum": max,
}


def rows_of(state: FlywheelState, view: Json, container_id: str, query: Json) -> list[Json]:
    """Return the rows of a view, filtered, sorted and cut as the query says.

    Raises:
        Refusal: 404, there is no such container; 422, the view cannot be computed.
    """
    root = state.get(container_id)
    columns = view.get("columns") or []
    for column in columns:
        if column.get("expr"):
            raise Refusal(422, "columns: the emulator computes no expressions")
    rows = [row for base in _bases(state, view, root) for row in _expanded(state, view, base)]
    if view.get("groupBy"):
        rows = _grouped(view, rows)
    for text in (view.get("filter"), query.get("filter")):
        conditions = parse_filter(text or "")
        rows = [row for row in rows if matches(row, conditions)]
    for field, descending in reversed(parse_sort(query["sort"]) if query.get("sort") else []):
        rows.sort(key=lambda row, field=field: sort_key(row, field), reverse=descending)  # type: ignore[misc]
    start = query.get("skip") or 0
    return rows[start : start + query["limit"]] if query.get("limit") else rows[start:]


def _bases(state: FlywheelState, view: Json, root: Container) -> list[Container]:
    """Return the containers that rows are made of."""
    named = [str(column["src"]).partition(".")[0] for column in view.get("columns") or ()]
    named += [view["fileSpec"]["container"]] if view.get("fileSpec") else []
    levels = [LEVELS.index(name) for name in named if name in LEVELS]
    if root.kind in LEVELS:
        levels.append(LEVELS.index(root.kind))
    level = LEVELS[max(levels, default=1)]
    bases = list(tree.below(state, root, level))
    if view.get("sort"):
        bases.sort(key=lambda row: [state.get(item).label for item in row.lineage.values()])
    return bases


def _expanded(state: FlywheelState, view: Json, base: Container) -> Iterator[Json]:
    documents = {kind: shown(state, state.get(item)) for kind, item in base.lineage.items()}
    spec = view.get("fileSpec")
    if spec is None:
        yield _row(view, base, documents, None)
        return
    files = _files(state, spec, base)
    if not files and view.get("missingDataStrategy") != "drop-row":
        yield _row(view, base, documents, None)
    for file in files:
        documents["file"] = shown_file(*file)
        records = _records(file[2], spec) if spec.get("processFiles") else [None]
        for record in records:
            yield _row(view, base, documents, record)


def _row(view: Json, base: Container, documents: Mapping[str, Json], record: Json | None) -> Json:
    out: Json = {}
    for kind in base.lineage:
        if kind != "group" and view.get("includeIds", True):
            out[f"{kind}.id"] = documents[kind]["_id"]
        if kind != "group" and view.get("includeLabels", True):
            out[f"{kind}.label"] = documents[kind]["label"]
    errors: list[str] = []
    for column in view.get("columns") or ():
        value = _value(documents, column["src"])
        out[column.get("dst") or column["src"]] = _typed(value, column, errors)
    if record is not None:
        spec = view["fileSpec"]
        wanted = spec.get("columns") or [{"src": name} for name in record]
        for column in wanted:
            out[column.get("dst") or column["src"]] = _typed(record.get(column["src"]), column, errors)
    if view.get("errorColumn"):
        out["errors"] = "; ".join(errors) or None
    return out


def _value(documents: Mapping[str, Json], source: str) -> Any:
    kind, _, rest = source.partition(".")
    if kind not in documents:
        return None
    document = documents[kind]
    if rest == "id":
        return document["file_id"] if kind == "file" else document["_id"]
    return document.get(rest, next(values_at(document, rest), None)) if rest else document["label"]


def _typed(value: Any, column: Json, errors: list[str]) -> Any:
    if value is None or column.get("type") not in _TYPES:
        return value
    try:
        return _TYPES[column["type"]](value)
    except (TypeError, ValueError):
        errors.append(f"{column['src']} is not of type {column['type']}")
        return None


def _fits(name: str, rule: Json | None) -> bool:
    if rule is None:
        return True
    return bool(re.search(rule["value"], name)) if rule.get("regex") else fnmatchcase(name, rule["value"])


def _files(state: FlywheelState, spec: Json, base: Container) -> list[Found]:
    container = state.get(base.lineage[spec["container"]])
    sources = [container]
    if spec.get("analysisFilter") is not None:
        rule = spec["analysisFilter"]
        sources = [row for row in state.of_kind("analysis") if row.data["parent"]["id"] == container.id]
        sources = [row for row in sources if _fits(row.label, rule.get("label")) and _of_gear(row, rule)]
    found = [(row, *pair) for row in sources for pair in row.live_files() if _fits(pair[0].name, spec["filter"])]
    found.sort(key=lambda file: file[2].id)
    match = spec.get("match") or "first"
    if match == "all" or not found:
        return found
    return [found[-1]] if match in ("last", "newest") else [found[0]]


def _of_gear(analysis: Container, rule: Json) -> bool:
    gear = analysis.data.get("gear_info") or {}
    return all(_fits(str(gear.get(name) or ""), rule.get(f"gear.{name}")) for name in ("name", "version"))


def _records(version: Version, spec: Json) -> list[Json]:
    file = io.BufferedReader(ContentFile(version.content))
    member = spec.get("zipMember")
    if member is None:
        return _parsed(file.read(), spec.get("format"))
    try:
        with zipfile.ZipFile(file) as archive:
            names = [name for name in archive.namelist() if _fits(name, member)]
            return [record for name in names for record in _parsed(archive.read(name), spec.get("format"))]
    except zipfile.BadZipFile:
        raise Refusal(422, "fileSpec.zipMember: a file is no zip file") from None


def _parsed(data: bytes, form: str | None) -> list[Json]:
    text = data.decode("utf-8-sig", "replace")
    if form == "json" or (form is None and text.lstrip()[:1] in ("[", "{")):
        loaded = json.loads(text)
        return [row for row in (loaded if isinstance(loaded, list) else [loaded]) if isinstance(row, dict)]
    delimiter = "\t" if form == "tsv" or (form is None and "\t" in text.partition("\n")[0]) else ","
    return [dict(row) for row in csv.DictReader(io.StringIO(text), delimiter=delimiter)]


def _grouped(view: Json, rows: list[Json]) -> list[Json]:
    keys = [item if isinstance(item, str) else item.get("dst") or item["src"] for item in view["groupBy"]["columns"]]
    groups: dict[tuple[str, ...], list[Json]] = {}
    for row in rows:
        groups.setdefault(tuple(str(row.get(key)) for key in keys), []).append(row)
    return [_accumulated(view, keys, members) for members in groups.values()]


def _accumulated(view: Json, keys: list[str], rows: list[Json]) -> Json:
    out = {key: rows[0].get(key) for key in keys}
    for column in view.get("columns") or ():
        name = column.get("dst") or column["src"]
        if column.get("accumulator"):
            values = [row[name] for row in rows if row[name] is not None]
            out[name] = _ACCUMULATORS[column["accumulator"]](values) if values else None
    return out
