"""Spans and metrics, read back from the SDK's memory."""

from __future__ import annotations

import json
import logging
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanKind, StatusCode

from asyncclient import AsyncHub, Hub, errors, flywheel, las
from asyncclient import telemetry as t
from asyncclient.telemetry import OpenTelemetry
from asyncclient.testing import Server
from asyncclient.types import RetryPolicy

QUICK = RetryPolicy(max_retries=2, base_transport_s=0, base_server_s=0, base_throttle_s=0)
MIB = 1024 * 1024


class Sdk:
    def __init__(self) -> None:
        self._exporter = InMemorySpanExporter()
        self._reader = InMemoryMetricReader()
        self.tracers = TracerProvider(shutdown_on_exit=False)
        self.tracers.add_span_processor(SimpleSpanProcessor(self._exporter))
        self.meters = MeterProvider([self._reader], shutdown_on_exit=False)
        self.tracer = self.tracers.get_tracer("test")

    def observer(self, **options: Any) -> OpenTelemetry:
        return OpenTelemetry(self.tracers, self.meters, **options)

    def spans(self, name: str | None = None) -> list[ReadableSpan]:
        return [span for span in self._exporter.get_finished_spans() if name in (None, span.name)]

    def metrics(self) -> dict[str, list[Any]]:
        data = self._reader.get_metrics_data()
        assert data is not None
        scopes = [scope for resource in data.resource_metrics for scope in resource.scope_metrics]
        return {metric.name: list(metric.data.data_points) for scope in scopes for metric in scope.metrics}


@pytest.fixture
def sdk() -> Sdk:
    return Sdk()


def attributes(span: ReadableSpan) -> dict[str, Any]:
    return dict(span.attributes or {})


def parent_of(span: ReadableSpan) -> int | None:
    return span.parent.span_id if span.parent is not None else None


@pytest.mark.anyio
async def test_a_call_and_its_requests(asyncclient_las: Server, sdk: Sdk) -> None:
    async with AsyncHub(observers=[sdk.observer()]) as hub:
        client = las.AsyncClient(las.Credentials(**asyncclient_las.credentials()), hub=hub).with_options(retry=QUICK)
        asyncclient_las.state.fail_next(503, path="/documents")
        with sdk.tracer.start_as_current_span("mine") as mine:
            await client.list_documents(max_results=1)
        states = sdk.metrics()["http.client.open_connections"]
    [call] = sdk.spans("list_documents")
    assert parent_of(call) == mine.get_span_context().span_id
    assert attributes(call)["asyncclient.service"] == "las"
    assert attributes(call)["asyncclient.attempts"] == 2
    assert [event.name for event in call.events] == ["retry"]
    refused, answered = sdk.spans("GET")
    assert {refused.kind, answered.kind} == {SpanKind.CLIENT}
    assert parent_of(refused) == parent_of(answered) == call.context.span_id
    assert attributes(refused)["error.type"] == "503"
    assert refused.status.status_code is StatusCode.ERROR
    shown = attributes(answered)
    assert shown["http.request.method"] == "GET"
    assert shown["http.response.status_code"] == 200
    assert shown["http.request.resend_count"] == 1
    assert shown["server.address"] == "127.0.0.1"
    assert shown["url.full"].endswith("/documents")
    assert "error.type" not in shown
    [token] = sdk.spans("POST")
    assert token.context.trace_id == call.context.trace_id  # the request for a token belongs to the call that needed it
    assert {state.attributes["http.connection.state"]: state.value for state in states} == {"idle": 1, "active": 0}

    metrics = sdk.metrics()
    assert "http.client.open_connections" not in metrics or not metrics["http.client.open_connections"]
    durations = {
        point.attributes.get("http.response.status_code"): point for point in metrics["http.client.request.duration"]
    }
    assert {200, 503} <= set(durations)
    assert durations[200].explicit_bounds[0] == 0.005
    assert {point.value for point in metrics["http.client.active_requests"]} == {0}
    assert [point.value for point in metrics["asyncclient.call.retries"]] == [1]
    operations = {point.attributes["asyncclient.operation"] for point in metrics["asyncclient.call.duration"]}
    assert "list_documents" in operations


