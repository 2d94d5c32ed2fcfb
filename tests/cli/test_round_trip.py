"""What the demo notes when something is wrong, with an emulator that makes it so."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from rich.console import Console

from asyncclient.cli import _facade, _round_trip
from asyncclient.cli._demo import _few
from asyncclient.cli._files import Item, scan
from asyncclient.cli._progress import _Live, make_progress
from asyncclient.cli._report import Outcome, Stage, print_report
from asyncclient.cli._round_trip import Trip
from asyncclient.testing import Server


@pytest.fixture
def items(tmp_path: Path) -> list[Item]:
    folder = tmp_path / "files"
    folder.mkdir()
    for name in ("one", "two", "three"):
        (folder / name).write_bytes(name.encode() * 1000)
    (folder / "empty").write_bytes(b"")
    return scan(folder)


@pytest.fixture
def trip(tmp_path: Path) -> Trip:
    back = tmp_path / "back"
    back.mkdir()
    return Trip(back, make_progress(), Outcome("files"))


@pytest.mark.anyio
async def test_all_is_well(trip: Trip, items: list[Item], asyncclient_las: Server) -> None:
    await _round_trip.run(trip, asyncclient_las.credentials(), items)
    assert trip.outcome.ok
    assert trip.outcome.refused == ["empty"]
    assert list(trip.back.iterdir()) == []
    assert asyncclient_las.state.counters["delete_dataset"] == 1


@pytest.mark.anyio
async def test_other_bytes_come_back(trip: Trip, items: list[Item], asyncclient_las: Server) -> None:
    asyncclient_las.state.fail_next(200, method="GET", path="/fileserver/*", body=b"other bytes")
    await _round_trip.run(trip, asyncclient_las.credentials(), items)
    (problem,) = trip.outcome.problems
    assert ": sent with md5 " in problem
    assert [stage.files for stage in trip.outcome.stages] == [3, 2, 3, 3]


@pytest.mark.anyio
async def test_a_file_is_gone_when_it_is_fetched(trip: Trip, items: list[Item], asyncclient_las: Server) -> None:
    asyncclient_las.state.fail_next(404, method="GET", path="/fileserver/*")
    await _round_trip.run(trip, asyncclient_las.credentials(), items)
    assert len(trip.outcome.problems) == 1
    assert trip.outcome.stages[1].files == 2


@pytest.mark.anyio
async def test_a_file_is_gone_when_it_is_sent(trip: Trip, items: list[Item], asyncclient_las: Server) -> None:
    next(item.path for item in items if item.name == "two").unlink()
    await _round_trip.run(trip, asyncclient_las.credentials(), items)
    (problem,) = trip.outcome.problems
    assert problem.startswith("two: ")
    assert [stage.files for stage in trip.outcome.stages] == [2, 2, 2, 2]


@pytest.mark.anyio
async def test_a_list_with_strange_rows(trip: Trip, items: list[Item], asyncclient_las: Server) -> None:
    rows = {"documents": [{"documentId": "las:document:stranger", "contentMD5": None}], "nextToken": None}
    asyncclient_las.state.fail_next(200, method="GET", path="/documents", body=rows)
    await _round_trip.run(trip, asyncclient_las.credentials(), items)
    assert trip.outcome.problems[0] == "las:document:stranger: listed with md5 None, sent with None"
    assert sum(problem.endswith(": not listed") for problem in trip.outcome.problems) == 3


@pytest.mark.anyio
async def test_fewer_are_deleted_than_were_sent(trip: Trip, items: list[Item], asyncclient_las: Server) -> None:
    answer = {"documents": [], "nextToken": None}
    asyncclient_las.state.fail_next(200, method="DELETE", path="/documents", body=answer, applied=True)
    await _round_trip.run(trip, asyncclient_las.credentials(), items)
    assert trip.outcome.problems == ["0 documents deleted, not 3"]


def test_blocking_all_is_well(trip: Trip, items: list[Item], asyncclient_las: Server) -> None:
    _facade.run(trip, asyncclient_las.credentials(), items)
    assert trip.outcome.ok
    (stage,) = trip.outcome.stages
    assert stage.files == 3
    assert stage.connections


def test_blocking_what_is_wrong_is_noted(trip: Trip, items: list[Item], asyncclient_las: Server) -> None:
    asyncclient_las.state.fail_next(200, method="GET", path="/fileserver/*", body=b"other bytes")
    next(item.path for item in items if item.name == "two").unlink()
    rows = {"documents": [], "nextToken": None}
    asyncclient_las.state.fail_next(200, method="GET", path="/documents", body=rows)
    _facade.run(trip, asyncclient_las.credentials(), items)
    assert any("came back different" in problem for problem in trip.outcome.problems)
    assert any(problem.startswith("two: ") for problem in trip.outcome.problems)
    assert trip.outcome.problems[-1] == "blocking client: 2 files sent, 0 listed"


def test_few_are_spread_over_the_sizes() -> None:
    items = [Item(Path(str(size)), str(size), size) for size in range(100)]
    assert [item.size_bytes for item in _few(items)] == [0, 10, 20, 30, 40]
    assert _few(items[:2]) == items[:2]


def test_the_report_says_what_is_wrong(capsys: pytest.CaptureFixture[str]) -> None:
    outcome = Outcome("files", [Stage("upload", 1, 10, 0.0)], [], ["a [b]: is wrong"])
    print_report(outcome, as_json=False)
    said = capsys.readouterr().out
    assert "NOT RIGHT: a [b]: is wrong" in said
    assert said.endswith("Something differs.\n")


def test_bars_on_a_terminal() -> None:
    screen = io.StringIO()
    stage = Stage("upload")
    with _Live(Console(file=screen, force_terminal=True, width=100)) as progress, progress.showing(stage, 2, 2_000_000):
        progress.advance(stage, 2_000_000)
        progress.advance(stage, 0)
    assert (stage.files, stage.bytes) == (2, 2_000_000)
    assert "2/2" in screen.getvalue()
    assert "2.0 MB" in screen.getvalue()
