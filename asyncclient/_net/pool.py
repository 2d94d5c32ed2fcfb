"""The connection pool: which connection a request gets, and nothing else.

The pool never queues. Whoever calls it admits no more requests than there are connections; here the limit is a guard.
"""

from __future__ import annotations

import asyncio
import ssl
from typing import NamedTuple

from asyncclient._messages import Origin, Request, Response, TimeoutsView
from asyncclient._net.answer import HeadLimits
from asyncclient._net.connect import open_connection
from asyncclient._net.connection import Connection, Counters, Peer
from asyncclient._net.tls import Cert, Verify, make_context
from asyncclient._net.wire import encode_head
from asyncclient.errors import (
    ConfigurationError,
    ConnectError,
    ConnectTimeout,
    HubClosed,
    TransportError,
    UnknownHost,
    WrongLoop,
)

__all__ = ["Pool", "PoolStatistics"]

# Origins without a connection are forgotten beyond this many.
_MAX_PEERS = 256


class PoolStatistics(NamedTuple):
    """What a pool has done and holds."""

    opened: int
    """Connections made so far."""
    open: int
    """Connections there are now, those being made included."""
    idle: int
    """Of these, waiting for a request."""
    active: int
    """Of these, being made or serving a request."""
    bytes_sent: int
    """Bytes of HTTP written (before TLS)."""
    bytes_received: int
    """Bytes of HTTP read (after TLS)."""
    requests: int
    """Requests begun on a connection, repetitions included."""
    origins: dict[str, dict[str, int]]
    """Connections made, by origin: how many are ``idle``, how many ``busy``."""


