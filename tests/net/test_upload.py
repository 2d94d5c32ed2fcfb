"""Requests with bodies: framing, order, limits, and peers that do not listen to the end."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable

import pytest

from asyncclient._messages import Body as BodyProtocol
from asyncclient._net.bodies import IterBody
from asyncclient._net.pool import Pool
from asyncclient.errors import LocalProtocolError, TransportError, WriteError
from tests.net.conftest import TIMEOUTS, fetch, get, post, until
from tests.support.fault_server import (
    OK,
    Body,
    Close,
    Drip,
    FaultServer,
    Hang,
    Head,
    Repeat,
    Reset,
    Send,
    Until,
    answer,
)

pytestmark = pytest.mark.anyio

TAKE = [Repeat([Head(), Body(), Send(OK)])]
REFUSED = answer(b"too large", status=b"413 Content Too Large")


class Pieces:
    """A replayable body that counts what was asked of it."""

    replayable = True

    def __init__(self, *pieces: bytes, length: int | None = None, fail: Exception | None = None) -> None:
        self.pieces, self.length, self.fail = pieces, length, fail
        self.opened = self.yielded = self.closed = 0

    async def open(self) -> AsyncIterator[bytes]:
        self.opened += 1
        try:
            for piece in self.pieces:
                self.yielded += 1
                yield piece
            if self.fail is not None:
                raise self.fail
        finally:
            self.closed += 1


class Plain:
    """A body whose iterator is no generator and has no ``aclose``."""

    length = 3
    replayable = True

    def open(self) -> AsyncIterator[bytes]:
        self.left = [b"c", b"b", b"a"]
        return self

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self

    async def __anext__(self) -> bytes:
        if not self.left:
            raise StopAsyncIteration
        return self.left.pop()


@pytest.mark.parametrize("size", [0, 1, 1000, 64 << 10, (64 << 10) + 1, 5 << 20])
async def test_bytes(pool: Pool, size: int) -> None:
    data = bytes(range(256)) * (size // 256 + 1)
    data = data[:size]
    async with FaultServer(TAKE) as server:
        for _ in range(2):
            await fetch(pool, post(server.origin, data))
        assert server.connections[0].bodies == [data, data]
        assert b"\r\nContent-Length: %d\r\n" % size in server.connections[0].heads[0]
        assert pool.statistics().bytes_sent == len(server.connections[0].raw)


async def test_a_small_body_goes_out_with_its_head(pool: Pool) -> None:
    """One write: a second segment would wait for the acknowledgement of the first (Nagle, delayed ACK)."""
    async with FaultServer(TAKE) as server:
        await fetch(pool, get(server.origin))
        conn = next(iter(pool._connections))
        writes: list[int] = []
        assert conn.transport is not None
        write = conn.transport.write

        class Spy:
            def __getattr__(self, name: str) -> object:
                return getattr(transport, name)

            def write(self, data: bytes) -> None:
                writes.append(len(data))
                write(data)

        transport = conn.transport
        conn.transport = Spy()  # type: ignore[assignment]  # forwards everything to the real transport
        await fetch(pool, post(server.origin, b"x" * 1000))
        assert len(writes) == 1
        conn.transport = transport


@pytest.mark.parametrize(
    "make",
    [
        lambda: Pieces(b"ab", b"", b"c", length=3),
        lambda: Pieces(b"ab", b"", b"c"),
        lambda: Pieces(b"abc"),
        lambda: IterBody([b"a", b"bc"]),
        Plain,
    ],
)
async def test_pieces(pool: Pool, make: Callable[[], BodyProtocol]) -> None:
    body = make()
    async with FaultServer(TAKE) as server:
        await fetch(pool, post(server.origin, body))
        await fetch(pool, get(server.origin))
        assert server.connections[0].bodies[0] == b"abc"
        assert pool.statistics().opened == 1
        if isinstance(body, Pieces):
            assert body.opened == body.closed == 1


@pytest.mark.parametrize("body", [Pieces(length=0), Pieces(), Pieces(b"", b"")])
async def test_no_pieces(pool: Pool, body: Pieces) -> None:
    async with FaultServer(TAKE) as server:
        await fetch(pool, post(server.origin, body))
        await fetch(pool, get(server.origin))
        assert server.connections[0].bodies[0] == b""
        assert pool.statistics().opened == 1


@pytest.mark.parametrize("sized", [True, False])
async def test_large_pieces(pool: Pool, sized: bool) -> None:
    pieces = [bytes([n]) * (3 << 20) for n in range(4)]
    body = Pieces(*pieces, length=12 << 20 if sized else None)
    async with FaultServer(TAKE) as server:
        await fetch(pool, post(server.origin, body))
        assert server.connections[0].bodies[0] == b"".join(pieces)


async def test_the_peer_sets_the_pace(pool: Pool) -> None:
    """What a peer does not take is not fetched from the body either."""
    event = asyncio.Event()
    body = Pieces(*[bytes(256 << 10)] * 400, length=100 << 20)
    async with FaultServer([Head(), Until(event), Body(), Send(OK), Hang()]) as server:
        sending = asyncio.ensure_future(fetch(pool, post(server.origin, body)))
        before = -1
        while before != body.yielded or before == 0:
            before = body.yielded
            await asyncio.sleep(0.05)
        assert body.yielded < 200
        event.set()
        assert (await sending)[1] == b"ok"
        assert body.yielded == 400


async def test_the_loop_goes_on_during_a_body_that_never_waits(pool: Pool) -> None:
    turns = 0

    async def count() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    counting = asyncio.ensure_future(count())
    async with FaultServer(TAKE) as server:
        await fetch(pool, post(server.origin, Pieces(*[b"x" * 1000] * 20_000)))
        assert turns > 8
    counting.cancel()


@pytest.mark.parametrize(
    ("pieces", "what"),
    [
        ([b"abc"], "has 3 instead of the announced 4 bytes"),
        ([], "has 0 instead of the announced 4 bytes"),
        ([b"abc", b"de"], "more than the announced 4 bytes"),
    ],
)
async def test_a_body_of_another_length_than_announced(pool: Pool, pieces: list[bytes], what: str) -> None:
    body = Pieces(*pieces, length=4)
    async with FaultServer([Head(), Body(), Hang()]) as server:
        with pytest.raises(LocalProtocolError, match=what) as caught:
            await pool.send(post(server.origin, body), TIMEOUTS)
        assert caught.value.request_sent is bool(body.pieces)
        assert pool.statistics().open == 0
        await server.wait_closed(1)
        assert server.connections[0].bodies == []  # never whole
        assert body.closed == 1


async def test_a_body_that_fails(pool: Pool) -> None:
    body = Pieces(b"abc", length=6, fail=OSError("the disk is gone"))
    async with FaultServer([Head(), Body(), Hang()]) as server:
        with pytest.raises(OSError, match="the disk is gone"):
            await pool.send(post(server.origin, body), TIMEOUTS)
        assert pool.statistics().open == 0
        await server.wait_closed(1)
        assert server.connections[0].bodies == []


async def test_a_body_that_cannot_be_opened_sends_nothing(pool: Pool) -> None:
    body = Pieces(length=6, fail=OSError("no such file"))
    async with FaultServer(TAKE) as server:
        with pytest.raises(OSError, match="no such file"):
            await pool.send(post(server.origin, body), TIMEOUTS)
        await server.wait_closed(1)
        assert server.connections[0].raw == b""


# -- answers before the end of the request ---------------------------------------------------------------------------


@pytest.mark.parametrize("streamed", [True, False])
async def test_an_early_answer_ends_the_upload(pool: Pool, streamed: bool) -> None:
    size = 64 << 20
    pieces = Pieces(*[bytes(1 << 20)] * 64, length=size)
    body = pieces if streamed else bytes(size)
    async with FaultServer([Head(), Body(1 << 20), Send(REFUSED), Hang()], TAKE) as server:
        response, text = await fetch(pool, post(server.origin, body))
        assert (response.status, text) == (413, b"too large")
        assert pieces.yielded < 64
        assert pieces.closed == pieces.opened
        # What the peer has not read is still on its way: the connection is of no use.
        assert pool.statistics().open == 0
        assert (await fetch(pool, get(server.origin)))[1] == b"ok"
        await server.wait_closed(1)


async def test_an_early_answer_to_chunks(pool: Pool) -> None:
    body = Pieces(*[bytes(1 << 20)] * 64)
    async with FaultServer([Head(), Send(REFUSED), Hang()]) as server:
        response, text = await fetch(pool, post(server.origin, body))
        assert (response.status, text) == (413, b"too large")
        assert pool.statistics().open == 0


async def test_an_early_answer_whose_body_comes_later(pool: Pool) -> None:
    event = asyncio.Event()
    body = Pieces(*[bytes(1 << 20)] * 64, length=64 << 20)
    head, rest = REFUSED[:-4], REFUSED[-4:]
    async with FaultServer([Head(), Send(head), Until(event), Send(rest), Hang()]) as server:
        response = await pool.send(post(server.origin, body), TIMEOUTS)
        assert response.status == 413
        event.set()
        assert await response.read_all(100) == b"too large"
        assert pool.statistics().open == 0


async def test_an_early_answer_while_the_body_has_nothing_to_send(pool: Pool) -> None:
    """It is noticed with the next piece."""
    event = asyncio.Event()

    async def pieces() -> AsyncIterator[bytes]:
        yield b"abc"
        await event.wait()
        yield b"def"

    async with FaultServer([Head(), Body(3), Send(REFUSED), Hang()]) as server:
        sending = asyncio.ensure_future(fetch(pool, post(server.origin, IterBody(pieces(), 6))))
        await until(lambda: server.connections and server.connections[0].bodies)
        await until(lambda: pool.statistics().open == 0)
        event.set()
        response, _ = await sending
        assert response.status == 413


async def test_a_success_that_begins_early_gets_the_whole_body(pool: Pool) -> None:
    """As from services that answer at once and report progress; what they say last depends on what they were sent."""
    size = 8 << 20
    half = 4 << 20
    begin = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nso \r\n"
    script = [Head(), Body(half), Send(begin), Body(size - half), Send(b"3\r\nfar\r\n0\r\n\r\n"), Hang()]
    for body in (bytes(size), Pieces(*[bytes(1 << 20)] * 8, length=size)):
        async with FaultServer(script) as server:
            assert (await fetch(pool, post(server.origin, body)))[1] == b"so far"
            assert sum(map(len, server.connections[0].bodies)) == size
            assert pool.statistics().idle == 1


async def test_a_success_that_is_complete_ends_the_upload(pool: Pool) -> None:
    body = Pieces(*[bytes(1 << 20)] * 64, length=64 << 20)
    async with FaultServer([Head(), Body(1 << 20), Send(OK), Hang()]) as server:
        assert (await fetch(pool, post(server.origin, body)))[1] == b"ok"
        assert body.yielded < 64
        assert pool.statistics().open == 0


async def test_a_refusal_that_closes_at_once_is_still_read(pool: Pool) -> None:
    """The peer answers and closes with the request unread: the next write fails, before the loop has read."""
    body = Pieces(*[bytes(1 << 20)] * 64, length=64 << 20)
    for _ in range(20):
        async with FaultServer([Head(), Send(REFUSED), Close()]) as server:
            response, text = await fetch(pool, post(server.origin, body))
            assert (response.status, text) == (413, b"too large")


async def test_an_interim_answer_does_not_end_the_upload(pool: Pool) -> None:
    script = [Head(), Send(b"HTTP/1.1 100 Continue\r\n\r\n"), Body(), Send(OK), Hang()]
    async with FaultServer(script) as server:
        await fetch(pool, post(server.origin, bytes(8 << 20)))
        assert len(server.connections[0].bodies[0]) == 8 << 20
        assert pool.statistics().idle == 1


async def test_an_answer_with_the_last_byte_keeps_the_connection(pool: Pool) -> None:
    """The body's iterator has not ended yet, but everything announced was written."""
    event = asyncio.Event()

    async def pieces() -> AsyncIterator[bytes]:
        yield b"abc"
        await event.wait()

    async with FaultServer(TAKE) as server:
        sending = asyncio.ensure_future(fetch(pool, post(server.origin, IterBody(pieces(), 3))))
        await until(lambda: pool.statistics().idle == 1)
        event.set()
        assert (await sending)[1] == b"ok"
        await fetch(pool, get(server.origin))
        assert pool.statistics().opened == 1


