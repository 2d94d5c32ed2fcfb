"""A connection without a socket: an ``asyncio.Transport`` that keeps what is written and says what it was told."""

from __future__ import annotations

import asyncio
from typing import Any

from asyncclient._messages import Origin
from asyncclient._net.answer import HeadLimits
from asyncclient._net.connection import Connection, Counters, Peer

__all__ = ["MemoryOwner", "MemoryTransport"]


class MemoryTransport(asyncio.Transport):
    """Takes everything, at once.

    Attributes:
        written: All bytes so far.
    """

    def __init__(self) -> None:
        super().__init__()
        self.written = bytearray()
        self.reading = True
        self._closing = False

    def write(self, data: Any) -> None:
        self.written += data

    def abort(self) -> None:
        self._closing = True

    close = abort

    def is_closing(self) -> bool:
        return self._closing

    def is_reading(self) -> bool:
        return self.reading

    def pause_reading(self) -> None:
        self.reading = False

    def resume_reading(self) -> None:
        self.reading = True

    def get_write_buffer_size(self) -> int:
        return 0

    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None:
        pass


class MemoryOwner:
    """Owns one connection and remembers what became of it."""

    def __init__(self, *, max_head_bytes: int = 256 * 1024, max_headers: int = 256) -> None:
        self.counters = Counters()
        self.limits = HeadLimits(max_head_bytes, max_headers)
        self.keepalive_s: float | None = None
        self.idle = False
        self.gone = False
        self.transport = MemoryTransport()
        self.conn = Connection(asyncio.get_running_loop(), self, Peer(Origin("http", "example.test", 80)))
        self.conn.connection_made(self.transport)

    def connection_idle(self, conn: Connection) -> None:
        self.idle = True

    def connection_gone(self, conn: Connection) -> None:
        self.gone = True

    def feed(self, data: bytes) -> None:
        """Let bytes arrive, as the loop would."""
        while data:
            buffer = self.conn.get_buffer(-1)
            piece, data = data[: len(buffer)], data[len(buffer) :]
            buffer[: len(piece)] = piece
            self.conn.buffer_updated(len(piece))
