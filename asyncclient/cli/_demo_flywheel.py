"""The demo at Flywheel: a tree of containers, with files that go up, are found, come back and are compared.

Large ones go by signed addresses, part by part. A data view over the project must show what was made. At last the project
is deleted, and must be gone.
"""

from __future__ import annotations

import asyncio
import filecmp
import json
import random
from collections.abc import Callable, Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

from asyncclient import AsyncHub, flywheel
from asyncclient.cli._demo_record import Part
from asyncclient.cli._demo_work import SmallCall, each
from asyncclient.errors import NotFound

__all__ = ["PARTS", "Scan", "Tree", "make_scans"]

PARTS: Final = 6
"""Parts of a large file."""

_GROUP: Final = "demo"
_PROJECT: Final = "asyncclient demo"
_SUBJECTS: Final = 4
_PER_ACQUISITION: Final = 20
_SEED: Final = 6


@dataclass(frozen=True, slots=True)
class Scan:
    """A file, and where Flywheel has it.

    Attributes:
        path: Where it is.
        subject: Label of the subject it is of.
        acquisition: Label of the acquisition.
        size_bytes: Its size.
        acquisition_id: The container it goes to.
    """

    path: Path
    subject: str
    acquisition: str
    size_bytes: int
    acquisition_id: str = ""

    def __str__(self) -> str:
        return self.path.name


def make_scans(
    folder: Path, small: tuple[int, int], large: tuple[int, int], check: Callable[[], None] = lambda: None
) -> list[Scan]:
    """Write sample files, the same at every call.

    Args:
        folder: Where.
        small: How many small files, and the bytes of the largest of them.
        large: How many large ones, and their bytes.
        check: Called before each file; what it raises ends this.
    """
    noise = random.Random(_SEED)  # noqa: S311 - samples, no secrets
    count, most = small
    sizes = [most * (number % 4 + 1) // 4 + number for number in range(count)] + [large[1]] * large[0]
    scans = []
    for number, size_bytes in enumerate(sizes):
        check()
        label = f"run {number // _PER_ACQUISITION + 1}"
        path = folder / f"scan {number + 1}.nii"
        path.write_bytes(noise.randbytes(size_bytes))
        scans.append(Scan(path, f"s-{number // _PER_ACQUISITION % _SUBJECTS + 1:02}", label, size_bytes))
    return scans


class Tree:
    """The work.

    Args:
        part: Where it is noted.
        hub: That everything goes through.
        credentials: Of the emulator.
        scans: The files.
        back: Folder for what comes back.
    """

    def __init__(
        self, part: Part, hub: AsyncHub, credentials: Mapping[str, str], scans: Sequence[Scan], back: Path
    ) -> None:
        self.part = part
        self._hub = hub
        self._client = flywheel.AsyncClient(credentials["api_key"], hub=hub)
        self._scans = scans
        self._back = back
        self._project_id = ""
        part.expected_bytes = 2 * sum(scan.size_bytes for scan in scans)

    async def open(self, stack: AsyncExitStack) -> SmallCall:
        """Return a small call; the stack closes the client."""
        await stack.enter_async_context(self._client)
        return self._client.get_current_user

    async def run(self) -> None:
        """Make the containers, upload, find, fetch and compare, delete."""
        with self.part.step("make"):
            acquisitions = await self._make()
        scans = [replace(scan, acquisition_id=acquisitions[scan.acquisition]) for scan in self._scans]
        sent = [scan for scan, _ in await each(self._hub, self.part, "upload", self._send, scans)]
        await each(self._hub, self.part, "find", self._look, sent)
        await each(self._hub, self.part, "view", self._view, ["data view"])
        same = await each(self._hub, self.part, "read back", self._read_back, sent)
        await each(self._hub, self.part, "delete", self._drop, [_PROJECT])
        if same:
            self.part.notes.append(f"{len(same)} files of a tree were found by their paths and came back the same.")

    async def _make(self) -> dict[str, str]:
        """Make one session for each subject; returns the ids of the acquisitions by their labels."""
        client = self._client
        await client.add_group({"_id": _GROUP, "label": "Demo"})
        self._project_id = str(await client.add_project({"label": _PROJECT, "group": _GROUP}))
        sessions = {}
        for label in dict.fromkeys(scan.subject for scan in self._scans):
            subject = await client.add_subject({"label": label, "project": self._project_id})
            body = {"label": "visit 1", "project": self._project_id, "subject": str(subject)}
            sessions[label] = str(await client.add_session(body))
        wanted = {scan.acquisition: sessions[scan.subject] for scan in self._scans}
        return {
            label: str(await client.add_acquisition({"label": label, "session": session}))
            for label, session in wanted.items()
        }

    async def _send(self, scan: Scan) -> None:
        await self._client.upload_file_to_acquisition(scan.acquisition_id, scan.path)

    async def _look(self, scan: Scan) -> None:
        """Find the file by its path."""
        steps = [_GROUP, _PROJECT, scan.subject, "visit 1", scan.acquisition]
        node = await self._client.lookup([*steps, "files", scan.path.name])
        if node.size != scan.size_bytes:
            raise ValueError(f"is {node.size} bytes there, sent were {scan.size_bytes}")

    async def _view(self, _name: str) -> None:
        expected = sorted({(scan.subject, scan.acquisition) for scan in self._scans})
        view = self._client.View(columns=["subject.label", "acquisition.label"], include_ids=False)
        text = (await self._client.read_view_data(view, self._project_id, format="json-flat")).read()
        shown = sorted((row["subject.label"], row["acquisition.label"]) for row in json.loads(text))
        if shown != expected:
            raise ValueError(f"shows {shown}")

    async def _read_back(self, scan: Scan) -> None:
        copy = self._back / f"{scan.acquisition_id} {scan.path.name}"
        acquisition: Any = await self._client.get_acquisition(scan.acquisition_id)
        file = await acquisition.get_file(scan.path.name)
        if file is None:
            raise ValueError("is not in its acquisition")
        await file.download(copy)
        same = await asyncio.to_thread(filecmp.cmp, scan.path, copy, shallow=False)
        copy.unlink()
        if not same:
            raise ValueError("came back different")
        self.part.same(scan.size_bytes)

    async def _drop(self, label: str) -> None:
        await self._client.delete_project(self._project_id)
        try:
            await self._client.get_project(self._project_id)
        except NotFound:
            return
        raise ValueError("is still there")
