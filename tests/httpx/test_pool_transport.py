"""Our pool as a transport of httpx: everything httpx does on top must still work."""

from __future__ import annotations

import asyncio
import gzip
import hashlib
import ssl
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from asyncclient import AsyncHub, _httpx, errors
from asyncclient._httpx import PoolTransport
from asyncclient._httpx.pooled import _message_of
from asyncclient._messages import Request
from asyncclient._rules import Answer, Rules
from asyncclient.types import Limits, RetryPolicy, Timeouts
from tests.net.conftest import get
from tests.support.fault_server import FaultServer

pytestmark = pytest.mark.anyio

BLOCK = bytes(range(256)) * 256


async def app(scope: dict[str, Any], receive: Any, send: Any) -> None:
    """Answers by path."""
    path = scope["path"]
    headers = dict(scope["headers"])
    body = b""
    more = True
    digest, size = hashlib.sha256(), 0
    while more:
        message = await receive()
        digest.update(message.get("body", b""))
        size += len(message.get("body", b""))
        more = message.get("more_body", False)

    async def reply(status: int, body: bytes = b"", *extra: tuple[bytes, bytes]) -> None:
        await send({"type": "http.response.start", "status": status, "headers": list(extra)})
        await send({"type": "http.response.body", "body": body})

    if path == "/echo":
        framing = headers.get(b"transfer-encoding", headers.get(b"content-length", b"none"))
        body = f"{scope['method']} {size} {digest.hexdigest()} {framing.decode()}".encode()
        await reply(200, body, (b"x-query", scope["query_string"]), (b"x-host", headers[b"host"]))
    elif path == "/gzip":
        packed = gzip.compress(BLOCK)
        await reply(200, packed, (b"content-encoding", b"gzip"), (b"content-length", str(len(packed)).encode()))
    elif path == "/stream":
        await send({"type": "http.response.start", "status": 200, "headers": []})
        for _ in range(64):
            await send({"type": "http.response.body", "body": BLOCK, "more_body": True})
        await send({"type": "http.response.body", "body": b""})
    elif path == "/redirect":
        await reply(302, b"", (b"location", b"/echo"), (b"set-cookie", b"k=v; Path=/"))
    elif path == "/cookie":
        await reply(200, headers.get(b"cookie", b"none"))
    elif path == "/private":
        status = 200 if headers.get(b"authorization", b"").startswith(b"Basic ") else 401
        await reply(status, headers.get(b"authorization", b""))
    elif path == "/nothing":
        await reply(204)
    else:
        await reply(200, b"hello", (b"content-length", b"5"))


async def test_what_httpx_does_works(uvicorn_port: Any) -> None:
    async with (
        uvicorn_port(app) as port,
        httpx.AsyncClient(transport=PoolTransport(), base_url=f"http://127.0.0.1:{port}") as client,
    ):
        plain = await client.get("/", params={"a": "b c"})
        assert (plain.status_code, plain.text, plain.http_version, plain.reason_phrase) == (
            200,
            "hello",
            "HTTP/1.1",
            "OK",
        )
        assert plain.elapsed.total_seconds() > 0
        head = await client.head("/")
        assert (head.status_code, head.content, head.headers["content-length"]) == (200, b"", "5")
        assert (await client.get("/nothing")).content == b""
        assert (await client.get("/gzip")).content == BLOCK
        redirected = await client.get("/redirect", follow_redirects=True)
        assert redirected.text.startswith("GET 0 ")
        assert [r.status_code for r in redirected.history] == [302]
        assert (await client.get("/cookie")).text == "k=v"
        assert (await client.get("/private", auth=("user", "word"))).status_code == 200
        assert (await client.get("/private")).status_code == 401
        echoed = await client.get("/echo?x=%2F&y=a+b")
        assert echoed.headers["x-query"] == "x=%2F&y=a+b"
        assert echoed.headers["x-host"] == f"127.0.0.1:{port}"
        pool = client._transport.pool.statistics()  # type: ignore[attr-defined]  # a PoolTransport
        assert (pool.opened, pool.active) == (1, 0)


