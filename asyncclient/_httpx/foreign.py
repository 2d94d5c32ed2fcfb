"""httpx transports and clients behind our seam."""

from __future__ import annotations

import contextlib
import ssl
from collections.abc import AsyncIterator
from typing import Any, Final

import httpx

from asyncclient import errors
from asyncclient._foreign_logs import discreet, install
from asyncclient._httpx.raw import url_of
from asyncclient._messages import Body, Headers, Request, TimeoutsView
from asyncclient._shielded import ShieldedTransport

__all__ = ["FROM_HTTPX", "ForeignTransport"]

FROM_HTTPX: Final[dict[type[httpx.RequestError], tuple[type[errors.TransportError], bool, str]]] = {
    httpx.RequestError: (errors.TransportError, True, "the request failed"),
    httpx.TransportError: (errors.TransportError, True, "the request failed"),
    httpx.TimeoutException: (errors.ReadTimeout, True, "timed out"),
    httpx.ConnectTimeout: (errors.ConnectTimeout, False, "no connection within the connect timeout"),
    httpx.PoolTimeout: (errors.ConnectTimeout, False, "no connection of the pool became free in time"),
    httpx.ReadTimeout: (errors.ReadTimeout, True, "no byte of the answer within the read timeout"),
    httpx.WriteTimeout: (errors.WriteTimeout, True, "the peer took no bytes within the write timeout"),
    httpx.NetworkError: (errors.ReadError, True, "the connection failed"),
    httpx.ConnectError: (errors.ConnectError, False, "cannot connect"),
    httpx.ReadError: (errors.ReadError, True, "the connection broke while the answer was read"),
    httpx.WriteError: (errors.WriteError, True, "the connection broke while the request was written"),
    httpx.CloseError: (errors.ReadError, True, "the connection broke while it was closed"),
    httpx.ProxyError: (errors.ProxyError, False, "the proxy failed"),
    httpx.UnsupportedProtocol: (errors.LocalProtocolError, False, "the scheme is not supported"),
    httpx.ProtocolError: (errors.RemoteProtocolError, True, "HTTP was broken"),
    httpx.RemoteProtocolError: (errors.RemoteProtocolError, True, "the peer broke HTTP"),
    httpx.LocalProtocolError: (errors.LocalProtocolError, True, "the request cannot be written as HTTP"),
    httpx.DecodingError: (errors.RemoteProtocolError, True, "the content encoding is broken"),
    httpx.TooManyRedirects: (errors.TooManyRedirects, True, "redirected too often"),
}
"""Our error, whether a byte may have reached the peer, and what we say; a test holds it complete."""

# Texts of these errors come from the operating system or from ssl. Those of protocol errors repeat header lines.
_TELLING: Final = (httpx.ConnectError, httpx.ProxyError)


class ForeignTransport(ShieldedTransport):
    """Any httpx transport or client as a :class:`~asyncclient._messages.Transport`.

    Of a client, its transports (mounts included), event hooks and logging are used, and the cookies of answers go into
    its jar. Its base URL, default headers, cookies, authentication, redirects and ``.netrc`` are not: the message is sent
    as it is. What httpx and httpcore log of it is cut: no path, no headers.

    Args:
        inner: Transport or client; closed with this object.
        max_connections: Requests at a time, those included that nobody waits for any more. It should not exceed what
            ``inner`` allows: httpcore's own queue is slow when it is long.
        exact: Whether a target that httpx would write in another way is passed on with the ``target`` extension, which
            httpcore gets wrong where it talks to a proxy.
    """

    def __init__(
        self,
        inner: httpx.AsyncBaseTransport | httpx.AsyncClient,
        *,
        max_connections: int = 32,
        exact: bool = True,
    ) -> None:
        super().__init__(max_connections)
        install()
        self._inner = inner
        self._exact = exact

    async def _exchange(self, request: Request, timeouts: TimeoutsView) -> _HttpxAnswer:
        outgoing = _outgoing(request, timeouts, exact=self._exact)
        try:
            with discreet():
                if isinstance(self._inner, httpx.AsyncClient):
                    response = await self._inner.send(outgoing, stream=True, follow_redirects=False, auth=None)
                else:
                    response = await self._inner.handle_async_request(outgoing)
            return _HttpxAnswer(response, request)
        except httpx.RequestError as error:
            failure = error
        raise _our_error(failure, request)

    async def _shut(self) -> None:
        await self._inner.aclose()

    def __repr__(self) -> str:
        return f"<ForeignTransport {type(self._inner).__name__}>"


