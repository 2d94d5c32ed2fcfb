"""The jobs of the demo, and what it notes when something is wrong with them."""

from __future__ import annotations

from pathlib import Path

import pytest

from asyncclient.cli import _demo_voxel51
from asyncclient.cli._demo_voxel51 import Clip, make_clips, move
from asyncclient.cli._progress import make_progress
from asyncclient.cli._report import Outcome, print_report
from asyncclient.cli._round_trip import Trip
from asyncclient.testing import Server

STAGES = ["Jobs: upload", "Jobs: start, wait", "Jobs: output, compare"]


@pytest.fixture
def trip(tmp_path: Path) -> Trip:
    back = tmp_path / "back"
    back.mkdir()
    return Trip(back, make_progress(), Outcome("files"))


@pytest.fixture
def clips(tmp_path: Path) -> list[Clip]:
    folder = tmp_path / "clips"
    folder.mkdir()
    return make_clips(folder, small=True)


def test_from_upload_to_output(trip: Trip, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    _demo_voxel51.run(trip, tmp_path, small=True)
    assert trip.outcome.problems == []
    assert [stage.name for stage in trip.outcome.stages] == STAGES
    assert [stage.files for stage in trip.outcome.stages] == [4, 4, 4]
    assert trip.outcome.stages[0].bytes == 4 * 256 * 1024 + 10
    assert trip.outcome.stages[1].requests >= 4 * (2 + 4)  # made, started, looked at until they are complete
    assert trip.outcome.jobs == 4
    assert list(trip.back.iterdir()) == []
    print_report(trip.outcome, as_json=False)
    assert "4 jobs ran on uploaded files; their outputs are right." in capsys.readouterr().out


def test_the_same_samples_every_time(tmp_path: Path, clips: list[Clip]) -> None:
    (tmp_path / "again").mkdir()
    again = make_clips(tmp_path / "again", small=True)
    assert [clip.md5 for clip in again] == [clip.md5 for clip in clips]
    assert len({clip.md5 for clip in clips}) == 4


@pytest.mark.anyio
async def test_a_job_that_fails(trip: Trip, clips: list[Clip], asyncclient_voxel51: Server) -> None:
    asyncclient_voxel51.state.fail_jobs()
    await move(trip, asyncclient_voxel51.credentials(), clips)
    (problem,) = trip.outcome.problems
    assert "' failed" in problem
    assert [stage.files for stage in trip.outcome.stages] == [4, 3, 3]
    assert trip.outcome.jobs == 3


@pytest.mark.anyio
@pytest.mark.parametrize("wrong", [{"inputs": {"video": {"data-id": "x"}}}, {}, [], b"no JSON"])
async def test_an_output_that_is_wrong(
    trip: Trip, clips: list[Clip], asyncclient_voxel51: Server, wrong: object
) -> None:
    asyncclient_voxel51.state.fail_next(200, method="GET", path="/jobs/*/output", body=wrong)
    await move(trip, asyncclient_voxel51.credentials(), clips)
    (problem,) = trip.outcome.problems
    seen = "{'data-id': 'x'}" if isinstance(wrong, dict) and wrong else "nothing"
    assert f": the job saw {seen}, sent was " in problem


@pytest.mark.anyio
async def test_a_file_that_comes_back_different(trip: Trip, clips: list[Clip], asyncclient_voxel51: Server) -> None:
    asyncclient_voxel51.state.fail_next(200, method="GET", path="/data/*/download", body=b"other")
    await move(trip, asyncclient_voxel51.credentials(), clips)
    (problem,) = trip.outcome.problems
    assert problem.endswith(": came back different")


@pytest.mark.anyio
async def test_a_file_that_is_gone(trip: Trip, clips: list[Clip], asyncclient_voxel51: Server) -> None:
    clips[1].path.unlink()
    await move(trip, asyncclient_voxel51.credentials(), clips)
    (problem,) = trip.outcome.problems
    assert problem.startswith("clip 2.mp4: ")
    assert [stage.files for stage in trip.outcome.stages] == [3, 3, 3]
