from __future__ import annotations

import asyncio
import errno
import os
import threading

import anyio
import pytest
from hypothesis import given
from hypothesis import strategies as st

from asyncclient._net.crew import Crew
from asyncclient._transfers import fileio
from asyncclient._transfers.fileio import FileHandle, fsync_folder, preallocate, write_atomically
from asyncclient._transfers.hops import Hop, run_hop, settle
from asyncclient._transfers.windows import read_ahead

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize("kind", ["asyncio", "anyio"])
async def test_a_running_hop_is_waited_for(kind):
    started, release, ended = threading.Event(), threading.Event(), threading.Event()

    def work() -> None:
        started.set()
        release.wait(10)
        ended.set()

    async def caller() -> None:
        try:
            await run_hop(work)
        finally:
            assert ended.is_set()

    if kind == "asyncio":
        task = asyncio.create_task(caller())
        await asyncio.to_thread(started.wait, 10)
        task.cancel()
        await asyncio.sleep(0.01)
        task.cancel()  # impatience changes nothing
        await asyncio.sleep(0.01)
        assert not task.done()
        release.set()
        with pytest.raises(asyncio.CancelledError):
            await task
    else:
        async with anyio.create_task_group() as group:
            group.start_soon(caller)
            await asyncio.to_thread(started.wait, 10)
            group.cancel_scope.cancel()
            release.set()
    assert ended.is_set()


async def test_a_waiting_hop_is_dropped():
    crew = Crew("test", few=1, most=1)
    release = threading.Event()
    first = Hop(release.wait, 10, crew=crew)
    calls: list[int] = []
    second = asyncio.create_task(run_hop(calls.append, 1, crew=crew))
    await asyncio.sleep(0.01)
    second.cancel()
    with pytest.raises(asyncio.CancelledError):
        await second
    release.set()
    await first.wait()
    assert calls == []
    assert await run_hop(lambda: 5, crew=crew) == 5


async def test_a_hop_dropped_on_its_way_does_not_run():
    calls: list[int] = []
    for _ in range(50):
        hop = Hop(calls.append, 1)
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        await hop.settle()
    seen = len(calls)
    await asyncio.sleep(0.01)
    assert len(calls) == seen


@pytest.mark.parametrize("impatient", [False, True])
async def test_settling_several_waits_for_each(impatient):
    release = threading.Event()
    ended: list[int] = []
    begun = [threading.Event(), threading.Event()]

    def work(number: int) -> None:
        begun[number].set()
        release.wait(30)
        ended.append(number)

    crew = Crew("test", few=2, most=2)
    running = [Hop(work, number, crew=crew) for number in range(2)]
    waiting = [Hop(ended.append, number, crew=crew) for number in (7, 8)]
    for event in begun:
        await asyncio.to_thread(event.wait, 30)
    task = asyncio.create_task(settle(*running, *waiting))
    for _ in range(5 if impatient else 0):
        await asyncio.sleep(0)
        task.cancel()
    await asyncio.sleep(0)
    assert not task.done()
    release.set()
    if impatient:
        with pytest.raises(asyncio.CancelledError):
            await task
    else:
        await task
    assert sorted(ended) == [0, 1]


async def test_a_hop_lets_go_of_what_it_was_given():
    crew = Crew("test", few=1, most=1)
    release = threading.Event()
    first = Hop(release.wait, 30, crew=crew)
    ran, dropped = bytearray(10), bytearray(10)
    later = Hop(len, memoryview(dropped), crew=crew)
    await later.settle()
    dropped.clear()  # BufferError while somebody looks at it
    release.set()
    await first.wait()
    hop = Hop(len, memoryview(ran), crew=crew)
    assert await hop.wait() == 10
    ran.clear()


async def test_errors_come_out_and_settling_hides_them():
    def fail() -> None:
        raise OSError(errno.EIO, "broken")

    with pytest.raises(OSError, match="broken"):
        await run_hop(fail)
    hop = Hop(fail)
    await hop.settle()


async def test_read_ahead_is_one_step_ahead_and_closes():
    seen: list[int] = []

    def read(step: int) -> int:
        seen.append(step)
        return step

    windows = read_ahead(10, read)
    assert await anext(windows) == 0
    await windows.aclose()
    assert seen in ([0], [0, 1])
    assert [step async for step in read_ahead(3, read)] == [0, 1, 2]
    assert [step async for step in read_ahead(0, read)] == []


async def test_reading_ahead_that_fails():
    def read(step: int) -> int:
        if step == 1:
            raise OSError(errno.EIO, "broken")
        return step

    windows = read_ahead(3, read)
    assert await anext(windows) == 0
    with pytest.raises(OSError, match="broken"):
        await anext(windows)
    windows = read_ahead(3, read)
    assert await anext(windows) == 0
    await windows.aclose()  # the failed window that nobody asked for is not reported


