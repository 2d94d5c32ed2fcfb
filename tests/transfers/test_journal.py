from __future__ import annotations

import asyncio
import errno
import os
import random
import resource
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest

from asyncclient._transfers import journal as journal_module
from asyncclient._transfers.claims import (
    LEASE_S,
    Holder,
    claim,
    claim_note,
    current_holder,
    is_running,
    judge,
    make_lease,
)
from asyncclient._transfers.digest import RunningDigest
from asyncclient._transfers.jobs import LeftSession, list_jobs, prune
from asyncclient._transfers.journal import Journal, JournalOptions
from asyncclient._transfers.lines import decode_line, encode_line
from asyncclient._transfers.part_file import PartFile
from asyncclient._transfers.places import journal_name, new_job_id, new_owner, part_path
from asyncclient._transfers.records import VERSION, Done, End, Fail, File, Job, Lease, PartDone, Session, Skip, Sync
from asyncclient._transfers.replay import replay
from asyncclient.errors import ArgumentError, ResumeError

pytestmark = pytest.mark.anyio

CHILD = Path(__file__).with_name("journal_child.py")


def job(direction: str = "up") -> Job:
    return Job(id=new_job_id(), service="lfview", direction=direction, origin="https://host:443")


def part(index: int, n: int = 0, length: int = 10) -> PartDone:
    return PartDone(n=n, index=index, offset=index * 10, length=length, md5="0" * 32)


def read(path: Path) -> list:
    return [decode_line(line) for line in path.read_bytes().splitlines()]


def run(*arguments: object, **options) -> subprocess.Popen:
    command = [sys.executable, str(CHILD), *map(str, arguments)]
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, **options)


def last_words(child: subprocess.Popen) -> bytes:
    """Read on from what was read, which ``communicate`` does not, and wait for the end."""
    rest = child.stdout.read()
    child.communicate()
    return rest


async def test_a_journal_from_begin_to_end(folder):
    begun = job()
    async with await Journal.create(begun, folder=folder) as journal:
        assert journal.path == folder / journal_name(begun.id, journal.owner)
        assert folder.stat().st_mode & 0o777 == 0o700
        assert journal.path.stat().st_mode & 0o777 == 0o600
        await journal.append(File(n=0, path="a", size=30), Session(n=0, upload_id="u", part=10))
        await asyncio.gather(*(journal.append(part(index)) for index in range(3)))
        await journal.append(Done(n=0, md5="0" * 32), End(ok=1, failed=0))
    await journal.aclose()
    found = read(journal.path)
    assert [type(record) for record in found[:4]] == [Job, Lease, File, Session]
    assert found[-1].beat == 0
    state = replay(journal.path.read_bytes())
    assert state.job == begun
    assert sorted(state.files[0].parts) == [0, 1, 2]
    with pytest.raises(ResumeError, match="closed"):
        await journal.append(part(5))
    await journal.remove()
    assert list(folder.iterdir()) == []


async def test_records_that_hold_secrets_are_refused(folder):
    async with await Journal.create(job(), folder=folder) as journal:
        before = journal.path.read_bytes()
        with pytest.raises(ArgumentError):
            await journal.append(part(0), Session(n=0, upload_id="https://x/y?sig=1"))
        assert journal.path.read_bytes() == before


async def test_many_records_share_a_write(folder):
    async with await Journal.create(job(), folder=folder, options=JournalOptions(fsync="part")) as journal:
        syncs: list[int] = []

        def barrier() -> None:
            syncs.append(1)

        await journal.append(File(n=0, path="a"))
        await asyncio.gather(*(journal.append(part(index), barrier=barrier) for index in range(500)))
        assert len(syncs) < 50
    state = replay(journal.path.read_bytes())
    assert state.files[0].proven == set(range(500))


