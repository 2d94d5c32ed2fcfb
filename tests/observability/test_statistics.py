"""What a hub counts, awaited and blocking."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from asyncclient import AsyncHub, Hub, HubStatistics, errors, flywheel, las
from asyncclient.testing import Server

MIB = 1024 * 1024


@pytest.mark.anyio
async def test_idle_and_busy(asyncclient_las: Server) -> None:
    async with AsyncHub() as hub:
        assert hub.statistics() == HubStatistics(queues={"control": 0, "bulk": 0}, lanes={"control": 0, "bulk": 0})
        client = las.AsyncClient(las.Credentials(**asyncclient_las.credentials()), hub=hub)
        await client.list_documents()
        asyncclient_las.state.delay(0.3, path="/documents")
        call = asyncio.ensure_future(client.list_documents())
        while not hub.statistics().in_flight:
            await asyncio.sleep(0)
        busy = hub.statistics()
        await call
        idle = hub.statistics()
    [(origin, states)] = busy.connections.items()
    assert origin == asyncclient_las.url.rstrip("/")
    assert states == {"idle": 0, "busy": 1}
    assert (busy.lanes, busy.origins) == ({"control": 1, "bulk": 0}, {origin: 1})
    assert idle.connections == {origin: {"idle": 1, "busy": 0}}
    assert (idle.connections_open, idle.connections_idle, idle.requests) == (1, 1, 3)
    assert json.loads(json.dumps(idle.as_dict())) == idle.as_dict()
    idle.as_dict()["connections"].clear()
    assert idle.connections


@pytest.mark.anyio
async def test_queues(asyncclient_las: Server) -> None:
    from asyncclient import Limits

    async with AsyncHub(limits=Limits(max_connections=1, control_reserve=0)) as hub:
        client = las.AsyncClient(las.Credentials(**asyncclient_las.credentials()), hub=hub)
        await client.list_documents()
        asyncclient_las.state.delay(0.2, path="/documents")
        calls = [asyncio.ensure_future(client.list_documents()) for _ in range(3)]
        while hub.statistics().waiting < 2:
            await asyncio.sleep(0)
        assert hub.statistics().queues == {"control": 2, "bulk": 0}
        calls[2].cancel()
        await asyncio.sleep(0)
        assert hub.statistics().queues == {"control": 1, "bulk": 0}
        await asyncio.gather(*calls[:2])
        assert hub.statistics().queues == {"control": 0, "bulk": 0}


@pytest.mark.parametrize("kind", ["async", "sync"])
def test_transfers(kind: str, asyncclient_flywheel: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ASYNCCLIENT_STATE_DIR", str(tmp_path / "state"))
    source = tmp_path / "scan.dcm"
    source.write_bytes(bytes(12 * MIB))
    runner = asyncio.Runner()
    hub: Any = AsyncHub() if kind == "async" else Hub()
    make: Callable[..., Any] = flywheel.AsyncClient if kind == "async" else flywheel.Client

    def call(fn: Callable[..., Any], *args: Any) -> Any:
        async def run() -> Any:
            return await fn(*args)

        return runner.run(run()) if kind == "async" else fn(*args)

    client = make(asyncclient_flywheel.credentials()["api_key"], hub=hub).with_options(max_retries=0)
    call(client.add_group, {"_id": "lab", "label": "Lab"})
    project = call(client.add_project, {"group": "lab", "label": "Study"})
    call(client.upload_file_to_project, project, source)
    assert hub.statistics().transfers == {"done": 1}
    assert hub.statistics().journals == 0
    with pytest.raises(errors.AsyncClientError):
        call(client.download_file_from_project, project, "gone.dcm", tmp_path / "gone.dcm")
    found = hub.statistics()
    assert found.transfers.get("done") == 1
    assert found.bytes_sent > 12 * MIB
    call(hub.aclose if kind == "async" else hub.close)
    assert hub.statistics() == HubStatistics()
    runner.close()


def test_from_other_threads(asyncclient_las: Server) -> None:
    """The counts are read while the loop thread changes them."""
    with Hub() as hub:
        client = las.Client(las.Credentials(**asyncclient_las.credentials()), hub=hub)
        over = threading.Event()
        failures: list[BaseException] = []

        def read() -> None:
            try:
                while not over.is_set():
                    hub.statistics()
            except BaseException as error:
                failures.append(error)

        readers = [threading.Thread(target=read) for _ in range(2)]
        for reader in readers:
            reader.start()
        list(hub.map(lambda _: client.list_documents(), range(60)))
        over.set()
        for reader in readers:
            reader.join()
        assert not failures
