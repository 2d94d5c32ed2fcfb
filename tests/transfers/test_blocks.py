"""Content on its way from the network to the disk and into the digest of the whole, in blocks."""

from __future__ import annotations

import asyncio
import hashlib
import os
import random
import zlib
from pathlib import Path

import pytest

from asyncclient._budget import ByteBudget
from asyncclient._transfers.block_writer import BlockWriter
from asyncclient._transfers.blocks import give_block, take_block
from asyncclient._transfers.checksum import crc32
from asyncclient._transfers.digest import RunningDigest
from asyncclient._transfers.digest_ahead import DigestAhead
from asyncclient._transfers.part_file import PartFile, PartFileOptions
from asyncclient._transfers.places import new_job_id
from asyncclient._transfers.plan import MIB, Part, plan_parts
from asyncclient._transfers.proof import proves, proving
from asyncclient._transfers.records import PartDone
from asyncclient.errors import ResumeError

pytestmark = pytest.mark.anyio

DATA = os.urandom(9 * MIB + 777)
MD5 = hashlib.md5(DATA).hexdigest()


def part_file(folder: Path, name: str = "file") -> PartFile:
    return PartFile(folder / name, new_job_id(), "aaaa1111", PartFileOptions(fsync="none"))


async def fill(writer: BlockWriter, data: bytes, most: int = 300_000) -> None:
    """Receive bytes, in pieces of up to ``most``."""
    at = 0
    while at < len(data):
        room = writer.room(min(most, len(data) - at))
        room[:] = data[at : at + len(room)]
        await writer.advance(len(room))
        at += len(room)


@pytest.mark.parametrize("most", [1 << 30, 300_000, 99_999])
async def test_what_is_received_is_written_and_digested(tmp_path: Path, most: int) -> None:
    sink = part_file(tmp_path)
    await sink.open(len(DATA))
    digest = RunningDigest(crc32=True)
    async with BlockWriter(sink, 0, digest) as writer:
        await fill(writer, DATA, most)
        await writer.flush()
        assert writer.written == len(DATA)
        await writer.flush()  # nothing is left to do
    assert (digest.part().md5, digest.part().crc32) == (MD5, zlib.crc32(DATA))
    assert await sink.md5() == MD5
    await sink.commit()
    assert (tmp_path / "file").read_bytes() == DATA


async def test_what_was_not_flushed_is_not_claimed(tmp_path: Path) -> None:
    sink = part_file(tmp_path)
    await sink.open(len(DATA))
    async with BlockWriter(sink, 0) as writer:
        await fill(writer, DATA[: 2 * MIB + 5])
    assert writer.written <= 2 * MIB
    await sink.aclose()


async def test_a_disk_that_fails_is_told_once_and_again(tmp_path: Path) -> None:
    sink = part_file(tmp_path)
    await sink.open(len(DATA))
    sink.path.unlink()
    async with BlockWriter(sink, 0) as writer:
        await fill(writer, DATA[:MIB])
        for _ in range(2):
            with pytest.raises(ResumeError, match="another process"):
                await writer.flush()
    assert writer.written == 0
    await sink.aclose()


async def test_cancelling_waits_for_the_thread_and_gives_the_block_back(tmp_path: Path) -> None:
    sink = part_file(tmp_path)
    await sink.open(len(DATA))

    async def work() -> None:
        async with BlockWriter(sink, 0) as writer:
            await fill(writer, DATA)
            await writer.flush()

    for turns in range(0, 30, 3):
        task = asyncio.create_task(work())
        for _ in range(turns):
            await asyncio.sleep(0)
        task.cancel()
        await asyncio.wait([task])
    async with BlockWriter(sink, 0) as writer:
        await fill(writer, DATA)
        await writer.flush()
    assert await sink.md5() == MD5
    await sink.aclose()


def test_the_block_given_back_last_is_taken_first() -> None:
    first, second = take_block(), take_block()
    assert first.obj is not second.obj
    give_block(first)
    give_block(second)
    assert take_block() is second
    assert take_block() is first
    give_block(first)


# -- the digest of the whole -------------------------------------------------------------------------------------------


async def fetch(sink: PartFile, ahead: DigestAhead, parts: list[Part], workers: int) -> None:
    """Write parts in this order, several at a time, and digest the whole beside."""
    left, done, prefix = iter(parts), set(), 0
    everything = plan_parts(len(DATA), preferred=parts[0].length).parts

    async def work() -> None:
        nonlocal prefix
        while True:
            await ahead.begin_part()
            part = next(left, None)
            if part is None:
                ahead.end_part()
                return
            async with BlockWriter(sink, part.offset, None, ahead) as writer:
                await fill(writer, DATA[part.offset : part.stop])
                await writer.flush()
            done.add(part.index)
            while prefix in done:
                prefix += 1
                ahead.written_to(everything[prefix - 1].stop)
            ahead.end_part()

    await asyncio.gather(ahead.run(len(DATA)), *(work() for _ in range(workers)))


