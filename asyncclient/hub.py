"""The hub: owns what all clients share. It knows no service."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterable, AsyncIterator, Awaitable, Callable, Iterable
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Self, TypeVar

from asyncclient import _proxies
from asyncclient._bulk import Bandwidth
from asyncclient._map import run_map
from asyncclient._observers import Observers
from asyncclient._pipeline import Pipeline
from asyncclient._scheduler import Scheduler
from asyncclient.errors import ArgumentTypeError, HubClosed, WrongLoop
from asyncclient.types import Limits

if TYPE_CHECKING:
    import os

    import httpx

    from asyncclient._events import Observer
    from asyncclient._messages import Transport
    from asyncclient.types import HubStatistics

__all__ = ["AsyncHub"]

T = TypeVar("T")
R = TypeVar("R")


class AsyncHub:
    """One connection pool, one scheduler, shared by clients of all services.

    ::

        async with AsyncHub() as hub:
            documents = las.AsyncClient(credentials, hub=hub)

    A hub opens at its first use and belongs to the event loop it opened in. Close it with ``async with`` or
    :meth:`aclose`; a web service opens one when it starts and closes it when it stops.

    Args:
        limits: Connections and memory that all clients together may use.
        verify: True for the system's trust store, False to accept any certificate (tests only), the path of a file or
            folder with CA certificates, or an ``ssl.SSLContext``.
        cert: Client certificate: path of a PEM file with certificate and key, or ``(certificate, key[, password])``.
        transport: Any httpx transport or ``httpx.AsyncClient`` to send with instead of the built-in pool, for HTTP/2,
            proxies, caches or tests. It is closed with the hub.
        trust_env: Whether proxies named in the environment are used (by httpx's own transport). ``.netrc`` is never
            read.
        observers: Are told of calls, attempts and transfers as they happen; see :mod:`asyncclient.telemetry`.
    """

    def __init__(
        self,
        *,
        limits: Limits | None = None,
        verify: bool | str | os.PathLike[str] | ssl.SSLContext = True,
        cert: str | os.PathLike[str] | tuple[str, str] | tuple[str, str, str] | None = None,
        transport: httpx.AsyncBaseTransport | httpx.AsyncClient | Transport | None = None,
        trust_env: bool = True,
        observers: Iterable[Observer] = (),
    ) -> None:
        if limits is not None and not isinstance(limits, Limits):
            raise ArgumentTypeError(f"limits must be Limits, not {type(limits).__name__}", argument="limits")
        self._limits = limits if limits is not None else Limits()
        self._verify = verify
        self._cert = cert
        self._given = transport
        self._trust_env = trust_env
        self._observers = Observers(observers)
        self._loop: asyncio.AbstractEventLoop | None = None
        self._pipeline: Pipeline | None = None
        self._closed = False

    @property
    def limits(self) -> Limits:
        """What all clients together may use."""
        return self._limits

    @property
    def closed(self) -> bool:
        """Whether :meth:`aclose` was called."""
        return self._closed

    async def __aenter__(self) -> Self:
        self._opened()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """Drop all connections and refuse further calls; may be repeated. Waits for nothing.

        Calls under way end with :class:`HubClosed`.

        Raises:
            WrongLoop: Another event loop is running than the one the hub opened in, which still lives.
        """
        pipeline, loop = self._pipeline, self._loop
        if pipeline is None or loop is None or loop.is_closed():  # connections go with their loop
            self._end()
            return
        if loop is not asyncio.get_running_loop():
            raise WrongLoop("this hub belongs to another event loop; close it there")
        self._end()
        await pipeline.aclose()

    def _end(self) -> None:
        opened, self._closed, self._pipeline = self._pipeline is not None, True, None
        if opened:
            self._observers.hub_shut(self.statistics)

    def statistics(self) -> HubStatistics:
        """Count what was done and what is in use now; cheap, and may be called in any thread."""
        from asyncclient.types import HubStatistics

        pipeline = self._pipeline
        if pipeline is None:
            return HubStatistics()
        slots = pipeline.scheduler.statistics()
        pool = getattr(pipeline.transport, "statistics", None)
        bulk = pipeline.scheduler.transfer_statistics()
        connections = pool() if pool is not None else None  # foreign transports keep their own counts
        return HubStatistics(
            requests=pipeline.requests,
            retries=pipeline.retries,
            failures=pipeline.failures,
            bytes_sent=getattr(connections, "bytes_sent", 0),
            bytes_received=getattr(connections, "bytes_received", 0),
            connections_opened=getattr(connections, "opened", 0),
            connections_open=getattr(connections, "open", 0),
            connections_idle=getattr(connections, "idle", 0),
            in_flight=slots.in_flight,
            waiting=slots.waiting,
            lanes=slots.lanes,
            origins=slots.origins,
            limits=bulk.limits,
            paused_s=bulk.paused_s,
            bytes_in_use=bulk.bytes_in_use,
            queues=pipeline.scheduler.queues(),
            connections=getattr(connections, "origins", {}),
            transfers=pipeline.observers.transfers.states(),
            journals=pipeline.observers.transfers.journals,
        )

    def map(
        self,
        fn: Callable[[T], Awaitable[R]],
        items: Iterable[T] | AsyncIterable[T],
        *,
        concurrency: int | None = None,
        ordered: bool = True,
    ) -> AsyncIterator[R]:
        """Call ``fn`` for every item, several at a time, and yield the results as they come.

        Args:
            fn: A coroutine function of one argument, usually a method of a client.
            items: Any iterable, such as what ``iterate`` of a client returns; it is read only as fast as results are
                taken, so it may be endless.
            concurrency: Calls at a time, at least 1. Default: ``limits.max_connections``.
            ordered: Whether results come in the order of the items; else the first done comes first.

        The first error ends the iteration and cancels the calls under way; so does leaving the loop early and
        closing the iterator.
        """
        if concurrency is None:
            concurrency = self._limits.max_connections
        return run_map(fn, items, concurrency, ordered=ordered)

    def _opened(self) -> Pipeline:
        """Return the pipeline of this hub, opening it at the first use.

        Raises:
            HubClosed: The hub was closed.
            WrongLoop: Another event loop is running than the one the hub opened in.
        """
        if self._pipeline is not None and self._loop is asyncio.get_running_loop():
            return self._pipeline
        if self._closed:
            raise HubClosed("this hub is closed; make a new one")
        loop = asyncio.get_running_loop()
        if self._loop is not None and self._loop is not loop:
            raise WrongLoop(
                "this hub belongs to another event loop; make one hub per loop, and open it inside that loop"
            )
        transport = self._make_transport()
        self._pipeline = Pipeline(
            transport,
            Scheduler(_within(self._limits, getattr(transport, "max_connections", None))),
            bandwidth=Bandwidth(self._limits),
            observers=self._observers,
        )
        self._loop = loop
        self._observers.hub_opened(self.statistics)
        return self._pipeline

    def _make_transport(self) -> Transport:
        if self._given is not None:
            from asyncclient import _httpx  # httpx is loaded only when it is used

            return _httpx.as_transport(self._given, max_connections=self._limits.max_connections)
        if self._trust_env and _proxies.environment_proxies():
            from asyncclient import _httpx

            return _httpx.environment_transport(self._limits, verify=self._verify, cert=self._cert)
        from asyncclient._net.pool import Pool

        return Pool(
            max_connections=self._limits.max_connections,
            keepalive_expiry=self._limits.keepalive_expiry,
            verify=self._verify,
            cert=self._cert,
        )

    def __repr__(self) -> str:
        state = "closed" if self._closed else "open" if self._pipeline is not None else "new"
        return f"<AsyncHub {state}, at most {self._limits.max_connections} connections>"

    def __reduce__(self) -> Any:
        raise TypeError("a hub holds connections and cannot be pickled; pickle the configuration and make a new hub")


def _within(limits: Limits, most: Any) -> Limits:
    """Return the limits, lowered to the connections of a pool that was given with fewer: it does not queue."""
    if not isinstance(most, int) or most >= limits.max_connections:
        return limits
    reserve = limits.control_reserve
    return replace(limits, max_connections=most, control_reserve=None if reserve is None else min(reserve, most - 1))
