"""Answers as they come over a socket: bodies of every kind, interim answers, and what is refused."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest

from asyncclient._messages import Request
from asyncclient._net.pool import Pool
from asyncclient.errors import ReadError, RemoteProtocolError, ResponseTooLarge, TransportError
from tests.net.conftest import TIMEOUTS, fetch, get, post, until
from tests.support.fault_server import (
    OK,
    Close,
    Drip,
    FaultServer,
    HalfClose,
    Hang,
    Head,
    Repeat,
    Reset,
    Send,
    Until,
    answer,
)

pytestmark = pytest.mark.anyio

CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"


async def test_a_small_answer_is_there_at_once(pool: Pool) -> None:
    async with FaultServer() as server:
        response = await pool.send(get(server.origin), TIMEOUTS)
        assert (response.status, response.reason, response.http_version) == (200, b"OK", b"1.1")
        assert response.headers == [(b"content-length", b"2")]
        # The connection is free before the body is looked at.
        assert pool.statistics()[1:4] == (1, 1, 0)
        assert response.stream.read_nowait() == b"ok"
        assert response.stream.read_nowait() == b""
        assert await response.stream.read() == b""
        await response.stream.aclose()
        await response.stream.aclose()
        assert pool.statistics().idle == 1


async def test_the_server_sees_what_was_asked(pool: Pool) -> None:
    async with FaultServer() as server:
        await fetch(pool, get(server.origin, b"/a/b?c=d", [(b"X-Y", b"z")]))
        host = b"127.0.0.1:%d" % server.origin.port
        assert server.connections[0].heads == [b"GET /a/b?c=d HTTP/1.1\r\nHost: " + host + b"\r\nX-Y: z\r\n\r\n"]


@pytest.mark.parametrize("size", [1, 7, 1000])
async def test_an_answer_in_small_pieces(pool: Pool, size: int) -> None:
    whole = answer(b"x" * 100, b"X-A: b")
    async with FaultServer([Head(), Drip(whole, size), Head(), Drip(whole, size)]) as server:
        for _ in range(2):
            response, body = await fetch(pool, get(server.origin))
            assert response.header(b"x-a") == b"b"
            assert body == b"x" * 100
        assert pool.statistics().opened == 1


async def test_counts(pool: Pool) -> None:
    async with FaultServer() as server:
        await fetch(pool, get(server.origin))
        sent = len(server.connections[0].raw)
        origins = {str(server.origin): {"idle": 1, "busy": 0}}
        assert pool.statistics() == (1, 1, 1, 0, sent, len(OK), 1, origins)
        assert "1 idle of 32" in repr(pool)


@pytest.mark.parametrize("size", [1, 5, 4096])
async def test_a_chunked_answer(pool: Pool, size: int) -> None:
    whole = CHUNKED + b"5;ext=1\r\nhello\r\n1\r\n \r\n5\r\nworld\r\n0\r\nX-Trailer: t\r\n\r\n"
    async with FaultServer([Repeat([Head(), Drip(whole, size)])]) as server:
        for _ in range(2):
            response, body = await fetch(pool, get(server.origin))
            assert body == b"hello world"
            assert response.header(b"x-trailer") is None
        assert pool.statistics()[:3] == (1, 1, 1)


async def test_a_whole_chunked_answer_in_one_segment_is_there_at_once(pool: Pool) -> None:
    async with FaultServer([Head(), Send(CHUNKED + b"2\r\nok\r\n0\r\n\r\n"), Hang()]) as server:
        response = await pool.send(get(server.origin), TIMEOUTS)
        assert response.stream.read_nowait() == b"ok"
        assert pool.statistics().idle == 1


@pytest.mark.parametrize("end", [Close(), HalfClose()])
async def test_a_body_that_ends_with_the_connection(pool: Pool, end: Close | HalfClose) -> None:
    async with FaultServer([Head(), Send(b"HTTP/1.1 200 OK\r\n\r\nall "), Drip(b"of it"), end]) as server:
        assert (await fetch(pool, get(server.origin)))[1] == b"all of it"
        assert pool.statistics().open == 0


async def test_a_body_that_ends_with_the_connection_may_be_empty(pool: Pool) -> None:
    async with FaultServer([Head(), Send(b"HTTP/1.1 200 OK\r\n\r\n"), Close()]) as server:
        assert (await fetch(pool, get(server.origin)))[1] == b""


async def test_a_reset_is_no_end(pool: Pool) -> None:
    event = asyncio.Event()
    async with FaultServer([Head(), Send(b"HTTP/1.1 200 OK\r\n\r\npart"), Until(event), Reset()]) as server:
        response = await pool.send(get(server.origin), TIMEOUTS)
        assert await response.stream.read() == b"part"
        event.set()
        with pytest.raises(ReadError) as caught:
            await response.stream.read()
        assert isinstance(caught.value.__cause__, ConnectionResetError)
        with pytest.raises(ReadError):
            await response.stream.read()
        assert response.stream.read_nowait() is None


@pytest.mark.parametrize(
    ("method", "head"),
    [
        (b"HEAD", b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n"),
        (b"HEAD", CHUNKED),
        (b"HEAD", b"HTTP/1.1 200 OK\r\n\r\n"),
        (b"GET", b"HTTP/1.1 204 No Content\r\n\r\n"),
        (b"DELETE", b"HTTP/1.1 204 No Content\r\nContent-Length: 5\r\n\r\n"),
        (b"GET", b'HTTP/1.1 304 Not Modified\r\nContent-Length: 1000\r\nETag: "a"\r\n\r\n'),
        (b"GET", b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"),
    ],
)
async def test_answers_without_a_body(pool: Pool, method: bytes, head: bytes) -> None:
    async with FaultServer([Repeat([Head(), Send(head)])]) as server:
        for _ in range(3):
            response = await pool.send(Request(method, server.origin, b"/", []), TIMEOUTS)
            assert response.stream.read_nowait() == b""
            await response.stream.aclose()
        assert pool.statistics()[:3] == (1, 1, 1)


@pytest.mark.parametrize("size", [1, 10_000])
async def test_interim_answers_are_passed_over(pool: Pool, size: int) -> None:
    interim = b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n"
    async with FaultServer([Repeat([Head(), Drip(interim + OK, size)])]) as server:
        for _ in range(2):
            response, body = await fetch(pool, get(server.origin))
            assert (response.status, body) == (200, b"ok")
            assert response.header(b"link") is None
        assert pool.statistics().opened == 1


async def test_interim_answers_without_end_are_refused(pool: Pool) -> None:
    async with FaultServer([Head(), Repeat([Send(b"HTTP/1.1 102 Processing\r\n\r\n" * 100)])]) as server:
        with pytest.raises(RemoteProtocolError, match="interim"):
            await pool.send(get(server.origin), TIMEOUTS)


async def test_http_1_0(pool: Pool) -> None:
    whole = b"HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok"
    kept = b"HTTP/1.0 200 OK\r\nContent-Length: 2\r\nConnection: keep-alive\r\n\r\nok"
    async with FaultServer([Head(), Send(kept), Head(), Send(whole), Hang()], [Head(), Send(whole), Hang()]) as server:
        for opened in (1, 1, 2):
            response, body = await fetch(pool, get(server.origin))
            assert (response.http_version, body) == (b"1.0", b"ok")
            assert pool.statistics().opened == opened
        assert pool.statistics().open == 0


MALFORMED = {
    "both lengths": b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n",
    "two lengths": b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\nok",
    "bad length": b"HTTP/1.1 200 OK\r\nContent-Length: +2\r\n\r\nok",
    "other coding": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
    "folded": b"HTTP/1.1 200 OK\r\nA: b\r\n c\r\nContent-Length: 2\r\n\r\nok",
    "space before colon": b"HTTP/1.1 200 OK\r\nContent-Length : 2\r\n\r\nok",
    "nul": b"HTTP/1.1 200 OK\r\nA: \x00\r\nContent-Length: 2\r\n\r\nok",
    "bad name": b"HTTP/1.1 200 OK\r\nA b: c\r\nContent-Length: 2\r\n\r\nok",
    "bare newlines": b"HTTP/1.1 200 OK\nContent-Length: 2\n\nok",
    "another protocol": b"SSH-2.0-OpenSSH_9.2p1 Debian-2\r\n",
    "TLS alert": b"\x15\x03\x01\x00\x02\x02\x46",
    "HTTP/2": b"HTTP/2.0 200 OK\r\nContent-Length: 2\r\n\r\nok",
    "upgrade": b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n",
    "empty line first": b"\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok",
    "empty line between": b"HTTP/1.1 100 Continue\r\n\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok",
}


@pytest.mark.parametrize("data", MALFORMED.values(), ids=MALFORMED.keys())
async def test_malformed_heads_are_refused(pool: Pool, data: bytes) -> None:
    """Without waiting for more, and although the request could be repeated."""
    async with FaultServer([Head(), Send(data), Hang()]) as server:
        with pytest.raises(RemoteProtocolError) as caught:
            await pool.send(get(server.origin), TIMEOUTS)
        assert caught.value.origin == str(server.origin)
        assert caught.value.method == "GET"
        assert caught.value.request_sent is True
        assert pool.statistics().open == 0
        await server.wait_closed(1)
        assert len(server.connections) == 1


@pytest.mark.parametrize(
    "chunk", [b"+5\r\nhello\r\n", b"0x5\r\nhello\r\n", b"-1\r\n", b"5\nhello\n", b"f" * 17 + b"\r\n"]
)
async def test_malformed_chunks_are_refused(pool: Pool, chunk: bytes) -> None:
    event = asyncio.Event()
    async with FaultServer([Head(), Send(CHUNKED + b"2\r\nok\r\n"), Until(event), Send(chunk), Hang()]) as server:
        response = await pool.send(get(server.origin), TIMEOUTS)
        assert await response.stream.read() == b"ok"
        event.set()
        with pytest.raises(RemoteProtocolError):
            await response.stream.read()
        assert pool.statistics().open == 0
        await server.wait_closed(1)


async def test_heads_are_limited_in_size(make_pool: Callable[..., Pool]) -> None:
    small = make_pool(max_head_bytes=200)
    fits = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nX: "
    fits += b"y" * (200 - len(fits) - 4) + b"\r\n\r\nok"
    for data, size in ((fits.replace(b"X: ", b"XX: "), 10_000), (b"HTTP/1.1 200 OK\r\nX: " + b"y" * 300, 50)):
        async with FaultServer([Head(), Drip(data, size), Hang()]) as server:
            with pytest.raises(RemoteProtocolError, match="more than 200 bytes"):
                await small.send(get(server.origin), TIMEOUTS)
    async with FaultServer([Head(), Send(fits), Hang()]) as server:
        assert (await fetch(small, get(server.origin)))[1] == b"ok"


async def test_heads_are_limited_in_lines(make_pool: Callable[..., Pool]) -> None:
    small = make_pool(max_header_count=3)
    async with FaultServer([Head(), Send(answer(b"", b"A: 1", b"B: 2", b"C: 3")), Hang()]) as server:
        with pytest.raises(RemoteProtocolError, match="more than 3 headers"):
            await small.send(get(server.origin), TIMEOUTS)


@pytest.mark.parametrize("end", [Close(), Reset()])
async def test_a_body_that_breaks_off(pool: Pool, end: Close | Reset) -> None:
    event = asyncio.Event()
    script = [Head(), Send(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n" + b"x" * 40), Until(event), end]
    async with FaultServer(script) as server:
        response = await pool.send(get(server.origin), TIMEOUTS)
        assert response.stream.read_nowait() is None
        assert await response.stream.read() == b"x" * 40
        event.set()
        with pytest.raises(ReadError) as caught:
            await response.stream.read()
        assert caught.value.request_sent is True
        assert pool.statistics().open == 0
        assert len(server.connections) == 1


async def test_what_came_before_the_break_is_not_lost(pool: Pool) -> None:
    async with FaultServer([Head(), Send(CHUNKED + b"5\r\nhello\r\n"), Close()]) as server:
        response = await pool.send(get(server.origin), TIMEOUTS)
        await server.wait_closed(1)
        await until(lambda: pool.statistics().open == 0)
        assert await response.stream.read() == b"hello"
        with pytest.raises(ReadError, match="before the end of the body"):
            await response.stream.read()


async def test_a_head_that_breaks_off(pool: Pool) -> None:
    async with FaultServer([Head(), Send(b"HTTP/1.1 200 OK\r\nContent-"), Close()]) as server:
        with pytest.raises(ReadError, match="in the head"):
            await pool.send(get(server.origin), TIMEOUTS)
        assert len(server.connections) == 1


@pytest.mark.parametrize("end", [Close(), Reset()])
async def test_no_answer_on_a_fresh_connection_is_not_repeated(pool: Pool, end: Close | Reset) -> None:
    async with FaultServer([Head(), end]) as server:
        with pytest.raises(ReadError) as caught:
            await pool.send(get(server.origin), TIMEOUTS)
        assert caught.value.request_sent is True
        assert len(server.connections) == 1


async def test_a_connection_closed_at_once(pool: Pool) -> None:
    async with FaultServer([Close()]) as server:
        with pytest.raises(TransportError):
            await pool.send(post(server.origin), TIMEOUTS)
        assert pool.statistics().open == 0


async def test_extra_bytes_after_the_body_end_the_connection(pool: Pool) -> None:
    stray = b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil"
    chunked = CHUNKED + b"2\r\nok\r\n0\r\n\r\n"
    empty = b"HTTP/1.1 204 No Content\r\n\r\n"
    for whole, body in ((OK, b"ok"), (chunked, b"ok"), (empty, b"")):
        async with FaultServer([Head(), Send(whole + stray), Hang()], [Head(), Send(whole), Hang()]) as server:
            for _ in range(2):
                assert (await fetch(pool, get(server.origin)))[1] == body
            assert len(server.connections) == 2
            await server.connections[0].closed.wait()


async def test_read_all_is_limited(pool: Pool) -> None:
    endless = [Head(), Send(CHUNKED), Repeat([Send(b"400\r\n" + b"x" * 1024 + b"\r\n")])]
    async with FaultServer(endless) as server:
        response = await pool.send(get(server.origin), TIMEOUTS)
        with pytest.raises(ResponseTooLarge):
            await response.read_all(100_000)
        assert pool.statistics().open == 0
        await server.wait_closed(1)


async def test_closing_an_unread_body_drops_the_connection(pool: Pool) -> None:
    async with FaultServer([Head(), Send(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\npart"), Hang()]) as server:
        response = await pool.send(get(server.origin), TIMEOUTS)
        await response.stream.aclose()
        await response.stream.aclose()
        assert pool.statistics().open == 0
        await server.wait_closed(1)
        with pytest.raises(ReadError, match="closed before its end"):
            await response.stream.read()


async def test_a_slow_reader_stops_the_peer(pool: Pool) -> None:
    """At most a megabyte and one buffer are held; the rest waits in the sockets, and none of it is lost."""
    size = 64 << 20
    head = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % size
    piece = bytes(range(256)) * 4096
    async with FaultServer([Head(), Send(head), *[Send(piece)] * (size // len(piece)), Hang()]) as server:
        response = await pool.send(get(server.origin), TIMEOUTS)
        before = -1
        while pool.statistics().bytes_received != before:
            before = pool.statistics().bytes_received
            await asyncio.sleep(0.05)
        assert before <= (1 << 20) + (256 << 10) + len(head)
        received = 0
        while data := await response.stream.read():
            assert data == (piece * 3)[received % len(piece) :][: len(data)]
            received += len(data)
        assert received == size
        assert pool.statistics().idle == 1


async def test_an_end_that_was_not_yet_read(pool: Pool) -> None:
    """The reader is stopped, the peer sends the rest and closes: everything must still arrive."""
    size = 3 << 20
    async with FaultServer([Head(), Send(b"HTTP/1.1 200 OK\r\n\r\n" + bytes(size)), Close()]) as server:
        response = await pool.send(get(server.origin), TIMEOUTS)
        await asyncio.sleep(0.05)
        assert len(await response.read_all(size)) == size


async def test_two_readers_at_once_are_a_mistake(pool: Pool) -> None:
    async with FaultServer([Head(), Send(b"HTTP/1.1 200 OK\r\n\r\n"), Hang()]) as server:
        response = await pool.send(get(server.origin), TIMEOUTS)
        first = asyncio.ensure_future(response.stream.read())
        await asyncio.sleep(0)
        with pytest.raises(RuntimeError, match="two tasks"):
            await response.stream.read()
        first.cancel()
        await asyncio.gather(first, return_exceptions=True)
        await response.stream.aclose()


async def test_a_cancelled_read_keeps_the_bytes(pool: Pool) -> None:
    event = asyncio.Event()
    head = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n"
    async with FaultServer([Head(), Send(head), Until(event), Send(b"hello"), Hang()]) as server:
        response = await pool.send(get(server.origin), TIMEOUTS)
        reading = asyncio.ensure_future(response.stream.read())
        await asyncio.sleep(0)
        event.set()
        cancel_when(reading, lambda: pool.statistics().idle == 1)
        await asyncio.gather(reading, return_exceptions=True)
        assert reading.cancelled()
        assert await response.stream.read() == b"hello"


async def test_a_request_cancelled_with_its_answer_already_here(pool: Pool) -> None:
    """The connection is free again, and may even serve another: it must not be dropped with the task."""
    async with FaultServer() as server:
        await fetch(pool, get(server.origin))
        sending = asyncio.ensure_future(pool.send(get(server.origin), TIMEOUTS))
        await asyncio.sleep(0)
        cancel_when(sending, lambda: pool.statistics().idle == 1)
        await asyncio.gather(sending, return_exceptions=True)
        assert sending.cancelled()
        assert pool.statistics()[:4] == (1, 1, 1, 0)
        assert (await fetch(pool, get(server.origin)))[1] == b"ok"


def cancel_when(task: asyncio.Future[object], condition: Callable[[], bool]) -> None:
    """Cancel a task as soon as a condition holds: looked at before whatever the same event wakes can run."""
    if condition():
        task.cancel()
    elif not task.done():
        asyncio.get_running_loop().call_soon(cancel_when, task, condition)
