"""Puts an answer into a part file block by block: one is written while the next is received."""

from __future__ import annotations

from types import TracebackType
from typing import NamedTuple, Self

from asyncclient._transfers.blocks import give_block, take_block
from asyncclient._transfers.digest import Updatable
from asyncclient._transfers.digest_ahead import DigestAhead
from asyncclient._transfers.hops import Hop
from asyncclient._transfers.part_file import PartFile

__all__ = ["BlockWriter"]


class _Writing(NamedTuple):
    """A block on its way to the disk."""

    hop: Hop[None]
    offset: int
    block: memoryview
    length: int


class BlockWriter:
    """Writes bytes that are received in order, beginning at an offset.

    ::

        async with BlockWriter(sink, offset) as writer:
            while count := await answer.read_into(writer.room(most)):
                await writer.advance(count)
            await writer.flush()

    Args:
        sink: Where to.
        offset: Of the first byte.
        digest: Updated in order with all that is written, in the thread that writes.
        ahead: Takes the blocks that are written, for the md5 of the whole; or None.

    Attributes:
        written: Bytes whose writing has ended.

    Leaving the block drops what is not under way and waits for what is.
    """

    def __init__(
        self, sink: PartFile, offset: int, digest: Updatable | None = None, ahead: DigestAhead | None = None
    ) -> None:
        self._sink = sink
        self._offset = offset
        self._digest = digest
        self._ahead = ahead
        self._block: memoryview | None = None
        self._filled = 0
        self._writing: _Writing | None = None
        self.written = 0

    def room(self, most: int) -> memoryview:
        """Return where the next bytes go, at most so many and at least one."""
        if self._block is None:
            self._block = take_block()
        return self._block[self._filled : self._filled + most]

    async def advance(self, count: int) -> None:
        """Take note of bytes that were put there; waits only when two blocks are full.

        Raises:
            OSError: An earlier block could not be written.
        """
        self._filled += count
        if self._block is not None and self._filled == len(self._block):
            await self._settle()
            self._start()

    async def flush(self) -> None:
        """Wait until everything is written."""
        await self._settle()
        if self._filled:
            self._start()
            await self._settle()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            if self._writing is not None:
                await self._writing.hop.settle()
        finally:
            blocks = [self._block, self._writing and self._writing.block]
            self._block = self._writing = None
            for block in blocks:
                if block is not None:
                    give_block(block)

    def _start(self) -> None:
        block = self._block
        assert block is not None
        hop = self._sink.begin_write(self._offset, block[: self._filled], self._digest)
        self._writing = _Writing(hop, self._offset, block, self._filled)
        self._offset += self._filled
        self._block, self._filled = None, 0

    async def _settle(self) -> None:
        if self._writing is None:
            return
        await self._writing.hop.wait()
        _, offset, block, length = self._writing
        self._writing = None
        self.written += length
        if self._ahead is None or not self._ahead.offer(offset, block, length):
            give_block(block)
