"""Which connection a request gets: kept ones, closed ones, stale ones, and how many."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest

from asyncclient._messages import Origin, Request
from asyncclient._net.bodies import IterBody
from asyncclient._net.pool import _MAX_PEERS, Pool
from asyncclient.errors import HubClosed, ReadError, TransportError, WrongLoop
from tests.net.conftest import TIMEOUTS, fetch, get, post, until
from tests.support.fault_server import (
    OK,
    Body,
    Close,
    FaultServer,
    Hang,
    Head,
    Repeat,
    Reset,
    Send,
    Step,
    Until,
    answer,
)

pytestmark = pytest.mark.anyio


async def test_connections_are_kept(pool: Pool) -> None:
    async with FaultServer() as server:
        for _ in range(5):
            await fetch(pool, get(server.origin))
        assert len(server.connections) == 1
        assert len(server.connections[0].heads) == 5


async def test_each_request_in_flight_has_its_own(pool: Pool) -> None:
    event = asyncio.Event()
    async with FaultServer([Head(), Until(event), Send(OK), Hang()]) as server:
        tasks = [asyncio.ensure_future(fetch(pool, get(server.origin))) for _ in range(8)]
        await until(lambda: sum(len(seen.heads) for seen in server.connections) == 8)
        assert pool.statistics()[1:4] == (8, 0, 8)
        event.set()
        await asyncio.gather(*tasks)
        assert pool.statistics()[1:4] == (8, 8, 0)


async def test_the_last_used_is_used_first(pool: Pool) -> None:
    async with FaultServer() as server:
        await asyncio.gather(*(fetch(pool, get(server.origin)) for _ in range(3)))
        for _ in range(5):
            await fetch(pool, get(server.origin))
        assert sorted(len(seen.heads) for seen in server.connections) == [1, 1, 6]


async def test_the_peer_may_ask_to_close(pool: Pool) -> None:
    async with FaultServer([Head(), Send(answer(b"ok", b"Connection: close")), Hang()]) as server:
        for count in (1, 2):
            assert (await fetch(pool, get(server.origin)))[1] == b"ok"
            assert pool.statistics().open == 0
            await server.wait_closed(count)


async def test_we_may_ask_to_close(pool: Pool) -> None:
    async with FaultServer() as server:
        await fetch(pool, get(server.origin, headers=[(b"Connection", b"close")]))
        await server.wait_closed(1)
        assert pool.statistics().open == 0
        await fetch(pool, get(server.origin))
        assert pool.statistics().open == 1


async def test_idle_connections_expire(make_pool: Callable[..., Pool]) -> None:
    pool = make_pool(keepalive_expiry=0.05)
    async with FaultServer() as server:
        await fetch(pool, get(server.origin))
        await fetch(pool, get(server.origin))
        assert pool.statistics()[:3] == (1, 1, 1)
        await server.wait_closed(1)
        assert pool.statistics()[:3] == (1, 0, 0)


@pytest.mark.parametrize("seconds", [0, 0.0])
async def test_connections_need_not_be_kept(make_pool: Callable[..., Pool], seconds: float) -> None:
    pool = make_pool(keepalive_expiry=seconds)
    async with FaultServer() as server:
        await fetch(pool, get(server.origin))
        assert pool.statistics().open == 0


async def test_connections_may_be_kept_for_ever(make_pool: Callable[..., Pool]) -> None:
    pool = make_pool(keepalive_expiry=None)
    async with FaultServer() as server:
        await fetch(pool, get(server.origin))
        await fetch(pool, get(server.origin))
        assert pool.statistics()[:3] == (1, 1, 1)


@pytest.mark.parametrize(("expiry", "announced"), [(30.0, 1), (None, 1)])
async def test_the_peer_says_how_long(make_pool: Callable[..., Pool], expiry: float | None, announced: int) -> None:
    """We let go before the peer does, so that no request meets a closing connection."""
    pool = make_pool(keepalive_expiry=expiry)
    async with FaultServer([Repeat([Head(), Send(answer(b"ok", b"Keep-Alive: timeout=%d" % announced))])]) as server:
        await fetch(pool, get(server.origin))
        assert pool.statistics().idle == 1
        await server.wait_closed(1)
        assert pool.statistics().open == 0


async def test_the_peer_keeps_nothing(pool: Pool) -> None:
    async with FaultServer([Head(), Send(answer(b"ok", b"Keep-Alive: timeout=0")), Hang()]) as server:
        await fetch(pool, get(server.origin))
        assert pool.statistics().open == 0


@pytest.mark.parametrize(
    "then", [[Close()], [Reset()], [Send(b"HTTP/1.1 408 Request Timeout\r\n\r\n"), Hang()], [Send(b"x"), Hang()]]
)
async def test_an_idle_connection_that_ends_or_speaks_is_dropped(pool: Pool, then: list[Step]) -> None:
    event = asyncio.Event()
    async with FaultServer([Head(), Send(OK), Until(event), *then], [Head(), Send(OK), Hang()]) as server:
        await fetch(pool, get(server.origin))
        assert pool.statistics().idle == 1
        event.set()
        await server.wait_closed(1)
        await until(lambda: pool.statistics().open == 0)
        assert (await fetch(pool, post(server.origin)))[1] == b"ok"
        assert len(server.connections) == 2


async def closed_unseen(pool: Pool, server: FaultServer, event: asyncio.Event) -> None:
    """Let the server's end reach the socket of an idle connection, but not yet the loop's callback."""
    event.set()
    idle = next(iter(pool._connections))
    transport = idle.transport
    assert transport is not None
    transport.pause_reading()
    await server.wait_closed(1)
    transport.resume_reading()


@pytest.mark.parametrize("end", [Close(), Reset()])
async def test_a_stale_connection_is_replaced_once(pool: Pool, end: Step) -> None:
    event = asyncio.Event()
    async with FaultServer([Head(), Send(OK), Until(event), end], [Head(), Send(OK), Hang()]) as server:
        await fetch(pool, get(server.origin))
        await closed_unseen(pool, server, event)
        assert (await fetch(pool, get(server.origin)))[1] == b"ok"
        assert [len(seen.heads) for seen in server.connections] == [1, 1]
        assert pool.statistics().requests in (2, 3)


async def test_a_request_that_must_not_be_repeated_looks_first(pool: Pool) -> None:
    event = asyncio.Event()
    script: list[Step] = [Head(), Send(OK), Until(event), Close()]
    async with FaultServer(script, [Head(), Body(), Send(OK), Hang()]) as server:
        await fetch(pool, get(server.origin))
        await closed_unseen(pool, server, event)
        assert (await fetch(pool, post(server.origin, b"once")))[1] == b"ok"
        assert server.connections[1].bodies == [b"once"]
        assert pool.statistics().requests == 2


@pytest.mark.parametrize("end", [Close(), Reset()])
async def test_a_reused_connection_that_breaks_without_answer(pool: Pool, end: Step) -> None:
    async with FaultServer([Head(), Send(OK), Head(), end], [Head(), Send(OK), Hang()]) as server:
        await fetch(pool, get(server.origin))
        assert (await fetch(pool, get(server.origin)))[1] == b"ok"
        assert [len(seen.heads) for seen in server.connections] == [2, 1]


async def test_it_is_replaced_only_once(pool: Pool) -> None:
    async with FaultServer([Head(), Send(OK), Head(), Close()], [Head(), Close()]) as server:
        await fetch(pool, get(server.origin))
        with pytest.raises(ReadError):
            await fetch(pool, get(server.origin))
        assert len(server.connections) == 2


async def test_a_request_that_is_not_idempotent_is_not_repeated(pool: Pool) -> None:
    async with FaultServer([Head(), Send(OK), Head(), Close()], [Head(), Send(OK)]) as server:
        await fetch(pool, get(server.origin))
        with pytest.raises(ReadError) as caught:
            await fetch(pool, post(server.origin, b"data"))
        assert caught.value.request_sent is True
        assert len(server.connections) == 1


async def test_a_body_that_cannot_be_replayed_is_not_repeated(pool: Pool) -> None:
    async with FaultServer([Head(), Send(OK), Head(), Body(), Close()], [Head(), Send(OK)]) as server:
        await fetch(pool, get(server.origin))
        with pytest.raises(ReadError):
            await fetch(pool, post(server.origin, IterBody([b"data"]), idempotent=True))
        assert len(server.connections) == 1


async def test_nothing_is_repeated_once_an_answer_has_begun(pool: Pool) -> None:
    async with FaultServer([Head(), Send(OK), Head(), Send(b"HTTP/1.1 2"), Close()], [Head(), Send(OK)]) as server:
        await fetch(pool, get(server.origin))
        with pytest.raises(ReadError):
            await fetch(pool, get(server.origin))
        assert len(server.connections) == 1


class SlowBody:
    """A body whose first piece waits for the test; replayable."""

    length = 4
    replayable = True

    def __init__(self, event: asyncio.Event) -> None:
        self.event = event
        self.opened = 0

    async def open(self):  # type: ignore[no-untyped-def]  # an async generator, checked through its use
        self.opened += 1
        await self.event.wait()
        yield b"data"


async def test_a_connection_that_breaks_before_anything_was_written(pool: Pool) -> None:
    """Then even a request that must not be repeated goes to a fresh one."""
    closing, body = asyncio.Event(), SlowBody(asyncio.Event())
    script: list[Step] = [Head(), Send(OK), Until(closing), Close()]
    async with FaultServer(script, [Head(), Body(), Send(OK), Hang()]) as server:
        await fetch(pool, get(server.origin))
        sending = asyncio.ensure_future(fetch(pool, post(server.origin, body)))
        await until(lambda: body.opened == 1)
        closing.set()
        await server.wait_closed(1)
        body.event.set()
        assert (await sending)[1] == b"ok"
        assert body.opened == 2
        assert server.connections[1].bodies == [b"data"]


async def test_a_peer_that_speaks_before_the_request(pool: Pool) -> None:
    """As servers do that give up waiting: 408, and the end. It is not the answer."""
    speaking, body = asyncio.Event(), SlowBody(asyncio.Event())
    script: list[Step] = [Head(), Send(OK), Until(speaking), Send(answer(status=b"408 Request Timeout")), Hang()]
    async with FaultServer(script, [Head(), Body(), Send(OK), Hang()]) as server:
        await fetch(pool, get(server.origin))
        sending = asyncio.ensure_future(fetch(pool, post(server.origin, body)))
        await until(lambda: body.opened == 1)
        speaking.set()
        await server.wait_closed(1)
        body.event.set()
        response, _ = await sending
        assert response.status == 200


async def test_a_fresh_connection_that_breaks_before_anything_was_written(pool: Pool) -> None:
    body = SlowBody(asyncio.Event())
    async with FaultServer([Close()]) as server:
        sending = asyncio.ensure_future(fetch(pool, post(server.origin, body)))
        await until(lambda: body.opened == 1)
        await server.wait_closed(1)
        await until(lambda: pool.statistics().open == 0)
        body.event.set()
        with pytest.raises(TransportError) as caught:
            await sending
        assert caught.value.request_sent is False


# -- how many --------------------------------------------------------------------------------------------------------


async def test_an_idle_connection_makes_room(make_pool: Callable[..., Pool]) -> None:
    pool = make_pool(max_connections=2)
    async with FaultServer() as first, FaultServer() as second, FaultServer() as third:
        for server in (first, second, third):
            await fetch(pool, get(server.origin))
        await first.wait_closed(1)  # the one that was idle for longest
        assert pool.statistics()[:4] == (3, 2, 2, 0)
        await fetch(pool, get(second.origin))
        assert pool.statistics().opened == 3


async def test_more_requests_than_connections_are_a_mistake(make_pool: Callable[..., Pool]) -> None:
    pool = make_pool(max_connections=2)
    async with FaultServer([Head(), Hang()]) as server:
        tasks = [asyncio.ensure_future(pool.send(get(server.origin), TIMEOUTS)) for _ in range(2)]
        await asyncio.sleep(0)
        with pytest.raises(RuntimeError, match="all 2 connections of the pool are in use"):
            await pool.send(get(server.origin), TIMEOUTS)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        assert pool.statistics().open == 0


async def test_origins_without_connections_are_forgotten(make_pool: Callable[..., Pool]) -> None:
    pool = make_pool()
    async with FaultServer([Repeat([Head(), Send(OK)])]) as server:
        await fetch(pool, get(server.origin))
        pool._peers.update({Origin("http", f"h{n}", 1): pool._add_peer(Origin("http", f"h{n}", 1)) for n in range(300)})
        assert len(pool._peers) <= _MAX_PEERS
        await fetch(pool, get(server.origin))
        assert pool.statistics().opened == 1


# -- the end ---------------------------------------------------------------------------------------------------------


async def test_closing_ends_what_is_under_way(make_pool: Callable[..., Pool]) -> None:
    pool = make_pool()
    async with FaultServer([Head(), Send(OK), Head(), Hang()], [Head(), Hang()]) as server:
        await fetch(pool, get(server.origin))
        tasks = [asyncio.ensure_future(fetch(pool, get(server.origin))) for _ in range(2)]
        await until(lambda: sum(len(seen.heads) for seen in server.connections) == 3)
        await pool.aclose()
        await pool.aclose()
        for task in tasks:
            with pytest.raises(ReadError, match="pool was closed"):
                await task
        assert pool.statistics()[1:4] == (0, 0, 0)
        await server.wait_closed(2)
        with pytest.raises(HubClosed):
            await fetch(pool, get(server.origin))
        assert len(server.connections) == 2


async def test_closing_with_idle_connections(make_pool: Callable[..., Pool]) -> None:
    pool = make_pool()
    async with FaultServer() as server:
        await asyncio.gather(*(fetch(pool, get(server.origin)) for _ in range(4)))
        await pool.aclose()
        await server.wait_closed(4)


async def test_closing_in_the_middle_of_a_body(make_pool: Callable[..., Pool]) -> None:
    pool = make_pool()
    async with FaultServer([Head(), Send(b"HTTP/1.1 200 OK\r\n\r\nsome"), Hang()]) as server:
        response = await pool.send(get(server.origin), TIMEOUTS)
        await pool.aclose()
        assert await response.stream.read() == b"some"
        with pytest.raises(ReadError, match="pool was closed"):
            await response.stream.read()
        await response.stream.aclose()


def test_a_pool_belongs_to_one_loop() -> None:
    async def use(pool: Pool) -> None:
        async with FaultServer() as server:
            await fetch(pool, get(server.origin))

    async def use_and_close(pool: Pool) -> None:
        await use(pool)
        await pool.aclose()

    pool = Pool()
    asyncio.run(use_and_close(pool))
    with pytest.raises(WrongLoop):
        asyncio.run(use(pool))


async def test_a_bad_request_touches_nothing(pool: Pool) -> None:
    async with FaultServer() as server:
        bad = Request(b"GET", server.origin, b"/", [(b"X", b"a\r\nb")])
        with pytest.raises(TransportError) as caught:
            await pool.send(bad, TIMEOUTS)
        assert caught.value.request_sent is False
        assert pool.statistics().opened == 0
