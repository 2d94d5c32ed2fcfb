"""The service: who is asking, which operation, what it answers; and the storage behind signed addresses."""

from __future__ import annotations

import inspect
import json
import uuid
from collections.abc import Iterable
from dataclasses import replace
from importlib import resources
from typing import Any

from starlette.responses import Response

from asyncclient.testing._contract import Operation, Refusal, segments_of
from asyncclient.testing._emulator import Emulator, Exchange, json_response
from asyncclient.testing.flywheel import login, storage
from asyncclient.testing.flywheel.access import check_access
from asyncclient.testing.flywheel.handlers import HANDLERS
from asyncclient.testing.flywheel.options import options_from
from asyncclient.testing.flywheel.route import Call, Route, Router
from asyncclient.testing.flywheel.state import FlywheelState
from asyncclient.testing.flywheel.tables import Json
from asyncclient.testing.flywheel.uploads import FOLDER

__all__ = ["BASE_PATH", "FlywheelService", "create", "read_router"]

BASE_PATH = "/api"

# Of the description only what matters here: containers as inputs are not in it, and the official client sends them.
_INPUTS = ("FileReference", "FileVersion", "ContainerReference")
_JOB: Json = {
    "type": "object",
    "properties": {
        "gear_id": {"type": "string"},
        "inputs": {"type": "object", "additionalProperties": {"anyOf": [{"$ref": name} for name in _INPUTS]}},
        "tags": {"type": "array", "items": {"type": "string"}},
        "config": {"type": "object"},
    },
    "required": ["gear_id"],
}

_STORAGE_METHODS = {"PUT": "put_signed", "GET": "get_signed", "HEAD": "get_signed"}


def read_router() -> Router:
    """Read the contract that the emulator carries."""
    text = resources.files("asyncclient.testing.flywheel").joinpath("contract.json").read_text("utf-8")
    return Router(text, HANDLERS)


class FlywheelService:
    """Serves requests from its state.

    Args:
        state: The data.
        router: What is admitted, and who acts on it.
    """

    def __init__(self, state: FlywheelState, router: Router) -> None:
        self.state = state
        self._router = router

    def credentials(self, base_url: str) -> dict[str, str]:
        """Return the API key in the form that names host, port and, without TLS, that there is none."""
        return {"api_key": login.api_key(base_url, self.state.options.secret)}

    def close(self) -> None:
        """Delete uploaded files."""
        self.state.blobs.close()

    def error_body(self, status: int, message: str) -> Json:
        """Return the JSON of an error answer; requests that are not admitted get details."""
        if status == 422:
            place, _, text = message.partition(": ")
            return {"detail": [{"loc": place.split("."), "msg": text or message, "type": "value_error"}]}
        return {"message": message, "status_code": status, "request_id": uuid.uuid4().hex}

    def name_of(self, exchange: Exchange) -> str | None:
        """Return the operation; requests that the description tells apart by their queries have the name of the first."""
        segments = segments_of(exchange.raw_path)
        if segments[0] == FOLDER:
            return _STORAGE_METHODS.get(exchange.request.method)
        try:
            return self._route(exchange, segments).operation.id
        except Refusal:
            return None

    def _route(self, exchange: Exchange, segments: list[str]) -> Route:
        if segments[:1] != [BASE_PATH.strip("/")]:
            raise Refusal(404, "Not Found")
        return self._router.find(exchange.request.method, segments[1:])

    async def answer(self, exchange: Exchange) -> Response:
        """Serve one request. Refusals are raised."""
        segments = segments_of(exchange.raw_path)
        if segments[0] == FOLDER:
            return await storage.answer(self.state, exchange, segments)
        route = self._route(exchange, segments)
        origin = login.origin_of(self.state, exchange, public=_is_public(route.operation, exchange))
        call = Call(
            state=self.state,
            exchange=exchange,
            operation=route.operation,
            kind=route.kind,
            args=route.args(segments[1:]),
            query=self._query(route.operation, exchange.request.query_params.multi_items()),
            body=await self._body(route.operation, exchange),
            features=_features(exchange),
            origin=origin,
        )
        check_access(self.state, origin, route.operation, call.args, call.body)
        return await _answered(route, call)

    def _query(self, operation: Operation, pairs: Iterable[tuple[str, str]]) -> Json:
        """Check the query. The official client sends some pairs twice, and ``exhaustive`` with every request."""
        once = dict.fromkeys(pairs)
        kept = [pair for pair in once if pair[0] in operation.query or pair[0] != "exhaustive"]
        try:
            return self._router.contract.query(operation, kept)
        except Refusal as refusal:
            raise Refusal(422, refusal.message) from None

    async def _body(self, operation: Operation, exchange: Exchange) -> Any:
        if operation.body is None or operation.media != "application/json" or operation.path[-1] == "fs-file":
            return None
        text = await exchange.request.body()
        try:
            body = json.loads(text) if text else None
        except ValueError:
            raise Refusal(422, "body: is not JSON") from None
        if text or not _may_be_missing(operation):
            try:
                self._router.contract.body(_meant(operation, body), _as_described(_without_nulls(body)))
            except Refusal as refusal:
                raise Refusal(422, refusal.message) from None
        return body


def _meant(operation: Operation, body: Any) -> Operation:
    """Look at the job of an analysis: the form without a job would take anything for one."""
    described = operation.body or {}
    forms = described.get("anyOf", ())
    if {"$ref": "JobAnalysisInput"} in forms and isinstance(body, dict) and body.get("job") is not None:
        return replace(operation, body={**described, "properties": {"job": _JOB}})
    return operation


def _is_public(operation: Operation, exchange: Exchange) -> bool:
    """Configuration is for everybody, and what a ticket is for, for those who have the ticket."""
    if operation.id in ("get_config", "get_config_js", "get_version"):
        return True
    params = exchange.request.query_params
    return operation.path[-1] == "fs-file" or (operation.method == "GET" and bool(params.get("ticket")))


def _may_be_missing(operation: Operation) -> bool:
    return operation.id in ("generate_key", "regenerate_key")


def _features(exchange: Exchange) -> frozenset[str]:
    text = exchange.request.headers.get("x-accept-feature", "")
    return frozenset(part.strip().lower() for part in text.split(",") if part.strip())


def _without_nulls(value: Any) -> Any:
    """Leave members out that are null: optional members may be, though the description does not say so."""
    if isinstance(value, list):
        return [_without_nulls(item) for item in value]
    if isinstance(value, dict):
        return {name: _without_nulls(item) for name, item in value.items() if item is not None}
    return value


def _as_described(body: Any) -> Any:
    """Name the columns that a view is grouped by as the description does; the official client sends objects."""
    group = body.get("groupBy") if isinstance(body, dict) else None
    if not isinstance(group, dict) or not isinstance(group.get("columns"), list):
        return body
    names = [item.get("src") if isinstance(item, dict) else item for item in group["columns"]]
    return {**body, "groupBy": {**group, "columns": names}}


async def _answered(route: Route, call: Call) -> Response:
    if route.handler is None:
        if route.media is not None:
            return Response(b"", media_type=route.media if "*" not in route.media else "application/octet-stream")
        return Response(status_code=204) if route.example is None else json_response(route.example)
    found = route.handler(call)
    value = await found if inspect.isawaitable(found) else found
    if isinstance(value, Response):
        return value
    return Response(status_code=204) if value is None else json_response(value)


def create(**options: Any) -> Emulator:
    """Make an emulator of Flywheel with fresh state.

    Raises:
        ValueError: There is no such option.
    """
    return Emulator(FlywheelService(FlywheelState(options_from(options)), read_router()), base_path=BASE_PATH)
