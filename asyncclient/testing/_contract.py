"""The contract of an emulated service: which requests exist, and what may be in them. Pure.

Read from ``contract.json`` beside the emulator, which ``asyncclient._codegen.contract`` writes and a test compares with the
description of the service.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote

from asyncclient.testing._schema import Schema, Validator

__all__ = ["Contract", "Operation", "Refusal", "segments_of"]


class Refusal(Exception):
    """What an emulator answers to a request it does not serve.

    Args:
        status: Status code.
        message: The reason in words, without any value of the request.
        headers: Further header fields of the answer.
    """

    def __init__(self, status: int, message: str, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(status, message)
        self.status = status
        self.message = message
        self.headers = dict(headers or {})


@dataclass(frozen=True, slots=True)
class Operation:
    """One row of the contract."""

    id: str
    method: str
    path: tuple[str, ...]  # segments; "{name}" stands for any text
    status: int
    items: str | None  # key of the rows in the answer of a paged operation
    echo: frozenset[str]  # query parameters that such an answer repeats
    query: Mapping[str, Schema]
    body: Schema | None
    media: str = "application/json"  # type of the body

    def match(self, segments: Sequence[str]) -> dict[str, str] | None:
        """Return the path parameters if the segments fit the template."""
        if len(segments) != len(self.path):
            return None
        params = {}
        for wanted, given in zip(self.path, segments, strict=True):
            if wanted.startswith("{"):
                params[wanted[1:-1]] = given
            elif wanted != given:
                return None
        return params


class Contract:
    """Finds operations and checks requests.

    Args:
        source: The decoded ``contract.json``.
        legacy: Also admit members of bodies that only earlier versions of the service name.
    """

    def __init__(self, source: Mapping[str, Any], *, legacy: bool = False) -> None:
        self._validator = Validator(source["schemas"])
        self.operations = tuple(_operation(item, legacy=legacy) for item in source["operations"])

    @classmethod
    def read(cls, text: str, *, legacy: bool = False) -> Contract:
        """Make one from the text of a ``contract.json``."""
        return cls(json.loads(text), legacy=legacy)

    def find(self, method: str, segments: Sequence[str]) -> tuple[Operation, dict[str, str]]:
        """Return the operation a request addresses, and its path parameters.

        Raises:
            Refusal: 404, no such path; 405, the path has no such method.
        """
        others = set()
        for operation in self.operations:
            params = operation.match(segments)
            if params is not None:
                if operation.method == method:
                    return operation, params
                others.add(operation.method)
        if others:
            raise Refusal(405, "Method Not Allowed", {"allow": ", ".join(sorted(others))})
        raise Refusal(404, "Not Found")

    def query(self, operation: Operation, pairs: Iterable[tuple[str, str]]) -> dict[str, Any]:
        """Return the query as values: text, int, bool or list of text.

        Raises:
            Refusal: 400, a name is unknown or a value is not admitted.
        """
        given: dict[str, list[str]] = {}
        for name, text in pairs:
            given.setdefault(name, []).append(text)
        values = {}
        for name, texts in given.items():
            schema = operation.query.get(name)
            if schema is None:
                raise Refusal(400, f"query: '{name}' is not known")
            values[name] = self._value(name, texts, schema)
        return values

    def _value(self, name: str, texts: list[str], schema: Schema) -> Any:
        where = f"query.{name}"
        kind = schema.get("type")
        if kind != "array" and len(texts) > 1:
            raise Refusal(400, f"{where}: is given {len(texts)} times")
        value: Any = texts if kind == "array" else texts[0]
        if kind == "integer":
            value = _integer(texts[0], where)
        elif kind == "boolean":
            value = _boolean(texts[0], where)
        problem = self._validator.problem(value, schema, where)
        if problem is not None:
            raise Refusal(400, problem)
        return value

    def body(self, operation: Operation, value: Any) -> None:
        """Check a decoded body.

        Raises:
            Refusal: 400, with the first problem.
        """
        problem = self._validator.problem(value, operation.body or {}, "body")
        if problem is not None:
            raise Refusal(400, problem)


def _integer(text: str, where: str) -> int:
    try:
        return int(text)
    except ValueError:
        raise Refusal(400, f"{where}: is not of type integer") from None


def _boolean(text: str, where: str) -> bool:
    try:
        return {"true": True, "false": False}[text.lower()]
    except KeyError:
        raise Refusal(400, f"{where}: is not of type boolean") from None


def _operation(source: Mapping[str, Any], *, legacy: bool) -> Operation:
    body = source["body"]
    if legacy and "legacy" in source:
        body = body | {"properties": body["properties"] | source["legacy"]}
    return Operation(
        id=source["id"],
        method=source["method"],
        path=tuple(source["path"].strip("/").split("/")),
        status=source["status"],
        items=source["items"],
        echo=frozenset(source["echo"]),
        query=source["query"],
        body=body,
        media=source.get("media", "application/json"),
    )


def segments_of(raw_path: bytes) -> list[str]:
    """Split a path as it came over the wire: first at the slashes, then percent-decoded.

    An id may hold a slash, sent as ``%2F``; the decoded path of ASGI can no longer tell the two apart.
    """
    return [unquote(part.decode("utf-8", "replace")) for part in raw_path.strip(b"/").split(b"/")]
