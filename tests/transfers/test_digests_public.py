"""``asyncclient.md5`` and its relatives, async and blocking."""

from __future__ import annotations

import hashlib
import os
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any

import anyio.to_thread
import pytest

import asyncclient
from asyncclient.digests import AsyncDigests
from asyncclient.errors import ArgumentError, ArgumentTypeError

pytestmark = pytest.mark.anyio

MIB = 1024 * 1024
SIZES = [0, 1, 1000, MIB, 5 * MIB + 3]


def etag(data: bytes, part: int) -> str:
    md5s = [hashlib.md5(data[at : at + part]).digest() for at in range(0, len(data), part)]
    return f"{hashlib.md5(b''.join(md5s)).hexdigest()}-{len(md5s)}"


def aged(path: Path) -> Path:
    old = path.stat().st_mtime_ns - 10_000_000_000
    os.utime(path, ns=(old, old))
    return path


@pytest.fixture
def files(tmp_path: Path) -> dict[Path, str]:
    """Old files of several sizes, with their md5s."""
    found = {}
    for number, size in enumerate(SIZES * 3):
        path = tmp_path / f"{number}.bin"
        path.write_bytes(os.urandom(size))
        found[aged(path)] = hashlib.md5(path.read_bytes()).hexdigest()
    return found


class Blocking:
    """The blocking face with the calls of the async one, so that the same cases run through both."""

    def __init__(self, **options: Any) -> None:
        self._digests = asyncclient.Digests(**options)

    async def md5(self, source: Any) -> str:
        return await anyio.to_thread.run_sync(self._digests.md5, source)

    async def multipart_etag(self, *arguments: Any, **options: Any) -> str:
        return await anyio.to_thread.run_sync(lambda: self._digests.multipart_etag(*arguments, **options))

    async def md5_many(self, paths: Any, **options: Any) -> AsyncIterator[tuple[Any, str]]:
        for pair in await anyio.to_thread.run_sync(lambda: list(self._digests.md5_many(paths, **options))):
            yield pair

    async def aclose(self) -> None:
        await anyio.to_thread.run_sync(self._digests.close)


@pytest.fixture(params=["async", "blocking"])
def make(request: pytest.FixtureRequest) -> Iterator[Callable[..., Any]]:
    yield AsyncDigests if request.param == "async" else Blocking
    from asyncclient._sync.portal import get_portal

    get_portal().close()


async def test_of_one(make: Callable[..., Any], files: dict[Path, str]) -> None:
    digests = make()
    for path, expected in files.items():
        assert await digests.md5(path) == await digests.md5(str(path)) == expected
        data = path.read_bytes()
        assert await digests.md5(data) == expected
        with path.open("rb") as file:
            assert await digests.md5(file) == expected
        if data:
            assert await digests.multipart_etag(path, 300_000) == etag(data, 300_000)
            with path.open("rb") as file:
                file.seek(1)
                assert await digests.md5(file) == hashlib.md5(data[1:]).hexdigest()
    assert await digests.multipart_etag(b"", 5, single_part="md5") == ""


async def test_of_many(make: Callable[..., Any], files: dict[Path, str], tmp_path: Path) -> None:
    digests = make()
    for _ in range(2):
        assert {path: found async for path, found in digests.md5_many(path for path in files)} == files
    gone = tmp_path / "gone"
    refused: list[tuple[Path, str]] = []
    found = digests.md5_many([gone, *files], on_error=lambda path, error: refused.append((path, type(error).__name__)))
    assert {path: digest async for path, digest in found} == files
    assert refused == [(gone, "FileNotFoundError")]
    with pytest.raises(FileNotFoundError):
        [pair async for pair in digests.md5_many([gone])]


async def test_what_was_read_before_is_not_read_again(
    make: Callable[..., Any], files: dict[Path, str], tmp_path: Path
) -> None:
    digests = make(file=tmp_path / "state" / "digests.jsonl")
    assert {path: found async for path, found in digests.md5_many(files)} == files
    await digests.aclose()
    for path in files:
        before = path.stat()
        with path.open("r+b") as file:  # the same size and time stamp: nothing tells the two states apart
            file.write(os.urandom(min(1, before.st_size)))
        os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    for again in (digests, make(file=tmp_path / "state" / "digests.jsonl")):
        assert {path: found async for path, found in again.md5_many(files)} == files
        assert {path: await again.md5(path) for path in files} == files
    fresh = make(remember=False)
    now = {path: hashlib.md5(path.read_bytes()).hexdigest() for path in files}
    assert {path: found async for path, found in fresh.md5_many(files)} == now
    await fresh.aclose()
    path = max(files, key=lambda path: path.stat().st_size)
    os.utime(path)
    assert await digests.md5(path) == now[path]


async def test_bad_arguments(make: Callable[..., Any], tmp_path: Path) -> None:
    digests = make()
    for part_size in (0, -1, 1.5, True, "8"):
        with pytest.raises(ArgumentError, match="part_size") as raised:
            await digests.multipart_etag(tmp_path / "gone", part_size)
        assert raised.value.argument == "part_size"
    with pytest.raises(ArgumentError, match="single_part"):
        await digests.multipart_etag(b"x", 5, single_part="sha1")
    with pytest.raises(ArgumentTypeError, match="source"):
        await digests.md5(5)
    with pytest.raises(ArgumentError, match="regular file"):
        await digests.md5(tmp_path)
    with pytest.raises(FileNotFoundError):
        await digests.md5(tmp_path / "gone")


async def test_functions_of_the_package(files: dict[Path, str]) -> None:
    path, expected = next(iter(files.items()))
    assert await asyncclient.md5(path) == expected
    assert {path: found async for path, found in asyncclient.md5_many(files)} == files
    assert await asyncclient.multipart_etag(b"abcdef", 4) == etag(b"abcdef", 4)
    data = bytes(20 * MIB)
    for part in (8 * MIB, 5 * MIB, 10 * MIB):
        assert asyncclient.infer_part_size(len(data), f'"{etag(data, part)}"') == part
    assert asyncclient.infer_part_size(10, hashlib.md5(b"").hexdigest()) is None


async def test_as_a_context_manager(files: dict[Path, str], tmp_path: Path) -> None:
    async with AsyncDigests(file=tmp_path / "digests.jsonl") as digests:
        for path in files:
            await digests.md5(path)
    assert (tmp_path / "digests.jsonl").read_bytes().count(b"\n") == len(files)


async def test_leaving_early_waits_for_the_threads(files: dict[Path, str]) -> None:
    many = AsyncDigests().md5_many(files)
    await anext(many)
    await many.aclose()
    with pytest.raises(StopAsyncIteration):
        await anext(many)
