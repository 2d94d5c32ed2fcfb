from __future__ import annotations

import array
import asyncio
import gzip
import hashlib
import io
import mmap
import os
import tempfile
import threading
from pathlib import Path

import aiofiles
import anyio
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from asyncclient._messages import Body
from asyncclient._transfers.digest import RunningDigest
from asyncclient._transfers.open_source import as_source
from asyncclient._transfers.plan import MIB
from asyncclient._transfers.source import Identity
from asyncclient._transfers.source_file import FileSource
from asyncclient._transfers.source_memory import MemorySource
from asyncclient._transfers.source_stream import ObjectSource, StreamSource
from asyncclient.errors import ArgumentError, ArgumentTypeError, SourceChanged

pytestmark = pytest.mark.anyio

DATA = os.urandom(3 * MIB + 12_345)


async def read(body: Body) -> bytes:
    return b"".join([piece async for piece in body.open()])


@pytest.fixture
def path(tmp_path: Path) -> Path:
    found = tmp_path / "data.bin"
    found.write_bytes(DATA)
    return found


async def open_kind(kind: str, path: Path, stack: list):
    match kind:
        case "path":
            return await as_source(str(path))
        case "bytes":
            return await as_source(DATA)
        case "bytearray":
            return await as_source(bytearray(DATA))
        case "file":
            stack.append(path.open("rb"))
            return await as_source(stack[-1])
        case "raw":
            stack.append(path.open("rb", buffering=0))
            return await as_source(stack[-1])
        case "bytesio":
            return await as_source(io.BytesIO(DATA))
        case "temporary":
            stack.append(tempfile.NamedTemporaryFile(dir=path.parent))  # noqa: SIM115 - the test closes it
            stack[-1].write(DATA)
            stack[-1].seek(0)
            return await as_source(stack[-1])
        case "aiofiles":
            return await as_source(await aiofiles.open(path, "rb"))
        case "anyio":
            return await as_source(await anyio.open_file(path, "rb"))
    raise AssertionError(kind)


KINDS = ["path", "bytes", "bytearray", "file", "raw", "bytesio", "temporary", "aiofiles", "anyio"]


@pytest.mark.parametrize("kind", KINDS)
async def test_every_replayable_source(kind, path):
    files: list = []
    source = await open_kind(kind, path, files)
    assert (source.size, source.replayable) == (len(DATA), True)
    await source.check()
    assert not await source.changed()
    digest = RunningDigest()
    assert b"".join([bytes(view) async for view in source.windows(digest=digest)]) == DATA
    assert digest.part().md5 == hashlib.md5(DATA).hexdigest()
    assert [len(view) async for view in source.windows(5, 2 * MIB)] == [MIB, MIB]
    assert [view async for view in source.windows(7, 0)] == []
    digest = RunningDigest()
    assert await source.scan(digest, 100, 2 * MIB) == 2 * MIB
    assert digest.part().md5 == hashlib.md5(DATA[100 : 100 + 2 * MIB]).hexdigest()
    body = source.body(1000, 2 * MIB + 1)
    assert isinstance(body, Body)
    assert (body.length, body.replayable, body.digest) == (2 * MIB + 1, True, None)
    for _ in range(2):
        assert await read(body) == DATA[1000 : 1000 + 2 * MIB + 1]
        assert body.digest is not None
        assert body.digest.md5 == hashlib.md5(DATA[1000 : 1000 + 2 * MIB + 1]).hexdigest()
    parts = [source.body(at, min(MIB, len(DATA) - at)) for at in range(0, len(DATA), MIB)]
    assert b"".join(await asyncio.gather(*map(read, parts))) == DATA
    empty = source.body(3, 0)
    assert await read(empty) == b""
    assert empty.digest is not None
    for bad in ((-1, 1), (0, len(DATA) + 1), (len(DATA) + 1, None)):
        with pytest.raises(ValueError, match="do not lie within"):
            source.body(*bad)
    held = [part async for part in taken(source, MIB)]
    assert [(part.offset, part.last) for part in held] == [
        (at, at + MIB >= len(DATA)) for at in range(0, len(DATA), MIB)
    ]
    assert b"".join([await read(part.body) for part in held]) == DATA
    await source.aclose()
    await source.aclose()
    for file in files:
        assert not file.closed
        file.close()
    if kind in ("aiofiles", "anyio"):
        await (source._file.close() if kind == "aiofiles" else source._file.aclose())


