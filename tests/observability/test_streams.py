"""Answers whose bodies are streamed: how their ends are told, and when their spans end."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import httpx
import pytest
from opentelemetry import trace
from opentelemetry.trace import StatusCode

from asyncclient import AsyncHub, errors
from asyncclient import telemetry as t
from asyncclient._messages import Origin, Request
from asyncclient._pipeline import Rules, StreamedAnswer
from asyncclient.errors import APIError
from asyncclient.types import RetryPolicy, Timeouts
from tests.observability.test_observers import Recorder
from tests.observability.test_opentelemetry import Sdk, attributes, parent_of, sdk

__all__ = ["sdk"]  # the fixture

pytestmark = pytest.mark.anyio
HALF = 40_000


@dataclass
class Dripping:
    """A server whose answers stop in the middle until they may go on, or break off there.

    Attributes:
        port: Where it listens.
        go_on: Lets answers go on.
        breaks: Whether they break off instead.
    """

    port: int = 0
    go_on: asyncio.Event = field(default_factory=asyncio.Event)
    breaks: bool = False

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while await reader.readuntil(b"\r\n\r\n"):
                writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n" % (2 * HALF) + b"a" * HALF)
                await self.go_on.wait()
                if self.breaks:
                    break
                writer.write(b"b" * HALF)
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()


@pytest.fixture
async def server() -> AsyncIterator[Dripping]:
    dripping = Dripping()
    listening = await asyncio.start_server(dripping.serve, "127.0.0.1", 0)
    dripping.port = listening.sockets[0].getsockname()[1]
    async with listening:
        yield dripping
        dripping.go_on.set()


@asynccontextmanager
async def answered(server: Dripping, *observers: t.Observer, **given: Any) -> AsyncIterator[StreamedAnswer]:
    """Ask for a stream; gives the answer when its head has arrived."""
    origin = Origin("http", "127.0.0.1", server.port)
    rules = Rules(
        "las",
        error=lambda request, answer: APIError("refused", status=answer.status),
        auth=None,
        auth_origins=lambda _: True,
        timeouts=Timeouts(total=30),
        policy=RetryPolicy(max_retries=0),
    )
    async with AsyncHub(observers=observers, **given) as hub:
        answer = await hub._opened().stream(Request(b"GET", origin, b"/file", []), "fetch", rules)
        yield answer
        await answer.aclose()


async def read_all(answer: StreamedAnswer) -> int:
    size = 0
    while piece := await answer.read():
        size += len(piece)
    return size


async def read_all_into(answer: StreamedAnswer) -> int:
    size, buffer = 0, memoryview(bytearray(10_000))
    while count := await answer.read_into(buffer):
        size += count
    return size


WAYS = pytest.mark.parametrize("read", [read_all, read_all_into])
Read = Callable[[StreamedAnswer], Awaitable[int]]


@WAYS
@pytest.mark.parametrize("foreign", [False, True], ids=["pool", "httpx"])
async def test_read_to_the_end(server: Dripping, read: Read, foreign: bool, caplog: pytest.LogCaptureFixture) -> None:
    recorder = Recorder()
    given = {"transport": httpx.AsyncClient()} if foreign else {}
    with caplog.at_level(logging.DEBUG, "asyncclient.las"):
        async with answered(server, recorder, **given) as answer:
            [head] = recorder.of(t.AttemptFinished)
            assert (head.streamed, head.response_bytes) == (True, 2 * HALF)
            assert not recorder.of(t.BodyFinished)
            server.go_on.set()
            assert await read(answer) == 2 * HALF
            [end] = recorder.of(t.BodyFinished)
    assert recorder.of(t.BodyFinished) == [end]  # closing says it no second time
    assert end.attempt is head.attempt
    assert (end.bytes, end.complete, end.error) == (2 * HALF, True, None)
    [record] = [record for record in caplog.records if getattr(record, "event", "") == "body"]
    assert "fetch: body of attempt 1: read to its end, 80000 bytes in" in record.getMessage()


@WAYS
async def test_broken_off(server: Dripping, read: Read) -> None:
    recorder = Recorder()
    server.breaks = True
    server.go_on.set()
    async with answered(server, recorder) as answer:
        with pytest.raises(errors.TransportError) as caught:
            await read(answer)
        [end] = recorder.of(t.BodyFinished)
    assert (end.complete, end.error) == (False, type(caught.value).__name__)
    assert end.bytes <= HALF


async def test_closed_early(server: Dripping, caplog: pytest.LogCaptureFixture) -> None:
    recorder = Recorder()
    with caplog.at_level(logging.DEBUG, "asyncclient.las"):
        async with answered(server, recorder) as answer:
            first = await answer.read()
    [end] = recorder.of(t.BodyFinished)
    assert (end.bytes, end.complete, end.error) == (len(first), False, None)
    assert "closed before its end" in caplog.text


@WAYS
async def test_a_wait_that_is_cancelled(server: Dripping, read: Read) -> None:
    """Reading may go on after it; if it does not, it is what the body ended with."""
    recorder = Recorder()

    async def interrupted(answer: StreamedAnswer) -> None:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.05):
                await read(answer)

    async with answered(server, recorder) as answer:
        await interrupted(answer)
        assert not recorder.of(t.BodyFinished)
    assert recorder.of(t.BodyFinished)[-1].error == "CancelledError"
    async with answered(server, recorder) as answer:
        await interrupted(answer)
        server.go_on.set()
        await read(answer)
    assert (recorder.of(t.BodyFinished)[-1].error, recorder.of(t.BodyFinished)[-1].complete) == (None, True)


async def test_an_empty_buffer_is_no_end(server: Dripping) -> None:
    recorder = Recorder()
    async with answered(server, recorder) as answer:
        await answer.read_into(memoryview(bytearray()))
        assert not recorder.of(t.BodyFinished)


async def test_the_span_lasts_as_long_as_the_body(server: Dripping, sdk: Sdk) -> None:
    async with answered(server, sdk.observer()) as answer:
        [call] = sdk.spans()
        assert call.name == "fetch"
        assert trace.get_current_span() is trace.INVALID_SPAN
        metrics = sdk.metrics()
        assert [point.value for point in metrics["http.client.active_requests"]] == [1]
        assert "http.client.request.duration" not in metrics
        with sdk.tracer.start_as_current_span("between"):
            await answer.read()
        server.go_on.set()
        await read_all(answer)
        [span] = sdk.spans("GET")
    [between] = sdk.spans("between")
    assert parent_of(between) is None
    assert parent_of(span) == call.context.span_id
    assert span.end_time is not None
    assert between.end_time is not None
    assert span.end_time >= between.end_time
    assert [event.name for event in span.events] == ["head"]
    shown = attributes(span)
    assert shown["http.response.body.size"] == shown["asyncclient.response.bytes"] == 2 * HALF
    assert shown["asyncclient.response.complete"] is True
    assert "error.type" not in shown
    metrics = sdk.metrics()
    assert [point.value for point in metrics["http.client.active_requests"]] == [0]
    [duration] = metrics["http.client.request.duration"]
    assert duration.count == 1


async def test_the_span_of_a_body_that_broke_off(server: Dripping, sdk: Sdk) -> None:
    server.breaks = True
    server.go_on.set()
    async with answered(server, sdk.observer()) as answer:
        with pytest.raises(errors.TransportError) as caught:
            await read_all(answer)
    [span] = sdk.spans("GET")
    assert span.status.status_code is StatusCode.ERROR
    name = type(caught.value).__name__
    assert attributes(span)["error.type"] == name
    assert attributes(span)["asyncclient.response.complete"] is False
    [duration] = sdk.metrics()["http.client.request.duration"]
    assert duration.attributes["error.type"] == name
    assert duration.attributes["http.response.status_code"] == 200


async def test_the_end_of_a_body_nobody_knows(sdk: Sdk) -> None:
    attempt = t.Attempt(t.Call("las", "fetch", "bulk"), 1, "GET", "http", "h", 80, "/", None, True)
    sdk.observer().on_event(t.BodyFinished(attempt, 0.1, 5, True, None))
    assert not sdk.spans()