async def test_data_is_synced_before_its_record(folder):
    """In mode ``part`` nothing is in the journal while the barrier runs; its failure keeps the record out."""
    async with await Journal.create(job("down"), folder=folder, options=JournalOptions(fsync="part")) as journal:
        await journal.append(File(n=0, path="a"), File(n=1, path="b"))
        seen: list[bytes] = []

        def barrier() -> None:
            seen.append(journal.path.read_bytes())

        def failing() -> None:
            raise OSError(errno.EIO, "lost")

        await journal.append(part(0), barrier=barrier)
        assert replay(seen[0]).files[0].parts == {}
        results = await asyncio.gather(
            journal.append(part(1), barrier=failing),
            journal.append(part(1, n=1), barrier=barrier),
            journal.append(part(2), barrier=failing),
            return_exceptions=True,
        )
        assert [getattr(result, "errno", None) for result in results] == [errno.EIO, None, errno.EIO]
    state = replay(journal.path.read_bytes())
    assert state.files[0].proven == {0}
    assert state.files[1].proven == {1}


async def test_mode_end_syncs_after_so_many_bytes(folder):
    options = JournalOptions(fsync="end", sync_bytes=100, sync_s=3600)
    syncs: list[str] = []
    async with await Journal.create(job("down"), folder=folder, options=options) as journal:
        await journal.append(File(n=0, path="a"), File(n=1, path="b"))
        for index in range(9):
            await journal.append(part(index), barrier=lambda: syncs.append("a"))
        await journal.append(part(0, n=1, length=5), barrier=lambda: syncs.append("b"))
        assert syncs == []
        await journal.append(part(1, n=1, length=5), barrier=lambda: syncs.append("b"))
        assert sorted(syncs) == ["a", "b"]
        await journal.append(part(9), barrier=lambda: syncs.append("a"))
        assert replay(journal.path.read_bytes()).files[0].proven == set(range(9))
    state = replay(journal.path.read_bytes())
    assert state.files[0].proven == set(range(10))
    assert state.files[1].proven == {0, 1}
    assert [record.upto for record in read(journal.path) if isinstance(record, Sync)] == [9, 2, 10]


async def test_mode_end_syncs_after_a_while(folder):
    synced = asyncio.Event()
    loop = asyncio.get_running_loop()
    async with await Journal.create(job("down"), folder=folder, options=JournalOptions(sync_s=0.02)) as journal:
        await journal.append(File(n=0, path="a"), part(0), barrier=lambda: loop.call_soon_threadsafe(synced.set))
        await asyncio.wait_for(synced.wait(), 20)


async def test_mode_none_never_syncs(folder):
    async with await Journal.create(job("down"), folder=folder, options=JournalOptions(fsync="none")) as journal:
        await journal.append(File(n=0, path="a"), part(0), barrier=lambda: pytest.fail("synced"))
    assert replay(journal.path.read_bytes()).files[0].proven == set()


async def test_an_owner_shows_that_it_lives(folder):
    async with await Journal.create(job(), folder=folder, options=JournalOptions(heartbeat_s=0.02)) as journal:
        for _ in range(1000):
            await asyncio.sleep(0.01)
            leases = [record for record in read(journal.path) if isinstance(record, Lease)]
            if len(leases) >= 3:
                break
        assert len({lease.beat for lease in leases}) >= 1
        assert {lease.owner for lease in leases} == {journal.owner}
        assert [found.standing for found in await list_jobs(folder)] == ["alive"]


async def test_a_failing_data_sync_breaks_the_journal(folder):
    async with await Journal.create(job("down"), folder=folder, options=JournalOptions(sync_bytes=1)) as journal:

        def failing() -> None:
            raise OSError(errno.EIO, "lost")

        with pytest.raises(OSError, match="lost"):
            await journal.append(File(n=0, path="a"), part(0), barrier=failing)
        with pytest.raises(OSError, match="lost"):
            await journal.append(part(1))
        with pytest.raises(OSError, match="lost"):
            await journal.aclose()
    assert replay(journal.path.read_bytes()).files == {}


async def test_a_barrier_with_a_defect(folder):
    def defect() -> None:
        raise RuntimeError("defect")

    journal = await Journal.create(job("down"), folder=folder, options=JournalOptions(fsync="part"))
    with pytest.raises(ResumeError, match="closed"):
        await journal.append(File(n=0, path="a"), barrier=defect)
    with pytest.raises(RuntimeError, match="defect"):
        await journal.aclose()


