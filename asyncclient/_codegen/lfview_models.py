"""Resource classes of LF View: ``lfview/_generated/models``, from the schemas that have an ``x-python-class``."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Final

from asyncclient._codegen._description import Description
from asyncclient._codegen._errors import DescriptionError, OverrideError
from asyncclient._codegen._ir import Module
from asyncclient._codegen._lfview_kinds import ANY, PropertyKind, class_name, kind_of
from asyncclient._codegen._lfview_rules import BASES, RULES, Base, OnSet
from asyncclient._codegen._text import docstring, header, imports, literal, mentions

__all__ = ["lfview_modules"]

Schema = Mapping[str, Any]

_PACKAGE: Final = "asyncclient.lfview"
_SOURCE: Final = "asyncclient/lfview/openapi.json"
_HOMES: Final[Mapping[str, tuple[str, str]]] = {
    "files": ("files", "Files: arrays and images"),
    "mappings": ("mappings", "Mappings from values to colours"),
    "data": ("data", "Data and textures of elements"),
    "textures": ("data", ""),
    "options": ("options", "How elements are shown"),
    "elements": ("elements", "Elements: what a view consists of"),
    "views": ("manifests", "Views"),
    "scene": ("scene", "Scenes of slides"),
    "slides": ("slides", "Slides, annotations and feedback"),
    "feedback": ("slides", ""),
}
"""Start of a schema's name to its module and the module's docstring."""

_IMPORTS: Final[Mapping[str, tuple[str, ...]]] = {
    f"{_PACKAGE}._arrays": ("ArrayContent", "ArrayLike"),
    f"{_PACKAGE}._base": ("Model", "Resource", "default"),
    f"{_PACKAGE}._colours": ("Colour", "ColourKind"),
    f"{_PACKAGE}._composites": ("List", "Object", "Union"),
    f"{_PACKAGE}._images": ("ImageContent", "ImageLike"),
    f"{_PACKAGE}._kinds": ("Boolean", "Choice", "Float", "Integer", "Text"),
    f"{_PACKAGE}._pointers": ("ANY_ELEMENT", "ANY_RESOURCE", "Pointer"),
    f"{_PACKAGE}._rules": (
        "ascending", "column", "data_lengths", "grid", "grid_length", "indices", "indices_within", "integers",
        "mapped", "rows", "same_length", "section_complete", "triples", "unique",
    ),
    f"{_PACKAGE}._vectors": ("Vector", "VectorKind"),
    f"{_PACKAGE}._views": ("ElementBase", "ViewBase"),
}  # fmt: skip
_TYPING_IMPORTS: Final[Mapping[str, tuple[str, ...]]] = {
    "collections.abc": ("Sequence",),
    "numpy.typing": ("NDArray",),
    f"{_PACKAGE}._inputs": ("ColourLike", "ImageFile", "VectorLike"),
}


def lfview_modules(description_path: Path) -> list[Module]:
    """Write the resource classes, not yet formatted.

    Raises:
        DescriptionError: A schema has something there is no form for.
        OverrideError: A rule or a base that nothing asks for.
    """
    schemas = {
        name: schema
        for name, schema in Description.load(description_path).schemas.items()
        if "x-python-class" in schema
    }
    _check_tables(schemas)
    homes = {name: _HOMES[name.partition("_")[0]][0] for name in schemas}
    modules = [Module("__init__.py", f'{header(_SOURCE)}"""Generated from the description of LF View."""\n')]
    modules.append(Module("models/__init__.py", f'{header(_SOURCE)}"""The resource classes."""\n'))
    for module, title in {module: title for module, title in _HOMES.values() if title}.items():
        members = [name for name in _dependent_last(schemas) if homes[name] == module]
        modules.append(Module(f"models/{module}.py", _module(title, members, schemas, homes)))
    return modules


def _check_tables(schemas: Mapping[str, Schema]) -> None:
    sentences = {sentence for schema in schemas.values() for sentence in schema.get("x-validators", ())}
    if missing := sentences - RULES.keys():
        raise DescriptionError(f"no rule for {sorted(missing)}")
    if idle := [*(RULES.keys() - sentences), *(BASES.keys() - schemas.keys())]:
        raise OverrideError(f"nothing asks for {sorted(idle)}")


def _dependent_last(schemas: Mapping[str, Schema]) -> list[str]:
    done: dict[str, None] = {}

    def visit(name: str) -> None:
        if name not in done:
            for needed in sorted(set(_mentioned(schemas[name]["properties"]))):
                visit(needed)
            done[name] = None

    for name in schemas:
        visit(name)
    return list(done)


def _mentioned(value: Any) -> Iterable[str]:
    if isinstance(value, Mapping):
        if "$ref" in value:
            yield value["$ref"].rpartition("/")[2]
        if value.get("pattern") in ANY:
            return
        yield from value.get("x-pointer-to", ())
        for part in value.values():
            yield from _mentioned(part)
    elif isinstance(value, list):
        for part in value:
            yield from _mentioned(part)


def _module(title: str, members: list[str], schemas: Mapping[str, Schema], homes: Mapping[str, str]) -> str:
    texts = [_class(name, schemas[name]) for name in members]
    others: dict[str, list[str]] = {}
    for name, home in homes.items():
        if name not in members:
            others.setdefault(f"{_PACKAGE}._generated.models.{home}", []).append(class_name(name))
    names_used = [" ".join(sorted(_names(texts)))]
    used = imports({**_IMPORTS, **others}, names_used)
    typed = imports(_TYPING_IMPORTS, names_used)
    typing = ", ".join(name for name in ("TYPE_CHECKING", "Annotated", "Any", "ClassVar") if mentions(name, names_used))
    head = [
        header(_SOURCE),
        f'"""{title}."""\n',
        "from __future__ import annotations\n",
        f"from typing import {typing}\n",
    ]
    head.append(used)
    if typed:
        head.append("if TYPE_CHECKING:\n" + "".join(f"    {line}\n" for line in typed.splitlines()))
    names = sorted(class_name(name) for name in members)
    head.append(f"__all__ = [{', '.join(map(literal, names))}]\n")
    return "\n".join([*head, *texts])


def _names(texts: Iterable[str]) -> set[str]:
    """Return the names that classes use; docstrings and names of properties are not among them."""
    nodes = [node for text in texts for node in ast.walk(ast.parse(text))]
    return {node.id for node in nodes if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load)}


def _class(name: str, schema: Schema) -> str:
    base = BASES.get(name, Base("Resource" if "x-base-type" in schema else "Model"))
    required = schema.get("required", ())
    kinds = {
        key: _with_rules(key, kind_of(value).having("required=True" if key in required else ""), schema)
        for key, value in schema["properties"].items()
        if not value.get("x-wire-only")
    }
    lines = [f"class {class_name(name)}({base.name}):", _docstring(schema, kinds), *_constants(schema), ""]
    for key, kind in kinds.items():
        value = schema["properties"][key]
        given = value.get("x-default", value.get("default"))
        # What has a default reads as set: only those who unset it on purpose see None.
        optional = "" if given is not None else " | None"
        assigned = "None" if given is None else f"default({literal(given)})"
        lines.append(f"    {key}: Annotated[{kind.type}{optional}, {kind.text}] = {assigned}")
    return "\n".join([*lines, "", *_constructor(base, kinds), ""])


def _with_rules(key: str, kind: PropertyKind, schema: Schema) -> PropertyKind:
    rules = [RULES[sentence] for sentence in schema.get("x-validators", ())]
    names = [rule.rule for rule in rules if isinstance(rule, OnSet) and key in rule.properties]
    return kind.having(f"on_set=({', '.join(names)},)" if names else "")


def _docstring(schema: Schema, kinds: Mapping[str, PropertyKind]) -> str:
    notes = [f"{key}: {kind.note}{_default_note(schema, key)}" for key, kind in kinds.items()]
    paragraphs = [schema["description"]]
    if "x-base-type" not in schema:
        paragraphs.append("Part of other resources: it cannot be uploaded on its own.")
    return docstring(paragraphs, {"Attributes": notes}, 4).rstrip("\n")


def _default_note(schema: Schema, key: str) -> str:
    value = schema["properties"][key]
    if key in schema.get("required", ()) and "default" not in value and "x-default" not in value:
        return " Required."
    if "x-default-note" in value:
        return " Default: a random colour of the palette, drawn for every object."
    return f" Default: {literal(value['default'])}." if isinstance(value.get("default"), (str, int, float)) else ""


def _constants(schema: Schema) -> list[str]:
    lines = []
    if "x-base-type" in schema:
        lines += [
            f"    BASE_TYPE: ClassVar[str] = {literal(schema['x-base-type'])}",
            f"    SUB_TYPE: ClassVar[str | None] = {literal(schema['x-sub-type'])}",
            f"    POINTER_PATTERN: ClassVar[str] = {literal(schema['x-pointer-pattern'])}",
        ]
    rules = [
        rule for rule in (RULES[text] for text in schema.get("x-validators", ())) if rule and isinstance(rule, str)
    ]
    if rules:
        lines.append(f"    RULES: ClassVar = ({', '.join(dict.fromkeys(rules))},)")
    return lines


def _constructor(base: Base, kinds: Mapping[str, PropertyKind]) -> list[str]:
    """Write the constructor for type checkers: what may be given is more than what is kept."""
    first = [f"{base.positional[0]}: {base.positional[1]} | None = None"] if base.positional else []
    given = [f"{key}: {_optional(kind.given)} = None" for key, kind in kinds.items()]
    arguments = ", ".join(["self", *first, "*", *given])
    return ["    if TYPE_CHECKING:", "", f"        def __init__({arguments}) -> None: ..."]


def _optional(given: str) -> str:
    return given if given == "object" else f"{given} | None"