def test_blocking_calls_join_the_trace_of_their_thread(asyncclient_las: Server, sdk: Sdk) -> None:
    with Hub(observers=[sdk.observer()]) as hub:
        client = las.Client(las.Credentials(**asyncclient_las.credentials()), hub=hub)
        with sdk.tracer.start_as_current_span("mine") as mine:
            client.list_documents()
            with sdk.tracer.start_as_current_span("inner") as inner:
                client.list_models()
        client.list_documents()
    first, second = sdk.spans("list_documents")
    assert parent_of(first) == mine.get_span_context().span_id
    assert parent_of(second) is None
    assert parent_of(sdk.spans("list_models")[0]) == inner.get_span_context().span_id


@pytest.mark.anyio
async def test_a_call_that_fails(asyncclient_las: Server, sdk: Sdk) -> None:
    async with AsyncHub(observers=[sdk.observer()]) as hub:
        client = las.AsyncClient(las.Credentials(**asyncclient_las.credentials()), hub=hub).with_options(retry=QUICK)
        with pytest.raises(errors.NotFound):
            await client.get_document("las:document:" + "0" * 32)
        asyncclient_las.state.fail_next(401, path="/documents")
        await client.list_documents()
    [call] = sdk.spans("get_document")
    assert (attributes(call)["error.type"], call.status.status_code) == ("NotFound", StatusCode.ERROR)
    assert not call.status.description
    assert [event.name for event in sdk.spans("list_documents")[0].events] == ["credentials renewed"]


@pytest.mark.anyio
@pytest.mark.parametrize("propagate", [False, True])
async def test_the_trace_goes_to_the_service_alone(
    propagate: bool, asyncclient_flywheel: Server, sdk: Sdk, tmp_path: Path
) -> None:
    added: list[tuple[str, list[bytes]]] = []

    class Looking:
        def on_event(self, event: t.Event) -> None:
            if isinstance(event, t.AttemptStarted):
                added.append((event.attempt.path, [name for name, _ in event.attempt._headers]))

    source = tmp_path / "scan.dcm"
    source.write_bytes(bytes(6 * MIB))
    async with AsyncHub(observers=[sdk.observer(propagate=propagate), Looking()]) as hub:
        client = flywheel.AsyncClient(asyncclient_flywheel.credentials()["api_key"], hub=hub)
        await client.add_group({"_id": "lab", "label": "Lab"})
        project = await client.add_project({"group": "lab", "label": "Study"})
        await client.upload_file_to_project(project, source)
    own = [names for path, names in added if path.startswith("/api")]
    stores = [names for path, names in added if path == "/[redacted]"]
    assert own
    assert stores
    assert all(names == ([b"traceparent"] if propagate else []) for names in own)
    assert all(names == [] for names in stores)


