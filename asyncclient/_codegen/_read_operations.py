"""From a description to :class:`~asyncclient._codegen._ir.Operation` objects."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Set
from dataclasses import replace
from typing import Any

from asyncclient._codegen._annotations import Annotator, json_types
from asyncclient._codegen._description import Description, Schema
from asyncclient._codegen._errors import DescriptionError, OverrideError
from asyncclient._codegen._ir import Argument, Operation, Page, Parameter
from asyncclient._codegen._read_answers import read_answer, read_page
from asyncclient._codegen._read_arguments import ArgumentReader, Source, whole_argument
from asyncclient._codegen._settings import Service

__all__ = ["read_operations"]


def read_operations(service: Service, description: Description) -> list[Operation]:
    """Read all operations, in the order of the file.

    Raises:
        DescriptionError: An argument has no place in the request, or a place no argument.
        OverrideError: An override of the service matches nothing.
    """
    reader = _Reader(service, description)
    operations = [reader.read(path, method, raw) for path, method, raw in description.operations()]
    names = [(operation.tag, operation.name) for operation in operations]
    twice = sorted({name for tag, name in names if names.count((tag, name)) > 1})
    if twice:
        raise DescriptionError(f"{service.name}: more than one operation is called {', '.join(twice)}")
    reader.check_overrides({raw["operationId"] for _, _, raw in description.operations()})
    return operations


class _Reader:
    def __init__(self, service: Service, description: Description) -> None:
        self._service = service
        self._description = description
        self._positional = {(p.operation, p.argument) for p in service.positional}
        self._converts = {convert.argument: convert.converter for convert in service.converts}
        self._matched: set[object] = set()
        dicts = service.answers == "typeddict"
        self._annotator = Annotator(description, prefix="models.", dates=not dicts, open_enums=not dicts)
        self._arguments = ArgumentReader(
            description, self._annotator, named_enums=not dicts, may_be_positional=self._may_be_positional
        )

    def read(self, path: str, method: str, raw: Mapping[str, Any]) -> Operation:
        name: str = raw.get("x-python-name", raw["operationId"])
        sources, body = self._sources(name, raw)
        hand_written = self._is_hand_written(raw["operationId"], raw)
        members_of = raw.get("x-body-argument", "")
        surface = self._service.surface
        table = raw.get("x-merged-python-params", raw.get("x-python-params"))
        if table is None:
            raise DescriptionError(f"{name} has no x-python-params")
        required = {entry["name"] for entry in table if entry["required"]}
        arguments: tuple[Argument, ...] = ()
        if surface is not None:
            handled = surface.arguments
            names = {entry["name"] for entry in table} & handled.keys() - sources.keys()
            sources.update({key: Source(None, {}, {}, handled[key]) for key in names})
        if not hand_written:
            self._check_body(raw)
            arguments = tuple(
                whole_argument(entry) if entry["name"] == members_of else self._arguments.argument(name, entry, sources)
                for entry in table
            )
            self._check_all_used(name, sources, {a.name for a in arguments} | (set(sources) if members_of else set()))
        answer = read_answer(self._service, self._description, self._annotator, raw)
        page = self._page(raw, {argument.name for argument in arguments} | sources.keys())
        schema = _body_schema(self._description, raw)
        return Operation(
            name=name,
            tag=raw["tags"][0],
            method=method,
            path=path,
            summary=raw["summary"],
            arguments=arguments,
            parameters=tuple(_with_required(s.parameter, required) for s in sources.values() if s.parameter),
            answer=answer,
            body=body,
            empty_body=_empty_body(raw, body),
            extra="x-var-keyword" in raw,
            known_extra=tuple(schema.get("x-server-only-properties", ())) if "x-var-keyword" in raw else (),
            extra_none=raw.get("x-var-keyword", {}).get("x-none", "null"),
            extra_note=self._arguments.extra_note(raw, schema),
            page=page,
            bulk=answer.kind == "bytes",
            hand_written=hand_written,
            members_of=members_of,
            call="_call" if surface is None else _kind_of_call(sources),
        )

    def _page(self, raw: Mapping[str, Any], names: Set[str]) -> Page | None:
        page = self._service.pages.get(raw["operationId"])
        if page is None:
            return read_page(self._service, self._description, raw)
        if missing := {page.token, page.limit or page.token} - names:
            raise OverrideError(f"{raw['operationId']}: no argument is called {', '.join(sorted(missing))}")
        return page

    def check_overrides(self, names: set[str]) -> None:
        service = self._service
        if unknown := sorted(set(service.hand_written) - names):
            raise OverrideError(f"{service.name}: hand_written names {', '.join(unknown)}, which do not exist")
        if unknown := sorted(set(service.pages) - names):
            raise OverrideError(f"{service.name}: pages names {', '.join(unknown)}, which do not exist")
        for positional in service.positional:
            if positional not in self._matched and (positional.operation, positional.argument) not in self._matched:
                raise OverrideError(
                    f"{service.name}: {positional.operation} has no keyword {positional.argument} to be positional"
                )
        for argument in self._converts:
            if argument not in self._matched:
                raise OverrideError(f"{service.name}: no operation has an argument {argument} to convert")

    def _check_body(self, raw: Mapping[str, Any]) -> None:
        """Refuse a body that a generated method would silently leave out."""
        content = self._description.resolve(raw.get("requestBody", {})).get("content", {})
        if content and "application/json" not in content and self._service.surface is None:
            raise DescriptionError(f"{raw['operationId']} sends {', '.join(content)}; write the method by hand")

    def _may_be_positional(self, operation: str, argument: str) -> bool:
        if (operation, argument) not in self._positional:
            return False
        self._matched.add((operation, argument))
        return True

    def _is_hand_written(self, name: str, raw: Mapping[str, Any]) -> bool:
        return name in self._service.hand_written or (
            self._service.hand_written_transfers and "x-transfer" in raw and not _is_control(raw)
        )

    def _sources(self, name: str, raw: Mapping[str, Any]) -> tuple[dict[str, Source], Any]:
        found: dict[str, Source] = {}
        for parameter in self._description.parameters(raw):
            python = parameter.get("x-python-name", parameter["name"])
            if "x-body-argument" in raw:  # members of one argument, written as query.fields
                python = python.removeprefix("query.")
            found[python] = self._parameter_source(python, parameter)
        body, leaves = self._body(raw)
        for python, source in leaves:
            if python in found:
                raise DescriptionError(f"{name}: two places for the argument {python}")
            found[python] = source
        return found, body

    def _parameter_source(self, python: str, raw: Mapping[str, Any]) -> Source:
        schema = {**raw.get("schema", {}), **{key: raw[key] for key in ("description", "x-scalar-ok") if key in raw}}
        if raw.get("x-ignored-on-wire"):
            return Source(None, schema, raw)
        place = raw["in"]
        parameter = self._parameter(python, raw["name"], place, schema, raw)
        if place == "path":
            parameter = replace(parameter, required=True, safe=self._safe(raw))
        return Source(parameter, schema, raw)

    def _safe(self, raw: Mapping[str, Any]) -> str:
        encoding = raw.get("x-path-encoding")
        if encoding is None:
            return self._service.default_path_safe
        try:
            return self._service.path_safe[encoding]
        except KeyError:
            raise DescriptionError(f"{self._service.name}: no characters are set for {encoding!r}") from None

    def _parameter(self, python: str, wire: str, place: Any, schema: Schema, raw: Mapping[str, Any]) -> Parameter:
        default = raw.get("x-sent-when-absent")
        if default is None and raw.get("x-always-sent"):
            default = raw.get("default")
        if default is None and place == "body":
            default = raw.get("const")
        return Parameter(
            name=python,
            wire=wire,
            place=place,
            required=bool(raw.get("required")) is True and place != "body",
            types=json_types(self._description, schema),
            none=raw.get("x-none", "omit"),
            falsy=raw.get("x-falsy", "send"),
            convert=self._converter(python, schema, raw),
            default=default,
            append=bool(raw.get("x-appended-to-default")),
        )

    def _converter(self, python: str, schema: Schema, raw: Mapping[str, Any]) -> str | None:
        wrapped = re.search(r'single member "(\w+)"', raw.get("x-string-argument", ""))
        if wrapped:
            return f"as-{wrapped[1]}"
        if python in self._converts:
            self._matched.add(python)
            return self._converts[python]
        return "iso" if "date-time" in _formats(schema) else None

    def _body(self, raw: Mapping[str, Any]) -> tuple[Any, list[tuple[str, Source]]]:
        if "requestBody" not in raw:
            return "none", []
        body = self._description.resolve(raw["requestBody"])
        media = body["content"].get("application/json")
        if media is None:
            return "none", []  # files: written by hand
        python = body.get("x-python-name")
        if self._service.surface is not None and python and "application/octet-stream" in body["content"]:
            taken = ("bytes | str | Any", "The content: bytes, text (sent as UTF-8), a path or a file object.")
            return "none", [(python, Source(None, {}, {}, taken))]
        if python is None:
            return "object", list(self._leaves(self._description.resolve(media["schema"]), ""))
        schema = {**media["schema"], **({"description": body["description"]} if "description" in body else {})}
        none = "error" if body.get("required") else "omit"
        parameter = self._parameter(python, "", "body", schema, {"x-none": none, **body, "required": False})
        return "whole", [(python, Source(parameter, schema, body))]

    def _leaves(self, schema: Schema, prefix: str) -> Iterator[tuple[str, Source]]:
        for key, member in schema.get("properties", {}).items():
            if "x-python-name" not in member and any(
                "x-python-name" in m for m in member.get("properties", {}).values()
            ):
                yield from self._leaves(member, f"{prefix}{key}/")
                continue
            python = member.get("x-python-name", key)
            yield python, Source(self._parameter(python, prefix + key, "body", member, member), member, member)

    def _check_all_used(self, operation: str, sources: Mapping[str, Source], names: set[str]) -> None:
        for name, source in sources.items():
            if name not in names and (source.parameter is None or source.parameter.default is None):
                raise DescriptionError(f"{operation}: no argument fills {name}")


def _kind_of_call(sources: Mapping[str, Source]) -> str:
    handled = {name for name, source in sources.items() if source.by_base is not None}
    if handled & {"file", "files"}:
        return "_upload"
    if "body" in handled:
        return "_upload_raw"
    return "_download" if handled else "_operate"


def _with_required(parameter: Parameter, required: set[str]) -> Parameter:
    # An argument that has to be given may still be None where None is sent as null or [].
    if parameter.name in required and parameter.none in ("omit", "error"):
        return replace(parameter, required=True)
    return parameter


def _empty_body(raw: Mapping[str, Any], body: str) -> Any:
    if body == "object" and "x-empty-body" in raw:
        return "error"
    return "send"


def _body_schema(description: Description, raw: Mapping[str, Any]) -> Schema:
    body = description.resolve(raw.get("requestBody", {}))
    schema: Schema = body.get("content", {}).get("application/json", {}).get("schema", {})
    return schema


def _protocol(raw: Mapping[str, Any]) -> str:
    transfer = raw.get("x-transfer-protocol", raw.get("x-transfer"))
    return str(transfer.get("protocol", "")) if isinstance(transfer, Mapping) else ""


def _is_control(raw: Mapping[str, Any]) -> bool:
    return _protocol(raw).startswith("Control request")


def _formats(schema: Schema) -> set[str]:
    branches = [schema, *schema.get("anyOf", ()), *schema.get("oneOf", ())]
    return {branch.get("format", "") for branch in branches}
