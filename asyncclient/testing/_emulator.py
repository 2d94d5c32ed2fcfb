"""The ASGI shell that all emulators share: faults, the record of requests, refusals turned into answers."""

from __future__ import annotations

import asyncio
import json
import logging
from http import HTTPStatus
from typing import Any, Protocol

from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.types import Message, Receive, Scope, Send

from asyncclient.testing._contract import Refusal
from asyncclient.testing._faults import Failure, FaultPlan
from asyncclient.testing._state import EmulatorState, RecordedRequest

__all__ = ["Emulator", "Exchange", "json_response"]

_log = logging.getLogger("asyncclient.testing")


def json_response(value: Any, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    """Answer with compact JSON."""
    body = json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()
    return Response(body, status, headers, media_type="application/json")


class Exchange:
    """One request on its way through an emulator.

    Attributes:
        request: Its ``receive`` counts what it reads.
        operation: Name of the operation; None if there is no such path.
        received_bytes: Size of the body read so far.
    """

    def __init__(self, scope: Scope, receive: Receive) -> None:
        self._receive = receive
        self.request = Request(scope, self._counted)
        self.operation: str | None = None
        self.received_bytes = 0

    async def _counted(self) -> Message:
        message = await self._receive()
        self.received_bytes += len(message.get("body", b""))
        return message

    @property
    def raw_path(self) -> bytes:
        """The path as it came over the wire, without the query."""
        scope = self.request.scope
        raw: bytes | None = scope.get("raw_path")
        return scope["path"].encode() if raw is None else raw.partition(b"?")[0]

    @property
    def origin(self) -> str:
        """Scheme, host and port as the client named them."""
        url = self.request.url
        return f"{url.scheme}://{url.netloc}"

    def recorded(self, status: int) -> RecordedRequest:
        """Describe the exchange for the record."""
        request = self.request
        return RecordedRequest(
            operation=self.operation,
            method=request.method,
            path=request.scope["path"],
            raw_path=self.raw_path.decode("latin-1"),
            query=tuple(request.query_params.multi_items()),
            headers=EmulatorState.headers_of_interest(request.headers),
            size_bytes=self.received_bytes,
            status=status,
        )


class Service(Protocol):
    """What is particular to one service."""

    @property
    def state(self) -> EmulatorState:
        """Requests seen, faults to come, and the data."""
        ...

    def name_of(self, exchange: Exchange) -> str | None:
        """Return the name of the operation a request addresses, if there is one."""
        ...

    async def answer(self, exchange: Exchange) -> Response:
        """Serve one request. Refusals are raised."""
        ...

    def error_body(self, status: int, message: str) -> Any:
        """Return the JSON of an error answer."""
        ...

    def credentials(self, base_url: str) -> dict[str, str]:
        """Return what a client needs to use the emulator at this address."""
        ...

    def close(self) -> None:
        """Give back files."""
        ...


class Emulator:
    """An ASGI application that stands in for a service.

    ::

        emulator = asyncclient.testing.app("las")
        hub = AsyncHub(transport=httpx.ASGITransport(app=emulator))
        client = las.AsyncClient(las.Credentials(**emulator.credentials("http://las.test")), hub=hub)

    Attributes:
        state: Requests seen, faults to come, and the data of the service.

    Args:
        service: The service behind it.
        base_path: Prefix of the paths of its API.
    """

    def __init__(self, service: Service, *, base_path: str) -> None:
        self._service = service
        self._base_path = base_path
        self.state: Any = service.state

    def credentials(self, base_url: str) -> dict[str, str]:
        """Return keyword arguments for the credentials of the client, with the emulator at ``base_url``."""
        return self._service.credentials(base_url.rstrip("/"))

    def close(self) -> None:
        """Delete the files it keeps. It may be used again afterwards, with what was in them gone."""
        self._service.close()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one ASGI connection."""
        if scope["type"] == "lifespan":
            await _lifespan(receive, send)
            return
        if scope["type"] != "http":
            raise ValueError(f"an emulator serves HTTP only, not {scope['type']}")
        exchange = Exchange(scope, receive)
        exchange.operation = self._service.name_of(exchange)
        plan = self._plan(scope)
        try:
            response = await self._respond(exchange, plan)
        except ClientDisconnect:
            self.state.record(exchange.recorded(0))
            return
        # Before the answer is sent, so that whoever has the answer finds the record.
        self.state.record(exchange.recorded(response.status_code))
        if plan.cut_after_bytes is not None:
            send = _Cut(send, plan.cut_after_bytes)
        await response(scope, receive, send)

    def _plan(self, scope: Scope) -> FaultPlan:
        path: str = scope["path"]
        plan: FaultPlan = self.state.faults.take(scope["method"], path, path.removeprefix(self._base_path))
        return plan

    async def _respond(self, exchange: Exchange, plan: FaultPlan) -> Response:
        if plan.delay_s:
            await asyncio.sleep(plan.delay_s)
        if plan.failure is not None and not plan.failure.applied:
            return self._failed(plan.failure)
        try:
            response = await self._service.answer(exchange)
        except Refusal as refusal:
            body = self._service.error_body(refusal.status, refusal.message)
            response = json_response(body, refusal.status, refusal.headers)
        except ClientDisconnect:
            raise
        except Exception:
            _log.exception("the emulator failed on %s %s", exchange.request.method, exchange.request.scope["path"])
            raise
        return response if plan.failure is None else self._failed(plan.failure)

    def _failed(self, failure: Failure) -> Response:
        headers = dict(failure.headers)
        body = failure.body
        if isinstance(body, (bytes, str)):
            return Response(body, failure.status, headers)
        if body is None:
            body = self._service.error_body(failure.status, HTTPStatus(failure.status).phrase)
        return json_response(body, failure.status, headers)


class _Cut:
    """Forwards an answer up to a number of bytes of its body; the server then finds it incomplete and hangs up."""

    def __init__(self, send: Send, left: int) -> None:
        self._send = send
        self._left = left
        self._over = False

    async def __call__(self, message: Message) -> None:
        if self._over:
            return
        if message["type"] == "http.response.body":
            body = bytes(message.get("body", b""))[: self._left]
            self._left -= len(body)
            self._over = self._left == 0
            message = {"type": "http.response.body", "body": body, "more_body": True}
        await self._send(message)


async def _lifespan(receive: Receive, send: Send) -> None:
    while True:
        message = await receive()
        await send({"type": f"{message['type']}.complete"})
        if message["type"] == "lifespan.shutdown":
            return
