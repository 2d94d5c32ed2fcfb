"""Downloads: ranges in parallel into a part file where the service and the destination allow it, else one stream.

The first request asks for the first part. What answers it decides: 206 gives size and validator, and the other parts
are fetched by several workers; 200 means that the service sends the whole, and it is taken as it comes.
"""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path
from typing import Any, Final, Literal

from asyncclient._budget import Reservation
from asyncclient._scheduler import Direction
from asyncclient._transfers.digest import candidate_part_sizes, join_etag, new_md5
from asyncclient._transfers.download_arrived import Arrived
from asyncclient._transfers.download_identity import Identified, insist
from asyncclient._transfers.download_parts import First, PartsDownload
from asyncclient._transfers.download_stream import StreamDownload
from asyncclient._transfers.hops import run_hop
from asyncclient._transfers.options import Downloaded
from asyncclient._transfers.part_file import PartFile, PartFileOptions, as_sink
from asyncclient._transfers.plan import MIB, Plan, plan_parts
from asyncclient._transfers.ranges import Span
from asyncclient._transfers.records import File, Lost
from asyncclient._transfers.remote import Piece, RangeIgnored, RemoteFile
from asyncclient._transfers.run import Run
from asyncclient._transfers.sink import Sink
from asyncclient._transfers.sink_held import HeldSink
from asyncclient._transfers.target import DownloadTarget, RemoteInfo
from asyncclient._transfers.windows import INLINE_BYTES, WINDOW_BYTES
from asyncclient.errors import IntegrityError, RemoteChanged, RemoteProtocolError

__all__ = ["Download"]

Proof = Literal["md5", "etag", "parts", "size"]

_FIRST_BYTES: Final = 8 * MIB


