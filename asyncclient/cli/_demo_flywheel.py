"""A part of the demo: a tree of containers at Flywheel, with files that go up, are found, come back and are compared.

The large one goes by signed addresses, part by part. A data view over the project must show what was made. At last the
project is deleted, and must be gone.
"""

from __future__ import annotations

import asyncio
import json
import random
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from asyncclient import AsyncHub, flywheel, testing
from asyncclient.errors import AsyncClientError, NotFound

if TYPE_CHECKING:
    from asyncclient.cli._round_trip import Trip

__all__ = ["Scan", "make_scans", "move", "run"]

_MADE: Final = "Tree: make"
_SENT: Final = "Tree: upload"
_FOUND: Final = "Tree: find, view"
_FETCHED: Final = "Tree: read, compare"
_DELETED: Final = "Tree: delete"
_GROUP: Final = "demo"
_PROJECT: Final = "asyncclient demo"
_SUBJECTS: Final = 2
_SCANS: Final = 3
_SCAN_BYTES: Final = 512 * 1024
_SMALL_SCAN_BYTES: Final = 16 * 1024
_LARGE_BYTES: Final = 24 * 1024 * 1024
_SMALL_LARGE_BYTES: Final = 2 * 1024 * 1024
_PARTS: Final = 6
_SEED: Final = 6


@dataclass(frozen=True, slots=True)
class Scan:
    """A file, and where Flywheel has it.

    Attributes:
        path: Where it is.
        subject: Label of the subject it is of.
        size_bytes: Its size.
        acquisition_id: The container it goes to.
    """

    path: Path
    subject: str
    size_bytes: int
    acquisition_id: str = ""


def make_scans(folder: Path, *, small: bool) -> list[Scan]:
    """Write sample files, the same at every call: some for each subject, and a large one for the first."""
    noise = random.Random(_SEED)  # noqa: S311 - samples, no secrets
    size = _SMALL_SCAN_BYTES if small else _SCAN_BYTES
    sizes = [(f"s-{subject:02}", size) for subject in range(1, _SUBJECTS + 1) for _ in range(_SCANS)]
    sizes.append(("s-01", _SMALL_LARGE_BYTES if small else _LARGE_BYTES))
    scans = []
    for number, (subject, size_bytes) in enumerate(sizes, 1):
        path = folder / f"scan {number}.nii"
        path.write_bytes(noise.randbytes(size_bytes))
        scans.append(Scan(path, subject, size_bytes))
    return scans


def run(trip: Trip, work: Path, *, small: bool) -> None:
    """Make a tree, let files go there and back, delete it, and note in the outcome what happened.

    Args:
        trip: Where it is shown and noted.
        work: Folder for the samples.
        small: Whether small samples will do.
    """
    folder = work / "scans"
    folder.mkdir()
    scans = make_scans(folder, small=small)
    part_bytes = max(scan.size_bytes for scan in scans) // _PARTS
    with testing.serve("flywheel", process=True, part_bytes=part_bytes) as server:
        asyncio.run(move(trip, server.credentials(), scans))


async def move(trip: Trip, credentials: Mapping[str, str], scans: Sequence[Scan]) -> None:
    """Let the files go the whole way through one hub."""
    async with AsyncHub() as hub, flywheel.AsyncClient(credentials["api_key"], hub=hub) as client:
        demo = _Demo(trip, hub, client)
        made = await demo.make(scans)
        sent = await demo.upload(made)
        await demo.find(sent)
        trip.outcome.tree_files = await demo.fetch(sent)
        await demo.delete()


