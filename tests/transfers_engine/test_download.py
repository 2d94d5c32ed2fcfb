from __future__ import annotations

import asyncio
import errno
import gzip
import hashlib
import io
import os
import zlib
from dataclasses import replace
from pathlib import Path

import anyio
import pytest

from asyncclient._pipeline import Pipeline
from asyncclient._transfers.lines import Unknown, decode_line, encode_line
from asyncclient._transfers.options import Stall, TransferOptions
from asyncclient._transfers.records import PartDone
from asyncclient._transfers.target import RemoteInfo
from asyncclient._transfers.targets_download import HttpDownload
from asyncclient._transfers.transfers import download_file
from asyncclient._transfers.wire import StallWatch
from asyncclient.errors import (
    APIError,
    IntegrityError,
    ReadError,
    RemoteChanged,
    RemoteProtocolError,
    ResumeError,
    StallTimeout,
    TransportError,
)
from tests.support.storage_server import Answer, Asked, Fault, StorageServer
from tests.transfers_engine.support import QUICK, UNIT, content, journals, left_over, options, rules

pytestmark = pytest.mark.anyio

DATA = content(6 * UNIT + 1000)
MD5 = hashlib.md5(DATA).hexdigest()


def target(server: StorageServer, **given: object) -> HttpDownload:
    given.setdefault("description", {"kind": "get", "name": "file"})
    return HttpDownload(server.url("/o/file"), name="file", **given)


def small_parts(folder: Path, **changes: object) -> TransferOptions:
    return options(folder, part_size=UNIT, **changes)


def nth(count: int, answer: Answer) -> Fault:
    """Give one answer in place of the n-th."""
    calls = iter(range(1, 10**6))
    return lambda asked, given: answer if next(calls) == count else None


def broken(count: int, cut: int) -> Fault:
    calls = iter(range(1, 10**6))

    def fault(asked: Asked, answer: Answer) -> Answer | None:
        return Answer(answer.status, answer.body, answer.headers, cut=cut) if next(calls) == count else None

    return fault


@pytest.mark.parametrize("expected", [None, "md5"])
@pytest.mark.parametrize("ranges", [True, False])
@pytest.mark.parametrize("size", [0, 1, UNIT - 1, UNIT, UNIT + 1, 6 * UNIT + 1000])
async def test_sizes(
    size: int,
    ranges: bool,
    expected: str | None,
    server: StorageServer,
    pipeline: Pipeline,
    tmp_path: Path,
    folder: Path,
) -> None:
    server.put("file", DATA[:size])
    server.ranges = ranges
    digest = hashlib.md5(DATA[:size]).hexdigest()
    given = small_parts(folder, expected_md5=digest if expected else None)
    found = await download_file(pipeline, rules(), target(server), tmp_path / "sub" / "out", given)
    assert (tmp_path / "sub" / "out").read_bytes() == DATA[:size]
    assert found.size == size
    assert found.verified == ("md5" if expected else "size")
    assert found.md5 == digest if expected else True
    assert journals(folder) == []
    assert left_over(tmp_path / "sub") == []
    assert server.busy == 0


async def test_parts_are_fetched_in_parallel(
    server: StorageServer, pipeline: Pipeline, tmp_path: Path, folder: Path
) -> None:
    server.put("file", DATA)
    gate = asyncio.Event()

    def fault(asked: Asked, answer: Answer) -> Answer | None:
        if server.busy == 2:
            gate.set()
        return None if len(server.asked) == 1 else Answer(206, answer.body, answer.headers, hold=gate)

    server.faults.append(fault)
    found = await download_file(pipeline, rules(), target(server), tmp_path / "out", small_parts(folder, parallel=3))
    assert 2 <= server.most_busy <= 3  # the scheduler may admit fewer than were asked for
    assert found.parts == 7
    assert (tmp_path / "out").read_bytes() == DATA
    conditions = [asked.headers.get("if-range") for asked in server.asked]
    assert conditions[0] is None
    assert set(conditions[1:]) == {f'"{MD5}"'}
    assert all(asked.headers["accept-encoding"] == "identity" for asked in server.asked)


