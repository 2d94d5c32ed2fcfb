"""The samples are what they say they are: right sizes, right forms, different bytes."""

from __future__ import annotations

import hashlib
import random
import re
import struct
import zlib
from pathlib import Path

import pytest

from asyncclient.cli._demo_amounts import AMOUNTS
from asyncclient.cli._samples import EMPTY_NAME, jpeg, pdf, plan, png, text, write_samples

BARE_JPEG = len(jpeg(0, random.Random(0)))
# Where one comment segment is full and the rest is too short for another, or just long enough.
SIZES = [700, 1024, 65_536, *(BARE_JPEG + 65_537 + rest for rest in range(6)), 300_001]


@pytest.fixture
def noise() -> random.Random:
    return random.Random(1)


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("make", [jpeg, png, pdf, text])
def test_sizes_are_exact(make, size: int, noise: random.Random) -> None:
    assert len(make(size, noise)) == size


@pytest.mark.parametrize("size", SIZES)
def test_jpeg_is_a_chain_of_segments(size: int, noise: random.Random) -> None:
    data = jpeg(size, noise)
    assert data[:2] == b"\xff\xd8"
    at, markers = 2, []
    while True:
        assert data[at] == 0xFF
        markers.append(data[at + 1])
        length = int.from_bytes(data[at + 2 : at + 4], "big")
        at += 2 + length
        if markers[-1] == 0xDA:
            break
    assert [marker for marker in markers if marker != 0xFE] == [0xDB, 0xC0, 0xC4, 0xC4, 0xDA]
    assert data[at:] == b"\x3f\xff\xd9"  # one byte of scan, end of image


def test_png_chunks_have_right_checksums(noise: random.Random) -> None:
    data = png(5000, noise)
    at, kinds, pixels = 8, [], b""
    while at < len(data):
        (length,) = struct.unpack_from(">I", data, at)
        kind, body = data[at + 4 : at + 8], data[at + 8 : at + 8 + length]
        assert struct.unpack_from(">I", data, at + 8 + length) == (zlib.crc32(kind + body),)
        kinds.append(kind)
        if kind == b"IDAT":
            pixels = zlib.decompress(body)
        at += 12 + length
    assert kinds == [b"IHDR", b"paDd", b"IDAT", b"IEND"]
    assert pixels == b"\x00\x80"  # filter type, one grey pixel


def test_pdf_offsets_lead_to_their_objects(noise: random.Random) -> None:
    data = pdf(5000, noise)
    table = int(data.rsplit(b"startxref\n", 1)[1].split()[0])
    assert data[table:].startswith(b"xref\n0 5\n0000000000 65535 f \n")
    offsets = [int(found) for found in re.findall(rb"(\d{10}) 00000 n \n", data[table:])]
    assert [data[offset : offset + 7] for offset in offsets] == [b"%d 0 obj" % number for number in range(1, 5)]
    stream = data[offsets[3] : table]
    length = int(re.search(rb"/Length (\d+)", stream)[1])  # type: ignore[index]  # it is there, or the test fails
    assert stream.partition(b"stream\n")[2][length:] == b"\nendstream\nendobj\n"


@pytest.mark.parametrize("size", AMOUNTS)
def test_the_plan_covers_what_the_demo_promises(size: str) -> None:
    sizes = dict(plan(AMOUNTS[size].documents))
    assert sizes.pop(EMPTY_NAME) == 0
    assert min(sizes.values()) == 1024
    assert {Path(name).suffix for name in sizes} == {".jpg", ".png", ".pdf", ".txt"}
    assert any(not name.isascii() for name in sizes)
    assert len(sizes) == sum(count for _, count in AMOUNTS[size].documents) + 1 + (size != "small")
    if size != "small":
        assert max(sizes.values()) == 20 * 1024 * 1024


def test_samples_are_written_and_differ(tmp_path: Path) -> None:
    documents = AMOUNTS["small"].documents
    write_samples(tmp_path, documents)
    expected = dict(plan(documents))
    assert {path.name: path.stat().st_size for path in tmp_path.iterdir()} == expected
    digests = {hashlib.sha256(path.read_bytes()).digest() for path in tmp_path.iterdir()}
    assert len(digests) == len(expected)
