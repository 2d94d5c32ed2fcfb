"""One connection: an asyncio protocol that writes one request at a time and hands out its answer.

The path of a small request has no task, no timeout object and no queue: one write, one future, one parse of the head.
Two rules hold it together:

- ``_exchange`` is the request being served, or None. It is set by :meth:`Connection.send` and cleared in exactly three
  places: the answer is complete (``_complete``), it failed (``_fail``), or its caller has gone (``drop``). Whoever
  clears it hands the connection back to its owner as idle, or aborts it, before anything else can run.
- An aborted connection is forgotten by its owner at once; what asyncio still calls afterwards finds no exchange.
"""

from __future__ import annotations

import asyncio
import re
import ssl
from typing import Final

from asyncclient._messages import Request, Response, TimeoutsView
from asyncclient._net.answer import AnswerReader
from asyncclient._net.channel import Channel
from asyncclient._net.exchange import Exchange
from asyncclient._net.peer import Counters, Owner, Peer
from asyncclient._net.sockets import read_leftover
from asyncclient._net.upload import send_body, send_bytes
from asyncclient.errors import ReadError, RemoteProtocolError, TLSError, TransportError, WriteError

__all__ = ["Connection", "Counters", "Owner", "Peer"]

# One recv fills it: at several GB/s the number of system calls decides. Pages that are never touched cost nothing.
_BUFFER_BYTES: Final = 256 * 1024
# What a connection that is given up has for a buffer, until the collector finds it; what gets there is read by nobody.
_SCRATCH: Final = memoryview(bytearray(16 * 1024))
# A reader that is slower than the network stops the network here, and lets it go on when it has taken everything.
_HIGH_WATER_BYTES: Final = 1024 * 1024
# Alerts by which a server ends a handshake. Other errors of TLS may come after it has acted on the request.
_REFUSALS: Final = re.compile("ALERT_(.*CERTIFICATE|UNKNOWN_CA|ACCESS_DENIED|HANDSHAKE_FAILURE|DECRYPT_ERROR)")
# A body up to this size goes out in one write with its head.
_SMALL_BODY_BYTES: Final = 64 * 1024


