"""Moments in which an answer, a request or a connection could be taken for another, and costs that a peer could choose."""

from __future__ import annotations

import asyncio
import os
import socket
import ssl
import threading
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest

from asyncclient._messages import Origin, Response
from asyncclient._net import answer as answer_module
from asyncclient._net.answer import AnswerReader, HeadLimits
from asyncclient._net.bodies import IterBody
from asyncclient._net.exchange import Exchange
from asyncclient._net.framing import find_bare_newline
from asyncclient._net.pool import Pool
from asyncclient.errors import ReadError, RemoteProtocolError, TLSError, TransportError
from tests.net.conftest import TIMEOUTS, fetch, get, post
from tests.support.fault_server import OK, Body, FaultServer, Hang, Head, Repeat, Send, Step, Take, Until, answer
from tests.support.tls import Authority

pytestmark = pytest.mark.anyio

CHUNKED = [(b"Transfer-Encoding", b"chunked")]


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("ca"))


class OneConnection:
    """Serves one connection in a thread, so that it goes on while the loop of the client stands still."""

    def __init__(self, serve: Callable[[socket.socket], None], scheme: str) -> None:
        self._serve = serve
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.origin = Origin(scheme, "127.0.0.1", self._listener.getsockname()[1])
        self._thread = threading.Thread(target=self._run)

    def __enter__(self) -> OneConnection:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._thread.join(10)
        assert not self._thread.is_alive()

    def _run(self) -> None:
        with self._listener:
            sock, _ = self._listener.accept()
        sock.settimeout(5)
        self._serve(sock)


# -- what is written -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("body", [None, b"", b"5\r\nhello\r\n0\r\n\r\n", b"x" * 300_000])
async def test_a_body_in_memory_is_sent_in_chunks_if_the_head_says_so(pool: Pool, body: bytes | None) -> None:
    async with FaultServer([Repeat([Head(), Body(), Send(OK)])]) as server:
        for _ in range(2):
            assert (await fetch(pool, post(server.origin, body, CHUNKED)))[1] == b"ok"
        assert server.connections[0].bodies == [body or b""] * 2


def blind(pool: Pool, answered: threading.Event, go: threading.Event, rest: int) -> IterBody:
    """A body whose last piece is made when an answer has come that the loop has not seen."""

    async def pieces() -> AsyncIterator[bytes]:
        yield b"x" * 20_000
        for _ in range(10):
            await asyncio.sleep(0)
        go.set()
        assert answered.wait(10)
        (conn,) = pool._connections
        while not conn.has_input():
            pass  # the loop must not go on
        yield b"y" * rest

    return IterBody(pieces(), 20_000 + rest)


@pytest.mark.parametrize("tls", [False, True])
async def test_an_answer_that_the_loop_has_not_seen_ends_the_upload(
    make_pool: Callable[..., Pool], authority: Authority, tls: bool
) -> None:
    context = authority.server() if tls else None
    if context is not None:
        context.maximum_version = ssl.TLSVersion.TLSv1_2  # later ones send more than the answer: tickets
    go, answered = threading.Event(), threading.Event()
    taken = bytearray()

    def serve(sock: socket.socket) -> None:
        if context is not None:
            sock = context.wrap_socket(sock, server_side=True)
        with sock:
            while len(taken) < 20_000:
                taken.extend(sock.recv(65536))
            assert go.wait(10)
            sock.sendall(answer(b"no", status=b"413 Content Too Large"))
            answered.set()
            try:
                while data := sock.recv(65536):
                    taken.extend(data)
            except OSError:
                pass  # the client drops what it cannot use any more

    pool = make_pool(verify=authority.file)
    with OneConnection(serve, "https" if tls else "http") as server:
        response, body = await fetch(pool, post(server.origin, blind(pool, answered, go, 5)))
        await asyncio.sleep(0)
    assert (response.status, body) == (413, b"no")
    assert b"y" not in taken


