"""Writing the body of a request: bounded memory, an eye on the peer, and exactly the bytes that were announced."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Final

from asyncclient._messages import Body
from asyncclient._net.exchange import Exchange, Link
from asyncclient._net.wire import CHUNKED
from asyncclient.errors import LocalProtocolError

__all__ = ["send_body", "send_bytes"]

# What is handed to the transport at a time, so that a write timeout means "no progress" and not "a large body".
_SLICE_BYTES: Final = 256 * 1024
# A body that never waits (memory, an iterable) lets the loop run after this much.
_YIELD_BYTES: Final = 1024 * 1024


class _Writer:
    """Writes for one exchange until it is settled."""

    __slots__ = ("_exchange", "_link", "_unyielded")

    def __init__(self, link: Link, exchange: Exchange) -> None:
        self._link = link
        self._exchange = exchange
        self._unyielded = 0

    async def put(self, data: bytes | memoryview) -> None:
        """Write data; returns early, having written less, when the exchange is settled."""
        size = len(data)
        if size <= _SLICE_BYTES:
            await self._put_slice(data)
            return
        view = memoryview(data)
        for start in range(0, size, _SLICE_BYTES):
            await self._put_slice(view[start : start + _SLICE_BYTES])

    async def _put_slice(self, data: bytes | memoryview) -> None:
        # Waits before it writes, never after: with the last byte written the request is sent.
        link, exchange = self._link, self._exchange
        if not link.writable:
            await link.wait_writable(exchange)
            self._unyielded = 0
        elif self._unyielded > _YIELD_BYTES or (exchange.head is None and link.has_input()):
            # A peer that refuses and closes makes the next write fail, and with it goes the answer that is already here.
            # Twice: what the loop finds in its next turn is handled behind this task, which stood in line before it.
            await asyncio.sleep(0)
            await asyncio.sleep(0)
            self._unyielded = 0
        if not exchange.settled:
            link.write(exchange, data)
            self._unyielded += len(data)


async def send_bytes(link: Link, exchange: Exchange, head: bytes, body: bytes, length: int) -> None:
    """Write a request whose body is in memory; stops when the peer refuses before its end."""
    writer = _Writer(link, exchange)
    await writer.put(head)
    if length == CHUNKED:  # the caller has said so in a header
        body = b"%x\r\n%b\r\n0\r\n\r\n" % (len(body), body) if body else b"0\r\n\r\n"
    await writer.put(body)
    exchange.sent = not exchange.settled


async def send_body(link: Link, exchange: Exchange, head: bytes, body: Body, length: int) -> None:
    """Write a request with a body that is produced piece by piece; stops when the peer refuses before its end.

    The first piece is fetched before anything is written, so that a body that cannot be opened costs nothing.

    Raises:
        LocalProtocolError: The body has not the announced number of bytes.
        Exception: Whatever the body raises. In both cases the caller drops the connection.
    """
    pieces = body.open()
    try:
        if length == CHUNKED:
            await _send_chunks(_Writer(link, exchange), exchange, head, pieces)
        else:
            await _send_length(_Writer(link, exchange), exchange, head, pieces, length)
    finally:
        aclose = getattr(pieces, "aclose", None)
        if aclose is not None:
            await aclose()


async def _send_length(
    writer: _Writer, exchange: Exchange, head: bytes, pieces: AsyncIterator[bytes], length: int
) -> None:
    left = length
    async for piece in pieces:
        left -= len(piece)
        if left < 0:
            raise _wrong_length(exchange, f"more than the announced {length} bytes")
        await writer.put(head + piece if head else piece)
        head = b""
        if exchange.settled:
            return
        exchange.sent = left == 0
    if left:
        raise _wrong_length(exchange, f"{length - left} instead of the announced {length} bytes")
    if head:
        await writer.put(head)
        exchange.sent = True


async def _send_chunks(writer: _Writer, exchange: Exchange, head: bytes, pieces: AsyncIterator[bytes]) -> None:
    async for piece in pieces:
        if not piece:  # an empty chunk would end the body
            continue
        await writer.put(b"%b%x\r\n%b\r\n" % (head, len(piece), piece))
        head = b""
        if exchange.settled:
            return
    await writer.put(b"%b0\r\n\r\n" % head)
    exchange.sent = not exchange.settled


def _wrong_length(exchange: Exchange, what: str) -> LocalProtocolError:
    return LocalProtocolError(f"the body of the request has {what}", request_sent=exchange.written)