async def test_the_journal_syncs_files_that_are_closed_by_then(folder, tmp_path):
    async with await Journal.create(job("down"), folder=folder) as journal:
        files = [PartFile(tmp_path / name, journal.job.id, journal.owner) for name in ("one", "two", "three")]
        for n, file in enumerate(files):
            await file.open(10)
            await file.write(0, [bytes(10)])
            await journal.append(File(n=n, path="x"), part(0, n=n), barrier=file.barrier())
        await files[0].commit()
        await files[1].aclose()
        await files[2].discard()
    state = replay(journal.path.read_bytes())
    assert [state.files[n].proven for n in range(3)] == [{0}] * 3


async def test_a_full_disk(folder):
    async with await Journal.create(job(), folder=folder) as journal:
        await journal.append(File(n=0, path="a"))
        size = journal.path.stat().st_size
        soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (size + 30, hard))
        try:
            results = await asyncio.gather(*(journal.append(part(index)) for index in range(3)), return_exceptions=True)
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        assert [error.errno for error in results] == [errno.EFBIG] * 3
        assert journal.path.stat().st_size == size  # no half line that would hide what follows
        await journal.append(part(7))
    assert sorted(replay(journal.path.read_bytes()).files[0].parts) == [7]


async def test_a_cancelled_append_is_whole_or_absent(folder):
    async with await Journal.create(job(), folder=folder, options=JournalOptions(max_waiting=2)) as journal:
        await journal.append(File(n=0, path="a"))
        reported: set[int] = set()

        async def one(index: int) -> None:
            await journal.append(part(index))
            reported.add(index)

        tasks = [asyncio.create_task(one(index)) for index in range(60)]
        for task in random.Random(1).sample(tasks, 40):
            for _ in range(random.Random(2).randrange(4)):
                await asyncio.sleep(0)
            task.cancel()
        await asyncio.wait(tasks)
    state = replay(journal.path.read_bytes())
    assert state.dropped_bytes == 0
    assert reported <= state.files[0].parts.keys()


async def test_closing_with_a_full_queue(folder):
    journal = await Journal.create(job(), folder=folder, options=JournalOptions(max_waiting=1))
    tasks = [asyncio.create_task(journal.append(File(n=index, path="a"))) for index in range(20)]
    await asyncio.sleep(0)
    await journal.aclose()
    results = await asyncio.gather(*tasks, return_exceptions=True)
    written = {index for index, result in enumerate(results) if result is None}
    assert all(result is None or isinstance(result, ResumeError) for result in results)
    assert set(replay(journal.path.read_bytes()).files) == written


async def test_closing_while_cancelled(folder):
    journal = await Journal.create(job(), folder=folder)
    await journal.append(File(n=0, path="a"))

    async def close() -> None:
        await journal.aclose()

    task = asyncio.create_task(close())
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert read(journal.path)[-1].beat == 0


def test_a_loop_that_is_torn_down(folder):
    async def main() -> Journal:
        journal = await Journal.create(job(), folder=folder)
        await journal.append(File(n=0, path="a"))
        return journal

    journal = asyncio.run(main())
    assert replay(journal.path.read_bytes()).files[0].file is not None


async def test_resuming(folder):
    begun = job()
    first = await Journal.create(begun, folder=folder)
    await first.append(File(n=0, path="a"), Session(n=0, upload_id="u", part=10), part(0), part(1))
    for n in range(1, 4):
        await first.append(Done(n=n, path=f"{n}.txt", size=5))
    with pytest.raises(ResumeError, match="is worked on by process"):
        await Journal.resume(begun.id, folder=folder)
    await first.aclose()
    with first.path.open("ab") as file:
        file.write(b"torn line")
    async with await Journal.resume(begun.id, folder=folder) as second:
        assert not first.path.exists()
        assert sorted(second.state.files[0].parts) == [0, 1]
        assert second.state.owners == [first.owner, second.owner]
        assert second.state.files[3].outcome == Done(n=3, path="3.txt", size=5)
        await second.append(part(2))
    state = replay(second.path.read_bytes())
    assert sorted(state.files[0].parts) == [0, 1, 2]
    assert state.owners == [first.owner, second.owner]
    assert len(list(folder.iterdir())) == 1


