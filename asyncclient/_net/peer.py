"""Whom connections lead to, and who lends them out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from asyncclient._messages import Origin
from asyncclient._net.answer import HeadLimits
from asyncclient._net.wire import host_header

if TYPE_CHECKING:
    from asyncclient._net.connection import Connection

__all__ = ["Counters", "Owner", "Peer"]


class Counters:
    """Totals of a pool, counted by its connections."""

    __slots__ = ("opened", "received", "requests", "sent")

    def __init__(self) -> None:
        self.opened = self.requests = self.sent = self.received = 0


class Peer:
    """One origin and its idle connections, the most recently used last.

    Attributes:
        reached: Whether there ever was a connection.
    """

    __slots__ = ("host_line", "idle", "name", "origin", "reached")

    def __init__(self, origin: Origin) -> None:
        self.origin = origin
        self.host_line = host_header(origin)
        self.idle: list[Connection] = []
        self.name = str(origin)
        self.reached = False

    def __str__(self) -> str:
        return self.name


class Owner(Protocol):
    """Who lends a connection out."""

    counters: Counters
    limits: HeadLimits
    keepalive_s: float | None

    def connection_idle(self, conn: Connection) -> None:
        """The connection may serve another request."""
        ...

    def connection_gone(self, conn: Connection) -> None:
        """The connection is of no more use."""
        ...
