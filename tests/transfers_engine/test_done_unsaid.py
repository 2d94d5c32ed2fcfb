"""Stopped after everything had arrived and before the journal said so: nothing moves again, and nothing stale is believed."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from asyncclient._pipeline import Pipeline
from asyncclient._transfers.journal import Journal
from asyncclient._transfers.options import TransferOptions
from asyncclient._transfers.part_file import PartFile
from asyncclient._transfers.records import Done, End, Job
from asyncclient._transfers.run import Run
from asyncclient._transfers.targets_download import HttpDownload
from asyncclient._transfers.targets_parts import S3Parts
from asyncclient._transfers.transfers import download_file, upload_file
from tests.support.storage_server import Answer, Asked, StorageServer
from tests.transfers_engine.support import (
    UNIT,
    content,
    journals,
    left_over,
    options,
    parts_target,
    rules,
    session_target,
)

pytestmark = pytest.mark.anyio

DATA = content(6 * UNIT + 1000)
MD5 = hashlib.md5(DATA).hexdigest()
STAGES = ["before the journal", "before its end"]


class Stopped(BaseException):
    """What a kill looks like from within."""


@pytest.fixture(params=STAGES)
def stopping(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Stop the first transfer at its very end, with the journal left as a killed process leaves it."""
    calls = []

    async def finish(run: Run) -> None:
        calls.append(run)
        if len(calls) > 1:
            await whole(run)
            return
        journal = run._journal
        assert journal is not None
        if request.param == STAGES[1]:
            await journal.append(Done(0), End(1, 0))
        await journal.aclose()
        raise Stopped

    whole = Run.finish
    monkeypatch.setattr(Run, "finish", finish)


def finding(url: str) -> S3Parts:
    """A target that may look for its object; the test server has it under another path."""
    made = parts_target(url)

    async def sign(operation: str, parameters: Mapping[str, Any]) -> str:
        return f"{url}/o/file" if operation == "head_object" else await made._sign(operation, parameters)

    return S3Parts(sign, rules=made.rules, finds=True, description=made.description)


@pytest.mark.usefixtures("stopping")
@pytest.mark.parametrize("kind", ["session", "parts"])
async def test_uploads(kind: str, server: StorageServer, pipeline: Pipeline, tmp_path: Path, folder: Path) -> None:
    path, given, base = tmp_path / "data", options(folder, part_size=UNIT), str(server.origin)
    path.write_bytes(DATA)
    make = finding if kind == "parts" else session_target
    server.faults.append(_lengths(server))
    with pytest.raises(Stopped):
        await upload_file(pipeline, rules(), path, make(base), given)
    assert len(journals(folder)) == 1
    sent = server.sent_bytes()
    found = await upload_file(pipeline, rules(), path, make(base), given)
    assert server.sent_bytes() == sent == len(DATA)
    assert found.resumed_bytes == found.size == len(DATA)
    assert found.restarted is None
    assert server.objects["file"] == DATA
    assert journals(folder) == []


def _lengths(server: StorageServer) -> Any:
    """Answer HEAD as HTTP has it: the length of what a GET would bring, and no body."""

    def fault(asked: Asked, answer: Answer) -> Answer | None:
        if asked.method != "HEAD":
            return None
        if "file" not in server.objects:
            return Answer(404)
        headers = {"ETag": server.object_etags["file"], "Content-Length": str(len(server.objects["file"]))}
        return Answer(200, b"", headers, length=False)

    return fault


@pytest.mark.usefixtures("stopping")
@pytest.mark.parametrize("other", [b"", DATA[::-1]])
async def test_parts_of_an_object_that_is_another_one_now(
    other: bytes, server: StorageServer, pipeline: Pipeline, tmp_path: Path, folder: Path
) -> None:
    path, given, base = tmp_path / "data", options(folder, part_size=UNIT), str(server.origin)
    path.write_bytes(DATA)
    server.faults.append(_lengths(server))
    with pytest.raises(Stopped):
        await upload_file(pipeline, rules(), path, finding(base), given)
    del server.objects["file"]
    if other:
        server.put("file", other)
    found = await upload_file(pipeline, rules(), path, finding(base), given)
    assert (found.restarted, found.resumed_bytes) == ("session_expired", 0)
    assert server.objects["file"] == DATA


@pytest.mark.usefixtures("stopping")
async def test_parts_that_may_not_be_looked_for(
    server: StorageServer, pipeline: Pipeline, tmp_path: Path, folder: Path
) -> None:
    path, given, base = tmp_path / "data", options(folder, part_size=UNIT), str(server.origin)
    path.write_bytes(DATA)
    with pytest.raises(Stopped):
        await upload_file(pipeline, rules(), path, parts_target(base), given)
    found = await upload_file(pipeline, rules(), path, parts_target(base), given)
    assert found.restarted == "session_expired"
    assert server.count("HEAD") == 0


