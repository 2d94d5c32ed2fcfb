"""A download in ranges, several at a time, into a file that takes them in any order.

A part is recorded when its bytes are written, with the crc32 of what was received, by which it proves itself when a later
run takes it over. Where the md5 of the whole is wanted, it is computed alongside, in order, by a cursor that follows the
parts. Parts have an md5 of their own only where the service names one for each, or an etag that is made of them.
"""

from __future__ import annotations

from collections import deque
from dataclasses import replace
from typing import NamedTuple

from asyncclient._budget import Reservation
from asyncclient._transfers.block_writer import BlockWriter
from asyncclient._transfers.digest import PartDigest, RunningDigest
from asyncclient._transfers.digest_ahead import DigestAhead
from asyncclient._transfers.part_file import PartFile
from asyncclient._transfers.plan import Part, Plan
from asyncclient._transfers.proof import proves, proving
from asyncclient._transfers.ranges import Span
from asyncclient._transfers.records import Lost, PartDone
from asyncclient._transfers.remote import Piece, RemoteFile
from asyncclient._transfers.replay import FileState
from asyncclient._transfers.run import Run
from asyncclient._transfers.target import RemoteInfo
from asyncclient._transfers.wire import Retries, StallWatch, run_crew
from asyncclient.errors import APIError, IntegrityError, ReadError, RemoteProtocolError, TransportError

__all__ = ["First", "PartsDownload", "parts_per_request"]

_MAX_CORRUPTED = 3
_MOST_PER_REQUEST = 4