@pytest.mark.parametrize("parallel", [1, 4])
@pytest.mark.parametrize("cut", [0, 1, 100_000])
async def test_a_broken_range_goes_on_at_the_next_byte(
    cut: int, parallel: int, server: StorageServer, pipeline: Pipeline, tmp_path: Path, folder: Path
) -> None:
    server.put("file", DATA)
    server.faults += [broken(1, cut), broken(3, cut)]
    given = small_parts(folder, parallel=parallel, expected_md5=MD5)
    await download_file(pipeline, rules(), target(server), tmp_path / "out", given)
    assert (tmp_path / "out").read_bytes() == DATA
    starts = [int(asked.headers["range"][6:].split("-")[0]) for asked in server.asked]
    if cut:
        assert any(start % UNIT for start in starts)


async def test_progress_resets_the_count_of_failures(
    server: StorageServer, pipeline: Pipeline, tmp_path: Path, folder: Path
) -> None:
    server.put("file", DATA[:UNIT])
    server.faults.append(
        lambda asked, answer: (
            Answer(answer.status, answer.body, answer.headers, cut=10_000) if len(server.asked) < 20 else None
        )
    )
    await download_file(pipeline, rules(), target(server), tmp_path / "out", small_parts(folder))
    assert (tmp_path / "out").read_bytes() == DATA[:UNIT]
    server.asked.clear()
    server.faults[:] = [lambda asked, answer: Answer(answer.status, answer.body, answer.headers, cut=0)]
    with pytest.raises(TransportError):
        await download_file(pipeline, rules(), target(server), tmp_path / "out2", small_parts(folder))
    assert len(server.asked) == 4
    assert left_over(tmp_path) == []  # nothing to resume


async def test_a_broken_stream_goes_on(server: StorageServer, pipeline: Pipeline, folder: Path) -> None:
    server.put("file", DATA)
    server.faults += [broken(1, UNIT + 5), broken(2, UNIT)]
    out = io.BytesIO()
    found = await download_file(pipeline, rules(), target(server), out, options(folder))
    assert out.getvalue() == DATA
    assert found.md5 == MD5
    assert "range" not in server.asked[0].headers
    assert [asked.headers["range"] for asked in server.asked[1:]] == [
        f"bytes={UNIT + 5}-{len(DATA) - 1}",
        f"bytes={2 * UNIT + 5}-{len(DATA) - 1}",
    ]


async def test_a_broken_stream_without_ranges(server: StorageServer, pipeline: Pipeline, folder: Path) -> None:
    server.put("file", DATA)
    server.ranges = False
    server.faults.append(broken(1, UNIT + 5))
    pieces: list[bytes] = []
    await download_file(pipeline, rules(), target(server), pieces.append, options(folder))
    assert b"".join(pieces) == DATA  # the etag says it is the same: what came is thrown away
    server.etags = "none"
    server.faults[:] = [broken(1, UNIT + 5)]
    out = io.BytesIO(b"x")
    out.seek(1)
    await download_file(pipeline, rules(), target(server), out, options(folder))
    assert out.getvalue() == b"x" + DATA  # begun anew
    server.faults[:] = [broken(1, UNIT + 5)]
    with pytest.raises(ResumeError, match="handed on already"):
        await download_file(pipeline, rules(), target(server), pieces.append, options(folder))


async def test_weak_validators(server: StorageServer, pipeline: Pipeline, tmp_path: Path, folder: Path) -> None:
    server.put("file", DATA)
    server.etags = "weak"
    await download_file(pipeline, rules(), target(server), tmp_path / "out", small_parts(folder))
    assert (tmp_path / "out").read_bytes() == DATA
    assert not any("if-range" in asked.headers for asked in server.asked)


@pytest.mark.parametrize("etags", ["strong", "weak"])
async def test_the_remote_changes_on_the_way(
    etags: str, server: StorageServer, pipeline: Pipeline, tmp_path: Path, folder: Path
) -> None:
    server.put("file", DATA)
    server.etags = etags
    other = content(len(DATA), seed=2)

    def fault(asked: Asked, answer: Answer) -> Answer | None:
        if len(server.asked) == 3:
            server.put("file", other)
        return None

    server.faults.append(fault)
    with pytest.raises(RemoteChanged) as raised:
        await download_file(pipeline, rules(), target(server), tmp_path / "out", small_parts(folder, parallel=1))
    assert raised.value.transfer_id
    assert not (tmp_path / "out").exists()
    server.faults.clear()
    found = await download_file(pipeline, rules(), target(server), tmp_path / "out", small_parts(folder))
    assert found.restarted == "remote_changed"
    assert (tmp_path / "out").read_bytes() == other
    assert left_over(tmp_path) == []
    assert journals(folder) == []


