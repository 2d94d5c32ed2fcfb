"""The bytes of files: read in parts, as a seekable file, and sent."""

from __future__ import annotations

import asyncio
import hashlib
import io
import zipfile
from collections.abc import AsyncGenerator, Callable, Iterator
from contextlib import aclosing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar

from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from asyncclient.testing._blobs import Blob, BlobStore
from asyncclient.testing._contract import Refusal
from asyncclient.testing._ranges import Span
from asyncclient.testing.flywheel.tables import Content, Json

__all__ = ["ContentFile", "ContentResponse", "hashed", "in_pieces", "in_thread", "pieces", "zip_info", "zip_member"]

T = TypeVar("T")

_PIECE_BYTES = 1024 * 1024


async def in_thread(function: Callable[..., T], *arguments: Any) -> T:
    """Call something that reads files, without blocking the loop."""
    return await asyncio.get_running_loop().run_in_executor(None, function, *arguments)


async def pieces(blobs: BlobStore, content: Content, part: Span) -> AsyncGenerator[bytes, None]:
    """Hand out a part of a file in large pieces."""
    position = 0
    for blob in content.blobs:
        span = Span(max(part.start - position, 0), min(part.stop - position, blob.size_bytes))
        if span.start < span.stop:
            async with aclosing(blobs.chunks(blob, span)) as chunks:
                async for piece in chunks:
                    yield piece
        position += blob.size_bytes


class ContentFile(io.RawIOBase):
    """A file as a seekable binary file object, for threads.

    Raises:
        Refusal: 404, the emulator was told not to keep files.
    """

    def __init__(self, content: Content) -> None:
        if any(blob.content is None for blob in content.blobs):
            raise Refusal(404, "the emulator was told not to keep files")
        self._blobs = content.blobs
        self._size = content.size_bytes
        self._position = 0

    def readable(self) -> bool:
        """Return True."""
        return True

    def seekable(self) -> bool:
        """Return True."""
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Go to a position."""
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._position, io.SEEK_END: self._size}[whence]
        self._position = max(0, base + offset)
        return self._position

    def tell(self) -> int:
        """Return the position."""
        return self._position

    def readinto(self, buffer: Any) -> int:
        """Fill a buffer up to the end of the part that the position is in."""
        start = self._position
        for blob in self._blobs:
            if start < blob.size_bytes:
                piece = _read(blob, start, len(buffer))
                buffer[: len(piece)] = piece
                self._position += len(piece)
                return len(piece)
            start -= blob.size_bytes
        return 0


def _read(blob: Blob, start: int, length: int) -> bytes:
    if isinstance(blob.content, bytes):
        return blob.content[start : start + length]
    assert isinstance(blob.content, Path)
    with blob.content.open("rb") as file:
        file.seek(start)
        return file.read(min(length, blob.size_bytes - start))


def _sha384(content: Content) -> str:
    digest = hashlib.sha384()
    file = ContentFile(content)
    while piece := file.read(_PIECE_BYTES):
        digest.update(piece)
    return f"v0-sha384-{digest.hexdigest()}"


async def hashed(content: Content, *, up_to_bytes: int) -> Content:
    """Return a file with its hash, unless it is too large or its bytes are not kept."""
    if content.size_bytes > up_to_bytes or any(blob.content is None for blob in content.blobs):
        return content
    return Content(content.blobs, await in_thread(_sha384, content))


def _opened(content: Content) -> zipfile.ZipFile:
    try:
        return zipfile.ZipFile(io.BufferedReader(ContentFile(content)))
    except zipfile.BadZipFile:
        raise Refusal(400, "The file is not a zip file") from None


def zip_info(content: Content) -> Json:
    """Return comment and members of a zip file. Reads; for threads.

    Raises:
        Refusal: 400, it is no zip file.
    """
    with _opened(content) as archive:
        members = [_member(item) for item in archive.infolist()]
        return {"comment": archive.comment.decode("utf-8", "replace"), "members": members}


def _member(item: zipfile.ZipInfo) -> Json:
    time = datetime(*item.date_time, tzinfo=UTC).isoformat()
    comment = item.comment.decode("utf-8", "replace")
    return {"path": item.filename, "size": item.file_size, "timestamp": time, "comment": comment}


def zip_member(content: Content, path: str) -> bytes:
    """Return a member of a zip file. Reads; for threads.

    Raises:
        Refusal: 400, it is no zip file or has no such member.
    """
    with _opened(content) as archive:
        try:
            return archive.read(path)
        except KeyError:
            raise Refusal(400, "The zip file has no such member") from None


def in_pieces(content: Content) -> Iterator[bytes]:
    """Iterate over the bytes of a file. Reads; for threads."""
    file = ContentFile(content)
    while piece := file.read(_PIECE_BYTES):
        yield piece


class ContentResponse(Response):
    """A part of a file in large pieces, without the second task that Starlette's own streaming needs."""

    def __init__(
        self, blobs: BlobStore, content: Content, part: Span | None, headers: dict[str, str], status: int | None = None
    ) -> None:
        whole = content.size_bytes
        span = part or Span(0, whole)
        if part is not None:
            headers = {**headers, "content-range": f"bytes {part.start}-{part.stop - 1}/{whole}"}
        headers = {**headers, "content-length": str(span.stop - span.start)}
        super().__init__(None, status or (200 if part is None else 206), headers)
        if span.start < span.stop:
            ContentFile(content)  # raises where there is nothing to send
        self._blobs = blobs
        self._content = content
        self._span = span

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send the answer."""
        await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
        if scope["method"] != "HEAD":
            async with aclosing(pieces(self._blobs, self._content, self._span)) as parts:
                async for piece in parts:
                    await send({"type": "http.response.body", "body": piece, "more_body": True})
        await send({"type": "http.response.body", "body": b"", "more_body": False})
