"""From the schemas of a description to named classes and aliases."""

from __future__ import annotations

import keyword
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Final

from asyncclient._codegen._annotations import Annotator, union
from asyncclient._codegen._description import Description, Schema
from asyncclient._codegen._errors import DescriptionError
from asyncclient._codegen._facts import member_facts, sentence, values_of
from asyncclient._codegen._ir import Field, Named, Operation
from asyncclient._codegen._settings import Service
from asyncclient._codegen._unions import UNION, fits, fixed_members

__all__ = ["names_in", "read_models"]

_TAKEN: Final = frozenset(
    {
        "copy",
        "dict",
        "json",
        "schema",
        "schema_json",
        "validate",
        "construct",
        "from_orm",
        "parse_file",
        "parse_obj",
        "parse_raw",
        "update_forward_refs",
    }
)
"""Names of pydantic's ``BaseModel`` that a field must not hide."""
_USED_TYPES: Final = frozenset({"str", "int", "float", "bool", "bytes", "list", "dict", "dt", "Any"})


def names_in(text: str) -> set[str]:
    """Return the identifiers in a piece of source text, string constants aside."""
    return set(re.findall(r"[A-Za-z_]\w*", re.sub(r'"[^"]*"', "", text)))


def read_models(service: Service, description: Description, operations: Sequence[Operation]) -> dict[str, Named]:
    """Read every schema, in alphabetical order."""
    reader = _Reader(service, description, _returned_by(operations))
    return {name: reader.read(name) for name in sorted(description.schemas)}