async def test_a_listing_that_is_out_of_date(
    server: StorageServer, pipeline: Pipeline, tmp_path: Path, folder: Path
) -> None:
    server.put("file", DATA)
    for info in (RemoteInfo(size=len(DATA) + 1), RemoteInfo(etag='"other"')):
        with pytest.raises(RemoteChanged):
            await download_file(pipeline, rules(), target(server, info=info), tmp_path / "out", small_parts(folder))


@pytest.mark.parametrize(
    ("wrong", "error"),
    [
        (Answer(206, b"x" * UNIT, {}), "without content-range"),
        (Answer(206, b"x" * UNIT, {"Content-Range": f"bytes 5-{UNIT + 4}/{len(DATA)}"}), "asked for bytes"),
        (Answer(206, b"x" * UNIT, {"Content-Range": "bytes nonsense"}), "malformed"),
        (Answer(416, b"", {"Content-Range": f"bytes */{len(DATA)}"}), "were refused"),
        (
            Answer(206, DATA[UNIT : 2 * UNIT - 1], {"Content-Range": f"bytes {UNIT}-{2 * UNIT - 1}/{len(DATA)}"}),
            "early|asked",
        ),
        (
            Answer(206, DATA[UNIT : 2 * UNIT] + b"y", {"Content-Range": f"bytes {UNIT}-{2 * UNIT - 1}/{len(DATA)}"}),
            "more bytes|asked for",
        ),
    ],
)
async def test_wrong_answers_to_ranges(
    wrong: Answer, error: str, server: StorageServer, pipeline: Pipeline, tmp_path: Path, folder: Path
) -> None:
    server.put("file", DATA)
    server.faults.append(nth(2, wrong))
    given = small_parts(folder, parallel=1)
    await download_file(pipeline, rules(), target(server), tmp_path / "out", given)  # once is forgiven
    assert (tmp_path / "out").read_bytes() == DATA
    server.faults[:] = [lambda asked, answer: wrong if len(server.asked) > 1 else None]
    server.asked.clear()
    with pytest.raises(TransportError, match=error):
        await download_file(pipeline, rules(), target(server), tmp_path / "out2", given)


async def test_shorter_ranges_than_asked_for(
    server: StorageServer, pipeline: Pipeline, tmp_path: Path, folder: Path
) -> None:
    server.put("file", DATA)

    def fault(asked: Asked, answer: Answer) -> Answer | None:
        start = int(asked.headers["range"][6:].split("-")[0])
        body = answer.body[:100_000]
        found = f"bytes {start}-{start + len(body) - 1}/{len(DATA)}"
        return Answer(206, body, answer.headers | {"Content-Range": found})

    server.faults.append(fault)
    await download_file(pipeline, rules(), target(server), tmp_path / "out", small_parts(folder))
    assert (tmp_path / "out").read_bytes() == DATA


async def test_416_with_another_size(server: StorageServer, pipeline: Pipeline, tmp_path: Path, folder: Path) -> None:
    server.put("file", DATA)
    server.faults.append(nth(2, Answer(416, b"", {"Content-Range": "bytes */5"})))
    with pytest.raises(RemoteChanged, match="5 bytes"):
        await download_file(pipeline, rules(), target(server), tmp_path / "out", small_parts(folder, parallel=1))
    server.faults[:] = [nth(2, Answer(412))]
    with pytest.raises(RemoteChanged):
        await download_file(pipeline, rules(), target(server), tmp_path / "out2", small_parts(folder, parallel=1))


@pytest.mark.parametrize("first", [1, 2])
async def test_ranges_that_come_compressed_are_given_up(
    first: int, server: StorageServer, pipeline: Pipeline, tmp_path: Path, folder: Path
) -> None:
    server.put("file", DATA)

    def fault(asked: Asked, answer: Answer) -> Answer | None:
        if len(server.asked) < first:
            return None
        if "range" in asked.headers:
            return Answer(206, answer.body, answer.headers | {"Content-Encoding": "gzip"})
        return Answer(200, gzip.compress(DATA), {"Content-Encoding": "gzip", "ETag": answer.headers["ETag"]})

    server.faults.append(fault)
    given = small_parts(folder, expected_md5=MD5)
    found = await download_file(pipeline, rules(), target(server), tmp_path / "out", given)
    assert (tmp_path / "out").read_bytes() == DATA
    assert found.size == len(DATA)
    assert journals(folder) == []