@pytest.mark.parametrize("memory", [1, 3 * MIB, 256 * MIB])
@pytest.mark.parametrize("order", ["in order", "last first", "any"])
@pytest.mark.parametrize("workers", [1, 4])
async def test_the_whole_is_digested_beside(tmp_path: Path, memory: int, order: str, workers: int) -> None:
    sink, budget = part_file(tmp_path), ByteBudget(memory)
    await sink.open(len(DATA))
    parts = list(plan_parts(len(DATA), preferred=700_000).parts)
    if order == "last first":
        parts = parts[-1:] + parts[:-1]
    elif order == "any":
        parts = parts[:2] + random.Random(7).sample(parts[2:], len(parts) - 2)
    if parts[0].length != 700_000:
        parts = parts[1:] + parts[:1]
    await fetch(sink, DigestAhead(sink, budget, workers), parts, workers)
    assert sink.digested == len(DATA)
    assert budget.in_use_bytes == 0
    assert await sink.md5() == MD5
    await sink.aclose()


async def test_in_order_nothing_is_read_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    sink, budget = part_file(tmp_path), ByteBudget(256 * MIB)
    await sink.open(len(DATA))
    asked: list[int] = []
    digest_to = PartFile.digest_to

    async def noted(self: PartFile, stop: int) -> None:
        asked.append(stop - self.digested)
        await digest_to(self, stop)

    monkeypatch.setattr(PartFile, "digest_to", noted)
    await fetch(sink, DigestAhead(sink, budget, 1), list(plan_parts(len(DATA), preferred=MIB).parts), 1)
    assert sum(asked) == 0
    await sink.aclose()


async def test_what_is_written_again_ends_the_digest(tmp_path: Path) -> None:
    sink, budget = part_file(tmp_path), ByteBudget(256 * MIB)
    await sink.open(len(DATA))
    ahead = DigestAhead(sink, budget, 1)
    running = asyncio.create_task(ahead.run(len(DATA)))
    async with BlockWriter(sink, 0, None, ahead) as writer:
        await fill(writer, b"x" * MIB)
        await writer.flush()
    async with asyncio.timeout(10):
        while sink.digested < MIB:
            await asyncio.sleep(0.001)
    async with BlockWriter(sink, 0, None, ahead) as writer:
        await fill(writer, DATA)
        await writer.flush()
    assert sink.rewritten
    ahead.end()
    await running
    assert budget.in_use_bytes == 0
    await ahead.begin_part()  # nobody waits for a digest that is over
    assert await sink.md5() == MD5
    await sink.aclose()


async def test_a_file_that_begins_anew(tmp_path: Path) -> None:
    sink, budget = part_file(tmp_path), ByteBudget(256 * MIB)
    await sink.open(len(DATA))
    ahead = DigestAhead(sink, budget, 1)
    async with BlockWriter(sink, 0, None, ahead) as writer:
        await fill(writer, b"x" * (3 * MIB))
        await writer.flush()
    assert budget.in_use_bytes == 3 * MIB
    ahead.forget()
    assert budget.in_use_bytes == 0
    await sink.restart()
    running = asyncio.create_task(ahead.run(len(DATA)))
    async with BlockWriter(sink, 0, None, ahead) as writer:
        await fill(writer, DATA)
        await writer.flush()
    ahead.written_to(len(DATA))
    await running
    assert sink.digested == len(DATA)
    assert await sink.md5() == MD5
    await sink.aclose()


async def test_a_digest_that_is_far_behind_lets_no_part_begin(tmp_path: Path) -> None:
    sink, budget = part_file(tmp_path), ByteBudget(0)
    await sink.open(100 * MIB)
    ahead = DigestAhead(sink, budget, 4)
    for _ in range(4):
        await ahead.begin_part()
    waiting = asyncio.create_task(ahead.begin_part())
    await asyncio.sleep(0)
    assert not waiting.done()  # four are under way
    ahead.written_to(50 * MIB)
    for _ in range(4):
        ahead.end_part()
    for _ in range(3):
        await asyncio.sleep(0)
    assert not waiting.done()  # and 50 MiB wait for the digest
    running = asyncio.create_task(ahead.run(100 * MIB))
    async with asyncio.timeout(30):
        await waiting
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    await sink.aclose()


# -- proof -------------------------------------------------------------------------------------------------------------


def test_crc32_is_that_of_zlib() -> None:
    assert crc32(DATA[10:], crc32(memoryview(DATA)[:10])) == zlib.crc32(DATA)


@pytest.mark.parametrize("data", [DATA[:1000], b"x" + DATA[1:1000]])
def test_what_proves_a_part(data: bytes) -> None:
    crc, md5 = zlib.crc32(DATA[:1000]), hashlib.md5(DATA[:1000]).hexdigest()
    for record in (
        PartDone(0, 0, 0, 1000, md5),
        PartDone(0, 0, 0, 1000, crc32=crc),
        PartDone(0, 0, 0, 1000, md5, crc32=crc),
    ):
        digest = proving(record)
        digest.update(data)
        assert record.provable
        assert proves(record, digest.part()) == (data == DATA[:1000])
    nothing = PartDone(0, 0, 0, 1000)
    assert not nothing.provable
    assert not proves(nothing, RunningDigest(crc32=True).part())
    also = proving(PartDone(0, 0, 0, 1000, crc32=crc), md5=True)
    also.update(data)
    assert also.part().md5 == hashlib.md5(data).hexdigest()