async def taken(source, length):
    while (part := await source.take(length)) is not None:
        yield part


async def test_a_body_can_be_left_in_the_middle(path):
    source = await as_source(path)
    body = source.body()
    pieces = body.open()
    first = await anext(pieces)
    await pieces.aclose()
    assert DATA.startswith(first)
    assert body.digest is None
    assert await read(body) == DATA
    await source.aclose()


async def test_pieces_stay_valid(path):
    """A transport may keep what it was given while the next piece is read."""
    source = await as_source(path)
    pieces = [piece async for piece in source.body().open()]
    assert b"".join(pieces) == DATA
    await source.aclose()


async def test_small_files_are_read_at_once(tmp_path):
    small = tmp_path / "small.txt"
    small.write_bytes(b"hello")
    source = await as_source(small)
    assert isinstance(source, MemorySource)
    assert (source.name, source.path, source.size) == ("small.txt", small, 5)
    assert source.identity() == Identity.of(small.stat())
    assert await read(source.body()) == b"hello"
    await source.check()
    small.write_bytes(b"other")
    os.utime(small, ns=(1, 1))
    with pytest.raises(SourceChanged):
        await source.check()
    small.unlink()
    assert not await source.changed()


async def test_empty_sources(tmp_path):
    empty = tmp_path / "empty"
    empty.touch()
    for value in (empty, b"", io.BytesIO(), iter(())):
        source = await as_source(value)
        part = await source.take(10)
        assert (part.offset, part.length, part.last) == (0, 0, True)
        assert await read(part.body) == b""
        assert await source.take(10) is None


async def test_identity_and_change(path):
    source = await as_source(path)
    assert isinstance(source, FileSource)
    assert source.identity() == Identity.of(path.stat())
    os.utime(path, ns=(1, 1))
    assert await source.changed()
    with pytest.raises(SourceChanged):
        await source.check()
    with pytest.raises(SourceChanged):  # also found by reading, before the last bytes are handed out
        await read(source.body(0, MIB))
    await source.aclose()


async def test_another_file_under_the_same_name(path):
    source = await as_source(path)
    other = path.with_name("other")
    other.write_bytes(DATA)
    other.replace(path)
    assert await source.changed()
    path.unlink()
    assert not await source.changed()  # unlinked, and still whole
    assert await read(source.body()) == DATA
    await source.aclose()


async def test_a_file_that_shrinks(path):
    source = await as_source(path)
    os.truncate(path, MIB + 5)
    with pytest.raises(SourceChanged, match="ends at byte"):
        await read(source.body())
    with pytest.raises(SourceChanged):
        [view async for view in source.windows(MIB)]
    with pytest.raises(SourceChanged):
        await source.scan(RunningDigest())
    await source.aclose()
    file = io.BytesIO(DATA)
    shrinking = await as_source(file)
    file.truncate(10)
    with pytest.raises(SourceChanged):
        await read(shrinking.body())


async def test_a_file_object_from_its_position_on(path):
    with path.open("rb") as file:
        file.seek(100)
        source = await as_source(file)
        assert isinstance(source, FileSource)
        assert source.size == len(DATA) - 100
        assert source.identity() is None
        assert source.name == "data.bin"
        assert await read(source.body(5, 10)) == DATA[105:115]
        assert file.tell() == 100
        await source.aclose()
    stream = io.BytesIO(DATA)
    stream.seek(7)
    assert await read((await as_source(stream, name="x")).body(0, 3)) == DATA[7:10]


async def test_wrappers_are_read_not_their_descriptor(tmp_path):
    packed = tmp_path / "x.gz"
    packed.write_bytes(gzip.compress(b"hello" * 1000))
    with gzip.open(packed) as file:
        source = await as_source(file)
        assert isinstance(source, ObjectSource)
        assert await read(source.body()) == b"hello" * 1000