class _HttpxAnswer:
    """An httpx response; its stream is read below httpx's decoding."""

    def __init__(self, response: httpx.Response, request: Request) -> None:
        self.status = response.status_code
        self.headers: Headers = [(name.lower(), value) for name, value in response.headers.raw]
        self.http_version: bytes = response.extensions.get("http_version", b"HTTP/1.1").removeprefix(b"HTTP/")
        self.reason: bytes = response.extensions.get("reason_phrase", b"")
        self._response = response
        self._request = request
        self._pieces: AsyncIterator[bytes] | None = None

    def whole(self) -> bytes | None:
        stream = self._response.stream
        return b"".join(stream) if isinstance(stream, httpx.ByteStream) and self._pieces is None else None

    async def piece(self) -> bytes:
        try:
            if self._pieces is None:
                self._pieces = aiter(self._response.stream)  # type: ignore[arg-type]  # async, as the transport is
            with discreet():
                async for piece in self._pieces:
                    if piece:
                        return piece
            return b""
        except httpx.RequestError as error:
            failure = error
        raise _our_error(failure, self._request)

    async def aclose(self) -> None:
        # Whatever breaks while it is closed has nobody left to tell.
        with contextlib.suppress(httpx.HTTPError, OSError), discreet():
            await self._response.aclose()


class _Reopened:
    """A body that httpx iterates over; opened anew each time."""

    def __init__(self, body: Body) -> None:
        self._body = body

    async def __aiter__(self) -> AsyncIterator[bytes]:
        pieces = self._body.open()
        try:
            async for piece in pieces:
                yield piece
        finally:
            aclose = getattr(pieces, "aclose", None)
            if aclose is not None:
                await aclose()


def _outgoing(request: Request, timeouts: TimeoutsView, *, exact: bool) -> httpx.Request:
    content: bytes | _Reopened | None
    headers = request.headers
    if request.body is None or isinstance(request.body, bytes):
        content = request.body
    else:
        content = _Reopened(request.body)
        length = request.body.length
        if length is not None and not any(name.lower() == b"content-length" for name, _ in headers):
            headers = [*headers, (b"content-length", b"%d" % length)]
    url = url_of(request)
    extensions: dict[str, Any] = {
        "timeout": {
            "connect": timeouts.connect,
            "read": timeouts.read,
            "write": timeouts.write,
            "pool": timeouts.connect,
        }
    }
    if exact and url.raw_path != request.target:
        extensions["target"] = request.target
    method = request.method.decode("ascii")
    return httpx.Request(method, url, headers=headers, content=content, extensions=extensions)


def _our_error(cause: httpx.RequestError, request: Request) -> errors.TransportError:
    """Translate; to be raised outside of the ``except`` clause, so that the cause is only there where it may be."""
    kind, sent, words = next(FROM_HTTPX[base] for base in type(cause).__mro__ if base in FROM_HTTPX)
    if isinstance(cause, httpx.ConnectError) and _has_tls_cause(cause):
        kind, words = errors.TLSError, "the TLS handshake failed"
    reason = f" ({cause})" if isinstance(cause, _TELLING) and str(cause) else ""
    error = kind(
        f"{request.origin}: {words}{reason}",
        origin=str(request.origin),
        method=request.method.decode("ascii", "replace"),
        request_sent=sent,
    )
    cause.request = httpx.Request(error.method or "GET", str(request.origin))  # the real one shows its URL and headers
    if not isinstance(cause, httpx.LocalProtocolError):  # h11 repeats the value of a header it refuses
        error.__cause__ = cause
    return error


def _has_tls_cause(error: BaseException) -> bool:
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, ssl.SSLError):
            return True
        cause = cause.__cause__ or cause.__context__
    return False
