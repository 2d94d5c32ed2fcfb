"""Descriptors and methods, as text."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping, Sequence
from typing import Final

from asyncclient._codegen._description import pascal
from asyncclient._codegen._ir import Argument, Module, Operation, Page, Parameter
from asyncclient._codegen._settings import Service
from asyncclient._codegen._text import docstring, estimate, header, imports, literal, literal_list
from asyncclient._codegen._write_packages import source_of, write_groups, write_lazy_package, write_package

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
    homes: dict[str, list[str]] = {}
    for tag in tags:
        members = [operation for operation in operations if operation.tag == tag]
        written += _write_tag(service, tag, members, modules)
        homes.update(_homes(tag, _cut(service, members, modules)))
        classes.append((tag, f"{pascal(tag)}Operations"))
    if service.surface is not None:
        written += write_groups(service, service.surface, tags)
        return [write_lazy_package(service, service.surface, classes, homes), *written]
    return [write_package(service, classes), *written]


def _homes(tag: str, parts: Sequence[Sequence[Operation]]) -> dict[str, list[str]]:
    """Return the methods by ``module:Class`` that defines them."""
    return {
        f"{tag}{suffix and '_' + suffix}:{pascal(tag)}Operations{suffix}": [operation.name for operation in part]
        for part, suffix in zip(parts, [""] if len(parts) == 1 else map(str, range(1, len(parts) + 1)), strict=True)
    }


def _write_tag(service: Service, tag: str, operations: Sequence[Operation], modules: Mapping[str, str]) -> list[Module]:
    parts = _cut(service, operations, modules)
    if len(parts) == 1:
        return [_write_module(service, tag, f"operations/{tag}.py", f"{pascal(tag)}Operations", parts[0], modules)]
    written, lines, bases = [], [], []
    exported: list[str] = []
    for number, part in enumerate(parts, 1):
        name = f"{pascal(tag)}Operations{number}"
        written.append(_write_module(service, tag, f"operations/{tag}_{number}.py", name, part, modules))
        constants = sorted(operation.name.upper() for operation in part if not operation.endpoint)
        lines.append(f"from {service.package}.operations.{tag}_{number} import {', '.join([*constants, name])}\n")
        exported += constants
        bases.append(name)
    text = (
        f'{header(source_of(service))}"""Operations of {service.title}: {tag.replace("_", " ")}."""\n\n'
        f"from __future__ import annotations\n\n{''.join(lines)}\n"
        f"__all__ = {literal_list([*sorted(exported), pascal(tag) + 'Operations'])}\n\n\n"
        f"class {pascal(tag)}Operations({', '.join(bases)}):\n"
        + docstring([f"Operations on {tag.replace('_', ' ')}."], {}, 4)
    )
    return [Module(f"operations/{tag}.py", text), *written]


def _cut(service: Service, operations: Sequence[Operation], modules: Mapping[str, str]) -> list[list[Operation]]:
    """Cut the operations of a tag so that each module stays short enough, evenly."""
    sizes = [estimate(_descriptor(service, op, modules)) + estimate(_method(service, op)) for op in operations]
    of = {op.name: number for number, op in enumerate(operations)}
    for number, op in enumerate(operations):
        if op.endpoint:  # a derived method lies where its descriptor is
            sizes[of[op.endpoint]] += sizes[number]
    order = [number for number, op in enumerate(operations) if not op.endpoint]
    total = sum(sizes[number] for number in order)
    count = -(-total // _ROOM) or 1
    share = total / count
    parts: list[list[Operation]] = [[] for _ in range(count)]
    before = 0
    home: dict[str, int] = {}
    for number in order:
        operation = operations[number]
        home[operation.name] = place = min(int(before / share), count - 1)
        parts[place].append(operation)
        parts[place] += [op for op in operations if op.endpoint == operation.name]
        before += sizes[number]
    return [part for part in parts if part]


def _write_module(
    service: Service,
    tag: str,
    path: str,
    name: str,
    operations: Sequence[Operation],
    modules: Mapping[str, str],
) -> Module:
    descriptors = [_descriptor(service, operation, modules) for operation in operations if not operation.endpoint]
    methods = [_method(service, operation) for operation in operations if not operation.hand_written]
    base = "ServiceBase" if service.surface is None else service.surface.base.partition(":")[2]
    by_hand = [f"``{operation.name}``" for operation in operations if operation.hand_written]
    words = tag.replace("_", " ")
    doc = [f"Operations on {words}."]
    if by_hand:
        doc.append(f"Written by hand, in the client: {', '.join(by_hand)}.")
    exported = [*sorted(operation.name.upper() for operation in operations if not operation.endpoint), name]
    text = (
        f'{header(source_of(service))}"""Operations of {service.title}: {words}."""\n\n'
        "from __future__ import annotations\n\n"
        f"{_imports(service, operations, descriptors, base)}\n"
        f"__all__ = {literal_list(exported)}\n\n"
        + "\n".join(descriptors)
        + f"\n\nclass {name}({base}):\n{docstring(doc, {}, 4)}\n"
        + "\n".join(methods)
    )
    return Module(path, text)


def _imports(service: Service, operations: Sequence[Operation], descriptors: Sequence[str], base: str) -> str:
    arguments = [argument for op in operations if not op.hand_written for argument in op.arguments]
    types = [argument.annotation for argument in arguments]
    types += [operation.answer.annotation for operation in operations]
    types += ["Any" for operation in operations if operation.extra and not operation.hand_written]
    surface = service.surface
    wanted = {
        "datetime as dt": [],
        "collections.abc": ["Iterable", "Mapping", "Sequence"],
        "asyncclient._values": ["SupportsToDict"],
        service.package: ["models"],
    }
    if surface is not None:
        types.append(f"Unpack[{surface.options}]")
        named = [annotation for annotation, _ in surface.arguments.values() if annotation[0].isupper()]
        named = [annotation for annotation in named if annotation != "Any"]
        wanted[surface.base.partition(":")[0]] = sorted({*named, surface.options})
        wanted["typing"] = ["Unpack"]
    guarded = imports(wanted, types)
    defaults = [argument.default or "" for argument in arguments]
    runtime = imports(
        {
            "typing": ["TYPE_CHECKING", "Any", "Final"],
            "asyncclient._endpoint": ["Endpoint", "ModelRef", "Page", "Param"],
            "asyncclient._values": ["members"],
            **(
                {"asyncclient._service": ["ServiceBase"]}
                if surface is None
                else {surface.base.partition(":")[0]: [base]}
            ),
            "asyncclient.types": ["UNSET", "Unset"],
        },
        [
            *descriptors,
            *types,
            *defaults,
            base,
            *(["TYPE_CHECKING"] if guarded else []),
            *("members" for operation in operations if operation.members_of and not operation.hand_written),
        ],
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
    if answer.whole is not None:
        address = [f"{service.package}.{modules[answer.whole]}", answer.whole]
        fields.append(f"whole=ModelRef({', '.join(literal(part) for part in address)})")
    if answer.kind != "json":
        fields.append(f"answer={literal(answer.kind)}")
    return fields


def _param(parameter: Parameter) -> str:
    fields = [literal(parameter.name), literal(parameter.wire), literal(parameter.place)]
    for key in ("required", "types", "none", "falsy", "safe", "convert", "default", "append"):
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


def _method(service: Service, operation: Operation) -> str:
    if operation.hand_written:
        return ""
    sections = {
        "Args": [f"{a.name}: {' '.join(a.notes)}" for a in operation.arguments if a.notes],
        "Returns": [note] if (note := _returned(operation)) else [],
        "Raises": ["EmptyRequestError: Nothing to change was given."] if operation.empty_body == "error" else [],
    }
    if operation.extra_note:
        sections["Args"].append(f"**extra: {operation.extra_note}")
    descriptor = (operation.endpoint or operation.name).upper()
    handed = f"{descriptor}, {_arguments(operation, descriptor)}" + ("" if service.surface is None else ", options")
    call = f"await self.{operation.call}({handed})"
    returned = "None" if operation.call == "_download" else operation.answer.annotation
    keep = "" if returned == "None" else "return "
    return (
        f"    async def {operation.name}({_signature(service, operation)}) -> {returned}:\n"
        f"{docstring([operation.summary], sections, 8)}        {keep}{call}\n"
    )


def _signature(service: Service, operation: Operation) -> str:
    parts = ["self", *(_parameter(a) for a in operation.arguments if a.kind == "positional")]
    keywords = [_parameter(a) for a in operation.arguments if a.kind == "keyword"]
    if keywords:
        parts += ["*", *keywords]
    if operation.extra:
        parts.append("**extra: Any")
    if service.surface is not None:
        parts.append(f"**options: Unpack[{service.surface.options}]")
    return ", ".join(parts)


def _parameter(argument: Argument) -> str:
    default = "" if argument.default is None else f" = {argument.default}"
    return f"{argument.name}: {argument.annotation}{default}"


def _arguments(operation: Operation, descriptor: str) -> str:
    if whole := operation.members_of:
        return f'members({descriptor}, "{whole}", {whole})'
    # What was assembled comes after **extra: extra keywords never have the name of an argument, and the body
    # writes them last, so that a wire name given as an extra keyword wins.
    items = [_item(operation, argument) for argument in operation.arguments if argument.sent]
    return "{" + ", ".join([*(["**extra"] if operation.extra else []), *items]) + "}"


def _item(operation: Operation, argument: Argument) -> str:
    if operation.call == "_signed_upload" and argument.kind == "positional" and argument.name != "file":
        return f'"{operation.wrap}": {argument.name}'
    if operation.wrap and argument.name == "body":
        return f'"body": {{"{operation.wrap}": body}}'
    return f'"{argument.name}": {argument.name}'


def _returned(operation: Operation) -> str:
    page, answer = operation.page, operation.answer
    if page is not None and page.style == "token":
        return f"One page: items under ``{page.items}``, and ``{page.next}`` if there are more."
    if answer.unwrap is not None:
        return f"``{answer.unwrap}`` of the answer."
    return answer.note
