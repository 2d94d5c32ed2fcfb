"""An ``openapi.json``, read, corrected by named patches, its references resolved."""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from asyncclient._codegen._errors import DescriptionError, OverrideError
from asyncclient._codegen._plain import METHODS, complete
from asyncclient._codegen._settings import Patch

__all__ = ["Description", "Schema", "pascal"]

Schema = Mapping[str, Any]

_PREFIX: Final = "#/components/schemas/"
_MISSING: Final = object()


def pascal(text: str) -> str:
    """Turn ``warm_start-config`` or ``warmStartConfig`` into ``WarmStartConfig``."""
    return "".join(word[:1].upper() + word[1:] for word in re.split(r"[^0-9A-Za-z]+", text) if word)


class Description:
    """One description; inline objects of answers and schemas get names of their own."""

    def __init__(self, document: Mapping[str, Any], patches: Sequence[Patch] = ()) -> None:
        self._document = copy.deepcopy(dict(document))
        for patch in patches:
            _apply(self._document, patch)
        complete(self._document, self.resolve)
        self.schemas: dict[str, Schema] = dict(self._document.get("components", {}).get("schemas", {}))
        self._hoist()

    @classmethod
    def load(cls, path: Path, patches: Sequence[Patch] = ()) -> Description:
        """Read a file."""
        return cls(json.loads(path.read_text("utf-8")), patches)

    def operations(self) -> Iterator[tuple[str, str, Mapping[str, Any]]]:
        """Yield path, method and operation in the order of the file."""
        for key, item in self._document["paths"].items():
            for method in METHODS:
                if method in item:
                    operation = item[method]
                    yield operation.get("x-path", key.partition("#")[0]), method.upper(), operation

    def derived(self) -> Sequence[Mapping[str, Any]]:
        """Return the methods that are no operations of their own, if the description lists any."""
        found: Sequence[Mapping[str, Any]] = self._document.get("x-derived-methods", ())
        return found

    def tags(self) -> list[str]:
        """Return the tags in the order of their declaration, then those only used."""
        declared = [tag["name"] for tag in self._document.get("tags", ())]
        used = [operation["tags"][0] for _, _, operation in self.operations()]
        return list(dict.fromkeys([*(tag for tag in declared if tag in used), *used]))

    def parameters(self, operation: Mapping[str, Any]) -> list[Mapping[str, Any]]:
        """Return the parameters of an operation, references resolved."""
        return [self.resolve(parameter) for parameter in operation.get("parameters", ())]

    def resolve(self, value: Mapping[str, Any]) -> Mapping[str, Any]:
        """Follow a reference, and references of references, to what is meant."""
        while "$ref" in value:
            value = _at(self._document, value["$ref"].removeprefix("#"))
        return value

    def ref_name(self, schema: Schema) -> str | None:
        """Return the name of the schema that is referred to, also through an ``allOf`` of one; None if inline."""
        parts = schema.get("allOf", ())
        if "$ref" not in schema and len(parts) == 1 and not schema.get("properties"):
            schema = parts[0]
        ref = schema.get("$ref", "")
        return str(ref).removeprefix(_PREFIX) if ref.startswith(_PREFIX) else None

    def is_class(self, name: str) -> bool:
        """Tell whether a named schema is an object with members, and so becomes a class."""
        schema = self.schemas[name]
        return "x-python-base" in schema or (bool(schema.get("properties")) and "mapping" not in _discriminator(schema))

    def target(self, name: str) -> str:
        """Return the name behind a chain of pure aliases."""
        seen = [name]
        while (following := self.ref_name(self.schemas[name])) is not None and "x-python-base" not in self.schemas[
            name
        ]:
            if following in seen:
                raise DescriptionError(f"the schemas {', '.join(seen)} refer to each other and to nothing else")
            seen.append(following)
            name = following
        return name

    def _hoist(self) -> None:
        """Give every inline object with members a name, so that it can be a class."""
        for name in list(self.schemas):
            self.schemas[name] = self._hoisted_members(self.schemas[name], name)
        for _, _, operation in self.operations():
            for answer in operation["responses"].values():
                for content in answer.get("content", {}).values():
                    if "schema" in content:
                        content["schema"] = self._hoisted(
                            content["schema"], pascal(operation["operationId"]) + "Answer"
                        )

    def _hoisted_members(self, schema: Schema, name: str) -> Schema:
        changed = dict(schema)
        if "properties" in schema:
            changed["properties"] = {
                key: self._hoisted(member, name + pascal(key)) for key, member in schema["properties"].items()
            }
        for key in ("anyOf", "oneOf"):
            if key in schema:
                changed[key] = [
                    self._hoisted(branch, name + _branch_name(branch, i)) for i, branch in enumerate(schema[key])
                ]
        for key in ("items", "additionalProperties"):
            if isinstance(schema.get(key), Mapping):
                changed[key] = self._hoisted(schema[key], name + "Item")
        return changed

    def _hoisted(self, schema: Schema, name: str) -> Schema:
        if "$ref" in schema:
            return schema
        if not schema.get("properties"):
            return self._hoisted_members(schema, name)
        if name in self.schemas:
            raise DescriptionError(f"an inline object would be called {name}, and there is a schema of that name")
        self.schemas[name] = {}  # its place in the order, before what lies inside
        self.schemas[name] = self._hoisted_members(schema, name)
        notes = {key: schema[key] for key in ("description",) if key in schema}
        ref: dict[str, Any] = {"$ref": _PREFIX + name}
        kinds = schema.get("type")
        nullable = isinstance(kinds, list) and "null" in kinds
        if nullable:
            return {**notes, "anyOf": [ref, {"type": "null"}]}
        python_name = {"x-python-name": schema["x-python-name"]} if "x-python-name" in schema else {}
        return {**notes, **python_name, "allOf": [ref]} if notes or python_name else ref


def _branch_name(branch: Schema, index: int) -> str:
    # A member with one possible value tells the branches of a union apart, better than a number would.
    for member in branch.get("properties", {}).values():
        if len(member.get("enum", ())) == 1:
            return pascal(str(member["enum"][0]).title())
    return "" if index == 0 else str(index + 1)


def _discriminator(schema: Schema) -> Mapping[str, Any]:
    found: Mapping[str, Any] = schema.get("discriminator", {})
    return found


def _at(document: Any, pointer: str) -> Any:
    place = document
    for token in _tokens(pointer):
        place = place[int(token)] if isinstance(place, list) else place[token]
    return place


def _tokens(pointer: str) -> list[str]:
    return [token.replace("~1", "/").replace("~0", "~") for token in pointer.split("/")[1:]]


def _apply(document: Any, patch: Patch) -> None:
    *parents, last = _tokens(patch.pointer)
    try:
        place = document
        for token in parents:
            place = place[int(token)] if isinstance(place, list) else place[token]
        key: Any = int(last) if isinstance(place, list) else last
        present = place[key]
    except (KeyError, IndexError):
        present = _MISSING
    if (present is _MISSING) != (patch.action == "add"):
        state = "there is nothing" if present is _MISSING else "there already is something"
        raise OverrideError(f"patch {patch.pointer} ({patch.action}): {state} at that place")
    if patch.action == "remove":
        del place[key]
    elif present == patch.value:
        raise OverrideError(f"patch {patch.pointer}: the description already says so")
    else:
        place[key] = copy.deepcopy(patch.value)