@pytest.mark.parametrize(
    "encode", [gzip.compress, zlib.compress, lambda data: gzip.compress(data[:9]) + gzip.compress(data[9:])]
)
async def test_compressed_streams_are_decoded(
    encode: object, server: StorageServer, pipeline: Pipeline, folder: Path
) -> None:
    name = "deflate" if encode is zlib.compress else "gzip"
    body = encode(bytes(3 * UNIT) + DATA)  # type: ignore[operator]
    server.put("file", b"-")
    server.faults += [lambda asked, answer: Answer(200, body, {"Content-Encoding": name}), broken(1, 1000)]
    out = io.BytesIO()
    await download_file(pipeline, rules(), target(server), out, options(folder))
    assert out.getvalue() == bytes(3 * UNIT) + DATA


async def test_compressed_streams_that_are_damaged(server: StorageServer, pipeline: Pipeline, folder: Path) -> None:
    server.put("file", b"-")
    for body, name, error, text in (
        (b"nonsense", "gzip", RemoteProtocolError, "damaged"),
        (gzip.compress(DATA)[:-9], "gzip", ReadError, "ends early"),
        (DATA, "br", RemoteProtocolError, "not asked for"),
    ):
        server.faults[:] = [lambda asked, answer, b=body, n=name: Answer(200, b, {"Content-Encoding": n})]
        with pytest.raises(error, match=text):
            await download_file(pipeline, rules(), target(server), io.BytesIO(), options(folder))


async def test_streams_without_a_length(
    server: StorageServer, pipeline: Pipeline, tmp_path: Path, folder: Path
) -> None:
    server.put("file", DATA)
    server.faults.append(lambda asked, answer: Answer(200, DATA, length=False))
    await download_file(pipeline, rules(), target(server), tmp_path / "out", options(folder))
    assert (tmp_path / "out").read_bytes() == DATA


async def test_ranges_without_a_total(server: StorageServer, pipeline: Pipeline, tmp_path: Path, folder: Path) -> None:
    server.put("file", DATA)

    def fault(asked: Asked, answer: Answer) -> Answer | None:
        if answer.status != 206:
            return None
        return Answer(206, answer.body, {"Content-Range": answer.headers["Content-Range"].split("/")[0] + "/*"})

    server.faults.append(fault)
    await download_file(pipeline, rules(), target(server), tmp_path / "out", options(folder))
    assert (tmp_path / "out").read_bytes() == DATA


async def test_a_wrong_digest_is_fetched_again_once(
    server: StorageServer, pipeline: Pipeline, tmp_path: Path, folder: Path
) -> None:
    server.put("file", DATA)
    flipped = bytes([DATA[UNIT] ^ 1]) + DATA[UNIT + 1 : 2 * UNIT]
    headers = {"Content-Range": f"bytes {UNIT}-{2 * UNIT - 1}/{len(DATA)}", "ETag": f'"{MD5}"'}
    server.faults.append(nth(2, Answer(206, flipped, headers)))
    given = small_parts(folder, expected_md5=MD5, parallel=1)
    found = await download_file(pipeline, rules(), target(server), tmp_path / "out", given)
    assert (tmp_path / "out").read_bytes() == DATA
    assert found.restarted == "digest_mismatch"
    with pytest.raises(IntegrityError) as raised:
        await download_file(
            pipeline, rules(), target(server), tmp_path / "out2", small_parts(folder, expected_md5="0" * 32)
        )
    assert raised.value.transfer_id
    assert not (tmp_path / "out2").exists()


async def test_a_small_file_with_a_wrong_digest(
    server: StorageServer, pipeline: Pipeline, tmp_path: Path, folder: Path
) -> None:
    server.put("file", DATA[: 2 * UNIT])
    for size in (1000, 2 * UNIT):
        server.put("file", DATA[:size])
        for ranges in (True, False):
            server.ranges = ranges
            given = options(folder, expected_md5="0" * 32, threshold_bytes=len(DATA))
            with pytest.raises(IntegrityError):
                await download_file(pipeline, rules(), target(server), tmp_path / "out", given)
    assert list(tmp_path.iterdir()) == []


