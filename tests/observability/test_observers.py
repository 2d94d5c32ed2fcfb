"""Observers: which events there are, in which order, and that none can break a call."""

from __future__ import annotations

import asyncio
import logging
from pathlib import Path
from typing import Any

import pytest

from asyncclient import AsyncHub, HubStatistics, errors, flywheel, las
from asyncclient import telemetry as t
from asyncclient.testing import Server
from asyncclient.types import RetryPolicy

pytestmark = pytest.mark.anyio
QUICK = RetryPolicy(max_retries=2, base_transport_s=0, base_server_s=0, base_throttle_s=0)
MIB = 1024 * 1024


class Recorder:
    def __init__(self) -> None:
        self.events: list[t.Event] = []

    def on_event(self, event: t.Event) -> None:
        self.events.append(event)

    def of(self, kind: type[Any]) -> list[Any]:
        return [event for event in self.events if isinstance(event, kind)]

    def names(self) -> list[str]:
        return [type(event).__name__ for event in self.events]


class Stopping:
    """Cancels a task at the first request after its transfer has a journal."""

    def __init__(self) -> None:
        self.task: asyncio.Future[Any] | None = None
        self.hub: AsyncHub | None = None
        self.seen: HubStatistics | None = None

    def on_event(self, event: t.Event) -> None:
        if isinstance(event, t.AttemptStarted) and self.task is not None and self.hub is not None:
            self.seen = self.hub.statistics()
            if self.seen.journals:
                self.task.cancel()


def las_client(server: Server, hub: AsyncHub) -> las.AsyncClient:
    return las.AsyncClient(las.Credentials(**server.credentials()), hub=hub).with_options(retry=QUICK)


async def test_a_call(asyncclient_las: Server) -> None:
    recorder = Recorder()
    async with AsyncHub(observers=[recorder]) as hub:
        client = las_client(asyncclient_las, hub)
        await client.list_documents()
        recorder.events.clear()
        asyncclient_las.state.fail_next(503, path="/documents")
        await client.list_documents()
    assert recorder.names() == [
        *("CallStarted", "AttemptStarted", "AttemptFinished", "RetryScheduled"),
        *("AttemptStarted", "AttemptFinished", "CallFinished", "HubShut"),
    ]
    first, second = recorder.of(t.AttemptFinished)
    assert (first.status, second.status) == (503, 200)
    assert (first.attempt.number, second.attempt.number) == (1, 2)
    assert first.attempt.call is recorder.of(t.CallStarted)[0].call
    [end] = recorder.of(t.CallFinished)
    assert (end.attempts, end.status, end.error) == (2, 200, None)
    assert end.duration_s >= first.duration_s + second.duration_s


async def test_a_call_that_fails_and_one_that_is_cancelled(asyncclient_las: Server) -> None:
    recorder = Recorder()
    async with AsyncHub(observers=[recorder]) as hub:
        client = las_client(asyncclient_las, hub)
        await client.list_documents()
        with pytest.raises(errors.APIError):
            await client.get_document("las:document:" + "0" * 32)
        assert recorder.of(t.CallFinished)[-1].error == "NotFound"
        assert recorder.of(t.CallFinished)[-1].status == 404
        asyncclient_las.state.delay(5, path="/documents")
        begun = len(recorder.of(t.AttemptStarted))
        call = asyncio.ensure_future(client.list_documents())
        while len(recorder.of(t.AttemptStarted)) == begun:
            await asyncio.sleep(0)
        call.cancel()
        with pytest.raises(asyncio.CancelledError):
            await call
    assert recorder.of(t.AttemptFinished)[-1].error == "CancelledError"
    assert recorder.of(t.AttemptFinished)[-1].status is None
    assert recorder.of(t.CallFinished)[-1].error == "CancelledError"
    assert len(recorder.of(t.AttemptStarted)) == len(recorder.of(t.AttemptFinished))


async def test_an_observer_that_fails(asyncclient_las: Server, caplog: pytest.LogCaptureFixture) -> None:
    class Broken:
        def on_event(self, event: t.Event) -> None:
            raise ValueError("broken")

    recorder = Recorder()
    async with AsyncHub(observers=[Broken(), recorder]) as hub:
        client = las_client(asyncclient_las, hub)
        await client.list_documents()
        await client.list_documents()
    assert len(recorder.of(t.CallFinished)) == 3
    [record] = [record for record in caplog.records if record.levelno == logging.ERROR]
    assert "Broken" in record.getMessage()


@pytest.mark.parametrize("given", [[object()], [Recorder], ["x"]], ids=["object", "class", "text"])
async def test_what_is_no_observer(given: Any) -> None:
    with pytest.raises(errors.ArgumentTypeError, match="on_event"):
        AsyncHub(observers=given)


