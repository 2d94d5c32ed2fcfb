"""The numbers of the demo, the hub that counts them, and what is shown while it runs."""

from __future__ import annotations

import io
import os
from collections.abc import AsyncIterator

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from asyncclient import AsyncHub, las
from asyncclient.cli._demo_data import data_of, percentile, rates
from asyncclient.cli._demo_hub import make_hub
from asyncclient.cli._demo_live import _Bars, line_of
from asyncclient.cli._demo_record import Call, Part, Run, Sample, Traffic
from asyncclient.cli._demo_report import number, print_report, shortened
from asyncclient.errors import APIError, NotFound, TransportError
from asyncclient.testing import Server


def sample(at_s: float, up: int, down: int = 0, memory: int | None = 100) -> Sample:
    return Sample(at_s, (up,), (down,), 3, 2, {"bulk": 1, "control": 1}, memory)


@given(st.lists(st.floats(0, 1e3), min_size=1, max_size=50), st.floats(0.01, 1))
def test_a_percentile_is_one_of_the_values(values: list[float], share: float) -> None:
    found = percentile(values, share)
    assert found in values
    assert sum(value <= found for value in values) >= share * len(values)
    assert sum(value < found for value in values) < share * len(values) + 1e-9


def test_percentiles_of_little() -> None:
    assert percentile([], 0.5) is None
    assert percentile([3.0], 0.95) == 3.0
    assert percentile([1.0, 2.0, 3.0, 4.0], 0.5) == 2.0


