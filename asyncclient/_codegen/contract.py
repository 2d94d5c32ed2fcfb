"""Write the compact contract that an emulator carries, from the description of its service.

Descriptions are not in the wheel; ``asyncclient/testing/<service>/contract.json`` is. It holds the requests only: path
templates, query parameters and bodies, in the keywords that ``asyncclient.testing._schema`` knows. What the service adds to
the official client's description (``x-server-*``) becomes plain JSON Schema here; members that the service of today no longer
names are kept apart under ``legacy``, because an emulator may be asked to accept them. Where an emulator does not act on every
operation, each also has the smallest answer that the description admits.

``python -m asyncclient._codegen.contract`` writes the files, ``--check`` only compares.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from asyncclient._codegen._examples import with_answers
from asyncclient._codegen.services import UNITS

__all__ = ["SERVICES", "contract_of", "main", "render", "schema_of"]

SERVICES = tuple(unit.name for unit in UNITS.values() if unit.contract)

_PACKAGE = Path(__file__).resolve().parent.parent
_REF = "#/components/schemas/"
_JSON = "application/json"
_PAGING = ("maxResults", "nextToken")
_METHODS = ("get", "put", "post", "patch", "delete")
_NOTES = frozenset(  # they refuse nothing
    {"description", "default", "deprecated", "examples", "format", "contentEncoding", "contentMediaType", "title"}
)
_SCHEMAS = ("items", "additionalProperties")
_SCHEMA_MAPS = ("properties", "patternProperties")
_SCHEMA_LISTS = ("allOf", "anyOf", "oneOf")


def schema_of(source: Any) -> Any:
    """Turn a schema of a description into one that only has keywords which can refuse a value."""
    if not isinstance(source, Mapping):
        return source  # additionalProperties may be a bool
    if "contentSchema" in source:  # text that is JSON: what is in it can be checked
        return schema_of(source["contentSchema"])
    out: dict[str, Any] = {}
    for keyword, value in source.items():
        if keyword.startswith("x-") or keyword in _NOTES:
            continue
        if keyword == "$ref":
            out[keyword] = value.removeprefix(_REF)
        elif keyword in _SCHEMAS:
            out[keyword] = schema_of(value)
        elif keyword in _SCHEMA_MAPS:
            out[keyword] = {name: schema_of(part) for name, part in value.items()}
        elif keyword in _SCHEMA_LISTS:
            out[keyword] = [schema_of(part) for part in value]
        else:
            out[keyword] = value
    return _alone(_as_the_service_sees_it(source, out))


def _as_the_service_sees_it(source: Mapping[str, Any], out: dict[str, Any]) -> dict[str, Any]:
    more = source.get("x-server-only-properties", {})
    if more:
        out["properties"] = out.get("properties", {}) | {name: schema_of(part) for name, part in more.items()}
    # The classes of a resource model know their properties and refuse all others.
    closed = source.get("x-server-closed") or "x-python-class" in source
    if closed and "additionalProperties" not in source:
        out["additionalProperties"] = False
    if "x-server-min-properties" in source:
        out["minProperties"] = source["x-server-min-properties"]
    return out


def _alone(schema: dict[str, Any]) -> dict[str, Any]:
    """Unwrap ``{"allOf": [one]}``, which descriptions use to put notes beside a reference."""
    parts = schema.get("allOf", ())
    return parts[0] if len(schema) == 1 and len(parts) == 1 else schema


def _is_legacy(schema: Any) -> bool:
    return isinstance(schema, Mapping) and "x-server-2024" in schema


def _media(operation: Mapping[str, Any]) -> str:
    """Return the type of the body."""
    media, *_ = operation["requestBody"]["content"] if "requestBody" in operation else (_JSON,)
    return str(media)


def _body(operation: Mapping[str, Any]) -> tuple[dict[str, Any] | None, dict[str, Any]]:
    """Return the schema of the body, and the members that only older servers name."""
    if "requestBody" not in operation:
        return None, {}
    source = operation["requestBody"]["content"][_media(operation)]["schema"]
    members = source.get("properties", {})
    legacy = {name: schema_of(part) for name, part in members.items() if _is_legacy(part)}
    kept = {name: part for name, part in members.items() if not _is_legacy(part)}
    return schema_of({**source, "properties": kept} if members else source), legacy


def _text_of(parameter: Mapping[str, Any]) -> Any:
    """Return the schema of a query parameter; lists joined by commas are one text."""
    schema = schema_of(parameter["schema"])
    joined = schema.get("type") == "array" and parameter.get("explode") is False
    return {"type": "string"} if joined else schema


def _query(operation: Mapping[str, Any]) -> dict[str, Any]:
    listed = [item for item in operation.get("parameters", ()) if item["in"] == "query"]
    query = {item["name"]: _text_of(item) for item in listed}
    return query | {name: {"type": "string"} for name in operation.get("x-server-only-query", ())}


def _echo(operation: Mapping[str, Any], query: Mapping[str, Any], schemas: Mapping[str, Any]) -> list[str]:
    """Return the query parameters that a list repeats in its answer."""
    if "x-pagination" not in operation:
        return []
    answer = operation["responses"]["200"]["content"]["application/json"]["schema"]
    members = schemas[answer["$ref"].removeprefix(_REF)].get("properties", {}) if "$ref" in answer else {}
    return [name for name in query if name in members and name not in _PAGING]


def _operation(method: str, path: str, source: Mapping[str, Any], schemas: Mapping[str, Any]) -> dict[str, Any]:
    body, legacy = _body(source)
    query = _query(source)
    out: dict[str, Any] = {
        "id": source["operationId"],
        "method": method.upper(),
        "path": path,
        "status": max(int(status.replace("X", "0")) for status in source["responses"] if status.startswith("2")),
        "items": source.get("x-pagination", {}).get("items"),
        "echo": _echo(source, query, schemas),
        "query": query,
        "body": body,
    }
    media = _media(source)
    return out | ({} if media == _JSON else {"media": media}) | ({"legacy": legacy} if legacy else {})


def _operations(description: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    for path, methods in description["paths"].items():
        for method in _METHODS:
            if method in methods and not methods[method].get("x-absolute-url"):  # those have no path to be found by
                schemas = description["components"]["schemas"]
                yield _operation(method, methods[method].get("x-path", path), methods[method], schemas)


def _references(value: Any) -> Iterator[str]:
    if isinstance(value, Mapping):
        if isinstance(value.get("$ref"), str):
            yield value["$ref"]
        for part in value.values():
            yield from _references(part)
    elif isinstance(value, Sequence) and not isinstance(value, str):
        for part in value:
            yield from _references(part)


def _used(start: Any, schemas: Mapping[str, Any]) -> dict[str, Any]:
    """Return the schemas that can be reached, converted, by name."""
    found: dict[str, Any] = {}
    waiting = sorted(set(_references(start)))
    while waiting:
        name = waiting.pop()
        if name not in found:
            found[name] = schema_of(schemas[name])
            waiting += sorted(set(_references(found[name])))
    return dict(sorted(found.items()))


def _folded(operations: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Make one operation of those that are told apart by their queries only; ``also`` has the names of the others."""
    found: dict[tuple[str, str], dict[str, Any]] = {}
    for operation in operations:
        first = found.setdefault((operation["method"], operation["path"]), operation)
        if first is not operation:
            first["query"] |= operation["query"]
            first["also"] = [*first.get("also", ()), operation["id"]]
    return list(found.values())


