"""Compression of arrays: in blocks, in worker threads, at constant memory.

The blocks are compressed each by itself, several at a time, and joined to one gzip stream, as pigz does: every block
ends with a sync flush, hence at a byte. A stream of several gzip members would be as valid, but browsers read only the
first. Measured on one core, 16 MiB of float64 ramp / rounded coordinates / noise: isal level 1 takes 526 / 445 / 1178
MB/s to 0.50 / 0.62 / 1.00 of the size; zlib level 1 113 / 71 / 53 MB/s to 0.48 / 0.62 / 1.00.
"""

from __future__ import annotations

import struct
import tempfile
import zlib
from collections import deque
from dataclasses import dataclass
from typing import BinaryIO, Final

from asyncclient._transfers.hops import CPU, Hop, run_hop, settle

try:
    from isal import isal_zlib as fast
except ImportError:  # no wheel for this platform: the same stream, five to ten times slower
    import zlib as fast  # type: ignore[no-redef]  # the same interface

__all__ = ["KEPT_BYTES", "SMALL_BYTES", "Packed", "pack", "pack_small"]

SMALL_BYTES: Final = 64 * 1024
"""Up to here one call is cheap, and the best level counts: a byte decides whether it is smaller."""
KEPT_BYTES: Final = 4 * 1024 * 1024
"""What is longer when compressed lies in a temporary file."""

_BLOCK_BYTES: Final = 1024 * 1024
_LEVEL: Final = 1
# No name, no time: the same content always gives the same bytes. XFL 4: the fastest level; OS 255: unknown.
_HEAD: Final = b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x04\xff"
_LAST_BLOCK: Final = b"\x03\x00"
_GZIP: Final = 31
_RAW: Final = -15

# A sample of what is large tells whether it is worth while: reading it takes less than a hundredth of the time.
_PROBED_BYTES: Final = 4 * 1024 * 1024
_PROBES: Final = 8
_PROBE_BYTES: Final = 16 * 1024
_WORTH_WHILE: Final = 0.97


@dataclass(slots=True)
class Packed:
    """A compressed stream.

    Attributes:
        content: The bytes, or an open temporary file at its beginning.
        length: Its bytes.
    """

    content: bytes | BinaryIO
    length: int

    def close(self) -> None:
        """Delete the file, if there is one."""
        if not isinstance(self.content, bytes):
            self.content.close()


def pack_small(raw: memoryview) -> Packed | None:
    """Compress a little at once, as well as possible; None if that does not make it smaller."""
    found = zlib.compress(raw, 9, _GZIP)
    return Packed(found, len(found)) if len(found) < len(raw) else None


async def pack(raw: memoryview) -> Packed | None:
    """Compress in worker threads; None if that does not make it smaller.

    What is large and looks in a sample as if it hardly became smaller counts as such.
    """
    if len(raw) <= SMALL_BYTES:
        return await run_hop(pack_small, raw)
    if len(raw) >= _PROBED_BYTES and not await run_hop(_worth_while, raw):
        return None
    output = _Output(len(raw))
    running: deque[tuple[memoryview, Hop[bytes]]] = deque()
    at_once = CPU.most + 1
    try:
        for start in range(0, len(raw), _BLOCK_BYTES):
            block = raw[start : start + _BLOCK_BYTES]
            running.append((block, Hop(_deflate, block)))
            if len(running) >= at_once and not await _take(running, output):
                return None
        while running:
            if not await _take(running, output):
                return None
        return await run_hop(output.finish)
    except BaseException:
        output.close()
        raise
    finally:
        # Threads that still read the array are waited for: its owner may change it afterwards.
        await settle(*(hop for _, hop in running))


async def _take(running: deque[tuple[memoryview, Hop[bytes]]], output: _Output) -> bool:
    """Write the oldest block; returns whether the stream is still the smaller one."""
    block, hop = running[0]
    found = await hop.wait()
    running.popleft()
    return await run_hop(output.write, block, found)


def _deflate(block: memoryview) -> bytes:
    engine = fast.compressobj(_LEVEL, fast.DEFLATED, _RAW)
    return engine.compress(block) + engine.flush(fast.Z_SYNC_FLUSH)


def _worth_while(raw: memoryview) -> bool:
    step = (len(raw) - _PROBE_BYTES) // (_PROBES - 1)
    found = sum(len(_deflate(raw[at * step : at * step + _PROBE_BYTES])) for at in range(_PROBES))
    return found < _WORTH_WHILE * _PROBES * _PROBE_BYTES


class _Output:
    """Collects the blocks in order, in memory as long as there is little; used by one thread at a time.

    Args:
        limit: Bytes that the stream has to stay below.
    """

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._pieces: list[bytes] = [_HEAD]
        self._file: BinaryIO | None = None
        self._length = len(_HEAD)
        self._crc = 0
        self._size = 0

    def write(self, block: memoryview, found: bytes) -> bool:
        """Append a block; returns False, and forgets everything, once the stream is not the smaller one."""
        self._crc = fast.crc32(block, self._crc)
        self._size += len(block)
        self._append(found)
        if self._length < self._limit:
            return True
        self.close()
        return False

    def finish(self) -> Packed | None:
        """End the stream; None if it is not the smaller one."""
        self._append(_LAST_BLOCK + struct.pack("<LL", self._crc, self._size & 0xFFFFFFFF))
        if self._length >= self._limit:
            self.close()
            return None
        if self._file is None:
            return Packed(b"".join(self._pieces), self._length)
        self._file.seek(0)
        return Packed(self._file, self._length)

    def close(self) -> None:
        """Forget everything."""
        self._pieces = []
        if self._file is not None:
            self._file.close()

    def _append(self, data: bytes) -> None:
        self._length += len(data)
        if self._file is not None:
            self._file.write(data)
            return
        self._pieces.append(data)
        if self._length > KEPT_BYTES:
            self._file = tempfile.TemporaryFile(prefix="asyncclient-")  # noqa: SIM115  # closed with the stream
            self._file.writelines(self._pieces)
            self._pieces = []
