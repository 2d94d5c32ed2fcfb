"""The tree of the demo, and what is noted when something is wrong with it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from asyncclient.cli._demo_flywheel import Scan, Tree, make_scans
from asyncclient.cli._demo_record import Part
from asyncclient.testing import Server
from tests.cli.demo_parts import done

STEPS = ["make", "upload", "find", "view", "read back", "delete"]
PART_BYTES = 400_000
SMALL, LARGE = (41, 16 * 1024), (1, 2 * 1024 * 1024)


@pytest.fixture
def asyncclient_flywheel_options() -> dict[str, Any]:
    return {"part_bytes": PART_BYTES}


@pytest.fixture
def part() -> Part:
    return Part("flywheel", "Flywheel")


@pytest.fixture
def scans(tmp_path: Path) -> list[Scan]:
    (tmp_path / "scans").mkdir()
    return make_scans(tmp_path / "scans", SMALL, LARGE)


async def work(part: Part, server: Server, scans: list[Scan], back: Path) -> list[int]:
    back.mkdir(exist_ok=True)
    user = await done(part, server.url, lambda hub: Tree(part, hub, server.credentials(), scans, back))
    assert user.id
    assert [step.name for step in part.steps] == STEPS
    assert list(back.iterdir()) == []
    return [step.files for step in part.steps]


@pytest.mark.anyio
async def test_there_and_back(part: Part, scans: list[Scan], tmp_path: Path, asyncclient_flywheel: Server) -> None:
    assert await work(part, asyncclient_flywheel, scans, tmp_path / "back") == [0, 42, 42, 1, 42, 1]
    assert part.problems == []
    size = sum(scan.size_bytes for scan in scans)
    assert (part.files, part.verified_bytes) == (42, size)
    assert part.traffic.up >= size
    assert part.notes == ["42 files of a tree were found by their paths and came back the same."]
    puts = [request for request in asyncclient_flywheel.state.requests if request.method == "PUT"]
    assert len(puts) == 41 + -(-LARGE[1] // PART_BYTES)  # the large one goes by signed parts
    assert not list(asyncclient_flywheel.state.of_kind("project"))


def test_the_same_samples_every_time(tmp_path: Path, scans: list[Scan]) -> None:
    (tmp_path / "again").mkdir()
    again = make_scans(tmp_path / "again", SMALL, LARGE)
    assert [scan.path.read_bytes() for scan in again] == [scan.path.read_bytes() for scan in scans]
    assert len({scan.path.read_bytes() for scan in scans}) == 42
    assert {scan.subject for scan in scans} == {"s-01", "s-02", "s-03"}


@pytest.mark.anyio
async def test_a_file_that_comes_back_different(
    part: Part, scans: list[Scan], tmp_path: Path, asyncclient_flywheel: Server
) -> None:
    state = asyncclient_flywheel.state
    state.options.hash_up_to_bytes = 0  # the client would notice by itself
    state.fail_next(200, method="GET", path="/api/acquisitions/*/files/*", body=b"x" * scans[0].size_bytes)
    await work(part, asyncclient_flywheel, scans[:1], tmp_path / "back")
    assert part.problems == ["scan 1.nii: came back different"]
    assert part.files == 0
    assert part.notes == []


@pytest.mark.anyio
async def test_a_file_that_is_gone(part: Part, scans: list[Scan], tmp_path: Path, asyncclient_flywheel: Server) -> None:
    scans[1].path.unlink()
    assert await work(part, asyncclient_flywheel, scans[:3], tmp_path / "back") == [0, 2, 2, 1, 2, 1]
    (problem,) = part.problems
    assert problem.startswith("scan 2.nii: ")


@pytest.mark.anyio
async def test_a_view_that_shows_something_else(
    part: Part, scans: list[Scan], tmp_path: Path, asyncclient_flywheel: Server
) -> None:
    asyncclient_flywheel.state.fail_next(200, path="/api/data_view_executions/*/data", body=[])
    await work(part, asyncclient_flywheel, scans[:1], tmp_path / "back")
    assert part.problems == ["data view: shows []"]


@pytest.mark.anyio
async def test_a_project_that_stays(
    part: Part, scans: list[Scan], tmp_path: Path, asyncclient_flywheel: Server
) -> None:
    asyncclient_flywheel.state.fail_next(200, method="DELETE", path="/api/projects/*", body={"deleted": 1})
    await work(part, asyncclient_flywheel, scans[:1], tmp_path / "back")
    assert part.problems == ["asyncclient demo: is still there"]
