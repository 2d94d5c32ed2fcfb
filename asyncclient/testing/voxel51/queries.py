"""The query language: which records, which of their members, in which order, how many. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from asyncclient.testing._contract import Refusal

__all__ = ["KINDS", "Kind", "run_query", "tidied", "values_of"]

Json = dict[str, Any]

_TERM_END = re.compile(r"(?<!\\),")
_FIELD_END = re.compile(r"(?<!\\):")
_NUMBERS = ("offset", "limit")


@dataclass(frozen=True, slots=True)
class Kind:
    """Records of one kind.

    Attributes:
        items: Key of the records in the answer.
        fields: What can be asked for.
        searchable: Where can be looked.
    """

    items: str
    fields: tuple[str, ...]
    searchable: tuple[str, ...]


KINDS = {
    "analytics": Kind(
        "analytics",
        (
            *("id", "name", "version", "scope", "supports_cpu", "supports_gpu", "pending", "upload_date"),
            "description",
        ),
        ("id", "name", "version", "type", "scope", "pending"),
    ),
    "data": Kind(
        "data",
        ("id", "name", "size", "type", "upload_date", "expiration_date", "encoding"),
        ("id", "name", "type"),
    ),
    "jobs": Kind(
        "jobs",
        (
            *("id", "name", "state", "archived", "upload_date", "expiration_date", "expired", "analytic_id"),
            *("compute_mode", "auto_start", "start_date", "completion_date", "fail_date", "failure_type"),
        ),
        ("id", "name", "state", "archived", "expired"),
    ),
}


def values_of(pairs: Iterable[tuple[str, str]]) -> Json:
    """Read a query string: what comes several times is joined, numbers and flags become such.

    Raises:
        Refusal: 400, a number is none.
    """
    found: dict[str, list[str]] = {}
    for name, text in pairs:
        found.setdefault(name, []).append(text)
    values: Json = {name: ",".join(texts) for name, texts in found.items()}
    for name in _NUMBERS:
        if name in values:
            try:
                values[name] = int(values[name])
            except ValueError:
                raise Refusal(400, f"query.{name}: is not of type integer") from None
    if "all_versions" in values:
        values["all_versions"] = values["all_versions"].lower() == "true"
    return values


def tidied(query: Json) -> Json:
    """Bring the forms that are in use into one: lists become texts, empty members are left out."""
    joined = {
        name: ",".join(value) if isinstance(value, list) and all(isinstance(part, str) for part in value) else value
        for name, value in query.items()
    }
    return {name: value for name, value in joined.items() if value or not isinstance(value, (str, int, type(None)))}


def run_query(kind: Kind, records: Sequence[Json], query: Json) -> Json:
    """Answer a query.

    Args:
        kind: Of the records.
        records: All of them, in order of creation.
        query: Checked against its schema.

    Raises:
        Refusal: 400, a field is unknown or cannot be searched.
    """
    fields = [name.strip() for name in query["fields"].split(",")] if "fields" in query else list(kind.fields)
    for name in fields:
        if name not in kind.fields:
            raise Refusal(400, "fields: one of them is not known")
    terms = [_term(kind, text) for text in _TERM_END.split(query["search"])] if "search" in query else []
    found = [record for record in records if all(term.fits(record) for term in terms)]
    if "sort" in query:
        found = _ordered(kind, found, query["sort"])
    start = query.get("offset", 0)
    stop = start + query["limit"] if "limit" in query else None
    shown = [{name: record[name] for name in fields} for record in found[start:stop]]
    return {kind.items: shown, "count": len(found)}


@dataclass(frozen=True, slots=True)
class _Term:
    """One term of a search: one of these texts is in one of these fields."""

    fields: tuple[str, ...]
    texts: tuple[str, ...]

    def fits(self, record: Json) -> bool:
        values = [str(record[name]).lower() for name in self.fields if record.get(name) is not None]
        return any(text in value for text in self.texts for value in values) or "" in self.texts


def _term(kind: Kind, text: str) -> _Term:
    field, *rest = _FIELD_END.split(text, maxsplit=1)
    alternatives = tuple(_plain(part).lower() for part in (rest[0] if rest else field).split("|"))
    if not rest:
        return _Term(kind.searchable, alternatives)
    name = _plain(field).strip().lower().replace(" ", "_")
    if name not in kind.searchable:
        raise Refusal(400, "search: one of the fields cannot be searched")
    return _Term((name,), alternatives)


def _plain(text: str) -> str:
    return re.sub(r"\\([,:])", r"\1", text)


def _ordered(kind: Kind, records: list[Json], sort: str) -> list[Json]:
    name, _, order = sort.partition(":")
    if name not in kind.fields:
        raise Refusal(400, "sort: the field is not known")
    absent = [record for record in records if record[name] is None]
    present = [record for record in records if record[name] is not None]
    return sorted(present, key=lambda record: record[name], reverse=order == "desc") + absent
