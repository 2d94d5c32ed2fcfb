"""Bodies: the same bytes for every attempt, or an error that says why not."""

from __future__ import annotations

import asyncio
import io
import os
import tempfile
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any

import aiofiles
import anyio
import pytest

from asyncclient._messages import Body as BodyProtocol
from asyncclient._net import bodies
from asyncclient._net.bodies import READ_BYTES, FileBody, FileObjectBody, FileStamp, IterBody
from asyncclient._net.crew import Crew
from asyncclient._net.pool import Pool
from asyncclient._net.threads import DISK, ThreadOwned, in_thread
from asyncclient.errors import ArgumentTypeError, LocalProtocolError, SourceChanged
from tests.net.conftest import fetch, post, until
from tests.support.fault_server import OK, Body, FaultServer, Head, Repeat, Send

pytestmark = pytest.mark.anyio

DATA = os.urandom(2 * READ_BYTES + 12345)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "data.bin"
    path.write_bytes(DATA)
    return path


async def pieces(body: BodyProtocol) -> list[bytes]:
    return [piece async for piece in body.open()]


async def content(body: BodyProtocol) -> bytes:
    return b"".join(await pieces(body))


# -- files -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("offset", "length"),
    [
        (0, len(DATA)),
        (0, 0),
        (0, 1),
        (5, READ_BYTES),
        (READ_BYTES, READ_BYTES + 1),
        (len(DATA), 0),
        (len(DATA) - 1, 1),
    ],
)
async def test_ranges_of_a_file(path: Path, offset: int, length: int) -> None:
    body = FileBody(path, offset, length)
    assert body.length == length
    assert body.replayable
    for _ in range(2):
        assert await content(body) == DATA[offset : offset + length]


async def test_a_whole_file(path: Path) -> None:
    body = await FileBody.whole(str(path))
    assert body.length == len(DATA)
    assert [len(piece) for piece in await pieces(body)] == [READ_BYTES, READ_BYTES, 12345]
    assert repr(body) == f"<FileBody {len(DATA)} bytes at 0>"


class Turnstile(Crew):
    """Counts calls."""

    calls = 0

    def add(self, errand: Any, returns: Any) -> None:
        self.calls += 1
        super().add(errand, returns)


async def test_a_small_file_takes_one_hop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    small = tmp_path / "small"
    small.write_bytes(b"x" * 1000)
    turnstile = Turnstile("test", few=1, most=1)
    monkeypatch.setattr(bodies, "DISK", turnstile)
    assert await content(FileBody(small, 0, 1000)) == b"x" * 1000
    assert turnstile.calls == 1


async def test_a_file_that_is_not_there(pool: Pool, tmp_path: Path) -> None:
    async with FaultServer([Repeat([Head(), Body(), Send(OK)])]) as server:
        with pytest.raises(FileNotFoundError):
            await fetch(pool, post(server.origin, FileBody(tmp_path / "none", 0, 1)))
        assert pool.statistics().bytes_sent == 0


async def test_a_file_that_is_shorter_than_its_range(path: Path) -> None:
    with pytest.raises(SourceChanged, match="were asked for"):
        await content(FileBody(path, 0, len(DATA) + 1))


@pytest.mark.parametrize("change", [b"", b"x", DATA + b"x"])
async def test_a_file_that_changed_since_it_was_planned(path: Path, change: bytes) -> None:
    body = await FileBody.whole(path)
    path.write_bytes(change)
    with pytest.raises(SourceChanged, match=r"data\.bin changed"):
        await content(body)


async def test_a_file_that_was_rewritten_since_it_was_planned(path: Path) -> None:
    body = await FileBody.whole(path)
    os.utime(path, ns=(1, 1))
    with pytest.raises(SourceChanged, match="written to"):
        await content(body)
    status = path.stat()
    assert FileStamp.of(status) == (len(DATA), 1)


@pytest.mark.parametrize("size", [0, READ_BYTES + 1, len(DATA) + 1])
async def test_a_file_that_changes_while_it_is_read(path: Path, size: int) -> None:
    """Whatever happens, the last piece is not handed out."""
    received = 0
    with pytest.raises(SourceChanged):
        async for piece in FileBody(path, 0, len(DATA)).open():
            received += len(piece)
            os.truncate(path, size)
    assert received < len(DATA)


async def test_a_file_that_does_not_get_shorter_to_look_at_but_to_read() -> None:
    """As files in ``/proc``, whose size says nothing."""
    with pytest.raises(SourceChanged):
        await content(FileBody("/proc/self/status", 0, 10))


