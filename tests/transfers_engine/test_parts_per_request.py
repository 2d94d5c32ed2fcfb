"""Several parts of a download in one request: where nobody chose their size, and no digest of the whole is wanted."""

from __future__ import annotations

import asyncio
import hashlib
from pathlib import Path

import pytest

from asyncclient._pipeline import Pipeline
from asyncclient._transfers.digest import join_etag
from asyncclient._transfers.download_parts import parts_per_request
from asyncclient._transfers.plan import MIB
from asyncclient._transfers.targets_download import HttpDownload
from asyncclient._transfers.transfers import download_file
from tests.support.storage_server import Answer, Asked, StorageServer
from tests.transfers_engine.support import content, journals, left_over, options, rules

pytestmark = pytest.mark.anyio

COUNT = 18
DATA = content(COUNT * MIB - 1000)
MD5S = [hashlib.md5(DATA[at : at + MIB]).digest() for at in range(0, len(DATA), MIB)]


@pytest.fixture
def source(server: StorageServer) -> HttpDownload:
    """A file whose etag says that it was uploaded in parts of a MiB: it is fetched in such parts, too."""
    server.put("file", DATA, etag=f'"{join_etag(MD5S)}"')
    return HttpDownload(
        server.url("/o/file"), name="file", etag_is_md5=True, description={"kind": "get", "name": "file"}
    )


def ranges(server: StorageServer) -> list[tuple[int, int]]:
    """Return first and last byte of what was asked for, in order."""
    found = [asked.headers["range"].removeprefix("bytes=").split("-") for asked in server.asked]
    return [(int(first), int(last)) for first, last in found]


def recorded(folder: Path) -> int:
    """Count the parts in the journal."""
    return sum(path.read_bytes().count(b'"off":') for path in journals(folder))


@pytest.mark.parametrize(
    ("missing", "workers", "found"), [(1, 1, 1), (8, 4, 1), (16, 4, 2), (31, 4, 3), (32, 4, 4), (1000, 4, 4), (3, 1, 1)]
)
def test_how_many_parts_a_request_asks_for(missing: int, workers: int, found: int) -> None:
    assert parts_per_request(missing, workers) == found


async def test_one_request_for_four_parts(
    server: StorageServer, pipeline: Pipeline, source: HttpDownload, tmp_path: Path, folder: Path
) -> None:
    found = await download_file(pipeline, rules(), source, tmp_path / "out", options(folder, parallel=1))
    assert (tmp_path / "out").read_bytes() == DATA
    assert (found.verified, found.parts) == ("etag", COUNT)
    stops = [8, 12, 16]  # the first request asks for 8 MiB, before anything is known
    assert ranges(server) == [
        (0, 8 * MIB - 1),
        *((stop * MIB, min((stop + 4) * MIB, len(DATA)) - 1) for stop in stops),
    ]


@pytest.mark.parametrize("cut", [0, 5000, MIB, MIB + 5000])
async def test_a_request_that_breaks_goes_on_at_the_next_byte(
    cut: int, server: StorageServer, pipeline: Pipeline, source: HttpDownload, tmp_path: Path, folder: Path
) -> None:
    def fault(asked: Asked, answer: Answer) -> Answer | None:
        return Answer(206, answer.body, answer.headers, cut=cut) if len(server.asked) == 2 else None

    server.faults.append(fault)
    await download_file(pipeline, rules(), source, tmp_path / "out", options(folder, parallel=1))
    assert (tmp_path / "out").read_bytes() == DATA
    broken, again = ranges(server)[1:3]
    assert broken[1] == again[1]  # to the same end
    assert broken[0] <= again[0] <= broken[0] + cut


async def test_every_part_is_recorded_on_its_own(
    server: StorageServer, pipeline: Pipeline, source: HttpDownload, tmp_path: Path, folder: Path
) -> None:
    stalled = asyncio.Event()

    def fault(asked: Asked, answer: Answer) -> Answer | None:
        if len(server.asked) == 2:
            stalled.set()
            return Answer(206, answer.body, answer.headers, stall_at=2 * MIB + 5000)
        return None

    server.faults.append(fault)
    given = options(folder, parallel=1)
    task = asyncio.create_task(download_file(pipeline, rules(), source, tmp_path / "out", given))
    async with asyncio.timeout(20):
        await stalled.wait()
        while recorded(folder) < 10:
            await asyncio.sleep(0.01)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    server.faults.clear()
    server.asked.clear()
    found = await download_file(pipeline, rules(), source, tmp_path / "out", given)
    assert found.resumed_bytes == 10 * MIB
    assert ranges(server)[0][0] == 10 * MIB
    assert (tmp_path / "out").read_bytes() == DATA
    assert journals(folder) == left_over(tmp_path) == []


async def test_a_digest_of_the_whole_takes_part_after_part(
    server: StorageServer, pipeline: Pipeline, source: HttpDownload, tmp_path: Path, folder: Path
) -> None:
    md5 = hashlib.md5(DATA).hexdigest()
    given = options(folder, parallel=1, expected_md5=md5)
    found = await download_file(pipeline, rules(), source, tmp_path / "out", given)
    assert (found.verified, found.md5) == ("md5", md5)
    assert {last + 1 - first for first, last in ranges(server)[1:-1]} == {MIB}
