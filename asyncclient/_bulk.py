"""One bulk request from its slot to its end: what it costs, how its bytes are paced, what is learned from it."""

from __future__ import annotations

import time
from collections.abc import AsyncGenerator, AsyncIterator, Hashable
from contextlib import aclosing
from typing import TYPE_CHECKING, Final, NamedTuple

from asyncclient._adaptive import Outcome
from asyncclient._bandwidth import CHARGE_BYTES, Pacer, TokenBucket
from asyncclient._messages import DirectStream, Request, Response
from asyncclient._scheduler import Direction, Slot
from asyncclient.errors import (
    ConnectError,
    LocalProtocolError,
    ProxyError,
    ReadError,
    ResponseTooLarge,
    TLSError,
    TransportError,
    UnknownHost,
    WriteError,
)

if TYPE_CHECKING:
    from asyncclient._messages import Body
    from asyncclient.types import Limits

__all__ = ["THROTTLED", "WEIGHTS", "Bandwidth", "BulkTurn", "Load"]

WEIGHTS: Final = {"low": 1, "normal": 4, "high": 16}

THROTTLED: Final = frozenset({429, 503})
"""Statuses that say: too much."""
_LOST: Final = (ConnectError, ReadError, WriteError)
_UNRELATED: Final = (UnknownHost, TLSError, ProxyError)
# The peer is well; what was asked of it, or of us, cannot be done.
_OURS: Final = (LocalProtocolError, ResponseTooLarge)


class Load(NamedTuple):
    """What a bulk call asks of the scheduler.

    Attributes:
        job: Takes turns with other jobs of the service; None for the one that is current.
        direction: Where the bytes go.
        size_bytes: How many, or None if unknown.
    """

    job: Hashable | None
    direction: Direction
    size_bytes: int | None

    @classmethod
    def of(
        cls, request: Request, job: Hashable | None, size_bytes: int | None, direction: Direction | None = None
    ) -> Load:
        """Fill in what the caller did not say from the request."""
        body = request.body
        if direction is None:
            direction = Direction.UP if body else Direction.DOWN
        if size_bytes is None and body:
            size_bytes = len(body) if isinstance(body, bytes) else body.length
        return cls(job, direction, size_bytes)


class Bandwidth:
    """The token buckets of a hub.

    Args:
        limits: ``max_bandwidth`` of them.
    """

    __slots__ = ("_buckets",)

    def __init__(self, limits: Limits | None = None) -> None:
        self._buckets: dict[Direction, TokenBucket] = {}
        if limits is not None:
            for direction, rate in zip((Direction.UP, Direction.DOWN), limits.bandwidth, strict=True):
                if rate is not None:
                    self._buckets[direction] = TokenBucket(rate)

    def pacer(self, direction: Direction) -> Pacer | None:
        """Return what paces one body, or None where there is no bound."""
        bucket = self._buckets.get(direction)
        return None if bucket is None else Pacer(bucket)


