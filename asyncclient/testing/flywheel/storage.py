"""``/signed/...``: the storage behind signed addresses, to which no key is sent."""

from __future__ import annotations

import re

from starlette.responses import Response

from asyncclient.testing._contract import Refusal
from asyncclient.testing._emulator import Exchange
from asyncclient.testing._ranges import requested
from asyncclient.testing.flywheel.contents import ContentResponse
from asyncclient.testing.flywheel.state import FlywheelState
from asyncclient.testing.flywheel.uploads import CHUNK_BYTES, Slot, Upload, etag_of

__all__ = ["answer"]

_CONTENT_RANGE = re.compile(r"bytes (?:(\d+)-(\d+)|\*)/(\d+|\*)", re.ASCII)


async def answer(state: FlywheelState, exchange: Exchange, segments: list[str]) -> Response:
    """Serve one request to a signed address. Refusals are raised."""
    request = exchange.request
    if "authorization" in request.headers:
        raise Refusal(400, "Only one auth mechanism allowed")
    if request.method == "PUT" and len(segments) == 3:
        upload, slot = _slot(state, segments[2])
        _check(exchange, upload, slot)
        return await (_put_session(state, exchange, slot) if slot.storage == "google" else _put(state, exchange, slot))
    if request.method in ("GET", "HEAD") and len(segments) == 2:
        return _get(state, exchange, segments[1])
    raise Refusal(405, "Method Not Allowed", {"allow": "GET, HEAD, PUT"})


def _slot(state: FlywheelState, key: str) -> tuple[Upload, Slot]:
    for upload in state.uploads.values():
        for slot in upload.slots.values():
            if slot.key == key:
                return upload, slot
    raise Refusal(404, "NoSuchUpload")


def _check(exchange: Exchange, upload: Upload, slot: Slot) -> None:
    headers = exchange.request.headers
    if upload.expired or exchange.request.query_params.get("sig") != slot.signature:
        raise Refusal(403, "Request has expired" if upload.expired else "SignatureDoesNotMatch")
    for name, value in upload.headers.items():
        if headers.get(name) != value:
            raise Refusal(403, f"{name}: is part of the signature and missing")
    if "content-length" not in headers:
        raise Refusal(411, "MissingContentLength")


async def _put(state: FlywheelState, exchange: Exchange, slot: Slot) -> Response:
    text = exchange.request.query_params.get("partNumber", "")
    number = int(text) if text.isdecimal() else 0
    if not 1 <= number <= slot.count:
        raise Refusal(400, "InvalidArgument: partNumber")
    stream = exchange.request.stream()
    blob = await slot.put(state.blobs, number, stream, limit_bytes=state.options.max_file_bytes)
    return Response(status_code=200 if slot.storage == "s3" else 201, headers={"etag": f'"{etag_of(blob)}"'})


async def _put_session(state: FlywheelState, exchange: Exchange, slot: Slot) -> Response:
    """Take a part of a resumable session, or tell how far it is."""
    async with slot.lock:
        span, total = _content_range(exchange)
        if span is None:
            return _progress(slot)
        start, stop = span
        if slot.done or start < stop <= slot.received_bytes:  # the answer to it was lost
            async for _ in exchange.request.stream():
                pass
            return _progress(slot)
        _check_chunk(slot, start, stop, total)
        stream = exchange.request.stream()
        await slot.put(state.blobs, len(slot.parts) + 1, stream, limit_bytes=state.options.max_file_bytes)
        slot.done = total is not None and slot.received_bytes == total
        return _progress(slot)


def _content_range(exchange: Exchange) -> tuple[tuple[int, int] | None, int | None]:
    headers = exchange.request.headers
    length = int(headers["content-length"])
    text = headers.get("content-range")
    if text is None:
        return (0, length), length
    found = _CONTENT_RANGE.fullmatch(text)
    if found is None:
        raise Refusal(400, "Content-Range: is not of the form bytes first-last/total")
    first, last, whole = found.groups()
    total = None if whole == "*" else int(whole)
    if first is None:
        return None, total
    if int(last) + 1 - int(first) != length:
        raise Refusal(400, "Content-Range: contradicts Content-Length")
    return (int(first), int(last) + 1), total


def _check_chunk(slot: Slot, start: int, stop: int, total: int | None) -> None:
    if total is not None and slot.size_bytes is not None and total != slot.size_bytes:
        raise Refusal(400, f"the content has {total} bytes and {slot.size_bytes} were announced")
    if start != slot.received_bytes:
        raise Refusal(400, f"the session has {slot.received_bytes} bytes; the part begins at {start}")
    if stop != total and (stop - start) % CHUNK_BYTES:
        raise Refusal(400, f"a part that is not the last must be a multiple of {CHUNK_BYTES} bytes")


def _progress(slot: Slot) -> Response:
    if slot.done:
        return Response(status_code=200)
    received = slot.received_bytes
    return Response(status_code=308, headers={"range": f"bytes=0-{received - 1}"} if received else {})


def _get(state: FlywheelState, exchange: Exchange, token: str) -> Response:
    ticket = state.tickets.get(token)
    if ticket is None or "signed" not in ticket:
        raise Refusal(404, "NoSuchKey")
    _, series = state.file(ticket["file_id"])
    version = series.version(ticket["version"])
    asked = exchange.request.headers
    etag = f'"{version.id}"'
    headers = {"etag": etag, "accept-ranges": "bytes", "content-type": version.mimetype}
    span = None
    if asked.get("if-range", etag) == etag:
        span = requested(asked.get("range"), version.content.size_bytes)
    return ContentResponse(state.blobs, version.content, span, headers)