def _returned_by(operations: Sequence[Operation]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for operation in operations:
        names = re.findall(r"models\.(\w+)", operation.answer.annotation)
        for name in dict.fromkeys([*names, *([operation.answer.model] if operation.answer.model else [])]):
            found.setdefault(name, []).append(operation.name)
    return found


class _Reader:
    def __init__(self, service: Service, description: Description, returned_by: Mapping[str, list[str]]) -> None:
        self._pydantic = service.answers == "pydantic"
        self._mixins = service.mixins
        self._telling = service.model_base is not None
        self._description = description
        self._returned_by = returned_by
        self._annotator = Annotator(description, prefix="", dates=self._pydantic, open_enums=self._pydantic)
        self._part_of = self._owners()

    def read(self, name: str) -> Named:
        schema = self._description.schemas[name]
        if not name.isidentifier() or keyword.iskeyword(name) or name in _USED_TYPES:
            raise DescriptionError(f"the schema {name!r} cannot have that name in Python")
        if self._description.is_class(name):
            return self._class(name, schema)
        if "mapping" in schema.get("discriminator", {}):
            return self._tagged(name, schema)
        if "enum" in schema:
            return self._enum(name, schema)
        if UNION in schema:
            return self._fit(name, schema)
        annotation = self._annotator.answer(schema)
        return self._named(name, "alias", schema, annotation=annotation, needs=names_in(annotation))

    def _class(self, name: str, schema: Schema) -> Named:
        members: dict[str, Schema] = dict(schema.get("properties", {}))
        for part in schema.get("allOf", ()):
            members.update(part.get("properties", {}))
        required = {wire for part in (schema, *schema.get("allOf", ())) for wire in part.get("required", ())}
        fields = tuple(self._field(name, wire, member, wire in required) for wire, member in members.items())
        base = schema.get("x-python-base")
        uses = {used for field in fields for used in names_in(field.annotation)}
        mixin = self._mixins.get(schema.get("x-mixin", ""))
        fixed = fixed_members(schema) if self._pydantic and self._telling else ()
        needs = {base} if base is not None else set()
        inherited = tuple(self._inherited(base)) if self._telling else ()
        uses |= {used for annotation in inherited for used in names_in(annotation)}
        return self._named(
            name,
            "class",
            schema,
            fields=fields,
            base=base,
            uses=uses,
            needs=needs,
            mixin=mixin,
            fixed=fixed,
            inherited=inherited,
        )

    def _inherited(self, base: str | None) -> Iterator[str]:
        while base is not None:
            base = self._description.target(base)
            schema = self._description.schemas[base]
            yield from (self._annotator.answer(member) for member in schema.get("properties", {}).values())
            base = schema.get("x-python-base")

    def _field(self, owner: str, wire: str, schema: Schema, required: bool) -> Field:
        python = given = schema.get("x-python-name", wire)
        if self._pydantic:
            # A leading underscore would make it a private attribute; the plain name is a keyword then.
            python = python.lstrip("_")
            if keyword.iskeyword(python) or python in _TAKEN or _hides(python):
                python += "_"
            if not python.isidentifier():
                raise DescriptionError(f"{owner}: the member {wire!r} needs an x-python-name")
        annotation = self._annotator.answer(schema)
        facts = tuple(member_facts(self._description, schema))
        also = given if self._telling and given.startswith("_") and given != python else ""
        return Field(wire, python, annotation, facts, required, also)

    def _enum(self, name: str, schema: Schema) -> Named:
        plain = self._annotator.answer({key: schema[key] for key in schema if key != "enum"})
        if not self._pydantic:
            return self._named(name, "alias", schema, annotation=plain, notes=[f"{values_of(schema)}."])
        values = ", ".join(f'"{value}"' if isinstance(value, str) else repr(value) for value in schema["enum"])
        return self._named(name, "enum", schema, annotation=f"Literal[{values}] | {plain}")

    def _fit(self, name: str, schema: Schema) -> Named:
        classes = set(schema[UNION])
        return self._named(
            name, "fit", schema, uses=classes, needs=classes, fits=fits(self._description, schema[UNION])
        )

    def _tagged(self, name: str, schema: Schema) -> Named:
        discriminator = schema["discriminator"]
        tags = tuple((value, str(ref).rpartition("/")[2]) for value, ref in discriminator["mapping"].items())
        keys = [discriminator["propertyName"], schema.get("x-alt-discriminator")]
        names = {target for _, target in tags}
        if not self._pydantic:
            return self._named(name, "alias", schema, annotation=union(sorted(names)), needs=names)
        return self._named(
            name, "tagged", schema, uses=names, needs=names, tags=tags, keys=tuple(key for key in keys if key)
        )

    def _named(self, name: str, kind: Any, schema: Schema, **facts: Any) -> Named:
        known = self._description.schemas.keys()
        annotation = facts.get("annotation", "")
        notes = facts.pop("notes", [])
        uses = (facts.pop("uses", set()) | names_in(annotation)) & known
        needs = facts.pop("needs", set()) & known
        doc = (*self._doc(name, schema), *notes)
        return Named(name, kind, doc, uses=frozenset(uses | needs), needs=frozenset(needs), **facts)

    def _doc(self, name: str, schema: Schema) -> tuple[str, ...]:
        doc = [sentence(schema["description"])] if schema.get("description") else []
        if operations := self._returned_by.get(name):
            doc.append(f"What {_some(operations)} {'returns' if len(operations) == 1 else 'return'}.")
        elif not doc and (owners := self._part_of.get(name)):
            doc.append(f"Part of {_some(owners)}.")
        if schema.get("deprecated"):
            doc.append("Deprecated.")
        return tuple(doc or [f"An object of the service, known there as {name}."])

    def _owners(self) -> dict[str, list[str]]:
        found: dict[str, list[str]] = {}
        for owner in sorted(self._description.schemas):
            for name in sorted(_refs(self._description, self._description.schemas[owner])):
                if name != owner:
                    found.setdefault(name, []).append(owner)
        return found


def _refs(description: Description, value: Any) -> set[str]:
    if isinstance(value, Mapping):
        name = description.ref_name(value)
        inner = set().union(*(_refs(description, child) for child in value.values())) if value else set()
        return inner | ({name} if name else set())
    if isinstance(value, list):
        return {name for child in value for name in _refs(description, child)}
    return set()


def _some(names: Iterable[str], limit: int = 3) -> str:
    words = [f"``{name}``" for name in names]
    if len(words) > limit + 1:
        return f"{', '.join(words[:limit])} and {len(words) - limit} more"
    return " and ".join([", ".join(words[:-1]), words[-1]] if len(words) > 1 else words)


def _hides(name: str) -> bool:
    return name in {
        "model_config",
        "model_fields",
        "model_computed_fields",
        "model_extra",
        "model_fields_set",
        "model_construct",
        "model_copy",
        "model_dump",
        "model_dump_json",
        "model_json_schema",
        "model_parametrized_name",
        "model_post_init",
        "model_rebuild",
        "model_validate",
        "model_validate_json",
        "model_validate_strings",
    }
