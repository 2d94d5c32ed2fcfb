"""A server that does exactly what a script says, and remembers what it was sent.

A script is a list of steps, one list per connection in the order of arrival; the last one serves all further
connections::

    async with FaultServer([Head(), Send(b"HTTP/1.1 200 OK\\r\\n"), Reset()], [Head(), Send(OK)]) as server:
        ...
        assert len(server.connections) == 2

A step that fails because the client has gone ends its connection and is no error.
"""

from __future__ import annotations

import asyncio
import re
import socket
import ssl
import struct
from collections.abc import Sequence
from dataclasses import dataclass, field
from types import TracebackType
from typing import Self

from asyncclient._messages import Origin

__all__ = [
    "OK",
    "Body",
    "Close",
    "Drip",
    "FaultServer",
    "HalfClose",
    "Hang",
    "Head",
    "Repeat",
    "Reset",
    "Seen",
    "Send",
    "Step",
    "Take",
    "Until",
    "answer",
]


@dataclass(frozen=True)
class Head:
    """Read the head of a request."""


@dataclass(frozen=True)
class Body:
    """Read the body of the request whose head was read: by its length, or by its chunks.

    Attributes:
        size: Read only this many bytes.
    """

    size: int | None = None


@dataclass(frozen=True)
class Take:
    """Read so many bytes, whatever they are."""

    size: int


@dataclass(frozen=True)
class Send:
    """Send bytes at once."""

    data: bytes


@dataclass(frozen=True)
class Drip:
    """Send bytes in small pieces, each in a segment of its own."""

    data: bytes
    size: int = 1
    delay_s: float = 0.0


@dataclass(frozen=True)
class Until:
    """Wait for an event of the test."""

    event: asyncio.Event


@dataclass(frozen=True)
class Hang:
    """Do nothing until the client goes."""


@dataclass(frozen=True)
class HalfClose:
    """End the sending direction."""


@dataclass(frozen=True)
class Close:
    """Close in order."""


@dataclass(frozen=True)
class Reset:
    """Close with RST, as a crashed peer or a firewall does."""


@dataclass(frozen=True)
class Repeat:
    """Do some steps again and again, until the client goes."""

    steps: Sequence[Step]


Step = Head | Body | Take | Send | Drip | Until | Hang | HalfClose | Close | Reset | Repeat


def answer(body: bytes = b"", *headers: bytes, status: bytes = b"200 OK") -> bytes:
    """Write an answer with a length."""
    lines = [b"HTTP/1.1 " + status, b"Content-Length: %d" % len(body), *headers, b"", b""]
    return b"\r\n".join(lines) + body


OK = answer(b"ok")


@dataclass
class Seen:
    """What one connection brought."""

    heads: list[bytes] = field(default_factory=list)
    bodies: list[bytes] = field(default_factory=list)
    closed: asyncio.Event = field(default_factory=asyncio.Event)
    """The connection has ended, whoever ended it."""

    @property
    def raw(self) -> bytes:
        """Everything that steps have read."""
        return b"".join(self.heads) + b"".join(self.bodies)


class FaultServer:
    """Serves scripts on a free port of 127.0.0.1.

    Attributes:
        origin: Where it listens.
        connections: One record per accepted connection, in the order of arrival.
    """

    def __init__(self, *scripts: Sequence[Step], tls: ssl.SSLContext | None = None, host: str = "127.0.0.1") -> None:
        self.connections: list[Seen] = []
        self._scripts = scripts or ([Repeat([Head(), Send(OK)])],)
        self._tls = tls
        self._host = host
        self._server: asyncio.Server | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    @property
    def origin(self) -> Origin:
        assert self._server is not None
        scheme = "http" if self._tls is None else "https"
        return Origin(scheme, self._host, self._server.sockets[0].getsockname()[1])

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._serve, self._host, 0, ssl=self._tls, limit=1 << 20)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._server is not None
        for _ in range(3):
            await asyncio.sleep(0)  # what the loop has accepted gets its task, and with it somebody who closes it
        self._server.close()
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def wait_closed(self, count: int) -> None:
        """Wait until that many connections have been made and have ended."""
        async with asyncio.timeout(10):
            while len(self.connections) < count:
                await asyncio.sleep(0.001)
            for seen in self.connections[:count]:
                await seen.closed.wait()

    @property
    def open(self) -> int:
        """Connections there are now."""
        return sum(not seen.closed.is_set() for seen in self.connections)

    def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        script = self._scripts[min(len(self.connections), len(self._scripts) - 1)]
        seen = Seen()
        self.connections.append(seen)
        task = asyncio.get_running_loop().create_task(_play(script, seen, reader, writer))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


async def _play(script: Sequence[Step], seen: Seen, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        for step in script:
            await _do(step, seen, reader, writer)
        await writer.drain()
        writer.close()
        await writer.wait_closed()
    except (OSError, EOFError, asyncio.LimitOverrunError):
        pass  # the client has gone
    finally:
        # CPython 3.11: abort() fails on a transport that was closing and has written its last byte since.
        if not writer.transport.is_closing() or writer.transport.get_write_buffer_size():
            writer.transport.abort()
        seen.closed.set()


async def _do(step: Step, seen: Seen, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    match step:
        case Head():
            seen.heads.append(await reader.readuntil(b"\r\n\r\n"))
        case Body(size):
            seen.bodies.append(await _read_body(seen.heads[-1], reader, size))
        case Take(size):
            await reader.readexactly(size)
        case Send(data):
            await _write(writer, data)
        case Drip(data, size, delay_s):
            for start in range(0, len(data), size):
                await _write(writer, data[start : start + size])
                await asyncio.sleep(delay_s)
        case Until(event):
            await event.wait()
        case Hang():
            while await reader.read(1 << 20):
                pass
        case HalfClose():
            writer.write_eof()
        case Close():
            writer.close()
            await writer.wait_closed()
        case Reset():
            await writer.drain()
            sock: socket.socket = writer.get_extra_info("socket")
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            writer.transport.abort()
        case Repeat(steps):
            while True:
                for inner in steps:
                    await _do(inner, seen, reader, writer)


async def _write(writer: asyncio.StreamWriter, data: bytes) -> None:
    if writer.is_closing():
        raise ConnectionResetError
    writer.write(data)
    await writer.drain()


async def _read_body(head: bytes, reader: asyncio.StreamReader, size: int | None) -> bytes:
    if size is not None:
        return await reader.readexactly(size)
    length = re.search(rb"(?i)\r\ncontent-length: *(\d+)", head)
    if length is not None:
        return await reader.readexactly(int(length[1]))
    if not re.search(rb"(?i)\r\ntransfer-encoding: *chunked", head):
        return b""
    pieces = []
    while chunk := int(await reader.readuntil(b"\r\n"), 16):
        pieces.append((await reader.readexactly(chunk + 2))[:-2])
    await reader.readexactly(2)
    return b"".join(pieces)
