"""Making connections: names, addresses, races."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from asyncclient._messages import Origin
from asyncclient._net import connect
from asyncclient._net import pool as pool_module
from asyncclient._net.connect import Address, interleave
from asyncclient._net.pool import Pool
from asyncclient.errors import ConnectError, HubClosed, UnknownHost
from asyncclient.flywheel import AsyncClient
from asyncclient.types import Timeouts
from tests.net.conftest import TIMEOUTS, fetch, get, open_sockets, until
from tests.support.fault_server import FaultServer

pytestmark = pytest.mark.anyio

V4, V6 = socket.AF_INET, socket.AF_INET6


def has_ipv6() -> bool:
    try:
        with socket.create_server(("::1", 0), family=V6):
            return True
    except OSError:
        return False


needs_ipv6 = pytest.mark.skipif(not has_ipv6(), reason="this machine has no IPv6 loopback")


@pytest.fixture
def refused() -> Iterator[int]:
    """A port that is taken, and where nobody listens."""
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        yield sock.getsockname()[1]


@pytest.fixture
def deaf() -> Iterator[int]:
    """A port where connections are neither accepted nor refused: its backlog is full."""
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    listener.listen(0)
    socks = [listener]
    for _ in range(4):
        socks.append(socket.socket())
        socks[-1].setblocking(False)
        socks[-1].connect_ex(listener.getsockname())
    yield listener.getsockname()[1]
    for sock in socks:
        sock.close()


class Names:
    """An event loop whose resolver knows what the test says; everything else is the real loop."""

    def __init__(self, *found: Address, fail: Exception | None = None) -> None:
        self._loop = asyncio.get_running_loop()
        self._found, self._fail = found, fail
        self.asked: list[tuple[str, int]] = []

    def __getattr__(self, name: str) -> Any:
        return getattr(self._loop, name)

    async def getaddrinfo(self, host: str, port: int, *, type: int) -> list[Any]:  # noqa: A002  # the loop's own name
        self.asked.append((host, port))
        if self._fail is not None:
            raise self._fail
        return [(family, type, 6, "", address) for family, address in self._found]


async def open_socket(names: Names, host: str = "example.test", port: int = 80) -> socket.socket:
    return await connect._open_socket(names, Origin("http", host, port))  # type: ignore[arg-type]  # see Names


def test_families_alternate() -> None:
    a, b, c = (V6, ("a",)), (V6, ("b",)), (V6, ("c",))
    x, y = (V4, ("x",)), (V4, ("y",))
    assert interleave([a, b, c, x, y]) == [a, x, b, y, c]
    assert interleave([x, a, b]) == [x, a, b]
    assert interleave([a, a, x, a]) == [a, x]
    assert interleave([]) == []


async def test_refused(pool: Pool, refused: int) -> None:
    origin = Origin("http", "127.0.0.1", refused)
    with pytest.raises(ConnectError, match=f"http://127.0.0.1:{refused}: cannot connect: .*refused") as caught:
        await pool.send(get(origin), TIMEOUTS)
    assert caught.value.request_sent is False
    assert isinstance(caught.value.__cause__, ConnectionRefusedError)
    assert pool.statistics()[:4] == (0, 0, 0, 0)


async def test_a_name_that_cannot_be_one(pool: Pool) -> None:
    with pytest.raises(UnknownHost, match="is not known"):
        await pool.send(get(Origin("http", "a" * 64 + ".example", 80)), TIMEOUTS)


async def test_a_name_that_is_not_known() -> None:
    names = Names(fail=socket.gaierror(socket.EAI_NONAME, "Name or service not known"))
    with pytest.raises(UnknownHost, match=r"the name example\.test is not known: Name or service not known") as caught:
        await open_socket(names)
    assert caught.value.request_sent is False


async def test_a_resolver_that_is_out_of_order() -> None:
    names = Names(fail=socket.gaierror(socket.EAI_AGAIN, "Temporary failure in name resolution"))
    with pytest.raises(ConnectError, match="Temporary failure") as caught:
        await open_socket(names)
    assert not isinstance(caught.value, UnknownHost)


async def test_a_name_that_was_known_before(pool: Pool, monkeypatch: pytest.MonkeyPatch) -> None:
    """It may be tried again: the name is right."""

    async def unknown(*_: Any, **__: Any) -> Any:
        raise UnknownHost("the name localhost is not known", origin="http://localhost")

    async with FaultServer() as server:
        request = get(server.origin._replace(host="localhost"))
        with monkeypatch.context() as patch:
            patch.setattr(pool_module, "open_connection", unknown)
            with pytest.raises(UnknownHost):
                await pool.send(request, TIMEOUTS)
        await fetch(pool, get(request.origin, headers=[(b"connection", b"close")]))
        monkeypatch.setattr(pool_module, "open_connection", unknown)
        with pytest.raises(ConnectError) as caught:
            await pool.send(request, TIMEOUTS)
        assert not isinstance(caught.value, UnknownHost)
        assert isinstance(caught.value.__cause__, UnknownHost)


async def test_a_client_says_at_once_that_a_name_is_wrong(monkeypatch: pytest.MonkeyPatch) -> None:
    names = Names(fail=socket.gaierror(socket.EAI_NONAME, "Name or service not known"))
    monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", names.getaddrinfo)
    with pytest.raises(UnknownHost, match=r"wrong\.example"):
        async with AsyncClient("wrong.example:key", max_retries=7):
            pass
    assert len(names.asked) == 1


async def test_a_name_without_addresses() -> None:
    with pytest.raises(ConnectError, match="has no address"):
        await open_socket(Names())


async def test_addresses_are_not_looked_up() -> None:
    names = Names(fail=AssertionError())
    async with FaultServer() as server:
        (await open_socket(names, "127.0.0.1", server.origin.port)).close()
    assert names.asked == []


async def test_names_are_looked_up(pool: Pool) -> None:
    """``localhost`` may be ::1 first, where nobody listens."""
    async with FaultServer() as server:
        assert (await fetch(pool, get(server.origin._replace(host="localhost"))))[1] == b"ok"
        head = server.connections[0].heads[0]
        assert b"\r\nHost: localhost:%d\r\n" % server.origin.port in head


@needs_ipv6
async def test_ipv6(pool: Pool) -> None:
    async with FaultServer(host="::1") as server:
        assert (await fetch(pool, get(server.origin)))[1] == b"ok"
        assert b"\r\nHost: [::1]:%d\r\n" % server.origin.port in server.connections[0].heads[0]


async def test_the_next_address_is_tried_when_one_refuses(refused: int) -> None:
    async with FaultServer() as server:
        addresses = [(V4, ("127.0.0.1", port)) for port in (refused, refused + 0, server.origin.port)]
        sock = await open_socket(Names(*addresses))
        assert sock.getpeername()[1] == server.origin.port
        sock.close()


async def test_the_next_address_is_tried_when_one_is_silent(deaf: int) -> None:
    before = open_sockets()
    async with FaultServer() as server:
        sock = await open_socket(Names((V4, ("127.0.0.1", deaf)), (V4, ("127.0.0.1", server.origin.port))))
        assert sock.getpeername()[1] == server.origin.port
        sock.close()
        await server.wait_closed(1)
    await until(lambda: open_sockets() <= before)


async def test_all_addresses_fail(refused: int) -> None:
    bad_family = (12345, ("127.0.0.1", 1))
    with pytest.raises(ConnectError, match=r"cannot connect: .+; .+"):
        await open_socket(Names((V4, ("127.0.0.1", refused)), bad_family))


async def test_a_race_can_be_cancelled(deaf: int) -> None:
    before = open_sockets()
    silent = [
        (V4, ("127.0.0.1", deaf)),
        (V4, ("127.0.0.2", deaf)),
        (
            V4,
            ("127.0.0.1", deaf),
        ),
    ]
    racing = asyncio.ensure_future(open_socket(Names(*silent)))
    await until(lambda: open_sockets() > before)
    racing.cancel()
    await asyncio.gather(racing, return_exceptions=True)
    assert racing.cancelled()
    await until(lambda: open_sockets() == before)


async def test_a_race_cancelled_with_its_winner_already_there() -> None:
    before = open_sockets()
    async with FaultServer() as server:
        there = (V4, ("127.0.0.1", server.origin.port))
        for turns in range(1, 12):
            racing = asyncio.ensure_future(open_socket(Names(there, (V4, ("127.0.0.2", server.origin.port)))))
            for _ in range(turns):
                await asyncio.sleep(0)
            racing.cancel()
            await asyncio.gather(racing, return_exceptions=True)
            if not racing.cancelled():
                racing.result().close()
            await until(lambda: server.open == 0)
    await until(lambda: open_sockets() <= before)


async def test_cancelling_a_connection_that_is_being_made(make_pool: Callable[..., Pool], deaf: int) -> None:
    pool = make_pool(max_connections=1)
    before = open_sockets()
    for _ in range(5):
        sending = asyncio.ensure_future(pool.send(get(Origin("http", "127.0.0.1", deaf)), TIMEOUTS))
        await until(lambda: open_sockets() > before)
        assert pool.statistics()[:4] == (0, 1, 0, 1)
        sending.cancel()
        await asyncio.gather(sending, return_exceptions=True)
        assert pool.statistics()[:4] == (0, 0, 0, 0)
        await until(lambda: open_sockets() == before)


async def test_closing_the_pool_ends_connections_that_are_being_made(make_pool: Callable[..., Pool], deaf: int) -> None:
    pool = make_pool()
    before = open_sockets()
    sending = asyncio.ensure_future(pool.send(get(Origin("http", "127.0.0.1", deaf)), Timeouts(None, None, None)))
    await until(lambda: open_sockets() > before)
    await pool.aclose()
    with pytest.raises(HubClosed):
        await sending
    assert pool.statistics().open == 0
