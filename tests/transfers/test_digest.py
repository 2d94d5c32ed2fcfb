from __future__ import annotations

import hashlib
import os
import zlib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from asyncclient._transfers.digest import (
    EMPTY_MD5,
    OrderedDigest,
    PartCutter,
    RunningDigest,
    candidate_part_sizes,
    infer_part_size,
    join_etag,
)
from asyncclient._transfers.digest_cache import DigestCache
from asyncclient._transfers.hashing import md5, md5_many, multipart_etag
from asyncclient._transfers.open_source import as_source
from asyncclient._transfers.plan import MIB
from asyncclient._transfers.source import Identity, ScanOptions
from asyncclient.errors import SourceChanged

pytestmark = pytest.mark.anyio

PART = 1000


def reference_etag(data: bytes, part: int) -> str:
    md5s = [hashlib.md5(data[at : at + part]).digest() for at in range(0, len(data), part)]
    return f"{hashlib.md5(b''.join(md5s)).hexdigest()}-{len(md5s)}"


def aged(path: Path) -> Path:
    old = path.stat().st_mtime_ns - 10_000_000_000
    os.utime(path, ns=(old, old))
    return path


@pytest.mark.parametrize("size", [0, 1, PART - 1, PART, PART + 1, 3 * PART])
async def test_etag_vectors(size):
    data = os.urandom(size)
    expected = reference_etag(data, PART) if size else EMPTY_MD5
    assert await multipart_etag(data, PART) == expected
    assert await md5(data) == hashlib.md5(data).hexdigest()
    sticky = "" if not size else hashlib.md5(data).hexdigest() if size <= PART else expected
    assert await multipart_etag(data, PART, single_part="md5") == sticky


def test_a_known_etag():
    assert join_etag([hashlib.md5(b"").digest()]) == "59adb24ef3cdbe0297f05b395827453f-1"
    assert join_etag([]) == EMPTY_MD5
    assert join_etag([], single_part="md5") == ""


@given(data=st.binary(max_size=300), part=st.integers(1, 50), cuts=st.lists(st.integers(1, 60), min_size=1))
def test_cutting_does_not_depend_on_how_bytes_arrive(data, part, cuts):
    cutter = PartCutter(part)
    at = 0
    while at < len(data):
        step = cuts[at % len(cuts)]
        cutter.update(data[at : at + step])
        at += step
    assert cutter.etag("etag") == (reference_etag(data, part) if data else EMPTY_MD5)


def test_parts_have_at_least_one_byte():
    with pytest.raises(ValueError, match="part_size"):
        PartCutter(0)


