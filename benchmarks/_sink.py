"""A server that takes resumable uploads and throws the bytes away, for benchmarks."""

from __future__ import annotations

import asyncio
import contextlib
import re
import sys


class Sink(asyncio.BufferedProtocol):
    """One session per connection is all a sequential upload needs; bodies are counted, not kept."""

    kept = 0

    def __init__(self) -> None:
        self._buffer = memoryview(bytearray(256 * 1024))
        self._head = b""
        self._left = 0
        self._answer = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def get_buffer(self, sizehint: int) -> memoryview:
        return self._buffer

    def buffer_updated(self, count: int) -> None:
        if self._left:
            self._take(count)
            return
        self._head += self._buffer[:count]
        end = self._head.find(b"\r\n\r\n")
        if end >= 0:
            rest = len(self._head) - end - 4
            self._begin(self._head[:end])
            self._head = b""
            self._take(rest)

    def _begin(self, head: bytes) -> None:
        length = re.search(rb"(?i)\r\ncontent-length: *(\d+)", head)
        self._left = int(length[1]) if length is not None else 0
        found = re.search(rb"(?i)content-range: *bytes \d+-(\d+)/(\d+)", head)
        if found is None:
            host = self._transport.get_extra_info("sockname")
            self._answer = _answer(200, b"Location: http://127.0.0.1:%d/session\r\n" % host[1])
        elif int(found[1]) + 1 == int(found[2]):
            self._answer = _answer(200, b"")
        else:
            self._answer = _answer(308, b"Range: bytes=0-%s\r\n" % found[1])

    def _take(self, count: int) -> None:
        self._left -= count
        if self._left <= 0:
            self._left = 0
            self._transport.write(self._answer)


def _answer(status: int, headers: bytes) -> bytes:
    return b"HTTP/1.1 %d X\r\nContent-Length: 0\r\n%s\r\n" % (status, headers)


async def _serve(port: int) -> None:
    server = await asyncio.get_running_loop().create_server(Sink, "127.0.0.1", port)
    async with server:
        await server.serve_forever()


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(_serve(int(sys.argv[1])))
