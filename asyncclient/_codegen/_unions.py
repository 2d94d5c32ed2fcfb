"""Unions of objects, each given a name and a rule that chooses by what the data holds."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from asyncclient._codegen._annotations import json_types
from asyncclient._codegen._description import Description, Schema
from asyncclient._codegen._errors import DescriptionError

__all__ = ["UNION", "fixed_members", "fits", "name_unions"]

UNION: Final = "x-union"
"""Marks the schemas that :func:`name_unions` makes."""

_TELLING: Final = ("base", "config_class", "config_type")
"""Members whose default names the class; they are sent without being asked for."""
_REF: Final = "#/components/schemas/"


def name_unions(description: Description) -> None:
    """Give every union of two or more classes in answers and schemas a name, so that it can have a rule."""
    namer = _Namer(description)
    for name in list(description.schemas):
        description.schemas[name] = namer.named(description.schemas[name])
    for _, _, operation in description.operations():
        for answer in operation["responses"].values():
            for content in answer.get("content", {}).values():
                if "schema" in content:
                    content["schema"] = namer.named(content["schema"])


def fixed_members(schema: Schema) -> tuple[tuple[str, str], ...]:
    """Return the members that tell the class, with their values."""
    members = schema.get("properties", {})
    return tuple((key, str(members[key]["default"])) for key in _TELLING if "default" in members.get(key, {}))


def fits(description: Description, classes: tuple[str, ...]) -> dict[str, dict[str, str]]:
    """Return what tells the classes apart: for each, its members and the kinds of JSON they hold.

    A kind is a letter (``s`` text, ``n`` number, ``b`` boolean, ``o`` object, ``a`` array), ``A`` and a letter for an
    array of these, ``=`` and a text for that text alone; no letter stands for anything. A leading ``!`` marks a member
    that is always there. Members that say nothing, because all classes have them alike, are left out.
    """
    tables = {name: _members(description, name) for name in classes}
    alike = {key for key in set().union(*tables.values()) if len({table.get(key) for table in tables.values()}) == 1}
    return {name: {key: kind for key, kind in table.items() if key not in alike} for name, table in tables.items()}


def _members(description: Description, name: str) -> dict[str, str]:
    schema = description.schemas[description.target(name)]
    always = set(schema.get("required", ()))
    telling = dict(fixed_members(schema))
    kind = {"container_type": f"={schema['x-container-type']}"} if "x-container-type" in schema else {}
    return kind | {
        key: ("!" if key in always else "") + (f"={telling[key]}" if key in telling else _kind(description, member))
        for key, member in schema.get("properties", {}).items()
    }


_LETTERS: Final[Mapping[str, str]] = {"string": "s", "integer": "n", "number": "n", "boolean": "b", "object": "o"}


def _kind(description: Description, schema: Schema) -> str:
    kinds = json_types(description, schema)
    if not kinds:
        return ""
    return "".join(sorted({_array(description, schema) if kind == "array" else _LETTERS[kind] for kind in kinds}))


def _array(description: Description, schema: Schema) -> str:
    items = schema.get("items")
    kinds = json_types(description, items) if isinstance(items, Mapping) else ()
    letters = sorted({_LETTERS.get(kind, "") for kind in kinds})
    return f"A{letters[0]}" if len(letters) == 1 and letters[0] else "a"


class _Namer:
    def __init__(self, description: Description) -> None:
        self._description = description

    def named(self, schema: Any) -> Any:
        """Return a schema whose unions of classes, at any depth, are references to named ones."""
        if isinstance(schema, list):
            return [self.named(item) for item in schema]
        if not isinstance(schema, Mapping) or UNION in schema:
            return schema
        changed = {key: self.named(value) for key, value in schema.items()}
        for key in ("anyOf", "oneOf"):
            if isinstance(changed.get(key), list):
                return self._with_union(changed, key)
        return changed

    def _with_union(self, schema: dict[str, Any], key: str) -> Any:
        branches = self._merged_lists(schema[key])
        classes = [branch for branch in branches if self._is_class(branch)]
        if len(classes) > 1:
            ref = self._reference(tuple(self._name(branch) for branch in classes))
            branches = [branch for branch in branches if branch not in classes]
            branches.insert(0, ref)
        if len(branches) == 1 and key in schema:
            rest = {name: value for name, value in schema.items() if name != key}
            return {**rest, "allOf": branches} if rest and "$ref" in branches[0] else {**rest, **branches[0]}
        return {**schema, key: branches}

    def _merged_lists(self, branches: list[Any]) -> list[Any]:
        lists = [
            branch for branch in branches if branch.get("type") == "array" and self._is_class(branch.get("items", {}))
        ]
        if len(lists) < 2:
            return branches
        merged = {"type": "array", "items": self._with_union({"anyOf": [entry["items"] for entry in lists]}, "anyOf")}
        return [merged, *(branch for branch in branches if branch not in lists)]

    def _is_class(self, branch: Schema) -> bool:
        name = self._description.ref_name(branch)
        return name is not None and self._description.is_class(self._description.target(name))

    def _name(self, branch: Schema) -> str:
        name = self._description.ref_name(branch)
        assert name is not None
        return name

    def _reference(self, classes: tuple[str, ...]) -> dict[str, Any]:
        first, *others = classes
        name = f"{first}Or{others[0]}" if len(others) == 1 else f"{first}OrOther"
        made: Schema = {UNION: classes, "type": "object"}
        if self._description.schemas.setdefault(name, made) != made:
            raise DescriptionError(f"two unions would be called {name}")
        return {"$ref": _REF + name}
