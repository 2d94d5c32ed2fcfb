"""The project's own client meets the emulator, in the same loop without a socket."""

from __future__ import annotations

import httpx
import pytest

from asyncclient import AsyncHub, flywheel
from asyncclient.testing import app

pytestmark = pytest.mark.anyio

CONTENT = bytes(range(256)) * 4096


@pytest.mark.parametrize(
    ("storage", "parts"),
    [("plain", 4), ("s3", 4), ("google", 2), (None, 1)],  # Google's are multiples of 256 KiB
)
async def test_in_process(storage: str | None, parts: int) -> None:
    emulator = app("flywheel", storage=storage, part_bytes=300_000)
    credentials = emulator.credentials("http://127.0.0.1:8080")
    async with AsyncHub(transport=httpx.ASGITransport(app=emulator)) as hub:
        client = flywheel.AsyncClient(**credentials, hub=hub)
        await client.add_group({"_id": "lab", "label": "Lab"})
        project = await client.add_project({"label": "P", "group": "lab"})
        await client.upload_file_to_project(project, flywheel.FileSpec("f.bin", CONTENT))
        assert await client.download_file_from_project_as_data(project, "f.bin") == CONTENT
        assert [row.label async for row in client.projects.iter()] == ["P"]
    series = emulator.state.find("lab", "P").series("f.bin")
    assert series.version(None).content.size_bytes == len(CONTENT)
    assert len(series.version(None).content.blobs) == parts
    emulator.close()
