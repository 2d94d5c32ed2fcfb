"""Models of services that answer with plain dicts: ``models.py``, for type checkers only."""

from __future__ import annotations

import keyword
from collections.abc import Mapping

from asyncclient._codegen._ir import Field, Module, Named
from asyncclient._codegen._order import ordered
from asyncclient._codegen._settings import Service
from asyncclient._codegen._text import docstring, header, imports

__all__ = ["write_typeddicts"]


def write_typeddicts(service: Service, models: Mapping[str, Named]) -> list[Module]:
    """Write all models into one module; nothing imports it at run time."""
    blocks = [_write(model) for model in ordered(models)]
    code = [*(field.annotation for model in models.values() for field in model.fields)]
    code += [model.annotation for model in models.values()]
    required = ["Required"] if any(field.required for model in models.values() for field in model.fields) else []
    kinds = ["TypeAlias"] if any(model.kind != "class" for model in models.values()) else []
    text = (
        f"{header(f'asyncclient/{service.name}/openapi.json')}"
        + docstring(
            [
                f"What {service.title} answers: plain dicts, described for type checkers.",
                "What the description calls required may still be missing, and further keys may be there: services differ by version.",
            ],
            {},
            0,
        )
        + "\nfrom __future__ import annotations\n\n"
        + imports({"typing": ["Any", "Required", "TypeAlias", "TypedDict"]}, [*code, *kinds, *required, "TypedDict"])
        + f"\n__all__ = [{', '.join(f'{chr(34)}{name}{chr(34)}' for name in sorted(models))}]\n\n\n"
        + "\n\n".join(blocks)
    )
    return [Module("models.py", text)]


def _write(model: Named) -> str:
    if model.kind != "class":
        return f"{model.name}: TypeAlias = {model.annotation}\n{docstring(model.doc, {}, 0)}"
    if all(_is_key(field.wire) for field in model.fields):
        head = f"class {model.name}({model.base}):" if model.base else f"class {model.name}(TypedDict, total=False):"
        fields = "".join(_field(field) for field in model.fields)
        return f"{head}\n{docstring(model.doc, {}, 4)}\n{fields}"
    # Keys that are no identifiers cannot be written as a class; the types stay text because nothing delays them here.
    keys = "".join(f'    "{field.wire}": "{_annotation(field)}",\n' for field in model.fields)
    body = f'{model.name} = TypedDict("{model.name}", {{\n{keys}}}, total=False)\n'
    return body + docstring(model.doc, {}, 0)


def _is_key(wire: str) -> bool:
    return wire.isidentifier() and not keyword.iskeyword(wire)


def _field(field: Field) -> str:
    note = docstring([" ".join(field.notes)], {}, 4) if field.notes else ""
    return f"    {field.wire}: {_annotation(field)}\n{note}"


def _annotation(field: Field) -> str:
    return f"Required[{field.annotation}]" if field.required else field.annotation