def parts_per_request(missing: int, workers: int) -> int:
    """Return how many parts one request asks for.

    Several, as a request costs as much as receiving a MiB or two; and few enough that every worker has two requests or
    more, so that the last of them end at about the same time.
    """
    return max(1, min(_MOST_PER_REQUEST, missing // (2 * workers)))


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
        self._done: dict[int, PartDone] = {}
        self._confirmed = 0
        self._prefix = 0
        self._ahead: DigestAhead | None = None
        self._whole = self._part_md5s = False
        self._stretch = 1
        self._expected: RemoteInfo = RemoteInfo()
        self.sink = sink
        self.plan = plan

    def expect(self, info: RemoteInfo, *, whole: bool, part_md5s: bool) -> None:
        """Say what is known of the content, and whether the md5 of the whole, and those of the parts, are wanted."""
        self._expected = info
        self._whole = whole
        self._part_md5s = part_md5s

    @property
    def complete(self) -> bool:
        """Whether no part is missing."""
        return len(self._done) == len(self.plan.parts)

    def md5s(self) -> list[str | None]:
        """Return the digests of the parts, in order."""
        records = [self._done.get(part.index) for part in self.plan.parts]
        return [None if record is None else record.md5 for record in records]

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
            found: PartDone | None = record
            if not record.provable:
                found = record if self._whole else None  # neither the part nor the whole can be proven
            elif doubtful or (self._part_md5s and record.md5 is None):
                found = await self._on_disk(record)
            if found is None:
                lost.append(index)
            else:
                self._accept(part, found)
        if lost:
            await self._run.record(Lost(0, lost))
        self._run.resumed_bytes = self._confirmed
        self._run.meter.begin_at(self._confirmed)

    async def _on_disk(self, record: PartDone) -> PartDone | None:
        """Read a part again; returns its record, with an md5 where one is wanted, or None if it is not what it was."""
        digest = proving(record, md5=self._part_md5s and record.md5 is None)
        await self.sink.scan(digest, record.offset, record.length)
        found = digest.part()
        return replace(record, md5=record.md5 or found.md5) if proves(record, found) else None

    async def find_bad(self) -> list[int]:
        """Read all parts again that have a proof; those that differ are to be fetched again."""
        bad = []
        for part in self.plan.parts:
            recorded = self._done.get(part.index)
            if recorded is not None and recorded.provable and await self._on_disk(recorded) is None:
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

    def _accept(self, part: Part, record: PartDone) -> None:
        self._done[part.index] = record
        self._confirmed += part.length
        while self._prefix in self._done:
            self._prefix += 1
        self._tell()

    def _tell(self) -> None:
        """Say up to where the file can be digested."""
        if self._ahead is not None and self._prefix:
            self._ahead.written_to(self.plan.parts[self._prefix - 1].stop)

    async def fetch(self, first: First | None) -> None:
        """Fetch what is missing; ``first`` is an answer that begins at byte 0, or None."""
        missing = deque(part for part in self.plan.parts if part.index not in self._done)
        count = min(self._run.options.parallel, len(missing))
        # A digest of the whole wants the next part first; and whoever chose the size of parts chose that of requests.
        single = self._whole or self._run.options.part_size is not None
        self._stretch = 1 if single or not count else parts_per_request(len(missing), count)
        workers = [self._work(missing, first if number == 0 else None) for number in range(count)]
        if self._whole:
            self._ahead = DigestAhead(self.sink, self._run.wire.pipeline.scheduler.budget, max(1, count))
            self._tell()
            workers.append(self._ahead.run(self.plan.size))
        try:
            await run_crew(*workers)
        finally:
            self._ahead = None

    async def _work(self, missing: deque[Part], first: First | None) -> None:
        if first is not None:
            piece: Piece | None = first.piece
            with first.memory:  # given back with the end of this worker: others may wait for it
                while parts := await self._turn(missing, piece):
                    await self._fetch_parts(parts, piece)
                    piece = None
            return
        while parts := await self._turn(missing):
            with await self._run.reserve(parts[-1].stop - parts[0].offset):
                await self._fetch_parts(parts, None)

    async def _turn(self, missing: deque[Part], piece: Piece | None = None) -> list[Part]:
        """Return the next parts, one behind the other in the file, when they are worth fetching; none at the end.

        They are as many as an answer holds that is there already, or as one request asks for.
        """
        ahead = self._ahead
        if ahead is not None:
            await ahead.begin_part()
        held = piece.stop or 0 if piece is not None and not self._whole else 0
        parts: list[Part] = []
        while missing and (not parts or missing[0].offset == parts[-1].stop):
            if len(parts) >= self._stretch and missing[0].stop > held:
                break
            parts.append(missing.popleft())
        if not parts and ahead is not None:
            ahead.end_part()
        return parts

    async def _fetch_parts(self, parts: list[Part], piece: Piece | None) -> None:
        """Fetch parts with one request, if nothing breaks; ``piece`` is an answer that begins where they do, or None."""
        asked = _Asked(piece, parts[-1].stop)
        try:
            for part in parts:
                await self._fetch_part(part, asked)
        finally:
            await asked.drop()

    async def _fetch_part(self, part: Part, asked: _Asked) -> None:
        expected = self._expected.part_md5s
        own = expected[part.index] if part.index < len(expected) else None
        found = PartDigest(0, None)
        for _ in range(_MAX_CORRUPTED):
            # Without a journal nobody will ever look at a part again.
            digest = RunningDigest(md5=own is not None or self._part_md5s, crc32=self._run.id is not None)
            await self._fetch_bytes(part, digest, asked)
            found = digest.part()
            if own is None or found.md5 == own:
                break
            await asked.drop()
            self.sink.rewritten = True  # perhaps some of it was digested
            self._run.meter.move(-part.length)
        else:
            raise IntegrityError(
                f"part {part.index + 1}", expected=f"md5 {own}", actual=f"md5 {found.md5}", transfer_id=self._run.id
            )
        # Written, then recorded: a record never claims what is not there.
        record = PartDone(0, part.index, part.offset, part.length, found.md5, crc32=found.crc32)
        await self._run.record(record, barrier=self.sink.barrier())
        self._accept(part, record)
        if self._ahead is not None:
            self._ahead.end_part()
        self._run.meter.confirm(self._confirmed)

    async def _fetch_bytes(self, part: Part, digest: RunningDigest, asked: _Asked) -> None:
        at = part.offset
        retries = Retries(self._run.wire.get, self._run.watch)
        while at < part.stop:
            before = at
            writer = BlockWriter(self.sink, at, digest, self._ahead)
            try:
                async with writer:
                    if asked.piece is None:
                        asked.piece = await self._remote.open(Span(at, asked.stop))
                    at = await self._copy(asked, writer, at, part.stop)
            except (TransportError, APIError) as error:
                await asked.drop()
                at = before + writer.written
                if at > before:
                    retries.progressed()
                await retries.wait(error)

    async def _copy(self, asked: _Asked, writer: BlockWriter, at: int, stop: int) -> int:
        """Write what an answer holds of ``[at, stop)``; returns where the next byte belongs.

        An answer that goes on behind that stays open; one that ends is dropped.
        """
        piece = asked.piece
        assert piece is not None
        assert piece.answer is not None
        assert piece.stop is not None
        end = min(piece.stop, stop)
        watch = StallWatch(piece.answer, self._run.options.stall)
        try:
            while at < end:
                count = await watch.read_into(writer.room(end - at))
                if not count:
                    raise ReadError(f"the range ended {end - at} bytes too early")
                await writer.advance(count)
                at += count
                self._run.meter.move(count)
            if end == piece.stop and await watch.read_into(memoryview(bytearray(1))):
                raise RemoteProtocolError("more bytes arrived than were announced")
        except TransportError:
            await writer.flush()
            raise
        await writer.flush()
        if end == piece.stop:
            await asked.drop()
        return at


class _Asked:
    """A request for parts that lie one behind the other, and its answer.

    Attributes:
        piece: The answer, where the next part begins; None where there is none, or no more.
        stop: End of what is asked for.
    """

    def __init__(self, piece: Piece | None, stop: int) -> None:
        self.piece = piece
        self.stop = stop

    async def drop(self) -> None:
        """Give connection and slot back."""
        piece, self.piece = self.piece, None
        if piece is not None:
            await piece.aclose()