async def test_an_upload_from_a_file(pool: Pool, path: Path) -> None:
    async with FaultServer([Repeat([Head(), Body(), Send(OK)])]) as server:
        await fetch(pool, post(server.origin, FileBody(path, 100, READ_BYTES)))
        assert server.connections[0].bodies == [DATA[100 : 100 + READ_BYTES]]


async def test_an_unfinished_file_is_closed(path: Path) -> None:
    body = FileBody(path, 0, len(DATA))
    iterator = body.open()
    await anext(iterator)
    assert open_files(path) == 1
    await iterator.aclose()  # type: ignore[attr-defined]  # open is a generator here
    assert open_files(path) == 0


def open_files(path: Path) -> int:
    links = []
    for entry in Path("/proc/self/fd").iterdir():
        try:
            links.append(entry.readlink())
        except OSError:
            pass
    return links.count(path)


class Gate(ThreadOwned):
    """Work in a thread that waits for the test."""

    def __init__(self) -> None:
        super().__init__()
        self.entered, self.leave = threading.Event(), threading.Event()
        self.events: list[str] = []

    def _step(self) -> bytes:
        self.entered.set()
        self.leave.wait(10)
        self.events.append("stepped")
        return b"x"

    def _release(self) -> None:
        self.events.append("released")


async def test_nothing_is_closed_under_a_thread() -> None:
    gate = Gate()
    reading = asyncio.ensure_future(in_thread(gate.step, DISK))
    await until(gate.entered.is_set)
    reading.cancel()
    await asyncio.gather(reading, return_exceptions=True)
    gate.close()
    assert gate.events == []
    gate.leave.set()
    await until(lambda: gate.events == ["stepped", "released"])
    assert gate.step() == b""


async def test_closing_without_a_thread_inside() -> None:
    gate = Gate()
    gate.close()
    assert gate.events == ["released"]


async def test_the_interface_has_to_be_filled() -> None:
    empty = ThreadOwned()
    with pytest.raises(NotImplementedError):
        empty.step()
    with pytest.raises(NotImplementedError):
        empty.close()


# -- file objects ----------------------------------------------------------------------------------------------------


async def test_a_file_object(path: Path) -> None:
    with path.open("rb") as file:
        file.seek(1000)
        body = await FileObjectBody.of(file)
        assert body.length == len(DATA) - 1000
        assert file.tell() == 1000
        for _ in range(2):
            assert await content(body) == DATA[1000:]
        assert not file.closed
        assert repr(body) == f"<FileObjectBody {len(DATA) - 1000} bytes>"


async def test_bytes_in_memory() -> None:
    body = await FileObjectBody.of(io.BytesIO(DATA))
    assert await content(body) == DATA
    assert await content(await FileObjectBody.of(io.BytesIO())) == b""


async def test_a_part_of_a_file_object() -> None:
    assert await content(FileObjectBody(io.BytesIO(DATA), 10, 20)) == DATA[10:30]


async def test_a_spooled_file() -> None:
    with tempfile.SpooledTemporaryFile(max_size=100) as file:
        for data in (b"x" * 50, b"y" * 5000):
            file.write(data)
            file.seek(0)
            assert (await content(await FileObjectBody.of(file))).endswith(data)
            file.seek(0, os.SEEK_END)


@pytest.mark.parametrize("library", [aiofiles.open, anyio.open_file])
async def test_an_async_file(path: Path, library: Callable[..., Any]) -> None:
    opening = library(path, "rb")
    async with opening if library is aiofiles.open else await opening as file:
        await file.seek(7)
        body = await FileObjectBody.of(file)
        for _ in range(2):
            assert await content(body) == DATA[7:]


class Wrapper:
    """A file whose methods give awaitables without being coroutine functions, and whose seek says nothing."""

    def __init__(self, data: bytes) -> None:
        self._file = io.BytesIO(data)

    def tell(self) -> int:
        return self._file.tell()

    def seek(self, offset: int, whence: int = 0) -> None:
        self._file.seek(offset, whence)

    def read(self, size: int) -> bytes:
        return self._file.read(size)


async def test_a_file_whose_seek_says_nothing() -> None:
    assert await content(await FileObjectBody.of(Wrapper(DATA))) == DATA


async def test_two_attempts_at_one_file_do_not_mix() -> None:
    """The first may have been given up in the middle of a read."""
    body = await FileObjectBody.of(io.BytesIO(DATA))
    first, second = body.open(), body.open()
    assert await anext(first) == DATA[:READ_BYTES]
    assert await anext(second) == DATA[:READ_BYTES]
    assert await anext(first) == await anext(second) == DATA[READ_BYTES : 2 * READ_BYTES]