def _with_answers(operations: list[dict[str, Any]], description: Mapping[str, Any]) -> list[dict[str, Any]]:
    sources = {item["operationId"]: item for methods in description["paths"].values() for item in methods.values()}
    return with_answers(operations, sources, description["components"]["schemas"])


def contract_of(service: str, description: Mapping[str, Any]) -> dict[str, Any]:
    """Reduce a description to what an emulator checks."""
    operations = list(_operations(description))
    if UNITS[service].contract == "answers":
        operations = _with_answers(_folded(operations), description)
    return {
        "service": service,
        "version": description["info"]["version"],
        "operations": operations,
        "schemas": _used(operations, description["components"]["schemas"]),
    }


def render(contract: Mapping[str, Any]) -> str:
    """Write a contract as JSON, one operation or schema a line, so that a change shows as the lines it touches."""
    operations = ",\n".join(json.dumps(item, ensure_ascii=False) for item in contract["operations"])
    schemas = ",\n".join(
        f"{json.dumps(name)}: {json.dumps(schema, ensure_ascii=False)}" for name, schema in contract["schemas"].items()
    )
    head = f'"service": {json.dumps(contract["service"])}, "version": {json.dumps(contract["version"])}'
    return f'{{{head},\n"operations": [\n{operations}\n],\n"schemas": {{\n{schemas}\n}}}}\n'


def main(arguments: Sequence[str] | None = None, *, package: Path = _PACKAGE) -> int:
    """Write all contracts, or with ``--check`` compare them and return 1 if one is stale."""
    check = "--check" in (sys.argv[1:] if arguments is None else arguments)
    stale = 0
    for service in SERVICES:
        description = json.loads((package / service / "openapi.json").read_text("utf-8"))
        text = render(contract_of(service, description))
        target = package / "testing" / service / "contract.json"
        if target.exists() and target.read_text("utf-8") == text:
            continue
        stale += 1
        print(f"{service}: contract.json is {'stale' if check else 'written'}")
        if not check:
            target.write_text(text, "utf-8")
    return int(bool(check and stale))


if __name__ == "__main__":  # pragma: no cover - the line that makes a module a command
    sys.exit(main())
