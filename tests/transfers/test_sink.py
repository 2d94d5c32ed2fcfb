from __future__ import annotations

import asyncio
import errno
import hashlib
import io
import os
import random
import resource
from pathlib import Path

import aiofiles
import pytest

from asyncclient._transfers.digest import RunningDigest
from asyncclient._transfers.part_file import PartFile, PartFileOptions, as_sink
from asyncclient._transfers.places import new_job_id, part_path
from asyncclient._transfers.plan import MIB, plan_parts
from asyncclient._transfers.sink import SinkWriter
from asyncclient.errors import ArgumentTypeError, ResumeError

pytestmark = pytest.mark.anyio

DATA = os.urandom(5 * MIB + 777)
MD5 = hashlib.md5(DATA).hexdigest()


async def scanned(sink: PartFile, offset: int, length: int) -> str | None:
    digest = RunningDigest()
    await sink.scan(digest, offset, length)
    return digest.part().md5


async def pour(sink, offset: int, data: bytes, chunk: int = 65_536) -> RunningDigest:
    digest = RunningDigest()
    writer = SinkWriter(sink, offset, digest)
    for at in range(0, len(data), chunk):
        await writer.feed(data[at : at + chunk])
    await writer.flush()
    assert writer.written == len(data)
    await writer.aclose()
    return digest


@pytest.mark.parametrize("fsync", ["none", "end", "part"])
@pytest.mark.parametrize("size", [len(DATA), None])
async def test_parts_in_any_order(tmp_path, fsync, size):
    target = tmp_path / "new" / "ä file.bin"
    sink = as_sink(target, options=PartFileOptions(fsync=fsync, mtime_ns=1_500_000_000_000_000_000))
    assert sink.positional
    assert await sink.open(size) == 0
    assert (sink.barrier() is None) == (fsync == "none")
    parts = list(plan_parts(len(DATA), preferred=300_000).parts)
    random.Random(5).shuffle(parts)

    async def one(part) -> None:
        digest = await pour(sink, part.offset, DATA[part.offset : part.stop])
        assert digest.part().md5 == hashlib.md5(DATA[part.offset : part.stop]).hexdigest()

    await asyncio.gather(*map(one, parts))
    assert await sink.md5() == MD5
    assert not target.exists()
    await sink.commit()
    await sink.aclose()
    assert target.read_bytes() == DATA
    assert target.stat().st_mtime_ns == 1_500_000_000_000_000_000
    assert [path.name for path in target.parent.iterdir()] == ["ä file.bin"]


async def test_in_order_costs_no_second_read(tmp_path):
    sink = as_sink(str(tmp_path / "x"))
    await sink.open(len(DATA))
    await pour(sink, 0, DATA, 10_000)
    assert sink._digest.position == len(DATA)
    assert await sink.md5() == MD5
    sink.barrier()()
    await sink.commit()
    assert (tmp_path / "x").read_bytes() == DATA


async def test_a_range_that_is_written_again(tmp_path):
    sink = as_sink(tmp_path / "x")
    await sink.open(len(DATA))
    await pour(sink, 0, b"wrong" + DATA[5:])
    await pour(sink, 0, DATA[:10])
    assert await sink.md5() == MD5
    await sink.discard()
    assert list(tmp_path.iterdir()) == []


async def test_room_is_reserved_at_once(tmp_path):
    sink = as_sink(tmp_path / "x")
    with pytest.raises(OSError) as error:
        await sink.open(1 << 60)
    assert error.value.errno in (errno.ENOSPC, errno.EFBIG)
    assert list(tmp_path.iterdir()) == []
    await sink.open(MIB)
    assert sink.path.stat().st_blocks * 512 >= MIB
    await sink.aclose()


async def test_a_full_disk_while_writing(tmp_path):
    sink = as_sink(tmp_path / "x", options=PartFileOptions(preallocate=False))
    await sink.open(None)
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (MIB, hard))
    try:
        writer = SinkWriter(sink, 0)
        with pytest.raises(OSError) as error:
            for at in range(0, len(DATA), 65_536):
                await writer.feed(DATA[at : at + 65_536])
            await writer.flush()
        await writer.aclose()
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert error.value.errno == errno.EFBIG
    await sink.aclose()


async def test_resuming_under_a_new_owner(tmp_path):
    job, target = new_job_id(), tmp_path / "x"
    first = as_sink(target, job_id=job, owner="aaaa1111")
    await first.open(len(DATA))
    await pour(first, 0, DATA[: 2 * MIB])
    await pour(first, 3 * MIB, DATA[3 * MIB : 4 * MIB])
    await first.aclose()
    second = PartFile(target, job, "bbbb2222")
    assert await second.open(len(DATA), earlier=["aaaa1111"]) == len(DATA)
    assert not first.path.exists()
    assert await scanned(second, 0, 2 * MIB) == hashlib.md5(DATA[: 2 * MIB]).hexdigest()
    assert second._digest.position == 2 * MIB  # proven parts count for the whole
    assert await scanned(second, 3 * MIB, MIB) == hashlib.md5(DATA[3 * MIB : 4 * MIB]).hexdigest()
    await pour(second, 2 * MIB, DATA[2 * MIB : 3 * MIB])
    await pour(second, 4 * MIB, DATA[4 * MIB :])
    assert await second.md5() == MD5
    await second.commit()
    assert target.read_bytes() == DATA


