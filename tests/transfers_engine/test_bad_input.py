"""Input that is wrong: the error is clear, comes as early as it can, and no wrong byte is believed."""

from __future__ import annotations

import asyncio
import errno
import hashlib
import os
import time
from collections.abc import Callable
from dataclasses import replace as replaced
from pathlib import Path
from typing import Any

import pytest

from asyncclient._pipeline import Pipeline
from asyncclient._transfers import fileio
from asyncclient._transfers.claims import current_holder, make_lease
from asyncclient._transfers.destination import check_destination
from asyncclient._transfers.lines import decode_line, encode_line
from asyncclient._transfers.options import TransferOptions
from asyncclient._transfers.records import Job, Lease
from asyncclient._transfers.targets_download import HttpDownload
from asyncclient._transfers.targets_session import ResumableSession, google_begin
from asyncclient._transfers.targets_whole import WholeBody
from asyncclient._transfers.transfers import download_file, resume, upload_file
from asyncclient.errors import APIError, ArgumentError, ResumeError, SourceChanged
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

DATA = content(8 * UNIT + 1000)


def source(server: StorageServer) -> HttpDownload:
    return HttpDownload(server.url("/o/file"), name="file", description={"name": "file"})


# --- sizes of parts ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("size", [0, -1, -UNIT, True, 1.5, "8"])
def test_part_sizes_that_are_none(size: Any) -> None:
    with pytest.raises(ArgumentError, match=r"part_size must be a whole number of at least 1, not ") as raised:
        TransferOptions(part_size=size)
    assert raised.value.argument == "part_size"


@pytest.mark.parametrize("size", [0, -UNIT, 1, UNIT - 1, UNIT + 1])
def test_part_sizes_that_a_session_does_not_take(size: int) -> None:
    with pytest.raises(ArgumentError, match=f"positive multiple of {UNIT}, not {size}"):
        ResumableSession(google_begin("http://127.0.0.1:1/begin"), part_size=size)


async def test_a_wish_is_fitted_to_what_the_session_takes(
    server: StorageServer, pipeline: Pipeline, tmp_path: Path, folder: Path
) -> None:
    path = tmp_path / "data"
    path.write_bytes(DATA)
    await upload_file(pipeline, rules(), path, session_target(str(server.origin)), options(folder, part_size=UNIT + 1))
    starts = [int(asked.headers["content-range"][6:].partition("-")[0]) for asked in server.asked[1:]]
    assert all(start % UNIT == 0 for start in starts)
    assert server.objects["file"] == DATA


# --- sources that change ----------------------------------------------------------------------------------------------


def shrink(path: Path) -> None:
    os.truncate(path, len(DATA) - UNIT)


def grow(path: Path) -> None:
    with path.open("ab") as file:
        file.write(b"more")


def rewrite(path: Path) -> None:
    with path.open("r+b") as file:
        file.seek(len(DATA) - 10)
        file.write(b"0123456789")


def replace(path: Path) -> None:
    path.with_suffix(".new").write_bytes(DATA[::-1])
    path.with_suffix(".new").replace(path)


@pytest.mark.parametrize("change", [shrink, grow, rewrite, replace])
@pytest.mark.parametrize("kind", ["session", "parts", "whole"])
async def test_a_file_that_changes_while_it_is_read(
    kind: str,
    change: Callable[[Path], None],
    server: StorageServer,
    pipeline: Pipeline,
    tmp_path: Path,
    folder: Path,
) -> None:
    path = tmp_path / "data"
    path.write_bytes(DATA)
    changed: list[Asked] = []

    def when(asked: Asked, answer: Answer) -> Answer | None:
        first = asked.method == "PUT" and not changed
        if first:
            changed.append(asked)
            change(path)
        return Answer(503) if first and kind == "whole" else None  # so that it is read again

    server.faults.append(when)
    base = str(server.origin)
    target: Any = {"session": session_target, "parts": parts_target}.get(kind, lambda base: WholeBody(f"{base}/o/file"))
    with pytest.raises(SourceChanged, match="data"):
        await upload_file(pipeline, rules(), path, target(base), options(folder, part_size=UNIT, parallel=1))
    assert changed
    if kind != "whole":
        assert "file" not in server.objects


async def test_a_file_that_is_deleted_while_it_is_read_is_sent_whole(
    server: StorageServer, pipeline: Pipeline, tmp_path: Path, folder: Path
) -> None:
    path = tmp_path / "data"
    path.write_bytes(DATA)
    server.faults.append(lambda asked, answer: path.unlink(missing_ok=True))
    await upload_file(pipeline, rules(), path, session_target(str(server.origin)), options(folder, part_size=UNIT))
    assert server.objects["file"] == DATA


