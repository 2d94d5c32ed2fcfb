"""``/storage/<id>``: takes content in, chunk by chunk, and hands it out."""

from __future__ import annotations

import asyncio
import zlib
from collections.abc import AsyncIterator
from contextlib import aclosing
from http import HTTPStatus
from typing import Any
from weakref import WeakValueDictionary

from starlette.requests import ClientDisconnect
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from asyncclient.testing._contract import Refusal
from asyncclient.testing._emulator import Exchange, json_response
from asyncclient.testing.lfview.ranges import Span, content_range, requested
from asyncclient.testing.lfview.sessions import Chunk, Session, admit, answer_headers, granted
from asyncclient.testing.lfview.state import LfviewState
from asyncclient.testing.lfview.storage import PIECE_BYTES, Storage

__all__ = ["ContentService"]


class ContentService:
    """Serves upload sessions and their contents.

    Args:
        state: The data.
    """

    def __init__(self, state: LfviewState) -> None:
        self._state = state
        self._locks: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    async def answer(self, exchange: Exchange, session_id: str) -> Response:
        """Serve one request. Refusals are raised."""
        session = self._state.sessions.get(session_id)
        if session is None:
            raise Refusal(404, "not found")
        if exchange.request.method == "PUT":
            if session.expired_status is not None:
                raise Refusal(session.expired_status, "the upload session has expired")
            return await self._put(exchange, session)
        if exchange.request.method in ("GET", "HEAD"):
            return self._get(exchange, session)
        raise Refusal(405, "Method Not Allowed", {"allow": "GET, HEAD, PUT"})

    async def _put(self, exchange: Exchange, session: Session) -> Response:
        headers = exchange.request.headers
        length = headers.get("content-length", "")
        given = content_range(headers.get("content-range"), int(length) if length.isdecimal() else None)
        if given.span is None:
            admit(session, given, None)
            if session.total_bytes == 0 and session.completed is None:
                self._state.finish(session)
        else:
            # One writer at a time: the one before may still be finding out that its client is gone.
            async with self._locks.setdefault(session.id, asyncio.Lock()):
                if session.completed is None:
                    chunk = admit(session, given, headers.get("content-type"))
                    assert chunk is not None
                    await self._take(exchange, session, chunk, given.span)
        if session.completed is None:
            return Response(status_code=308, headers=answer_headers(session))
        return json_response({"size": session.kept_bytes})

    async def _take(self, exchange: Exchange, session: Session, chunk: Chunk, span: Span) -> None:
        """Receive a chunk and keep of it what is to be kept, also when its client goes away."""
        keep = self._state.keeps.take(exchange.request.scope["path"])
        limits = [keep.kept_bytes, self._state.options.kept_bytes_per_chunk]
        limit = min((limit for limit in limits if limit is not None), default=None)
        incoming = _Incoming(self._state.storage, session, chunk)
        try:
            await incoming.receive(exchange.request.stream())
        except ClientDisconnect:
            self._settle(session, granted(session, incoming.position, whole=False, limit_bytes=limit))
            raise
        if incoming.position != span.stop:
            raise Refusal(400, f"the body has {incoming.position - span.start} bytes, Content-Range says otherwise")
        self._settle(session, granted(session, span.stop, whole=chunk.final, limit_bytes=limit))
        if keep.status is not None:
            raise Refusal(keep.status, HTTPStatus(keep.status).phrase)

    def _settle(self, session: Session, kept_bytes: int) -> None:
        if self._state.sessions.get(session.id) is not session or session.expired_status is not None:
            self._state.storage.discard(session.content_id)
            return  # it ended, or was opened anew, while the chunk was under way
        session.kept_bytes = kept_bytes
        if kept_bytes == session.total_bytes:
            self._state.finish(session)
        else:
            self._state.save(session)

    def _get(self, exchange: Exchange, session: Session) -> Response:
        storage = self._state.storage
        if session.completed is None:
            raise Refusal(404, "the content is not complete")
        if session.total_bytes and not storage.has(session.content_id):
            raise Refusal(404, "the emulator was told not to keep files")
        headers = {"etag": session.etag, "accept-ranges": "bytes", "content-type": session.content_type}
        asked = exchange.request.headers
        if session.content_encoding is not None:
            if self._state.options.transcode and "gzip" not in asked.get("accept-encoding", ""):
                return Response(
                    _unzipped(storage.get(session.content_id, session.total_bytes)),
                    200,
                    {**headers, "accept-ranges": "none"},
                )
            headers |= {"content-encoding": session.content_encoding, "vary": "accept-encoding"}
        span = None
        if asked.get("if-range", session.etag) == session.etag:
            span = requested(asked.get("range"), session.total_bytes)
        if span is not None:
            headers["content-range"] = f"bytes {span.start}-{span.stop - 1}/{session.total_bytes}"
        part = span or Span(0, session.total_bytes)
        return _ContentResponse(storage, session.content_id, part, 200 if span is None else 206, headers)


class _Incoming:
    """A chunk while it arrives, written in large pieces.

    Attributes:
        position: In the content, after the last byte that arrived and was written.
    """

    def __init__(self, storage: Storage, session: Session, chunk: Chunk) -> None:
        self._storage = storage
        self._session = session
        self._skip = chunk.skip_bytes
        self._waiting = bytearray()
        self.position = chunk.start

    async def receive(self, stream: AsyncIterator[bytes]) -> None:
        """Take the body in; what arrived before its client went away is written, too."""
        try:
            async for piece in stream:
                self._waiting += piece[self._skip :]
                self.position += min(self._skip, len(piece))
                self._skip = max(0, self._skip - len(piece))
                if len(self._waiting) >= PIECE_BYTES:
                    await self._flush()
        except ClientDisconnect:
            await self._flush()
            raise
        await self._flush()

    async def _flush(self) -> None:
        room = max(0, self._session.total_bytes - self.position)  # a body longer than announced is refused at its end
        content = bytes(self._waiting[:room])
        await self._storage.write(self._session.content_id, self._session.total_bytes, self.position, content)
        self.position += len(self._waiting)
        self._waiting.clear()


def _unzipped(content: bytes) -> bytes:
    return zlib.decompress(content, wbits=31)


class _ContentResponse(Response):
    """A part of a content in large pieces, without the second task that Starlette's own streaming needs."""

    def __init__(self, storage: Storage, content_id: str, part: Span, status: int, headers: dict[str, str]) -> None:
        super().__init__(None, status, {**headers, "content-length": str(part.stop - part.start)})
        self._storage = storage
        self._content_id = content_id
        self._part = part

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        start: dict[str, Any] = {"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers}
        await send(start)
        if scope["method"] != "HEAD":
            async with aclosing(self._storage.pieces(self._content_id, self._part)) as pieces:
                async for piece in pieces:
                    await send({"type": "http.response.body", "body": piece, "more_body": True})
        await send({"type": "http.response.body", "body": b"", "more_body": False})
