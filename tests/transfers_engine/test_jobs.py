from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from asyncclient._pipeline import Pipeline
from asyncclient._transfers import registry
from asyncclient._transfers.options import Downloaded, TransferOptions, Uploaded
from asyncclient._transfers.targets_download import HttpDownload
from asyncclient._transfers.transfers import (
    Bound,
    abort,
    download_file,
    list_jobs,
    prune,
    register,
    resume,
    upload_file,
)
from asyncclient.errors import APIError, ArgumentError, ResumeError
from tests.support.storage_server import Answer, StorageServer
from tests.transfers_engine.support import (
    UNIT,
    content,
    journals,
    left_over,
    options,
    parts_target,
    pipeline,
    rules,
    session_target,
)

pytestmark = pytest.mark.anyio

DATA = content(6 * UNIT + 1000)


@pytest.fixture(autouse=True)
def _registered(server: StorageServer, monkeypatch: pytest.MonkeyPatch) -> None:
    @contextlib.asynccontextmanager
    async def bind(direction: str, description: Mapping[str, Any]) -> AsyncIterator[Bound]:
        async with pipeline() as sends:
            base = str(server.origin)
            if direction == "down":
                yield Bound(sends, rules(), HttpDownload(f"{base}/o/file", name="file", description=description))
            elif description["kind"] == "parts":
                yield Bound(sends, rules(), parts_target(base))
            else:
                yield Bound(sends, rules(), session_target(base))

    monkeypatch.setattr(registry, "_factories", {})  # and not for the tests of other modules
    register("test", bind)


async def failed_upload(
    kind: str, server: StorageServer, sends: Pipeline, path: Path, given: TransferOptions, service: str = "test"
) -> str:
    path.write_bytes(DATA)
    server.asked.clear()
    server.faults.append(lambda asked, answer: Answer(400) if len(server.asked) >= 4 else None)
    make = parts_target if kind == "parts" else session_target
    with pytest.raises(APIError) as raised:
        await upload_file(sends, rules(service), path, make(str(server.origin)), given)
    server.faults.clear()
    found: str = raised.value.transfer_id  # type: ignore[attr-defined]
    return found


async def failed_download(server: StorageServer, sends: Pipeline, out: Path, given: TransferOptions) -> str:
    server.put("file", DATA)
    server.asked.clear()
    server.faults.append(lambda asked, answer: Answer(400) if len(server.asked) >= 4 else None)
    target = HttpDownload(server.url("/o/file"), name="file", description={"name": "file"})
    with pytest.raises(APIError) as raised:
        await download_file(sends, rules(), target, out, given)
    server.faults.clear()
    found: str = raised.value.transfer_id  # type: ignore[attr-defined]
    return found


@pytest.mark.parametrize("kind", ["parts", "session"])
async def test_uploads_are_resumed_by_id(
    kind: str, server: StorageServer, pipeline: Pipeline, tmp_path: Path, folder: Path
) -> None:
    given = options(folder, part_size=UNIT, parallel=1)
    job = await failed_upload(kind, server, pipeline, tmp_path / "data", given)
    (listed,) = await list_jobs(folder)
    assert (listed.id, listed.service, listed.direction, listed.standing) == (job, "test", "up", "free")
    assert listed.failed == 1 if kind == "parts" else True
    found = await resume(job, given)
    assert isinstance(found, Uploaded)
    assert found.resumed_bytes >= UNIT
    assert server.objects["file"] == DATA
    assert await list_jobs(folder) == []
    with pytest.raises(ResumeError, match="no journal"):
        await resume(job, given)


async def test_downloads_are_resumed_by_id(
    server: StorageServer, pipeline: Pipeline, tmp_path: Path, folder: Path
) -> None:
    given = options(folder, part_size=UNIT, parallel=1)
    job = await failed_download(server, pipeline, tmp_path / "out", given)
    found = await resume(job, given)
    assert isinstance(found, Downloaded)
    assert found.resumed_bytes == 3 * UNIT
    assert (tmp_path / "out").read_bytes() == DATA


