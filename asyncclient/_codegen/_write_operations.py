"""Descriptors and methods, as text."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping, Sequence
from typing import Final

from asyncclient._codegen._description import pascal
from asyncclient._codegen._ir import Argument, Module, Operation, Page, Parameter
from asyncclient._codegen._services import Service
from asyncclient._codegen._text import docstring, estimate, header, imports, literal

__all__ = ["write_operations"]

_ROOM: Final = 1150
"""Lines of operations in a module, estimated before formatting; the rest is room for what the formatter unfolds."""

_DEFAULTS: Final = Parameter("", "", "path")


def write_operations(
    service: Service, tags: Sequence[str], operations: Sequence[Operation], modules: Mapping[str, str]
) -> list[Module]:
    """Write ``operations/``: a module and a mixin per tag, and one class of them all.

    Args:
        service: What they belong to.
        tags: In order.
        operations: In order.
        modules: The module each model of an answer lies in.
    """
    written: list[Module] = []
    classes: list[tuple[str, str]] = []
    for tag in tags:
        members = [operation for operation in operations if operation.tag == tag]
        written += _write_tag(service, tag, members, modules)
        classes.append((tag, f"{pascal(tag)}Operations"))
    return [_write_package(service, classes), *written]


def _write_package(service: Service, classes: Sequence[tuple[str, str]]) -> Module:
    package = f"{service.package}.operations"
    lines = [f"from {package}.{tag} import {name}\n" for tag, name in classes]
    names = [name for _, name in classes]
    doc = docstring(
        [
            f"Every operation of {service.title} that is one request.",
            "None given to an argument whose default is ``UNSET`` is a value of its own. Further keywords, where a "
            "method takes them, go into the JSON body under their own names.",
        ],
        {},
        4,
    )
    text = (
        f'{header(_source(service))}"""The operations of {service.title}, by tag and all together."""\n\n'
        f"from __future__ import annotations\n\n{''.join(sorted(lines))}\n"
        f"__all__ = {literal_list(sorted(['Operations', *names]))}\n\n\n"
        f"class Operations({', '.join(names)}):\n{doc}"
    )
    return Module("operations/__init__.py", text)


def literal_list(names: Sequence[str]) -> str:
    """Write a list of names; the formatter breaks it where needed."""
    return f"[{', '.join(literal(name) for name in names)}]"


def _write_tag(service: Service, tag: str, operations: Sequence[Operation], modules: Mapping[str, str]) -> list[Module]:
    parts = _cut(service, operations, modules)
    if len(parts) == 1:
        return [_write_module(service, tag, f"operations/{tag}.py", f"{pascal(tag)}Operations", parts[0], modules)]
    written, lines, bases = [], [], []
    for number, part in enumerate(parts, 1):
        name = f"{pascal(tag)}Operations{number}"
        written.append(_write_module(service, tag, f"operations/{tag}_{number}.py", name, part, modules))
        lines.append(f"from {service.package}.operations.{tag}_{number} import {name}\n")
        bases.append(name)
    text = (
        f'{header(_source(service))}"""Operations of {service.title}: {tag.replace("_", " ")}."""\n\n'
        f"from __future__ import annotations\n\n{''.join(lines)}\n"
        f'__all__ = ["{pascal(tag)}Operations"]\n\n\nclass {pascal(tag)}Operations({", ".join(bases)}):\n'
        + docstring([f"Operations on {tag.replace('_', ' ')}."], {}, 4)
    )
    return [Module(f"operations/{tag}.py", text), *written]


def _cut(service: Service, operations: Sequence[Operation], modules: Mapping[str, str]) -> list[list[Operation]]:
    """Cut the operations of a tag so that each module stays short enough, evenly."""
    sizes = [estimate(_descriptor(service, op, modules)) + estimate(_method(op)) for op in operations]
    count = -(-sum(sizes) // _ROOM) or 1
    share = sum(sizes) / count
    parts: list[list[Operation]] = [[] for _ in range(count)]
    before = 0
    for operation, size in zip(operations, sizes, strict=True):
        parts[min(int(before / share), count - 1)].append(operation)
        before += size
    return [part for part in parts if part]


def _source(service: Service) -> str:
    return f"asyncclient/{service.name}/openapi.json"


def _write_module(
    service: Service,
    tag: str,
    path: str,
    name: str,
    operations: Sequence[Operation],
    modules: Mapping[str, str],
) -> Module:
    descriptors = [_descriptor(service, operation, modules) for operation in operations]
    methods = [_method(operation) for operation in operations if not operation.hand_written]
    by_hand = [f"``{operation.name}``" for operation in operations if operation.hand_written]
    words = tag.replace("_", " ")
    doc = [f"Operations on {words}."]
    if by_hand:
        doc.append(f"Written by hand, in the client: {', '.join(by_hand)}.")
    exported = [*sorted(operation.name.upper() for operation in operations), name]
    text = (
        f'{header(_source(service))}"""Operations of {service.title}: {words}."""\n\n'
        "from __future__ import annotations\n\n"
        f"{_imports(service, operations, descriptors)}\n"
        f"__all__ = {literal_list(exported)}\n\n"
        + "\n".join(descriptors)
        + f"\n\nclass {name}(ServiceBase):\n{docstring(doc, {}, 4)}\n"
        + "\n".join(methods)
    )
    return Module(path, text)


def _imports(service: Service, operations: Sequence[Operation], descriptors: Sequence[str]) -> str:
    arguments = [argument for op in operations if not op.hand_written for argument in op.arguments]
    types = [argument.annotation for argument in arguments]
    types += [operation.answer.annotation for operation in operations]
    types += ["Any" for operation in operations if operation.extra and not operation.hand_written]
    guarded = imports(
        {
            "datetime as dt": [],
            "collections.abc": ["Iterable", "Mapping", "Sequence"],
            service.package: ["models"],
        },
        types,
    )
    defaults = [argument.default or "" for argument in arguments]
    runtime = imports(
        {
            "typing": ["TYPE_CHECKING", "Any", "Final"],
            "asyncclient._endpoint": ["Endpoint", "ModelRef", "Page", "Param"],
            "asyncclient._service": ["ServiceBase"],
            "asyncclient.types": ["UNSET", "Unset"],
        },
        [*descriptors, *types, *defaults, "ServiceBase", *(["TYPE_CHECKING"] if guarded else [])],
    )
    return f"{runtime}\nif TYPE_CHECKING:\n{textwrap.indent(guarded, '    ')}" if guarded else runtime


def _descriptor(service: Service, operation: Operation, modules: Mapping[str, str]) -> str:
    fields = [literal(operation.name), literal(operation.method), literal(operation.path)]
    if operation.parameters:
        fields.append("params=(" + "".join(f"\n        {_param(p)}," for p in operation.parameters) + "\n    )")
    if operation.body != "none":
        fields.append(f"body={literal(operation.body)}")
    if operation.empty_body != "send":
        fields.append(f"empty_body={literal(operation.empty_body)}")
    if operation.extra:
        fields.append("extra=True")
    if operation.known_extra:
        fields.append(f"known_extra={literal(operation.known_extra)}")
    if operation.extra_none != "null":
        fields.append(f'extra_none="{operation.extra_none}"')
    fields += _answer_fields(service, operation, modules)
    if operation.page is not None:
        fields.append(f"page={_page(operation.page)}")
    if operation.bulk:
        fields.append("bulk=True")
    name = f"{operation.name.upper()}: Final[Endpoint[{operation.answer.annotation}]]"
    return f"{name} = Endpoint(" + "".join(f"\n    {field}," for field in fields) + "\n)\n"


def _answer_fields(service: Service, operation: Operation, modules: Mapping[str, str]) -> list[str]:
    answer, fields = operation.answer, []
    if answer.model is not None:
        address = [f"{service.package}.{modules[answer.model]}", answer.model]
        if answer.many != "one":
            address.append(answer.many)
        fields.append(f"returns=ModelRef({', '.join(literal(part) for part in address)})")
    if answer.unwrap is not None:
        fields.append(f"unwrap={literal(answer.unwrap)}")
    if answer.kind != "json":
        fields.append(f"answer={literal(answer.kind)}")
    return fields


def _param(parameter: Parameter) -> str:
    fields = [literal(parameter.name), literal(parameter.wire), literal(parameter.place)]
    for key in ("required", "types", "none", "falsy", "safe", "convert", "default"):
        value = getattr(parameter, key)
        if value != getattr(_DEFAULTS, key):
            fields.append(f"{key}={literal(value)}")
    return f"Param({', '.join(fields)})"


def _page(page: Page) -> str:
    fields = [literal(page.items), literal(page.token), f"next={literal(page.next)}"]
    if page.limit is not None:
        fields.append(f"limit={literal(page.limit)}")
    if page.style != "token":
        fields.append(f"style={literal(page.style)}")
    return f"Page({', '.join(fields)})"


def _method(operation: Operation) -> str:
    if operation.hand_written:
        return ""
    sections = {
        "Args": [f"{a.name}: {' '.join(a.notes)}" for a in operation.arguments if a.notes],
        "Returns": [note] if (note := _returned(operation)) else [],
        "Raises": ["EmptyRequestError: Nothing to change was given."] if operation.empty_body == "error" else [],
    }
    if operation.extra_note:
        sections["Args"].append(f"**extra: {operation.extra_note}")
    call = f"await self._call({operation.name.upper()}, {_arguments(operation)})"
    keep = "" if operation.answer.annotation == "None" else "return "
    return (
        f"    async def {operation.name}({_signature(operation)}) -> {operation.answer.annotation}:\n"
        f"{docstring([operation.summary], sections, 8)}        {keep}{call}\n"
    )


def _signature(operation: Operation) -> str:
    parts = ["self", *(_parameter(a) for a in operation.arguments if a.kind == "positional")]
    keywords = [_parameter(a) for a in operation.arguments if a.kind == "keyword"]
    if keywords:
        parts += ["*", *keywords]
    if operation.extra:
        parts.append("**extra: Any")
    return ", ".join(parts)


def _parameter(argument: Argument) -> str:
    default = "" if argument.default is None else f" = {argument.default}"
    return f"{argument.name}: {argument.annotation}{default}"


def _arguments(operation: Operation) -> str:
    # What was assembled comes after **extra: extra keywords never have the name of an argument, and the body
    # writes them last, so that a wire name given as an extra keyword wins.
    items = [f'"{argument.name}": {argument.name}' for argument in operation.arguments if argument.sent]
    return "{" + ", ".join([*(["**extra"] if operation.extra else []), *items]) + "}"


def _returned(operation: Operation) -> str:
    page, answer = operation.page, operation.answer
    if page is not None and page.style == "token":
        return f"One page: items under ``{page.items}``, and ``{page.next}`` if there are more."
    if answer.unwrap is not None:
        return f"``{answer.unwrap}`` of the answer."
    return answer.note