class Pool:
    """HTTP/1.1 connections, kept alive per origin. Implements :class:`asyncclient._messages.Transport`.

    Args:
        max_connections: Most connections at a time. Idle ones are closed to make room.
        keepalive_expiry: Seconds an idle connection is kept; None for as long as the server likes, 0 for never.
        ssl_context: Used as it is, in place of ``verify`` and ``cert``.
        verify: Whom to trust; see :func:`asyncclient._net.tls.make_context`.
        cert: Client certificate; see there.
        max_head_bytes: Longest head of an answer.
        max_header_count: Most header lines of an answer.

    A pool belongs to the event loop in which it is first used. It is safe to use from many tasks of that loop.
    """

    def __init__(
        self,
        *,
        max_connections: int = 32,
        keepalive_expiry: float | None = 30.0,
        ssl_context: ssl.SSLContext | None = None,
        verify: Verify = True,
        cert: Cert | None = None,
        max_head_bytes: int = 256 * 1024,
        max_header_count: int = 256,
    ) -> None:
        self.counters = Counters()
        self.limits = HeadLimits(max_head_bytes, max_header_count)
        self.keepalive_s = keepalive_expiry
        self.max_connections = max_connections
        self._context = ssl_context
        self._verify = verify
        self._cert = cert
        self._making_context: asyncio.Future[ssl.SSLContext] | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._closed = False
        self._peers: dict[Origin, Peer] = {}
        self._connections: set[Connection] = set()
        self._connecting: set[asyncio.Timeout] = set()
        self._releases = 0

    async def send(self, request: Request, timeouts: TimeoutsView) -> Response:
        """Send a request; see :class:`asyncclient._messages.Transport`.

        A kept connection that turns out closed before any answer is replaced by a fresh one, once, if the request may
        be repeated or no byte of it was written.

        Raises:
            TransportError: One of its subclasses.
            HubClosed: The pool is closed.
            RuntimeError: More requests at a time than ``max_connections``: a defect of the caller.
        """
        if asyncio.get_running_loop() is not self._loop:
            self._bind()
        peer = self._peers.get(request.origin)
        if peer is None:
            peer = self._add_peer(request.origin)
        head, length, close = encode_head(request, peer.host_line)
        replayable = request.body is None or _replayable(request)
        conn = self._take_idle(peer, careful=not (replayable and request.idempotent))
        if conn is not None:
            try:
                return await conn.send(request, head, length, close, timeouts)
            except TransportError:
                if not (conn.stale and replayable and (request.idempotent or conn.unsent)) or self._closed:
                    raise
        conn = await self._connect(peer, timeouts.connect)
        return await conn.send(request, head, length, close, timeouts)

    async def aclose(self) -> None:
        """Drop all connections, those in use and those being made included; waits for nothing, may be repeated."""
        self._closed = True
        for scope in self._connecting:
            if not scope.expired():
                scope.reschedule(0)
        for conn in list(self._connections):
            conn.shut()
        self._peers.clear()

    def statistics(self) -> PoolStatistics:
        """Return what the pool has done and holds right now; may be called in any thread."""
        counters = self.counters
        origins: dict[str, dict[str, int]] = {}
        for conn in list(self._connections):
            found = origins.setdefault(conn.peer.name, {"idle": 0, "busy": 0})
            found["idle" if conn in conn.peer.idle else "busy"] += 1
        idle = sum(found["idle"] for found in origins.values())
        there = len(self._connections) + len(self._connecting)
        return PoolStatistics(
            opened=counters.opened,
            open=there,
            idle=idle,
            active=there - idle,
            bytes_sent=counters.sent,
            bytes_received=counters.received,
            requests=counters.requests,
            origins=origins,
        )

    def __repr__(self) -> str:
        now = self.statistics()
        return f"<Pool {now.active} active, {now.idle} idle of {self.max_connections}>"

    # -- called by connections -----------------------------------------------------------------------------------

    def connection_idle(self, conn: Connection) -> None:
        """Put a connection where the next request to its origin finds it."""
        self._releases += 1
        conn.idle_order = self._releases
        conn.peer.idle.append(conn)

    def connection_gone(self, conn: Connection) -> None:
        """Forget a connection."""
        self._connections.discard(conn)
        if conn in conn.peer.idle:
            conn.peer.idle.remove(conn)

    # -- choosing ------------------------------------------------------------------------------------------------

    def _bind(self) -> None:
        if self._loop is not None:
            raise WrongLoop("the connection pool belongs to another event loop")
        self._loop = asyncio.get_running_loop()

    def _add_peer(self, origin: Origin) -> Peer:
        peer = Peer(origin)
        if len(self._peers) >= _MAX_PEERS:
            used = {conn.peer for conn in self._connections}
            self._peers = {origin: peer for origin, peer in self._peers.items() if peer in used}
        self._peers[origin] = peer
        return peer

    def _take_idle(self, peer: Peer, *, careful: bool) -> Connection | None:
        """Return the connection used last, which is the least likely to have been closed.

        A request that must not be repeated looks into the socket first: the end may have arrived, unseen by the loop.
        """
        while peer.idle:
            conn = peer.idle.pop()
            assert conn.transport is not None
            if not conn.transport.is_closing() and not (careful and conn.has_input()):
                return conn
            conn.abort()
        return None

    def _make_room(self) -> None:
        if len(self._connections) + len(self._connecting) < self.max_connections:
            return
        idle = [conn for peer in self._peers.values() for conn in peer.idle]
        if not idle:
            raise RuntimeError(
                f"all {self.max_connections} connections of the pool are in use: whoever calls it must admit no more requests"
            )
        min(idle, key=lambda conn: conn.idle_order).abort()

    # -- connecting ----------------------------------------------------------------------------------------------

    async def _connect(self, peer: Peer, connect_s: float | None) -> Connection:
        """Make a connection; it counts from before the first await, and until it is gone."""
        if self._closed:
            raise HubClosed("the connection pool is closed")
        self._make_room()
        assert self._loop is not None
        conn = Connection(self._loop, self, peer)
        scope = asyncio.timeout(connect_s)
        self._connecting.add(scope)
        try:
            async with scope:
                context = await self._tls_context() if peer.origin.scheme == "https" else None
                await open_connection(conn, peer.origin, context)
        except BaseException as error:
            conn.abort()
            if isinstance(error, UnknownHost) and peer.reached:  # it was known, and will be again
                raise ConnectError(str(error), origin=error.origin) from error
            if not isinstance(error, TimeoutError):
                raise
            if self._closed:
                raise HubClosed("the connection pool was closed while connecting") from error
            raise ConnectTimeout(f"{peer}: no connection within {connect_s:g} s", origin=peer.name) from error
        finally:
            self._connecting.discard(scope)
        return self._adopt(conn, peer)

    def _adopt(self, conn: Connection, peer: Peer) -> Connection:
        if self._closed:
            conn.abort()
            raise HubClosed("the connection pool was closed while connecting")
        self.counters.opened += 1
        conn.peer = self._peers.setdefault(peer.origin, peer)
        conn.peer.reached = True
        if not conn.lost:
            self._connections.add(conn)
        return conn

    async def _tls_context(self) -> ssl.SSLContext:
        """Make the context once, in a thread: reading a trust store blocks for tens of milliseconds."""
        if self._context is None:
            assert self._loop is not None
            if self._making_context is None:
                self._making_context = self._loop.run_in_executor(None, make_context, self._verify, self._cert)
            try:
                # Shielded: whoever else waits for it is not cancelled with this caller.
                self._context = await asyncio.shield(self._making_context)
            except ConfigurationError:
                self._making_context = None
                raise
        return self._context


def _replayable(request: Request) -> bool:
    body = request.body
    return body is None or isinstance(body, (bytes, bytearray, memoryview)) or body.replayable
