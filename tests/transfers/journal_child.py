"""A process of its own for the tests of journals: writes until it is killed, or races for jobs."""

from __future__ import annotations

import asyncio
import random
import sys
from pathlib import Path

from asyncclient._transfers.digest import RunningDigest
from asyncclient._transfers.journal import Journal, JournalOptions
from asyncclient._transfers.part_file import PartFile, PartFileOptions
from asyncclient._transfers.places import new_job_id
from asyncclient._transfers.records import File, Job, PartDone
from asyncclient.errors import ResumeError


async def write(folder: str, fsync: str) -> None:
    """Write parts for ever, 64 at a time, and say which index below all are written."""
    begun = Job(id=new_job_id(), service="lfview", direction="up")
    journal = await Journal.create(begun, folder=folder, options=JournalOptions(fsync=fsync))
    print(begun.id, flush=True)
    await journal.append(File(n=0, path="a"))
    gate = asyncio.Semaphore(64)
    written: set[int] = set()
    said = 0

    async def one(index: int) -> None:
        nonlocal said
        await journal.append(PartDone(n=0, index=index, offset=index * 10, length=10, md5="0" * 32))
        written.add(index)
        while said in written:
            written.remove(said)
            said += 1
            print(said, flush=True)
            gate.release()

    async with asyncio.TaskGroup() as group:
        for index in range(10**9):
            await gate.acquire()
            group.create_task(one(index))


async def race(folder: str, go: str, *jobs: str) -> None:
    """Take over as many jobs as can be had, and name them."""
    print("ready", flush=True)
    while not Path(go).exists():
        pass
    won = []
    for job in jobs:
        try:
            won.append(await Journal.resume(job, folder=folder, options=JournalOptions(fsync="none")))
        except ResumeError:
            continue
    for journal in won:
        print(journal.job.id, flush=True)
    print("done", flush=True)
    await asyncio.to_thread(sys.stdin.read)


async def fetch(folder: str, fsync: str, target: str) -> None:
    """Fill a part file with 64 parts of 64 KiB, eight at a time, for ever."""
    begun = Job(id=new_job_id(), service="lfview", direction="down")
    journal = await Journal.create(begun, folder=folder, options=JournalOptions(fsync=fsync, sync_bytes=500_000))
    print(begun.id, flush=True)
    file = PartFile(Path(target), begun.id, journal.owner, PartFileOptions(fsync=fsync))
    await file.open(64 * 65_536)
    await journal.append(File(n=0, path="a", dst=target, size=64 * 65_536))
    left = iter(random.sample(range(64), 64))

    async def work() -> None:
        for index in left:
            data = random.randbytes(65_536)
            digest = RunningDigest()
            await file.write(index * 65_536, [data[:1000], data[1000:]], digest)
            part = PartDone(n=0, index=index, offset=index * 65_536, length=65_536, md5=digest.part().md5)
            await journal.append(part, barrier=file.barrier())
            print(index, flush=True)

    await asyncio.gather(*(work() for _ in range(8)))
    await asyncio.to_thread(sys.stdin.read)


if __name__ == "__main__":
    asyncio.run({"write": write, "race": race, "fetch": fetch}[sys.argv[1]](*sys.argv[2:]))