async def test_async_file_that_shrinks(path):
    async with aiofiles.open(path, "rb") as file:
        source = await as_source(file)
        os.truncate(path, 5)
        with pytest.raises(SourceChanged):
            await read(source.body())


async def test_arrays_without_copies():
    numpy = pytest.importorskip("numpy")
    values = numpy.arange(6, dtype=">f8").reshape(2, 3)
    source = await as_source(values)
    values[0, 0] = 17  # seen by the source: it looks at the same memory
    assert await read(source.body()) == values.tobytes()
    assert (await as_source(numpy.zeros((0, 3)))).size == 0
    assert (await as_source(numpy.float32(1))).size == 4
    assert (await as_source(numpy.zeros(2, dtype=[("O", "i4"), ("b", "f8")]))).size == 24
    with pytest.raises(ArgumentError, match="not contiguous"):
        await as_source(values.T)
    for refused in (numpy.array([object()]), numpy.array(["2020"], dtype="M8[D]"), numpy.zeros(1, dtype=[("a", "O")])):
        with pytest.raises(ArgumentTypeError):
            await as_source(refused)


async def test_other_buffers(path):
    assert await read((await as_source(array.array("d", [1.5, 2.5]))).body()) == array.array("d", [1.5, 2.5]).tobytes()
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as mapped:
        source = await as_source(mapped)
        assert await read(source.body(5, 10)) == DATA[5:15]
        del source


async def feed(pieces):
    for piece in pieces:
        yield piece


class Trickle:
    """A sync file object without seek; gives a little at a time."""

    def __init__(self, data: bytes) -> None:
        self._file = io.BytesIO(data)

    def read(self, size: int) -> bytes:
        return self._file.read(min(size, 100_000))


class AsyncTrickle(Trickle):
    async def read(self, size: int) -> bytes:
        return super().read(size)


def chunks(size: int = 70_000) -> list[bytes]:
    return [DATA[at : at + size] for at in range(0, len(DATA), size)]


STREAMS = {
    "async iterator": lambda: feed(chunks()),
    "generator": lambda: (chunk for chunk in chunks()),
    "list": chunks,
    "one long piece": lambda: [DATA],
    "empty pieces": lambda: feed([b"", DATA[:5], b"", DATA[5:], b""]),
    "views": lambda: map(memoryview, chunks()),
    "reader": lambda: Trickle(DATA),
    "async reader": lambda: AsyncTrickle(DATA),
}


@pytest.mark.parametrize("kind", STREAMS)
@pytest.mark.parametrize("size", [None, len(DATA)])
async def test_streams_by_parts(kind, size):
    source = await as_source(STREAMS[kind](), size=size, name="stream")
    assert isinstance(source, StreamSource)
    assert (source.size, source.replayable, source.name, source.path) == (size, False, "stream", None)
    assert source.identity() is None
    held = [part async for part in taken(source, MIB)]
    assert [(part.offset, part.length, part.last) for part in held] == [
        (0, MIB, False),
        (MIB, MIB, False),
        (2 * MIB, MIB, False),
        (3 * MIB, 12_345, True),
    ]
    for _ in range(2):
        assert b"".join([await read(part.body) for part in held]) == DATA
    assert await source.take(MIB) is None
    assert not await source.changed()
    await source.check()
    await source.aclose()


@pytest.mark.parametrize("kind", STREAMS)
async def test_streams_at_once(kind):
    source = await as_source(STREAMS[kind]())
    body = source.body()
    assert (body.length, body.replayable) == (None, False)
    assert await read(body) == DATA
    assert body.digest.md5 == hashlib.md5(DATA).hexdigest()
    with pytest.raises(ValueError, match="cannot go to 0"):
        source.body(0)


async def test_the_last_part_is_known_as_such():
    source = await as_source(feed([b"ab", b"cd"]))
    first, second = await source.take(2), await source.take(2)
    assert (first.last, second.last) == (False, True)
    assert await source.take(2) is None