@given(st.lists(st.tuples(st.floats(0.01, 1), st.integers(0, 10**7)), min_size=1, max_size=30), st.floats(0.1, 2))
def test_rates_add_up_to_what_moved(steps: list[tuple[float, int]], step_s: float) -> None:
    at_s, moved = 0.0, 0
    samples = [sample(0.0, 0)]
    for took_s, size in steps:
        at_s, moved = at_s + took_s, moved + size
        samples.append(sample(at_s, moved // 2, moved - moved // 2))
    run = Run("samples", [Part("las", "Lucidtech")], load=(0.0, at_s), samples=samples)
    found = rates(run, step_s)
    ends = [0.0, *(end for end, _ in found)]
    total = sum(values[0] * (end - begin) for begin, (end, values) in zip(ends, found, strict=False))
    assert total == pytest.approx(moved, abs=1)
    assert ends[-1] == pytest.approx(at_s)
    assert all(values[0] >= -1e-6 for _, values in found)


def test_rates_of_nothing() -> None:
    run = Run("samples", [Part("las", "Lucidtech")], load=(0.0, 1.0))
    assert rates(run, 0.5) == [(0.5, [0.0]), (1.0, [0.0])]


def test_growth_is_told_from_the_beginning_of_the_transfers() -> None:
    samples = [
        sample(0.0, 0, memory=50),
        sample(0.9, 0, memory=100),
        sample(2.0, 0, memory=180),
        sample(3.0, 0, memory=120),
    ]
    run = Run("samples", [Part("las", "Lucidtech")], load=(1.0, 3.0), samples=samples)
    assert data_of(run)["totals"]["memory_growth_bytes"] == 80
    run.samples = [sample(0.0, 0, memory=None)]
    assert data_of(run)["totals"]["memory_growth_bytes"] is None


def test_calls_are_told_apart_by_what_else_runs() -> None:
    part = Part("las", "Lucidtech", calls=[Call(0.0, 0.001, False), Call(1.0, 0.004, True), Call(2.0, 0.008, True)])
    (row,) = data_of(Run("samples", [part]))["services"]
    assert row["calls"] == {
        "idle": {"count": 1, "p50_ms": 1.0, "p95_ms": 1.0},
        "under_load": {"count": 2, "p50_ms": 4.0, "p95_ms": 8.0},
    }


# --- the report --------------------------------------------------------------------------------------------------------


def test_the_report_says_what_is_wrong(capsys: pytest.CaptureFixture[str]) -> None:
    part = Part("las", "Lucidtech", Traffic(10, 5), problems=["a [b]: is wrong"] * 20)
    print_report(data_of(Run("files", [part])), as_json=False)
    said = capsys.readouterr().out
    assert said.count("NOT RIGHT: Lucidtech: a [b]: is wrong") == 10
    assert "NOT RIGHT: ... and 10 more like this." in said
    assert said.endswith("Something differs.\n")


@pytest.mark.parametrize("columns", [80, 120])
def test_the_tables_fit(columns: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv("COLUMNS", str(columns))
    part = Part("sticky_pi", "Sticky Pi", Traffic(1_234_567_890, 1_234_567_890), 12345, files=12345, seconds=99.9)
    part.verified_bytes = 1_234_567_890
    print_report(data_of(Run("files", [part])), as_json=False)
    row = next(line for line in capsys.readouterr().out.splitlines() if "Sticky Pi" in line)
    assert row.split() == ["Sticky", "Pi", "12345", "1234.6", "1234.6", "99.9", "24.7", "1234.6", "-", "0"]


def test_numbers_and_long_lists() -> None:
    assert [number(value) for value in (None, 0.0, 12.345)] == ["-", "0.0", "12.3"]
    assert shortened(["a"] * 11) == ["a"] * 11
    assert shortened(["a"] * 12) == [*["a"] * 10, "... and 2 more like this."]


# --- what is shown -----------------------------------------------------------------------------------------------------


def test_a_line_for_a_service() -> None:
    part = Part("las", "Lucidtech", Traffic(1_000_000, 2_000_000), files=3, seconds=1.5)
    assert line_of(part) == "Lucidtech: 3 files, 1.0 MB up, 2.0 MB down, 1.5 s, all right"
    part.problems = ["one", "two"]
    assert line_of(part).endswith(", 2 not right, first: one")
    part.left_out = "it needs more"
    assert line_of(part) == "Lucidtech: left out"


def test_bars() -> None:
    screen = io.StringIO()
    las_part = Part("las", "Lucidtech", Traffic(30_000_000, 20_000_000), expected_bytes=100_000_000)
    las_part.calls = [Call(1.0, 0.002, True)]
    broken = Part("voxel51", "Voxel51", ended=True, problems=["no"])
    left = Part("lfview", "LF View", ended=True, left_out="it needs more")
    samples = [Sample(at, (up, 0, 0), (0, 0, 0), 3, 2, {}, None) for at, up in ((0.0, 0), (0.9, 7), (2.0, 50_000_000))]
    run = Run("samples", [las_part, broken, left], samples=samples)
    with _Bars(Console(file=screen, force_terminal=True, width=100)) as display:
        display.say("starting \x1b[31m")
        with las_part.step("upload"):
            display.update(run, AsyncHub())
        las_part.ended = True
        display.ended(las_part)
        display.update(run, AsyncHub())
    shown = screen.getvalue()
    assert "starting ?[31m" in shown
    for text in ("upload", "50/100 MB", "1 not right", "left out", "done, 0 files", "small calls 2.0 ms", "0 waiting"):
        assert text in shown, text
    assert "45 MB/s" in shown  # 50 MB since 0.9 s


# --- the hub that counts -----------------------------------------------------------------------------------------------


@pytest.fixture
async def hub(asyncclient_las: Server) -> AsyncIterator[tuple[AsyncHub, Traffic]]:
    traffic = Traffic()
    async with make_hub({asyncclient_las.url: traffic}) as hub:
        yield hub, traffic


@pytest.mark.anyio
async def test_bytes_of_bodies_are_counted(
    hub: tuple[AsyncHub, Traffic], asyncclient_las: Server, tmp_path: os.PathLike[str]
) -> None:
    shared, traffic = hub
    client = las.AsyncClient(las.Credentials(**asyncclient_las.credentials()), hub=shared)
    content = os.urandom(3_000_000)
    document = await client.create_document(content)
    sent = sum(request.size_bytes for request in asyncclient_las.state.requests)
    assert traffic.up == sent > len(content)
    before = traffic.down
    assert await client.download_document(document["documentId"], f"{tmp_path}/copy") == len(content)
    assert len(content) <= traffic.down - before < len(content) + 5_000
    statistics = shared.statistics()
    assert traffic.requests == statistics.requests == len(asyncclient_las.state.requests)
    assert statistics.bytes_sent > traffic.up  # heads are not counted by service
    assert statistics.connections_open >= 1
    assert traffic.moved == traffic.up + traffic.down


@pytest.mark.anyio
async def test_failed_requests_are_counted(hub: tuple[AsyncHub, Traffic], asyncclient_las: Server) -> None:
    shared, traffic = hub
    client = las.AsyncClient(las.Credentials(**asyncclient_las.credentials()), hub=shared)
    asyncclient_las.state.fail_next(503, times=2, path="/organizations/*")
    await client.get_organization("me")
    assert traffic.failed == shared.statistics().retries == 2
    with pytest.raises(NotFound):
        await client.get_document("las:document:nothing")
    assert traffic.failed == 2  # a refusal is no failure
    asyncclient_las.close()
    with pytest.raises((TransportError, APIError)):
        await client.with_options(max_retries=0).get_organization("me")
    assert traffic.failed == 3


@pytest.mark.anyio
async def test_what_goes_elsewhere_is_not_counted(asyncclient_las: Server) -> None:
    traffic = Traffic()
    async with make_hub({"http://elsewhere.example:80": traffic}) as shared:
        client = las.AsyncClient(las.Credentials(**asyncclient_las.credentials()), hub=shared)
        await client.get_organization("me")
    assert traffic == Traffic()
