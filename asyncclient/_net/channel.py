"""The socket under a connection: how much it takes and gives at a time, and how long is waited for it."""

from __future__ import annotations

import asyncio
from typing import Final, cast

from asyncclient._net.exchange import Exchange
from asyncclient._net.peer import Counters
from asyncclient._net.sockets import has_input
from asyncclient._net.timer import DeadlineTimer
from asyncclient.errors import ReadTimeout, TransportError, WriteTimeout

__all__ = ["Channel"]

# Enough in the transport that the next piece can be fetched from a disk while this one is sent.
_WRITE_HIGH_BYTES: Final = 512 * 1024


class Channel(asyncio.BufferedProtocol):
    """An asyncio protocol that waits for its transport on behalf of one exchange at a time.

    Attributes:
        transport: None before :meth:`connection_made`.
        lost: Aborted or closed, for good.
        writable: The transport takes more.
    """

    __slots__ = (
        "_counters",
        "_exchange",
        "_loop",
        "_reading_stopped",
        "_timer",
        "_unwritten",
        "_writing",
        "lost",
        "transport",
        "writable",
    )

    def __init__(self, loop: asyncio.AbstractEventLoop, counters: Counters) -> None:
        self.transport: asyncio.Transport | None = None
        self.lost = False
        self.writable = True
        self._loop = loop
        self._counters = counters
        self._exchange: Exchange | None = None
        self._timer = DeadlineTimer(loop, self._on_due)
        self._reading_stopped = False
        self._writing = False
        self._unwritten = 0

    def abort(self) -> None:
        """Close the socket without waiting for anything; may be repeated."""
        raise NotImplementedError

    def _fail(self, error: TransportError) -> None:
        """Let the exchange end with an error."""
        raise NotImplementedError

    # -- waiting -------------------------------------------------------------------------------------------------

    async def wait_readable(self, exchange: Exchange) -> None:
        """Wait until something happens to the answer; the read timeout fails the exchange."""
        if exchange.waiter is not None:
            raise RuntimeError("two tasks read one answer at the same time")
        try:
            await self._expect(exchange)
        finally:
            exchange.waiter = None

    def _expect(self, exchange: Exchange) -> asyncio.Future[None]:
        """Begin to wait for the answer; returns the waiter, which is taken away again by whoever has awaited it."""
        waiter = exchange.waiter = self._loop.create_future()
        assert self.transport is not None
        self._writing = False
        self._unwritten = self.transport.get_write_buffer_size()
        self._timer.arm(exchange.read_s)
        return waiter

    async def wait_writable(self, exchange: Exchange) -> None:
        """Wait until the transport takes more, or the exchange is settled; the write timeout fails the exchange."""
        while not self.writable and not exchange.settled:
            exchange.waiter = self._loop.create_future()
            self._writing = True
            self._unwritten = self._to_write()
            self._timer.arm(exchange.write_s)
            try:
                await exchange.waiter
            finally:
                exchange.waiter = None

    def _on_due(self) -> None:
        exchange = self._exchange
        if exchange is None:
            self.abort()
        elif exchange.waiter is None or exchange.waiter.done():
            pass  # nobody waits any more; whoever does next moves the deadline
        elif self._has_written():
            self._timer.arm(exchange.write_s if self._writing else exchange.read_s)
        elif self._writing:
            self._fail(WriteTimeout(f"the peer took nothing of the request for {exchange.write_s:g} s"))
        else:
            self._fail(ReadTimeout(f"nothing of the answer came for {exchange.read_s:g} s"))

    def _has_written(self) -> bool:
        """Whether the peer took something since the last look: that is progress, whichever end is waited for."""
        before, self._unwritten = self._unwritten, self._to_write()
        return self._unwritten < before

    def _to_write(self) -> int:
        assert self.transport is not None
        return self.transport.get_write_buffer_size()

    # -- what goes in and out ------------------------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Take the transport."""
        self.transport = cast(asyncio.Transport, transport)
        if self.lost:  # what came with the end of the TLS handshake has ended it already
            self.transport.abort()
            return
        self.transport.set_write_buffer_limits(high=_WRITE_HIGH_BYTES)

    def pause_writing(self) -> None:
        """Remember that the transport is full."""
        self.writable = False

    def resume_writing(self) -> None:
        """Let the upload go on."""
        self.writable = True
        if self._exchange is not None and self._writing:
            self._exchange.wake()

    def write(self, exchange: Exchange, data: bytes | memoryview) -> None:
        """Give bytes of the request to the socket."""
        assert self.transport is not None
        if self.transport.is_closing():  # the loss is known, and will be told in the next turn of the loop
            return
        exchange.written = True
        self._counters.sent += len(data)
        self.transport.write(data)

    def has_input(self) -> bool:
        """Whether the peer has sent something, or closed, that the loop has not seen yet."""
        assert self.transport is not None
        return has_input(self.transport)

    def _stop_reading(self) -> None:
        if not self._reading_stopped:
            assert self.transport is not None
            self._reading_stopped = True
            self.transport.pause_reading()

    def resume_reading(self) -> None:
        """Let the peer go on, if it was stopped because its bytes were not taken."""
        if self._reading_stopped:
            assert self.transport is not None
            self._reading_stopped = False
            if not self.transport.is_closing():
                self.transport.resume_reading()
