"""Check JSON values against the part of JSON Schema that the contracts use. Pure.

The contracts are written by ``asyncclient._codegen.contract`` in exactly these keywords, so a keyword that is not known
here is a defect of the contract and raises ``ValueError`` instead of passing in silence.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Callable, Mapping
from typing import Any

__all__ = ["KEYWORDS", "Schema", "Validator", "keywords_of"]

Schema = Mapping[str, Any]

KEYWORDS = frozenset(
    {
        *("$ref", "allOf", "anyOf", "oneOf", "type", "enum", "const"),
        *("pattern", "minLength", "maxLength", "minimum", "maximum"),
        *("items", "minItems", "maxItems", "uniqueItems"),
        *("properties", "required", "additionalProperties", "patternProperties", "minProperties", "maxProperties"),
    }
)

_TYPES: dict[str, Callable[[Any], bool]] = {
    "null": lambda value: value is None,
    "boolean": lambda value: isinstance(value, bool),
    "integer": lambda value: _is_number(value) and float(value).is_integer(),
    "number": lambda value: _is_number(value),
    "string": lambda value: isinstance(value, str),
    "array": lambda value: isinstance(value, list),
    "object": lambda value: isinstance(value, dict),
}


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


class Validator:
    """Finds the first thing in a value that a schema does not admit.

    Args:
        definitions: What ``{"$ref": name}`` stands for.
    """

    def __init__(self, definitions: Mapping[str, Schema]) -> None:
        self._definitions = definitions

    def problem(self, value: Any, schema: Schema, where: str = "body") -> str | None:
        """Return what is wrong, in words, or None.

        The text names the place and the rule and never repeats the value, which may be a secret.
        """
        for keyword in schema:
            if keyword not in KEYWORDS:
                raise ValueError(f"the contract uses the unknown keyword {keyword!r}")
        for check in (self._combined, _kind, _text, _number, self._array, self._object):
            found = check(value, schema, where)
            if found is not None:
                return found
        return None

    def _combined(self, value: Any, schema: Schema, where: str) -> str | None:
        if "$ref" in schema:
            found = self.problem(value, self._definitions[schema["$ref"]], where)
            if found is not None:
                return found
        for part in schema.get("allOf", ()):
            found = self.problem(value, part, where)
            if found is not None:
                return found
        for keyword, at_most in (("anyOf", None), ("oneOf", 1)):
            parts = schema.get(keyword)
            if parts is None:
                continue
            fits = sum(self.problem(value, part, where) is None for part in parts)
            if fits == 0:
                return f"{where}: fits none of the {len(parts)} accepted forms"
            if at_most is not None and fits > at_most:
                return f"{where}: fits {fits} forms where only one may fit"
        return None

    def _array(self, value: Any, schema: Schema, where: str) -> str | None:
        if not isinstance(value, list):
            return None
        size = _size(len(value), schema, where, "minItems", "maxItems", "items")
        if size is not None:
            return size
        if schema.get("uniqueItems") and any(item in value[:index] for index, item in enumerate(value)):
            return f"{where}: items are not unique"
        if "items" in schema:
            for index, item in enumerate(value):
                found = self.problem(item, schema["items"], f"{where}[{index}]")
                if found is not None:
                    return found
        return None

    def _object(self, value: Any, schema: Schema, where: str) -> str | None:
        if not isinstance(value, dict):
            return None
        size = _size(len(value), schema, where, "minProperties", "maxProperties", "properties")
        if size is not None:
            return size
        for name in schema.get("required", ()):
            if name not in value:
                return f"{where}: '{name}' is missing"
        for name, item in value.items():
            found = self._member(name, item, schema, where)
            if found is not None:
                return found
        return None

    def _member(self, name: str, value: Any, schema: Schema, where: str) -> str | None:
        inside = f"{where}.{name}"
        rules = [schema["properties"][name]] if name in schema.get("properties", ()) else []
        rules += [rule for pattern, rule in schema.get("patternProperties", {}).items() if _regex(pattern).search(name)]
        others = schema.get("additionalProperties", True)
        if not rules and others is False:
            return f"{where}: '{name}' is not known"
        if not rules and others is not True:
            rules = [others]
        for rule in rules:
            found = self.problem(value, rule, inside)
            if found is not None:
                return found
        return None


def _kind(value: Any, schema: Schema, where: str) -> str | None:
    kinds = schema.get("type")
    if kinds is not None:
        names = [kinds] if isinstance(kinds, str) else kinds
        if not any(_TYPES[name](value) for name in names):
            return f"{where}: is not of type {' or '.join(names)}"
    # 1 == True and 1 == 1.0 in Python, not in JSON: the type decides first, then the value.
    if "enum" in schema and not any(item == value and type(item) is type(value) for item in schema["enum"]):
        return f"{where}: is not one of {', '.join(map(str, schema['enum']))}"
    if "const" in schema and schema["const"] != value:
        return f"{where}: is not {schema['const']}"
    return None


def _text(value: Any, schema: Schema, where: str) -> str | None:
    if not isinstance(value, str):
        return None
    size = _size(len(value), schema, where, "minLength", "maxLength", "characters")
    if size is not None:
        return size
    if "pattern" in schema and not _regex(schema["pattern"]).search(value):
        return f"{where}: does not match {schema['pattern']}"
    return None


def _number(value: Any, schema: Schema, where: str) -> str | None:
    if not _is_number(value):
        return None
    if "minimum" in schema and value < schema["minimum"]:
        return f"{where}: is less than {schema['minimum']}"
    if "maximum" in schema and value > schema["maximum"]:
        return f"{where}: is greater than {schema['maximum']}"
    return None


def _size(size: int, schema: Schema, where: str, low: str, high: str, unit: str) -> str | None:
    if size < schema.get(low, 0):
        return f"{where}: has fewer than {schema[low]} {unit}"
    if high in schema and size > schema[high]:
        return f"{where}: has more than {schema[high]} {unit}"
    return None


@functools.cache
def _regex(pattern: str) -> re.Pattern[str]:
    # JSON Schema means the end of the text; Python's $ also matches before a final newline.
    if pattern.endswith("$") and not pattern.endswith("\\$"):
        pattern = pattern[:-1] + r"\Z"
    return re.compile(pattern)


def keywords_of(schema: Any) -> set[str]:
    """Return every keyword used in a schema, at any depth. For tests of the contracts."""
    if not isinstance(schema, Mapping):
        return set()
    found = set(schema)
    for keyword in ("properties", "patternProperties"):
        for part in schema.get(keyword, {}).values():
            found |= keywords_of(part)
    for keyword in ("allOf", "anyOf", "oneOf"):
        for part in schema.get(keyword, ()):
            found |= keywords_of(part)
    return found | keywords_of(schema.get("items")) | keywords_of(schema.get("additionalProperties"))
