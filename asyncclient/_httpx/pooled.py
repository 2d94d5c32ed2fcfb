"""Our pool behind httpx."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Final, NamedTuple

import anyio
import httpx

from asyncclient import errors
from asyncclient._messages import Body, BodyStream, Origin, Request
from asyncclient._net.bodies import IterBody
from asyncclient._net.pool import Pool
from asyncclient._net.tls import Cert, Verify
from asyncclient._shielded import take_turn

__all__ = ["TO_HTTPX", "PoolTransport"]

_DEFAULT_PORTS: Final = {"http": 80, "https": 443}
_IDEMPOTENT: Final = frozenset({"GET", "HEAD", "OPTIONS", "TRACE", "PUT", "DELETE"})

TO_HTTPX: Final[dict[type[errors.TransportError], type[httpx.RequestError]]] = {
    errors.TransportError: httpx.TransportError,
    errors.ConnectError: httpx.ConnectError,
    errors.ConnectTimeout: httpx.ConnectTimeout,
    errors.UnknownHost: httpx.ConnectError,
    errors.TLSError: httpx.ConnectError,
    errors.ProxyError: httpx.ProxyError,
    errors.WriteError: httpx.WriteError,
    errors.WriteTimeout: httpx.WriteTimeout,
    errors.ReadError: httpx.ReadError,
    errors.ReadTimeout: httpx.ReadTimeout,
    errors.StallTimeout: httpx.ReadTimeout,
    errors.RemoteProtocolError: httpx.RemoteProtocolError,
    errors.RedirectRefused: httpx.RemoteProtocolError,
    errors.LocalProtocolError: httpx.LocalProtocolError,
    errors.ResponseTooLarge: httpx.ReadError,
    errors.TooManyRedirects: httpx.TooManyRedirects,
}
"""What httpx calls each of our errors; a test holds it complete."""


class PoolTransport(httpx.AsyncBaseTransport):
    """The connection pool of this package as a transport of httpx.

    ::

        async with httpx.AsyncClient(transport=PoolTransport()) as client: ...

    Requests beyond ``max_connections`` wait their turn, first come first served, for at most httpx's ``pool`` timeout;
    a turn lasts until the response is closed. A hub that is given one has no more requests in flight than that.

    Args:
        max_connections: Requests at a time.
        keepalive_expiry: Seconds an idle connection is kept; None keeps it until the peer closes it.
        verify: True for the system's trust store, False to accept any certificate, the path of a file or folder with CA
            certificates, or an ``ssl.SSLContext``.
        cert: Client certificate: path of a PEM file with certificate and key, or ``(certificate, key[, password])``.
    """

    def __init__(
        self,
        *,
        max_connections: int = 32,
        keepalive_expiry: float | None = 30.0,
        verify: Verify = True,
        cert: Cert | None = None,
    ) -> None:
        self.pool = Pool(max_connections=max_connections, keepalive_expiry=keepalive_expiry, verify=verify, cert=cert)
        self._turns = anyio.Semaphore(max_connections, fast_acquire=True)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send one request; see ``httpx.AsyncBaseTransport``."""
        message = _message_of(request)
        waits = request.extensions.get("timeout", {})
        if not await take_turn(self._turns, waits.get("pool")):
            raise httpx.PoolTimeout("no connection became free in time", request=request)
        try:
            with _httpx_errors(request):
                response = await self.pool.send(
                    message, _Waits(waits.get("connect"), waits.get("read"), waits.get("write"))
                )
        except BaseException:
            self._turns.release()
            raise
        return httpx.Response(
            response.status,
            headers=response.headers,
            stream=_PooledStream(response.stream, self._turns.release, request),
            extensions={"http_version": b"HTTP/" + response.http_version, "reason_phrase": response.reason},
        )

    async def aclose(self) -> None:
        """Drop all connections; waits for nothing."""
        await self.pool.aclose()

    def __repr__(self) -> str:
        return f"<PoolTransport {self.pool!r}>"


class _Waits(NamedTuple):
    connect: float | None
    read: float | None
    write: float | None


class _PooledStream(httpx.AsyncByteStream):
    """A body from our pool; closing it, once, gives the turn back."""

    def __init__(self, stream: BodyStream, release: Callable[[], object], request: httpx.Request) -> None:
        self._stream = stream
        self._release: Callable[[], object] | None = release
        self._request = request

    async def __aiter__(self) -> AsyncIterator[bytes]:
        with _httpx_errors(self._request):
            while piece := await self._stream.read():
                yield piece

    async def aclose(self) -> None:
        release, self._release = self._release, None
        try:
            await self._stream.aclose()
        finally:
            if release is not None:
                release()


@contextlib.contextmanager
def _httpx_errors(request: httpx.Request) -> Iterator[None]:
    try:
        yield
    except errors.TransportError as error:
        kind = next(TO_HTTPX[base] for base in type(error).__mro__ if base in TO_HTTPX)
        raise kind(str(error), request=request) from error


def _message_of(request: httpx.Request) -> Request:
    url = request.url
    if url.scheme not in _DEFAULT_PORTS:
        raise httpx.UnsupportedProtocol(f"the scheme must be http or https, not {url.scheme!r}", request=request)
    origin = Origin(url.scheme, url.raw_host.decode("ascii"), url.port or _DEFAULT_PORTS[url.scheme])
    target = request.extensions.get("target", url.raw_path)
    return Request(
        request.method.encode("ascii"),
        origin,
        target,
        list(request.headers.raw),
        _body_of(request),
        idempotent=request.method in _IDEMPOTENT,
    )


def _body_of(request: httpx.Request) -> bytes | Body | None:
    try:
        return request.content or None
    except httpx.RequestNotRead:
        length = request.headers.get("content-length")
        assert isinstance(request.stream, httpx.AsyncByteStream)
        return IterBody(request.stream, int(length) if length is not None else None)