async def test_bodies_are_streamed_both_ways(uvicorn_port: Any) -> None:
    async def pieces() -> AsyncIterator[bytes]:
        for _ in range(64):
            yield BLOCK
            await asyncio.sleep(0)

    size, digest = 64 * len(BLOCK), hashlib.sha256(BLOCK * 64).hexdigest()
    async with (
        uvicorn_port(app) as port,
        httpx.AsyncClient(transport=PoolTransport(), base_url=f"http://127.0.0.1:{port}") as client,
    ):
        assert (await client.post("/echo", content=pieces())).text == f"POST {size} {digest} chunked"
        with_length = await client.put("/echo", content=pieces(), headers={"content-length": str(size)})
        assert with_length.text == f"PUT {size} {digest} {size}"
        assert (await client.post("/echo", content=b"abc")).text.startswith("POST 3 ")
        assert (await client.post("/echo")).text.endswith(" 0")
        assert (await client.post("/echo", files={"f": ("n", b"x" * 1000)})).status_code == 200
        async with client.stream("GET", "/stream") as response:
            received = b"".join([piece async for piece in response.aiter_raw()])
        assert received == BLOCK * 64
        async with client.stream("GET", "/stream") as response:
            async for _ in response.aiter_raw():
                break
        assert (await client.get("/")).text == "hello"


async def test_a_target_extension_is_used(uvicorn_port: Any) -> None:
    async with uvicorn_port(app) as port, httpx.AsyncClient(transport=PoolTransport()) as client:
        response = await client.get(f"http://127.0.0.1:{port}/", extensions={"target": b"/echo?[x]|"})
        assert response.headers["x-query"] == "[x]|"


async def test_tls_with_a_custom_authority(serve: Any, server_context: ssl.SSLContext, ca_file: Path) -> None:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 Fine\r\nContent-Length: 2\r\n\r\nok")
        await writer.drain()

    async with serve(answer, ssl=server_context) as port:
        async with httpx.AsyncClient(transport=PoolTransport(verify=str(ca_file))) as client:
            response = await client.get(f"https://localhost:{port}/")
            assert (response.text, response.reason_phrase) == ("ok", "Fine")
        async with httpx.AsyncClient(transport=PoolTransport()) as client:
            with pytest.raises(httpx.ConnectError, match="certificate") as caught:
                await client.get(f"https://localhost:{port}/")
            assert isinstance(caught.value.__cause__, errors.TLSError)
            assert caught.value.request.url.port == port


# --- errors ----------------------------------------------------------------------------------------------------------


async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await asyncio.Event().wait()


