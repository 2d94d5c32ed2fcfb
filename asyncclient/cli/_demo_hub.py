"""The hub of the demo: one for all services, with a transport that counts what goes to which of them.

The hub counts bytes over all; that the sum can be told apart by service is all this is for. It sits where any transport
may sit, and hands on what it is given.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from typing import Final

from asyncclient import AsyncHub
from asyncclient._messages import Body, BodyStream, Request, Response, TimeoutsView
from asyncclient._net.pool import Pool, PoolStatistics
from asyncclient.cli._demo_record import Traffic
from asyncclient.errors import TransportError
from asyncclient.types import Limits

__all__ = ["MeteredTransport", "make_hub"]

_TOO_MANY: Final = 429
_SERVER_ERRORS: Final = 500


def make_hub(meters: Mapping[str, Traffic]) -> AsyncHub:
    """Make the hub.

    Args:
        meters: Where is counted what goes to and comes from an origin, such as ``http://127.0.0.1:40123``.
    """
    limits = Limits()
    pool = Pool(max_connections=limits.max_connections, keepalive_expiry=limits.keepalive_expiry)
    return AsyncHub(limits=limits, transport=MeteredTransport(pool, meters))


class MeteredTransport:
    """Counts requests and the bytes of their bodies, by origin.

    Args:
        pool: What sends.
        meters: By origin; what goes elsewhere is not counted.
    """

    def __init__(self, pool: Pool, meters: Mapping[str, Traffic]) -> None:
        self._pool = pool
        self._meters = meters

    async def send(self, request: Request, timeouts: TimeoutsView) -> Response:
        """Send a request; see :class:`asyncclient._messages.Transport`."""
        traffic = self._meters.get(str(request.origin))
        if traffic is None:
            return await self._pool.send(request, timeouts)
        traffic.requests += 1
        try:
            response = await self._pool.send(_counted(request, traffic), timeouts)
        except TransportError:
            traffic.failed += 1
            raise
        if response.status == _TOO_MANY or response.status >= _SERVER_ERRORS:
            traffic.failed += 1
        response.stream = _CountedStream(response.stream, traffic)
        return response

    async def aclose(self) -> None:
        """Drop all connections; waits for nothing."""
        await self._pool.aclose()

    def statistics(self) -> PoolStatistics:
        """Return what the pool has done and holds right now."""
        return self._pool.statistics()


def _counted(request: Request, traffic: Traffic) -> Request:
    body = request.body
    if body is None:
        return request
    if isinstance(body, (bytes, bytearray, memoryview)):
        traffic.up += len(body)
        return request
    counted = _CountedBody(body, traffic)
    return Request(
        request.method, request.origin, request.target, request.headers, counted, idempotent=request.idempotent
    )


class _CountedBody:
    def __init__(self, body: Body, traffic: Traffic) -> None:
        self._body = body
        self._traffic = traffic

    @property
    def length(self) -> int | None:
        return self._body.length

    @property
    def replayable(self) -> bool:
        return self._body.replayable

    async def open(self) -> AsyncIterator[bytes]:
        pieces = self._body.open()
        try:
            async for piece in pieces:
                self._traffic.up += len(piece)
                yield piece
        finally:
            aclose = getattr(pieces, "aclose", None)
            if aclose is not None:
                await aclose()


class _CountedStream:
    def __init__(self, stream: BodyStream, traffic: Traffic) -> None:
        self._stream = stream
        self._traffic = traffic

    async def read(self) -> bytes:
        piece = await self._stream.read()
        self._traffic.down += len(piece)
        return piece

    def read_nowait(self) -> bytes | None:
        whole = self._stream.read_nowait()
        if whole is not None:
            self._traffic.down += len(whole)
        return whole

    async def aclose(self) -> None:
        await self._stream.aclose()
