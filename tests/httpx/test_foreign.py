"""httpx transports and clients behind our own seam."""

from __future__ import annotations

import asyncio
import gzip
import hashlib
import logging
import random
import ssl
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

from asyncclient import AsyncHub, errors
from asyncclient._httpx import ForeignTransport, PoolTransport, as_transport
from asyncclient._messages import Body, Origin, Request, Response
from asyncclient.types import Timeouts

pytestmark = pytest.mark.anyio

WAITS = Timeouts(connect=5, read=5, write=5)
BLOCK = bytes(range(256)) * 256


def request_to(
    port: int,
    target: bytes = b"/",
    *,
    method: bytes = b"GET",
    scheme: str = "http",
    headers: list[tuple[bytes, bytes]] | None = None,
    body: bytes | Body | None = None,
) -> Request:
    return Request(method, Origin(scheme, "127.0.0.1", port), target, headers or [], body)


class Pieces:
    """A body of blocks that counts how often it is opened and closed."""

    def __init__(self, count: int, *, length: bool, fail: Exception | None = None) -> None:
        self.count, self.fail = count, fail
        self.length = count * len(BLOCK) if length else None
        self.replayable = True
        self.opened = self.closed = 0

    async def open(self) -> AsyncIterator[bytes]:
        self.opened += 1
        try:
            for _ in range(self.count):
                yield BLOCK
            if self.fail is not None:
                raise self.fail
        finally:
            self.closed += 1


async def echo_app(scope: dict[str, Any], receive: Any, send: Any) -> None:
    """Say what arrived; at ``/stream`` send a long body."""
    digest, size, more = hashlib.sha256(), 0, True
    while more:
        message = await receive()
        digest.update(message.get("body", b""))
        size += len(message.get("body", b""))
        more = message.get("more_body", False)
    headers = dict(scope["headers"])
    packed = scope["path"] == "/gzip"
    extra = [(b"content-encoding", b"gzip")] if packed else []
    await send({"type": "http.response.start", "status": 200, "headers": [(b"X-Kind", b"Echo"), *extra]})
    if scope["path"] == "/stream":
        for _ in range(32):
            await send({"type": "http.response.body", "body": BLOCK, "more_body": True})
        await send({"type": "http.response.body", "body": b""})
        return
    text = f"{scope['method']} {scope['http_version']} {size} {digest.hexdigest()} {headers.get(b'authorization')}"
    await send({"type": "http.response.body", "body": gzip.compress(text.encode()) if packed else text.encode()})


def said(method: str, version: str, body: bytes, authorization: object = None) -> bytes:
    return f"{method} {version} {len(body)} {hashlib.sha256(body).hexdigest()} {authorization}".encode()


Make = Callable[[], httpx.AsyncBaseTransport | httpx.AsyncClient]
MAKERS: dict[str, Make] = {
    "transport": lambda: httpx.AsyncHTTPTransport(),
    "client": lambda: httpx.AsyncClient(auth=("not", "used"), headers={"x-not": "used"}, base_url="http://not.used/"),
}


@pytest.mark.parametrize("make", MAKERS.values(), ids=MAKERS)
async def test_requests_over_real_sockets(uvicorn_port: Any, make: Make) -> None:
    async with uvicorn_port(echo_app) as port:
        transport = ForeignTransport(make())
        response = await transport.send(request_to(port, b"/a?b=%2F"), WAITS)
        assert (response.status, response.http_version, response.reason) == (200, b"1.1", b"OK")
        assert response.header(b"x-kind") == b"Echo"
        assert await response.read_all(1000) == said("GET", "1.1", b"")
        for body in (Pieces(20, length=True), Pieces(20, length=False)):
            response = await transport.send(request_to(port, method=b"POST", body=body), WAITS)
            assert await response.read_all(1000) == said("POST", "1.1", BLOCK * 20)
            assert (body.opened, body.closed) == (1, 1)
        response = await transport.send(request_to(port, method=b"PUT", body=b"abc"), WAITS)
        assert await response.read_all(1000) == said("PUT", "1.1", b"abc")
        response = await transport.send(request_to(port, b"/gzip"), WAITS)
        assert gzip.decompress(await response.read_all(1000)) == said("GET", "1.1", b"")
        response = await transport.send(request_to(port, b"/stream"), WAITS)
        received = b""
        while piece := await response.stream.read():
            received += piece
        assert received == BLOCK * 32
        assert (await response.stream.read(), response.stream.read_nowait()) == (b"", b"")
        await response.stream.aclose()
        dropped = await transport.send(request_to(port, b"/stream"), WAITS)
        assert dropped.stream.read_nowait() is None
        await dropped.stream.read()
        await dropped.stream.aclose()
        await dropped.stream.aclose()
        assert await dropped.stream.read() == b""
        await transport.aclose()
        with pytest.raises(errors.HubClosed):
            await transport.send(request_to(port), WAITS)