class Download:
    """One remote file on its way to one destination.

    Args:
        run: The transfer.
        target: Where from.
        destination: A path, a binary file object or a callable.
    """

    def __init__(self, run: Run, target: DownloadTarget, destination: Any) -> None:
        self._run = run
        self._target = target
        self._destination = destination
        self._is_path = isinstance(destination, (str, os.PathLike))
        self._remote = self._remote_file(None)
        self._identified = Identified(run, target)
        self._sink: Sink | None = None
        self._parts = 1
        self._committed = False
        self._found_bytes = 0

    async def fetch(self) -> Downloaded:
        """Fetch, verify, put in place, and take the journal away."""
        known = await self._target.head(self._run.wire)
        try:
            proof = await self._resumed(known)
            if proof is None:
                self._remote = self._remote_file(known)
                proof = await self._fresh()
            return await self._finish(*proof)
        finally:
            await self._close()

    def _remote_file(self, known: RemoteInfo | None) -> RemoteFile:
        direction = Direction.DOWN if self._is_path else Direction.STREAM
        return RemoteFile(self._run.wire, self._target, known, direction)

    # --- from the start ----------------------------------------------------------------------------------------------

    async def _fresh(self) -> tuple[Proof, str | None]:
        remote = self._remote
        span = Span(0, self._first_length()) if self._is_path and remote.info.size != 0 else None
        # For the stream that follows, or for the worker that goes on with this answer.
        with await self._run.reserve(remote.info.size, own=self._is_path) as memory:
            return await self._begun(span, memory)

    async def _begun(self, span: Span | None, memory: Reservation) -> tuple[Proof, str | None]:
        remote = self._remote
        try:
            piece = await remote.open(span)
        except (RangeIgnored, RemoteProtocolError):
            # Some services answer a range of an empty file with one that does not exist; the whole they can give.
            piece = await remote.open(None)
        try:
            self._identified.check_size(None if piece.encoding else remote.info.size)
            if self._in_several() and not remote.ranges and insist(self._target):
                await piece.aclose()
                piece = await remote.open(span)
            size = remote.info.size
            self._run.with_size(size)
            if self._in_several() and remote.ranges and size is not None:
                return await self._in_parts(piece, size, memory)
            return await self._as_stream(piece, size)
        finally:
            await piece.aclose()

    def _in_several(self) -> bool:
        """Tell whether the file is worth several ranges."""
        size = self._remote.info.size
        least = max(self._run.options.threshold_bytes, self._first_length())
        return self._is_path and size is not None and size > least

    def _first_length(self) -> int:
        options = self._run.options
        return options.part_size or max(_FIRST_BYTES, options.threshold_bytes)

    async def _in_parts(self, piece: Piece, size: int, memory: Reservation) -> tuple[Proof, str | None]:
        part_size = self._choose_part_size(size)
        await self._identified.ask()
        self._identified.check_size(size)
        await self._run.open_journal(part=part_size, content=self._identified.id)
        try:
            await self._record_file()
            sink = await self._open_part_file(size)
        except OSError:
            await self._run.forget()
            raise
        work = self._parts_of(sink, plan_parts(size, preferred=part_size, max_count=1 << 62))
        try:
            await work.fetch(First(piece, memory))
        except RangeIgnored:
            return await self._without_ranges()
        return await self._prove(work)

    def _parts_of(self, sink: PartFile, plan: Plan) -> PartsDownload:
        work = PartsDownload(self._run, self._remote, sink, plan)
        whole, info = self._wants_whole(), self._remote.info
        # Parts are cut as the etag says where that is known: then their md5s add up to it, and nothing else is needed.
        etag = info.bare_etag if self._target.etag_is_md5 else None
        candidates = candidate_part_sizes(plan.size, etag) if etag else []
        work.expect(info, whole=whole, part_md5s=not whole and plan.part_size in candidates)
        return work

    def _choose_part_size(self, size: int) -> int:
        options, info = self._run.options, self._remote.info
        if info.part_md5s and info.part_size:
            return info.part_size
        if options.part_size is not None:
            return options.part_size
        if self._target.etag_is_md5 and info.bare_etag is not None:
            # Cut as it was uploaded, the digests of the parts add up to the etag: no second md5 is needed.
            candidates = candidate_part_sizes(size, info.bare_etag)
            if candidates:
                return candidates[0]
        return plan_parts(size, min_part=min(size, _FIRST_BYTES)).part_size

    async def _without_ranges(self) -> tuple[Proof, str | None]:
        """Begin again as one stream: what a service answers to ranges cannot be relied on."""
        await self._discard()
        self._remote = self._remote_file(replace(self._remote.info, size=None))
        await self._record_file()
        piece = await self._remote.open(None)
        try:
            return await self._as_stream(piece, self._remote.info.size)
        finally:
            await piece.aclose()

    async def _as_stream(self, piece: Piece, size: int | None) -> tuple[Proof, str | None]:
        expected = self._expected()
        if self._is_path and size is not None and size <= WINDOW_BYTES and not piece.encoding:
            return await self._store_small(piece, expected)
        sink = await self._open_sink(None if piece.encoding else size)
        work = StreamDownload(self._run, self._remote, sink)
        await work.fetch(piece)
        self._run.meter.phase("verifying")
        if isinstance(sink, PartFile):
            await self._identified.prove_file(sink, self._remote.info)
        md5 = await sink.md5() if expected or self._run.options.md5 or not sink.positional else None
        self._check(md5, expected)
        return ("md5" if expected else "size"), md5

    async def _store_small(self, piece: Piece, expected: str | None) -> tuple[Proof, str | None]:
        sink = HeldSink()
        await StreamDownload(self._run, self._remote, sink).fetch(piece)
        await self._identified.prove_bytes(sink.pieces)
        md5 = None
        if expected:
            digest = new_md5()
            data = b"".join(sink.pieces)
            if len(data) < INLINE_BYTES:
                digest.update(data)
            else:
                await run_hop(digest.update, data)
            md5 = digest.hexdigest()
            self._check(md5, expected)
        file = self._part_file(digest=False)
        stored = await file.store(sink.pieces)
        return ("md5" if expected else "size"), md5 or stored

    # --- going on ----------------------------------------------------------------------------------------------------

    async def _resumed(self, known: RemoteInfo | None) -> tuple[Proof, str | None] | None:
        """Go on where an earlier run stopped; None if that is not possible."""
        earlier = self._run.earlier
        part_size = self._run.recorded_option("part")
        if earlier is None or earlier.file is None or not isinstance(part_size, int) or not self._is_path:
            return None
        file = earlier.file
        was = RemoteInfo(size=file.size, etag=file.etag)
        await self._identified.ask()
        if file.size is None or not self._may_resume(was, known):
            await self._open_part_file(0, resumed=True)  # taken over only to be deleted
            await self._discard()
            self._run.restart("remote_changed")
            return None
        self._remote = self._remote_file(_merged(was, known))
        self._remote.trust_etag()
        insist(self._target)
        self._run.with_size(file.size)
        plan = plan_parts(file.size, preferred=part_size, max_count=1 << 62)
        if await Arrived(self._run, Path(os.fsdecode(self._destination)), earlier, plan).proven(self._expected()):
            if known is None and not await self._unchanged():
                self._run.restart("remote_changed")
                return None
            return self._in_place(plan, [earlier.parts[part.index].md5 for part in plan.parts])
        sink = await self._open_part_file(file.size, resumed=True)
        if not self._found_bytes:
            # Its part file is gone: what the journal says of it is worth nothing, synced or not.
            await self._discard()
            return None
        work = self._parts_of(sink, plan)
        try:
            await work.take_over(earlier, self._found_bytes)
            if known is None and work.complete:
                await self._ask_anew()
            await work.fetch(None)
        except (RemoteChanged, RangeIgnored):
            if self._run.restarted is not None:
                raise
            self._run.restart("remote_changed")
            await self._discard()
            return None
        return await self._prove(work)

    async def _ask_anew(self) -> None:
        """Ask for a byte where nothing else is left to ask for: all that came may have come long ago.

        Raises:
            RemoteChanged: The file is another one now.
        """
        piece = await self._remote.open(Span(0, 1))
        await piece.aclose()

    async def _unchanged(self) -> bool:
        try:
            await self._ask_anew()
        except RemoteChanged:
            return False
        return True

    def _in_place(self, plan: Plan, md5s: list[str | None]) -> tuple[Proof, str | None]:
        """Conclude a download that was stopped after its rename."""
        self._run.resumed_bytes = plan.size
        self._run.meter.begin_at(plan.size)
        self._parts = len(plan.parts)
        expected = self._expected()
        return ("md5", expected) if expected is not None else (self._proof_of(plan, md5s), None)

    def _may_resume(self, was: RemoteInfo, known: RemoteInfo | None) -> bool:
        if known is not None:
            if known.size not in (None, was.size):
                return False
            if known.etag is not None and was.etag is not None and known.bare_etag != was.bare_etag:
                return False
        if self._identified.same(self._run.recorded_option("content")):
            return True
        if self._identified.id is not None and self._run.recorded_option("content") is not None:
            return False
        # Without a validator that proves sameness, only a digest of the whole can tell a mixture from the file.
        return was.strong or bool(self._run.options.expected_md5 or (known is not None and known.md5))

    # --- proof -------------------------------------------------------------------------------------------------------

    def _expected(self) -> str | None:
        expected = self._run.options.expected_md5 or self._remote.info.md5
        return expected.lower() if expected else None

    def _wants_whole(self) -> bool:
        return self._run.options.md5 or self._expected() is not None

    async def _prove(self, work: PartsDownload) -> tuple[Proof, str | None]:
        """Verify the whole; what is wrong is fetched again, once."""
        self._run.meter.phase("verifying")
        self._parts = len(work.plan.parts)
        try:
            return await self._verdict(work)
        except IntegrityError:
            bad = await work.find_bad()
            if not bad and self._run.restarted is None:
                # Nothing is known of single parts: all of them are in question.
                bad = [part.index for part in work.plan.parts]
                work.forget_all()
                self._run.restart("digest_mismatch")
            if not bad:
                raise
            await self._run.record(Lost(0, bad))
            self._run.meter.phase("receiving")
            await work.fetch(None)
            self._run.meter.phase("verifying")
            return await self._verdict(work)

    async def _verdict(self, work: PartsDownload) -> tuple[Proof, str | None]:
        await self._identified.prove_file(work.sink, self._remote.info)
        expected = self._expected()
        if expected is not None or self._run.options.md5:
            md5 = await work.sink.md5()
            self._check(md5, expected)
            if expected is not None:
                return "md5", md5
            return ("parts" if self._remote.info.part_md5s else "size"), md5
        return self._proof_of(work.plan, work.md5s()), None

    def _proof_of(self, plan: Plan, md5s: list[str | None]) -> Proof:
        """Return what the digests of the parts prove.

        Raises:
            IntegrityError: They do not add up to the etag.
        """
        info = self._remote.info
        known = [bytes.fromhex(found) for found in md5s if found is not None]
        if self._target.etag_is_md5 and info.bare_etag and len(known) == len(plan.parts):
            candidates = candidate_part_sizes(plan.size, info.bare_etag)
            if plan.part_size in candidates:
                etag = join_etag(known)
                if etag == info.bare_etag:
                    return "etag"
                if len(candidates) == 1:
                    raise IntegrityError(
                        self._name, expected=f"etag {info.bare_etag}", actual=f"etag {etag}", transfer_id=self._run.id
                    )
        return "parts" if info.part_md5s else "size"

    def _check(self, md5: str | None, expected: str | None) -> None:
        if expected is not None and md5 != expected:
            raise IntegrityError(self._name, expected=f"md5 {expected}", actual=f"md5 {md5}", transfer_id=self._run.id)

    async def _finish(self, proof: Proof, md5: str | None) -> Downloaded:
        if self._sink is not None:
            await self._sink.commit()
            self._committed = True
        transfer_id = self._run.id
        await self._run.finish()
        meter, info = self._run.meter, self._remote.info
        meter.done()
        return Downloaded(
            meter.confirmed,
            md5,
            info.bare_etag,
            self._parts,
            self._run.resumed_bytes,
            self._run.restarted,
            proof,
            transfer_id,
        )

    # --- places ------------------------------------------------------------------------------------------------------

    @property
    def _name(self) -> str:
        return self._target.name

    async def _record_file(self) -> None:
        info = self._remote.info
        destination = os.fsdecode(self._destination)  # absolute already: see transfers
        await self._run.record(File(0, path=self._name, dst=destination, size=info.size, etag=info.etag))

    def _part_file(self, *, digest: bool) -> PartFile:
        options = self._run.options
        made = PartFileOptions(fsync=options.fsync, overwrite=options.overwrite, digest=digest)
        sink = as_sink(self._destination, job_id=self._run.job_id, owner=self._run.owner, options=made)
        assert isinstance(sink, PartFile)
        return sink

    async def _open_part_file(self, size: int, *, resumed: bool = False) -> PartFile:
        sink = self._part_file(digest=self._wants_whole())
        self._sink = sink
        self._found_bytes = await sink.open(size, earlier=self._run.owners if resumed else ())
        return sink

    async def _open_sink(self, size: int | None) -> Sink:
        self._sink = self._part_file(digest=self._wants_whole()) if self._is_path else as_sink(self._destination)
        await self._sink.open(size)
        return self._sink

    async def _discard(self) -> None:
        if isinstance(self._sink, PartFile):
            await self._sink.discard()
        self._sink = None

    async def _close(self) -> None:
        sink = self._sink
        if isinstance(sink, PartFile) and self._run.id is None and not self._committed:
            await sink.discard()  # nothing could ever resume it
        elif sink is not None:
            await sink.aclose()


def _merged(was: RemoteInfo, known: RemoteInfo | None) -> RemoteInfo:
    return was if known is None else replace(known, size=was.size, etag=was.etag or known.etag)