# --- destinations -----------------------------------------------------------------------------------------------------


async def test_a_destination_that_is_a_folder(
    server: StorageServer, pipeline: Pipeline, tmp_path: Path, folder: Path
) -> None:
    server.put("file", DATA)
    with pytest.raises(IsADirectoryError) as raised:
        await download_file(pipeline, rules(), source(server), tmp_path, options(folder))
    assert raised.value.filename == str(tmp_path)
    assert server.asked == []


async def test_a_destination_that_exists(
    server: StorageServer, pipeline: Pipeline, tmp_path: Path, folder: Path
) -> None:
    server.put("file", DATA)
    (tmp_path / "out").write_bytes(b"mine")
    with pytest.raises(FileExistsError) as raised:
        await download_file(pipeline, rules(), source(server), tmp_path / "out", options(folder, overwrite=False))
    assert raised.value.filename == str(tmp_path / "out")
    assert server.asked == []
    assert (tmp_path / "out").read_bytes() == b"mine"
    (tmp_path / "link").symlink_to(tmp_path / "nowhere")
    with pytest.raises(FileExistsError):
        await download_file(pipeline, rules(), source(server), tmp_path / "link", options(folder, overwrite=False))


async def test_a_destination_below_a_file(
    server: StorageServer, pipeline: Pipeline, tmp_path: Path, folder: Path
) -> None:
    server.put("file", DATA)
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(NotADirectoryError) as raised:
        await download_file(pipeline, rules(), source(server), tmp_path / "file" / "sub" / "out", options(folder))
    assert raised.value.filename == str(tmp_path / "file")
    assert server.asked == []


def test_a_folder_that_cannot_be_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "access", lambda path, mode: False)  # root may write everywhere
    with pytest.raises(PermissionError) as raised:
        check_destination(tmp_path / "new" / "out", overwrite=True)
    assert raised.value.filename == str(tmp_path)


@pytest.mark.skipif(not Path("/proc/self").exists(), reason="needs a file system that takes no files, such as /proc")
async def test_a_file_system_that_takes_no_files(server: StorageServer, pipeline: Pipeline, folder: Path) -> None:
    server.put("file", DATA)
    with pytest.raises(OSError, match="/proc"):
        await download_file(pipeline, rules(), source(server), "/proc/out", options(folder))


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
async def test_a_sink_on_a_full_disk(server: StorageServer, pipeline: Pipeline, folder: Path) -> None:
    server.put("file", DATA)
    with Path("/dev/full").open("wb", buffering=0) as full, pytest.raises(OSError, match=r".") as raised:
        await download_file(pipeline, rules(), source(server), full, options(folder))
    assert raised.value.errno == errno.ENOSPC


async def test_a_full_disk_shows_before_the_content_comes(
    server: StorageServer, pipeline: Pipeline, tmp_path: Path, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(fd: int, size: int, place: Path) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(place))

    server.put("file", DATA)
    monkeypatch.setattr(fileio, "preallocate", full)
    with pytest.raises(OSError, match="No space left") as raised:
        await download_file(pipeline, rules(), source(server), tmp_path / "out", options(folder, part_size=UNIT))
    assert raised.value.errno == errno.ENOSPC
    assert len(server.asked) == 1
    assert left_over(tmp_path) == []
    assert not hasattr(raised.value, "transfer_id")
    assert list(folder.iterdir()) == []  # nothing came: there is nothing to go on with
    monkeypatch.undo()
    await download_file(pipeline, rules(), source(server), tmp_path / "out", options(folder, part_size=UNIT))
    assert (tmp_path / "out").read_bytes() == DATA


# --- journals ---------------------------------------------------------------------------------------------------------


async def interrupted(server: StorageServer, pipeline: Pipeline, path: Path, given: TransferOptions) -> str:
    """Leave the journal of an upload that came half-way; returns its id."""
    path.write_bytes(DATA)
    server.faults.append(lambda asked, answer: Answer(400) if len(server.asked) > 4 else None)
    with pytest.raises(APIError) as raised:
        await upload_file(pipeline, rules(), path, session_target(str(server.origin)), given)
    server.faults.clear()
    server.asked.clear()
    found: str = raised.value.transfer_id  # type: ignore[attr-defined]
    return found


def rewritten(folder: Path, change: Callable[[Any], Any]) -> Path:
    (path,) = journals(folder)
    lines = path.read_bytes().splitlines()
    path.write_bytes(b"".join(encode_line(change(record)) for line in lines if (record := decode_line(line))))
    return path