async def test_an_owner_that_was_robbed_stops(folder):
    begun = job()
    first = await Journal.create(begun, folder=folder)
    await first.append(File(n=0, path="a"))
    second = await Journal.resume(begun.id, folder=folder, force=True)
    for _ in range(2):
        with pytest.raises(ResumeError, match="taken over"):
            await first.append(part(0))
    await first.aclose()
    await second.append(part(1))
    await second.aclose()
    assert sorted(replay(second.path.read_bytes()).files[0].parts) == [1]


async def test_what_cannot_be_resumed(folder):
    with pytest.raises(ResumeError, match="no journal"):
        await Journal.resume(new_job_id(), folder=folder)
    folder.mkdir()
    for line, reason in (
        (b"damaged\n", "damaged from its first line"),
        (encode_line(Job(new_job_id(), "x", "up", version=VERSION + 1)), "update asyncclient"),
    ):
        job_id = new_job_id()
        (folder / journal_name(job_id, new_owner())).write_bytes(line)
        with pytest.raises(ResumeError, match=reason) as error:
            await Journal.resume(job_id, folder=folder)
        assert error.value.transfer_id == job_id


# Owners


HERE = Holder(host="h", machine="m", boot="b", space="s", pid=1, started="5")


def lease(**changes) -> Lease:
    return Lease(
        **{
            "owner": "o",
            "host": "h",
            "machine": "m",
            "boot": "b",
            "space": "s",
            "pid": 1,
            "started": "5",
            "beat": 1000.0,
        }
        | changes
    )


@pytest.mark.parametrize(
    ("found", "running", "now", "standing"),
    [
        (None, None, 1000, "free"),
        (lease(beat=0), True, 1000, "free"),
        (lease(), True, 1e9, "alive"),
        (lease(), False, 1000, "dead"),
        (lease(), None, 1000, "alive"),
        (lease(), None, 1000 + LEASE_S + 1, "stale"),
        (lease(boot="other"), True, 1000, "dead"),
        (lease(boot="other", machine="other"), False, 1000, "alive"),
        (lease(space="other"), False, 1000, "alive"),
        (lease(host="other"), False, 1000, "alive"),
        (lease(host="other"), False, 1000 + LEASE_S + 1, "stale"),
        (lease(host="other"), False, 0, "alive"),
    ],
)
def test_judging_owners(found, running, now, standing):
    assert judge(found, now_s=now, here=HERE, running=lambda pid, started: running) == standing


def test_processes_that_run_and_that_do_not():
    me = current_holder()
    assert is_running(os.getpid(), me.started)
    assert is_running(1, "")
    assert not is_running(os.getpid(), "12")  # its number belongs to another process now
    child = subprocess.Popen([sys.executable, "-c", ""])
    os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)
    assert not is_running(child.pid, "")  # dead, and only waited for
    child.wait()
    assert not is_running(child.pid, "")
    assert make_lease("o", me, 5.04).beat == 5.0


def test_a_rename_that_was_done_although_it_failed(tmp_path):
    assert not claim(tmp_path / "old", tmp_path / "new")
    (tmp_path / "new").touch()
    assert claim(tmp_path / "old", tmp_path / "new")


async def test_exactly_one_of_two_processes_takes_over(folder):
    jobs = []
    for _ in range(20):
        async with await Journal.create(job(), folder=folder, options=JournalOptions(fsync="none")) as journal:
            await journal.append(File(n=0, path="a"))
            jobs.append(journal.job.id)
    go = folder / "go"
    children = [run("race", folder, go, *jobs) for _ in range(2)]
    for child in children:
        assert await asyncio.to_thread(child.stdout.readline) == b"ready\n"
    go.touch()
    won: list[list[bytes]] = [[], []]
    for child, names in zip(children, won, strict=True):
        while (name := (await asyncio.to_thread(child.stdout.readline)).strip()) != b"done":
            names.append(name)
    for child in children:  # they live until here: a dead one could be inherited from
        await asyncio.to_thread(child.communicate, b"")
    assert sorted(won[0] + won[1]) == sorted(name.encode() for name in jobs)
    assert not set(won[0]) & set(won[1])
    assert len(list(folder.glob("*.journal"))) == len(jobs)


