"""Models of services that answer with objects: ``models/``, each module loaded on first use."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping, Sequence
from typing import Final

from asyncclient._codegen._ir import Field, Module, Named
from asyncclient._codegen._order import ordered
from asyncclient._codegen._settings import Service
from asyncclient._codegen._text import LINE, docstring, header, imports, literal

__all__ = ["lines_of", "write_pydantic"]

_BASE: Final = '''
from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from pydantic import BaseModel, ConfigDict

__all__ = ["Model", "by_key"]


class Model(BaseModel):
    """An object of the service. Unknown members are kept; missing ones are None."""

    # defer_build: a model is compiled when it is first used, not when its module is loaded.
    model_config = ConfigDict(
        extra="allow",
        populate_by_name=True,
        coerce_numbers_to_str=True,
        defer_build=True,
        protected_namespaces=(),
    )


def by_key(keys: tuple[str, ...], known: tuple[str, ...]) -> Callable[[Any], str]:
    """Return the function that tells which member of a union a value is; an unknown one gives empty text."""

    def pick(value: Any) -> str:
        for key in keys:
            found = value.get(key) if isinstance(value, Mapping) else getattr(value, key, None)
            if isinstance(found, str) and found.lower() in known:
                return found.lower()
        return ""

    return pick
'''

_PACKAGE: Final = """
from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
<imports>
_MODULES: Final = {
<table>}
_HOMES: Final = {name: module for module, names in _MODULES.items() for name in names.split()}


