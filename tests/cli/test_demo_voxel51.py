"""The jobs of the demo, and what is noted when something is wrong with them."""

from __future__ import annotations

from pathlib import Path

import pytest

from asyncclient.cli._demo_record import Part
from asyncclient.cli._demo_voxel51 import Clip, Jobs, make_clips
from asyncclient.testing import Server
from tests.cli.demo_parts import done

STEPS = ["upload", "run jobs", "read back"]
SIZE = 100_000


@pytest.fixture
def part() -> Part:
    return Part("voxel51", "Voxel51")


@pytest.fixture
def clips(tmp_path: Path) -> list[Clip]:
    (tmp_path / "clips").mkdir()
    return make_clips(tmp_path / "clips", 4, SIZE)


async def work(part: Part, server: Server, clips: list[Clip], back: Path) -> list[int]:
    back.mkdir()
    status = await done(part, server.url, lambda hub: Jobs(part, hub, server.credentials(), clips, back))
    assert status["platform"]["operational"]
    assert [step.name for step in part.steps] == STEPS
    return [step.files for step in part.steps]


@pytest.mark.anyio
async def test_from_upload_to_output(
    part: Part, clips: list[Clip], tmp_path: Path, asyncclient_voxel51: Server
) -> None:
    assert await work(part, asyncclient_voxel51, clips, tmp_path / "back") == [4, 4, 4]
    assert part.problems == []
    assert (part.files, part.verified_bytes) == (4, 4 * SIZE + 10)
    assert part.notes == ["4 jobs ran on uploaded files; their outputs are right."]
    assert list((tmp_path / "back").iterdir()) == []


def test_the_same_samples_every_time(tmp_path: Path, clips: list[Clip]) -> None:
    (tmp_path / "again").mkdir()
    again = make_clips(tmp_path / "again", 4, SIZE)
    assert [clip.md5 for clip in again] == [clip.md5 for clip in clips]
    assert len({clip.md5 for clip in clips}) == 4


@pytest.mark.anyio
async def test_a_job_that_fails(part: Part, clips: list[Clip], tmp_path: Path, asyncclient_voxel51: Server) -> None:
    asyncclient_voxel51.state.fail_jobs()
    assert await work(part, asyncclient_voxel51, clips, tmp_path / "back") == [4, 3, 3]
    (problem,) = part.problems
    assert "' failed" in problem


@pytest.mark.anyio
@pytest.mark.parametrize("wrong", [{"inputs": {"video": {"data-id": "x"}}}, {}, [], b"no JSON"])
async def test_an_output_that_is_wrong(
    part: Part, clips: list[Clip], tmp_path: Path, asyncclient_voxel51: Server, wrong: object
) -> None:
    asyncclient_voxel51.state.fail_next(200, method="GET", path="/jobs/*/output", body=wrong)
    await work(part, asyncclient_voxel51, clips, tmp_path / "back")
    (problem,) = part.problems
    seen = "{'data-id': 'x'}" if isinstance(wrong, dict) and wrong else "nothing"
    assert f": the job saw {seen}, sent was " in problem


@pytest.mark.anyio
async def test_a_file_that_comes_back_different(
    part: Part, clips: list[Clip], tmp_path: Path, asyncclient_voxel51: Server
) -> None:
    asyncclient_voxel51.state.fail_next(200, method="GET", path="/data/*/download", body=b"other")
    await work(part, asyncclient_voxel51, clips, tmp_path / "back")
    (problem,) = part.problems
    assert problem.endswith(": came back different")
    assert part.files == 3


@pytest.mark.anyio
async def test_a_file_that_is_gone(part: Part, clips: list[Clip], tmp_path: Path, asyncclient_voxel51: Server) -> None:
    clips[1].path.unlink()
    assert await work(part, asyncclient_voxel51, clips, tmp_path / "back") == [3, 3, 3]
    (problem,) = part.problems
    assert problem.startswith("clip 2.mp4: ")