async def test_between_the_claim_and_the_first_line(folder):
    """The name says who owns the journal, its last lease names the one before: the note decides."""
    here = await asyncio.to_thread(current_holder)
    for beat, note, taken in (
        (0, make_lease("new", here, time.time()), False),
        (0, make_lease("new", here, time.time() - 2 * LEASE_S), False),  # silent, but seen to run
        (0, replace(make_lease("new", here, time.time()), pid=2**22 + 1), True),
        (0, None, True),
        (time.time(), None, False),
    ):
        begun = job()
        lines = [begun, make_lease("old", here, beat), File(n=0, path="a")]
        folder.mkdir(exist_ok=True)
        path = folder / journal_name(begun.id, "new")
        path.write_bytes(b"".join(map(encode_line, lines)))
        if note is not None:
            claim_note(path).write_bytes(encode_line(note))
        assert [found.standing != "alive" for found in await list_jobs(folder)] == [taken]
        if taken:
            await (await Journal.resume(begun.id, folder=folder)).remove()
        else:
            with pytest.raises(ResumeError, match="is worked on"):
                await Journal.resume(begun.id, folder=folder)
            path.unlink()
        for left in folder.glob("*.claim"):
            left.unlink()


async def test_a_claim_that_comes_to_nothing_is_given_back(folder):
    begun = job()
    async with await Journal.create(begun, folder=folder) as journal:
        await journal.append(File(n=0, path="a" * 1000))
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (600, hard))
    try:
        with pytest.raises(OSError) as error:
            await Journal.resume(begun.id, folder=folder)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert error.value.errno == errno.EFBIG
    async with await Journal.resume(begun.id, folder=folder) as journal:
        assert journal.state.files[0].file is not None
    assert len(list(folder.iterdir())) == 1


@pytest.mark.parametrize("fsync", ["end", "part"])
async def test_killed_at_any_moment_a_part_file_holds_what_the_journal_says(folder, tmp_path, fsync):
    randomly = random.Random(fsync)
    for turn in range(4):
        target = tmp_path / f"{turn}.bin"
        child = run("fetch", folder, fsync, target)
        job_id = (await asyncio.to_thread(child.stdout.readline)).decode().strip()
        for _ in range(randomly.randrange(60)):
            await asyncio.to_thread(child.stdout.readline)
        os.kill(child.pid, signal.SIGKILL)
        rest = await asyncio.to_thread(last_words, child)
        async with await Journal.resume(job_id, folder=folder) as journal:
            file = PartFile(target, job_id, journal.owner)
            assert await file.open(64 * 65_536, earlier=journal.state.owners[:-1]) == 64 * 65_536
            found = journal.state.files[0]
            assert len(found.parts) >= rest.count(b"\n")
            assert fsync != "part" or found.proven == found.parts.keys()
            for record in found.parts.values():
                digest = RunningDigest()
                await file.scan(digest, record.offset, record.length)
                assert digest.part().md5 == record.md5
            await file.discard()


async def test_a_dead_process_loses_its_job_at_once(folder):
    child = run("write", folder, "end")
    job_id = (await asyncio.to_thread(child.stdout.readline)).decode().strip()
    await asyncio.to_thread(child.stdout.readline)
    with pytest.raises(ResumeError, match=f"process {child.pid} on"):
        await Journal.resume(job_id, folder=folder)
    assert [found.standing for found in await list_jobs(folder)] == ["alive"]
    child.kill()
    await asyncio.to_thread(child.communicate)
    assert [found.standing for found in await list_jobs(folder)] == ["dead"]
    async with await Journal.resume(job_id, folder=folder) as journal:
        assert journal.state.files[0].parts


@pytest.mark.parametrize("fsync", ["none", "end", "part"])
async def test_killed_at_any_moment_a_journal_holds_what_it_reported(folder, fsync):
    randomly = random.Random(fsync)
    for _ in range(6):
        child = run("write", folder, fsync)
        job_id = (await asyncio.to_thread(child.stdout.readline)).decode().strip()
        lines = randomly.randrange(200)
        for _ in range(lines):
            await asyncio.to_thread(child.stdout.readline)
        os.kill(child.pid, signal.SIGKILL)
        rest = await asyncio.to_thread(last_words, child)
        reported = lines + rest.count(b"\n")
        async with await Journal.resume(job_id, folder=folder, options=JournalOptions(fsync="none")) as journal:
            state = journal.state.files.get(0)
            have = set() if state is None else state.parts.keys()
            assert set(range(reported)) <= have
            assert len(have) <= reported + 65  # those under way
            for index, record in state.parts.items() if state is not None else ():
                assert record == PartDone(n=0, index=index, offset=index * 10, length=10, md5="0" * 32)