@pytest.mark.parametrize("end", [Close(), Reset()])
@pytest.mark.parametrize("streamed", [True, False])
async def test_a_peer_that_goes_in_the_middle(pool: Pool, end: Close | Reset, streamed: bool) -> None:
    size = 64 << 20
    body = Pieces(*[bytes(1 << 20)] * 64, length=size) if streamed else bytes(size)
    async with FaultServer([Head(), Body(1 << 20), end]) as server:
        with pytest.raises(WriteError) as caught:
            await pool.send(post(server.origin, body), TIMEOUTS)
        assert caught.value.request_sent is True
        assert pool.statistics().open == 0
        assert len(server.connections) == 1


async def test_a_peer_that_goes_while_the_body_has_nothing_to_send(pool: Pool) -> None:
    event = asyncio.Event()

    async def pieces() -> AsyncIterator[bytes]:
        yield b"abc"
        await event.wait()
        yield b"def"

    async with FaultServer([Head(), Body(3), Close()]) as server:
        sending = asyncio.ensure_future(fetch(pool, post(server.origin, IterBody(pieces()))))
        await server.wait_closed(1)
        await until(lambda: pool.statistics().open == 0)
        event.set()
        with pytest.raises(TransportError):
            await sending


async def test_an_answer_then_a_slow_reader_of_the_rest(pool: Pool) -> None:
    """Both directions at once: the answer begins, and comes slowly, while the request is written."""
    big = answer(b"y" * 300_000)
    async with FaultServer([Head(), Body(), Drip(big, 50_000), Hang()]) as server:
        assert (await fetch(pool, post(server.origin, bytes(2 << 20))))[1] == b"y" * 300_000
        assert pool.statistics().idle == 1
