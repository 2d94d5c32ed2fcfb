from __future__ import annotations

import asyncio
import hashlib
import os
from pathlib import Path

import pytest

from asyncclient._pipeline import Pipeline
from asyncclient._transfers.transfers import upload_file
from asyncclient.errors import APIError, ArgumentError, IntegrityError, SessionExpired, SourceChanged, TransportError
from tests.support.storage_server import Answer, Asked, StorageServer
from tests.transfers_engine.support import UNIT, content, journals, options, rules, session_target

pytestmark = pytest.mark.anyio

DATA = content(5 * UNIT + 1000)


def file_of(folder: Path, data: bytes = DATA) -> Path:
    path = folder / "data.bin"
    path.write_bytes(data)
    return path


def puts(server: StorageServer) -> list[str]:
    return [asked.headers["content-range"] for asked in server.asked if asked.method == "PUT"]


@pytest.mark.parametrize("size", [0, 1, UNIT - 1, UNIT, UNIT + 1, 3 * UNIT, 3 * UNIT + 5])
async def test_sizes(size: int, server: StorageServer, pipeline: Pipeline, tmp_path: Path, folder: Path) -> None:
    path = file_of(tmp_path, DATA[:size])
    target = session_target(str(server.origin))
    found = await upload_file(pipeline, rules(), path, target, options(folder, part_size=UNIT))
    assert server.objects["file"] == DATA[:size]
    assert found.size == size
    assert found.md5 is not None
    assert found.remote["size"] == str(size)
    assert found.parts == max(1, -(-size // UNIT))
    assert puts(server)[-1].endswith(f"/{size}")
    assert journals(folder) == []


async def test_part_sizes_must_be_aligned() -> None:
    for size in (0, -UNIT, 100_001):
        with pytest.raises(ArgumentError, match="multiple of 262144"):
            session_target("http://127.0.0.1:1", part_size=size)


async def test_goes_on_from_what_the_service_kept(
    server: StorageServer, pipeline: Pipeline, tmp_path: Path, folder: Path
) -> None:
    server.cuts = [2 * UNIT + 77]
    target = session_target(str(server.origin))
    found = await upload_file(pipeline, rules(), file_of(tmp_path), target, options(folder, part_size=4 * UNIT))
    assert server.objects["file"] == DATA
    total = len(DATA)
    assert puts(server) == [
        f"bytes 0-{4 * UNIT - 1}/{total}",
        f"bytes */{total}",
        f"bytes {2 * UNIT}-{4 * UNIT - 1}/{total}",
        f"bytes {4 * UNIT}-{total - 1}/{total}",
    ]
    assert found.size == total


async def test_5xx_is_asked_about_before_it_is_repeated(
    server: StorageServer, pipeline: Pipeline, tmp_path: Path, folder: Path
) -> None:
    def fault(asked: Asked, answer: Answer) -> Answer | None:
        seen = [one for one in server.asked if one.method == "PUT"]
        return Answer(503) if len(seen) == 2 else None  # although the range was kept

    server.faults.append(fault)
    target = session_target(str(server.origin))
    await upload_file(pipeline, rules(), file_of(tmp_path), target, options(folder, part_size=UNIT))
    assert server.objects["file"] == DATA
    assert server.sent_bytes() == len(DATA)


async def test_retries_end_and_the_same_call_goes_on(
    server: StorageServer, pipeline: Pipeline, tmp_path: Path, folder: Path
) -> None:
    def fault(asked: Asked, answer: Answer) -> Answer | None:
        return (
            Answer(503)
            if asked.method == "PUT" and asked.headers["content-range"].startswith(f"bytes {2 * UNIT}")
            else None
        )

    def refuse(asked: Asked, answer: Answer) -> Answer | None:
        if fault(asked, answer) is not None:
            del server.sessions["s1"].data[2 * UNIT :]
            return Answer(503)
        return None

    server.faults.append(refuse)
    path, given = file_of(tmp_path), options(folder, part_size=UNIT)
    with pytest.raises(APIError) as raised:
        await upload_file(pipeline, rules(), path, session_target(str(server.origin)), given)
    assert raised.value.status == 503
    assert raised.value.__notes__[-1].endswith(": call again to go on"), "no command could, for this service"
    assert len(journals(folder)) == 1
    server.faults.clear()
    server.asked.clear()
    found = await upload_file(pipeline, rules(), path, session_target(str(server.origin)), given)
    assert server.objects["file"] == DATA
    assert found.resumed_bytes == 2 * UNIT
    assert server.sent_bytes() == len(DATA) - 2 * UNIT
    assert found.md5 is not None  # the service reports one
    assert journals(folder) == []


async def test_a_session_that_is_gone_is_opened_anew(
    server: StorageServer, pipeline: Pipeline, tmp_path: Path, folder: Path
) -> None:
    def fault(asked: Asked, answer: Answer) -> Answer | None:
        if len(server.asked) == 3:
            server.sessions.pop("s1")
            return Answer(410)
        return None

    server.faults.append(fault)
    target = session_target(str(server.origin))
    found = await upload_file(pipeline, rules(), file_of(tmp_path), target, options(folder, part_size=UNIT))
    assert server.objects["file"] == DATA
    assert found.restarted == "session_expired"


async def test_a_stream_cannot_begin_anew(server: StorageServer, pipeline: Pipeline, folder: Path) -> None:
    server.faults.append(lambda asked, answer: Answer(410) if len(server.asked) == 3 else None)

    async def stream() -> object:
        for start in range(0, len(DATA), 1000):
            yield DATA[start : start + 1000]

    with pytest.raises(SessionExpired):
        await upload_file(
            pipeline, rules(), stream(), session_target(str(server.origin)), options(folder, part_size=UNIT)
        )


@pytest.mark.parametrize("size", [0, UNIT, 3 * UNIT + 5])
async def test_streams_of_unknown_length(size: int, server: StorageServer, pipeline: Pipeline, folder: Path) -> None:
    async def stream() -> object:
        for start in range(0, size, 1000):
            yield DATA[start : min(size, start + 1000)]

    server.cuts = [UNIT // 2]
    target = session_target(str(server.origin))
    found = await upload_file(pipeline, rules(), stream(), target, options(folder, part_size=UNIT))
    assert server.objects["file"] == DATA[:size]
    assert found.size == size
    assert journals(folder) == []


async def test_a_stream_goes_on_inside_a_part(server: StorageServer, pipeline: Pipeline, folder: Path) -> None:
    async def stream() -> object:
        yield DATA

    server.cuts = [UNIT + 5]
    target = session_target(str(server.origin))
    await upload_file(pipeline, rules(), stream(), target, options(folder, part_size=3 * UNIT))
    assert server.objects["file"] == DATA


async def test_a_range_that_goes_backwards_is_believed(
    server: StorageServer, pipeline: Pipeline, tmp_path: Path, folder: Path
) -> None:
    def fault(asked: Asked, answer: Answer) -> Answer | None:
        if len(server.asked) == 4:
            del server.sessions["s1"].data[UNIT:]
            return Answer(308, b"", {"Range": f"bytes=0-{UNIT - 1}"})
        return None

    server.faults.append(fault)
    target = session_target(str(server.origin))
    await upload_file(pipeline, rules(), file_of(tmp_path), target, options(folder, part_size=UNIT))
    assert server.objects["file"] == DATA


async def test_a_session_that_keeps_nothing_ends(
    server: StorageServer, pipeline: Pipeline, tmp_path: Path, folder: Path
) -> None:
    def fault(asked: Asked, answer: Answer) -> Answer | None:
        if asked.method == "PUT":
            server.sessions["s1"].data.clear()
            return Answer(308)
        return None

    server.faults.append(fault)
    with pytest.raises(TransportError, match="keeps nothing"):
        await upload_file(
            pipeline, rules(), file_of(tmp_path), session_target(str(server.origin)), options(folder, part_size=UNIT)
        )


async def test_a_session_that_claims_too_much(
    server: StorageServer, pipeline: Pipeline, tmp_path: Path, folder: Path
) -> None:
    server.faults.append(
        lambda asked, answer: Answer(308, b"", {"Range": "bytes=0-999999999"}) if asked.method == "PUT" else None
    )
    with pytest.raises(IntegrityError, match="at most"):
        await upload_file(
            pipeline, rules(), file_of(tmp_path), session_target(str(server.origin)), options(folder, part_size=UNIT)
        )


async def test_200_too_early(server: StorageServer, pipeline: Pipeline, tmp_path: Path, folder: Path) -> None:
    server.faults.append(lambda asked, answer: Answer(200, b"{}") if asked.method == "PUT" else None)
    with pytest.raises(IntegrityError, match="ended the session"):
        await upload_file(
            pipeline, rules(), file_of(tmp_path), session_target(str(server.origin)), options(folder, part_size=UNIT)
        )


async def test_a_wrong_digest(server: StorageServer, pipeline: Pipeline, tmp_path: Path, folder: Path) -> None:
    wrong = b'{"size": "%d", "md5Hash": "AAAAAAAAAAAAAAAAAAAAAA=="}' % len(DATA)
    server.faults.append(
        lambda asked, answer: Answer(200, wrong) if asked.method == "PUT" and answer.status == 200 else None
    )
    with pytest.raises(IntegrityError, match="md5") as raised:
        await upload_file(
            pipeline, rules(), file_of(tmp_path), session_target(str(server.origin)), options(folder, part_size=UNIT)
        )
    assert raised.value.transfer_id


async def test_the_source_changes_on_the_way(
    server: StorageServer, pipeline: Pipeline, tmp_path: Path, folder: Path
) -> None:
    path = file_of(tmp_path)

    def fault(asked: Asked, answer: Answer) -> Answer | None:
        if len(server.asked) == 3:
            os.utime(path, ns=(1, 1))
        return None

    server.faults.append(fault)
    given = options(folder, part_size=UNIT)
    with pytest.raises(SourceChanged) as raised:
        await upload_file(pipeline, rules(), path, session_target(str(server.origin)), given)
    assert raised.value.transfer_id
    server.faults.clear()
    other = content(len(DATA), seed=2)
    path.write_bytes(other)
    found = await upload_file(pipeline, rules(), path, session_target(str(server.origin)), given)
    assert found.restarted == "source_changed"
    assert server.objects["file"] == other
    assert "s1" not in server.sessions  # dropped


async def test_a_file_that_was_only_touched_goes_on(
    server: StorageServer, pipeline: Pipeline, tmp_path: Path, folder: Path
) -> None:
    path, given = file_of(tmp_path), options(folder, part_size=UNIT)
    await _interrupted(server, pipeline, path, folder)
    os.utime(path, ns=(1, 1))
    found = await upload_file(pipeline, rules(), path, session_target(str(server.origin)), given)
    assert found.resumed_bytes == 2 * UNIT
    assert server.objects["file"] == DATA


async def test_a_session_that_expired_between_runs(
    server: StorageServer, pipeline: Pipeline, tmp_path: Path, folder: Path
) -> None:
    path, given = file_of(tmp_path), options(folder, part_size=UNIT)
    await _interrupted(server, pipeline, path, folder)
    server.sessions.clear()
    found = await upload_file(pipeline, rules(), path, session_target(str(server.origin)), given)
    assert found.restarted == "session_expired"
    assert server.objects["file"] == DATA


async def test_secret_session_urls_are_not_written_down(
    server: StorageServer, pipeline: Pipeline, tmp_path: Path, folder: Path
) -> None:
    path, given = file_of(tmp_path), options(folder, part_size=UNIT)
    await _interrupted(server, pipeline, path, folder, secret=True)
    assert b"very-secret" not in journals(folder)[0].read_bytes()
    found = await upload_file(pipeline, rules(), path, session_target(str(server.origin), secret=True), given)
    assert found.restarted == "session_expired"

    await _interrupted(server, pipeline, path, folder, secret=True, name="other", session_id=lambda _: "42")

    async def reopen(wire: object, session_id: str) -> str:
        assert session_id == "42"
        return server.url(f"/session/s{server.begun}?upload_id=very-secret")

    target = session_target(str(server.origin), secret=True, name="other", reopen=reopen)
    found = await upload_file(pipeline, rules(), path, target, given)
    assert found.resumed_bytes == 2 * UNIT


async def _interrupted(server: StorageServer, pipeline: Pipeline, path: Path, folder: Path, **target: object) -> None:
    """Cancel an upload after two ranges."""
    start = len(server.asked)
    gate = asyncio.Event()

    def fault(asked: Asked, answer: Answer) -> Answer | None:
        if len(server.asked) - start == 4:
            del list(server.sessions.values())[-1].data[2 * UNIT :]
            gate.set()
            return Answer(308, hold=asyncio.Event())
        return None

    server.faults.append(fault)
    made = session_target(str(server.origin), **target)
    task = asyncio.create_task(upload_file(pipeline, rules(), path, made, options(folder, part_size=UNIT)))
    async with asyncio.timeout(10):
        await gate.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    server.faults.clear()
    assert len(journals(folder)) == 1


async def test_throttled_with_retry_after(
    server: StorageServer, pipeline: Pipeline, tmp_path: Path, folder: Path
) -> None:
    def fault(asked: Asked, answer: Answer) -> Answer | None:
        if len(server.asked) == 3:
            del server.sessions["s1"].data[UNIT:]
            return Answer(429, b"", {"Retry-After": "0.01"})
        return None

    server.faults.append(fault)
    target = session_target(str(server.origin))
    await upload_file(pipeline, rules(), file_of(tmp_path), target, options(folder, part_size=UNIT))
    assert server.objects["file"] == DATA


async def test_conflicting_offset_is_asked_about(
    server: StorageServer, pipeline: Pipeline, tmp_path: Path, folder: Path
) -> None:
    server.faults.append(lambda asked, answer: Answer(409) if len(server.asked) == 3 else None)
    target = session_target(str(server.origin))
    await upload_file(pipeline, rules(), file_of(tmp_path), target, options(folder, part_size=UNIT))
    assert server.objects["file"] == DATA


async def test_without_a_journal(server: StorageServer, pipeline: Pipeline, tmp_path: Path, folder: Path) -> None:
    server.faults.append(lambda asked, answer: Answer(400) if len(server.asked) == 3 else None)
    given = options(folder, part_size=UNIT, resume=False)
    with pytest.raises(APIError):
        await upload_file(pipeline, rules(), file_of(tmp_path), session_target(str(server.origin)), given)
    assert not folder.exists()


async def test_no_second_digest_where_nothing_is_compared_with_it(
    server: StorageServer, pipeline: Pipeline, tmp_path: Path, folder: Path
) -> None:
    path, base = file_of(tmp_path), str(server.origin)
    server.faults.append(lambda asked, answer: Answer(200, b"{}") if asked.method == "PUT" and answer.body else None)
    given = options(folder, part_size=UNIT)
    found = await upload_file(pipeline, rules(), path, session_target(base, names_md5=False), given)
    assert found.md5 is None
    for wish in ({"md5": True}, {"expected_md5": hashlib.md5(DATA).hexdigest()}):
        wished = options(folder, part_size=UNIT, **wish)
        found = await upload_file(pipeline, rules(), path, session_target(base, names_md5=False), wished)
        assert found.md5 == hashlib.md5(DATA).hexdigest()
    wrong = options(folder, part_size=UNIT, expected_md5="0" * 32)
    with pytest.raises(IntegrityError):
        await upload_file(pipeline, rules(), path, session_target(base, names_md5=False), wrong)


async def test_a_digest_that_was_not_expected_to_be_named_is_compared_all_the_same(
    server: StorageServer, pipeline: Pipeline, tmp_path: Path, folder: Path
) -> None:
    target = session_target(str(server.origin), names_md5=False)
    found = await upload_file(pipeline, rules(), file_of(tmp_path), target, options(folder, part_size=UNIT))
    assert found.md5 == hashlib.md5(DATA).hexdigest()


async def test_an_expected_digest_is_compared_after_a_resume(
    server: StorageServer, pipeline: Pipeline, tmp_path: Path, folder: Path
) -> None:
    path = file_of(tmp_path)
    server.faults.append(lambda asked, answer: Answer(400) if len(server.asked) > 4 else None)
    given = options(folder, part_size=UNIT, expected_md5="0" * 32)
    with pytest.raises(APIError):
        await upload_file(pipeline, rules(), path, session_target(str(server.origin)), given)
    server.faults[:] = [lambda asked, answer: Answer(200, b"{}") if asked.method == "PUT" and answer.body else None]
    with pytest.raises(IntegrityError):
        await upload_file(pipeline, rules(), path, session_target(str(server.origin)), given)
