"""What goes out: bodies that count their bytes and digest the whole as it passes."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator

from asyncclient._messages import Body
from asyncclient._transfers.digest import OrderedDigest, PartDigest, RunningDigest
from asyncclient._transfers.hops import run_hop
from asyncclient._transfers.progress import Meter
from asyncclient._transfers.source import PartBody, ScanOptions, Source
from asyncclient._transfers.windows import INLINE_BYTES

__all__ = ["SentBody", "TailBody", "WholeDigest"]


class WholeDigest:
    """The md5 of a whole source whose parts are sent, each perhaps more than once.

    Parts that pass in order cost one more md5 in the thread pool; what passed out of order, or was sent by an earlier
    run, is read again at the end.
    """

    def __init__(self, source: Source) -> None:
        self._source = source
        self._digest = OrderedDigest()

    async def feed(self, offset: int, piece: bytes) -> None:
        """Take a piece that passes."""
        if not offset <= self._digest.position < offset + len(piece):
            return
        if len(piece) < INLINE_BYTES:
            self._digest.feed(offset, piece)
        else:
            await run_hop(self._digest.feed, offset, piece)

    async def finish(self, options: ScanOptions | None = None) -> str | None:
        """Read what is missing and return the md5; None if it cannot be read any more."""
        source, at = self._source, self._digest.position
        if source.size is not None and source.replayable and at < source.size:
            await source.scan(_Onward(self._digest), at, source.size - at, options=options or ScanOptions())
            await source.check()
        return self._digest.hexdigest() if source.size in (None, self._digest.position) else None


class _Onward:
    """Feeds a digest from where it stands."""

    def __init__(self, digest: OrderedDigest) -> None:
        self._digest = digest

    def update(self, data: bytes | memoryview, /) -> None:
        self._digest.feed(self._digest.position, data)


class SentBody:
    """A part's body that counts what goes out.

    Args:
        body: The part.
        meter: Counts; the bytes of an attempt are taken back when the next one begins.
        offset: Of the part within the whole.
        whole: Takes the bytes as they pass, or None.
        proof: The crc32 of the part is wanted, for the journal; the body need not have a digest then.
    """

    def __init__(
        self, body: PartBody, meter: Meter, offset: int = 0, whole: WholeDigest | None = None, *, proof: bool = False
    ) -> None:
        self.length = body.length
        self.replayable = body.replayable
        self._body = body
        self._meter = meter
        self._offset = offset
        self._whole = whole
        self._proof = proof
        self._found: PartDigest | None = None
        self._sent = 0

    @property
    def digest(self) -> PartDigest | None:
        """Of the last pass that reached the end; None before."""
        return self._found if self._proof else self._body.digest

    def take_back(self) -> None:
        """Forget the bytes of an attempt that was given up."""
        self._meter.move(-self._sent)
        self._sent = 0

    async def open(self) -> AsyncGenerator[bytes, None]:
        """Begin an attempt."""
        self.take_back()
        pieces = self._body.open()
        at = self._offset
        running = RunningDigest(md5=False, crc32=True) if self._proof else None
        try:
            async for piece in pieces:
                if self._whole is not None:
                    await self._whole.feed(at, piece)
                if running is not None:
                    running.update(piece)
                    if running.size == self.length:  # before it goes out: nobody need ask for more
                        self._found = running.part()
                at += len(piece)
                self._sent += len(piece)
                self._meter.move(len(piece))
                yield piece
        finally:
            await _close(pieces)


class TailBody:
    """What is left of a part that can only be read from its beginning.

    Args:
        body: The part.
        skip: Bytes to leave out.
    """

    replayable = True
    digest: PartDigest | None = None

    def __init__(self, body: Body, skip: int) -> None:
        assert body.length is not None
        self.length = body.length - skip
        self._body = body
        self._skip = skip

    async def open(self) -> AsyncGenerator[bytes, None]:
        """Begin an attempt."""
        skip = self._skip
        pieces = self._body.open()
        try:
            async for piece in pieces:
                if skip < len(piece):
                    yield piece[skip:]
                skip = max(0, skip - len(piece))
        finally:
            await _close(pieces)


async def _close(pieces: AsyncIterator[bytes]) -> None:
    aclose = getattr(pieces, "aclose", None)
    if aclose is not None:
        await aclose()
