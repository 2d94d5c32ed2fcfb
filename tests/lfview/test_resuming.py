"""What the journal keeps of an upload, and what the error of an interrupted one advises."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from pathlib import Path

import numpy as np
import pytest

from asyncclient import lfview
from asyncclient._transfers.guard import check_no_secrets
from asyncclient._transfers.transfers import list_jobs, resume
from asyncclient.errors import ConfigurationError, ResumeError
from asyncclient.lfview import _resuming, exceptions
from asyncclient.lfview._targets import Sent
from asyncclient.lfview.files import Array, Image
from asyncclient.testing import Server

pytestmark = pytest.mark.anyio

CHUNK = 262_144
DATA = os.urandom(6 * CHUNK)
CONTENT = Sent(len(DATA), "image/png")


@pytest.fixture
async def session(asyncclient_lfview: Server) -> AsyncIterator[lfview.AsyncSession]:
    async with lfview.AsyncSession(**asyncclient_lfview.credentials()) as session:
        yield session


async def interrupted(session: lfview.AsyncSession, server: Server, resource: Image | Array) -> Exception:
    server.state.keep_next(None, status=403, after=2, path="/storage/*")
    with pytest.raises(exceptions.Forbidden) as caught:
        await session.upload(resource, chunk_size=CHUNK)
    return caught.value


async def test_an_image_can_be_finished_by_the_command(
    session: lfview.AsyncSession, asyncclient_lfview: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "image.png"
    path.write_bytes(DATA)
    error = await interrupted(session, asyncclient_lfview, Image(str(path)))
    (job,) = await list_jobs()
    assert f"transfer {job.id}: call again, or run `asyncclient transfers resume {job.id}`, to go on" in error.__notes__
    assert error.transfer_id == job.id  # type: ignore[attr-defined]
    monkeypatch.delenv("LFVIEW_API_KEY", raising=False)
    with pytest.raises(ConfigurationError, match="LFVIEW_API_KEY"):
        await resume(job.id)
    monkeypatch.setenv("LFVIEW_API_KEY", "bad-key")
    with pytest.raises(exceptions.InvalidAPIKey):
        await resume(job.id)
    monkeypatch.setenv("LFVIEW_API_KEY", "good-key")
    found = await resume(job.id)
    assert (found.size, found.resumed_bytes) == (len(DATA), 3 * CHUNK)
    (upload,) = asyncclient_lfview.state.sessions.values()
    assert asyncclient_lfview.state.content(upload.id) == DATA


async def test_an_array_can_not(session: lfview.AsyncSession, asyncclient_lfview: Server) -> None:
    values = np.frombuffer(DATA, "u1")
    error = await interrupted(session, asyncclient_lfview, Array(values))
    (job,) = await list_jobs()
    assert f"transfer {job.id}: call again to go on" in error.__notes__
    with pytest.raises(ResumeError, match="make the same call again"):
        await resume(job.id)
    asyncclient_lfview.state.requests.clear()
    await session.upload(Array(values), chunk_size=CHUNK)
    sent = [request.size_bytes for request in asyncclient_lfview.state.requests if request.method == "PUT"]
    assert sum(sent) == 3 * CHUNK


async def test_what_the_journal_keeps(session: lfview.AsyncSession, asyncclient_lfview: Server) -> None:
    await session.connect()
    assert _resuming.describe(session, CONTENT, None) == {}
    url = asyncclient_lfview.url
    found = _resuming.describe(session, CONTENT, "abc")
    check_no_secrets(found)
    assert found == {
        "content": "abc",
        "length": len(DATA),
        "media_type": "image/png",
        "discovery": f"{url}/v1/endpoints/lookup",
        "client_version": "View API Python Client v0.1.2",
        "origin": url,
    }


@pytest.mark.parametrize("service", ["https://x.example/a?sig=abcdefghijkl", "https://me:pass@x.example/"])
async def test_a_service_that_looks_like_a_secret_is_not_kept(asyncclient_lfview: Server, service: str) -> None:
    async with lfview.AsyncSession(**asyncclient_lfview.credentials(), service=service) as session:
        assert _resuming.describe(session, CONTENT, "abc") == {"content": "abc"}
    async with lfview.AsyncSession(**asyncclient_lfview.credentials(), service="https://x.example") as session:
        assert _resuming.describe(session, CONTENT, "abc")["service"] == "https://x.example"