async def test_streams_read_by_windows():
    source = await as_source(feed(chunks()), size=len(DATA))
    assert b"".join([bytes(view) async for view in source.windows(0, 100_000)]) == DATA[:100_000]
    assert source.body().length == len(DATA) - 100_000
    with pytest.raises(ValueError, match="cannot go to 5"):
        source.body(5, 1)
    digest = RunningDigest()
    assert await source.scan(digest) == len(DATA) - 100_000
    assert digest.part().md5 == hashlib.md5(DATA[100_000:]).hexdigest()
    short = await as_source(feed([b"abc"]))
    with pytest.raises(SourceChanged):
        [view async for view in short.windows(0, 5)]


@pytest.mark.parametrize("size", [4, 6])
async def test_a_stream_of_another_size_than_announced(size):
    source = await as_source(feed([b"abc", b"de"]), size=size)
    with pytest.raises(SourceChanged):
        [part async for part in taken(source, 2)]


async def test_a_pipe():
    reading, writing = os.pipe()
    with os.fdopen(reading, "rb") as file, os.fdopen(writing, "wb") as out:
        thread = threading.Thread(target=lambda: (out.write(DATA), out.close()))
        thread.start()
        source = await as_source(file)
        assert isinstance(source, StreamSource)
        assert source.name is None
        assert b"".join([await read(part.body) async for part in taken(source, MIB)]) == DATA
        await asyncio.to_thread(thread.join)


async def test_a_stream_that_reuses_its_buffer():
    def reusing():
        buffer = bytearray(4)
        for letter in b"abc":
            buffer[:] = bytes([letter]) * 4
            yield memoryview(buffer)

    source = await as_source(reusing())
    assert await read((await source.take(100)).body) == b"aaaabbbbcccc"


async def test_failures_of_a_stream_come_through():
    async def failing():
        yield b"abc"
        raise OSError("broken")

    source = await as_source(failing())
    with pytest.raises(OSError, match="broken"):
        await source.take(10)


@pytest.mark.parametrize("value", [5, None, object()])
async def test_what_is_no_source(value):
    with pytest.raises(ArgumentTypeError) as error:
        await as_source(value)
    assert error.value.argument == "source"


async def test_text_is_refused(path):
    with path.open() as file, pytest.raises(ArgumentTypeError, match="binary mode"):
        await as_source(file)
    async with aiofiles.open(path, encoding="latin-1") as file:
        with pytest.raises(ArgumentTypeError, match="binary mode"):
            await read((await as_source(file)).body())
    with pytest.raises(ArgumentTypeError, match="not str"):
        await (await as_source(["text"])).take(5)


async def test_paths_that_are_no_files(tmp_path):
    with pytest.raises(ArgumentError, match="not a regular file"):
        await as_source(tmp_path)
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(ArgumentError, match="not a regular file"):
        await as_source(tmp_path / "pipe")
    with pytest.raises(FileNotFoundError):
        await as_source(tmp_path / "gone")
    with pytest.raises(ArgumentError, match="NUL"):
        await as_source("a\0b")


async def test_parts_of_nothing():
    for value in (b"x", feed([b"x"])):
        with pytest.raises(ValueError, match="at least one byte"):
            await (await as_source(value)).take(0)


async def test_cancelling_a_read_leaves_no_thread(path):
    source = await as_source(path)

    async def loop() -> None:
        while True:
            await read(source.body())

    task = asyncio.create_task(loop())
    for _ in range(20):
        await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await source.aclose()
    with pytest.raises(ValueError, match="closed"):
        await read(source.body(0, 10))


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=40)
@given(pieces=st.lists(st.binary(max_size=20), max_size=12), part=st.integers(1, 15))
def test_any_stream_is_cut_into_equal_parts(pieces, part):
    async def main() -> None:
        source = await as_source(feed(pieces))
        held = [item async for item in taken(source, part)]
        whole = b"".join(pieces)
        assert b"".join([await read(item.body) for item in held]) == whole
        assert all(item.length == part for item in held[:-1])
        assert held[-1].last
        assert held[-1].length > 0 or not whole
        assert not any(item.last for item in held[:-1])

    asyncio.run(main())