@pytest.mark.parametrize("rest", [5, 300_000])
async def test_the_last_piece_meets_a_peer_that_refused_and_closed(pool: Pool, rest: int) -> None:
    go, closed = threading.Event(), threading.Event()

    def serve(sock: socket.socket) -> None:
        with sock:
            sock.recv(1000)  # what is left unread makes closing a reset
            assert go.wait(10)
            sock.sendall(answer(b"no", status=b"413 Content Too Large"))
        closed.set()

    with OneConnection(serve, "http") as server:
        response, body = await fetch(pool, post(server.origin, blind(pool, closed, go, rest)))
    assert (response.status, body) == (413, b"no")


# -- the end of the TLS handshake ------------------------------------------------------------------------------------


async def test_a_peer_that_speaks_with_the_end_of_the_handshake(
    make_pool: Callable[..., Pool], authority: Authority, anyio_backend: tuple[str, dict[str, Any]]
) -> None:
    """Nothing is sent to it, and its connection is closed."""
    if anyio_backend[1]["use_uvloop"]:
        pytest.skip("uvloop hands the bytes over when the request is written")
    context = authority.server()
    context.maximum_version = ssl.TLSVersion.TLSv1_2  # the last message of the handshake is the server's
    taken: list[bytes] = []

    def serve(sock: socket.socket) -> None:
        arriving, leaving = ssl.MemoryBIO(), ssl.MemoryBIO()
        tls = context.wrap_bio(arriving, leaving, server_side=True)
        with sock:
            while True:
                try:
                    tls.do_handshake()
                    break
                except ssl.SSLWantReadError:
                    sock.sendall(leaving.read())
                    arriving.write(sock.recv(65536))
            tls.write(OK)
            sock.sendall(leaving.read())
            taken.append(sock.recv(65536))

    pool = make_pool(verify=authority.file)
    with OneConnection(serve, "https") as server:
        with pytest.raises(TransportError) as caught:
            await fetch(pool, post(server.origin, b"once"))
        for _ in range(3):
            await asyncio.sleep(0)
    assert caught.value.request_sent is False
    assert taken == [b""]


async def test_broken_tls_after_the_request_is_no_refusal_of_the_handshake(
    make_pool: Callable[..., Pool], authority: Authority
) -> None:
    """The server has the request, and may have acted on it."""
    context = authority.server()
    closing = threading.Event()

    def serve(sock: socket.socket) -> None:
        with context.wrap_socket(sock, server_side=True) as tls:
            tls.recv(1000)
            os.write(tls.fileno(), b"\x17\x03\x03\x00\x20" + bytes(32))
            closing.wait(10)

    pool = make_pool(verify=authority.file)
    with OneConnection(serve, "https") as server:
        try:
            with pytest.raises(ReadError) as caught:
                await fetch(pool, post(server.origin, b"once"))
        finally:
            closing.set()
    assert not isinstance(caught.value, TLSError)
    assert caught.value.request_sent is True


# -- what is read ----------------------------------------------------------------------------------------------------


async def read(response: Response) -> object:
    return await response.stream.read()


async def read_into(response: Response) -> object:
    assert isinstance(response.stream, Exchange)
    return await response.stream.read_into(memoryview(bytearray(100_000)))


@pytest.mark.parametrize("how", [read, read_into])
async def test_closing_a_body_ends_the_wait_of_another_task(pool: Pool, how: Callable[[Response], Any]) -> None:
    async with FaultServer([Head(), Send(b"HTTP/1.1 200 OK\r\nContent-Length: 99999\r\n\r\n"), Hang()]) as server:
        response = await pool.send(get(server.origin), TIMEOUTS)
        reading = asyncio.ensure_future(how(response))
        await asyncio.sleep(0)
        await response.stream.aclose()
        async with asyncio.timeout(10):
            with pytest.raises(ReadError, match="closed before its end"):
                await reading


