"""What an operation gives back, and how its pages are continued."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from asyncclient._codegen._annotations import Annotator
from asyncclient._codegen._description import Description, Schema, pascal
from asyncclient._codegen._errors import DescriptionError
from asyncclient._codegen._facts import sentence
from asyncclient._codegen._ir import Answer, Page
from asyncclient._codegen._settings import Service

__all__ = ["read_answer", "read_page"]


def read_answer(service: Service, description: Description, annotator: Annotator, raw: Mapping[str, Any]) -> Answer:
    """Read what a call returns."""
    media, schema = _content(description, raw)
    returns = raw.get("x-returns", "")
    if media is None:
        return Answer("None", "none")
    if schema.get("format") == "binary":
        return Answer("bytes", "bytes")
    if returns.startswith("None"):
        return Answer("None", "none")
    if not media.endswith("json"):
        return Answer("str", "text")
    unwrap = _unwrap(description, schema, returns)
    if unwrap is not None:
        member = description.schemas[description.target(description.ref_name(schema) or "")]["properties"][unwrap]
        whole = None if service.surface is None else description.ref_name(schema)
        return Answer(annotator.answer(member), unwrap=unwrap, whole=whole)
    note = sentence(returns)
    if service.answers == "typeddict":
        return Answer(annotator.answer(schema), note=note)
    model, many = _model(description, raw["operationId"], schema)
    return Answer(annotator.answer(schema), model=model, many=many, note=note)


def _content(description: Description, raw: Mapping[str, Any]) -> tuple[str | None, Schema]:
    for status, answer in raw["responses"].items():
        if status.startswith("2"):
            content = description.resolve(answer).get("content", {})
            for media, value in content.items():
                return media, value.get("schema", {})
            return None, {}
    raise DescriptionError(f"{raw['operationId']} has no answer of status 2xx")


def _unwrap(description: Description, schema: Schema, returns: str) -> str | None:
    name = description.ref_name(schema)
    if name is None:
        return None
    target = description.schemas[description.target(name)]
    said = re.match(r'response\["(\w+)"\]', returns)
    found: str | None = said[1] if said and said[1] in target.get("properties", {}) else target.get("x-unwrap")
    return found


def _model(description: Description, operation: str, schema: Schema) -> tuple[str | None, Any]:
    """Name what an answer is parsed into; a union gets a name of its own."""
    if name := description.ref_name(schema):
        return name, "one"
    for key, many in (("items", "list"), ("additionalProperties", "dict")):
        inner = schema.get(key)
        if isinstance(inner, Mapping) and (name := description.ref_name(inner)):
            return name, many
    if not _mentions_schema(schema):
        return None, "one"
    name = pascal(operation) + "Answer"
    if name in description.schemas:
        raise DescriptionError(f"the answer of {operation} would be called {name}, and there is a schema of that name")
    description.schemas[name] = schema
    return name, "one"


def _mentions_schema(value: Any) -> bool:
    if isinstance(value, Mapping):
        return "$ref" in value or any(_mentions_schema(inner) for inner in value.values())
    return isinstance(value, list) and any(_mentions_schema(inner) for inner in value)


def read_page(service: Service, description: Description, raw: Mapping[str, Any]) -> Page | None:
    """Read how the pages of an operation are continued; None if it has none that can be walked by itself."""
    paging = raw.get("x-pagination")
    if paging is None or paging["style"] == "page":  # two lists at once; such a call has no items to iterate over
        return None
    names = {p["name"]: p.get("x-python-name", p["name"]) for p in description.parameters(raw)}
    style, params = paging["style"], paging["params"]
    items = "" if paging["items"] == "$" else paging["items"]
    if style == "after_id":
        found = re.match(r"after_id = (\w+)\b", paging["next"])
        if found is None:
            raise DescriptionError(f"{raw['operationId']}: cannot read x-pagination.next")
        return Page(
            items,
            names["after_id"],
            _python_member(service, description, raw, items, found[1]),
            names.get("limit"),
            style,
        )
    if style not in ("token", "offset"):
        raise DescriptionError(f"{raw['operationId']}: unknown style of paging {style!r}")
    return Page(
        items=items,
        token=_paged_by(raw, names, params["token" if style == "token" else "offset"]) or "",
        next=paging["next"] if style == "token" else "",
        limit=_paged_by(raw, names, params.get("limit")),
        style=style,
    )


def _paged_by(raw: Mapping[str, Any], names: Mapping[str, str], wire: str | None) -> str | None:
    """Return the Python name of a parameter; members of one argument, of which body or query are made, keep theirs."""
    whole = "x-body-argument" in raw or "x-python-name" in raw.get("requestBody", {})
    return wire if whole and names.get(wire or "", "query.").startswith("query.") else names.get(wire or "")


def _python_member(service: Service, description: Description, raw: Mapping[str, Any], items: str, wire: str) -> str:
    """Return the attribute of an item that a key is read into; the key itself for items without a model."""
    if service.answers == "typeddict":
        return wire
    _, schema = _content(description, raw)
    for name in _names_within(description, schema, items):
        member = description.schemas[description.target(name)].get("properties", {}).get(wire)
        if member is not None:
            return str(member.get("x-python-name", wire))
    return wire


def _tagged(description: Description, name: str) -> list[str]:
    mapping = description.schemas[description.target(name)].get("discriminator", {}).get("mapping", {})
    return [str(ref).rpartition("/")[2] for ref in mapping.values()]


def _names_within(description: Description, schema: Schema, items: str) -> list[str]:
    if items and (name := description.ref_name(schema)):
        members = description.schemas[description.target(name)].get("properties", {})
        return _names_within(description, members[items], "") if items in members else []
    found: list[str] = []
    for branch in [schema, *schema.get("anyOf", ()), *schema.get("oneOf", ())]:
        inner = branch.get("items", branch)
        for leaf in [inner, *inner.get("anyOf", ()), *inner.get("oneOf", ())]:
            if name := description.ref_name(leaf):
                found += [name, *_tagged(description, name)]
            if items and leaf is not schema:
                found += _names_within(description, leaf, items)
    return found