# Housekeeping


async def test_listing(folder):
    async with await Journal.create(job(), folder=folder) as journal:
        await journal.append(Done(n=0), Skip(n=1), Fail(n=2, code="ReadError"), File(n=3, path="x"))
        (folder / "damaged.x.journal").write_bytes(b"?")
        damaged, found = sorted(await list_jobs(folder), key=lambda entry: entry.id == journal.job.id)
        assert (found.id, found.path, found.service, found.direction) == (journal.job.id, journal.path, "lfview", "up")
        assert (found.files, found.done, found.failed, found.ended) == (4, 2, 1, False)
        assert found.standing == "alive"
        assert abs(found.started_s - found.updated_s) < 60
        assert (damaged.service, damaged.standing, damaged.origin) == ("", "free", None)
    assert await list_jobs(folder / "none") == []


async def test_pruning(folder, tmp_path):
    old = time.time() - 15 * 86_400

    async def make(direction: str, *records, age: bool = True) -> Journal:
        async with await Journal.create(job(direction), folder=folder) as journal:
            await journal.append(*records)
        if age:
            os.utime(journal.path, (old, old))
        return journal

    up = await make("up", File(n=0, path="a"), Session(n=0, upload_id="left"), Done(n=1))
    done = await make("up", File(n=0, path="a"), Session(n=0, upload_id="x"), Done(n=0))
    targets = [tmp_path / name for name in ("one", "two", "three")]
    down = await make("down", *(File(n=n, path="x", dst=str(path)) for n, path in enumerate(targets)), Done(n=1))
    young = await make("up", File(n=0, path="a"), age=False)
    parts = [part_path(path, down.job.id, down.owner) for path in targets[:2]]
    for path in parts:
        path.touch()
    for name in ("damaged.x.journal", ".x.journal.abc.tmp", "x.journal.o.pruned"):
        (folder / name).write_bytes(b"?")
        os.utime(folder / name, (old, old))
    (folder / ".y.journal.abc.tmp").touch()
    alive = await Journal.create(job(), folder=folder)
    os.utime(alive.path, (old, old))
    pruned = await prune(folder=folder)
    assert sorted(pruned.jobs) == sorted([up.job.id, done.job.id, down.job.id, "damaged"])
    assert pruned.part_files == parts[:1]
    assert not parts[0].exists()
    assert parts[1].exists()  # not ours to judge: that transfer was complete
    assert pruned.sessions == [LeftSession(up.job.id, "lfview", "https://host:443", "left", {})]
    assert sorted(path.name for path in folder.iterdir()) == sorted(
        [young.path.name, alive.path.name, ".y.journal.abc.tmp"]
    )
    await alive.aclose()
    assert (await prune(0, folder=folder)).jobs == sorted([young.job.id, alive.job.id])


def test_the_module_tells_its_modes():
    assert all(f"``{mode}``" in journal_module.__doc__ for mode in ("none", "end", "part"))


async def test_what_died_while_it_took_over_is_swept_up(folder):
    """A note and a half-written file, laid down by a process that was killed before its first line."""
    what = job()
    async with await Journal.create(what, folder=folder):
        pass
    here = await asyncio.to_thread(current_holder)
    dead = make_lease("d" * 16, replace(here, pid=2**22 + 1, started="1"), time.time())
    alive = make_lease("a" * 16, here, time.time())
    notes = [claim_note(folder / journal_name(what.id, lease.owner)) for lease in (dead, alive)]
    for note, lease in zip(notes, (dead, alive), strict=True):
        note.write_bytes(encode_line(lease))
    half = folder / f".{what.id}.x.claim.abc.tmp"
    half.write_bytes(b"")
    other = folder / f".{'0' * 32}.x.claim.abc.tmp"
    other.write_bytes(b"")
    async with await Journal.resume(what.id, folder=folder) as journal:
        assert [path.exists() for path in notes] == [False, True]
        assert not half.exists()
        assert other.exists()
        assert journal.path.exists()