class Connection(Channel):
    """One HTTP/1.1 connection.

    Attributes:
        peer: Whom it connects to.
        stale: It broke before one byte of an answer to the request it was last given.
        unsent: Of that request not one byte was written.
        idle_order: The larger, the later it became idle; 0 during its first request. Set by the owner.
    """

    __slots__ = (
        "_answer",
        "_keep",
        "_lent",
        "_owner",
        "_view",
        "idle_order",
        "peer",
        "stale",
        "unsent",
    )

    def __init__(self, loop: asyncio.AbstractEventLoop, owner: Owner, peer: Peer) -> None:
        super().__init__(loop, owner.counters)
        self.peer = peer
        self.stale = self.unsent = False
        self.idle_order = 0
        self._owner = owner
        self._view = memoryview(bytearray(_BUFFER_BYTES))
        self._answer = AnswerReader(owner.limits)
        self._keep = True
        self._lent = False

    # -- one request ---------------------------------------------------------------------------------------------

    async def send(self, request: Request, head: bytes, length: int, close: bool, timeouts: TimeoutsView) -> Response:
        """Write a request and wait for the head of its answer.

        Args:
            request: For its method and body.
            head: The request's head, as it is written.
            length: Announced bytes of the body, or ``CHUNKED``.
            close: The request says that the connection ends with it.
            timeouts: Of this request.

        Whatever happens, cancellation included, the connection ends up idle, aborted, or held by the answer's stream.
        """
        exchange = self._begin(request.method, timeouts, close)
        body = request.body
        try:
            if (body is None or isinstance(body, bytes)) and 0 <= length <= _SMALL_BODY_BYTES:
                self.write(exchange, head + body if body else head)
                exchange.sent = True
            elif body is None or isinstance(body, (bytes, bytearray, memoryview)):
                await send_bytes(self, exchange, head, body or b"", length)
            else:
                await send_body(self, exchange, head, body, length)
            while exchange.head is None and exchange.error is None:
                await self._expect(exchange)
                exchange.waiter = None
        except BaseException:
            self.drop(exchange)
            raise
        answer = exchange.head
        if answer is None:
            assert exchange.error is not None
            raise exchange.error
        return Response(answer.status, answer.headers, exchange, http_version=answer.version, reason=answer.reason)

    def _begin(self, method: bytes, timeouts: TimeoutsView, close: bool) -> Exchange:
        assert self._exchange is None
        exchange = self._exchange = Exchange(self, method, timeouts.read, timeouts.write)
        self._answer.reset()
        self._keep = not close
        self.stale = self.unsent = False
        self._counters.requests += 1
        if self.lost:
            self._fail(WriteError("the connection was closed before the request"))
            assert exchange.error is not None
            raise exchange.error
        return exchange

    def drop(self, exchange: Exchange) -> None:
        """Abort the connection, if it still works for this exchange."""
        if self._exchange is exchange:
            self._exchange = None
            exchange.link = None
            self.abort()

    def shut(self) -> None:
        """Abort the connection; whoever waits for an answer is told."""
        if self._exchange is not None:
            self._fail(ReadError("the connection pool was closed"))
        self.abort()

    def abort(self) -> None:
        """Close the socket without waiting for anything; may be repeated."""
        if self.lost:
            return
        self.lost = True
        self._timer.cancel()
        self._answer.close()
        self._view = _SCRATCH
        if self.transport is not None:
            self.transport.abort()
        self._owner.connection_gone(self)

    def _complete(self, exchange: Exchange) -> None:
        """The last byte of the answer is here."""
        self._exchange = None
        exchange.link = None
        head = exchange.head
        assert head is not None
        idle_s = self._owner.keepalive_s if head.keep_s is None else self._idle_s(head.keep_s)
        reusable = self._keep and head.keep and exchange.sent and not self._answer.stray
        if not reusable or (idle_s is not None and idle_s <= 0):
            self.abort()
            return
        if self._reading_stopped:
            self.resume_reading()
        self._timer.arm(idle_s)
        self._owner.connection_idle(self)

    def _idle_s(self, announced_s: float) -> float:
        """How long to keep the connection: as we like, and less than the peer, who began to count before us."""
        theirs = max(announced_s - 1.0, announced_s / 2)
        ours = self._owner.keepalive_s
        return theirs if ours is None else min(ours, theirs)

    def _fail(self, error: TransportError) -> None:
        """No more will come."""
        exchange = self._exchange
        assert exchange is not None
        self._exchange = None
        error.origin = self.peer.name
        error.method = exchange.method.decode("ascii", "replace")
        error.request_sent = exchange.written and not isinstance(error, TLSError)
        self.unsent = not exchange.written
        exchange.error = error
        exchange.link = None
        self.abort()
        exchange.wake()

    # -- called by asyncio ---------------------------------------------------------------------------------------

    def get_buffer(self, sizehint: int) -> memoryview:
        """Lend the buffer of whoever waits for a large body, or our own."""
        exchange = self._exchange
        if exchange is not None and exchange.target is not None:
            view = self._answer.lend(exchange)
            if view is not None:
                self._lent = True
                return view
        self._lent = False
        return self._view

    def buffer_updated(self, nbytes: int) -> None:
        """Take what arrived."""
        self._counters.received += nbytes
        exchange = self._exchange
        if exchange is None:
            self.abort()  # nothing was asked for: whatever it is, it must not answer the next request
            return
        if self._lent:
            self._answer.filled(exchange, nbytes)
            if exchange.target is not None and exchange.filled == len(exchange.target):
                self._stop_reading()  # until there is another buffer: what came now would have to be copied
            exchange.wake()
            return
        if not exchange.written:
            self.stale = True
            self._fail(ReadError("the service sent something before the request"))
            return
        try:
            self._answer.feed(exchange, self._view[:nbytes])
        except RemoteProtocolError as error:
            self._fail(error)
            return
        if self._answer.done:
            self._complete(exchange)
        elif exchange.buffered >= _HIGH_WATER_BYTES:
            self._stop_reading()
        if exchange.head is None:
            self._timer.arm(exchange.read_s)  # part of a head, or an interim answer: the peer is alive
        else:
            exchange.wake()

    def eof_received(self) -> None:
        """Treat the peer's half-close as the end."""
        self.connection_lost(None)

    def connection_lost(self, exc: Exception | None) -> None:
        """Finish or fail what is under way."""
        exchange = self._exchange
        if exchange is not None and exc is not None and not self._answer.begun:
            assert self.transport is not None
            size = read_leftover(self.transport, self._view)
            self._lent = False
            if size:
                self.buffer_updated(size)
                exchange = self._exchange
        if exchange is None:
            self.abort()
            return
        try:
            if exc is not None or not self._answer.begun:
                raise self._broken(exchange, exc) from exc
            self._answer.end(exchange)
        except TransportError as error:
            self._fail(error)
        else:
            self._complete(exchange)
            exchange.wake()

    def _broken(self, exchange: Exchange, exc: Exception | None) -> TransportError:
        self.stale = not self._answer.begun
        if self.stale and not self.idle_order and isinstance(exc, ssl.SSLError) and _REFUSALS.search(exc.reason or ""):
            # With TLS 1.3 a server refuses a client certificate when we think the handshake is over.
            return TLSError(f"{self.peer.name}: the server broke off the TLS handshake: {exc.reason}")
        if exchange.head is None and not exchange.sent:
            return WriteError("the connection broke while the request was written")
        if self.stale:
            return ReadError("the connection was closed without an answer")
        return ReadError("the connection broke in the middle of the answer")