@pytest.mark.parametrize("kind", ["parts", "session"])
async def test_abort_drops_everything(
    kind: str, server: StorageServer, pipeline: Pipeline, tmp_path: Path, folder: Path
) -> None:
    given = options(folder, part_size=UNIT, parallel=1)
    job = await failed_upload(kind, server, pipeline, tmp_path / "data", given)
    server.faults.append(lambda asked, answer: Answer(400) if asked.method == "DELETE" else None)
    with pytest.raises(APIError):
        await abort(job, given)
    assert len(journals(folder)) == 1
    server.faults.clear()
    await abort(job, given)
    assert server.sessions == server.uploads == {}
    assert journals(folder) == []
    out = await failed_download(server, pipeline, tmp_path / "out", given)
    assert left_over(tmp_path)
    await abort(out, given)
    assert left_over(tmp_path) == journals(folder) == []


async def test_prune(server: StorageServer, pipeline: Pipeline, tmp_path: Path, folder: Path) -> None:
    given = options(folder, part_size=UNIT, parallel=1)
    job = await failed_upload("parts", server, pipeline, tmp_path / "data", given)
    other = await failed_upload("parts", server, pipeline, tmp_path / "other", given, service="stranger")
    assert (await prune(options=given)).jobs == []
    found = await prune(-1, given)
    assert sorted(found.jobs) == sorted([job, other])
    assert [left.job_id for left in found.sessions] == [other]
    assert len(server.uploads) == 1
    await failed_upload("parts", server, pipeline, tmp_path / "data", given)
    server.faults.append(lambda asked, answer: Answer(400) if asked.method == "DELETE" else None)
    assert len((await prune(-1, given)).sessions) == 1


async def test_what_cannot_be_resumed(server: StorageServer, pipeline: Pipeline, tmp_path: Path, folder: Path) -> None:
    given = options(folder, part_size=UNIT, parallel=1)
    job = await failed_upload("parts", server, pipeline, tmp_path / "data", given, service="stranger")
    for call in (resume, abort):
        with pytest.raises(ResumeError, match="stranger"):
            await call(job, given)
    server.asked.clear()
    server.faults.append(lambda asked, answer: Answer(400) if len(server.asked) >= 4 else None)
    with pytest.raises(APIError) as raised:
        await upload_file(pipeline, rules(), DATA, parts_target(str(server.origin)), given)
    with pytest.raises(ResumeError, match="no file"):
        await resume(raised.value.transfer_id, given)  # type: ignore[attr-defined]


async def test_two_calls_at_a_time_do_not_share_a_journal(
    server: StorageServer, pipeline: Pipeline, tmp_path: Path, folder: Path
) -> None:
    server.put("file", DATA)
    given = options(folder, part_size=UNIT)

    def target() -> HttpDownload:
        return HttpDownload(server.url("/o/file"), name="file", description={"name": "file"})

    await asyncio.gather(*(download_file(pipeline, rules(), target(), tmp_path / "out", given) for _ in range(3)))
    assert (tmp_path / "out").read_bytes() == DATA
    assert left_over(tmp_path) == journals(folder) == []


async def test_a_description_must_hold_no_secret(
    server: StorageServer, pipeline: Pipeline, tmp_path: Path, folder: Path
) -> None:
    path = tmp_path / "data"
    path.write_bytes(DATA)
    target = parts_target(str(server.origin), description={"token": "abcdefgh"})
    with pytest.raises(ArgumentError, match="secret"):
        await upload_file(pipeline, rules(), path, target, options(folder, part_size=UNIT))


async def test_a_complete_job_is_not_begun_again(
    server: StorageServer, pipeline: Pipeline, tmp_path: Path, folder: Path
) -> None:
    from asyncclient._transfers.journal import Journal
    from asyncclient._transfers.records import Done

    given = options(folder, part_size=UNIT, parallel=1)
    job = await failed_upload("parts", server, pipeline, tmp_path / "data", given)
    journal = await Journal.resume(job, folder=folder)
    await journal.append(Done(0))
    await journal.aclose()
    with pytest.raises(ResumeError, match="complete"):
        await resume(job, given)
    assert journals(folder) == []