@pytest.mark.parametrize("cut", [1, 5, 40])
async def test_a_torn_journal(
    cut: int, server: StorageServer, pipeline: Pipeline, tmp_path: Path, folder: Path
) -> None:
    given = options(folder, part_size=UNIT)
    await interrupted(server, pipeline, tmp_path / "data", given)
    (path,) = journals(folder)
    written = path.read_bytes()
    path.write_bytes(written + written.splitlines()[-2][:cut])
    found = await upload_file(pipeline, rules(), tmp_path / "data", session_target(str(server.origin)), given)
    assert server.objects["file"] == DATA
    assert found.resumed_bytes > 0
    assert journals(folder) == []


async def test_a_journal_that_is_torn_from_its_first_line_on(
    server: StorageServer, pipeline: Pipeline, tmp_path: Path, folder: Path
) -> None:
    given = options(folder, part_size=UNIT)
    job = await interrupted(server, pipeline, tmp_path / "data", given)
    (path,) = journals(folder)
    path.write_bytes(b"\0" * 100)
    with pytest.raises(ResumeError, match="damaged from its first line on"):
        await resume(job, given)
    await upload_file(pipeline, rules(), tmp_path / "data", session_target(str(server.origin)), given)
    assert server.objects["file"] == DATA
    assert journals(folder) == [path]  # for ``prune``


async def test_a_journal_of_a_newer_version(
    server: StorageServer, pipeline: Pipeline, tmp_path: Path, folder: Path
) -> None:
    def newer(record: Any) -> Any:
        return replaced(record, version=99) if isinstance(record, Job) else record

    given = options(folder, part_size=UNIT)
    job = await interrupted(server, pipeline, tmp_path / "data", given)
    path = rewritten(folder, newer)
    with pytest.raises(ResumeError, match="format 99; update asyncclient"):
        await resume(job, given)
    found = await upload_file(pipeline, rules(), tmp_path / "data", session_target(str(server.origin)), given)
    assert (found.resumed_bytes, server.objects["file"]) == (0, DATA)
    assert journals(folder) == [path]


@pytest.mark.parametrize("ago_s", [0, 10**6])
async def test_a_journal_of_another_host(
    ago_s: int, server: StorageServer, pipeline: Pipeline, tmp_path: Path, folder: Path
) -> None:
    here = await asyncio.to_thread(current_holder)
    elsewhere = make_lease("0" * 16, replaced(here, host="elsewhere", machine="m2", boot="b2"), time.time() - ago_s)

    def held(record: Any) -> Any:
        return replaced(elsewhere, owner=record.owner) if isinstance(record, Lease) else record

    given = options(folder, part_size=UNIT)
    job = await interrupted(server, pipeline, tmp_path / "data", given)
    rewritten(folder, held)
    if not ago_s:
        with pytest.raises(ResumeError, match="on elsewhere"):
            await resume(job, given)
    found = await upload_file(pipeline, rules(), tmp_path / "data", session_target(str(server.origin)), given)
    assert server.objects["file"] == DATA
    assert bool(found.resumed_bytes) is bool(ago_s)  # nobody takes from an owner that may live


async def test_a_journal_that_names_a_missing_file(
    server: StorageServer, pipeline: Pipeline, tmp_path: Path, folder: Path
) -> None:
    given = options(folder, part_size=UNIT)
    await interrupted(server, pipeline, tmp_path / "data", given)
    (tmp_path / "data").unlink()
    with pytest.raises(FileNotFoundError, match="data"):
        await upload_file(pipeline, rules(), tmp_path / "data", session_target(str(server.origin)), given)
    assert len(journals(folder)) == 1
    assert "file" not in server.objects


# --- redirects --------------------------------------------------------------------------------------------------------


async def test_headers_of_a_target_stay_at_its_origin(
    server: StorageServer, pipeline: Pipeline, tmp_path: Path, folder: Path
) -> None:
    async with StorageServer() as other:
        other.put("file", DATA)
        server.faults.append(lambda asked, answer: Answer(302, b"", {"Location": other.url("/o/file")}))
        target = HttpDownload(server.url("/o/file"), name="file", headers=[(b"authorization", b"Bearer key")])
        await download_file(pipeline, rules(), target, tmp_path / "out", options(folder, part_size=UNIT))
        assert (tmp_path / "out").read_bytes() == DATA
        assert all("authorization" in asked.headers for asked in server.asked)
        assert not any("authorization" in asked.headers for asked in other.asked)
        assert hashlib.md5(DATA).hexdigest() == hashlib.md5((tmp_path / "out").read_bytes()).hexdigest()
