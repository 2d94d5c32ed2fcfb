"""Uploads: what is sent is identified, sent by the way the target takes it, and verified on arrival."""

from __future__ import annotations

import asyncio
import os
from dataclasses import dataclass

from asyncclient._transfers.abort import abort_session
from asyncclient._transfers.digest import new_md5
from asyncclient._transfers.hops import finish
from asyncclient._transfers.options import Uploaded
from asyncclient._transfers.proof import proves, proving
from asyncclient._transfers.records import File
from asyncclient._transfers.run import Run
from asyncclient._transfers.source import Source
from asyncclient._transfers.source_stream import StreamSource
from asyncclient._transfers.target import PartsTarget, Receipt, SessionTarget, UploadTarget, WholeTarget
from asyncclient._transfers.upload_body import SentBody, WholeDigest
from asyncclient._transfers.upload_parts import PartsUpload
from asyncclient._transfers.upload_session import SessionUpload
from asyncclient._transfers.verify import check_receipt, plain_md5
from asyncclient._transfers.wire import MAX_RENEWALS
from asyncclient.errors import APIError, IntegrityError, SourceChanged

__all__ = ["Upload"]


@dataclass(slots=True)
class _Sent:
    """What went out."""

    receipt: Receipt
    parts: int
    md5: str | None
    part_md5s: tuple[str | None, ...] = ()


class Upload:
    """One source on its way to one target.

    Args:
        run: The transfer.
        source: What is sent.
        target: Where to.
    """

    def __init__(self, run: Run, source: Source, target: UploadTarget) -> None:
        self._run = run
        self._source = source
        self._target = target
        self._whole = WholeDigest(source)

    async def send(self) -> Uploaded:
        """Send, verify, and take the journal away."""
        self._run.with_size(self._source.size)
        await self._check_earlier()
        target = self._target
        if isinstance(target, SessionTarget):
            sent = await self._send_session(target)
        elif isinstance(target, PartsTarget):
            sent = await self._send_parts(target)
        else:
            sent = await self._send_whole(target)
        size = self._run.meter.confirmed
        md5 = await self._verify(sent, size)
        transfer_id = self._run.id
        await self._run.finish()
        self._run.meter.done()
        receipt = sent.receipt
        return Uploaded(
            size,
            md5,
            receipt.etag,
            sent.parts,
            self._run.resumed_bytes,
            self._run.restarted,
            receipt.remote,
            transfer_id,
        )

    async def _check_earlier(self) -> None:
        """Make sure that an earlier run sent the same bytes; a file that was only touched still counts."""
        earlier = self._run.earlier
        if earlier is None or earlier.file is None:
            return
        file, identity = earlier.file, self._source.identity()
        was = file.dev, file.ino, file.size, file.mtime_ns
        if identity is not None and was == tuple(identity):
            return
        self._run.meter.phase("hashing")
        same = file.size == self._source.size
        for part in earlier.parts.values() if same else ():
            digest = proving(part)
            await self._source.scan(digest, part.offset, part.length)
            if not proves(part, digest.part()):
                same = False
                break
        self._run.meter.phase("sending")
        if not same:
            await self._abort_earlier()
            self._run.restart("source_changed")

    async def _abort_earlier(self) -> None:
        earlier = self._run.earlier
        if earlier is not None and earlier.session is not None:
            await abort_session(self._run.wire, self._target, earlier.session)

    def _begin_journal(self, plan_parts: int) -> None:
        """Say what the journal begins with; it is made when there is a session to record, and so something to resume."""
        if plan_parts <= 1 or self._run.earlier is not None:
            return
        identity, path = self._source.identity(), self._source.path
        self._run.begin_with(
            File(
                0,
                path=os.fspath(path) if path is not None else self._source.name or "",
                dst=str(self._target.description.get("name", "")) or None,
                size=self._source.size,
                mtime_ns=identity.mtime_ns if identity else None,
                ino=identity.ino if identity else None,
                dev=identity.dev if identity else None,
            )
        )

    async def _send_session(self, target: SessionTarget) -> _Sent:
        # A second md5 beside those of the parts: only where something is to be compared with it.
        asked = self._run.options.md5 or self._run.options.expected_md5 is not None
        whole = self._whole if asked or target.names_md5 else None
        upload = SessionUpload(self._run, self._source, target, whole)
        count = len(upload.plan.parts) if upload.plan is not None else 1
        self._begin_journal(count)
        receipt = await upload.send()
        self._run.meter.phase("verifying")
        wanted = asked or receipt.md5 is not None or plain_md5(receipt.etag) is not None
        # Of a source that was sent from its first byte the digest is there; of a resumed one only where it is needed.
        free = whole is not None and not self._run.resumed_bytes
        md5 = await self._whole.finish() if wanted or free else None
        return _Sent(receipt, max(upload.parts, 1), md5)

    async def _send_parts(self, target: PartsTarget) -> _Sent:
        upload = PartsUpload(self._run, self._source, target)
        count = len(upload.plan.parts) if upload.plan is not None else 1
        self._begin_journal(count)
        scan = asyncio.create_task(self._scan()) if self._run.options.md5 and self._source.replayable else None
        try:
            receipt = await upload.send()
            md5 = await scan if scan is not None else None
        finally:
            if scan is not None:
                scan.cancel()
                await finish(scan)
        md5s = tuple(upload.md5s.get(index) for index in range(upload.parts))
        if md5 is None and len(md5s) == 1:
            md5 = md5s[0]
        return _Sent(receipt, upload.parts, md5, md5s)

    async def _scan(self) -> str:
        digest = new_md5()
        await self._source.scan(digest)
        return digest.hexdigest()

    async def _send_whole(self, target: WholeTarget) -> _Sent:
        self._run.earlier = None
        if isinstance(self._source, StreamSource):
            await self._source.begin()
        body = SentBody(self._source.body(), self._run.meter)
        wire = self._run.wire
        renewals = 0
        while True:
            request = await target.request(wire, body, self._source.name)
            try:
                with await self._run.reserve(body.length, own=body.replayable):
                    answer = await wire.send(request, "upload")
                break
            except APIError as error:
                if renewals == MAX_RENEWALS or not target.expired(error) or not body.replayable:
                    raise
                renewals += 1
        digest = body.digest
        self._run.meter.confirm(digest.length if digest is not None else self._run.meter.sent)
        return _Sent(target.receipt(answer), 1, digest.md5 if digest is not None else None)

    async def _verify(self, sent: _Sent, size: int) -> str | None:
        name = self._source.name or "the upload"
        expected = self._run.options.expected_md5
        try:
            if expected is not None and sent.md5 is not None and sent.md5 != expected.lower():
                raise IntegrityError(name, expected=f"md5 {expected.lower()}", actual=f"md5 {sent.md5}")
            check_receipt(sent.receipt, path=name, size=size, md5=sent.md5, part_md5s=sent.part_md5s)
        except IntegrityError as error:
            await self._blame(sent, error)
            error.transfer_id = self._run.id
            raise
        return sent.md5

    async def _blame(self, sent: _Sent, error: IntegrityError) -> None:
        """Read the source again before the network is blamed.

        Raises:
            SourceChanged: It no longer holds what was sent.
        """
        source = self._source
        if not source.replayable:
            return
        self._run.meter.phase("hashing")
        changed = await source.changed()
        if not changed and sent.md5 is not None:
            changed = await self._scan() != sent.md5
        if changed:
            raise SourceChanged(f"{source.name or 'the source'} changed while it was sent") from error
