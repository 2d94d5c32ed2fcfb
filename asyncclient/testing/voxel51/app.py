"""The service: operations of users and applications, and signed URLs."""

from __future__ import annotations

import json
from dataclasses import dataclass
from importlib import resources
from typing import Any
from urllib.parse import parse_qsl

from starlette.responses import Response

from asyncclient.testing._bodies import media_type
from asyncclient.testing._contract import Contract, Operation, Refusal, segments_of
from asyncclient.testing._emulator import Emulator, Exchange, json_response
from asyncclient.testing._options import options_from
from asyncclient.testing.voxel51 import content
from asyncclient.testing.voxel51.call import FOLDER, Call, Caller, Json, authenticate
from asyncclient.testing.voxel51.forms import Form, Part, boundary_of, read_form
from asyncclient.testing.voxel51.handlers import HANDLERS
from asyncclient.testing.voxel51.handlers._common import json_file
from asyncclient.testing.voxel51.options import Options
from asyncclient.testing.voxel51.queries import tidied, values_of
from asyncclient.testing.voxel51.state import Voxel51State

__all__ = ["BASE_PATH", "Voxel51Service", "create", "read_contract"]

BASE_PATH = "/v1"

_DOCUMENT_BYTES = 4 * 1024 * 1024
_DOCUMENTS = frozenset({"upload_analytic", "app_upload_analytic", "upload_job_request"})  # their files are JSON
_LISTS = frozenset({"list_analytics", "app_list_analytics"})
_QUERIES = {  # whose body describes the query, by operation
    "query_analytics": "query_analytics",
    "query_data": "query_data",
    "query_jobs": "query_jobs",
    "app_query_analytics": "query_analytics",
    "query_application_data": "query_data",
    "query_application_jobs": "query_jobs",
}


def read_contract() -> Contract:
    """Read the contract that the emulator carries."""
    return Contract.read(resources.files("asyncclient.testing.voxel51").joinpath("contract.json").read_text("utf-8"))


@dataclass(frozen=True, slots=True)
class _Route:
    """Where a request goes, and who it is from."""

    operation: Operation
    params: dict[str, str]
    caller: Caller