async def test_known_part_digests_repair_single_parts(
    server: StorageServer, pipeline: Pipeline, tmp_path: Path, folder: Path
) -> None:
    server.put("file", DATA)
    md5s = [hashlib.md5(DATA[at : at + UNIT]).hexdigest() for at in range(0, len(DATA), UNIT)]
    headers = {"Content-Range": f"bytes {UNIT}-{2 * UNIT - 1}/{len(DATA)}", "ETag": f'"{MD5}"'}
    server.faults.append(nth(2, Answer(206, bytes(UNIT), headers)))
    info = RemoteInfo(part_size=UNIT, part_md5s=md5s)
    found = await download_file(
        pipeline, rules(), target(server, info=info), tmp_path / "out", small_parts(folder, parallel=1)
    )
    assert found.verified == "parts"
    assert (tmp_path / "out").read_bytes() == DATA
    assert len(server.asked) == 8
    wrong = RemoteInfo(part_size=UNIT, part_md5s=["0" * 32] * 7)
    with pytest.raises(IntegrityError, match="part"):
        await download_file(
            pipeline, rules(), target(server, info=wrong), tmp_path / "out2", small_parts(folder, parallel=1)
        )


async def test_etags_of_parts_prove_the_whole(
    server: StorageServer, pipeline: Pipeline, tmp_path: Path, folder: Path
) -> None:
    data = content(11 * 1024 * 1024)
    part = 8 * 1024 * 1024
    joined = hashlib.md5(b"".join(hashlib.md5(data[at : at + part]).digest() for at in (0, part))).hexdigest()
    server.put("file", data, etag=f'"{joined}-2"')
    found = await download_file(pipeline, rules(), target(server, etag_is_md5=True), tmp_path / "out", options(folder))
    assert (found.verified, found.parts) == ("etag", 2)
    assert (tmp_path / "out").read_bytes() == data


async def test_an_etag_that_is_an_md5(server: StorageServer, pipeline: Pipeline, tmp_path: Path, folder: Path) -> None:
    server.put("file", DATA)
    found = await download_file(
        pipeline, rules(), target(server, etag_is_md5=True), tmp_path / "out", small_parts(folder)
    )
    assert (found.verified, found.md5) == ("md5", MD5)


async def test_google_names_the_md5(server: StorageServer, pipeline: Pipeline, tmp_path: Path, folder: Path) -> None:
    import base64

    server.put("file", DATA)
    value = "crc32c=AAAAAA==,md5=" + base64.b64encode(hashlib.md5(DATA).digest()).decode()
    server.faults.append(
        lambda asked, answer: Answer(answer.status, answer.body, answer.headers | {"x-goog-hash": value})
    )
    found = await download_file(pipeline, rules(), target(server), tmp_path / "out", small_parts(folder))
    assert found.verified == "md5"


async def _interrupted(
    server: StorageServer, pipeline: Pipeline, out: Path, given: TransferOptions, **made: object
) -> None:
    """Cancel a download after four of seven parts."""
    gate = asyncio.Event()
    server.asked.clear()

    def fault(asked: Asked, answer: Answer) -> Answer | None:
        if len(server.asked) == 5:
            gate.set()
            return Answer(206, answer.body, answer.headers, stall_at=1000)
        return None

    server.faults.append(fault)
    task = asyncio.create_task(download_file(pipeline, rules(), target(server, **made), out, given))
    async with asyncio.timeout(10):
        await gate.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    server.faults.clear()
    server.asked.clear()


@pytest.mark.parametrize("size", [UNIT, 6 * UNIT])
@pytest.mark.parametrize("resume", [True, False])
@pytest.mark.parametrize("ranges", [True, False])
async def test_a_cancelled_scope_leaves_no_file_that_nobody_will_resume(
    ranges: bool, resume: bool, size: int, server: StorageServer, pipeline: Pipeline, tmp_path: Path, folder: Path
) -> None:
    """A scope of anyio cancels every wait within it, those of the cleaning up as well."""
    server.put("file", DATA[:size])
    server.ranges = ranges
    scope = anyio.CancelScope()

    def stalled(asked: Asked, answer: Answer) -> Answer:
        asyncio.get_running_loop().call_later(0.05, scope.cancel)
        return Answer(answer.status, answer.body, answer.headers, stall_at=len(answer.body) - 10)

    server.faults.append(stalled)
    with scope:
        await download_file(pipeline, rules(), target(server), tmp_path / "out", small_parts(folder, resume=resume))
    assert scope.cancelled_caught
    assert len(left_over(tmp_path)) == len(journals(folder))
    assert not journals(folder) or (resume and ranges)


