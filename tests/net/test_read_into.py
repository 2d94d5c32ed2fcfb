"""Bodies received into memory of the reader: the same bytes and the same errors as piece by piece."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from asyncclient._messages import DirectStream, Request
from asyncclient._net.exchange import Exchange
from asyncclient._net.pool import Pool
from asyncclient._net.wire import encode_head
from asyncclient.errors import ReadError, RemoteProtocolError, TransportError
from tests.net.conftest import TIMEOUTS, fetch, get, until
from tests.support.fault_server import Close, FaultServer, Head, Repeat, Reset, Send, Until
from tests.support.memory import MemoryOwner

pytestmark = pytest.mark.anyio

KIB = 1024
DATA = bytes(range(256)) * 4 * 1024


def length(size: int, *headers: bytes) -> bytes:
    return b"\r\n".join([b"HTTP/1.1 200 OK", b"Content-Length: %d" % size, *headers, b"", b""])


async def rest_of(stream: Exchange, size: int) -> bytes:
    """Read to the end with one buffer of ``size`` bytes."""
    found, buffer = bytearray(), memoryview(bytearray(size))
    while count := await stream.read_into(buffer):
        found += buffer[:count]
    return bytes(found)


async def opened(pool: Pool, server: FaultServer) -> Exchange:
    stream = (await pool.send(get(server.origin), TIMEOUTS)).stream
    assert isinstance(stream, Exchange)
    assert isinstance(stream, DirectStream)
    return stream


@pytest.mark.parametrize("buffer", [1, 1000, 64 * KIB, 2 * len(DATA)])
@pytest.mark.parametrize("size", [0, 1, 5000, 100 * KIB, len(DATA)])
async def test_lengths(pool: Pool, size: int, buffer: int) -> None:
    if buffer == 1 and size > 5000:
        buffer = 700
    async with FaultServer([Repeat([Head(), Send(length(size) + DATA[:size])])]) as server:
        for _ in range(3):
            assert await rest_of(await opened(pool, server), buffer) == DATA[:size]
        assert pool.statistics()[:3] == (1, 1, 1)  # one connection served all


async def test_the_socket_is_read_into_the_buffer_itself(pool: Pool, monkeypatch: pytest.MonkeyPatch) -> None:
    copied: list[int] = []
    push = Exchange.push
    monkeypatch.setattr(Exchange, "push", lambda self, piece: (copied.append(len(piece)), push(self, piece))[1])
    gate = asyncio.Event()
    async with FaultServer([Head(), Send(length(len(DATA))), Until(gate), Send(DATA)]) as server:
        stream = await opened(pool, server)
        reading = asyncio.create_task(rest_of(stream, 64 * KIB))
        await until(lambda: stream.target is not None)
        gate.set()
        assert await reading == DATA
    assert sum(copied) <= 16 * KIB


async def test_a_body_that_ends_with_the_connection(pool: Pool) -> None:
    async with FaultServer([Head(), Send(b"HTTP/1.1 200 OK\r\n\r\n"), Send(DATA), Close()]) as server:
        assert await rest_of(await opened(pool, server), 100 * KIB) == DATA


async def test_chunks(pool: Pool) -> None:
    head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
    body = b"".join(b"%x\r\n%b\r\n" % (64 * KIB, DATA[at : at + 64 * KIB]) for at in range(0, len(DATA), 64 * KIB))
    async with FaultServer([Repeat([Head(), Send(head + body + b"0\r\n\r\n")])]) as server:
        for _ in range(2):
            assert await rest_of(await opened(pool, server), 100 * KIB) == DATA
        assert pool.statistics().opened == 1


async def test_bytes_behind_the_end_never_answer_the_next_request(pool: Pool) -> None:
    forged = length(5) + b"wrong"
    again = [Head(), Send(length(2) + b"ok")]
    async with FaultServer([Head(), Send(length(len(DATA)) + DATA + forged), Until(asyncio.Event())], again) as server:
        assert await rest_of(await opened(pool, server), 64 * KIB) == DATA
        assert (await fetch(pool, get(server.origin)))[1] == b"ok"
        assert pool.statistics().opened == 2


@pytest.mark.parametrize("end", [Close(), Reset()])
async def test_a_body_that_breaks_off(pool: Pool, end: Close | Reset) -> None:
    gate = asyncio.Event()
    async with FaultServer([Head(), Send(length(len(DATA)) + DATA[:-1]), Until(gate), end]) as server:
        stream = await opened(pool, server)
        found, buffer = bytearray(), memoryview(bytearray(len(DATA)))
        while len(found) < len(DATA) - 1:
            found += buffer[: await stream.read_into(buffer)]
        assert found == DATA[:-1]
        gate.set()
        for _ in range(2):
            with pytest.raises(ReadError):
                await stream.read_into(buffer)
        assert pool.statistics().open == 0


async def test_a_slow_reader_stops_the_peer(pool: Pool) -> None:
    async with FaultServer([Head(), Send(length(64 * len(DATA))), *[Send(DATA)] * 64]) as server:
        stream = await opened(pool, server)
        buffer = memoryview(bytearray(64 * KIB))
        count = await stream.read_into(buffer)
        for _ in range(50):
            await asyncio.sleep(0.001)
        assert stream.buffered <= 2 * len(DATA)  # what came before there was a buffer, and no more
        assert count + len(await rest_of(stream, 64 * KIB)) == 64 * len(DATA)


async def test_cancelling_keeps_the_bytes() -> None:
    owner = MemoryOwner()
    stream = await begun(owner, [length(len(DATA))])
    buffer = memoryview(bytearray(len(DATA)))
    reading = asyncio.create_task(stream.read_into(buffer))
    await asyncio.sleep(0)
    owner.feed(DATA[: 100 * KIB])
    reading.cancel()
    with pytest.raises(asyncio.CancelledError):
        await reading
    assert stream.target is None
    buffer[:5] = b"other"
    owner.feed(DATA[100 * KIB :])
    assert await rest_of(stream, 30 * KIB) == DATA


async def test_two_readers_are_a_mistake() -> None:
    owner = MemoryOwner()
    stream = await begun(owner, [length(len(DATA))])
    reading = asyncio.create_task(rest_of(stream, len(DATA)))
    await asyncio.sleep(0)
    for other in (stream.read_into(memoryview(bytearray(9))), stream.read()):
        with pytest.raises(RuntimeError, match="two tasks"):
            await other
    owner.feed(DATA)
    assert await reading == DATA


# -- any answer, cut anywhere, read in any way -------------------------------------------------------------------------


@pytest.fixture(scope="module")
def loop() -> Iterator[asyncio.AbstractEventLoop]:
    loop = asyncio.new_event_loop()
    yield loop
    loop.close()


async def begun(owner: MemoryOwner, segments: list[bytes]) -> Exchange:
    """Send a request, let the first segments arrive, and return the body."""
    request = Request(b"GET", owner.conn.peer.origin, b"/", [])
    head, count, close = encode_head(request, owner.conn.peer.host_line)
    sending = asyncio.ensure_future(owner.conn.send(request, head, count, close, TIMEOUTS))
    await asyncio.sleep(0)
    for segment in segments:
        owner.feed(segment)
    stream = (await sending).stream
    assert isinstance(stream, Exchange)
    return stream


async def arrive(owner: MemoryOwner, segments: list[bytes]) -> None:
    for segment in segments:
        if not owner.transport.is_closing() and not owner.idle:
            owner.feed(segment)
        await asyncio.sleep(0)
        await asyncio.sleep(0)
    if not owner.idle and not owner.gone:
        owner.conn.connection_lost(None)


async def outcome(segments: list[bytes], sizes: list[int] | None) -> tuple[bytes, type[Exception] | None, bool]:
    """Return what was read, how it ended, and whether the connection may serve another request."""
    owner = MemoryOwner()
    stream = await begun(owner, segments[:1])
    feeding = asyncio.ensure_future(arrive(owner, segments[1:]))
    found = bytearray()
    error: type[Exception] | None = None
    try:
        turn = 0
        while True:
            if sizes is None:
                piece = await stream.read()
            else:
                buffer = memoryview(bytearray(sizes[turn % len(sizes)]))
                piece = bytes(buffer[: await stream.read_into(buffer)])
                turn += 1
            if not piece:
                break
            found += piece
    except TransportError as caught:
        error = type(caught)
    await feeding
    return bytes(found), error, owner.idle and not owner.gone


HEADS = {
    "length": lambda size: length(size),
    "length, closing": lambda size: length(size, b"Connection: close"),
    "until close": lambda size: b"HTTP/1.1 200 OK\r\n\r\n",
}
CUTS = st.lists(st.integers(0, 300 * KIB), max_size=6)
SIZES = st.lists(st.sampled_from([1, 9, 16 * KIB - 1, 16 * KIB, 17 * KIB, 64 * KIB, 400 * KIB]), min_size=1, max_size=4)


@given(
    kind=st.sampled_from(sorted(HEADS)),
    size=st.integers(0, 200 * KIB),
    missing=st.sampled_from([0, 0, 0, 1, 70 * KIB]),
    stray=st.sampled_from([b"", b"", b"x", b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"]),
    cuts=CUTS,
    sizes=SIZES,
)
@example(kind="length", size=100 * KIB, missing=0, stray=b"x", cuts=[100 * KIB], sizes=[400 * KIB])
@example(kind="length", size=100 * KIB, missing=0, stray=b"x", cuts=[10], sizes=[100 * KIB])
@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_way_of_reading_is_the_same(
    loop: asyncio.AbstractEventLoop, kind: str, size: int, missing: int, stray: bytes, cuts: list[int], sizes: list[int]
) -> None:
    body = DATA[:size]
    rest = body[: max(0, size - missing)] + (b"" if missing else stray)
    edges = [0, *sorted(min(cut, len(rest)) for cut in cuts), len(rest)]
    pieces = [rest[start:stop] for start, stop in itertools.pairwise(edges) if stop > start]
    segments = [HEADS[kind](size), *pieces]
    limited = [max(size, 700) for size in sizes]
    directly = loop.run_until_complete(outcome(segments, limited))
    assert directly == loop.run_until_complete(outcome(segments, None))
    if kind != "until close" and missing == 0:
        assert directly[0] == body


def test_a_malformed_chunk_is_told(loop: asyncio.AbstractEventLoop) -> None:
    head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
    found = loop.run_until_complete(outcome([head, b"5\r\nhello\r\n", b"x\r\n"], [64 * KIB]))
    assert found == (b"hello", RemoteProtocolError, False)