async def test_http2(http2_port: Any, ca_file: Path) -> None:
    async with http2_port(echo_app) as port:
        context = ssl.create_default_context(cafile=str(ca_file))
        transport = ForeignTransport(httpx.AsyncHTTPTransport(http2=True, verify=context))
        answers = await asyncio.gather(
            *(transport.send(request_to(port, scheme="https", method=b"POST", body=b"x" * n), WAITS) for n in range(10))
        )
        assert {answer.http_version for answer in answers} == {b"2"}
        for n, answer in enumerate(answers):
            assert await answer.read_all(1000) == said("POST", "2", b"x" * n)
        body = Pieces(10, length=True)
        answer = await transport.send(request_to(port, scheme="https", method=b"POST", body=body), WAITS)
        assert await answer.read_all(1000) == said("POST", "2", BLOCK * 10)
        await transport.aclose()


async def test_asgi_transport() -> None:
    transport = ForeignTransport(httpx.ASGITransport(echo_app))
    answer = await transport.send(request_to(80, b"/stream"), WAITS)
    assert await answer.read_all(1 << 30) == BLOCK * 32
    answer = await transport.send(request_to(80, method=b"POST", body=Pieces(3, length=False)), WAITS)
    assert await answer.read_all(1000) == said("POST", "1.1", BLOCK * 3)
    await transport.aclose()


