"""The last part of the demo: files go up to the Voxel51 Platform, a job runs on each, its output is fetched and checked.

The emulator's jobs do something that can be checked: their output names size and digest of what went in. The files are then
fetched too, and compared byte by byte.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import random
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeVar

from asyncclient import AsyncHub, testing, voxel51
from asyncclient.errors import AsyncClientError

if TYPE_CHECKING:
    from asyncclient.cli._round_trip import Trip

__all__ = ["make_clips", "run"]

T = TypeVar("T")
R = TypeVar("R")

_SENT: Final = "Jobs: upload"
_RAN: Final = "Jobs: start, wait"
_FETCHED: Final = "Jobs: output, compare"
_ANALYTIC: Final = "voxel51/vehicle-sense"
_CLIPS: Final = 4
_CLIP_BYTES: Final = 4 * 1024 * 1024
_SMALL_CLIP_BYTES: Final = 256 * 1024
_SEED: Final = 51
_POLL_S: Final = 0.01
_PATIENCE_S: Final = 60.0


@dataclass(frozen=True, slots=True)
class Clip:
    """A file, and what the platform made of it.

    Attributes:
        data_id: Under which the platform has it.
        job_id: The job that looks at it.
    """

    path: Path
    md5: str
    size_bytes: int
    data_id: str = ""
    job_id: str = ""


def make_clips(folder: Path, *, small: bool) -> list[Clip]:
    """Write sample files, the same at every call; they are no films, as nothing looks at them."""
    noise = random.Random(_SEED)  # noqa: S311 - samples, no secrets
    clips = []
    for number in range(1, _CLIPS + 1):
        content = noise.randbytes((_SMALL_CLIP_BYTES if small else _CLIP_BYTES) + number)
        path = folder / f"clip {number}.mp4"
        path.write_bytes(content)
        clips.append(Clip(path, hashlib.md5(content, usedforsecurity=False).hexdigest(), len(content)))
    return clips


def run(trip: Trip, work: Path, *, small: bool) -> None:
    """Upload, run jobs, fetch outputs, and note in the outcome what happened.

    Args:
        trip: Where it is shown and noted.
        work: Folder for the samples.
        small: Whether small samples will do.
    """
    folder = work / "clips"
    folder.mkdir()
    clips = make_clips(folder, small=small)
    with testing.serve("voxel51", process=True) as server:
        asyncio.run(move(trip, server.credentials(), clips))


async def move(trip: Trip, credentials: Mapping[str, str], clips: Sequence[Clip]) -> None:
    """Let the files go the whole way through one hub."""
    token = voxel51.Token.from_private_key(credentials["private_key"], credentials["base_api_url"])
    async with AsyncHub() as hub:
        demo = _Demo(trip, hub, voxel51.AsyncAPI(token, hub=hub))
        sent = await demo.upload(clips)
        ran = await demo.run_jobs(sent)
        trip.outcome.jobs = await demo.fetch(ran)


class _Demo:
    def __init__(self, trip: Trip, hub: AsyncHub, api: voxel51.AsyncAPI) -> None:
        self._trip = trip
        self._hub = hub
        self._api = api

    async def upload(self, clips: Sequence[Clip]) -> list[Clip]:
        return await self._stage(_SENT, self._send, clips, moved=True)

    async def run_jobs(self, clips: Sequence[Clip]) -> list[Clip]:
        return await self._stage(_RAN, self._work, clips, moved=False)

    async def fetch(self, clips: Sequence[Clip]) -> int:
        """Return how many jobs' outputs, and the files themselves, came back as they should."""
        return len(await self._stage(_FETCHED, self._read_back, clips, moved=True))

    async def _stage(
        self, name: str, step: Callable[[Clip], Awaitable[Clip]], clips: Sequence[Clip], *, moved: bool
    ) -> list[Clip]:
        """Take a step with every clip; return those it went well with."""
        outcome, progress = self._trip.outcome, self._trip.progress
        done = []
        size = sum(clip.size_bytes for clip in clips) if moved else 0
        with outcome.stage(name, self._hub, progress, len(clips), size) as stage:
            async for clip, found in self._all(step, clips):
                if isinstance(found, str):
                    outcome.problems.append(f"{clip.path.name}: {found}")
                    continue
                done.append(found)
                progress.advance(stage, clip.size_bytes if moved else 0)
        return done

    def _all(
        self, step: Callable[[Clip], Awaitable[Clip]], clips: Sequence[Clip]
    ) -> AsyncIterator[tuple[Clip, Clip | str]]:
        async def take(clip: Clip) -> tuple[Clip, Clip | str]:
            try:
                return clip, await step(clip)
            except (AsyncClientError, OSError, ValueError) as error:
                return clip, str(error) or type(error).__name__

        return self._hub.map(take, clips, ordered=False)

    async def _send(self, clip: Clip) -> Clip:
        data: Mapping[str, Any] = await self._api.upload_data(clip.path)
        return Clip(clip.path, clip.md5, clip.size_bytes, data["id"])

    async def _work(self, clip: Clip) -> Clip:
        request = voxel51.JobRequest(_ANALYTIC)
        request.set_input("video", data_id=clip.data_id)
        request.set_parameter("fps", 5)
        job: Mapping[str, Any] = await self._api.upload_job_request(request, f"job for {clip.path.name}")
        await self._api.start_job(job["id"])
        await self._api.wait_until_job_completes(job["id"], sleep_time=_POLL_S, max_wait_time=_PATIENCE_S)
        return Clip(clip.path, clip.md5, clip.size_bytes, clip.data_id, job["id"])

    async def _read_back(self, clip: Clip) -> Clip:
        target, copy = (self._trip.back / f"{clip.job_id}.{suffix}" for suffix in ("json", "mp4"))
        await self._api.download_job_output(clip.job_id, target)
        await self._api.download_data(clip.data_id, copy)
        problem = await asyncio.to_thread(_difference, clip, target, copy)
        if problem:
            raise ValueError(problem)
        target.unlink()
        copy.unlink()
        return clip


def _difference(clip: Clip, output: Path, copy: Path) -> str:
    """Say what is not as it should be; blocks."""
    try:
        entry = json.loads(output.read_bytes())["inputs"]["video"]
    except (ValueError, KeyError, TypeError):
        entry = "nothing"
    expected = {"data-id": clip.data_id, "name": clip.path.name, "size": clip.size_bytes, "md5": clip.md5}
    if entry != expected:
        return f"the job saw {entry}, sent was {expected}"
    return "" if copy.read_bytes() == clip.path.read_bytes() else "came back different"
