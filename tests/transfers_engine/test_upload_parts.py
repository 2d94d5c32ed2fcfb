from __future__ import annotations

import asyncio
import hashlib
import os
from pathlib import Path

import pytest

from asyncclient._pipeline import Pipeline
from asyncclient._transfers.plan import MIB
from asyncclient._transfers.target import PartRules
from asyncclient._transfers.transfers import upload_file
from asyncclient._transfers.urls import LateUrl
from asyncclient.errors import (
    APIError,
    ArgumentError,
    DecodeError,
    IntegrityError,
    ServerError,
    SessionExpired,
    SourceChanged,
)
from tests.support.storage_server import Answer, Asked, StorageServer
from tests.transfers_engine.support import UNIT, content, journals, options, parts_target, rules

pytestmark = pytest.mark.anyio

DATA = content(7 * UNIT + 1000)


def file_of(folder: Path, data: bytes = DATA) -> Path:
    path = folder / "data.bin"
    path.write_bytes(data)
    return path


def sent_parts(server: StorageServer) -> list[int]:
    return [int(asked.query["partNumber"]) for asked in server.asked if asked.method == "PUT"]


@pytest.mark.parametrize("size", [0, 1, UNIT, UNIT + 1, 7 * UNIT + 1000])
async def test_sizes(size: int, server: StorageServer, pipeline: Pipeline, tmp_path: Path, folder: Path) -> None:
    given = options(folder, part_size=UNIT, md5=True)
    found = await upload_file(
        pipeline, rules(), file_of(tmp_path, DATA[:size]), parts_target(str(server.origin)), given
    )
    assert server.objects["file"] == DATA[:size]
    assert found.size == size
    assert found.md5 == hashlib.md5(DATA[:size]).hexdigest()
    assert found.etag == server.object_etags["file"].strip('"')
    assert found.parts == max(1, -(-size // UNIT))
    assert journals(folder) == []


async def test_parts_go_in_parallel_and_no_more(
    server: StorageServer, pipeline: Pipeline, tmp_path: Path, folder: Path
) -> None:
    gate = asyncio.Event()

    def fault(asked: Asked, answer: Answer) -> Answer | None:
        if asked.method == "PUT":
            if server.busy == 2:
                gate.set()
            answer.hold = gate
        return None

    server.faults.append(fault)
    given = options(folder, part_size=UNIT, parallel=3)
    await upload_file(pipeline, rules(), file_of(tmp_path), parts_target(str(server.origin)), given)
    assert 2 <= server.most_busy <= 3  # the scheduler may admit fewer than were asked for
    assert server.objects["file"] == DATA


async def test_streams_of_unknown_length(server: StorageServer, pipeline: Pipeline, folder: Path) -> None:
    async def stream() -> object:
        for start in range(0, len(DATA), 5000):
            yield DATA[start : start + 5000]

    given = options(folder, part_size=UNIT)
    found = await upload_file(pipeline, rules(), stream(), parts_target(str(server.origin)), given)
    assert server.objects["file"] == DATA
    assert (found.size, found.parts) == (len(DATA), 8)
    few = parts_target(str(server.origin), rules=PartRules(min_part=UNIT, max_part=MIB, max_count=2))
    with pytest.raises(ArgumentError, match="more than 2 parts"):
        await upload_file(pipeline, rules(), stream(), few, given)


async def test_broken_and_refused_parts_are_sent_again(
    server: StorageServer, pipeline: Pipeline, tmp_path: Path, folder: Path
) -> None:
    server.cuts = [1000, 0]
    server.faults.append(lambda asked, answer: Answer(503) if len(server.asked) in (5, 7) else None)
    given = options(folder, part_size=UNIT)
    await upload_file(pipeline, rules(), file_of(tmp_path), parts_target(str(server.origin)), given)
    assert server.objects["file"] == DATA


async def test_a_part_that_arrives_wrong_is_sent_again(
    server: StorageServer, pipeline: Pipeline, tmp_path: Path, folder: Path
) -> None:
    wrong = Answer(200, b"", {"ETag": '"' + "0" * 32 + '"'})
    server.faults.append(lambda asked, answer: wrong if len(server.asked) == 4 else None)
    given = options(folder, part_size=UNIT, parallel=1)
    await upload_file(pipeline, rules(), file_of(tmp_path), parts_target(str(server.origin)), given)
    assert sent_parts(server) == [1, 2, 3, 3, 4, 5, 6, 7, 8]
    server.faults[:] = [lambda asked, answer: wrong if asked.method == "PUT" else None]
    with pytest.raises(IntegrityError, match="part 1") as raised:
        await upload_file(pipeline, rules(), file_of(tmp_path), parts_target(str(server.origin)), given)
    assert raised.value.transfer_id
    kms = parts_target(str(server.origin), etag_is_md5=False, name="other")
    await upload_file(pipeline, rules(), file_of(tmp_path), kms, options(folder, part_size=UNIT, resume=False))
    assert server.objects["other"] == DATA


async def test_keys_under_which_etags_are_no_md5s(
    server: StorageServer, pipeline: Pipeline, tmp_path: Path, folder: Path
) -> None:
    etags = {"ETag": '"' + "0" * 32 + '"', "x-amz-server-side-encryption": "aws:kms"}
    done = f"<R><ETag>{'0' * 32}-8</ETag></R>".encode()

    def fault(asked: Asked, answer: Answer) -> Answer | None:
        if asked.method == "PUT":
            return Answer(200, b"", etags)
        return Answer(200, done, etags) if asked.method == "POST" and "uploadId" in asked.query else None

    server.faults.append(fault)
    target = parts_target(str(server.origin))
    found = await upload_file(pipeline, rules(), file_of(tmp_path), target, options(folder, part_size=UNIT, parallel=1))
    assert found.etag == "0" * 32 + "-8"
    assert sent_parts(server) == [1, 2, 3, 4, 5, 6, 7, 8]


async def test_the_source_is_blamed_before_the_network(
    server: StorageServer, pipeline: Pipeline, tmp_path: Path, folder: Path
) -> None:
    path = file_of(tmp_path)

    def fault(asked: Asked, answer: Answer) -> Answer | None:
        if len(server.asked) == 2:
            stat = path.stat()
            with path.open("r+b") as file:
                file.write(b"other content")
            os.utime(path, ns=(stat.st_atime_ns, stat.st_mtime_ns))
            return Answer(200, b"", {"ETag": '"' + "0" * 32 + '"'})
        return None

    server.faults.append(fault)
    with pytest.raises(SourceChanged, match="part 1"):
        await upload_file(
            pipeline, rules(), path, parts_target(str(server.origin)), options(folder, part_size=UNIT, parallel=1)
        )


async def test_a_whole_that_was_put_together_wrongly(
    server: StorageServer, pipeline: Pipeline, tmp_path: Path, folder: Path
) -> None:
    etag = "0" * 32 + "-8"
    server.faults.append(
        lambda asked, answer: (
            Answer(200, f"<R><ETag>{etag}</ETag></R>".encode())
            if asked.method == "POST" and "uploadId" in asked.query
            else None
        )
    )
    with pytest.raises(IntegrityError, match="etag"):
        await upload_file(
            pipeline, rules(), file_of(tmp_path), parts_target(str(server.origin)), options(folder, part_size=UNIT)
        )


async def test_answers_that_say_too_little(
    server: StorageServer, pipeline: Pipeline, tmp_path: Path, folder: Path
) -> None:
    path, given = file_of(tmp_path), options(folder, part_size=UNIT, resume=False)
    server.faults[:] = [lambda asked, answer: Answer(200, b"<R/>") if asked.method == "POST" else None]
    with pytest.raises(DecodeError, match="UploadId"):
        await upload_file(pipeline, rules(), path, parts_target(str(server.origin)), given)
    server.faults[:] = [lambda asked, answer: Answer(200) if asked.method == "PUT" else None]
    with pytest.raises(DecodeError, match="etag"):
        await upload_file(pipeline, rules(), path, parts_target(str(server.origin)), given)
    error = b"<Error><Message>internal</Message></Error>"
    server.faults[:] = [
        lambda asked, answer: Answer(200, error) if asked.method == "POST" and "uploadId" in asked.query else None
    ]
    with pytest.raises(ServerError, match="internal"):
        await upload_file(pipeline, rules(), path, parts_target(str(server.origin)), given)


async def test_expired_urls_are_signed_again(
    server: StorageServer, pipeline: Pipeline, tmp_path: Path, folder: Path
) -> None:
    expired = Answer(403, b"<Error><Code>AccessDenied</Code><Message>Request has expired</Message></Error>")
    server.faults.append(lambda asked, answer: expired if len(server.asked) in (3, 5) else None)
    given = options(folder, part_size=UNIT)
    await upload_file(pipeline, rules(), file_of(tmp_path), parts_target(str(server.origin)), given)
    assert server.objects["file"] == DATA
    server.faults[:] = [lambda asked, answer: expired if asked.method == "PUT" else None]
    with pytest.raises(APIError) as raised:
        await upload_file(pipeline, rules(), file_of(tmp_path), parts_target(str(server.origin)), given)
    assert raised.value.status == 403


async def test_an_upload_that_is_gone_begins_anew(
    server: StorageServer, pipeline: Pipeline, tmp_path: Path, folder: Path
) -> None:
    def fault(asked: Asked, answer: Answer) -> Answer | None:
        if len(server.asked) == 4:
            server.uploads.clear()
            return Answer(404)
        return None

    server.faults.append(fault)
    given = options(folder, part_size=UNIT)
    found = await upload_file(pipeline, rules(), file_of(tmp_path), parts_target(str(server.origin)), given)
    assert found.restarted == "session_expired"
    assert server.objects["file"] == DATA
    server.faults[:] = [lambda asked, answer: Answer(404) if asked.method == "PUT" else None]
    with pytest.raises(SessionExpired) as raised:
        await upload_file(pipeline, rules(), file_of(tmp_path), parts_target(str(server.origin)), given)
    assert raised.value.transfer_id


async def _interrupted(server: StorageServer, pipeline: Pipeline, path: Path, folder: Path) -> None:
    """Cancel an upload after five parts, of which the journal knows four."""
    gate = asyncio.Event()
    server.asked.clear()

    def fault(asked: Asked, answer: Answer) -> Answer | None:
        if len(server.asked) == 6:
            gate.set()
            return Answer(200, b"", answer.headers, hold=asyncio.Event())
        return None

    server.faults.append(fault)
    given = options(folder, part_size=UNIT, parallel=1)
    task = asyncio.create_task(upload_file(pipeline, rules(), path, parts_target(str(server.origin)), given))
    async with asyncio.timeout(10):
        await gate.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    server.faults.clear()
    server.asked.clear()


async def test_the_same_call_goes_on(server: StorageServer, pipeline: Pipeline, tmp_path: Path, folder: Path) -> None:
    path = file_of(tmp_path)
    await _interrupted(server, pipeline, path, folder)
    found = await upload_file(
        pipeline, rules(), path, parts_target(str(server.origin)), options(folder, part_size=2 * UNIT)
    )
    assert sorted(sent_parts(server)) == [6, 7, 8]  # the fifth was acknowledged to nobody and proved itself
    assert found.resumed_bytes == 5 * UNIT
    assert server.objects["file"] == DATA
    assert journals(folder) == []


async def test_the_service_wins_over_the_journal(
    server: StorageServer, pipeline: Pipeline, tmp_path: Path, folder: Path
) -> None:
    path = file_of(tmp_path)
    await _interrupted(server, pipeline, path, folder)
    upload = next(iter(server.uploads.values()))
    del upload.parts[1]
    upload.parts[2] = b"x" * UNIT
    upload.parts[3] = b"short"
    given = options(folder, part_size=UNIT)
    await upload_file(pipeline, rules(), path, parts_target(str(server.origin)), given)
    assert sorted(sent_parts(server)) == [1, 2, 3, 6, 7, 8]
    assert server.objects["file"] == DATA


async def test_an_upload_that_is_gone_between_runs(
    server: StorageServer, pipeline: Pipeline, tmp_path: Path, folder: Path
) -> None:
    path = file_of(tmp_path)
    await _interrupted(server, pipeline, path, folder)
    server.uploads.clear()
    given = options(folder, part_size=UNIT)
    found = await upload_file(pipeline, rules(), path, parts_target(str(server.origin)), given)
    assert found.restarted == "session_expired"
    assert server.objects["file"] == DATA


async def test_a_source_that_changed_between_runs(
    server: StorageServer, pipeline: Pipeline, tmp_path: Path, folder: Path
) -> None:
    path = file_of(tmp_path)
    await _interrupted(server, pipeline, path, folder)
    other = content(3 * UNIT, seed=9)
    path.write_bytes(other)
    given = options(folder, part_size=UNIT)
    found = await upload_file(pipeline, rules(), path, parts_target(str(server.origin)), given)
    assert found.restarted == "source_changed"
    assert server.count("DELETE") == 1
    assert server.objects["file"] == other


async def test_a_late_url_is_asked_for_once() -> None:
    asked = 0

    async def mint() -> str:
        nonlocal asked
        asked += 1
        await asyncio.sleep(0)
        return f"http://h/{asked}"

    url = LateUrl(mint)
    assert await asyncio.gather(url.get(), url.get(), url.get()) == ["http://h/1"] * 3
    url.renew("http://h/0")  # somebody else's
    assert await url.get() == "http://h/1"
    url.renew("http://h/1")
    assert await url.get() == "http://h/2"
