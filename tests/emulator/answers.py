"""Check what an emulator answers against the description of the service."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import httpx

from asyncclient._codegen.contract import schema_of
from asyncclient.testing._contract import Contract, Refusal, segments_of
from asyncclient.testing._schema import Validator

DESCRIPTION = Path(__file__).parents[2] / "asyncclient" / "las" / "openapi.json"


def description() -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads(DESCRIPTION.read_text("utf-8"))
    return loaded


class Answers:
    """The schemas of all successful answers of las."""

    def __init__(self) -> None:
        from asyncclient.testing.las.app import read_contract

        source = description()
        self.contract: Contract = read_contract()
        schemas = {name: schema_of(part) for name, part in source["components"]["schemas"].items()}
        # Emulators answer with the address they are reached at, which is http on a loopback address in most tests.
        schemas["Document"]["properties"]["fileUrl"] = {"type": "string", "pattern": "^https?://"}
        self._validator = Validator(schemas)
        self._schemas = {
            operation["operationId"]: schema_of(_answer(operation))
            for methods in source["paths"].values()
            for operation in methods.values()
        }
        self.operations = frozenset(self._schemas)

    def problem(self, method: str, raw_path: bytes, status: int, body: bytes) -> str | None:
        """Say what is wrong with an answer, if anything is."""
        if not raw_path.startswith(b"/v1/"):
            return None
        if status >= 400:
            value = json.loads(body)
            return None if list(value) == ["message"] and isinstance(value["message"], str) else f"{value}"
        try:
            operation, _ = self.contract.find(method, segments_of(raw_path)[1:])
        except Refusal as refusal:
            return f"{method} {raw_path!r} was served: {refusal}"
        if status != operation.status:
            return f"{operation.id}: status {status}"
        schema = self._schemas[operation.id]
        if schema is None:
            return None if not body else f"{operation.id}: a body where none is described"
        return self._validator.problem(json.loads(body), schema, operation.id)

    def check(self, response: httpx.Response) -> None:
        request = response.request
        if not 500 <= response.status_code < 600:
            raw_path = request.url.raw_path.partition(b"?")[0]
            problem = self.problem(request.method, raw_path, response.status_code, response.content)
            assert problem is None, problem


def _answer(operation: dict[str, Any]) -> Any:
    (response,) = [answer for status, answer in operation["responses"].items() if status.startswith("2")]
    content = response.get("content")
    return None if content is None else content["application/json"]["schema"]
