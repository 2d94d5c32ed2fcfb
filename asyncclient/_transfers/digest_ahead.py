"""The md5 of a whole file, in order, while its parts arrive in any order.

What is written and comes next is digested from memory; what comes later waits for its turn, as long as there is memory to
spare, and is read again from the page cache otherwise. Digesting is one thread's work, and on a fast network the slowest
of all: then fewer parts are fetched at a time, so that what arrives is what comes next.
"""

from __future__ import annotations

import asyncio
from typing import Final, NamedTuple

from asyncclient._budget import ByteBudget, Reservation
from asyncclient._transfers.blocks import give_block
from asyncclient._transfers.part_file import PartFile
from asyncclient._transfers.windows import WINDOW_BYTES

__all__ = ["DigestAhead"]

# So much may wait for the digest; it bounds what a transfer takes of memory that others could use.
_HELD_BYTES: Final = 24 * WINDOW_BYTES
# With that much to do, the digest does not run dry before the next part comes.
_ENOUGH_BYTES: Final = 12 * WINDOW_BYTES
# With less than that, more parts at a time might feed it better.
_LITTLE_BYTES: Final = 2 * WINDOW_BYTES


class _Held(NamedTuple):
    """A block that was written and waits to be digested."""

    view: memoryview
    block: memoryview
    memory: Reservation


class DigestAhead:
    """Feeds the digest of a part file, and says how many parts are worth fetching at a time.

    Args:
        sink: The part file.
        budget: Of the hub; what is held is taken from it only where nobody waits for it.
        width: Most parts at a time.

    All but :meth:`run` is for the workers that fetch. :meth:`run` must run beside them: it lets them begin.
    """

    def __init__(self, sink: PartFile, budget: ByteBudget, width: int) -> None:
        self._sink = sink
        self._budget = budget
        self._most = self._width = width
        self._held: dict[int, _Held] = {}
        self._written = 0
        self._flying = 0
        self._moved = asyncio.Event()
        self._free = asyncio.Event()
        self._over = self._last = False
        self._loop = asyncio.get_running_loop()
        self._waiting = 0

    def offer(self, offset: int, block: memoryview, length: int) -> bool:
        """Hand over a block that is written; returns whether it was taken."""
        position = self._sink.digested
        self._tidy()
        if self._over or offset < position or offset in self._held or len(self._held) * WINDOW_BYTES >= _HELD_BYTES:
            return False
        memory = self._budget.reserve_nowait(WINDOW_BYTES)
        if memory is None:
            return False
        self._held[offset] = _Held(block[:length], block, memory)
        if offset == position:
            self._moved.set()
        return True

    def written_to(self, stop: int) -> None:
        """Say that everything before ``stop`` is in the file."""
        self._written = stop
        self._moved.set()

    def forget(self) -> None:
        """Drop what waits: the file begins anew."""
        self._drop(list(self._held))
        self._written = 0

    def end(self) -> None:
        """Say that nothing more will be written: :meth:`run` returns when it has digested what there is."""
        self._last = True
        self._moved.set()

    async def begin_part(self) -> None:
        """Wait until another part is worth fetching; to be followed by :meth:`end_part`."""
        while not self._over and (self._flying >= self._width or self._backlog > _ENOUGH_BYTES):
            self._free.clear()
            behind = self._flying < self._width
            self._waiting += behind
            try:
                await self._free.wait()
            finally:
                self._waiting -= behind
        self._flying += 1

    def end_part(self) -> None:
        """Take note that a part is over, and let the next begin."""
        self._flying -= 1
        if self._backlog > _ENOUGH_BYTES:
            self._width = max(1, self._width - 1)
        elif self._backlog < _LITTLE_BYTES:
            self._width = min(self._most, self._width + 1)
        self._free.set()

    @property
    def _backlog(self) -> int:
        return self._written - self._sink.digested

    async def run(self, stop: int) -> None:
        """Digest up to ``stop``; returns when that is reached, or cannot be, or has to be done again."""
        try:
            while self._sink.digested < stop and not self._sink.rewritten:
                self._moved.clear()
                if not await self._step():
                    if self._last:
                        break
                    await self._moved.wait()
                self._free.set()
        finally:
            self._over = True
            self._free.set()
            self._drop(list(self._held))

    async def _step(self) -> bool:
        """Digest what comes next, from memory or from the file; returns whether there was anything."""
        if self._sink.digested in self._held:
            await self._sink.digest_held(self._take)
        elif self._written > self._sink.digested:
            # Not beyond what is held: that need not be read.
            await self._sink.digest_to(min([self._written, *self._held]))
        else:
            return False
        self._tidy()
        return True

    def _take(self, offset: int) -> memoryview | None:
        """Return what is held at an offset; in the thread that digests, which goes on as long as there is something.

        To pass the event loop between two blocks would take as long as digesting a good part of one.
        """
        if self._waiting and self._backlog <= _ENOUGH_BYTES:
            self._loop.call_soon_threadsafe(self._free.set)
        held = self._held.get(offset)
        return None if held is None or self._over else held.view

    def _tidy(self) -> None:
        """Give back what is digested."""
        digested = self._sink.digested
        self._drop([offset for offset in self._held if offset < digested])

    def _drop(self, offsets: list[int]) -> None:
        for offset in offsets:
            held = self._held.pop(offset)
            held.memory.release()
            give_block(held.block)