class Voxel51Service:
    """Serves requests from its state.

    Args:
        state: The data.
        contract: What is admitted.
    """

    def __init__(self, state: Voxel51State, contract: Contract) -> None:
        self.state = state
        self._contract = contract
        self._operations = {operation.id: operation for operation in contract.operations}

    def credentials(self, base_url: str) -> dict[str, str]:
        """Return the keys of the user and of the application, and the base URL of a token."""
        options = self.state.options
        return {
            "private_key": options.private_key,
            "application_key": options.application_key,
            "base_api_url": base_url,
        }

    def close(self) -> None:
        """Delete files."""
        self.state.blobs.close()

    def error_body(self, status: int, message: str) -> Json:
        """Return the JSON of an error answer."""
        return {"error": {"code": status, "message": message}}

    def name_of(self, exchange: Exchange) -> str | None:
        """Return the operation a request addresses, or ``signed_download``.

        Of the operations that share a path, the body tells; until it is read, the first of them stands for all.
        """
        segments = segments_of(exchange.raw_path)
        if segments[0] == FOLDER:
            return "signed_download"
        try:
            return self._find(exchange, segments)[0].id
        except Refusal:
            return None

    def _find(self, exchange: Exchange, segments: list[str]) -> tuple[Operation, dict[str, str]]:
        if segments[0] != BASE_PATH.strip("/"):
            raise Refusal(404, "Not Found")
        method = exchange.request.method
        operation, params = self._contract.find("GET" if method == "HEAD" else method, segments[1:])
        if "" in params.values():
            raise Refusal(404, "Not Found")
        return operation, params

    async def answer(self, exchange: Exchange) -> Response:
        """Serve one request. Refusals are raised."""
        segments = segments_of(exchange.raw_path)
        headers = exchange.request.headers
        if segments[0] == FOLDER and len(segments) == 2:
            if exchange.request.method not in ("GET", "HEAD"):
                raise Refusal(405, "Method Not Allowed", {"allow": "GET, HEAD"})
            return content.follow(self.state, segments[1], headers)
        operation, params = self._find(exchange, segments)
        route = _Route(operation, params, authenticate(self.state, headers))
        if operation.media == "multipart/form-data":
            return await self._with_form(exchange, route)
        body = await self._body(exchange, operation)
        if "action" in body:
            operation = self._of_action(operation, body)
            exchange.operation = operation.id
            route = _Route(operation, params, route.caller)
        query = self._query(exchange, operation, body)
        if operation.id not in _QUERIES and operation.body is not None:
            self._contract.body(operation, body)
        return self._handled(self._call(exchange, route, query, body))

    def _call(self, exchange: Exchange, route: _Route, query: Json, body: Json, file: Part | None = None) -> Call:
        return Call(
            state=self.state,
            operation=route.operation,
            params=route.params,
            query=query,
            body=body,
            caller=route.caller,
            headers=exchange.request.headers,
            origin=exchange.origin,
            file=file,
        )

    def _handled(self, call: Call) -> Response:
        answer = HANDLERS[call.operation.id](call)
        if isinstance(answer, Response):
            return answer
        return Response(status_code=call.operation.status) if answer is None else json_response(answer)

    def _query(self, exchange: Exchange, operation: Operation, body: Json) -> Json:
        """Return what a query asks for, wherever it says so, or the query parameters of other operations."""
        pairs = exchange.request.query_params.multi_items()
        if operation.id in _QUERIES:
            query = tidied({**body, **values_of(pairs)})
            self._contract.body(self._operations[_QUERIES[operation.id]], query)
            return query
        if operation.id in _LISTS:
            body.update(values_of(pairs))
            body["all_versions"] = bool(body.get("all_versions"))  # of all types, and missing, in the vendor's clients
            return {}
        query = self._contract.query(operation, [(name, _as_named(name, text)) for name, text in pairs])
        for name in operation.query:
            if name not in query:
                raise Refusal(400, f"query.{name}: is required")
        return query

    def _of_action(self, operation: Operation, body: Json) -> Operation:
        """Return which of the operations with this path the body means."""
        actions = {}
        for other in self._contract.operations:
            if (other.method, other.path) == (operation.method, operation.path):
                actions[(other.body or {})["properties"]["action"]["const"]] = other
        if body["action"] not in actions:
            raise Refusal(400, f"body.action: is not one of {', '.join(sorted(actions))}")
        return actions[body["action"]]

    async def _body(self, exchange: Exchange, operation: Operation) -> Json:
        content_type = media_type(exchange)
        if operation.media == "application/x-www-form-urlencoded":
            if content_type != operation.media:
                raise Refusal(415, "Unsupported Media Type")
            text = (await exchange.request.body()).decode("utf-8", "replace")
            return dict(parse_qsl(text, keep_blank_values=True))
        if operation.id in _QUERIES or operation.id in _LISTS:
            return json_of(await exchange.request.body() or b"{}")
        if operation.body is None:
            return {}
        if content_type != operation.media:
            raise Refusal(415, "Unsupported Media Type")
        return json_of(await exchange.request.body())

    async def _with_form(self, exchange: Exchange, route: _Route) -> Response:
        query = self._query(exchange, route.operation, {})
        form = await self._form(exchange, route.operation)
        try:
            file, body = self._checked(route.operation, form)
            return self._handled(self._call(exchange, route, query, body, file))
        except Refusal:
            form.discard(self.state.blobs)
            raise

    async def _form(self, exchange: Exchange, operation: Operation) -> Form:
        boundary = boundary_of(exchange.request.headers.get("content-type", ""))
        if boundary is None:
            raise Refusal(415, "Unsupported Media Type")
        document = operation.id in _DOCUMENTS
        limit = _DOCUMENT_BYTES if document else self.state.options.max_file_bytes
        announced = exchange.request.headers.get("content-length", "0")
        if announced.isdecimal() and int(announced) > limit + 64 * 1024:
            raise Refusal(413, f"the file is larger than {limit} bytes")
        blobs = None if document else self.state.blobs
        return await read_form(exchange.request.stream(), boundary, blobs, limit_bytes=limit)

    def _checked(self, operation: Operation, form: Form) -> tuple[Part, Json]:
        """Check a form against its schema; a job request in it as well."""
        files = [part for part in form.files if part.name == "file"]
        if len(files) != 1 or len(form.files) != 1:
            raise Refusal(400, "body: one file named 'file' is required")
        body: Json = {**form.fields, "file": ""}
        if operation.id == "upload_job_request":
            body["file"] = json_file(files[0])
            if "auto_start" in body:
                body["auto_start"] = body["auto_start"].capitalize()  # the vendor's other client sends true and false
        self._contract.body(operation, body)
        return files[0], body


def json_of(body: bytes) -> Json:
    """Decode a body.

    Raises:
        Refusal: 400, it is not a JSON object.
    """
    try:
        value = json.loads(body)
    except ValueError:
        raise Refusal(400, "body: is not JSON") from None
    if not isinstance(value, dict):
        raise Refusal(400, "body: is not of type object")
    return value


def _as_named(name: str, text: str) -> str:
    return text.upper() if name == "type" else text  # older clients name the types of images in lower case


def create(**options: Any) -> Emulator:
    """Make an emulator of the Voxel51 Platform, with fresh state.

    Raises:
        ValueError: There is no such option.
    """
    return Emulator(
        Voxel51Service(Voxel51State(options_from(Options, "voxel51", options)), read_contract()), base_path=BASE_PATH
    )
