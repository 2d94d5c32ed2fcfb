"""The tree of the demo, and what it notes when something is wrong with it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from asyncclient.cli import _demo_flywheel
from asyncclient.cli._demo_flywheel import Scan, make_scans, move
from asyncclient.cli._progress import make_progress
from asyncclient.cli._report import Outcome, print_report
from asyncclient.cli._round_trip import Trip
from asyncclient.testing import Server

STAGES = ["Tree: make", "Tree: upload", "Tree: find, view", "Tree: read, compare", "Tree: delete"]
PART_BYTES = 400_000


@pytest.fixture
def asyncclient_flywheel_options() -> dict[str, Any]:
    return {"part_bytes": PART_BYTES}


@pytest.fixture
def trip(tmp_path: Path) -> Trip:
    back = tmp_path / "back"
    back.mkdir()
    return Trip(back, make_progress(), Outcome("files"))


@pytest.fixture
def scans(tmp_path: Path) -> list[Scan]:
    folder = tmp_path / "scans"
    folder.mkdir()
    return make_scans(folder, small=True)


def files(trip: Trip) -> list[int]:
    return [stage.files for stage in trip.outcome.stages]


def test_there_and_back(trip: Trip, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    _demo_flywheel.run(trip, tmp_path, small=True)
    assert trip.outcome.problems == []
    assert [stage.name for stage in trip.outcome.stages] == STAGES
    assert files(trip) == [7, 7, 7, 7, 1]
    assert trip.outcome.stages[1].bytes == 6 * 16 * 1024 + 2 * 1024 * 1024
    assert trip.outcome.tree_files == 7
    assert list(trip.back.iterdir()) == []
    print_report(trip.outcome, as_json=False)
    assert "7 files of a tree came back the same." in capsys.readouterr().out


@pytest.mark.anyio
async def test_the_large_one_goes_by_signed_parts(trip: Trip, scans: list[Scan], asyncclient_flywheel: Server) -> None:
    await move(trip, asyncclient_flywheel.credentials(), scans)
    assert trip.outcome.problems == []
    puts = [request for request in asyncclient_flywheel.state.requests if request.method == "PUT"]
    assert len(puts) == 6 + -(-scans[-1].size_bytes // PART_BYTES)
    assert not list(asyncclient_flywheel.state.of_kind("project"))


def test_the_same_samples_every_time(tmp_path: Path, scans: list[Scan]) -> None:
    (tmp_path / "again").mkdir()
    again = make_scans(tmp_path / "again", small=True)
    assert [scan.path.read_bytes() for scan in again] == [scan.path.read_bytes() for scan in scans]
    assert len({scan.path.read_bytes() for scan in scans}) == 7


@pytest.mark.anyio
async def test_a_file_that_comes_back_different(trip: Trip, scans: list[Scan], asyncclient_flywheel: Server) -> None:
    state = asyncclient_flywheel.state
    state.options.hash_up_to_bytes = 0  # the client would notice by itself
    state.fail_next(200, method="GET", path="/api/acquisitions/*/files/*", body=b"x" * scans[0].size_bytes)
    await move(trip, asyncclient_flywheel.credentials(), scans[:-1])  # all of one size: any may be the one
    (problem,) = trip.outcome.problems
    assert problem.endswith(": came back different")
    assert trip.outcome.tree_files == 5


@pytest.mark.anyio
async def test_a_file_that_is_gone(trip: Trip, scans: list[Scan], asyncclient_flywheel: Server) -> None:
    scans[1].path.unlink()
    await move(trip, asyncclient_flywheel.credentials(), scans)
    (problem,) = trip.outcome.problems
    assert problem.startswith("scan 2.nii: ")
    assert files(trip) == [7, 6, 6, 6, 1]


@pytest.mark.anyio
async def test_a_project_that_stays(trip: Trip, scans: list[Scan], asyncclient_flywheel: Server) -> None:
    asyncclient_flywheel.state.fail_next(200, method="DELETE", path="/api/projects/*", body={"deleted": 1})
    await move(trip, asyncclient_flywheel.credentials(), scans)
    assert trip.outcome.problems == ["asyncclient demo: is still there"]
    assert files(trip) == [7, 7, 7, 7, 0]
