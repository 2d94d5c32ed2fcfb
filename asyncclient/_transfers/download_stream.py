"""A download as one stream, in order: for destinations that take bytes once, and services that know no ranges."""

from __future__ import annotations

from asyncclient._transfers.block_writer import BlockWriter
from asyncclient._transfers.digest_ahead import DigestAhead
from asyncclient._transfers.inflate import Inflater
from asyncclient._transfers.part_file import PartFile
from asyncclient._transfers.ranges import Span
from asyncclient._transfers.remote import Piece, RangeIgnored, RemoteFile
from asyncclient._transfers.run import Run
from asyncclient._transfers.sink import Sink, SinkWriter
from asyncclient._transfers.windows import WINDOW_BYTES
from asyncclient._transfers.wire import Retries, StallWatch, run_crew
from asyncclient.errors import APIError, ReadError, RemoteProtocolError, TransportError

__all__ = ["StreamDownload"]


class StreamDownload:
    """Fetches a file from its first byte to its last.

    A stream that breaks goes on at the next byte if the service gives ranges; else what has come already is read again
    and thrown away if an etag proves it is the same, or the destination begins anew.
    """

    def __init__(self, run: Run, remote: RemoteFile, sink: Sink) -> None:
        self._run = run
        self._remote = remote
        self._sink = sink
        self._at = 0
        self._encoded = False
        self._ahead: DigestAhead | None = None
        self._retries = Retries(run.wire.get, run.watch)

    async def fetch(self, first: Piece) -> None:
        """Fetch all of it; ``first`` is an answer that begins at byte 0."""
        sink, size = self._sink, self._remote.info.size
        if isinstance(sink, PartFile) and sink.keeps_digest and size is not None:
            self._ahead = DigestAhead(sink, self._run.wire.pipeline.scheduler.budget, 1)
            await run_crew(self._fetch_to_end(first), self._ahead.run(size))
        else:
            await self._fetch(first)

    async def _fetch_to_end(self, first: Piece) -> None:
        assert self._ahead is not None
        await self._fetch(first)
        self._ahead.end()

    async def _fetch(self, first: Piece) -> None:
        piece: Piece | None = first
        while True:
            before = self._at
            try:
                if piece is None:
                    piece = await self._reopen()
                if await self._take(piece):
                    return
            except (TransportError, APIError) as error:
                if self._at > before:
                    self._retries.progressed()
                await self._retries.wait(error)
            piece = None

    async def _reopen(self) -> Piece:
        size = self._remote.info.size
        if self._at and size is not None and self._at < size and not self._encoded:
            try:
                return await self._remote.open(Span(self._at, size))
            except RangeIgnored:
                if self._remote.info.strong:
                    return await self._remote.open(None)
        await self._restart()
        return await self._remote.open(None)

    async def _restart(self) -> None:
        if self._at:
            if self._ahead is not None:
                self._ahead.forget()
            await self._sink.restart()
            self._run.meter.move(-self._at)
            self._at = 0

    async def _take(self, piece: Piece) -> bool:
        """Read an answer to its end; returns whether that is the end of the file."""
        try:
            if piece.answer is not None:
                await self._copy(piece)
        finally:
            await piece.aclose()
        size = self._remote.info.size
        if piece.stop is not None and self._at < piece.stop:
            raise ReadError(f"the content ended {piece.stop - self._at} bytes too early")
        return piece.encoding != "" or size is None or self._at >= size

    async def _copy(self, piece: Piece) -> None:
        assert piece.answer is not None
        inflater = Inflater(piece.encoding) if piece.encoding else None
        self._encoded = inflater is not None
        skip = self._at - piece.start
        if inflater is not None and skip:
            raise ReadError("compressed content cannot be continued")
        watch = StallWatch(piece.answer, self._run.options.stall)
        if isinstance(self._sink, PartFile) and inflater is None and not skip:
            await self._copy_blocks(piece, watch, self._sink)
            return
        writer = SinkWriter(self._sink, self._at)
        try:
            while data := await watch.read():
                if skip:
                    data, skip = data[skip:], max(0, skip - len(data))
                if piece.stop is not None and self._at + len(data) > piece.stop:
                    raise RemoteProtocolError("more bytes arrived than were announced")
                await self._put(writer, data, inflater)
            if inflater is not None:
                inflater.end()
            await writer.flush()
        except TransportError:
            await writer.flush()
            raise
        finally:
            await writer.aclose()
            self._run.meter.confirm(self._at)

    async def _copy_blocks(self, piece: Piece, watch: StallWatch, sink: PartFile) -> None:
        """Write what an answer holds, without a copy in between."""
        writer = BlockWriter(sink, self._at, ahead=self._ahead)
        try:
            async with writer:
                try:
                    await self._fill(piece, watch, writer)
                except TransportError:
                    await writer.flush()
                    raise
                await writer.flush()
        finally:
            self._run.meter.confirm(self._at)

    async def _fill(self, piece: Piece, watch: StallWatch, writer: BlockWriter) -> None:
        begun = self._at
        # One byte more than there should be, so that more is noticed.
        while count := await watch.read_into(writer.room(self._left(piece) + 1)):
            if count > self._left(piece):
                raise RemoteProtocolError("more bytes arrived than were announced")
            await writer.advance(count)
            self._at += count
            self._run.meter.move(count)
            if self._ahead is not None:
                self._ahead.written_to(begun + writer.written)

    def _left(self, piece: Piece) -> int:
        return WINDOW_BYTES if piece.stop is None else piece.stop - self._at

    async def _put(self, writer: SinkWriter, data: bytes, inflater: Inflater | None) -> None:
        if inflater is None:
            await self._feed(writer, data)
            return
        async for piece in inflater.feed(data):
            await self._feed(writer, piece)

    async def _feed(self, writer: SinkWriter, data: bytes) -> None:
        if data:
            await writer.feed(data)
            self._at += len(data)
            self._run.meter.move(len(data))
