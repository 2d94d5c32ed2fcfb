"""A small ASGI application that real servers serve to the tests; plain ASGI, so that nothing stands between."""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

__all__ = ["app"]

Scope = dict[str, Any]
Receive = Callable[[], Awaitable[dict[str, Any]]]
Send = Callable[[dict[str, Any]], Awaitable[None]]

PIECE = bytes(range(256)) * 256


async def app(scope: Scope, receive: Receive, send: Send) -> None:
    """Answer by path: ``/bytes/N``, ``/chunked/N``, ``/digest``, ``/echo``, ``/status/N``, ``/early``."""
    if scope["type"] == "lifespan":
        await _lifespan(receive, send)
        return
    _, name, *rest = scope["path"].split("/")
    if name == "bytes":
        await _begin(send, 200, int(rest[0]))
        await _send_bytes(send, int(rest[0]))
    elif name == "chunked":
        await _begin(send, 200, None)
        await _send_bytes(send, int(rest[0]))
    elif name == "digest":
        digest = hashlib.md5(usedforsecurity=False)
        async for piece in _body(receive):
            digest.update(piece)
        await _whole(send, 200, digest.hexdigest().encode())
    elif name == "echo":
        await _begin(send, 200, None)
        async for piece in _body(receive):
            await send({"type": "http.response.body", "body": piece, "more_body": True})
        await send({"type": "http.response.body"})
    elif name == "status":
        await _begin(send, int(rest[0]), None)
        await send({"type": "http.response.body"})
    elif name == "early":
        await _whole(send, 413, b"too large")
    else:
        await _whole(send, 404, b"not found")


async def _lifespan(receive: Receive, send: Send) -> None:
    while True:
        message = await receive()
        await send({"type": f"{message['type']}.complete"})
        if message["type"] == "lifespan.shutdown":
            return


async def _begin(send: Send, status: int, length: int | None) -> None:
    headers = [(b"content-type", b"application/octet-stream")]
    if length is not None:
        headers.append((b"content-length", b"%d" % length))
    await send({"type": "http.response.start", "status": status, "headers": headers})


async def _send_bytes(send: Send, size: int) -> None:
    while size > 0:
        await send({"type": "http.response.body", "body": PIECE[:size], "more_body": True})
        size -= len(PIECE)
    await send({"type": "http.response.body"})


async def _whole(send: Send, status: int, body: bytes) -> None:
    await _begin(send, status, len(body))
    await send({"type": "http.response.body", "body": body})


async def _body(receive: Receive) -> AsyncIterator[bytes]:
    while True:
        message = await receive()
        if message["type"] != "http.request":
            return
        yield message.get("body", b"")
        if not message.get("more_body", False):
            return