async def test_a_file_object_that_became_shorter() -> None:
    file = io.BytesIO(DATA)
    body = await FileObjectBody.of(file)
    file.truncate(READ_BYTES + 5)
    with pytest.raises(SourceChanged, match="bytes too early"):
        await content(body)


async def test_what_is_no_seekable_binary_file() -> None:
    reading, writing = os.pipe()
    os.close(writing)
    with os.fdopen(reading, "rb") as pipe:
        for bad in (pipe, object(), b"bytes"):
            with pytest.raises(ArgumentTypeError, match="seekable"):
                await FileObjectBody.of(bad)
    with pytest.raises(ArgumentTypeError, match="binary mode"):
        await FileObjectBody.of(io.StringIO("text"))


# -- iterables -------------------------------------------------------------------------------------------------------


async def test_an_iterable_is_sent_once() -> None:
    body = IterBody([b"a", b"", b"b"], 2)
    assert (body.length, body.replayable, repr(body)) == (2, False, "<IterBody 2 bytes>")
    assert await content(body) == b"ab"
    with pytest.raises(LocalProtocolError, match="only once"):
        body.open()


async def test_an_async_iterable() -> None:
    closed = False

    async def source() -> AsyncIterator[bytes]:
        nonlocal closed
        try:
            yield b"a"
            yield b"b"
        finally:
            closed = True

    assert await content(IterBody(source())) == b"ab"
    assert closed
    closed = False
    iterator = IterBody(source()).open()
    await anext(iterator)
    await iterator.aclose()  # type: ignore[attr-defined]  # a generator
    assert closed


async def test_an_async_iterator_that_cannot_be_closed() -> None:
    class Numbers:
        left = 3

        def __aiter__(self) -> Numbers:
            return self

        async def __anext__(self) -> bytes:
            if not self.left:
                raise StopAsyncIteration
            self.left -= 1
            return b"%d" % self.left

    assert repr(IterBody(Numbers())) == "<IterBody ? bytes>"
    assert await content(IterBody(Numbers())) == b"210"


async def test_a_blocking_iterable_runs_in_a_thread() -> None:
    names: set[str] = set()
    closed: list[str] = []

    def source() -> Iterator[bytes]:
        try:
            for _ in range(1000):
                names.add(threading.current_thread().name)
                yield b"x" * 1000
        finally:
            closed.append("closed")

    got = await pieces(IterBody(source()))
    assert sum(map(len, got)) == 1_000_000
    assert len(got) < 20  # collected: a hop for each would be slow
    assert threading.current_thread().name not in names
    assert closed


async def test_a_live_iterable_is_not_held_back() -> None:
    clicks: list[threading.Event] = [threading.Event() for _ in range(3)]

    def source() -> Iterator[bytes]:
        for click in clicks:
            click.wait(10)
            yield b"click"

    iterator = IterBody(source()).open()
    for click in clicks:
        asyncio.get_running_loop().call_later(0.15, click.set)
        assert await anext(iterator) == b"click"


async def test_an_unfinished_generator_is_closed() -> None:
    closed = False

    def source() -> Iterator[bytes]:
        nonlocal closed
        try:
            while True:
                yield b"x" * (1 << 20)
        finally:
            closed = True

    iterator = IterBody(source()).open()
    await anext(iterator)
    await iterator.aclose()  # type: ignore[attr-defined]  # a generator
    assert closed


@pytest.mark.parametrize("bad", ["text", 5, None])
def test_what_is_no_iterable_of_bytes(bad: Any) -> None:
    with pytest.raises(ArgumentTypeError):
        IterBody(bad)


async def test_pieces_that_are_no_bytes() -> None:
    async def source() -> AsyncIterator[Any]:
        yield "text"

    for bad in (["text"], source(), [1]):
        with pytest.raises(ArgumentTypeError, match="must consist of bytes"):
            await content(IterBody(bad))


def in_one_memory() -> Iterator[bytearray]:
    memory = bytearray(1000)
    for number in range(5):
        memory[:] = bytes([number]) * 1000
        yield memory


async def in_one_memory_async() -> AsyncIterator[memoryview]:
    for piece in in_one_memory():
        yield memoryview(piece)


@pytest.mark.parametrize("make", [in_one_memory, in_one_memory_async])
async def test_memory_that_is_used_again_for_the_next_piece(make: Callable[[], Any]) -> None:
    """A piece may still wait to be sent when the next one is made."""
    pieces = [piece async for piece in IterBody(make()).open()]
    assert b"".join(pieces) == b"".join(bytes([number]) * 1000 for number in range(5))
    assert all(type(piece) is bytes for piece in pieces)
