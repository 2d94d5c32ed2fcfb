"""A download in ranges, several at a time, into a file that takes them in any order.

A part is recorded when its bytes are written. Where the md5 of the whole is known in advance, that is what proves the
content, and it is computed alongside, in order, by a cursor that follows the parts; parts then have no digest of their
own, as two md5s per byte would make the digest the bottleneck. Otherwise each part is recorded with its md5, and proves
itself when it is taken over by a later run.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import NamedTuple

from asyncclient._budget import Reservation
from asyncclient._transfers.digest import RunningDigest
from asyncclient._transfers.part_file import PartFile
from asyncclient._transfers.plan import Part, Plan
from asyncclient._transfers.ranges import Span
from asyncclient._transfers.records import Lost, PartDone
from asyncclient._transfers.remote import Piece, RemoteFile
from asyncclient._transfers.replay import FileState
from asyncclient._transfers.run import Run
from asyncclient._transfers.sink import SinkWriter
from asyncclient._transfers.target import RemoteInfo
from asyncclient._transfers.wire import Retries, StallWatch, run_crew
from asyncclient.errors import APIError, IntegrityError, ReadError, RemoteProtocolError, TransportError

__all__ = ["First", "PartsDownload"]

_MAX_CORRUPTED = 3


class First(NamedTuple):
    """The answer that a download began with; it holds a slot, so its memory was reserved before.

    Attributes:
        piece: Begins at byte 0.
        memory: Of whoever goes on with it.
    """

    piece: Piece
    memory: Reservation


class PartsDownload:
    """Fetches the missing parts of a file.

    Args:
        run: The transfer.
        remote: Where from.
        sink: Where to.
        plan: How the file is cut.
    """

    def __init__(self, run: Run, remote: RemoteFile, sink: PartFile, plan: Plan) -> None:
        self._run = run
        self._remote = remote
        self._done: dict[int, str | None] = {}
        self._confirmed = 0
        self._prefix = 0
        self._moved = asyncio.Event()
        self._whole = False
        self._expected: RemoteInfo = RemoteInfo()
        self.sink = sink
        self.plan = plan

    def expect(self, info: RemoteInfo, *, whole: bool) -> None:
        """Say what is known of the content, and whether the md5 of the whole is wanted."""
        self._expected = info
        self._whole = whole

    @property
    def complete(self) -> bool:
        """Whether no part is missing."""
        return len(self._done) == len(self.plan.parts)

    def md5s(self) -> list[str | None]:
        """Return the digests of the parts, in order."""
        return [self._done.get(part.index) for part in self.plan.parts]

    async def take_over(self, earlier: FileState, found_bytes: int) -> None:
        """Trust the parts of an earlier run as far as they prove themselves.

        Args:
            earlier: What was recorded.
            found_bytes: Length of the part file it left; what lies beyond was never written, whatever was recorded.
        """
        verify = self._run.options.verify
        lost = []
        for index, record in sorted(earlier.parts.items()):
            part = self.plan.parts[index] if index < len(self.plan.parts) else None
            if part is None or (record.offset, record.length) != (part.offset, part.length) or part.stop > found_bytes:
                lost.append(index)
                continue
            doubtful = verify == "all" or (verify == "tail" and index not in earlier.proven)
            if record.md5 is None and not self._whole:
                lost.append(index)  # neither the part nor the whole can be proven
            elif doubtful and record.md5 is not None and await self._md5_on_disk(part) != record.md5:
                lost.append(index)
            else:
                self._accept(part, record.md5)
        if lost:
            await self._run.record(Lost(0, lost))
        self._run.resumed_bytes = self._confirmed
        self._run.meter.begin_at(self._confirmed)

    async def _md5_on_disk(self, part: Part) -> str:
        return await self.sink.md5_of(part.offset, part.length)

    async def find_bad(self) -> list[int]:
        """Read all parts again that have a digest; those that differ are to be fetched again."""
        bad = []
        for part in self.plan.parts:
            recorded = self._done.get(part.index)
            if recorded is not None and await self._md5_on_disk(part) != recorded:
                bad.append(part.index)
        for index in bad:
            self._forget(index)
        return bad

    def _forget(self, index: int) -> None:
        if index in self._done:
            del self._done[index]
            self._confirmed -= self.plan.parts[index].length
            self._prefix = min(self._prefix, index)

    def forget_all(self) -> None:
        """Fetch everything again."""
        for part in self.plan.parts:
            self._forget(part.index)

    def _accept(self, part: Part, md5: str | None) -> None:
        self._done[part.index] = md5
        self._confirmed += part.length
        while self._prefix in self._done:
            self._prefix += 1
        self._moved.set()

    async def fetch(self, first: First | None) -> None:
        """Fetch what is missing; ``first`` is an answer that begins at byte 0, or None."""
        missing = iter([part for part in self.plan.parts if part.index not in self._done])
        left = len(self.plan.parts) - len(self._done)
        count = min(self._run.options.parallel, left)
        workers = [self._work(missing, first if number == 0 else None) for number in range(count)]
        if self._whole:
            workers.append(self._digest_along())
        await run_crew(*workers)

    async def _work(self, missing: Iterator[Part], first: First | None) -> None:
        if first is not None:
            piece: Piece | None = first.piece
            with first.memory:  # given back with the end of this worker: others may wait for it
                for part in missing:
                    await self._fetch_part(part, piece)
                    piece = None
            return
        for part in missing:
            with await self._run.reserve(part.length):
                await self._fetch_part(part, None)

    async def _digest_along(self) -> None:
        """Digest the whole in order, behind the workers, from the page cache."""
        parts = self.plan.parts
        while True:
            self._moved.clear()
            at = self._prefix
            if at:
                await self.sink.digest_to(parts[at - 1].stop)
            if at == len(parts):
                return
            if self._prefix == at:
                await self._moved.wait()

    async def _fetch_part(self, part: Part, first: Piece | None) -> None:
        expected = self._expected.part_md5s
        own = expected[part.index] if part.index < len(expected) else None
        md5: str | None = None
        for _ in range(_MAX_CORRUPTED):
            digest = RunningDigest() if own or not self._whole or self._run.options.verify == "all" else None
            await self._fetch_bytes(part, digest, first)
            first = None
            md5 = digest.part().md5 if digest is not None else None
            if own is None or md5 == own:
                break
            self._run.meter.move(-part.length)
        else:
            raise IntegrityError(
                f"part {part.index + 1}", expected=f"md5 {own}", actual=f"md5 {md5}", transfer_id=self._run.id
            )
        # Written, then recorded: a record never claims what is not there.
        record = PartDone(0, part.index, part.offset, part.length, md5)
        await self._run.record(record, barrier=self.sink.barrier())
        self._accept(part, md5)
        self._run.meter.confirm(self._confirmed)

    async def _fetch_bytes(self, part: Part, digest: RunningDigest | None, first: Piece | None) -> None:
        at = part.offset
        retries = Retries(self._run.wire.get)
        piece = first
        while at < part.stop:
            before = at
            writer = SinkWriter(self.sink, at, digest)
            try:
                if piece is None:
                    piece = await self._remote.open(Span(at, part.stop))
                at = await self._copy(piece, writer, at, part.stop)
            except (TransportError, APIError) as error:
                at = before + writer.written
                if at > before:
                    retries.progressed()
                await retries.wait(error)
            finally:
                await writer.aclose()
            piece = None

    async def _copy(self, piece: Piece, writer: SinkWriter, at: int, stop: int) -> int:
        """Write what an answer holds of ``[at, stop)``; returns where the next byte belongs."""
        assert piece.answer is not None
        assert piece.stop is not None
        end = min(piece.stop, stop)
        watch = StallWatch(piece.answer, self._run.options.stall)
        async with piece.answer:
            try:
                while data := await watch.read():
                    if at + len(data) > piece.stop:
                        raise RemoteProtocolError("more bytes arrived than were announced")
                    data = data[: end - at]
                    if data:
                        await writer.feed(data)
                        at += len(data)
                        self._run.meter.move(len(data))
                    if at == end and end < piece.stop:
                        break  # the rest belongs to another part
                if at < end:
                    raise ReadError(f"the range ended {end - at} bytes too early")
            except TransportError:
                await writer.flush()
                raise
            await writer.flush()
        return at