async def test_headers_go_to_the_service_and_not_to_stores(asyncclient_flywheel: Server, tmp_path: Path) -> None:
    said: list[tuple[str, bool]] = []

    class Adding:
        def on_event(self, event: t.Event) -> None:
            if isinstance(event, t.AttemptStarted):
                said.append((event.attempt.path, event.attempt.add_header("X-Added", "1")))

    source = tmp_path / "scan.dcm"
    source.write_bytes(bytes(6 * MIB))
    async with AsyncHub(observers=[Adding()]) as hub:
        client = flywheel.AsyncClient(asyncclient_flywheel.credentials()["api_key"], hub=hub)
        await client.add_group({"_id": "lab", "label": "Lab"})
        project = await client.add_project({"group": "lab", "label": "Study"})
        await client.upload_file_to_project(project, source)
    assert {own for path, own in said if path.startswith("/api")} == {True}
    assert {own for path, own in said if path == "/[redacted]"} == {False}


async def test_a_transfer(
    asyncclient_flywheel: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Interrupted, taken up again, and told of in both calls."""
    monkeypatch.setenv("ASYNCCLIENT_STATE_DIR", str(tmp_path / "state"))
    caplog.set_level(logging.DEBUG, "asyncclient.transfers")
    source = tmp_path / "scan.dcm"
    source.write_bytes(bytes(range(256)) * (24 * MIB // 256))
    recorder, stopping = Recorder(), Stopping()
    async with AsyncHub(observers=[recorder, stopping]) as hub:
        client = flywheel.AsyncClient(asyncclient_flywheel.credentials()["api_key"], hub=hub)
        await client.add_group({"_id": "lab", "label": "Lab"})
        project = await client.add_project({"group": "lab", "label": "Study"})
        await client.upload_file_to_project(project, source)
        assert hub.statistics().transfers == {"done": 1}
        target = tmp_path / "back.dcm"
        stopping.hub = hub
        stopping.task = asyncio.ensure_future(client.download_file_from_project(project, "scan.dcm", target))
        with pytest.raises(asyncio.CancelledError):
            await stopping.task
        stopping.task = None
        assert stopping.seen is not None
        assert stopping.seen.transfers == {"done": 1, "receiving": 1}
        assert stopping.seen.journals == 1
        assert hub.statistics().transfers == {"done": 1, "cancelled": 1}
        assert hub.statistics().journals == 0
        await client.download_file_from_project(project, "scan.dcm", target)
    sent, stopped, got = recorder.of(t.TransferFinished)
    assert (sent.error, stopped.error, got.error) == (None, "CancelledError", None)
    assert (sent.transfer.direction, stopped.transfer.direction) == ("up", "down")
    assert stopped.transfer.id == got.transfer.id
    assert sent.bytes == got.bytes == source.stat().st_size
    assert sent.parts > 1
    assert got.resumed_bytes == sum(event.bytes for event in recorder.of(t.TransferResumed))
    assert {event.phase for event in recorder.of(t.TransferPhase)} == {"verifying"}
    assert {record.name for record in caplog.records} == {"asyncclient.transfers"}
    assert [record for record in caplog.records if getattr(record, "transfer", None) == got.transfer.id]


async def test_all_hubs_of_the_process(asyncclient_las: Server) -> None:
    """Also of those that clients make for themselves, from now on and until it is ended."""
    recorder, own = Recorder(), Recorder()
    credentials = las.Credentials(**asyncclient_las.credentials())
    end = t.observe(recorder)
    again = t.observe(recorder)
    try:
        async with las.AsyncClient(credentials) as client:
            await client.list_documents()
        heard = len(recorder.of(t.CallFinished))
        assert heard % 2 == 0, "it was given twice"
        assert {event.call.operation for event in recorder.of(t.CallFinished)} >= {"list_documents"}
        assert len(recorder.of(t.HubOpened)) == len(recorder.of(t.HubShut)) == 2
        again()
        again()
        async with AsyncHub(observers=[own]) as hub:
            await las_client(asyncclient_las, hub).list_documents()
        assert len(recorder.of(t.CallFinished)) == heard + len(own.of(t.CallFinished))
    finally:
        end()
    heard = len(recorder.events)
    async with las.AsyncClient(credentials) as client:
        await client.list_documents()
    assert len(recorder.events) == heard


def test_all_hubs_of_the_process_in_blocking_code(asyncclient_las: Server) -> None:
    recorder = Recorder()
    end = t.observe(recorder)
    try:
        with las.Client(las.Credentials(**asyncclient_las.credentials())) as client:
            client.list_documents()
    finally:
        end()
    assert [event.status for event in recorder.of(t.CallFinished)][-1] == 200


def test_an_observer_of_all_hubs_has_a_method() -> None:
    with pytest.raises(errors.ArgumentTypeError, match="method on_event; int has none"):
        t.observe(7)  # type: ignore[arg-type]  # refused