@pytest.mark.parametrize("expected", [None, MD5])
@pytest.mark.parametrize("fsync", ["none", "end", "part"])
@pytest.mark.parametrize("verify", ["tail", "all", "none"])
async def test_the_same_call_goes_on(
    verify: str,
    fsync: str,
    expected: str | None,
    server: StorageServer,
    pipeline: Pipeline,
    tmp_path: Path,
    folder: Path,
) -> None:
    server.put("file", DATA)
    given = small_parts(folder, parallel=1, expected_md5=expected, fsync=fsync, verify=verify)
    await _interrupted(server, pipeline, tmp_path / "out", given)
    assert len(left_over(tmp_path)) == len(journals(folder)) == 1
    found = await download_file(pipeline, rules(), target(server), tmp_path / "out", given)
    assert (tmp_path / "out").read_bytes() == DATA
    assert found.resumed_bytes == 4 * UNIT
    assert found.restarted is None
    assert len(server.asked) == 3
    assert server.asked[0].headers["if-range"] == f'"{MD5}"'
    assert left_over(tmp_path) == journals(folder) == []


async def test_damaged_parts_of_an_earlier_run_are_fetched_again(
    server: StorageServer, pipeline: Pipeline, tmp_path: Path, folder: Path
) -> None:
    server.put("file", DATA)
    given = small_parts(folder, parallel=1)
    await _interrupted(server, pipeline, tmp_path / "out", given)
    part = tmp_path / left_over(tmp_path)[0]
    with part.open("r+b") as file:
        file.seek(UNIT + 7)
        file.write(b"damage")
    found = await download_file(pipeline, rules(), target(server), tmp_path / "out", given)
    assert (tmp_path / "out").read_bytes() == DATA
    assert found.resumed_bytes == 3 * UNIT


def as_earlier_versions_wrote(folder: Path, *, md5: bool) -> None:
    """Rewrite the one journal: parts have an md5, or no proof at all, and never a crc32."""
    [path] = folder.iterdir()
    lines = []
    for line in path.read_bytes().splitlines():
        record = decode_line(line)
        if isinstance(record, PartDone):
            data = DATA[record.offset : record.offset + record.length]
            record = replace(record, crc32=None, md5=hashlib.md5(data).hexdigest() if md5 else None)
        assert not isinstance(record, Unknown)
        assert record is not None
        lines.append(encode_line(record))
    path.write_bytes(b"".join(lines))


@pytest.mark.parametrize("damaged", [False, True])
async def test_journals_of_earlier_versions_prove_parts_by_md5(
    damaged: bool, server: StorageServer, pipeline: Pipeline, tmp_path: Path, folder: Path
) -> None:
    server.put("file", DATA)
    given = small_parts(folder, parallel=1, verify="all")
    await _interrupted(server, pipeline, tmp_path / "out", given)
    as_earlier_versions_wrote(folder, md5=True)
    if damaged:
        with (tmp_path / left_over(tmp_path)[0]).open("r+b") as file:
            file.write(b"damage")
    found = await download_file(pipeline, rules(), target(server), tmp_path / "out", given)
    assert (tmp_path / "out").read_bytes() == DATA
    assert found.resumed_bytes == (3 if damaged else 4) * UNIT


async def test_damage_that_only_the_whole_digest_shows(
    server: StorageServer, pipeline: Pipeline, tmp_path: Path, folder: Path
) -> None:
    server.put("file", DATA)
    given = small_parts(folder, parallel=1, expected_md5=MD5)
    await _interrupted(server, pipeline, tmp_path / "out", given)
    as_earlier_versions_wrote(folder, md5=False)
    part = tmp_path / left_over(tmp_path)[0]
    with part.open("r+b") as file:
        file.write(b"damage")
    found = await download_file(pipeline, rules(), target(server), tmp_path / "out", given)
    assert (tmp_path / "out").read_bytes() == DATA
    assert found.restarted == "digest_mismatch"


