"""Nothing blocks the event loop, however files are moved."""

from __future__ import annotations

import io
import mimetypes
from pathlib import Path
from typing import Any

import pytest
from blockbuster import blockbuster_ctx

from asyncclient import AsyncHub, voxel51
from tests.voxel51.wire_server import Received, WireServer


def respond(request: Received) -> dict[str, Any]:
    if request.path.endswith(("/download", "/output", "/log")):
        return {"body": b"x" * (1000 if "small" in request.path else 3_000_000)}
    return {"json": {"data": {"id": "D", "name": "named"}, "job": {"id": "J", "state": "COMPLETE"}}}


@pytest.mark.anyio
async def test_files_are_touched_in_threads_only(wire: WireServer, token: voxel51.Token, tmp_path: Path) -> None:
    wire.play(respond=respond)
    for name, size in (("small.mp4", 1000), ("large.mp4", 3_000_000)):
        (tmp_path / name).write_bytes(bytes(size))
    with blockbuster_ctx("asyncclient"):
        async with AsyncHub() as hub:
            api = voxel51.AsyncAPI(token, hub=hub)
            for kind in ("small", "large"):
                mimetypes.inited = False
                await api.upload_data(tmp_path / f"{kind}.mp4")
                await api.upload_data(tmp_path / f"{kind}.mp4", on_progress=lambda event: None)
                await api.upload_data(io.BytesIO(b"x"), filename="x.mp4")
                await api.download_data(kind, tmp_path / "new" / f"{kind}.down")
                await api.download_data(kind, tmp_path / "new" / f"{kind}.down", resume=False)
                await api.download_job_output(kind, tmp_path / f"{kind}.out", on_progress=lambda event: None)
                await api.download_job_logfile(kind)
            await api.download_data("small")
            await api.upload_job_request(voxel51.JobRequest("a"), "n", auto_start=True)
            await api.wait_until_job_completes("J")
    assert Path("named").stat().st_size == 1000
    assert (tmp_path / "new" / "large.down").stat().st_size == 3_000_000
