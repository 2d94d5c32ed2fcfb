"""Descriptions as a service publishes them: what our own keys would say, worked out by rule.

The other modules read names, arguments and their order from ``x-python-…`` keys, so that every one of them can be
decided by hand. A description in which no operation has them gets them here: names in Python's spelling, path
parameters by position, everything else by keyword. A key that a patch has set is kept.
"""

from __future__ import annotations

import keyword
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

from asyncclient._codegen._errors import DescriptionError

__all__ = ["METHODS", "complete", "python_name"]

METHODS: Final = ("get", "put", "post", "delete", "options", "head", "patch", "trace")

_ABOVE_THE_CALL: Final = frozenset({"accept", "authorization", "content-type"})
"""Header parameters that OpenAPI says are to be ignored: they belong to the client."""
_JSON: Final = re.compile(r"application/(?:[\w.-]+\+)?json\b", re.IGNORECASE)
_JSON_TYPE: Final = "application/json"
_BYTES: Final = {"type": "string", "format": "binary"}

Resolve = Callable[[Mapping[str, Any]], Mapping[str, Any]]


def python_name(text: str) -> str:
    """Turn ``itemId``, ``X-Item-Id`` or ``item.id`` into ``item_id``; keywords get an underscore."""
    words = re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", text)
    name = re.sub(r"[^0-9A-Za-z]+", "_", words).strip("_").lower()
    return f"{name}_" if keyword.iskeyword(name) or name == "self" else name


def complete(document: dict[str, Any], resolve: Resolve) -> None:
    """Add our keys to a description that has none, in place; one that has any is left as it is.

    Args:
        document: The description.
        resolve: Follows references in it.

    Raises:
        DescriptionError: Something has no place in a method, and no rule for it.
    """
    operations = list(_operations(document))
    if any("x-python-params" in operation for _, _, _, operation in operations):
        return
    document["tags"] = [{**tag, "name": python_name(tag["name"])} for tag in document.get("tags", ())]
    for schema in document.get("components", {}).get("schemas", {}).values():
        _name_members(schema)
    for path, method, item, operation in operations:
        _complete_operation(path, method, item, operation, resolve)


def _name_members(value: Any) -> None:
    """Name the members of all objects within, for classes whose attributes they become."""
    if isinstance(value, dict):
        for wire, member in value.get("properties", {}).items():
            if isinstance(member, dict):
                member.setdefault("x-python-name", python_name(wire))
        for inner in value.values():
            _name_members(inner)
    elif isinstance(value, list):
        for inner in value:
            _name_members(inner)


def _operations(document: Mapping[str, Any]) -> Iterator[tuple[str, str, Mapping[str, Any], dict[str, Any]]]:
    for path, item in document["paths"].items():
        yield from ((path, method, item, item[method]) for method in METHODS if method in item)


def _complete_operation(
    path: str, method: str, item: Mapping[str, Any], operation: dict[str, Any], resolve: Resolve
) -> None:
    operation.setdefault("operationId", f"{method}_{path}")
    name = operation.setdefault("x-python-name", python_name(operation["operationId"]))
    words = name.replace("_", " ").strip()
    operation["summary"] = operation.get("summary") or f"{words[:1].upper()}{words[1:]}."
    operation["summary"] = operation["summary"].rstrip(". ") + "."
    operation["tags"] = [python_name(tag) for tag in operation.get("tags") or ("default",)]
    operation["parameters"] = parameters = _parameters(name, item, operation, resolve)
    operation["responses"] = {
        status: _answer(resolve(answer)) for status, answer in _successes(operation["responses"]).items()
    }
    places = re.findall(r"{([^}]*)}", path)
    given = [parameter for wire in places for parameter in parameters if _is_at(parameter, "path", wire)]
    given += [parameter for parameter in parameters if parameter["in"] != "path"]
    operation["x-python-params"] = [
        _entry(parameter["x-python-name"], required=bool(parameter.get("required")), place=parameter["in"])
        for parameter in given
    ]
    if "requestBody" in operation:
        operation["requestBody"] = body = dict(resolve(operation["requestBody"]))
        operation["x-python-params"] += _complete_body(body, resolve)


