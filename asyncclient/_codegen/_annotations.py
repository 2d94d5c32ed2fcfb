"""From schemas to Python types, as source text."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from asyncclient._codegen._description import Description, Schema
from asyncclient._codegen._errors import DescriptionError

__all__ = ["Annotator", "json_types", "union"]

_SCALARS: Final[Mapping[str, str]] = {"string": "str", "integer": "int", "number": "float", "boolean": "bool"}


def union(parts: Iterable[str]) -> str:
    """Join types, each once, None last; ``Any`` swallows the others."""
    flat = dict.fromkeys(piece for part in parts for piece in _split(part))
    if "Any" in flat:
        return "Any"
    if "float" in flat:
        flat.pop("int", None)
    none = flat.pop("None", _ABSENT) is not _ABSENT
    return " | ".join([*flat, "None"] if none else list(flat))


_ABSENT: Final = object()


def _split(text: str) -> list[str]:
    pieces, depth, start = [], 0, 0
    for i, char in enumerate(text):
        depth += (char == "[") - (char == "]")
        if depth == 0 and text.startswith(" | ", i):
            pieces.append(text[start:i])
            start = i + 3
    return [*pieces, text[start:]]


def json_types(description: Description, schema: Schema) -> tuple[str, ...]:
    """Return the JSON types a schema allows, null aside; empty for any."""
    found = _types(description, schema, ())
    return () if found is None else tuple(sorted(set(found) - {"null"}))


def _types(description: Description, schema: Schema, seen: tuple[str, ...]) -> list[str] | None:
    name = description.ref_name(schema)
    if name is not None:
        return None if name in seen else _types(description, description.schemas[name], (*seen, name))
    for key in ("anyOf", "oneOf"):
        if key in schema:
            branches = [_types(description, branch, seen) for branch in schema[key]]
            return None if None in branches else [kind for branch in branches for kind in branch or ()]
    if "allOf" in schema or "properties" in schema:
        return ["object"]
    if "type" not in schema:
        return None
    return [schema["type"]] if isinstance(schema["type"], str) else list(schema["type"])


class Annotator:
    """Writes the types of one service.

    Args:
        description: Where names are looked up.
        prefix: What stands before the name of a model, ``models.`` outside of the models.
        dates: Whether a date-time in an answer is a ``datetime`` (objects) or stays text (plain dicts).
        open_enums: Whether a named enum keeps its name (objects) or is plain text (dicts).
    """

    def __init__(self, description: Description, *, prefix: str, dates: bool, open_enums: bool) -> None:
        self._description = description
        self._prefix = prefix
        self._dates = dates
        self._open_enums = open_enums

    def answer(self, schema: Schema) -> str:
        """Write the type of a value that the service sends."""
        name = self._description.ref_name(schema)
        if name is not None:
            return self._prefix + name
        branches = schema.get("anyOf", schema.get("oneOf"))
        if branches is not None:
            return union(self.answer(branch) for branch in branches)
        return union(self._answer_of(kind, schema) for kind in _kinds(schema))

    def _answer_of(self, kind: str, schema: Schema) -> str:
        if kind == "array":
            return f"list[{self.answer(schema.get('items', {}))}]"
        if kind == "object":
            return f"dict[str, {self._member(schema, self.answer)}]"
        if kind == "string" and schema.get("format") == "date-time" and self._dates:
            return "dt.datetime"
        return _scalar(kind, schema)

    def argument(self, schema: Schema, *, query: bool = False) -> str:
        """Write the type of a value that a caller gives; wider than what is sent."""
        name = self._description.ref_name(schema)
        if name is not None:
            return self._argument_ref(name, query=query)
        branches = schema.get("anyOf", schema.get("oneOf"))
        if branches is not None:
            return union(self.argument(branch, query=query) for branch in branches)
        return union(self._argument_of(kind, schema, query=query) for kind in _kinds(schema))

    def _argument_ref(self, name: str, *, query: bool) -> str:
        target = self._description.target(name)
        if self._description.is_class(target):
            return f"{self._prefix}{name} | Mapping[str, Any]"
        schema = self._description.schemas[target]
        if self._open_enums and "enum" in schema:
            return self._prefix + name
        return self.argument(schema, query=query)

    def _argument_of(self, kind: str, schema: Schema, *, query: bool) -> str:
        if kind == "array":
            item = self.argument(schema.get("items", {}))
            if query:  # a query repeats the key, whatever the values are held in
                return union([item, f"Iterable[{item}]"]) if schema.get("x-scalar-ok") else f"Iterable[{item}]"
            return f"Sequence[{item}]"
        if kind == "object":
            return f"Mapping[str, {self._member(schema, self.argument)}]"
        if kind == "string" and schema.get("format") == "date-time":
            return "str | dt.datetime"
        return _scalar(kind, schema)

    def _member(self, schema: Schema, write: object) -> str:
        extra = schema.get("additionalProperties")
        patterns: Sequence[Schema] = list(schema.get("patternProperties", {}).values())
        if isinstance(extra, Mapping) and extra:
            patterns = [*patterns, extra]
        if not patterns or not callable(write):
            return "Any"
        return union(write(pattern) for pattern in patterns)


def _kinds(schema: Schema) -> list[str]:
    kind = schema.get("type")
    if kind is None:
        return ["object"] if "properties" in schema or "allOf" in schema else ["any"]
    return [kind] if isinstance(kind, str) else list(kind)


def _scalar(kind: str, schema: Schema) -> str:
    if kind == "any":
        return "Any"
    if kind == "null":
        return "None"
    if kind == "string" and schema.get("format") == "binary":
        return "bytes"
    try:
        return _SCALARS[kind]
    except KeyError:
        raise DescriptionError(f"a schema has the unknown type {kind!r}") from None