async def test_mock_transport() -> None:
    seen: list[httpx.Request] = []

    def handler(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        if request.url.path == "/gzip":
            return httpx.Response(200, headers={"content-encoding": "gzip"}, content=gzip.compress(b"plain"))
        return httpx.Response(202, json={"ok": True}, extensions={"reason_phrase": b"Taken", "http_version": b"HTTP/3"})

    transport = ForeignTransport(httpx.MockTransport(handler))
    sent = request_to(8080, b"/x?y=1", headers=[(b"authorization", b"Bearer t"), (b"accept", b"*/*")])
    answer = await transport.send(sent, Timeouts(connect=1, read=2, write=3))
    assert (answer.status, answer.reason, answer.http_version) == (202, b"Taken", b"3")
    assert answer.stream.read_nowait() == b'{"ok":true}'
    assert str(seen[0].url) == "http://127.0.0.1:8080/x?y=1"
    assert seen[0].headers["authorization"] == "Bearer t"
    assert seen[0].extensions["timeout"] == {"connect": 1, "read": 2, "write": 3, "pool": 1}
    assert "target" not in seen[0].extensions
    answer = await transport.send(request_to(80, b"/gzip"), WAITS)
    assert gzip.decompress(await answer.stream.read()) == b"plain"
    assert await answer.stream.read() == b""
    await answer.stream.aclose()
    await transport.send(request_to(80, b"/a/../b"), WAITS)
    assert seen[-1].extensions["target"] == b"/a/../b"


async def test_a_client_keeps_its_hooks_and_mounts_and_adds_nothing() -> None:
    log: list[str] = []

    async def hook(request: httpx.Request) -> None:
        log.append(request.url.path)

    def handler(request: httpx.Request) -> httpx.Response:
        assert "cookie" not in request.headers
        assert "authorization" not in request.headers
        assert "user-agent" not in request.headers
        return httpx.Response(302, headers={"location": "/elsewhere", "set-cookie": "a=b"})

    client = httpx.AsyncClient(
        event_hooks={"request": [hook]},
        mounts={"http://": httpx.MockTransport(handler)},
        cookies={"c": "d"},
        auth=("u", "p"),
        follow_redirects=True,
    )
    transport = ForeignTransport(client)
    for _ in range(2):
        answer = await transport.send(request_to(80, b"/first"), WAITS)
        assert answer.status == 302
        assert await answer.read_all(10) == b""
    assert log == ["/first"] * 2
    assert "AsyncClient" in repr(transport)
    await transport.aclose()
    assert client.is_closed


# --- errors ----------------------------------------------------------------------------------------------------------


NOT_SENT = {httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.UnsupportedProtocol, httpx.ProxyError}


@pytest.mark.parametrize(
    ("theirs", "ours"),
    [
        (httpx.ConnectError, errors.ConnectError),
        (httpx.ConnectTimeout, errors.ConnectTimeout),
        (httpx.PoolTimeout, errors.ConnectTimeout),
        (httpx.ReadTimeout, errors.ReadTimeout),
        (httpx.ReadError, errors.ReadError),
        (httpx.CloseError, errors.ReadError),
        (httpx.WriteTimeout, errors.WriteTimeout),
        (httpx.WriteError, errors.WriteError),
        (httpx.ProxyError, errors.ProxyError),
        (httpx.UnsupportedProtocol, errors.LocalProtocolError),
        (httpx.LocalProtocolError, errors.LocalProtocolError),
        (httpx.RemoteProtocolError, errors.RemoteProtocolError),
        (httpx.DecodingError, errors.RemoteProtocolError),
        (httpx.TooManyRedirects, errors.TooManyRedirects),
        (httpx.TransportError, errors.TransportError),
    ],
)
async def test_errors_are_ours(theirs: type[httpx.RequestError], ours: type[errors.TransportError]) -> None:
    def handler(request: httpx.Request) -> httpx.Response:
        raise theirs("text of the error: secret-value")

    transport = ForeignTransport(httpx.MockTransport(handler))
    with pytest.raises(ours) as caught:
        await transport.send(request_to(81, b"/x?token=secret", method=b"PUT"), WAITS)
    error = caught.value
    assert type(error) is ours
    assert (error.origin, error.method, error.request_sent) == ("http://127.0.0.1:81", "PUT", theirs not in NOT_SENT)
    assert ("secret" in str(error)) == (theirs in (httpx.ConnectError, httpx.ProxyError))
    if theirs is httpx.LocalProtocolError:
        assert error.__cause__ is error.__context__ is None
    else:
        assert isinstance(error.__cause__, theirs)


async def test_a_custom_subclass_counts_as_what_it_is() -> None:
    class Special(httpx.ReadTimeout):
        pass

    def handler(request: httpx.Request) -> httpx.Response:
        raise Special("x")

    with pytest.raises(errors.ReadTimeout):
        await ForeignTransport(httpx.MockTransport(handler)).send(request_to(80), WAITS)


async def test_errors_of_real_connections(serve: Any, server_context: ssl.SSLContext) -> None:
    async def hang_up(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        if b"/short" in head:
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nx")
        if b"/slow" in head:
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nx")
            await asyncio.Event().wait()

    transport = ForeignTransport(httpx.AsyncHTTPTransport())
    async with serve(hang_up) as port, serve(hang_up, ssl=server_context) as secure:
        with pytest.raises(errors.RemoteProtocolError) as caught:
            await transport.send(request_to(port), WAITS)
        assert caught.value.request_sent
        answer = await transport.send(request_to(port, b"/short"), WAITS)
        assert await answer.stream.read() == b"x"
        with pytest.raises(errors.RemoteProtocolError):
            await answer.stream.read()
        assert await answer.stream.read() == b""
        await answer.stream.aclose()
        answer = await transport.send(request_to(port, b"/slow"), Timeouts(connect=5, read=0.05))
        with pytest.raises(errors.ReadTimeout):
            await answer.read_all(100)
        with pytest.raises(errors.TLSError, match="TLS"):
            await transport.send(request_to(secure, scheme="https"), WAITS)
        with pytest.raises(errors.LocalProtocolError) as refused:
            await transport.send(request_to(port, headers=[(b"authorization", b"Bearer \x00secret")]), WAITS)
        assert "secret" not in repr(refused.value)
        assert refused.value.__context__ is None
    with pytest.raises(errors.ConnectError):
        await transport.send(request_to(port), WAITS)
    await transport.aclose()


async def test_an_error_of_the_body_is_raised_as_it_is(uvicorn_port: Any) -> None:
    transport = ForeignTransport(httpx.AsyncHTTPTransport())
    async with uvicorn_port(echo_app) as port:
        body = Pieces(1, length=False, fail=errors.SourceChanged("the file changed"))
        with pytest.raises(errors.SourceChanged):
            await transport.send(request_to(port, method=b"POST", body=body), WAITS)
        assert body.closed == 1
    await transport.aclose()


# --- cancellation ----------------------------------------------------------------------------------------------------


def pool_of(inner: httpx.AsyncHTTPTransport) -> Any:
    return inner._pool


async def test_a_cancelled_send_returns_at_once_and_the_answer_is_closed(serve: Any) -> None:
    asked, go = asyncio.Event(), asyncio.Event()

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            await reader.readuntil(b"\r\n\r\n")
            asked.set()
            await go.wait()
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")

    inner = httpx.AsyncHTTPTransport()
    transport = ForeignTransport(inner)
    async with serve(answer) as port:
        task = asyncio.create_task(transport.send(request_to(port), WAITS))
        await asked.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert len(transport._tasks) == 1
        go.set()
        while transport._tasks:
            await asyncio.sleep(0.001)
        assert transport._turns.value == 32
        assert all(connection.is_idle() or connection.is_closed() for connection in pool_of(inner).connections)
        await transport.aclose()


async def test_an_abandoned_send_does_not_wait_for_ever(serve: Any) -> None:
    asked = asyncio.Event()

    async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        asked.set()
        await asyncio.Event().wait()

    inner = httpx.AsyncHTTPTransport()
    transport = ForeignTransport(inner)
    async with serve(silent) as port:
        while not asked.is_set():  # on a busy machine connecting may take longer than that, now and then
            task = asyncio.create_task(transport.send(request_to(port), Timeouts(connect=0.01, read=None)))
            await asyncio.wait([task, asyncio.create_task(asked.wait())], return_when=asyncio.FIRST_COMPLETED)
            if task.done():
                assert isinstance(task.exception(), errors.ConnectTimeout)
        task.cancel()
        await asyncio.wait([task])
        while transport._tasks:  # ends about a second later
            await asyncio.sleep(0.01)
        assert not pool_of(inner).connections
    await transport.aclose()


async def test_an_abandoned_send_that_fails_is_silent(serve: Any) -> None:
    asked, go = asyncio.Event(), asyncio.Event()

    async def hang_up(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        asked.set()
        await go.wait()

    transport = ForeignTransport(httpx.AsyncHTTPTransport())
    async with serve(hang_up) as port:
        task = asyncio.create_task(transport.send(request_to(port), WAITS))
        await asked.wait()
        task.cancel()
        await asyncio.wait([task])
        go.set()
        while transport._tasks:
            await asyncio.sleep(0.001)
    await transport.aclose()


async def test_a_cancelled_read_loses_nothing(serve: Any) -> None:
    go = asyncio.Event()

    async def slow(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nabc")
        await go.wait()
        writer.write(b"def")
        await asyncio.Event().wait()

    transport = ForeignTransport(httpx.AsyncHTTPTransport())
    async with serve(slow) as port:
        answer = await transport.send(request_to(port), WAITS)
        assert await answer.stream.read() == b"abc"
        for _ in range(3):
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(0.01):
                    await answer.stream.read()
        go.set()
        assert await answer.stream.read() == b"def"
        assert await answer.stream.read() == b""
        await transport.aclose()


async def test_an_answer_is_dropped_while_it_is_waited_for(serve: Any) -> None:
    async def half(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nabc")
        await asyncio.Event().wait()

    inner = httpx.AsyncHTTPTransport()
    transport = ForeignTransport(inner, max_connections=1)
    async with serve(half) as port:
        for _ in range(3):
            answer = await transport.send(request_to(port), WAITS)
            assert await answer.stream.read() == b"abc"
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(0.01):
                    await answer.stream.read()
            await answer.stream.aclose()
            assert await answer.stream.read() == b""
        held = await transport.send(request_to(port), WAITS)
        with pytest.raises(errors.ConnectTimeout) as caught:
            await transport.send(request_to(port), Timeouts(connect=0.02))
        assert not caught.value.request_sent
        await held.stream.aclose()
        while transport._tasks:
            await asyncio.sleep(0.001)
        assert not pool_of(inner).connections
        assert transport._turns.value == 1
    await transport.aclose()


async def test_closing_ends_what_is_under_way_with_our_error(serve: Any) -> None:
    async def half(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        if b"/half" in head:
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\n")
        await asyncio.Event().wait()

    transport = ForeignTransport(httpx.AsyncHTTPTransport())
    async with serve(half) as port:
        answer = await transport.send(request_to(port, b"/half"), WAITS)
        reading = asyncio.create_task(answer.stream.read())
        sending = asyncio.create_task(transport.send(request_to(port), WAITS))
        await asyncio.sleep(0.02)
        await transport.aclose()
        for task in (reading, sending):
            with pytest.raises(errors.ReadError, match="closed"):
                await task


@pytest.mark.parametrize("kind", ["transport", "client"])
async def test_cancellation_churn_leaks_no_connection(serve: Any, kind: str) -> None:
    """ANCHORS 9.1 in small: httpcore 1.0.9 alone ends with places of its pool lost for good."""
    rng = random.Random(7)

    async def jittery(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            await reader.readuntil(b"\r\n\r\n")
            await asyncio.sleep(rng.uniform(0, 0.02))
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
            await writer.drain()

    inner = httpx.AsyncHTTPTransport(limits=httpx.Limits(max_connections=10, max_keepalive_connections=10))
    transport = ForeignTransport(
        inner if kind == "transport" else httpx.AsyncClient(transport=inner), max_connections=10
    )
    end = asyncio.get_running_loop().time() + 2
    done = {"answers": 0, "cancelled": 0}

    async with serve(jittery) as port:

        async def one() -> None:
            answer = await transport.send(request_to(port), WAITS)
            assert await answer.read_all(10) == b"ok"

        async def worker() -> None:
            while asyncio.get_running_loop().time() < end:
                try:
                    async with asyncio.timeout(rng.uniform(0, 0.06)):
                        await one()
                    done["answers"] += 1
                except TimeoutError:
                    done["cancelled"] += 1

        await asyncio.gather(*(worker() for _ in range(40)))
        assert done["cancelled"] > 50
        for _ in range(3):
            await one()
        while transport._tasks:
            await asyncio.sleep(0.001)
        pool = pool_of(inner)
        assert not pool._requests
        assert transport._turns.value == 10
        assert all(connection.is_idle() for connection in pool.connections)
    await transport.aclose()


# --- what a hub takes ------------------------------------------------------------------------------------------------


async def test_as_transport() -> None:
    class Ours:
        async def send(self, request: Request, timeouts: Any) -> Response:
            raise AssertionError

        async def aclose(self) -> None:
            pass

    ours = Ours()
    assert as_transport(ours) is ours
    pooled = PoolTransport()
    assert as_transport(pooled) is pooled.pool
    assert isinstance(as_transport(httpx.MockTransport(lambda request: httpx.Response(200))), ForeignTransport)
    with httpx.Client() as blocking:
        for wrong in (blocking, httpx.HTTPTransport(), object(), "http://x", Ours):
            with pytest.raises(errors.ArgumentTypeError, match="transport must be"):
                as_transport(wrong)


async def test_a_hub_works_over_a_foreign_transport(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    async with AsyncHub(transport=httpx.MockTransport(lambda request: httpx.Response(200, text="hello"))) as hub:
        answer = await hub._opened().transport.send(request_to(80), WAITS)
        assert await answer.read_all(10) == b"hello"
        assert hub.statistics().connections_open == 0
