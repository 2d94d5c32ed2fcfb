"""Uploads in parts, several at a time: S3 and what speaks like it.

A part counts when the service has acknowledged it with an etag that agrees with what was read. A part whose etag does
not agree is read again first: only if the source still holds what was sent is the network to blame.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from typing import Final

from asyncclient._transfers.digest import RunningDigest, join_etag
from asyncclient._transfers.plan import MIB, Plan, missing, plan_parts
from asyncclient._transfers.records import Lost, PartDone, Session
from asyncclient._transfers.run import Run
from asyncclient._transfers.source import Held, Source
from asyncclient._transfers.target import (
    FindsObject,
    NotesParts,
    PartsSession,
    PartsTarget,
    Receipt,
    StoredPart,
    UploadFacts,
)
from asyncclient._transfers.upload_body import SentBody
from asyncclient._transfers.verify import is_md5, stored_md5
from asyncclient._transfers.wire import MAX_RENEWALS, run_crew
from asyncclient.errors import APIError, ArgumentError, IntegrityError, NotFound, SessionExpired, SourceChanged

__all__ = ["PartsUpload"]

_MAX_CORRUPTED: Final = 3
_STREAM_PART_BYTES: Final = 8 * MIB


class PartsUpload:
    """Sends one source to one target of parts.

    Args:
        run: The transfer.
        source: What is sent.
        target: Where to.

    Attributes:
        plan: How the source is cut; None for a stream.
        md5s: Of the parts that were sent or recorded, by index; None where it is not known.
    """

    def __init__(self, run: Run, source: Source, target: PartsTarget) -> None:
        self._run = run
        self._source = source
        self._target = target
        self._etags: dict[int, str] = {}
        self._confirmed = 0
        self._session = PartsSession("")
        self.md5s: dict[int, str | None] = {}
        self.plan: Plan | None = None
        if source.size is not None and source.replayable:
            self.plan = self._planned(source.size, run.options.part_size)

    @property
    def parts(self) -> int:
        """Number of parts."""
        return len(self._etags)

    @property
    def _needs_md5(self) -> bool:
        """Whether anybody asks for the md5 of a part: the store's etags, a journal, or who called."""
        options = self._run.options
        asked = options.md5 or options.expected_md5 is not None
        return asked or self._target.etag_is_md5 or options.resume

    def _planned(self, size: int, preferred: int | None) -> Plan:
        rules = self._target.rules
        return plan_parts(
            size,
            alignment=rules.alignment,
            min_part=rules.min_part,
            max_part=rules.max_part,
            max_count=rules.max_count,
            preferred=preferred if preferred is not None else rules.preferred,
        )

    async def send(self) -> Receipt:
        """Send what is missing and put the parts together."""
        for attempt in range(MAX_RENEWALS + 1):
            try:
                await (self._resume() if attempt == 0 else self._begin())
                await self._send_parts()
                etags = [self._etags[index] for index in range(len(self._etags))]
                self._run.meter.phase("verifying")
                return await self._target.complete(self._run.wire, self._session, etags)
            except SessionExpired as error:
                receipt = await self._find_completed()
                if receipt is not None:
                    return receipt
                if attempt == MAX_RENEWALS or not self._source.replayable:
                    error.transfer_id = self._run.id
                    raise
                self._run.restart("session_expired")
        raise AssertionError("the last attempt returns or raises")

    async def _find_completed(self) -> Receipt | None:
        """Find out whether the upload is gone because it is complete: the digests of its parts are the proof."""
        earlier, plan = self._run.earlier, self.plan
        if plan is None or not isinstance(self._target, FindsObject) or not self._target.etag_is_md5:
            return None
        recorded = {index: part.md5 for index, part in earlier.parts.items()} if earlier is not None else {}
        if earlier is not None and earlier.session is not None and earlier.session.part and not self.md5s:
            plan = plan_parts(plan.size, preferred=earlier.session.part, max_count=1 << 62)
        md5s = {part.index: self.md5s.get(part.index) or recorded.get(part.index) for part in plan.parts}
        known = [bytes.fromhex(md5) for md5 in md5s.values() if md5 is not None]
        if len(known) < len(plan.parts):
            return None
        receipt = await self._target.find(self._run.wire)
        if receipt is None or receipt.size != plan.size or receipt.etag != join_etag(known):
            return None
        if not self._etags:
            self._run.resumed_bytes = plan.size
            self._run.meter.begin_at(plan.size)
        self.plan, self.md5s, self._confirmed = plan, md5s, plan.size
        self._etags = {index: md5 for index, md5 in md5s.items() if md5 is not None}
        return receipt

    async def _begin(self) -> None:
        plan = self.plan
        size = plan.part_size if plan is not None else self._stream_part_size(0)
        facts = UploadFacts(self._source.name, self._source.size, size, len(plan.parts) if plan else None)
        session = self._session = await self._target.begin(self._run.wire, facts)
        self._etags, self.md5s, self._confirmed = {}, {}, 0
        self._run.meter.begin_at(0)
        if plan is None:
            return
        if session.part_size is not None and session.part_size != plan.part_size:
            plan = self.plan = plan_parts(plan.size, preferred=session.part_size, max_count=1 << 62)
        if len(plan.parts) > 1:
            await self._run.record(
                Session(0, session.id, plan.part_size, len(plan.parts), session.expires, dict(session.extra))
            )
        for part in plan.parts:
            there = session.stored.get(part.index)
            if there is not None and there.size == part.length:
                self._accept(part.index, there.etag, None, part.length)
        if self._confirmed:
            self._run.resumed_bytes = self._confirmed
            self._run.meter.begin_at(self._confirmed)

    async def _resume(self) -> None:
        earlier = self._run.earlier
        recorded = earlier.session if earlier is not None else None
        if earlier is None or recorded is None or recorded.part is None or self.plan is None:
            await self._begin()
            return
        session = PartsSession(recorded.upload_id, recorded.part, recorded.extra, recorded.expires)
        stored = await self._target.list_parts(self._run.wire, session)
        self._session = session
        self.plan = plan_parts(self.plan.size, preferred=recorded.part, max_count=1 << 62)
        await self._intersect(earlier.parts, stored)
        self._run.resumed_bytes = self._confirmed
        self._run.meter.begin_at(self._confirmed)

    async def _intersect(self, recorded: Mapping[int, PartDone], stored: Mapping[int, StoredPart] | None) -> None:
        """Take what both the journal and the service know, and what only the service has if it proves right."""
        assert self.plan is not None
        found = []
        for part in self.plan.parts:
            record, there = recorded.get(part.index), None if stored is None else stored.get(part.index)
            if stored is None and record is not None and record.etag is not None:
                self._accept(part.index, record.etag, record.md5, part.length)
            elif there is None or there.size not in (None, part.length):
                continue
            elif record is not None and record.etag == there.etag:
                self._accept(part.index, there.etag, record.md5, part.length)
            elif is_md5(there.etag) and self._target.etag_is_md5 and await self._md5(part.index) == there.etag:
                # Acknowledged in the moment the earlier run ended.
                self._accept(part.index, there.etag, there.etag, part.length)
                found.append(PartDone(0, part.index, part.offset, part.length, there.etag, there.etag))
        lost = sorted(recorded.keys() - self._etags.keys())
        records = [*([Lost(0, lost)] if lost else []), *found]
        await self._run.record(*records)

    def _accept(self, index: int, etag: str, md5: str | None, length: int) -> None:
        self._etags[index] = etag
        self.md5s[index] = md5
        self._confirmed += length

    async def _md5(self, index: int) -> str | None:
        """Read a part again."""
        assert self.plan is not None
        part = self.plan.parts[index]
        digest = RunningDigest()
        await self._source.scan(digest, part.offset, part.length)
        return digest.part().md5

    async def _send_parts(self) -> None:
        # One iterator for all: whoever is free takes the next part, and no part is planned before its turn.
        parts = self._held_parts()
        turn = asyncio.Lock()

        async def work() -> None:
            while True:
                async with turn:
                    held = await anext(parts, None)
                if held is None:
                    return
                index, part = held
                del held  # of a stream, this holds the bytes
                # Of a stream only now: whoever feeds it may need memory of the same budget.
                with await self._run.reserve(part.length):
                    await self._send_part(index, part)

        count = self._run.options.parallel
        if self.plan is not None:
            count = min(count, len(self.plan.parts))
        await run_crew(*(work() for _ in range(count)))

    async def _held_parts(self) -> AsyncIterator[tuple[int, Held]]:
        if self.plan is not None:
            for part in missing(self.plan, self._etags.keys()):
                body = self._source.body(part.offset, part.length, md5=self._needs_md5)
                yield part.index, Held(part.offset, part.length, part.stop == self.plan.size, body)
            return
        index = 0
        while (held := await self._source.take(self._stream_part_size(index))) is not None:
            if index >= self._target.rules.max_count:
                raise ArgumentError(f"the stream has more than {index} parts, which is all the service takes")
            yield index, held
            index += 1

    def _stream_part_size(self, index: int) -> int:
        """Let parts of a stream grow, so that 10,000 of them hold 440 GB while short streams take little memory."""
        rules = self._target.rules
        wanted = self._run.options.part_size or rules.preferred or _STREAM_PART_BYTES * (1 + index // 1000)
        return min(max(wanted, rules.min_part), rules.max_part)

    async def _send_part(self, index: int, part: Held) -> None:
        body = SentBody(part.body, self._run.meter, part.offset)
        etag, md5 = "", None
        for _ in range(_MAX_CORRUPTED):
            etag, stored = await self._put(index, body)
            md5 = body.digest.md5 if body.digest is not None else None
            if stored is None or md5 is None or stored == md5:
                break
            await self._blame(index, part, md5)
        else:
            raise IntegrityError(
                f"part {index + 1} of {self._source.name or 'the upload'}",
                expected=f"md5 {md5}",
                actual=f"etag {etag}",
                transfer_id=self._run.id,
            )
        # Acknowledged by the service, then recorded: a record never claims what is not there.
        self._accept(index, etag, md5, part.length)
        if isinstance(self._target, NotesParts):
            self._target.stored(index, StoredPart(part.length, etag))
        if self.plan is not None and len(self.plan.parts) > 1:
            await self._run.record(PartDone(0, index, part.offset, part.length, md5, etag))
        self._run.meter.confirm(self._confirmed)

    async def _put(self, index: int, body: SentBody) -> tuple[str, str | None]:
        """Send a part; returns its etag, and the md5 of what was stored where that is one.

        An expired URL is made anew, which counts for nothing.
        """
        for renewal in range(MAX_RENEWALS + 1):
            request = await self._target.part_request(self._session, index, body)
            try:
                answer = await self._run.wire.send(request, f"upload part {index + 1}")
                etag = self._target.part_etag(answer)
                return etag, stored_md5(answer, etag) if self._target.etag_is_md5 else None
            except NotFound as error:
                raise SessionExpired("the service no longer knows the upload", transfer_id=self._run.id) from error
            except APIError as error:
                if renewal == MAX_RENEWALS or not self._target.expired(error):
                    raise
        raise AssertionError("the last attempt returns or raises")

    async def _blame(self, index: int, part: Held, md5: str) -> None:
        """Read a part again that arrived differently: a file that changes is the usual cause."""
        if not self._source.replayable or self.plan is None:
            return
        if await self._md5(index) != md5:
            raise SourceChanged(f"{self._source.name or 'the source'} changed while part {index + 1} was sent")