class BulkTurn:
    """Accounts for one bulk request while it holds its slot.

    Args:
        slot: Its slot.
        load: What it asked for.
        bandwidth: Of the hub.
    """

    __slots__ = ("_began_s", "_down", "_ended", "_load", "_received", "_sent", "_slot", "_up")

    def __init__(self, slot: Slot, load: Load, bandwidth: Bandwidth) -> None:
        self._slot = slot
        self._load = load
        self._up = bandwidth.pacer(Direction.UP)
        self._down = bandwidth.pacer(Direction.DOWN)
        self._sent: _SentBody | None = None
        self._ended = False
        self._received = False
        self._began_s = time.monotonic()

    async def outgoing(self, request: Request) -> Request:
        """Return the request with a body that is paced and counted, where it needs to be, when it may begin."""
        body = request.body
        if self._down is not None and self._load.direction is not Direction.UP:
            await self._down.begin()
        if not body or (self._up is None and (isinstance(body, bytes) or body.length is not None)):
            return request
        self._sent = _SentBody(body, self._up)
        return Request(
            request.method,
            request.origin,
            request.target,
            request.headers,
            self._sent,
            idempotent=request.idempotent,
        )

    async def read(self, response: Response) -> bytes:
        """Read a piece of the answer, after what was read before is paid for."""
        if self._down is not None:
            await self._down.pay()
        piece = await response.stream.read()
        self._count(len(piece))
        if not piece:
            self.answered(response.status)
        return piece

    async def read_into(self, response: Response, stream: DirectStream, buffer: memoryview) -> int:
        """Read into a buffer, after what was read before is paid for."""
        if self._down is not None:
            await self._down.pay()
        count = await stream.read_into(buffer)
        self._count(count)
        if not count:
            self.answered(response.status)
        return count

    async def read_all(self, response: Response, limit: int) -> bytes:
        """Read the whole answer, as ``response.read_all`` does."""
        if self._down is None:
            body = await response.read_all(limit)
            self._count(len(body))
            return body
        pieces, size = [], 0
        try:
            while piece := await self.read(response):
                size += len(piece)
                if size > limit:
                    raise ResponseTooLarge(limit)
                pieces.append(piece)
        finally:
            await response.stream.aclose()
        return b"".join(pieces)

    def answered(self, status: int) -> None:
        """Say that the request was answered, and the answer read to its end."""
        if status >= 500 or status in THROTTLED:
            self._end(Outcome.CONGESTED if status in THROTTLED else Outcome.FAILED)
            return
        if self._load.direction is Direction.UP and status < 300:
            self._slot.moved(self._sent.count if self._sent is not None else self._load.size_bytes or 0)
        self._end(Outcome.GOOD)

    def broke(self, error: TransportError) -> None:
        """Say that the request, or its answer, broke off."""
        if isinstance(error, _OURS):
            self._end(Outcome.GOOD)
        else:
            congested = isinstance(error, _LOST) and not isinstance(error, _UNRELATED)
            self._end(Outcome.CONGESTED if congested else Outcome.FAILED)

    def release(self) -> None:
        """Give the slot back; a request that was given up before any of its answer was read says nothing."""
        if self._received:
            self._end(Outcome.GOOD)
        self._ended = True
        for pacer in (self._up, self._down):
            if pacer is not None:
                pacer.end()
        self._slot.release()

    def _count(self, count: int) -> None:
        self._received = True
        if self._down is not None:
            self._down.moved(count)
        if self._load.direction is not Direction.UP:
            self._slot.moved(count)

    def _end(self, outcome: Outcome) -> None:
        if not self._ended:
            self._ended = True
            self._slot.report(outcome, time.monotonic() - self._began_s)


class _SentBody:
    """A body whose bytes are counted, and paced where there is a bound on bandwidth."""

    __slots__ = ("_body", "_pacer", "count", "length", "replayable")

    def __init__(self, body: bytes | Body, pacer: Pacer | None) -> None:
        self._body = body
        self._pacer = pacer
        self.count = 0
        self.length = len(body) if isinstance(body, bytes) else body.length
        self.replayable = isinstance(body, bytes) or body.replayable

    async def open(self) -> AsyncGenerator[bytes, None]:
        self.count = 0
        pacer = self._pacer
        if pacer is not None:
            await pacer.begin()
        async with aclosing(_slices(self._body, CHARGE_BYTES if pacer is not None else None)) as pieces:
            async for piece in pieces:
                if pacer is not None:
                    await pacer.pay()
                    pacer.moved(len(piece))
                self.count += len(piece)
                yield piece


async def _slices(body: bytes | Body, size: int | None) -> AsyncGenerator[bytes, None]:
    """Open a body, and cut its pieces to at most ``size`` bytes."""
    if isinstance(body, bytes):
        for piece in _cut(body, size):
            yield piece
        return
    pieces: AsyncIterator[bytes] = body.open()
    try:
        async for piece in pieces:
            for part in _cut(piece, size):
                yield part
    finally:
        aclose = getattr(pieces, "aclose", None)
        if aclose is not None:
            await aclose()


def _cut(piece: bytes, size: int | None) -> list[bytes]:
    if size is None or len(piece) <= size:
        return [piece]
    return [piece[start : start + size] for start in range(0, len(piece), size)]