def __getattr__(name: str) -> Any:
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(importlib.import_module(f"{__name__}.{home}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted([*globals(), *_HOMES])
"""

_DEEP: Final = " " * 8
_HELPERS: Final = ("also_named", "by_fit", "by_key", "sends")
_PYDANTIC: Final = (
    "AliasChoices as _AliasChoices",
    "Discriminator as _Discriminator",
    "Field as _Field",
    "Tag as _Tag",
)


def lines_of(model: Named) -> int:
    """Count the lines of a model; long ones are broken by the formatter, and its name is listed and imported."""
    return sum(1 + 3 * (len(line) > LINE) for line in _write(model).splitlines()) + 4


def write_pydantic(service: Service, groups: Mapping[str, Sequence[Named]]) -> list[Module]:
    """Write a module per group, the base class, and a package that finds each name on first use."""
    homes = {model.name: module for module, members in groups.items() for model in members}
    base = f'{_source(service)}"""The base of all models of {service.title}."""\n{_BASE}'
    modules = [_write_package(service, homes)]
    if service.model_base is None:
        modules.append(Module("models/_base.py", base))
    return modules + [_write_module(service, name, members, homes) for name, members in groups.items()]


def _write_package(service: Service, homes: Mapping[str, str]) -> Module:
    by_module: dict[str, list[str]] = {}
    for name, module in sorted(homes.items()):
        by_module.setdefault(module, []).append(name)
    typed = table = ""
    for module, names in sorted(by_module.items()):
        exported = ", ".join(f"{name} as {name}" for name in names)
        typed += f"    from {service.package}.models.{module} import {exported}\n"
        lines = textwrap.fill(" ".join(names), LINE, initial_indent=_DEEP, subsequent_indent=_DEEP)
        table += f'    "{module}": """\n{lines}\n    """,\n'
    text = _PACKAGE.replace("<imports>", typed).replace("<table>", table)
    doc = f'"""The objects of {service.title}, each loaded on first use."""'
    return Module("models/__init__.py", f"{_source(service)}{doc}\n{text}")


def _write_module(service: Service, name: str, members: Sequence[Named], homes: Mapping[str, str]) -> Module:
    blocks = [_write(model) for model in ordered({model.name: model for model in members})]
    code = [field.annotation for model in members for field in model.fields]
    code += [annotation for model in members for annotation in model.inherited]
    code += [model.annotation for model in members]
    helpers = [_code_of(model) for model in members]
    base_module, _, base_name = (service.model_base or f"{service.package}.models._base:Model").partition(":")
    standard = imports(
        {"datetime as dt": [], "typing": ["Annotated", "Any", "Literal", "TypeAlias"]}, [*code, *helpers]
    )
    foreign = imports({"pydantic": list(_PYDANTIC)}, helpers)
    ours: dict[str, list[str]] = {}
    for used in sorted({used for model in members for used in model.uses}):
        if homes[used] != name:
            ours.setdefault(f"{service.package}.models.{homes[used]}", []).append(used)
    ours.setdefault(base_module, []).append(f"{base_name} as _Model")
    helpers_module = base_module if service.model_base else f"{service.package}.models._base"
    ours.setdefault(helpers_module, []).extend(f"{name} as _{name}" for name in _HELPERS)
    for mixin in {model.mixin for model in members if model.mixin}:
        mixin_module, _, mixin_name = mixin.partition(":")
        ours.setdefault(mixin_module, []).append(f"{mixin_name} as _{mixin_name}")
    ours = {module: sorted(set(names)) for module, names in ours.items()}
    own = imports(dict(sorted(ours.items())), [*code, *helpers, *(name for m in members for name in m.uses)])
    # Types of inherited members are looked up in the module of the class, which does not mention them itself.
    unused = "# ruff: noqa: F401, RUF100\n" if any(model.inherited for model in members) else ""
    text = (
        f'{_source(service)}{unused}"""Objects of {service.title}: {_title(name)}."""\n\nfrom __future__ import annotations\n\n'
        + "\n".join(part for part in (standard, foreign, own) if part)
        + f"\n__all__ = [{', '.join(f'{chr(34)}{model.name}{chr(34)}' for model in sorted(members, key=_name))}]\n\n\n"
        + "\n\n".join(blocks)
    )
    return Module(f"models/{name}.py", text)


def _source(service: Service) -> str:
    return header(f"asyncclient/{service.name}/openapi.json")


def _name(model: Named) -> str:
    return model.name


def _title(module: str) -> str:
    return {"common": "used in several places", "enums": "sets of values", "other": "not used by any operation"}.get(
        module.rstrip("_0123456789"), module.replace("_", " ")
    )


def _code_of(model: Named) -> str:
    """Return the text of a model without its docstrings."""
    if model.kind == "class":
        return "\n".join(
            [f"class {model.name}({_bases(model)})", *(_assignment(f, model) for f in model.fields), _rest(model)]
        )
    return f"{model.name}: TypeAlias = {_meaning(model)}"


def _write(model: Named) -> str:
    if model.kind != "class":
        return f"{model.name}: TypeAlias = {_meaning(model)}\n{docstring(model.doc, {}, 0)}"
    fields = "".join(_field(field, model) for field in model.fields) + _rest(model)
    separator = "\n" if fields else ""
    return f"class {model.name}({_bases(model)}):\n{docstring(model.doc, {}, 4)}{separator}{fields}"


def _bases(model: Named) -> str:
    base = model.base or "_Model"
    return base if model.mixin is None else f"_{model.mixin.partition(':')[2]}, {base}"


def _rest(model: Named) -> str:
    """Return what a class has besides its fields."""
    names = ", ".join(literal(name) for name, _ in model.fixed)
    sends = f"\n    model_post_init = _sends({names})\n" if names else ""
    others = "".join(f"    {field.also} = _also_named({literal(field.name)})\n" for field in model.fields if field.also)
    return sends + ("\n" + others if others else "")


def _meaning(model: Named) -> str:
    if model.kind == "fit":
        return _fitting(model)
    if model.kind != "tagged":
        return model.annotation
    parts = [f'Annotated[{target}, _Tag("{value.lower()}")]' for value, target in model.tags]
    tags = tuple(value.lower() for value, _ in model.tags)
    other = 'Annotated[_Model, _Tag("")]'
    pick = f"_Discriminator(_by_key({literal(model.keys)}, {literal(tags)}))"
    return f"Annotated[\n    {' | '.join([*parts, other])},\n    {pick},\n]"


def _fitting(model: Named) -> str:
    parts = [f'Annotated[{name}, _Tag("{name}")]' for name in model.fits]
    parts.append('Annotated[Any, _Tag("")]')
    rows = ", ".join(
        f"{literal(name)}: {{{', '.join(f'{literal(key)}: {literal(kind)}' for key, kind in table.items())}}}"
        for name, table in model.fits.items()
    )
    return f"Annotated[\n    {' | '.join(parts)},\n    _Discriminator(_by_fit({{{rows}}})),\n]"


def _assignment(field: Field, model: Named) -> str:
    annotation = field.annotation
    fixed = dict(model.fixed).get(field.wire)
    if fixed is not None:
        return f"{field.name}: {annotation} | None = {literal(fixed)}"
    if annotation != "Any" and not annotation.endswith("None"):
        annotation = f"{annotation} | None"
    if field.name == field.wire:
        return f"{field.name}: {annotation} = None"
    taken = f'"{field.wire}"' if field.also in ("", field.wire) else f'_AliasChoices("{field.wire}", "{field.also}")'
    alias = f'validation_alias={taken}, serialization_alias="{field.wire}"'
    return f"{field.name}: {annotation} = _Field(default=None, {alias})"


def _field(field: Field, model: Named) -> str:
    note = docstring([" ".join(field.notes)], {}, 4) if field.notes else ""
    return f"    {_assignment(field, model)}\n{note}"