def feed_slowly(data: bytes, limits: HeadLimits) -> Exchange:
    exchange = Exchange(None, b"GET", None, None)  # type: ignore[arg-type]  # a reader needs no connection
    reader = AnswerReader(limits)
    for start in range(len(data)):
        reader.feed(exchange, memoryview(data)[start : start + 1])
    return exchange


def test_a_head_that_comes_byte_by_byte_is_looked_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    looked_at = 0

    def counting(data: bytes | bytearray, start: int = 0) -> bool:
        nonlocal looked_at
        looked_at += len(data) - start
        return find_bare_newline(data, start)

    monkeypatch.setattr(answer_module, "find_bare_newline", counting)
    data = b"HTTP/1.1 103 Early Hints\r\n\r\n" + answer(b"ok", b"X: " + b"a" * 5000)
    exchange = feed_slowly(data, HeadLimits(10_000, 10))
    assert exchange.head is not None
    assert exchange.head.headers[1] == (b"x", b"a" * 5000)
    assert looked_at < 3 * len(data)


@pytest.mark.parametrize(
    "data",
    [
        b"HTTP/1.1 200 OK\r\nX: a\nY: b",
        b"HTTP/1.1 200 OK\r\nX: a\rY: b",
        b"HTTP/1.1 200 OK\n",
        b"HTTX",
        b"HTTP/1.1 200 OK\r\nX: " + b"a" * 1000,
    ],
)
def test_a_head_that_comes_byte_by_byte_is_refused_as_one_at_once(data: bytes) -> None:
    with pytest.raises(RemoteProtocolError):
        feed_slowly(data, HeadLimits(500, 10))


class Pieces(list[bytes]):
    """Counts how many entries were moved to delete some."""

    moved = 0

    def __delitem__(self, index: Any) -> None:
        super().__delitem__(index)
        self.moved += len(self)


def test_many_small_chunks_are_poured_in_linear_time() -> None:
    exchange = Exchange(None, b"GET", None, None)  # type: ignore[arg-type]  # nobody is asked to go on
    exchange.link = None
    pieces = exchange._pieces = Pieces()
    for number in range(2000):
        exchange.push(b"%04d" % number)
    buffer = memoryview(bytearray(4099))
    poured = bytearray()
    while exchange.buffered:
        poured += buffer[: exchange._pour(buffer)]
    assert bytes(poured) == b"".join(b"%04d" % number for number in range(2000))
    assert pieces.moved <= 2 * 2000


async def test_many_small_chunks_are_held_as_one(pool: Pool) -> None:
    """An object for each byte would take many times the memory that is counted against a slow reader."""
    head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
    async with FaultServer([Head(), Send(head + b"2\r\nxy\r\n" * 5000 + b"0\r\n\r\n"), Hang()]) as server:
        response = await pool.send(get(server.origin), TIMEOUTS)
        assert isinstance(response.stream, Exchange)
        held = 0
        while response.stream.link is not None:
            held = max(held, len(response.stream._pieces))
            await asyncio.sleep(0)
        assert max(held, len(response.stream._pieces)) < 500
        assert await response.read_all(10_000) == b"xy" * 5000


async def test_reading_piece_by_piece_after_a_buffer_was_filled(pool: Pool) -> None:
    more = asyncio.Event()
    script: list[Step] = [
        Head(),
        Send(b"HTTP/1.1 200 OK\r\nContent-Length: 60000\r\n\r\n"),
        Until(more),
        Send(b"a" * 40_000),
        Take(1),
    ]
    async with FaultServer(script) as server:
        response = await pool.send(get(server.origin), TIMEOUTS)
        assert isinstance(response.stream, Exchange)
        buffer = memoryview(bytearray(20_000))
        reading = asyncio.ensure_future(response.stream.read_into(buffer))
        await asyncio.sleep(0)
        more.set()
        got = await reading
        while got < 40_000:
            got += len(await response.stream.read())
        assert got == 40_000
        await response.stream.aclose()
