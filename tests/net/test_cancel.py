"""Cancellation at every await: no slot, no socket and no task is lost (ANCHORS 9.1 in small)."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest

from asyncclient._messages import Body as BodyProtocol
from asyncclient._messages import Request
from asyncclient._net.bodies import IterBody
from asyncclient._net.pool import Pool
from asyncclient.errors import TransportError
from tests.net.conftest import TIMEOUTS, fetch, get, open_sockets, post, until
from tests.support.fault_server import (
    OK,
    Body,
    Drip,
    FaultServer,
    Hang,
    Head,
    Repeat,
    Send,
    Take,
    Until,
    answer,
)
from tests.support.tls import Authority

pytestmark = pytest.mark.anyio


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("ca"))


async def cancel(task: asyncio.Future[object]) -> None:
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    assert task.cancelled()


async def test_during_the_tls_handshake(make_pool: Callable[..., Pool], authority: Authority) -> None:
    pool = make_pool(verify=authority.file)
    async with FaultServer([Take(5), Hang()]) as server:
        sending = asyncio.ensure_future(pool.send(get(server.origin._replace(scheme="https")), TIMEOUTS))
        await until(lambda: server.connections)
        await asyncio.sleep(0.01)
        await cancel(sending)
        assert pool.statistics()[:2] == (0, 0)
        await server.wait_closed(1)


async def test_while_waiting_for_the_head(pool: Pool) -> None:
    async with FaultServer([Head(), Hang()]) as server:
        sending = asyncio.ensure_future(pool.send(get(server.origin), TIMEOUTS))
        await until(lambda: server.connections and server.connections[0].heads)
        await cancel(sending)
        assert pool.statistics().open == 0
        await server.wait_closed(1)


async def test_while_writing(pool: Pool) -> None:
    async def endless() -> AsyncIterator[bytes]:
        while True:
            yield bytes(1 << 20)

    bodies: list[bytes | BodyProtocol] = [
        bytes(64 << 20),
        IterBody(endless()),
        IterBody(iter(lambda: b"x" * 99999, b"")),
    ]
    for body in bodies:
        event = asyncio.Event()
        async with FaultServer([Head(), Until(event), Hang()]) as server:
            sending = asyncio.ensure_future(pool.send(post(server.origin, body), TIMEOUTS))
            sent = -1
            while sent != pool.statistics().bytes_sent or not server.connections:
                sent = pool.statistics().bytes_sent
                await asyncio.sleep(0.02)
            await cancel(sending)
            event.set()
            assert pool.statistics().open == 0
            await server.wait_closed(1)


async def test_while_the_body_has_nothing_to_send(pool: Pool) -> None:
    closed: list[bool] = []

    async def silent() -> AsyncIterator[bytes]:
        try:
            yield b"x"
            await asyncio.Event().wait()
        finally:
            closed.append(True)

    async with FaultServer([Head(), Hang()]) as server:
        sending = asyncio.ensure_future(pool.send(post(server.origin, IterBody(silent())), TIMEOUTS))
        await until(lambda: server.connections and server.connections[0].heads)
        await cancel(sending)
        assert closed == [True]
        assert pool.statistics().open == 0
        await server.wait_closed(1)


async def test_while_reading_the_body(pool: Pool) -> None:
    async with FaultServer([Head(), Send(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\npart"), Hang()]) as server:
        reading = asyncio.ensure_future(fetch(pool, get(server.origin)))
        await until(lambda: pool.statistics().bytes_received)
        await cancel(reading)
        assert pool.statistics().open == 0
        await server.wait_closed(1)


async def test_at_every_step_of_a_request(make_pool: Callable[..., Pool], authority: Authority) -> None:
    """Cancel after one turn of the loop, after two, and so on, until the request is through."""
    for tls in (None, authority.server()):
        pool = make_pool(max_connections=1, verify=authority.file)
        async with FaultServer([Repeat([Head(), Body(), Drip(answer(b"x" * 10), 9)])], tls=tls) as server:
            turns = 0
            while True:
                turns += 1 + turns // 30
                task = asyncio.ensure_future(fetch(pool, post(server.origin, IterBody(pieces(), 6))))
                for _ in range(turns):
                    await asyncio.sleep(0)
                if task.done():
                    assert (await task)[1] == b"x" * 10
                    break
                task.cancel()
                await asyncio.gather(task, return_exceptions=True)
                assert pool.statistics().active == 0
            await until(lambda server=server, pool=pool: server.open <= pool.statistics().idle)


async def pieces() -> AsyncIterator[bytes]:
    for piece in (b"ab", b"cd", b"ef"):
        await asyncio.sleep(0)
        yield piece


# -- churn -----------------------------------------------------------------------------------------------------------


REQUESTS = 3_000
WORKERS = 40
CONNECTIONS = 10
LONGEST_S = 0.015


async def test_churn(make_pool: Callable[..., Pool]) -> None:
    """Forty workers, ten connections; every request is cancelled at a random moment, most of them in time."""
    rng = random.Random(1)
    pool = make_pool(max_connections=CONNECTIONS)
    slots = asyncio.Semaphore(CONNECTIONS)
    before = open_sockets()

    async with FaultServer(*scripts(rng)) as server:
        listening = open_sockets() - before
        requests = iter(range(REQUESTS))
        counts = {"cancelled": 0, "done": 0}

        async def one() -> None:
            async with slots:
                await fetch(pool, some_request(rng, server))

        async def worker() -> None:
            for _ in requests:
                patience_s = rng.uniform(0, LONGEST_S) if rng.random() < 0.9 else 30.0
                counts[await give_up(one, patience_s)] += 1

        await asyncio.gather(*(worker() for _ in range(WORKERS)))
        assert counts["cancelled"] + counts["done"] == REQUESTS
        assert min(counts.values()) > REQUESTS // 50

        statistics = pool.statistics()
        assert statistics.active == 0
        assert statistics.open == statistics.idle <= CONNECTIONS
        await until(lambda: server.open == statistics.idle)
        for _ in range(3):
            async with asyncio.timeout(10):
                await asyncio.gather(*(fetch(pool, get(server.origin)) for _ in range(CONNECTIONS)))
        await until(lambda: open_sockets() - before == listening + 2 * pool.statistics().open)
        await pool.aclose()
        await until(lambda: server.open == 0)


def scripts(rng: random.Random) -> list[list[Repeat]]:
    """Answer at once, in pieces, or late."""
    slow = [Drip(answer(b"x" * 200), 50, rng.uniform(0, 0.005)) for _ in range(20)]
    steps = [step for drip in slow for step in (Head(), Body(), drip, Head(), Body(), Send(OK))]
    return [[Repeat(steps)]]


def some_request(rng: random.Random, server: FaultServer) -> Request:
    kind = rng.randrange(3)
    if kind == 0:
        return get(server.origin)
    return post(server.origin, b"y" * rng.randrange(100_000) if kind == 1 else IterBody(pieces(), 6), idempotent=True)


async def give_up(action: Callable[[], Awaitable[None]], after_s: float) -> str:
    task = asyncio.ensure_future(action())
    done, _ = await asyncio.wait([task], timeout=after_s)
    if done:
        await task
        return "done"
    task.cancel()
    await asyncio.wait([task])
    if task.cancelled():
        return "cancelled"
    assert not isinstance(task.exception(), TransportError)
    await task
    return "done"
