"""Make the smallest answer that a description admits, for the operations an emulator does not act on. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

__all__ = ["example_of", "with_answers"]

_REF = "#/components/schemas/"
_JSON = "application/json"
_TIME = "2020-01-01T00:00:00.000+00:00"
_ID = "0" * 24
_SIMPLE: Mapping[str, Any] = {"integer": 0, "number": 0, "boolean": False}

Schemas = Mapping[str, Mapping[str, Any]]


def example_of(schema: Mapping[str, Any], schemas: Schemas, name: str = "", above: tuple[str, ...] = ()) -> Any:
    """Return a value that fits: required members only, lists empty, of several forms the list or else the first.

    Args:
        schema: As in the description.
        schemas: What references stand for.
        name: Name of the member it is for; ids look like ids.
        above: References on the way here, which end recursion.
    """
    if "$ref" in schema:
        key = schema["$ref"].removeprefix(_REF)
        return None if key in above else example_of(schemas[key], schemas, name, (*above, key))
    if "enum" in schema:
        return schema["enum"][0]
    if "anyOf" in schema:
        forms = schema["anyOf"]
        return example_of(next((form for form in forms if _is_list(form)), forms[0]), schemas, name, above)
    if "allOf" in schema:
        merged: dict[str, Any] = {}
        for part in schema["allOf"]:
            merged |= example_of(part, schemas, name, above)
        return merged
    return _plain(schema, schemas, name, above)


def _is_list(schema: Mapping[str, Any]) -> bool:
    return schema.get("type") == "array"


def _plain(schema: Mapping[str, Any], schemas: Schemas, name: str, above: tuple[str, ...]) -> Any:
    kind = schema.get("type")
    if kind == "array":
        return []
    if kind == "string":
        return _TIME if schema.get("format") == "date-time" else _ID if name.endswith("_id") else name or "text"
    if isinstance(kind, str) and kind in _SIMPLE:
        return _SIMPLE[kind]
    members = schema.get("properties", {})
    required = [member for member in schema.get("required", ()) if member in members]
    return {member: example_of(members[member], schemas, member, above) for member in required}


def with_answers(rows: list[dict[str, Any]], sources: Mapping[str, Any], schemas: Schemas) -> list[dict[str, Any]]:
    """Add to each operation what it answers: ``answer``, an example, or ``answer_media`` where that is not JSON.

    Args:
        rows: The operations of the contract.
        sources: The operations of the description by their ids.
        schemas: The schemas of the description.
    """
    out = []
    for row in rows:
        content = sources[row["id"]]["responses"]["200"].get("content", {})
        more: dict[str, Any] = {}
        if _JSON in content:
            more["answer"] = example_of(content[_JSON]["schema"], schemas)
        elif content:
            more["answer_media"] = next(iter(content))
        out.append(row | more)
    return out
