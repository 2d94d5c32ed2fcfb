"""Digests and etags of what moves: arithmetic and running state, no I/O, no loop.

md5 serves as a checksum here, never as protection, hence ``usedforsecurity=False``: without it hosts in FIPS mode refuse.
"""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal, Protocol

from asyncclient._transfers.checksum import crc32
from asyncclient._transfers.plan import MIB

if TYPE_CHECKING:
    from hashlib import _Hash

__all__ = [
    "EMPTY_MD5",
    "OrderedDigest",
    "PartDigest",
    "RunningDigest",
    "SinglePart",
    "Updatable",
    "candidate_part_sizes",
    "infer_part_size",
    "join_etag",
    "new_md5",
]

EMPTY_MD5: Final = "d41d8cd98f00b204e9800998ecf8427e"

SinglePart = Literal["etag", "md5"]
"""What a file of at most one part has as etag: ``etag`` as S3 (``...-1``), ``md5`` as Sticky Pi (plain md5)."""

# Part sizes of common tools: S3 minimum, AWS CLI, others; in MiB.
_KNOWN_PARTS_MIB: Final = (8, 5, 10, 15, 16, 25, 32, 50, 64, 100)


class Updatable(Protocol):
    """Takes bytes in order, in whatever thread reads them."""

    def update(self, data: bytes | memoryview, /) -> None:
        """Take the next bytes."""
        ...


def new_md5() -> _Hash:
    """Begin an md5 that also works on FIPS hosts."""
    return hashlib.md5(usedforsecurity=False)


@dataclass(frozen=True, slots=True)
class PartDigest:
    """What one part adds up to.

    Attributes:
        length: Bytes.
        md5: Lower-case hexadecimal, or None if it was not asked for.
        crc32: As an unsigned number (the polynomial of gzip), or None if it was not asked for.
    """

    length: int
    md5: str | None
    crc32: int | None = None


class RunningDigest:
    """Digests of bytes that pass in order: of the whole, and of the part under way.

    Args:
        md5: Whether to keep the md5 of the part under way.
        whole: Whether to keep an md5 over everything; it costs a second pass over the same window.
        crc32: Whether to keep the crc32 of the part under way; it costs about a seventh of an md5.
    """

    __slots__ = ("_crc", "_part", "_part_length", "_whole", "part_md5s", "size")

    def __init__(self, *, md5: bool = True, whole: bool = False, crc32: bool = False) -> None:
        self._whole = new_md5() if whole else None
        self._part = new_md5() if md5 else None
        self._part_length = 0
        self._crc: int | None = 0 if crc32 else None
        self.size = 0
        self.part_md5s: list[bytes] = []

    def update(self, data: bytes | memoryview, /) -> None:
        """Take the next bytes."""
        if self._part is not None:
            self._part.update(data)
        if self._whole is not None:
            self._whole.update(data)
        if self._crc is not None:
            self._crc = crc32(data, self._crc)
        self._part_length += len(data)
        self.size += len(data)

    def end_part(self) -> PartDigest:
        """Finish the part under way and begin the next."""
        found = self.part()
        if self._part is not None:
            self.part_md5s.append(self._part.digest())
            self._part = new_md5()
        self._part_length = 0
        if self._crc is not None:
            self._crc = 0
        return found

    def part(self) -> PartDigest:
        """Return the digest of the part so far."""
        return PartDigest(self._part_length, None if self._part is None else self._part.hexdigest(), self._crc)

    def md5(self) -> str:
        """Return the md5 of everything so far."""
        if self._whole is None:
            if self.part_md5s or self._part is None:
                raise ValueError("the whole was not asked for")
            return self._part.hexdigest()
        return self._whole.hexdigest()


