from __future__ import annotations

import asyncio
import json
import pickle

import httpx
import pytest

from asyncclient import errors
from asyncclient._net.pool import Pool
from asyncclient._scheduler import Direction
from asyncclient.hub import AsyncHub
from asyncclient.types import HubStatistics, Limits
from tests.core.support import HOME, DemoClient, Reply, ScriptedTransport, opened, turns

pytestmark = pytest.mark.anyio


@pytest.fixture(autouse=True)
def _no_proxies(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "https_proxy", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


class TestLife:
    async def test_it_opens_at_its_first_use_and_closes_once(self) -> None:
        transport = ScriptedTransport()
        hub = AsyncHub(transport=transport)
        assert repr(hub) == "<AsyncHub new, at most 32 connections>"
        assert hub.statistics() == HubStatistics()
        await DemoClient(hub).get_thing("x")
        assert "open" in repr(hub)
        await hub.aclose()
        await hub.aclose()
        assert transport.closed == 1
        assert "closed" in repr(hub)
        assert hub.closed
        assert hub.statistics() == HubStatistics()
        with pytest.raises(errors.HubClosed, match="make a new one"):
            await DemoClient(hub).get_thing("x")
        with pytest.raises(errors.HubClosed):
            async with hub:
                pass

    async def test_it_may_close_before_it_opens(self) -> None:
        hub = AsyncHub()
        await hub.aclose()
        with pytest.raises(errors.HubClosed):
            await DemoClient(hub).get_thing("x")

    async def test_closing_while_calls_run(self) -> None:
        gate = asyncio.Event()
        transport = ScriptedTransport(Reply(gate=gate))
        async with opened(transport, Limits(max_connections=1)) as hub:
            tasks = [asyncio.create_task(DemoClient(hub).get_thing("x")) for _ in range(3)]
            await turns()
            assert (hub.statistics().in_flight, hub.statistics().waiting) == (1, 2)
        gate.set()
        results = await asyncio.gather(*tasks, return_exceptions=True)
        assert isinstance(results[0], dict)  # this transport lets what is under way finish
        assert [type(result) for result in results[1:]] == [errors.HubClosed] * 2
        assert len(transport.requests) == 1

    def test_another_loop(self) -> None:
        transport = ScriptedTransport()
        hub = AsyncHub(transport=transport)

        async def use() -> None:
            await DemoClient(hub).get_thing("x")

        first = asyncio.new_event_loop()
        first.run_until_complete(use())
        with pytest.raises(errors.WrongLoop, match="one hub per loop"):
            asyncio.run(use())
        with pytest.raises(errors.WrongLoop, match="close it there"):
            asyncio.run(hub.aclose())
        assert not hub.closed
        first.run_until_complete(hub.aclose())
        assert transport.closed == 1
        first.close()
        asyncio.run(hub.aclose())

    def test_its_loop_has_gone(self) -> None:
        hub = AsyncHub(transport=ScriptedTransport())

        async def use() -> None:
            await DemoClient(hub).get_thing("x")

        asyncio.run(use())
        with pytest.raises(errors.WrongLoop):
            asyncio.run(use())
        asyncio.run(hub.aclose())
        assert hub.closed

    def test_a_hub_that_failed_to_open_belongs_to_no_loop(self) -> None:
        hub = AsyncHub(transport=object())  # type: ignore[arg-type]  # on purpose

        async def use() -> None:
            with pytest.raises(errors.ArgumentTypeError, match="transport must be"):
                await DemoClient(hub).get_thing("x")

        asyncio.run(use())
        asyncio.run(use())
        asyncio.run(hub.aclose())

    async def test_it_does_not_travel(self) -> None:
        with pytest.raises(TypeError, match="cannot be pickled"):
            pickle.dumps(AsyncHub())

    async def test_limits(self) -> None:
        assert AsyncHub(limits=Limits(max_connections=3)).limits.max_connections == 3
        with pytest.raises(errors.ArgumentTypeError, match="limits must be Limits, not int"):
            AsyncHub(limits=3)  # type: ignore[arg-type]  # on purpose


class TestStatistics:
    async def test_what_bounds_transfers(self) -> None:
        transport = ScriptedTransport(Reply(429, headers=[(b"retry-after", b"60")]))
        async with opened(transport) as hub:
            client = DemoClient(hub, max_retries=0)
            with pytest.raises(errors.TooManyRequests):
                await client.get_content()
            with await hub._opened().scheduler.budget.reserve(1000):
                now = hub.statistics()
            assert now.limits == {str(HOME): {"down": 2}}
            assert list(now.paused_s) == [str(HOME)]
            assert now.bytes_in_use == 1000

    async def test_limits_reach_the_pipeline(self) -> None:
        limits = Limits(max_bandwidth=(1e9, None), max_bytes_in_flight=12345)
        async with AsyncHub(limits=limits) as hub:
            pipeline = hub._opened()
            assert pipeline.scheduler.budget.total_bytes == 12345
            assert pipeline._bandwidth.pacer(Direction.UP) is not None
            assert pipeline._bandwidth.pacer(Direction.DOWN) is None


class TestTransports:
    async def test_the_pool(self) -> None:
        async with AsyncHub(limits=Limits(max_connections=3)) as hub:
            assert isinstance(hub._opened().transport, Pool)
            assert hub.statistics().connections_open == 0

    async def test_httpx(self) -> None:
        def answer(request: httpx.Request) -> httpx.Response:
            return httpx.Response(200, json={"path": request.url.path})

        async with AsyncHub(transport=httpx.MockTransport(answer)) as hub:
            assert await DemoClient(hub).get_thing("x") == {"path": "/v1/things/x"}
            assert hub.statistics().requests == 1

    async def test_proxies_of_the_environment(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("https_proxy", "http://127.0.0.1:9")
        async with AsyncHub() as hub:
            assert not isinstance(hub._opened().transport, Pool)
        async with AsyncHub(trust_env=False) as hub:
            assert isinstance(hub._opened().transport, Pool)


class Server:
    """Answers JSON on a real socket: what was asked, or a status scripted for the path."""

    def __init__(self) -> None:
        self.connections = 0
        self.seen: list[str] = []
        self.stall = asyncio.Event()
        self.writers: set[asyncio.StreamWriter] = set()

    async def __call__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        self.writers.add(writer)
        try:
            while head := await reader.readuntil(b"\r\n\r\n"):
                line = head.partition(b"\r\n")[0].decode()
                self.seen.append(line)
                if "stall" in line:
                    await self.stall.wait()
                status = 503 if self.seen.count(line) == 1 and "flaky" in line else 200
                body = json.dumps({"line": line}).encode()
                writer.write(b"HTTP/1.1 %d x\r\ncontent-length: %d\r\n\r\n" % (status, len(body)) + body)
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            self.writers.discard(writer)
            writer.close()


class SocketClient(DemoClient):
    port = 0

    def _base(self):  # type: ignore[no-untyped-def]  # as in the base
        from asyncclient._url import BaseUrl

        return BaseUrl.parse(f"http://127.0.0.1:{self.port}/v1")


class TestSockets:
    async def test_calls_retries_and_keep_alive(self) -> None:
        handler = Server()
        server = await asyncio.start_server(handler, "127.0.0.1", 0)
        SocketClient.port = server.sockets[0].getsockname()[1]
        async with server, AsyncHub(limits=Limits(max_connections=4)) as hub:
            client = SocketClient(hub)
            assert await client.get_thing("é", limit=1) == {"line": "GET /v1/things/%C3%A9?limit=1 HTTP/1.1"}
            await client.get_thing("flaky")
            answers = [answer async for answer in hub.map(client.get_thing, map(str, range(50)))]
            assert [answer["line"].split("/")[3].split()[0] for answer in answers] == [str(i) for i in range(50)]
            now = hub.statistics()
            assert (now.requests, now.retries, now.failures, now.in_flight) == (53, 1, 0, 0)
            assert 1 <= now.connections_opened <= 4
            assert handler.connections == now.connections_opened
            assert now.connections_idle == now.connections_open
            assert now.bytes_sent
            assert now.bytes_received
        await self.gone(handler)

    async def test_cancelled_and_closed_in_the_middle(self) -> None:
        handler = Server()
        server = await asyncio.start_server(handler, "127.0.0.1", 0)
        SocketClient.port = server.sockets[0].getsockname()[1]
        async with server:
            async with AsyncHub(limits=Limits(max_connections=4)) as hub:
                client = SocketClient(hub)
                tasks = [asyncio.create_task(client.get_thing(f"stall{index}")) for index in range(10)]
                while len(handler.seen) < 4:
                    await asyncio.sleep(0)
                for task in tasks[:5]:
                    task.cancel()
                await asyncio.gather(*tasks[:5], return_exceptions=True)
                while len(handler.seen) < 8:
                    await asyncio.sleep(0)
                assert (hub.statistics().in_flight, hub.statistics().waiting) == (4, 1)
            results = await asyncio.gather(*tasks[5:], return_exceptions=True)
            assert [type(result) for result in results] == [errors.HubClosed] * 5
            handler.stall.set()
            await self.gone(handler)

    async def gone(self, handler: Server) -> None:
        while handler.writers:
            await asyncio.sleep(0)