def test_a_handle_closes_behind_its_last_user(tmp_path):
    path = tmp_path / "x"
    handle = FileHandle(path, os.O_RDWR | os.O_CREAT)
    handle.write([b"abc"] * 1500, 2)
    assert handle.read(10, 0) == b"\0\0abcabcab"
    assert handle.read(10_000, 4500) == b"bc"
    with handle._use() as fd:
        handle.close()
        handle.close()
        assert os.pread(fd, 1, 2) == b"a"
    assert handle.closed
    with pytest.raises(ValueError, match="closed"):
        handle.read(1, 0)
    with pytest.raises(OSError, match="descriptor"):
        os.fstat(fd)


def test_systems_without_positional_calls(tmp_path):
    with (tmp_path / "x").open("w+b", buffering=0) as file:
        fd = file.fileno()
        assert fileio.pwrite_by_seek(fd, b"hello", 3) == 5
        assert fileio.pwritev_by_join(fd, [b"a", b"b"], 0) == 2
        assert fileio.pread_by_seek(fd, 8, 0) == b"ab\0hello"
        view = memoryview(bytearray(20))
        assert fileio.pread_into_by_copy(fd, view, 3) == 5
        assert bytes(view[:5]) == b"hello"


def test_short_writes_are_continued(tmp_path, monkeypatch):
    real = os.pwritev
    monkeypatch.setattr(fileio, "_pwritev", lambda fd, pieces, offset: real(fd, [bytes(pieces[0])[:2]], offset))
    real_one = os.pwrite
    monkeypatch.setattr(fileio, "_pwrite", lambda fd, data, offset: real_one(fd, bytes(data)[:3], offset))
    handle = FileHandle(tmp_path / "x", os.O_RDWR | os.O_CREAT)
    handle.write([b"hello", b" ", b"world"], 1)
    handle.close()
    assert (tmp_path / "x").read_bytes() == b"\0hello world"


@given(st.lists(st.binary(max_size=40), max_size=12), st.integers(1, 30), st.booleans())
def test_calls_hold_all_bytes_in_order(pieces: list[bytes], most: int, views: bool) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(fileio, "_CALL_BYTES", most)
        calls = list(fileio._calls([memoryview(piece) for piece in pieces] if views else pieces))
    lengths = [sum(map(len, call)) for call in calls]
    assert b"".join(bytes(part) for call in calls for part in call) == b"".join(pieces)
    assert all(length == most for length in lengths[:-1])
    assert not lengths or 0 < lengths[-1] <= most


def test_threads_write_at_their_own_places(tmp_path):
    handle = FileHandle(tmp_path / "x", os.O_RDWR | os.O_CREAT)
    size = 3 * fileio._CALL_BYTES + 7
    blocks = [bytes([number]) * size for number in range(8)]
    threads = [
        threading.Thread(target=handle.write, args=([block], number * size)) for number, block in enumerate(blocks)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    handle.close()
    assert (tmp_path / "x").read_bytes() == b"".join(blocks)


def test_short_reads_are_continued(tmp_path, monkeypatch):
    (tmp_path / "x").write_bytes(b"0123456789")
    real = os.pread
    monkeypatch.setattr(fileio, "_pread", lambda fd, length, offset: real(fd, min(3, length), offset))
    handle = FileHandle(tmp_path / "x", os.O_RDONLY)
    assert handle.read(8, 1) == b"12345678"
    assert handle.read(100, 5) == b"56789"
    handle.close()


def test_reserving_room_that_is_not_there(tmp_path):
    with (tmp_path / "x").open("wb") as file, pytest.raises(OSError) as error:
        preallocate(file.fileno(), 1 << 60, tmp_path)
    assert error.value.errno in (errno.ENOSPC, errno.EFBIG)


def test_file_systems_that_cannot_reserve(tmp_path, monkeypatch):
    def refuse(fd: int, offset: int, length: int) -> None:
        raise OSError(errno.EOPNOTSUPP, "no")

    monkeypatch.setattr(os, "posix_fallocate", refuse)
    with (tmp_path / "x").open("wb") as file:
        preallocate(file.fileno(), 1000, tmp_path)
        assert os.fstat(file.fileno()).st_size == 1000
        with pytest.raises(OSError) as error:
            preallocate(file.fileno(), 1 << 60, tmp_path)
    assert error.value.errno == errno.ENOSPC
    assert f"{(1 << 60) - 1000} bytes are needed" in str(error.value)


def test_a_disk_that_says_it_is_full_while_it_is_not(tmp_path, monkeypatch):
    def refuse(fd: int, offset: int, length: int) -> None:
        raise OSError(errno.ENOSPC, "no")

    monkeypatch.setattr(os, "posix_fallocate", refuse)
    with (tmp_path / "x").open("wb") as file:
        preallocate(file.fileno(), 1000, tmp_path)
        assert os.fstat(file.fileno()).st_size == 1000


def test_atomic_writing_cleans_up(tmp_path):
    target = tmp_path / "sub" / "x"
    write_atomically(target, b"one", durable=True)
    write_atomically(target, b"two")
    assert target.read_bytes() == b"two"
    blocked = tmp_path / "folder"
    blocked.mkdir()
    with pytest.raises(OSError):
        write_atomically(blocked, b"three")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["folder", "sub"]


def test_syncing_a_folder_that_is_gone(tmp_path):
    with pytest.raises(FileNotFoundError):
        fsync_folder(tmp_path / "gone")
