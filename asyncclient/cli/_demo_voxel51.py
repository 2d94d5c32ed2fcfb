"""The demo at the Voxel51 Platform: files go up, a job runs on each, its output and the files come back and are checked.

The emulator's jobs do something that can be checked: their output names size and digest of what went in. The files are
then fetched too, and compared byte by byte.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import random
from collections.abc import Callable, Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

from asyncclient import AsyncHub, voxel51
from asyncclient.cli._demo_record import Part
from asyncclient.cli._demo_work import SmallCall, each

__all__ = ["Clip", "Jobs", "make_clips"]

_ANALYTIC: Final = "voxel51/vehicle-sense"
_SEED: Final = 51
_POLL_S: Final = 0.05
_PATIENCE_S: Final = 60.0


@dataclass(frozen=True, slots=True)
class Clip:
    """A file, and what the platform made of it.

    Attributes:
        path: Where it is.
        md5: Of its content.
        size_bytes: Its size.
        data_id: Under which the platform has it.
        job_id: The job that looks at it.
    """

    path: Path
    md5: str
    size_bytes: int
    data_id: str = ""
    job_id: str = ""

    def __str__(self) -> str:
        return self.path.name


def make_clips(folder: Path, count: int, size_bytes: int, check: Callable[[], None] = lambda: None) -> list[Clip]:
    """Write sample files, the same at every call; they are no films, as nothing looks at them.

    Args:
        folder: Where.
        count: How many.
        size_bytes: Of each, about.
        check: Called before each file; what it raises ends this.
    """
    noise = random.Random(_SEED)  # noqa: S311 - samples, no secrets
    clips = []
    for number in range(1, count + 1):
        check()
        content = noise.randbytes(size_bytes + number)
        path = folder / f"clip {number}.mp4"
        path.write_bytes(content)
        clips.append(Clip(path, hashlib.md5(content, usedforsecurity=False).hexdigest(), len(content)))
    return clips


class Jobs:
    """The work.

    Args:
        part: Where it is noted.
        hub: That everything goes through.
        credentials: Of the emulator.
        clips: The files.
        back: Folder for what comes back.
    """

    def __init__(
        self, part: Part, hub: AsyncHub, credentials: Mapping[str, str], clips: Sequence[Clip], back: Path
    ) -> None:
        self.part = part
        self._hub = hub
        token = voxel51.Token.from_private_key(credentials["private_key"], credentials["base_api_url"])
        self._api = voxel51.AsyncAPI(token, hub=hub)
        self._clips = clips
        self._back = back
        part.expected_bytes = 2 * sum(clip.size_bytes for clip in clips)

    async def open(self, stack: AsyncExitStack) -> SmallCall:
        """Return a small call; the client goes with its hub."""
        return self._api.get_platform_status

    async def run(self) -> None:
        """Upload, run jobs, fetch outputs and files."""
        sent = await self._each("upload", self._send, self._clips)
        ran = await self._each("run jobs", self._work, sent)
        right = await self._each("read back", self._read_back, ran)
        if right:
            self.part.notes.append(f"{len(right)} jobs ran on uploaded files; their outputs are right.")

    async def _each(self, name: str, step: Any, clips: Sequence[Clip]) -> list[Clip]:
        return [found for _, found in await each(self._hub, self.part, name, step, clips)]

    async def _send(self, clip: Clip) -> Clip:
        data: Mapping[str, Any] = await self._api.upload_data(clip.path)
        return replace(clip, data_id=data["id"])

    async def _work(self, clip: Clip) -> Clip:
        request = voxel51.JobRequest(_ANALYTIC)
        request.set_input("video", data_id=clip.data_id)
        request.set_parameter("fps", 5)
        job: Mapping[str, Any] = await self._api.upload_job_request(request, f"job for {clip.path.name}")
        await self._api.start_job(job["id"])
        await self._api.wait_until_job_completes(job["id"], sleep_time=_POLL_S, max_wait_time=_PATIENCE_S)
        return replace(clip, job_id=job["id"])

    async def _read_back(self, clip: Clip) -> Clip:
        target, copy = (self._back / f"{clip.job_id}.{suffix}" for suffix in ("json", "mp4"))
        await self._api.download_job_output(clip.job_id, target)
        await self._api.download_data(clip.data_id, copy)
        problem = await asyncio.to_thread(_difference, clip, target, copy)
        target.unlink()
        copy.unlink()
        if problem:
            raise ValueError(problem)
        self.part.same(clip.size_bytes)
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
    with copy.open("rb") as file:
        md5 = hashlib.file_digest(file, lambda: hashlib.md5(usedforsecurity=False)).hexdigest()
    return "" if md5 == clip.md5 else "came back different"