@pytest.mark.anyio
async def test_a_transfer(
    asyncclient_flywheel: Server, sdk: Sdk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ASYNCCLIENT_STATE_DIR", str(tmp_path / "state"))
    source = tmp_path / "scan.dcm"
    source.write_bytes(bytes(12 * MIB))
    async with AsyncHub(observers=[sdk.observer()]) as hub:
        client = flywheel.AsyncClient(asyncclient_flywheel.credentials()["api_key"], hub=hub)
        await client.add_group({"_id": "lab", "label": "Lab"})
        project = await client.add_project({"group": "lab", "label": "Study"})
        await client.upload_file_to_project(project, source)
        await client.download_file_from_project(project, "scan.dcm", tmp_path / "back.dcm")
    [up], [down] = sdk.spans("upload file"), sdk.spans("download file")
    assert attributes(up)["asyncclient.transfer.bytes"] == 12 * MIB
    assert attributes(up)["asyncclient.transfer.parts"] > 1
    assert [event.name for event in up.events] == ["verifying"]
    inside = [span for span in sdk.spans() if parent_of(span) == up.context.span_id]
    assert len(inside) >= attributes(up)["asyncclient.transfer.parts"]
    assert not [span for span in sdk.spans("PUT") if "?" in attributes(span)["url.full"]]
    metrics = sdk.metrics()
    moved = {
        point.attributes["asyncclient.transfer.direction"]: point.value
        for point in metrics["asyncclient.transfer.bytes"]
    }
    assert moved == {"up": 12 * MIB, "down": 12 * MIB}
    assert {point.value for point in metrics["asyncclient.transfer.active"]} == {0}
    assert parent_of(down) is None


@pytest.fixture
def adapter(sdk: Sdk) -> OpenTelemetry:
    return sdk.observer()


def test_every_event_of_a_transfer(adapter: OpenTelemetry, sdk: Sdk) -> None:
    transfer = t.Transfer("job", "las", "down", None)
    for event in (
        t.TransferStarted(transfer),
        t.TransferPhase(transfer, "receiving"),
        t.TransferResumed(transfer, 10),
        t.TransferRetry(transfer, "ReadError", 0.1),
        t.TransferRestarted(transfer, "remote_changed"),
        t.TransferFinished(transfer, 1.0, 30, 10, 2, "ReadError"),
    ):
        adapter.on_event(event)
    [span] = sdk.spans("download file")
    assert [event.name for event in span.events] == ["receiving", "resumed", "retry", "restarted"]
    assert attributes(span)["error.type"] == "ReadError"
    [moved] = sdk.metrics()["asyncclient.transfer.bytes"]
    assert moved.value == 20


def test_what_began_before_and_what_nobody_knows(adapter: OpenTelemetry, sdk: Sdk) -> None:
    """Ends without beginnings, of a hub that was in use when the adapter came, are passed over."""
    call = t.Call("las", "list", "control")
    attempt = t.Attempt(call, 1, "BREW", "http", "::1", 80, "/a", None, False)
    adapter.on_event(t.AttemptFinished(attempt, 0.1, 0.0, 200, None, None, None))
    adapter.on_event(t.CallFinished(call, 0.1, 1, 200, None))
    adapter.on_event(t.RetryScheduled(call, 1, "503", 0.1))
    transfer = t.Transfer("job", "las", "up", None)
    adapter.on_event(t.TransferPhase(transfer, "sending"))
    adapter.on_event(t.TransferFinished(transfer, 1.0, 0, 0, 0, None))
    adapter.on_event(t.Paused("las", "http://a:1", 1.0))
    assert not sdk.spans()
    adapter.on_event(t.AttemptStarted(attempt))
    adapter.on_event(t.AttemptFinished(attempt, 0.1, 0.0, 200, 5, "id", None))
    [span] = sdk.spans()
    assert span.name == "_OTHER"
    assert attributes(span)["url.full"] == "http://[::1]:80/a"
    assert attributes(span)["asyncclient.request_id"] == "id"


def test_an_end_in_another_context(adapter: OpenTelemetry, sdk: Sdk, caplog: pytest.LogCaptureFixture) -> None:
    """A coroutine that is thrown away ends where it is collected; the context there is not touched."""
    import contextvars

    call = t.Call("las", "list", "control")
    contextvars.copy_context().run(adapter.on_event, t.CallStarted(call))
    with caplog.at_level(logging.DEBUG):
        adapter.on_event(t.CallFinished(call, 0.1, 1, 200, None))
    assert not caplog.records
    assert sdk.spans("list")


def test_without_opentelemetry() -> None:
    code = (
        "import sys; sys.modules['opentelemetry'] = None\n"
        "from asyncclient import errors, telemetry\n"
        "try: telemetry.OpenTelemetry()\n"
        "except errors.ConfigurationError as error: print(error)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "asyncclient[telemetry]" in done.stdout


def test_the_api_alone_is_enough() -> None:
    """Without an SDK everything is a no-op, and nothing of it is imported."""
    code = (
        "import json, sys\n"
        "from asyncclient.telemetry import Call, CallFinished, CallStarted, OpenTelemetry\n"
        "observer = OpenTelemetry(propagate=True); call = Call('las', 'list', 'control')\n"
        "observer.on_event(CallStarted(call)); observer.on_event(CallFinished(call, 0.1, 1, 200, None))\n"
        "print(json.dumps([name for name in sys.modules if name.startswith('opentelemetry.sdk')]))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert json.loads(done.stdout) == []
