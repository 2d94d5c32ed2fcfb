"""One attempt of a call: wait for a slot, send, read. No policy: what comes of it is judged elsewhere."""

from __future__ import annotations

from typing import TYPE_CHECKING

from asyncclient._bulk import WEIGHTS, Bandwidth, BulkTurn, Load
from asyncclient._codec import decompress
from asyncclient._messages import Origin, Request, Response, Transport
from asyncclient._retry import Kind
from asyncclient._rules import Answer, Rules, StreamedAnswer
from asyncclient._scheduler import CLOSED, Lane, Scheduler, Slot
from asyncclient.errors import AsyncClientError, HubClosed, TransportError

if TYPE_CHECKING:
    from asyncclient._observe import CallWatch

__all__ = ["Attempts", "Call"]


class Call:
    """One call: how it is sent, and how far it is."""

    __slots__ = (
        "attempts",
        "lane",
        "last_error",
        "last_kind",
        "load",
        "refreshed",
        "retries",
        "rules",
        "signature",
        "stream",
        "watch",
    )

    def __init__(self, rules: Rules, lane: Lane, stream: bool, load: Load | None) -> None:
        self.rules = rules
        self.lane = lane
        self.stream = stream
        self.load = load
        self.attempts = 0
        self.signature: tuple[bytes, bytes] | None = None
        self.retries: dict[Kind, int] = {}
        self.refreshed = False
        self.last_error: AsyncClientError | None = None
        self.last_kind: Kind | None = None
        self.watch: CallWatch | None = None


class Attempts:
    """Sends requests, each once.

    Args:
        transport: What sends a single request.
        scheduler: What admits it.
        bandwidth: Paces bulk requests.

    Attributes:
        closed: No more is sent.
        requests: Sent so far.
    """

    __slots__ = ("_bandwidth", "_scheduler", "_transport", "closed", "requests")

    def __init__(self, transport: Transport, scheduler: Scheduler, bandwidth: Bandwidth) -> None:
        self._transport = transport
        self._scheduler = scheduler
        self._bandwidth = bandwidth
        self.closed = False
        self.requests = 0

    async def send(self, request: Request, call: Call) -> Answer | StreamedAnswer:
        """Send once. The slot is given back on every way out but a streamed answer, which takes it along.

        Raises:
            TransportError: No usable answer arrived.
            DecodeError: The content encoding of the answer is unknown or broken.
            HubClosed: The hub was closed meanwhile.
        """
        rules = call.rules
        if call.signature is not None:
            request = Request(
                request.method,
                request.origin,
                request.target,
                [*request.headers, call.signature],
                request.body,
                idempotent=request.idempotent,
            )
        if call.lane is Lane.BULK:
            return await self._send_bulk(request, call)
        slot = self._scheduler.acquire_nowait(Lane.CONTROL, request.origin)
        if slot is None:
            slot = await self._slot(request.origin, call)
        kept = False
        try:
            if self.closed:
                raise HubClosed(CLOSED)
            if call.watch is not None:
                call.watch.admitted()
            self.requests += 1
            response = await self._transport.send(request, rules.timeouts)
            if call.stream and response.status < 300:
                kept = True
                return StreamedAnswer(response, slot)
            body = await response.read_all(rules.max_response_bytes)
        finally:
            if not kept:
                slot.release()
        return _decoded(response, body, rules.max_response_bytes)

    async def _send_bulk(self, request: Request, call: Call) -> Answer | StreamedAnswer:
        """Send once on the bulk lane: as :meth:`send`, paced, and with an account of what came of it."""
        rules = call.rules
        assert call.load is not None
        turn = BulkTurn(await self._slot(request.origin, call), call.load, self._bandwidth)
        kept = False
        try:
            if self.closed:
                raise HubClosed(CLOSED)
            outgoing = await turn.outgoing(request)
            if call.watch is not None:
                call.watch.admitted()
            self.requests += 1
            response = await self._transport.send(outgoing, rules.timeouts)
            if call.stream and response.status < 300:
                kept = True
                return StreamedAnswer(response, turn)
            body = await turn.read_all(response, rules.max_response_bytes)
            turn.answered(response.status)
        except TransportError as error:
            turn.broke(error)
            raise
        finally:
            if not kept:
                turn.release()
        return _decoded(response, body, rules.max_response_bytes)

    async def _slot(self, origin: Origin, call: Call) -> Slot:
        """Wait for a slot, in the flow of the call's job."""
        rules, load = call.rules, call.load
        return await self._scheduler.acquire(
            rules.service,
            call.lane,
            origin,
            job=load.job if load is not None and load.job is not None else rules.job,
            cost_bytes=load.size_bytes if load is not None else None,
            direction=load.direction if load is not None else None,
            weight=WEIGHTS[rules.priority],
        )


def _decoded(response: Response, body: bytes, limit: int) -> Answer:
    for name, value in response.headers:  # in here, not by response.header: every answer passes
        if name == b"content-encoding":
            if body:
                body = decompress(body, value, limit)
            break
    return Answer(response.status, response.headers, body)