class PartCutter:
    """Cuts what passes into parts of equal size and keeps their binary md5s; for etags of parts."""

    __slots__ = ("_part_size", "_room", "_running")

    def __init__(self, part_size: int) -> None:
        if part_size < 1:
            raise ValueError(f"part_size must be at least 1, not {part_size}")
        self._part_size = part_size
        self._room = part_size
        self._running = RunningDigest()

    def update(self, data: bytes | memoryview, /) -> None:
        """Take the next bytes, whatever number of parts they touch."""
        view = memoryview(data)
        while view:
            if not self._room:
                self._running.end_part()
                self._room = self._part_size
            piece = view[: self._room]
            self._running.update(piece)
            self._room -= len(piece)
            view = view[len(piece) :]

    def etag(self, single_part: SinglePart) -> str:
        """Return the etag of all that passed; call once."""
        if self._room < self._part_size:
            self._running.end_part()
        return join_etag(self._running.part_md5s, single_part=single_part)


class OrderedDigest:
    """The md5 of a file whose pieces pass in any order, from any thread.

    It takes a piece that continues where it stands and leaves the others; what was left is read again from the file
    with :meth:`advance`. Parts that arrive in order therefore cost no second read.
    """

    __slots__ = ("_lock", "_md5", "position")

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._md5 = new_md5()
        self.position = 0

    def feed(self, offset: int, data: bytes | memoryview) -> bool:
        """Take a piece if it holds the next byte; returns whether it was taken, wholly or from within."""
        # Read without the lock: a stale position only means that the piece is read again later.
        if not offset <= self.position < offset + len(data):
            return False
        with self._lock:
            at = self.position - offset
            if not 0 <= at < len(data):
                return False
            self._md5.update(memoryview(data)[at:])
            self.position = offset + len(data)
        return True

    def advance(self, read_into: Callable[[memoryview, int], int], buffer: memoryview, stop: int) -> int:
        """Read one buffer on from the position, not beyond ``stop``; returns the bytes taken, 0 at the end."""
        with self._lock:
            view = buffer[: max(0, min(len(buffer), stop - self.position))]
            count = read_into(view, self.position) if view else 0
            self._md5.update(view[:count])
            self.position += count
        return count

    def hexdigest(self) -> str:
        """Return the md5 of bytes ``[0, position)``."""
        with self._lock:
            return self._md5.hexdigest()


def join_etag(part_md5s: Sequence[bytes], *, single_part: SinglePart = "etag") -> str:
    """Return the etag of an object that was uploaded in parts.

    Args:
        part_md5s: Binary md5s of the parts in order; none for an empty file.
        single_part: ``etag`` for S3's own form: ``md5(md5)-1`` for one part, and for an empty file the md5 of nothing,
            as an empty object is never uploaded in parts. ``md5`` for Sticky Pi's: the plain md5 for one part, ``""``
            for an empty file.
    """
    if not part_md5s:
        return EMPTY_MD5 if single_part == "etag" else ""
    if len(part_md5s) == 1 and single_part == "md5":
        return part_md5s[0].hex()
    joined = new_md5()
    joined.update(b"".join(part_md5s))
    return f"{joined.hexdigest()}-{len(part_md5s)}"


def infer_part_size(size: int, etag: str) -> int | None:
    """Return the likeliest part size behind an S3 etag; None if the etag is not of parts or no usual size fits."""
    candidates = candidate_part_sizes(size, etag)
    return candidates[0] if candidates else None


def candidate_part_sizes(size: int, etag: str) -> list[int]:
    """Return all usual part sizes that give the number of parts an etag names, likeliest first.

    8 MiB leads, as the default of the AWS tools and of this package; then the sizes of other tools in ascending order,
    then the smallest whole MiB that fits.
    """
    _, dash, number = etag.strip('"').rpartition("-")
    if not dash or not number.isdecimal() or not 1 <= int(number) <= 10_000 or size < 1:
        return []
    count = int(number)
    share = -(-size // count)
    even = -(-share // MIB) * MIB
    sizes = dict.fromkeys([*(known * MIB for known in _KNOWN_PARTS_MIB), even])
    return [part for part in sizes if -(-size // part) == count]