async def test_timeouts(serve: Any) -> None:
    async def head_only(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\no")
        await asyncio.Event().wait()

    async with (
        serve(silent) as deaf,
        serve(head_only) as half,
        httpx.AsyncClient(transport=PoolTransport()) as client,
    ):
        with pytest.raises(httpx.ReadTimeout) as caught:
            await client.get(f"http://127.0.0.1:{deaf}/", timeout=httpx.Timeout(5, read=0.05))
        assert caught.value.request.url.port == deaf
        with pytest.raises(httpx.ReadTimeout) as caught:
            await client.get(f"http://127.0.0.1:{half}/", timeout=httpx.Timeout(5, read=0.05))
        assert caught.value.request.url.port == half
        with pytest.raises(httpx.WriteTimeout):
            await client.post(
                f"http://127.0.0.1:{deaf}/", content=bytes(64 << 20), timeout=httpx.Timeout(5, write=0.05)
            )
        with pytest.raises(httpx.ConnectTimeout):  # TLS never begins
            await client.get(f"https://127.0.0.1:{deaf}/", timeout=httpx.Timeout(5, connect=0.2))
        assert client._transport.pool.statistics().active == 0  # type: ignore[attr-defined]  # a PoolTransport


async def test_broken_answers(serve: Any, unused_tcp_port: int) -> None:
    answers = {
        b"/garbage": b"this is not HTTP\r\n\r\n",
        b"/short": b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nx",
        b"/none": b"",
    }

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        line = await reader.readuntil(b"\r\n\r\n")
        writer.write(answers[line.split()[1]])

    async with serve(answer) as port, httpx.AsyncClient(transport=PoolTransport()) as client:
        for path in answers:
            with pytest.raises((httpx.RemoteProtocolError, httpx.ReadError)):
                await client.post(f"http://127.0.0.1:{port}{path.decode()}")
        with pytest.raises(httpx.ConnectError):
            await client.get(f"http://127.0.0.1:{unused_tcp_port}/")
        with pytest.raises(httpx.LocalProtocolError) as caught:
            await client.get(f"http://127.0.0.1:{port}/", headers={"x": "a\r\nb"})
        assert "a\r\nb" not in str(caught.value)
        with pytest.raises(httpx.UnsupportedProtocol):
            await client.get("ftp://127.0.0.1/")
        assert client._transport._turns.value == 32  # type: ignore[attr-defined]  # a PoolTransport


@pytest.fixture
def unused_tcp_port() -> int:
    import socket

    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def subclasses(root: type[Any]) -> set[type[Any]]:
    found = {root}
    for child in root.__subclasses__():
        found |= subclasses(child)
    return found


def test_the_tables_of_errors_are_complete() -> None:
    package = {kind for kind in subclasses(errors.TransportError) if kind.__module__ == "asyncclient.errors"}
    assert set(_httpx.TO_HTTPX) == package
    theirs = {kind for kind in subclasses(httpx.RequestError) if kind.__module__.startswith("httpx")}
    assert set(_httpx.FROM_HTTPX) == theirs


def test_every_error_is_the_same_after_a_round_trip_or_its_parent() -> None:
    for ours, theirs in _httpx.TO_HTTPX.items():
        back, _, _ = _httpx.FROM_HTTPX[theirs]
        assert issubclass(ours, back) or ours in (errors.ResponseTooLarge, errors.StallTimeout)


# --- turns -----------------------------------------------------------------------------------------------------------


async def test_requests_wait_their_turn_first_come_first_served(serve: Any) -> None:
    order: list[bytes] = []
    most, now = 0, 0

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal most, now
        while True:
            head = await reader.readuntil(b"\r\n\r\n")
            now += 1
            most = max(most, now)
            order.append(head.split()[1])
            await asyncio.sleep(0.002)
            now -= 1
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")

    async with serve(answer) as port, httpx.AsyncClient(transport=PoolTransport(max_connections=1)) as client:
        await asyncio.gather(*(client.get(f"http://127.0.0.1:{port}/{n}") for n in range(20)))
    assert most == 1
    assert order == [b"/%d" % n for n in range(20)]


async def test_a_turn_lasts_until_the_response_is_closed(uvicorn_port: Any) -> None:
    transport = PoolTransport(max_connections=1)
    async with (
        uvicorn_port(app) as port,
        httpx.AsyncClient(
            transport=transport, base_url=f"http://127.0.0.1:{port}", timeout=httpx.Timeout(5, pool=0.05)
        ) as client,
    ):
        async with client.stream("GET", "/stream") as response:
            with pytest.raises(httpx.PoolTimeout) as caught:
                await client.get("/")
            assert caught.value.request.url.path == "/"
            assert response.status_code == 200
        assert (await client.get("/")).text == "hello"
        await response.aclose()
        assert transport._turns.value == 1


async def test_cancelled_requests_give_their_turn_back(serve: Any) -> None:
    answering = asyncio.Event()

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            await reader.readuntil(b"\r\n\r\n")
            await answering.wait()
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")

    transport = PoolTransport(max_connections=2)
    async with serve(answer) as port, httpx.AsyncClient(transport=transport) as client:
        for _ in range(20):
            tasks = [asyncio.create_task(client.get(f"http://127.0.0.1:{port}/")) for _ in range(6)]
            await asyncio.sleep(0.003)
            for task in tasks:
                task.cancel()
            await asyncio.wait(tasks)
            assert all(task.cancelled() for task in tasks)
            assert transport._turns.value == 2
        answering.set()
        assert (await client.get(f"http://127.0.0.1:{port}/")).text == "ok"
        assert "0 active" in repr(transport)


async def test_memory_that_is_used_again_for_the_next_piece() -> None:
    """As readers do that fill one buffer again and again; a piece may still wait to be sent then."""

    async def pieces() -> AsyncIterator[bytes]:
        memory = bytearray(1000)
        for number in range(5):
            memory[:] = bytes([number]) * 1000
            yield memory

    body = _message_of(httpx.Request("POST", "http://127.0.0.1/", content=pieces())).body
    assert body is not None
    assert not isinstance(body, bytes)
    sent = [piece async for piece in body.open()]
    assert b"".join(sent) == b"".join(bytes([number]) * 1000 for number in range(5))


def _refused(request: Request, answer: Answer) -> errors.APIError:
    raise AssertionError


@pytest.mark.parametrize("reserve", [None, 0, 20])
async def test_a_hub_admits_no_more_than_the_pool_it_was_given_has(reserve: int | None) -> None:
    async with FaultServer() as server:
        transport = PoolTransport(max_connections=2)
        async with AsyncHub(transport=transport, limits=Limits(control_reserve=reserve)) as hub:
            rules = Rules("demo", _refused, None, lambda origin: True, Timeouts(), RetryPolicy())
            calls = [hub._opened().fetch(get(server.origin), "get", rules) for _ in range(10)]
            assert [found.body for found in await asyncio.gather(*calls)] == [b"ok"] * 10
            assert len(server.connections) <= 2
            assert hub.limits.max_connections == 32