class _Demo:
    def __init__(self, trip: Trip, hub: AsyncHub, client: flywheel.AsyncClient) -> None:
        self._trip = trip
        self._hub = hub
        self._client = client
        self._project_id = ""
        self._sessions: dict[str, str] = {}
        self._made: list[Scan] = []

    async def make(self, scans: Sequence[Scan]) -> list[Scan]:
        """Make the containers: one session for each subject, one acquisition for each file."""
        await self._client.add_group({"_id": _GROUP, "label": "Demo"})
        self._project_id = str(await self._client.add_project({"label": _PROJECT, "group": _GROUP}))
        for label in dict.fromkeys(scan.subject for scan in scans):
            subject = await self._client.add_subject({"label": label, "project": self._project_id})
            body = {"label": "visit 1", "project": self._project_id, "subject": str(subject)}
            self._sessions[label] = str(await self._client.add_session(body))
        self._made = await self._stage(_MADE, self._add, scans, moved=False)
        return self._made

    async def upload(self, scans: Sequence[Scan]) -> list[Scan]:
        return await self._stage(_SENT, self._send, scans, moved=True)

    async def find(self, scans: Sequence[Scan]) -> None:
        await self._stage(_FOUND, self._look, scans, moved=False)
        await self._noted(self._view())

    async def fetch(self, scans: Sequence[Scan]) -> int:
        """Return how many files came back as they were."""
        return len(await self._stage(_FETCHED, self._read_back, scans, moved=True))

    async def delete(self) -> None:
        await self._stage(_DELETED, self._drop, [Scan(Path(_PROJECT), "", 0)], moved=False)

    async def _stage(
        self, name: str, step: Callable[[Scan], Awaitable[Scan]], scans: Sequence[Scan], *, moved: bool
    ) -> list[Scan]:
        """Take a step with every file; return those it went well with."""
        outcome, progress = self._trip.outcome, self._trip.progress
        done = []
        size = sum(scan.size_bytes for scan in scans) if moved else 0
        with outcome.stage(name, self._hub, progress, len(scans), size) as stage:
            async for scan, found in self._all(step, scans):
                if isinstance(found, str):
                    outcome.problems.append(f"{scan.path.name}: {found}")
                    continue
                done.append(found)
                progress.advance(stage, scan.size_bytes if moved else 0)
        return done

    def _all(
        self, step: Callable[[Scan], Awaitable[Scan]], scans: Sequence[Scan]
    ) -> AsyncIterator[tuple[Scan, Scan | str]]:
        async def take(scan: Scan) -> tuple[Scan, Scan | str]:
            try:
                return scan, await step(scan)
            except (AsyncClientError, OSError, ValueError) as error:
                return scan, str(error) or type(error).__name__

        return self._hub.map(take, scans, ordered=False)

    async def _noted(self, work: Awaitable[None]) -> None:
        try:
            await work
        except (AsyncClientError, OSError, ValueError) as error:
            self._trip.outcome.problems.append(str(error) or type(error).__name__)

    async def _add(self, scan: Scan) -> Scan:
        body = {"label": scan.path.stem, "session": self._sessions[scan.subject]}
        return replace(scan, acquisition_id=str(await self._client.add_acquisition(body)))

    async def _send(self, scan: Scan) -> Scan:
        await self._client.upload_file_to_acquisition(scan.acquisition_id, scan.path)
        return scan

    async def _look(self, scan: Scan) -> Scan:
        """Find the file by its path, and its acquisition by its label."""
        steps = [_GROUP, _PROJECT, scan.subject, "visit 1", scan.path.stem]
        node = await self._client.lookup([*steps, "files", scan.path.name])
        if node.size != scan.size_bytes:
            raise ValueError(f"is {node.size} bytes there, sent were {scan.size_bytes}")
        found = await self._client.acquisitions.find_one(f"label={scan.path.stem}")
        if found.id != scan.acquisition_id:
            raise ValueError("another acquisition was found in its place")
        return scan

    async def _view(self) -> None:
        view = self._client.View(columns=["subject.label", "acquisition.label"], include_ids=False)
        text = (await self._client.read_view_data(view, self._project_id, format="json-flat")).read()
        shown = sorted((row["subject.label"], row["acquisition.label"]) for row in json.loads(text))
        if shown != sorted((scan.subject, scan.path.stem) for scan in self._made):
            raise ValueError(f"the view of the project shows {shown}")

    async def _read_back(self, scan: Scan) -> Scan:
        copy = self._trip.back / f"{scan.acquisition_id}.nii"
        acquisition: Any = await self._client.get_acquisition(scan.acquisition_id)
        file = await acquisition.get_file(scan.path.name)
        if file is None:
            raise ValueError("is not in its acquisition")
        await file.download(copy)
        if not await asyncio.to_thread(_same, scan.path, copy):
            raise ValueError("came back different")
        copy.unlink()
        return scan

    async def _drop(self, scan: Scan) -> Scan:
        await self._client.delete_project(self._project_id)
        try:
            await self._client.get_project(self._project_id)
        except NotFound:
            return scan
        raise ValueError("is still there")


def _same(path: Path, copy: Path) -> bool:
    return copy.read_bytes() == path.read_bytes()