def _is_at(parameter: Mapping[str, Any], place: str, wire: str) -> bool:
    return (parameter["in"], parameter["name"]) == (place, wire)


def _parameters(
    name: str, item: Mapping[str, Any], operation: Mapping[str, Any], resolve: Resolve
) -> list[dict[str, Any]]:
    """Return the parameters of an operation, those of its path among them; its own replace these."""
    found: dict[tuple[str, str], dict[str, Any]] = {}
    for raw in (*item.get("parameters", ()), *operation.get("parameters", ())):
        parameter = dict(resolve(raw))
        place, wire = parameter["in"], parameter["name"]
        if place == "header" and wire.lower() in _ABOVE_THE_CALL:
            continue
        if place == "cookie":
            if parameter.get("required"):
                raise DescriptionError(f"{name}: no request has cookies, and it needs {wire!r}")
            continue
        parameter.setdefault("x-python-name", python_name(wire))
        found[place, wire] = parameter
    return list(found.values())


def _successes(answers: Mapping[str, Any]) -> Mapping[str, Any]:
    if any(status.startswith("2") for status in answers):
        return answers
    return {"200": answers["default"]} if "default" in answers else answers


def _answer(answer: Mapping[str, Any]) -> dict[str, Any]:
    """Return an answer whose content is named as the other modules know it: JSON, text, or else bytes."""
    content = {}
    for media, value in answer.get("content", {}).items():
        if _JSON.match(media):
            _name_members(value)
            content[_JSON_TYPE] = value
        else:
            content[media] = value if media.startswith("text/") else {**value, "schema": _BYTES}
    return {**answer, "content": content} if content else dict(answer)


def _complete_body(body: dict[str, Any], resolve: Resolve) -> list[dict[str, Any]]:
    """Name what goes into a JSON body, and return the arguments for it: the members of an object, or the whole."""
    media = next((media for media in body["content"] if _JSON.match(media)), None)
    if media is None:
        return []  # files and forms: written by hand
    schema = dict(body["content"][media].get("schema", {}))
    members, required = _members(schema, resolve)
    if not members:
        python = body.setdefault("x-python-name", "body")
        body["content"] = {_JSON_TYPE: {"schema": schema}}
        return [_entry(python, required=bool(body.get("required")), place="body")]
    named = {wire: _member(wire, member) for wire, member in members.items()}
    body["content"] = {_JSON_TYPE: {"schema": {"type": "object", "properties": named}}}
    needed = required if body.get("required") else set()
    return [
        _entry(member["x-python-name"], required=wire in needed, place="body", unset=member.get("x-none") == "null")
        for wire, member in named.items()
    ]


def _members(schema: Mapping[str, Any], resolve: Resolve) -> tuple[dict[str, Any], set[str]]:
    """Return the members of an object, inherited ones too, and those that are required."""
    schema = resolve(schema)
    members: dict[str, Any] = {}
    required: set[str] = set()
    for part in schema.get("allOf", ()):
        inherited, needed = _members(part, resolve)
        members |= inherited
        required |= needed
    own = {key: value for key, value in schema.get("properties", {}).items() if not value.get("readOnly")}
    return members | own, required | set(schema.get("required", ()))


def _member(wire: str, schema: Mapping[str, Any]) -> dict[str, Any]:
    # None is a value of its own only where the service takes null; elsewhere it stands for "not given".
    none = {"x-none": "null"} if _takes_null(schema) else {}
    return {"x-python-name": python_name(wire), **none, **schema}


def _takes_null(schema: Mapping[str, Any]) -> bool:
    kinds = schema.get("type", ())
    branches = (*schema.get("anyOf", ()), *schema.get("oneOf", ()))
    return kinds == "null" or (isinstance(kinds, list) and "null" in kinds) or any(map(_takes_null, branches))


def _entry(name: str, *, required: bool, place: str, unset: bool = False) -> dict[str, Any]:
    kind = "positional" if place == "path" else "keyword"
    return {"name": name, "required": required, "kind": kind, "default": "$unset" if unset else None}