async def test_what_arrived_wrong_is_fetched_again_although_it_was_stored_well(
    server: StorageServer, pipeline: Pipeline, tmp_path: Path, folder: Path
) -> None:
    wrong = b"x" + DATA[1:]
    server.put("file", wrong, etag='"same"')
    given = small_parts(folder, parallel=1, expected_md5=MD5)
    await _interrupted(server, pipeline, tmp_path / "out", given)
    server.put("file", DATA, etag='"same"')
    found = await download_file(pipeline, rules(), target(server), tmp_path / "out", given)
    assert (tmp_path / "out").read_bytes() == DATA
    assert (found.restarted, found.verified) == ("digest_mismatch", "md5")


async def test_with_digests_of_parts_only_the_bad_one_is_fetched(
    server: StorageServer, pipeline: Pipeline, tmp_path: Path, folder: Path
) -> None:
    server.put("file", DATA)
    given = small_parts(folder, parallel=1, expected_md5=MD5, verify="all")
    await _interrupted(server, pipeline, tmp_path / "out", given)
    part = tmp_path / left_over(tmp_path)[0]
    with part.open("r+b") as file:
        file.write(b"damage")
    trusting = small_parts(folder, parallel=1, expected_md5=MD5, verify="none")
    found = await download_file(pipeline, rules(), target(server), tmp_path / "out", trusting)
    assert (tmp_path / "out").read_bytes() == DATA
    assert found.restarted is None
    assert len(server.asked) == 4


async def test_the_remote_changed_between_runs(
    server: StorageServer, pipeline: Pipeline, tmp_path: Path, folder: Path
) -> None:
    given = small_parts(folder, parallel=1)
    for made in ({}, {"info": RemoteInfo(size=5)}, {"info": RemoteInfo(etag='"new"')}):
        server.put("file", DATA)
        await _interrupted(server, pipeline, tmp_path / "out", given)
        other = content(5 if made else 4 * UNIT, seed=3)
        server.put("file", other, etag='"new"')
        found = await download_file(pipeline, rules(), target(server, **made), tmp_path / "out", given)
        assert found.restarted == "remote_changed"
        assert (tmp_path / "out").read_bytes() == other
        assert left_over(tmp_path) == []


async def test_without_a_strong_validator_a_digest_is_needed(
    server: StorageServer, pipeline: Pipeline, tmp_path: Path, folder: Path
) -> None:
    server.put("file", DATA)
    server.etags = "weak"
    given = small_parts(folder, parallel=1)
    await _interrupted(server, pipeline, tmp_path / "out", given)
    found = await download_file(pipeline, rules(), target(server), tmp_path / "out", given)
    assert found.restarted == "remote_changed"
    given = small_parts(folder, parallel=1, expected_md5=MD5)
    server.asked.clear()
    await _interrupted(server, pipeline, tmp_path / "out", given)
    found = await download_file(pipeline, rules(), target(server), tmp_path / "out", given)
    assert found.resumed_bytes == 4 * UNIT


@pytest.mark.parametrize("expected", [None, MD5])
@pytest.mark.parametrize("fsync", ["none", "end", "part"])
@pytest.mark.parametrize("left", [0, 2 * UNIT + 5])
async def test_a_part_file_that_is_gone_or_cut(
    left: int,
    fsync: str,
    expected: str | None,
    server: StorageServer,
    pipeline: Pipeline,
    tmp_path: Path,
    folder: Path,
) -> None:
    server.put("file", DATA)
    given = small_parts(folder, parallel=1, fsync=fsync, expected_md5=expected, verify="none")
    await _interrupted(server, pipeline, tmp_path / "out", given)
    part = tmp_path / left_over(tmp_path)[0]
    if left:
        os.truncate(part, left)
    else:
        part.unlink()
    found = await download_file(pipeline, rules(), target(server), tmp_path / "out", given)
    assert (tmp_path / "out").read_bytes() == DATA
    assert found.resumed_bytes == (2 * UNIT if left else 0)
    assert journals(folder) == left_over(tmp_path) == []


async def test_a_full_disk(server: StorageServer, pipeline: Pipeline, tmp_path: Path, folder: Path) -> None:
    import resource
    import signal

    server.put("file", DATA)
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    ignored = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (3 * UNIT, before[1]))
    try:
        with pytest.raises(OSError) as raised:
            await download_file(pipeline, rules(), target(server), tmp_path / "out", small_parts(folder))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, ignored)
    assert raised.value.errno == errno.EFBIG
    assert journals(folder) == left_over(tmp_path) == []  # nothing came: there is nothing to go on with
    await download_file(pipeline, rules(), target(server), tmp_path / "out", small_parts(folder))
    assert (tmp_path / "out").read_bytes() == DATA


