"""Sample files for the demo: small valid JPEG, PNG, PDF and text files, padded to a size. Pure, but for writing them.

Every format has a place for bytes that readers skip: comment segments in JPEG (ITU-T T.81, B.2.4.5), ancillary chunks
in PNG (PNG specification, section 4.7), an unused stream object in PDF.
"""

from __future__ import annotations

import random
import zlib
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Final

__all__ = ["EMPTY_NAME", "jpeg", "pdf", "plan", "png", "png_chunk", "text", "write_samples"]

EMPTY_NAME: Final = "empty.txt"
_KIB: Final = 1024
_MIB: Final = 1024 * 1024
_UNICODE_NAME: Final = "Übersicht 測量 №7.pdf"
_LARGEST: Final = 20 * _MIB

# 8 x 8 grey pixels, baseline: all coefficients are zero, so one-bit Huffman codes for "0" and "end of block" suffice.
_JPEG_HEAD: Final = b"\xff\xd8"
_JPEG_TAIL: Final = (
    b"\xff\xdb\x00\x43\x00" + b"\x01" * 64  # quantization table
    + b"\xff\xc0\x00\x0b\x08\x00\x08\x00\x08\x01\x01\x11\x00"  # frame: 8 bits, 8 x 8, one component
    + b"\xff\xc4\x00\x14\x00\x01" + b"\x00" * 15 + b"\x00"  # Huffman table, DC
    + b"\xff\xc4\x00\x14\x10\x01" + b"\x00" * 15 + b"\x00"  # Huffman table, AC
    + b"\xff\xda\x00\x08\x01\x01\x00\x00\x3f\x00\x3f\xff\xd9"  # scan, end of image
)  # fmt: skip
_SEGMENT: Final = 65_535 + 2  # longest segment with its marker


def jpeg(size_bytes: int, noise: random.Random) -> bytes:
    """Make a JPEG image of a size."""
    left = size_bytes - len(_JPEG_HEAD) - len(_JPEG_TAIL)
    parts = [_JPEG_HEAD]
    while left >= 4:
        length = min(left, _SEGMENT)
        if 0 < left - length < 4:  # too little for another segment: leave it more
            length -= 4
        parts.append(b"\xff\xfe" + (length - 2).to_bytes(2, "big") + noise.randbytes(length - 4))
        left -= length
    return b"".join([*parts, _JPEG_TAIL])


def png(size_bytes: int, noise: random.Random) -> bytes:
    """Make a PNG image of a size: one grey pixel."""
    header = (1).to_bytes(4, "big") * 2 + b"\x08\x00\x00\x00\x00"
    before = b"\x89PNG\r\n\x1a\n" + png_chunk(b"IHDR", header)
    after = png_chunk(b"IDAT", zlib.compress(b"\x00\x80")) + png_chunk(b"IEND", b"")
    padding = max(0, size_bytes - len(before) - len(after) - 12)
    return before + png_chunk(b"paDd", noise.randbytes(padding)) + after


def png_chunk(kind: bytes, data: bytes) -> bytes:
    """Make one chunk of a PNG file."""
    return len(data).to_bytes(4, "big") + kind + data + zlib.crc32(kind + data).to_bytes(4, "big")


def pdf(size_bytes: int, noise: random.Random) -> bytes:
    """Make a PDF document of a size: one empty page."""
    bare = len(_pdf(b""))
    return _pdf(noise.randbytes(max(0, size_bytes - bare)))


def _pdf(padding: bytes) -> bytes:
    # The length and the offsets have ten digits, so that they do not change the size.
    objects = [
        b"<</Type/Catalog/Pages 2 0 R>>",
        b"<</Type/Pages/Kids[3 0 R]/Count 1>>",
        b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]/Resources<<>>>>",
        b"<</Length %010d>>stream\n" % len(padding) + padding + b"\nendstream",
    ]
    written = b"%PDF-1.4\n"
    offsets = []
    for number, body in enumerate(objects, 1):
        offsets.append(len(written))
        written += b"%d 0 obj" % number + body + b"\nendobj\n"
    table = b"".join(b"%010d 00000 n \n" % offset for offset in offsets)
    trailer = b"trailer<</Size 5/Root 1 0 R>>\nstartxref\n%010d\n%%%%EOF\n" % len(written)
    return written + b"xref\n0 5\n0000000000 65535 f \n" + table + trailer


def text(size_bytes: int, noise: random.Random) -> bytes:
    """Make a text of a size, in lines of 64 characters."""
    lines = b"".join(b"%063x\n" % noise.getrandbits(252) for _ in range(size_bytes // 64 + 1))
    return lines[:size_bytes]


_MAKERS: Final[dict[str, Callable[[int, random.Random], bytes]]] = {
    ".jpg": jpeg,
    ".png": png,
    ".pdf": pdf,
    ".txt": text,
}


def plan(documents: Sequence[tuple[int, int]]) -> Iterator[tuple[str, int]]:
    """Yield name and size in bytes of each sample.

    Args:
        documents: Sizes in bytes, and how many of each; a large one is added if one of them has 1 MiB or more. One with
            a name beyond ASCII and an empty one are added in any case.
    """
    number, suffixes = 0, list(_MAKERS)
    for size_bytes, count in documents:
        for _ in range(count):
            yield f"sample-{number:04}{suffixes[number % len(suffixes)]}", size_bytes + 37 * number
            number += 1
    yield _UNICODE_NAME, 100 * _KIB
    if max(size_bytes for size_bytes, _ in documents) >= _MIB:
        yield "large.pdf", _LARGEST
    yield EMPTY_NAME, 0


def write_samples(folder: Path, documents: Sequence[tuple[int, int]], check: Callable[[], None] = lambda: None) -> None:
    """Write the sample files into a folder; the same bytes at every run.

    Args:
        folder: Where.
        documents: As for :func:`plan`.
        check: Called before each file; what it raises ends this.
    """
    noise = random.Random(20)  # noqa: S311 - padding, not a secret
    for name, size_bytes in plan(documents):
        check()
        (folder / name).write_bytes(_MAKERS[Path(name).suffix](size_bytes, noise) if size_bytes else b"")
