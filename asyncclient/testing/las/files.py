"""Documents' files: their address, their type, and the file server that takes them in and hands them out."""

from __future__ import annotations

from contextlib import aclosing
from typing import Any

from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from asyncclient.testing._blobs import Blob, BlobStore
from asyncclient.testing._contract import Refusal
from asyncclient.testing._emulator import Exchange
from asyncclient.testing.las.state import LasState
from asyncclient.testing.las.tables import Row, now

__all__ = ["FOLDER", "content_type_of", "file_url", "get_file", "put_file", "store"]

FOLDER = "fileserver"  # first segment of its paths


def file_url(origin: str, document_id: str) -> str:
    """Return the address of a document's file."""
    return f"{origin}/{FOLDER}/documents/{document_id}"


def content_type_of(head: bytes) -> str | None:
    """Tell the type of a file from its first bytes; None for types the service does not take."""
    if head.startswith(b"\xff\xd8\xff"):
        return "image/jpeg"
    if head.startswith(b"\x89PNG"):
        return "image/png"
    if head.startswith(b"RIFF") and head[8:14] == b"WEBPVP":
        return "image/webp"
    if head.startswith((b"II*\x00", b"MM\x00*")):
        return "image/tiff"
    if head.removeprefix(b"\xef\xbb\xbf").startswith(b"%PDF"):
        return "application/pdf"
    return None


def store(state: LasState, row: Row, blob: Blob) -> None:
    """Make a file that of a document; the one it had before is gone."""
    old = row.hidden.get("blob")
    if old is not None:
        state.blobs.discard(old)
    row.hidden["blob"] = blob
    row.hidden.pop("content", None)
    row.data.update(contentMD5=blob.md5, contentType=content_type_of(blob.head), updatedTime=now())


async def put_file(state: LasState, row: Row, exchange: Exchange) -> Response:
    """Take a file in.

    Raises:
        Refusal: 400, it is empty or of a type the service does not take; 413, it is too large.
    """
    limit = state.options.max_file_bytes
    announced = exchange.request.headers.get("content-length", "0")
    if announced.isdecimal() and int(announced) > limit:
        raise Refusal(413, f"the file is larger than {limit} bytes")
    blob = await state.blobs.receive(exchange.request.stream(), limit_bytes=limit)
    problem = None
    if blob.size_bytes == 0:
        problem = "The file is empty"
    elif state.options.only_known_files and content_type_of(blob.head) is None:
        problem = "Unsupported file"
    if problem is not None:
        state.blobs.discard(blob)
        raise Refusal(400, problem)
    store(state, row, blob)
    return Response(status_code=200)


def get_file(state: LasState, row: Row, exchange: Exchange) -> Response:
    """Hand a file out. Pages and sizes may be asked for; what comes is the file as it was stored.

    Raises:
        Refusal: 400, an option is unknown or wrong; 404, the document has no file.
    """
    for name, value in exchange.request.query_params.multi_items():
        _check_option(name, value)
    blob: Blob | None = row.hidden.get("blob")
    if blob is None:
        raise Refusal(404, "The document has no file")
    if blob.content is None:
        raise Refusal(404, "The emulator was told not to keep files")
    return _FileResponse(state.blobs, blob, row.data["contentType"] or "application/octet-stream")


def _check_option(name: str, value: str) -> None:
    number = int(value) if value.removeprefix("-").isdecimal() else None
    accepted = {
        "width": number is not None and number >= 0,
        "height": number is not None and number >= 0,
        "density": number is not None and number >= 0,
        "page": number is not None,
        "rotation": number in (0, 90, 180, 270),
        "quality": value == "low",
    }
    if name not in accepted:
        raise Refusal(400, f"query: '{name}' is not known")
    if not accepted[name]:
        raise Refusal(400, f"query.{name}: is not an accepted value")


class _FileResponse(Response):
    """A stored file in large pieces, without the second task that Starlette's own streaming needs."""

    def __init__(self, blobs: BlobStore, blob: Blob, content_type: str) -> None:
        super().__init__(None, 200, {"content-length": str(blob.size_bytes)}, media_type=content_type)
        self._blobs = blobs
        self._blob = blob

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        start: dict[str, Any] = {"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers}
        await send(start)
        async with aclosing(self._blobs.chunks(self._blob)) as chunks:
            async for chunk in chunks:
                await send({"type": "http.response.body", "body": chunk, "more_body": True})
        await send({"type": "http.response.body", "body": b"", "more_body": False})
