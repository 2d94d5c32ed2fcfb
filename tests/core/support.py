"""An in-memory transport that implements the real interface, and a tiny service that is spoken to through it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from asyncclient._auth import Auth
from asyncclient._endpoint import Endpoint, Page, Param
from asyncclient._messages import Headers, Origin, Request, Response, TimeoutsView
from asyncclient._pipeline import Pipeline
from asyncclient._scheduler import Scheduler
from asyncclient._service import ServiceClient
from asyncclient._url import BaseUrl
from asyncclient.hub import AsyncHub
from asyncclient.types import Limits

HOME = Origin("https", "api.example.test", 443)
BASE = BaseUrl(HOME, "/v1")


@dataclass
class Reply:
    """One scripted answer; ``gate`` holds the head back, ``body_gate`` what comes after the first piece."""

    status: int = 200
    body: bytes = b"{}"
    headers: Headers = field(default_factory=list)
    pieces: list[bytes] | None = None
    gate: asyncio.Event | None = None
    body_gate: asyncio.Event | None = None
    body_error: Exception | None = None


Step = Reply | Exception | Callable[[Request], Any]


class MemoryStream:
    def __init__(self, reply: Reply, closed: Callable[[MemoryStream], None]) -> None:
        self._reply = reply
        self._pieces = list(reply.pieces if reply.pieces is not None else [reply.body])
        self._first = True
        self._closed = closed
        self.closed = 0

    async def read(self) -> bytes:
        if not self._first and self._reply.body_gate is not None:
            await self._reply.body_gate.wait()
        self._first = False
        if not self._pieces:
            if self._reply.body_error is not None:
                raise self._reply.body_error
            return b""
        return self._pieces.pop(0)

    def read_nowait(self) -> bytes | None:
        return self._pieces.pop() if self._reply.pieces is None and self._pieces else None

    async def aclose(self) -> None:
        self.closed += 1
        if self.closed == 1:
            self._closed(self)


class ScriptedTransport:
    """Plays steps in order, the last one for ever; records requests and what is open."""

    def __init__(self, *steps: Step) -> None:
        self.steps: list[Step] = list(steps) or [Reply()]
        self.requests: list[Request] = []
        self.timeouts: list[TimeoutsView] = []
        self.open: set[MemoryStream] = set()
        self.sending = 0
        self.closed = 0
        self.most = 0
        self.begun = asyncio.Event()

    async def send(self, request: Request, timeouts: TimeoutsView) -> Response:
        self.requests.append(request)
        self.timeouts.append(timeouts)
        step = self.steps.pop(0) if len(self.steps) > 1 else self.steps[0]
        if callable(step) and not isinstance(step, Exception):
            step = step(request)
        self.sending += 1
        self.most = max(self.most, self.sending + len(self.open))
        self.begun.set()
        try:
            if isinstance(step, Exception):
                raise step
            assert isinstance(step, Reply)
            if step.gate is not None:
                await step.gate.wait()
        finally:
            self.sending -= 1
        stream = MemoryStream(step, self.open.discard)
        self.open.add(stream)
        return Response(step.status, step.headers, stream)

    async def aclose(self) -> None:
        self.closed += 1

    @property
    def lines(self) -> list[str]:
        return [f"{request.method.decode()} {request.target.decode()}" for request in self.requests]

    def sent(self, name: bytes) -> list[bytes | None]:
        return [dict(request.headers).get(name) for request in self.requests]


class Tokens:
    """An auth whose tokens are numbered; ``fetches`` counts."""

    def __init__(self) -> None:
        self.generation = 1
        self.held: bytes | None = None
        self.rejected: list[bytes] = []
        self.renewable = True
        self.fetches = 0

    def header_nowait(self) -> tuple[bytes, bytes] | None:
        return (b"authorization", self.held) if self.held is not None else None

    async def header(self) -> tuple[bytes, bytes]:
        self.fetches += 1
        await asyncio.sleep(0)
        self.held = b"Bearer %d" % self.generation
        return (b"authorization", self.held)

    def reject(self, header: tuple[bytes, bytes]) -> bool:
        self.rejected.append(header[1])
        if header[1] == self.held:
            self.held = None
            self.generation += 1
        return self.renewable


GET_THING: Endpoint[Any] = Endpoint(
    "get_thing",
    "GET",
    "/things/{thingId}",
    params=(
        Param("thing_id", "thingId", "path", required=True, types=("string",), safe=":@"),
        Param("limit", "limit", "query", types=("integer",)),
    ),
)
CREATE_THING: Endpoint[Any] = Endpoint(
    "create_thing",
    "POST",
    "/things",
    params=(
        Param("name", "name", "body", required=True, types=("string",)),
        Param("info", "info", "body", types=("object",)),
    ),
    body="object",
    extra=True,
    known_extra=("colour",),
)
LIST_THINGS: Endpoint[Any] = Endpoint(
    "list_things",
    "GET",
    "/things",
    params=(Param("next_token", "nextToken", "query", types=("string",)),),
    page=Page("things", "next_token", next="nextToken"),
)
GET_CONTENT: Endpoint[bytes] = Endpoint("get_content", "GET", "/content", answer="bytes", bulk=True)
GET_TEXT: Endpoint[str] = Endpoint("get_text", "GET", "/text", answer="text")
DELETE_THING: Endpoint[None] = Endpoint("delete_thing", "DELETE", "/thing", answer="none")
GET_INNER: Endpoint[Any] = Endpoint("get_inner", "GET", "/inner", unwrap="inner")


class DemoClient(ServiceClient):
    """A service with one operation of each kind."""

    _service = "demo"

    def __init__(self, hub: AsyncHub | None = None, auth: Auth | None = None, **options: Any) -> None:
        super().__init__(hub=hub, auth=auth, headers=[(b"accept", b"*/*"), (b"user-agent", b"demo")], **options)

    def _base(self) -> BaseUrl:
        return BASE

    @property
    def endpoint(self) -> str:
        return "not an operation"

    async def get_thing(self, thing_id: Any, *, limit: Any = None) -> Any:
        return await self._call(GET_THING, {"thing_id": thing_id, "limit": limit})

    async def create_thing(self, name: Any, info: Any = None, **extra: Any) -> Any:
        return await self._call(CREATE_THING, {**extra, "name": name, "info": info})

    async def list_things(self, *, next_token: str | None = None) -> Any:
        return await self._call(LIST_THINGS, {"next_token": next_token})

    async def get_content(self) -> bytes:
        return await self._call(GET_CONTENT, {})

    async def get_text(self) -> str:
        return await self._call(GET_TEXT, {})

    async def delete_thing(self) -> None:
        return await self._call(DELETE_THING, {})

    async def get_inner(self) -> Any:
        return await self._call(GET_INNER, {})

    async def does_nothing(self) -> None:
        """Make no request."""


def opened(transport: ScriptedTransport, limits: Limits | None = None, draw: float = 0.0) -> AsyncHub:
    """Return a hub that is open over ``transport`` and does not wait between attempts."""
    hub = AsyncHub(transport=transport, limits=limits)
    hub._loop = asyncio.get_running_loop()
    hub._pipeline = Pipeline(transport, Scheduler(hub.limits), draw=lambda: draw)
    return hub


def idle(hub: AsyncHub) -> bool:
    """Tell whether every slot is back and nobody waits."""
    now = hub.statistics()
    return now.in_flight == 0 and now.waiting == 0 and not now.origins


async def turns(count: int = 10) -> None:
    """Let everything that can run do so."""
    for _ in range(count):
        await asyncio.sleep(0)