async def test_the_old_owner_notices(tmp_path):
    job, target = new_job_id(), tmp_path / "x"
    first = as_sink(target, job_id=job, owner="aaaa1111")
    await first.open(100)
    second = PartFile(target, job, "bbbb2222")
    await second.open(100, earlier=["0000", "aaaa1111"])
    with pytest.raises(ResumeError):
        await first.write(0, [b"x"])
    with pytest.raises(ResumeError):
        await first.commit()
    with pytest.raises(ResumeError):
        await first.restart()
    third = PartFile(target, job, "cccc3333")
    assert await third.open(50, earlier=["aaaa1111", "bbbb2222"]) == 50  # and cut to its size
    assert third.path.stat().st_size == 50
    for sink in (first, second, third):
        await sink.aclose()


async def test_starting_again(tmp_path):
    sink = as_sink(tmp_path / "x")
    await sink.open(len(DATA))
    await pour(sink, 0, b"x" * MIB)
    await sink.restart()
    await pour(sink, 0, DATA)
    assert await sink.md5() == MD5
    await sink.commit()
    assert (tmp_path / "x").read_bytes() == DATA


async def test_a_file_that_came_out_short(tmp_path):
    sink = as_sink(tmp_path / "x", options=PartFileOptions(preallocate=False))
    await sink.open(len(DATA))
    await pour(sink, 0, DATA[:1000])
    assert await sink.md5() == hashlib.md5(DATA[:1000]).hexdigest()
    await sink.discard()


async def test_never_over_an_existing_file(tmp_path, monkeypatch):
    target = tmp_path / "x"
    options = PartFileOptions(overwrite=False)
    sink = as_sink(target, options=options)
    await sink.open(3)
    await sink.write(0, [b"abc"])
    target.write_bytes(b"mine")
    with pytest.raises(FileExistsError):
        await sink.commit()
    assert target.read_bytes() == b"mine"
    await sink.discard()
    with pytest.raises(FileExistsError):
        await as_sink(target, options=options).open(3)
    target.unlink()
    assert await as_sink(target, options=options).store([b"a", b"bc"]) == hashlib.md5(b"abc").hexdigest()
    assert target.read_bytes() == b"abc"
    target.unlink()

    def no_links(source, destination):
        raise OSError(errno.EPERM, "no hard links here")

    monkeypatch.setattr(os, "link", no_links)
    assert await as_sink(target, options=options).store([b"abc"])
    late = as_sink(tmp_path / "y", options=options)
    await late.open(1)
    (tmp_path / "y").write_bytes(b"mine")
    with pytest.raises(FileExistsError):
        await late.commit()
    await late.discard()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["x", "y"]


async def test_small_files_in_one_hop(tmp_path):
    assert await as_sink(tmp_path / "x").store([DATA]) == MD5
    assert (tmp_path / "x").read_bytes() == DATA
    (tmp_path / "folder" / "in the way").mkdir(parents=True)
    with pytest.raises(OSError):
        await as_sink(tmp_path / "folder").store([b"abc"])
    assert sorted(path.name for path in tmp_path.iterdir()) == ["folder", "x"]


def test_part_names_are_short_enough_and_distinct():
    job = new_job_id()
    names = {part_path(Path("/d") / ("ü" * 125 + tail), job, "abcdef").name for tail in ("", "1", "2", "12345")}
    assert len(names) == 4
    assert all(len(name.encode()) <= 255 for name in names)
    assert part_path(Path("/d/a.bin"), job, "abcdef") == Path(f"/d/.a.bin.{job[-8:]}abcd.part")


async def test_a_callable():
    got: list[bytes] = []
    sink = as_sink(got.append)
    assert not sink.positional
    await sink.open(None)
    digest = await pour(sink, 0, DATA)
    assert b"".join(got) == DATA
    assert await sink.md5() == MD5 == digest.md5()
    assert sink.barrier() is None
    await sink.commit()
    with pytest.raises(ResumeError):
        await sink.restart()
    with pytest.raises(ResumeError, match="in order"):
        await sink.write(5, [b"x"])
    await sink.aclose()


async def test_an_async_callable():
    got: list[bytes] = []

    async def take(piece: bytes) -> None:
        got.append(piece)

    sink = as_sink(take)
    await sink.restart()
    await pour(sink, 0, DATA)
    assert b"".join(got) == DATA


async def test_file_objects(tmp_path):
    memory = io.BytesIO(b"head")
    memory.seek(4)
    raw = (tmp_path / "raw").open("wb", buffering=0)
    async with aiofiles.open(tmp_path / "async", "wb") as file:
        for target in (memory, raw, file):
            sink = as_sink(target)
            await sink.open(len(DATA))
            await pour(sink, 0, DATA[:100_000])
            await sink.restart()
            await pour(sink, 0, DATA)
            assert await sink.md5() == MD5
            await sink.commit()
            await sink.aclose()
    raw.close()
    assert memory.getvalue() == b"head" + DATA
    assert (tmp_path / "raw").read_bytes() == (tmp_path / "async").read_bytes() == DATA


class OneWay:
    def __init__(self) -> None:
        self.data = b""

    def write(self, piece) -> None:
        self.data += bytes(piece)


async def test_a_writer_that_cannot_seek():
    target = OneWay()
    sink = as_sink(target)
    await sink.open(3)
    await sink.write(0, [b"a", b"bc"])
    with pytest.raises(ResumeError):
        await sink.restart()
    await sink.commit()
    assert target.data == b"abc"


async def test_what_is_no_sink(tmp_path):
    with pytest.raises(ArgumentTypeError):
        as_sink(5)
    with (tmp_path / "x").open("w") as file, pytest.raises(ArgumentTypeError, match="binary mode"):
        as_sink(file)


async def test_cancelling_a_writer_waits_for_its_write(tmp_path):
    sink = as_sink(tmp_path / "x")
    await sink.open(None)
    for delay in range(12):
        task = asyncio.create_task(pour(sink, 0, DATA))
        for _ in range(delay * 3):
            await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
    await pour(sink, 0, DATA)
    assert await sink.md5() == MD5
    await sink.discard()
