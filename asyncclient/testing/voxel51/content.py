"""Stored files on their way out: whole, in parts, through signed URLs."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import aclosing
from typing import Any

from starlette.responses import RedirectResponse, Response
from starlette.types import Receive, Scope, Send

from asyncclient.testing._blobs import Blob, BlobStore
from asyncclient.testing._contract import Refusal
from asyncclient.testing._ranges import Span, requested
from asyncclient.testing.voxel51.call import KEY_HEADER, Call
from asyncclient.testing.voxel51.state import Voxel51State

__all__ = ["download", "follow"]


def download(call: Call, blob: Callable[[], Blob], media_type: str) -> Response:
    """Answer with a file, or with the way to it."""
    if call.state.options.redirect_downloads:
        blob()  # what is not there is refused here and now
        return RedirectResponse(call.signed_url(blob, media_type), 302)
    return _served(call.state, blob(), media_type, call.headers)


def follow(state: Voxel51State, token: str, headers: Mapping[str, str]) -> Response:
    """Answer a signed URL.

    Raises:
        Refusal: 400, the request carries a key as well; 403, the URL is not valid (any longer); 404, the file is gone.
    """
    link = state.followed(token)
    if "authorization" in headers or KEY_HEADER in headers:
        raise Refusal(400, "Only one way to authenticate is allowed, and the URL is one")
    return _served(state, link.blob(), link.media_type, headers)


def _served(state: Voxel51State, blob: Blob, media_type: str, asked: Mapping[str, str]) -> Response:
    if blob.content is None:
        raise Refusal(404, "The emulator was told not to keep files")
    headers = {"content-type": media_type}
    span = None
    if state.options.ranges:
        etag = f'"{blob.md5}"'
        headers |= {"accept-ranges": "bytes", "etag": etag}
        if asked.get("if-range", etag) == etag:
            span = requested(asked.get("range"), blob.size_bytes)
    if span is not None:
        headers["content-range"] = f"bytes {span.start}-{span.stop - 1}/{blob.size_bytes}"
    return _FileResponse(state.blobs, blob, span, headers)


class _FileResponse(Response):
    """A file or a part of one in large pieces, without the second task that Starlette's own streaming needs."""

    def __init__(self, blobs: BlobStore, blob: Blob, span: Span | None, headers: dict[str, str]) -> None:
        self._part = span or Span(0, blob.size_bytes)
        length = {"content-length": str(self._part.stop - self._part.start)}
        super().__init__(None, 200 if span is None else 206, headers | length)
        self._blobs = blobs
        self._blob = blob

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        start: dict[str, Any] = {"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers}
        await send(start)
        if scope["method"] != "HEAD":
            async with aclosing(self._blobs.chunks(self._blob, self._part)) as chunks:
                async for chunk in chunks:
                    await send({"type": "http.response.body", "body": chunk, "more_body": True})
        await send({"type": "http.response.body", "body": b"", "more_body": False})
