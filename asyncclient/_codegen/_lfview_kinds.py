"""From the schema of a property of LF View to its kind: source text of annotation, argument type and description."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from asyncclient._codegen._errors import DescriptionError
from asyncclient._codegen._text import literal

__all__ = ["ANY", "PropertyKind", "class_name", "kind_of", "pointer_bases"]

Schema = Mapping[str, Any]

_PREFIX: Final = "#/components/schemas/"


@dataclass(frozen=True, slots=True)
class PropertyKind:
    """How a property is written.

    Attributes:
        type: What reading it gives.
        given: What may be given for it.
        cls: Class of the kind.
        options: Keyword arguments of the kind, as source text.
        note: What the docstring says.
    """

    type: str
    given: str
    cls: str
    options: tuple[str, ...]
    note: str

    @property
    def text(self) -> str:
        """The kind as source text."""
        return f"{self.cls}({', '.join(self.options)})"

    def having(self, *options: str) -> PropertyKind:
        """Return it with further arguments, empty ones left out."""
        return replace(self, options=(*self.options, *filter(None, options)))


def class_name(reference: str) -> str:
    """Turn a reference, or the name of a schema, into the name of the class."""
    return reference.removeprefix(_PREFIX).partition("_")[2]


def kind_of(schema: Schema) -> PropertyKind:
    """Read the schema of a property.

    Raises:
        DescriptionError: There is no kind for it.
    """
    for test, make in _MAKERS:
        if test(schema):
            return make(schema)
    raise DescriptionError(f"no kind of property for {schema}")


def _option(name: str, value: object) -> str:
    return "" if value is None or value is False else f"{name}={literal(value)}"


def _text(schema: Schema) -> PropertyKind:
    limit = schema.get("maxLength")
    note = "Text." if limit is None else f"Text of at most {limit} characters."
    return PropertyKind("str", "str", "Text", (), note).having(_option("max_length", limit))


def _number(schema: Schema) -> PropertyKind:
    integer = schema["type"] == "integer"
    low, high = schema.get("minimum"), schema.get("maximum")
    bounds = "" if low is None else f", at least {low}" if high is None else f" from {low} to {high}"
    note = f"{'Integer' if integer else 'Number'}{bounds}."
    kind = PropertyKind(*(("int", "int", "Integer") if integer else ("float", "float", "Float")), (), note)
    return kind.having(_option("minimum", low), _option("maximum", high))


def _boolean(schema: Schema) -> PropertyKind:
    cast = schema.get("x-cast", False)
    note = "Truth value of anything." if cast else "True or False."
    return PropertyKind("bool", "object" if cast else "bool", "Boolean", (), note).having(_option("cast", cast))


def _choice(schema: Schema) -> PropertyKind:
    words, aliases = tuple(schema["enum"]), schema.get("x-aliases", {})
    note = f"One of {', '.join(words)}, in any case." if len(words) > 1 else f"{words[0]}."
    if aliases:
        note += " Also " + "; ".join(f"{', '.join(given)} for {word}" for word, given in aliases.items()) + "."
    table = ", ".join(f"{literal(word)}: {literal(tuple(given))}" for word, given in aliases.items())
    kind = PropertyKind("str", "str", "Choice", (_option("words", words),), note)
    return kind.having(f"aliases={{{table}}}" if aliases else "")


def _colour(schema: Schema) -> PropertyKind:
    option = "" if schema["type"] == "string" else "hex=False"
    return PropertyKind("Colour", "ColourLike", "ColourKind", (), "Colour, kept as (r, g, b).").having(option)


def _vector(schema: Schema) -> PropertyKind:
    size, unit = schema["minItems"], "x-normalised-length" in schema
    note = f"{size} numbers, or the name of a direction{', scaled to length 1' if unit else ''}."
    kind = PropertyKind("Vector", "VectorLike", "VectorKind", (f"size={size}",), note)
    return kind.having(_option("unit", unit))


def pointer_bases(schema: Schema) -> list[str]:
    """Return the names of the schemas that a pointer may point to; empty if it is none."""
    options = schema.get("anyOf", [schema])
    found = [target for option in options for target in option.get("x-pointer-to", ())]
    return list(dict.fromkeys(found))


ANY: Final[Mapping[str, tuple[str, str]]] = {
    "([a-zA-Z0-9]+/){1,2}[a-z][a-z0-9]{0,31}$": ("Resource", "ANY_RESOURCE"),
    "elements/[a-zA-Z0-9]+/[a-z][a-z0-9]{0,31}$": ("ElementBase", "ANY_ELEMENT"),
}
"""End of the URLs of a pointer to anything: base class, and the constant that holds the pattern."""


def _pointer(schema: Schema) -> PropertyKind:
    if schema.get("pattern") in ANY:
        base, pattern = ANY[schema["pattern"]]
        what = "element" if base == "ElementBase" else "resource"
        options: tuple[str, ...] = (f"targets=({base},)", f"pattern={pattern}")
        return PropertyKind(f"{base} | str", f"{base} | str", "Pointer", options, f"Any {what}, or its URL.")
    names = [class_name(target) for target in pointer_bases(schema)]
    given = [*names, "str", "dict[str, Any]"]
    given += ["ArrayLike"] if "Array" in names else ["ImageFile"] if "Image" in names else []
    targets = f"targets=({', '.join(names)}{',' if len(names) == 1 else ''})"
    note = f"{' or '.join(names)}, or the URL of one."
    return PropertyKind(" | ".join([*names, "str"]), " | ".join(given), "Pointer", (targets,), note)


def _list(schema: Schema) -> PropertyKind:
    item, coerce = kind_of(schema["items"]), "x-coerce" in schema
    low, high = schema.get("minItems"), schema.get("maxItems")
    given = f"Sequence[{item.given}]" + (" | set[float] | NDArray[Any] | float" if coerce else "")
    note = f"List{_length(low, high)} ({item.note.rstrip('.')})."
    kind = PropertyKind(f"list[{item.type}]", given, "List", (f"item={item.text}",), note)
    return kind.having(_option("min_length", low), _option("max_length", high), _option("coerce", coerce))


def _length(low: int | None, high: int | None) -> str:
    if low is None:
        return "" if high is None else f" of at most {high}"
    return f" of at least {low}" if high is None else f" of {low}" if low == high else f" of {low} to {high}"


def _object(schema: Schema) -> PropertyKind:
    reference = schema if "$ref" in schema else schema["allOf"][0]
    name = class_name(reference["$ref"])
    kind = PropertyKind(name, f"{name} | dict[str, Any]", "Object", (f"cls={name}",), f"{name}.")
    return kind.having(_option("text_form", "x-strict-read" in {**schema, **reference}))


def _union(schema: Schema) -> PropertyKind:
    kinds = [kind_of(option) for option in schema["anyOf"]]
    return PropertyKind(
        " | ".join(kind.type for kind in kinds),
        " | ".join(dict.fromkeys(part for kind in kinds for part in kind.given.split(" | "))),
        "Union",
        (f"kinds=({', '.join(kind.text for kind in kinds)})",),
        f"{'; or '.join(kind.note.rstrip('.') for kind in kinds)}.",
    )


_Maker = tuple[Callable[[Schema], bool], Callable[[Schema], PropertyKind]]
_MAKERS: Final[Sequence[_Maker]] = (
    (lambda schema: schema.get("x-python-type", "").startswith("colour"), _colour),
    (lambda schema: schema.get("x-python-type", "").startswith("Vector"), _vector),
    (lambda schema: bool(pointer_bases(schema)) or schema.get("pattern") in ANY, _pointer),
    (lambda schema: "$ref" in schema or "allOf" in schema, _object),
    (lambda schema: "anyOf" in schema, _union),
    (lambda schema: schema.get("type") == "array", _list),
    (lambda schema: "enum" in schema, _choice),
    (lambda schema: schema.get("type") == "string", _text),
    (lambda schema: schema.get("type") in ("integer", "number"), _number),
    (lambda schema: schema.get("type") == "boolean", _boolean),
)
