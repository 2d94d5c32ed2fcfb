"""A server that speaks as much of the Voxel51 Platform as moving files takes, and costs as little as possible.

Uploads are counted and thrown away. ``/v1/data/<bytes>-<anything>/download`` is so many bytes, whole or in ranges.
"""

from __future__ import annotations

import asyncio
import contextlib
import re
import sys
from typing import Final

_BLOCK: Final = memoryview(bytes(range(256)) * 4096)  # 1 MiB; a byte is its offset modulo 256
_LENGTH: Final = re.compile(rb"(?i)\r\ncontent-length: *(\d+)")
_RANGE: Final = re.compile(rb"(?i)\r\nrange: *bytes=(\d+)-(\d*)")
_DOWNLOAD: Final = re.compile(rb"GET /v1/data/(\d+)-[^/ ]*/download ")
_STORED: Final = b'{"data": {"id": "1-x", "name": "x", "size": %d}}'


class Platform(asyncio.BufferedProtocol):
    """One connection, one request after the other."""

    def __init__(self) -> None:
        self._buffer = memoryview(bytearray(256 * 1024))
        self._head = b""
        self._left = 0
        self._body = 0
        self._going = asyncio.Event()
        self._going.set()
        self._sending: asyncio.Task[None] | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def connection_lost(self, error: Exception | None) -> None:
        if self._sending is not None:
            self._sending.cancel()

    def pause_writing(self) -> None:
        self._going.clear()

    def resume_writing(self) -> None:
        self._going.set()

    def get_buffer(self, sizehint: int) -> memoryview:
        return self._buffer

    def buffer_updated(self, count: int) -> None:
        if self._left:
            self._take(count)
            return
        self._head += self._buffer[:count]
        end = self._head.find(b"\r\n\r\n")
        if end >= 0:
            head, rest = self._head[:end], len(self._head) - end - 4
            self._head = b""
            self._begin(head, rest)

    def _begin(self, head: bytes, rest: int) -> None:
        wanted = _DOWNLOAD.match(head)
        if wanted is not None:
            self._sending = asyncio.get_running_loop().create_task(self._send(head, int(wanted[1])))
            return
        length = _LENGTH.search(head)
        self._left = self._body = int(length[1]) if length is not None else 0
        self._take(rest)

    def _take(self, count: int) -> None:
        self._left -= count
        if self._left <= 0:
            self._left = 0
            body = _STORED % self._body
            self._transport.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body))

    async def _send(self, head: bytes, size: int) -> None:
        asked = _RANGE.search(head)
        first, last = (int(asked[1]), min(int(asked[2] or size - 1), size - 1)) if asked else (0, size - 1)
        lines = b"HTTP/1.1 200 OK\r\n"
        if asked:
            lines = b"HTTP/1.1 206 Partial Content\r\nContent-Range: bytes %d-%d/%d\r\n" % (first, last, size)
        self._transport.write(b'%sETag: "v"\r\nContent-Length: %d\r\n\r\n' % (lines, last + 1 - first))
        at = first
        while at <= last:
            begin = at % 256
            piece = _BLOCK[begin : begin + min(last + 1 - at, len(_BLOCK) - 256)]
            self._transport.write(piece)
            at += len(piece)
            await self._going.wait()


async def _serve(port: int) -> None:
    server = await asyncio.get_running_loop().create_server(Platform, "127.0.0.1", port, backlog=1024)
    async with server:
        await server.serve_forever()


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(_serve(int(sys.argv[1])))