async def test_urls_are_renewed_once_for_all(
    server: StorageServer, pipeline: Pipeline, tmp_path: Path, folder: Path
) -> None:
    server.put("file", DATA)
    minted: list[int] = []

    async def mint() -> str:
        await asyncio.sleep(0)
        minted.append(1)
        return server.url(f"/o/file?signature={len(minted)}")

    def fault(asked: Asked, answer: Answer) -> Answer | None:
        old = asked.query["signature"] == "1" and len(server.asked) > 2
        return Answer(403, b"<Error><Message>Request has expired</Message></Error>") if old else None

    server.faults.append(fault)
    made = HttpDownload(mint, name="file", description={"name": "file"})
    await download_file(pipeline, rules(), made, tmp_path / "out", small_parts(folder))
    assert (tmp_path / "out").read_bytes() == DATA
    assert len(minted) <= 4
    server.faults[:] = [lambda asked, answer: Answer(403, b"no")]
    with pytest.raises(APIError):
        await download_file(pipeline, rules(), made, tmp_path / "out2", small_parts(folder))


async def test_a_stalled_range_is_fetched_again(
    server: StorageServer, pipeline: Pipeline, tmp_path: Path, folder: Path
) -> None:
    server.put("file", DATA)
    server.faults.append(
        lambda asked, answer: Answer(206, answer.body, answer.headers, stall_at=10) if len(server.asked) == 2 else None
    )
    given = small_parts(folder, stall=Stall(idle_s=0.2))
    await download_file(pipeline, rules(), target(server), tmp_path / "out", given)
    assert (tmp_path / "out").read_bytes() == DATA


async def test_a_body_that_drips_is_given_up() -> None:
    class Drip:
        async def read(self) -> bytes:
            return b"x" * 100

    now = iter([0.0, 30.0, 59.0, 61.0, 100.0, 122.0])
    watch = StallWatch(Drip(), Stall(least_rate=4), clock=lambda: next(now))  # type: ignore[arg-type]
    for _ in range(4):
        assert await watch.read()
    with pytest.raises(StallTimeout, match="only 200 bytes"):
        await watch.read()


async def test_existing_destinations(server: StorageServer, pipeline: Pipeline, tmp_path: Path, folder: Path) -> None:
    server.put("file", DATA)
    (tmp_path / "out").write_bytes(b"old")
    with pytest.raises(FileExistsError):
        await download_file(pipeline, rules(), target(server), tmp_path / "out", small_parts(folder, overwrite=False))
    assert (tmp_path / "out").read_bytes() == b"old"
    (tmp_path / "dir").mkdir()
    with pytest.raises(OSError):
        await download_file(pipeline, rules(), target(server), tmp_path / "dir", small_parts(folder))
    if os.geteuid():
        (tmp_path / "dir").chmod(0o500)
        with pytest.raises(PermissionError):
            await download_file(pipeline, rules(), target(server), tmp_path / "dir" / "x", small_parts(folder))


async def test_a_missing_object(server: StorageServer, pipeline: Pipeline, tmp_path: Path, folder: Path) -> None:
    with pytest.raises(APIError) as raised:
        await download_file(pipeline, rules(), target(server), tmp_path / "out", small_parts(folder))
    assert raised.value.status == 404
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("of_client", [0, 3])
@pytest.mark.parametrize("of_parts", [0, 3])
async def test_no_retries_means_none_of_parts_either(
    of_client: int, of_parts: int, server: StorageServer, pipeline: Pipeline, tmp_path: Path, folder: Path
) -> None:
    server.put("file", DATA)

    def fault(asked: Asked, answer: Answer) -> Answer | None:
        return Answer(206, answer.body, answer.headers, cut=1000) if len(server.asked) == 3 else None

    server.faults.append(fault)
    given = small_parts(folder, parallel=1, max_retries=of_parts)
    fetching = download_file(
        pipeline, rules(policy=replace(QUICK, max_retries=of_client)), target(server), tmp_path / "out", given
    )
    if of_client and of_parts:
        await fetching
        assert len(server.asked) == 8
    else:
        with pytest.raises(TransportError):
            await fetching
        assert len(server.asked) == 3
