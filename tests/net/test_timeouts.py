"""The three waits. Nothing here asserts how long something took, only what came of it."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Iterator

import pytest

from asyncclient._messages import Origin
from asyncclient._net.bodies import IterBody
from asyncclient._net.pool import Pool
from asyncclient._net.timer import DeadlineTimer
from asyncclient.errors import ConnectTimeout, ReadTimeout, WriteTimeout
from asyncclient.types import Timeouts
from tests.net.conftest import TIMEOUTS, fetch, get, post, until
from tests.support.fault_server import OK, Body, Drip, FaultServer, Hang, Head, Send, Until, answer

pytestmark = pytest.mark.anyio

SHORT = Timeouts(connect=0.05, read=0.05, write=0.05)
UNLIMITED = Timeouts(None, None, None, None)


@pytest.fixture
def deaf() -> Iterator[Origin]:
    """An address where connections are neither accepted nor refused: its backlog is full."""
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    listener.listen(0)
    fillers = []
    for _ in range(4):
        filler = socket.socket()
        filler.setblocking(False)
        filler.connect_ex(listener.getsockname())
        fillers.append(filler)
    yield Origin("http", "127.0.0.1", listener.getsockname()[1])
    for sock in (listener, *fillers):
        sock.close()


async def test_connecting(pool: Pool, deaf: Origin) -> None:
    with pytest.raises(ConnectTimeout, match=r"no connection within 0\.05 s") as caught:
        await pool.send(get(deaf), SHORT)
    assert caught.value.request_sent is False
    assert caught.value.origin == str(deaf)
    assert pool.statistics()[:4] == (0, 0, 0, 0)


async def test_the_tls_handshake_is_part_of_connecting(pool: Pool) -> None:
    async with FaultServer([Hang()]) as server:
        origin = server.origin._replace(scheme="https")
        with pytest.raises(ConnectTimeout):
            await pool.send(get(origin), Timeouts(connect=0.3))
        await server.wait_closed(1)


async def test_waiting_for_the_head(pool: Pool) -> None:
    async with FaultServer([Head(), Hang()]) as server:
        with pytest.raises(ReadTimeout, match=r"nothing of the answer came for 0\.05 s") as caught:
            await pool.send(get(server.origin), SHORT)
        assert caught.value.request_sent is True
        assert caught.value.method == "GET"
        assert pool.statistics().open == 0
        await server.wait_closed(1)


async def test_a_timeout_on_a_kept_connection_is_not_repeated(pool: Pool) -> None:
    async with FaultServer([Head(), Send(OK), Head(), Hang()]) as server:
        await fetch(pool, get(server.origin))
        with pytest.raises(ReadTimeout):
            await pool.send(get(server.origin), SHORT)
        assert len(server.connections) == 1


async def test_waiting_in_the_head(pool: Pool) -> None:
    async with FaultServer([Head(), Send(b"HTTP/1.1 200 OK\r\n"), Hang()]) as server:
        with pytest.raises(ReadTimeout):
            await pool.send(get(server.origin), SHORT)


async def test_waiting_for_the_body(pool: Pool) -> None:
    async with FaultServer([Head(), Send(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\npart"), Hang()]) as server:
        response = await pool.send(get(server.origin), SHORT)
        assert await response.stream.read() == b"part"
        with pytest.raises(ReadTimeout):
            await response.stream.read()
        assert pool.statistics().open == 0
        await response.stream.aclose()


async def test_a_slow_answer_is_not_late_while_it_comes(pool: Pool) -> None:
    timeouts = Timeouts(read=0.3)
    async with FaultServer([Head(), Drip(answer(b"x" * 20), 4, 0.03), Hang()]) as server:
        assert (await fetch(pool, get(server.origin), timeouts))[1] == b"x" * 20


async def test_nobody_is_late_while_nobody_waits(pool: Pool) -> None:
    """The time between two reads is the reader's own."""
    head = b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\npart"
    event = asyncio.Event()
    async with FaultServer([Head(), Send(head), Until(event), Send(b"whole"), Hang()]) as server:
        response = await pool.send(get(server.origin), SHORT)
        await asyncio.sleep(0.2)
        asyncio.get_running_loop().call_later(0.01, event.set)
        assert await response.read_all(100) == b"partwhole"
        assert pool.statistics().idle == 1


async def test_without_a_limit(pool: Pool) -> None:
    event = asyncio.Event()
    async with FaultServer([Head(), Until(event), Send(OK), Head(), Send(OK), Hang()]) as server:
        asyncio.get_running_loop().call_later(0.1, event.set)
        await fetch(pool, get(server.origin), UNLIMITED)
        await fetch(pool, get(server.origin), SHORT)
        assert pool.statistics().opened == 1


@pytest.mark.parametrize("streamed", [False, True])
async def test_a_peer_that_takes_nothing(pool: Pool, streamed: bool) -> None:
    event = asyncio.Event()
    data = bytes(32 << 20)
    body = IterBody([data], len(data)) if streamed else data
    async with FaultServer([Until(event)]) as server:
        with pytest.raises(WriteTimeout, match="took nothing of the request") as caught:
            await pool.send(post(server.origin, body), Timeouts(write=0.1))
        assert caught.value.request_sent is True
        assert pool.statistics().open == 0
        event.set()
        await server.wait_closed(1)


async def test_a_peer_that_takes_little_at_a_time(pool: Pool) -> None:
    """It is slower than every timeout in all, and never as long without progress."""
    size = 48 << 20
    steps = [Body(1 << 20)] * (size >> 20)
    pauses: list[asyncio.Event] = []

    async def tick() -> None:
        for pause in pauses:
            await asyncio.sleep(0.02)
            pause.set()

    script: list[Head | Body | Until | Send | Hang] = [Head()]
    for step in steps:
        pauses.append(asyncio.Event())
        script += [Until(pauses[-1]), step]
    async with FaultServer([*script, Send(OK), Hang()]) as server:
        ticking = asyncio.ensure_future(tick())
        body = (await fetch(pool, post(server.origin, bytes(size)), Timeouts(read=0.4, write=0.4)))[1]
        assert body == b"ok"
        await ticking


async def test_the_timer_goes_off_only_when_due() -> None:
    loop = asyncio.get_running_loop()
    calls: list[float] = []
    timer = DeadlineTimer(loop, lambda: calls.append(loop.time()))
    timer.arm(0.02)
    timer.arm(0.1)  # later: the loop's timer stays, and is set again when it fires
    await asyncio.sleep(0.05)
    assert not calls
    await until(lambda: calls)
    timer.arm(100.0)
    timer.arm(0.01)  # sooner: it is moved
    await until(lambda: len(calls) == 2)
    timer.arm(0.01)
    timer.arm(None)
    await asyncio.sleep(0.05)
    timer.arm(0.01)
    timer.cancel()
    timer.cancel()
    await asyncio.sleep(0.05)
    assert len(calls) == 2


async def test_a_request_leaves_no_timer_of_its_own(pool: Pool) -> None:
    async with FaultServer() as server:
        await fetch(pool, get(server.origin))
        conn = next(iter(pool._connections))
        handle = conn._timer._handle
        for _ in range(10):
            await fetch(pool, get(server.origin), TIMEOUTS)
        assert conn._timer._handle is handle
