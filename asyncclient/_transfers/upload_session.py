"""Uploads in order to a session that remembers: Google storage, LF View.

The service is always believed: how much it has is read from its answers, never from what was sent. After a failure it
is asked before anything is sent again. A session that is gone is opened anew, and the source sent from the start.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from asyncclient._messages import Body
from asyncclient._pipeline import Answer
from asyncclient._transfers.plan import Plan, plan_parts
from asyncclient._transfers.ranges import Span, content_range, content_range_query, parse_stored_range
from asyncclient._transfers.records import Lost, PartDone, Session
from asyncclient._transfers.run import Run
from asyncclient._transfers.source import Held, Source
from asyncclient._transfers.target import Receipt, SessionTarget, UploadFacts
from asyncclient._transfers.upload_body import SentBody, TailBody, WholeDigest
from asyncclient._transfers.wire import MAX_RENEWALS, Retries
from asyncclient.errors import (
    APIError,
    IntegrityError,
    RemoteProtocolError,
    SessionExpired,
    TransferError,
    TransportError,
)

__all__ = ["SessionUpload"]

_INCOMPLETE: Final = 308
_GONE: Final = frozenset({404, 410})
_OFFSET_WRONG: Final = frozenset({409, 416})
# A stream has no size to plan by.
_STREAM_PART_BYTES: Final = 8 * 1024 * 1024


@dataclass(slots=True)
class _Outcome:
    """What one request came to: how many bytes the service has, or its last word."""

    kept: int
    answer: Answer | None = None


class SessionUpload:
    """Sends one source to one session target.

    Args:
        run: The transfer.
        source: What is sent.
        target: Where to.
        whole: Digests what passes, or None.

    Attributes:
        plan: How the source is cut; None for a stream.
        parts: Requests with content that were acknowledged.
    """

    def __init__(self, run: Run, source: Source, target: SessionTarget, whole: WholeDigest | None) -> None:
        self._run = run
        self._source = source
        self._target = target
        self._whole = whole
        self._held: Held | None = None
        self._recorded: set[int] = set()
        self._retries = Retries(run.wire.bulk, run.watch)
        self.plan: Plan | None = None
        self.parts = 0
        self._best = 0
        self._part_size = self._choose_part_size()

    def _choose_part_size(self) -> int:
        rules, asked = self._target.rules, self._run.options.part_size
        preferred = asked if asked is not None else rules.preferred
        size = self._source.size
        self.plan = plan_parts(
            size if size is not None else _STREAM_PART_BYTES,
            alignment=rules.alignment,
            min_part=rules.min_part,
            max_part=rules.max_part,
            max_count=rules.max_count,
            preferred=preferred,
        )
        part_size = self.plan.part_size
        if size is None or not self._source.replayable:
            part_size = max(part_size - part_size % rules.alignment, rules.alignment)
            self.plan = None
        return part_size

    async def send(self) -> Receipt:
        """Send until the service has everything; returns what it says it stored."""
        offset, answer = await self._resume()
        renewals = 0
        while answer is None:
            try:
                outcome = await self._step(offset)
            except SessionExpired as error:
                renewals += 1
                if renewals > MAX_RENEWALS or not self._source.replayable:
                    raise
                self._run.restart("session_expired")
                await self._begin(error)
                offset = 0
                continue
            offset, answer = outcome.kept, outcome.answer
        self._check_complete(offset)
        return self._target.receipt(answer)

    async def _resume(self) -> tuple[int, Answer | None]:
        earlier = self._run.earlier
        session = earlier.session if earlier is not None else None
        if earlier is None or session is None:
            return await self._look() if await self._begin() else (0, None)
        if session.part:
            self._part_size = session.part
            size = self._source.size
            assert size is not None
            self.plan = plan_parts(size, alignment=1, preferred=session.part, max_count=1 << 62)
        try:
            if not session.upload_id or not await self._target.reopen(self._run.wire, session.upload_id):
                raise SessionExpired("the service no longer knows the upload session")
            found = await self._ask()
        except SessionExpired as error:
            self._run.restart("session_expired")
            await self._begin(error)
            return 0, None
        self._recorded = set(earlier.parts)
        return await self._go_on(found)

    async def _look(self) -> tuple[int, Answer | None]:
        """Ask a session that an earlier call of this process has begun how far it came."""
        return await self._go_on(await self._ask())

    async def _go_on(self, found: _Outcome) -> tuple[int, Answer | None]:
        self._best = found.kept
        await self._accept(found.kept)
        self._run.resumed_bytes = found.kept
        self._run.meter.begin_at(found.kept)
        return found.kept, found.answer

    async def _begin(self, cause: SessionExpired | None = None) -> bool:
        """Open a session; returns whether it may have something already."""
        facts = UploadFacts(
            self._source.name, self._source.size, self._part_size, len(self.plan.parts) if self.plan else None
        )
        link = await self._target.begin(self._run.wire, facts)
        self._recorded.clear()
        self._best = 0
        self._run.meter.begin_at(0)
        if self.plan is not None and len(self.plan.parts) > 1:
            await self._run.record(
                Session(0, link.id, part=self._part_size, count=len(self.plan.parts), expires=link.expires)
            )
        return link.begun

    async def _step(self, offset: int) -> _Outcome:
        """Send the next range once; after a failure, ask how much is kept."""
        body, span, total = await self._next(offset)
        waited = False
        try:
            with await self._run.reserve(span.stop - span.start):
                answer = await self._put(body, content_range(span, total))
            outcome = self._read(answer, sent_upto=span.stop)
        except (APIError, TransportError) as error:
            body.take_back()
            await self._wait(error, offset)
            outcome, waited = await self._ask(), True
        if outcome.answer is not None:
            outcome.kept = span.stop
            if span.stop != total:
                raise self._early(span.stop)
        elif outcome.kept > self._best:
            self._best = outcome.kept
            self._retries.progressed()
        elif not waited:
            # Nothing was kept, and the service did not call it a failure: as bad as one.
            await self._retries.wait(RemoteProtocolError("the upload session keeps nothing of what it is sent"))
        self.parts += outcome.kept > offset
        await self._accept(outcome.kept, span, body)
        self._run.meter.confirm(outcome.kept)
        return outcome

    async def _accept(self, kept: int, span: Span | None = None, body: SentBody | None = None) -> None:
        """Record the parts that lie within what is kept, and void those that do not."""
        if self.plan is None:
            return
        digest = body.digest if body is not None else None
        parts = self.plan.parts
        count = len(parts) if kept >= parts.size else kept // self._part_size
        lost = sorted(index for index in self._recorded if index >= count)
        found = []
        for index in range(count):
            if index in self._recorded:
                continue
            part = parts[index]
            crc = digest.crc32 if digest is not None and span == (part.offset, part.stop) else None
            found.append(PartDone(0, index, part.offset, part.length, crc32=crc))
        if lost:
            await self._run.record(Lost(0, lost))
        if found and len(parts) > 1:
            await self._run.record(*found)
        self._recorded = set(range(count))

    async def _next(self, offset: int) -> tuple[SentBody, Span, int | None]:
        """Return the body to send from an offset on, its range, and the total if it is known."""
        if self.plan is not None:
            size = self.plan.size
            # To the end of the part: after a partial acknowledgement the boundaries stay where they were planned.
            stop = min(size, (offset // self._part_size + 1) * self._part_size)
            # No service asks for the md5 of a part of a session: what it may ask for is that of the whole.
            body = self._source.body(offset, stop - offset, md5=False)
            return SentBody(body, self._run.meter, offset, self._whole, proof=True), Span(offset, stop), size
        held = await self._hold(offset)
        skip = offset - held.offset
        tail = TailBody(held.body, skip) if skip else held.body
        stop = held.offset + held.length
        sent = SentBody(tail, self._run.meter, offset, self._whole)
        return sent, Span(offset, stop), stop if held.last else None

    async def _hold(self, offset: int) -> Held:
        held = self._held
        if held is None or (offset >= held.offset + held.length and not held.last):
            held = self._held = await self._source.take(self._part_size)
            assert held is not None, "a source has at least one part"
        if offset < held.offset:
            raise SessionExpired("the upload session has lost bytes of a stream, which cannot be sent again")
        return held

    async def _put(self, body: Body | None, value: bytes) -> Answer:
        wire = self._run.wire
        request = await self._target.request(body, value)
        accept = (_INCOMPLETE, *_GONE)
        if body is None:
            answer = await wire.ask(request, "upload status", accept=accept)
        else:
            answer = await wire.send(request, "upload range", accept=accept, rules=wire.once)
        if answer.status in _GONE:
            raise SessionExpired("the service no longer knows the upload session", transfer_id=self._run.id)
        return answer

    async def _ask(self) -> _Outcome:
        """Ask the session how much it has."""
        size = self.plan.size if self.plan is not None else None
        answer = await self._put(None, content_range_query(size))
        return self._read(answer, sent_upto=size)

    def _read(self, answer: Answer, *, sent_upto: int | None) -> _Outcome:
        if answer.status != _INCOMPLETE:
            return _Outcome(sent_upto or 0, answer)
        stored = answer.header(b"range")
        kept = parse_stored_range(stored.encode("latin-1") if stored is not None else None)
        if sent_upto is not None and kept > sent_upto:
            raise IntegrityError(
                self._name, expected=f"at most {sent_upto} bytes", actual=f"{kept} bytes", transfer_id=self._run.id
            )
        return _Outcome(kept)

    async def _wait(self, error: APIError | TransportError, offset: int) -> None:
        """Wait until the session may be asked again, or raise the error."""
        if isinstance(error, APIError):
            if self._target.expired(error):
                raise SessionExpired("the link of the upload session has expired", transfer_id=self._run.id) from error
            if error.status in _OFFSET_WRONG:
                error = RemoteProtocolError(f"the upload session is not at byte {offset}: {error}")
        await self._retries.wait(error)

    def _check_complete(self, offset: int) -> None:
        size = self._source.size
        if size is not None and offset != size:
            raise self._early(offset)

    def _early(self, offset: int) -> TransferError:
        size = self._source.size
        return IntegrityError(
            self._name,
            expected=f"{size if size is not None else 'more than ' + str(offset)} bytes",
            actual=f"{offset} bytes, after which the service ended the session",
            transfer_id=self._run.id,
        )

    @property
    def _name(self) -> str:
        return self._source.name or "the upload"