async def test_the_answer_to_completing_gets_lost(
    server: StorageServer, pipeline: Pipeline, tmp_path: Path, folder: Path
) -> None:
    lost: list[Asked] = []

    def lose(asked: Asked, answer: Answer) -> Answer | None:
        if asked.method == "POST" and "uploadId" in asked.query and not lost:
            lost.append(asked)
            return Answer(503)
        return None

    server.faults += [_lengths(server), lose]
    path = tmp_path / "data"
    path.write_bytes(DATA)
    found = await upload_file(pipeline, rules(), path, finding(str(server.origin)), options(folder, part_size=UNIT))
    assert lost
    assert (found.size, found.restarted) == (len(DATA), None)
    assert server.sent_bytes() == len(DATA)
    assert server.objects["file"] == DATA


# --- downloads --------------------------------------------------------------------------------------------------------


def source(server: StorageServer) -> HttpDownload:
    return HttpDownload(server.url("/o/file"), name="file", description={"name": "file"})


async def stopped(server: StorageServer, pipeline: Pipeline, out: Path, given: TransferOptions) -> None:
    server.put("file", DATA)
    with pytest.raises(Stopped):
        await download_file(pipeline, rules(), source(server), out, given)
    assert out.read_bytes() == DATA
    server.asked.clear()


@pytest.mark.usefixtures("stopping")
@pytest.mark.parametrize("expected", [None, MD5])
@pytest.mark.parametrize("overwrite", [True, False])
@pytest.mark.parametrize("fsync", ["none", "end", "part"])
async def test_downloads(
    fsync: Any,
    overwrite: bool,
    expected: str | None,
    server: StorageServer,
    pipeline: Pipeline,
    tmp_path: Path,
    folder: Path,
) -> None:
    given = options(folder, part_size=UNIT, expected_md5=expected, overwrite=overwrite, fsync=fsync)
    await stopped(server, pipeline, tmp_path / "out", given)
    before = (tmp_path / "out").stat()
    found = await download_file(pipeline, rules(), source(server), tmp_path / "out", given)
    assert [asked.headers["range"] for asked in server.asked] == ["bytes=0-0"]  # is it still the same?
    assert found.resumed_bytes == found.size == len(DATA)
    assert found.md5 == expected
    assert found.verified == ("md5" if expected else "size")
    assert (tmp_path / "out").stat().st_ino == before.st_ino
    assert journals(folder) == []
    assert left_over(tmp_path) == []


@pytest.mark.usefixtures("stopping")
@pytest.mark.parametrize("expected", [None, MD5])
async def test_a_destination_that_was_changed_since(
    expected: str | None, server: StorageServer, pipeline: Pipeline, tmp_path: Path, folder: Path
) -> None:
    given = options(folder, part_size=UNIT, expected_md5=expected)
    await stopped(server, pipeline, tmp_path / "out", given)
    (tmp_path / "out").write_bytes(DATA[:-1] + b"?")
    found = await download_file(pipeline, rules(), source(server), tmp_path / "out", given)
    assert found.resumed_bytes == 0
    assert (tmp_path / "out").read_bytes() == DATA


@pytest.mark.usefixtures("stopping")
async def test_a_remote_file_that_was_changed_since(
    server: StorageServer, pipeline: Pipeline, tmp_path: Path, folder: Path
) -> None:
    given = options(folder, part_size=UNIT)
    await stopped(server, pipeline, tmp_path / "out", given)
    server.put("file", DATA[::-1])
    found = await download_file(pipeline, rules(), source(server), tmp_path / "out", given)
    assert (found.restarted, found.resumed_bytes) == ("remote_changed", 0)
    assert (tmp_path / "out").read_bytes() == DATA[::-1]


async def test_all_parts_are_there_and_the_remote_file_is_another(
    server: StorageServer, pipeline: Pipeline, tmp_path: Path, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def stop(sink: PartFile) -> None:
        raise Stopped

    given = options(folder, part_size=UNIT)
    server.put("file", DATA)
    with monkeypatch.context() as patched:
        patched.setattr(PartFile, "commit", stop)
        with pytest.raises(Stopped):
            await download_file(pipeline, rules(), source(server), tmp_path / "out", given)
    server.put("file", DATA[::-1])
    found = await download_file(pipeline, rules(), source(server), tmp_path / "out", given)
    assert found.restarted == "remote_changed"
    assert (tmp_path / "out").read_bytes() == DATA[::-1]
    assert left_over(tmp_path) == []


async def test_explicitly_a_complete_job_is_not_taken_up(
    server: StorageServer, pipeline: Pipeline, tmp_path: Path, folder: Path
) -> None:
    """``Journal.resume`` keeps what a job ended with unless it is asked to look again."""
    async with await Journal.create(Job("0" * 32, "test", "up"), folder=folder) as journal:
        await journal.append(Done(0), End(1, 0))
    for reopen in (False, True):
        async with await Journal.resume("0" * 32, folder=folder, reopen=reopen) as journal:
            assert isinstance(journal.state.files[0].outcome, Done) is not reopen