@given(size=st.integers(1, 10**13), part=st.sampled_from([5, 8, 10, 15, 16, 25, 32, 50, 64, 100]))
def test_usual_part_sizes_are_among_the_candidates(size, part):
    count = -(-size // (part * MIB))
    etag = f'"{EMPTY_MD5}-{count}"'
    found = candidate_part_sizes(size, etag)
    if count > 10_000:
        assert found == []
        return
    assert part * MIB in found
    assert all(-(-size // candidate) == count for candidate in found)
    assert infer_part_size(size, etag) == found[0]


@pytest.mark.parametrize("etag", [EMPTY_MD5, f"{EMPTY_MD5}-0", f"{EMPTY_MD5}-x", "", f"{EMPTY_MD5}-10001"])
def test_no_part_size_without_a_count(etag):
    assert infer_part_size(10 * MIB, etag) is None


def test_inference_beyond_the_usual():
    assert infer_part_size(1000 * MIB, "x-3") == 334 * MIB  # the smallest whole MiB that gives three parts
    assert infer_part_size(0, "x-1") is None
    assert infer_part_size(5, "x-3") is None


@given(st.lists(st.lists(st.binary(max_size=50), max_size=4), max_size=4))
def test_running_digests(parts):
    running = RunningDigest(whole=True, crc32=True)
    for pieces in parts:
        for piece in pieces:
            running.update(piece)
        found = running.end_part()
        data = b"".join(pieces)
        assert (found.length, found.md5, found.crc32) == (len(data), hashlib.md5(data).hexdigest(), zlib.crc32(data))
    everything = b"".join(b"".join(pieces) for pieces in parts)
    assert running.md5() == hashlib.md5(everything).hexdigest()
    assert running.size == len(everything)


def test_without_the_whole():
    running = RunningDigest()
    running.update(b"ab")
    assert running.md5() == hashlib.md5(b"ab").hexdigest()
    running.end_part()
    with pytest.raises(ValueError, match="not asked for"):
        running.md5()


@given(data=st.binary(max_size=200), order=st.randoms(use_true_random=False), step=st.integers(1, 40))
def test_ordered_digest_takes_pieces_in_any_order(data, order, step):
    digest = OrderedDigest()
    offsets = list(range(0, len(data), step))
    order.shuffle(offsets)
    for at in offsets:
        digest.feed(at, data[at : at + step + 3])  # overlapping, some twice
    buffer = memoryview(bytearray(7))

    def read_into(view: memoryview, offset: int) -> int:
        piece = data[offset : offset + len(view)]
        view[: len(piece)] = piece
        return len(piece)

    while digest.advance(read_into, buffer, len(data)):
        pass
    assert digest.position == len(data)
    assert digest.hexdigest() == hashlib.md5(data).hexdigest()


async def test_files_and_their_progress(tmp_path):
    data = os.urandom(9 * MIB + 17)
    path = tmp_path / "large.bin"
    path.write_bytes(data)
    seen: list[int] = []
    assert await md5(path, progress=seen.append) == hashlib.md5(data).hexdigest()
    assert seen == [4 * MIB, 8 * MIB, len(data)]
    assert await multipart_etag(str(path), 4 * MIB) == reference_etag(data, 4 * MIB)
    source = await as_source(data)
    seen.clear()
    assert await multipart_etag(source, 4 * MIB, options=ScanOptions(progress=seen.append)) == reference_etag(
        data, 4 * MIB
    )
    assert seen == [4 * MIB, 8 * MIB, len(data)]


async def test_a_file_that_grows_is_not_digested(tmp_path):
    path = tmp_path / "grows.bin"
    path.write_bytes(bytes(5 * MIB))

    def grow(done: int) -> None:
        os.truncate(path, 5 * MIB + 4)

    with pytest.raises(SourceChanged):
        await md5(path, progress=grow)


async def test_many_files(tmp_path):
    expected = {}
    for number in range(200):
        data = os.urandom(number * 40) if number % 50 else os.urandom(5 * MIB)
        path = tmp_path / f"{number}.bin"
        path.write_bytes(data)
        expected[path] = hashlib.md5(data).hexdigest()
    assert {path: digest async for path, digest in md5_many(expected)} == expected

    async def one_by_one():
        for path in expected:
            yield path

    assert {path: digest async for path, digest in md5_many(one_by_one())} == expected
    assert [item async for item in md5_many([])] == []


async def test_files_that_cannot_be_read(tmp_path):
    good = tmp_path / "good"
    good.write_bytes(b"x")
    os.mkfifo(tmp_path / "pipe")
    paths = [tmp_path / "gone", good, tmp_path, tmp_path / "pipe"]
    errors: list[tuple[Path, Exception]] = []
    found = [path async for path, _ in md5_many(paths, on_error=lambda path, error: errors.append((path, error)))]
    assert found == [good]
    assert [path for path, _ in errors] == [tmp_path / "gone", tmp_path, tmp_path / "pipe"]
    with pytest.raises(FileNotFoundError):
        [path async for path, _ in md5_many(paths)]


async def test_many_files_left_early(tmp_path):
    for number in range(300):
        (tmp_path / str(number)).write_bytes(bytes(30_000))
    many = md5_many(sorted(tmp_path.iterdir()))
    await anext(many)
    await many.aclose()


async def test_the_cache_answers(tmp_path):
    path = tmp_path / "a.bin"
    path.write_bytes(b"one" * 100_000)
    aged(path)
    cache = DigestCache(tmp_path / "state" / "digests.jsonl")
    first = await md5(path, cache=cache)
    assert len(cache) == 1
    before = path.stat()
    path.write_bytes(b"two" * 100_000)
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert await md5(path, cache=cache) == first  # nothing tells the two states apart: this is what a cache is
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns + 1))
    assert await md5(path, cache=cache) != first
    assert await multipart_etag(path, MIB, cache=cache) == await multipart_etag(path, MIB, cache=cache)


def identity(number: int, mtime_ns: int = 0) -> Identity:
    return Identity(1, number, 10, mtime_ns)


def test_young_files_are_not_remembered():
    cache = DigestCache()
    now = 10**19
    assert not cache.put(identity(1, now - 1_999_999_999), "md5", EMPTY_MD5, now_ns=now)
    assert not cache.put(identity(1, now + 5), "md5", EMPTY_MD5, now_ns=now)
    assert cache.put(identity(1, now - 2_000_000_000), "md5", EMPTY_MD5, now_ns=now)
    assert len(cache) == 1


def test_the_least_recently_used_goes_first():
    cache = DigestCache(max_entries=3)
    for number in range(3):
        cache.put(identity(number), "md5", EMPTY_MD5)
    cache.get(identity(0), "md5")
    cache.put(identity(3), "md5", EMPTY_MD5)
    assert [cache.get(identity(number), "md5") is not None for number in range(4)] == [True, False, True, True]


def test_the_cache_survives_torn_lines(tmp_path):
    file = tmp_path / "new" / "digests.jsonl"
    cache = DigestCache(file)
    assert cache.load() == 0
    for number in range(5):
        cache.put(identity(number), "md5", EMPTY_MD5)
    cache.put(identity(2), "etag:5:md5", "")
    cache.save()
    assert file.stat().st_mode & 0o777 == 0o600
    data = file.read_bytes()
    noise = [
        b"[1,2]\n",
        b"{}\n",
        b"\xff\n",
        b'[1,2,3,4,"md5","no hex"]\n',
        b'[1,2,3,true,"md5",""]\n',
        b"[1,2,3,4,5,6]\n",
    ]
    file.write_bytes(b"".join(noise) + data)
    assert DigestCache(file).load() == 6
    for cut in range(len(data)):
        file.write_bytes(data[:cut])
        again = DigestCache(file)
        assert again.load() in (data[:cut].count(b"\n"), data[:cut].count(b"\n") + 1)


def test_saving_keeps_what_others_wrote(tmp_path):
    file = tmp_path / "digests.jsonl"
    one, two = DigestCache(file), DigestCache(file)
    one.put(identity(1), "md5", EMPTY_MD5)
    two.put(identity(2), "md5", EMPTY_MD5)
    one.save()
    two.save()
    two.save()  # nothing new: nothing is written
    third = DigestCache(file)
    assert third.load() == 2
    DigestCache().save()
    assert DigestCache().load() == 0
    assert sorted(path.name for path in tmp_path.iterdir()) == ["digests.jsonl"]
