"""The only importer of httpx: our pool as an httpx transport, httpx transports and clients as ours, its response class.

Imported when one of these is used, never by ``import asyncclient``.
"""

from __future__ import annotations

import contextlib
import ssl
from collections.abc import AsyncIterator, Callable, Iterator
from typing import TYPE_CHECKING, Any, Final, NamedTuple, cast

import anyio
import httpx

from asyncclient import errors
from asyncclient._foreign_logs import discreet, install
from asyncclient._messages import Body, BodyStream, Headers, Origin, Request, TimeoutsView, Transport
from asyncclient._net.pool import Pool
from asyncclient._net.tls import Cert, Verify, make_context
from asyncclient._proxies import ByProxy, EnvironmentProxies
from asyncclient._shielded import ShieldedTransport, take_turn
from asyncclient.errors import ArgumentTypeError, ConfigurationError

if TYPE_CHECKING:
    from collections.abc import AsyncIterable

    from asyncclient._pipeline import Answer
    from asyncclient.types import Limits

__all__ = [
    "ForeignTransport",
    "PoolTransport",
    "as_transport",
    "environment_transport",
    "to_httpx_response",
]

_DEFAULT_PORTS: Final = {"http": 80, "https": 443}
_IDEMPOTENT: Final = frozenset({"GET", "HEAD", "OPTIONS", "TRACE", "PUT", "DELETE"})
_SECRET_HEADERS: Final = frozenset(
    {b"authorization", b"proxy-authorization", b"cookie", b"x-api-key", b"x-amz-security-token"}
)

# --- our pool behind httpx -------------------------------------------------------------------------------------------

TO_HTTPX: Final[dict[type[errors.TransportError], type[httpx.RequestError]]] = {
    errors.TransportError: httpx.TransportError,
    errors.ConnectError: httpx.ConnectError,
    errors.ConnectTimeout: httpx.ConnectTimeout,
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
    a turn lasts until the response is closed.

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


class _StreamedBody:
    """The stream of an httpx request, which can be read once."""

    replayable = False

    def __init__(self, stream: AsyncIterable[bytes], length: int | None) -> None:
        self._stream = stream
        self.length = length

    def open(self) -> AsyncIterator[bytes]:
        return aiter(self._stream)


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
        return _StreamedBody(request.stream, int(length) if length is not None else None)


# --- httpx transports and clients behind ours ------------------------------------------------------------------------

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
    url = _url(request)
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


def _url(request: Request) -> httpx.URL:
    scheme, host, port = request.origin
    return httpx.URL(scheme=scheme, host=host, port=port, raw_path=request.target)


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


def as_transport(given: object, *, max_connections: int = 32) -> Transport:
    """Make a transport of ours of what a user gave.

    Args:
        given: An async httpx transport or client, or a transport of ours.
        max_connections: Requests at a time over an httpx transport.

    Raises:
        ArgumentTypeError: It is neither an async httpx transport or client, nor a transport of ours.
    """
    if isinstance(given, PoolTransport):
        return given.pool  # the scheduler of the hub admits requests; no second queue behind it
    if isinstance(given, (httpx.AsyncBaseTransport, httpx.AsyncClient)):
        return ForeignTransport(given, max_connections=max_connections)
    foreign = any(base.__module__.partition(".")[0] in ("httpx", "httpx2") for base in type(given).__mro__)
    if (
        not foreign
        and not isinstance(given, type)
        and callable(getattr(given, "send", None))
        and callable(getattr(given, "aclose", None))
    ):
        return cast("Transport", given)
    raise ArgumentTypeError(
        f"transport must be an httpx.AsyncBaseTransport or httpx.AsyncClient, not {type(given).__module__}."
        f"{type(given).__qualname__}",
        argument="transport",
    )


# --- proxies named in the environment --------------------------------------------------------------------------------


def environment_transport(
    limits: Limits,
    *,
    verify: Verify = True,
    cert: Cert | None = None,
    proxies: EnvironmentProxies | None = None,
) -> Transport:
    """Make a transport that uses httpx for origins the environment names a proxy for, and our pool for the others.

    Raises:
        ConfigurationError: A proxy is named in a way that cannot be used. User name and password are not repeated.
    """
    proxies = proxies if proxies is not None else EnvironmentProxies.of()
    context = make_context(verify, cert)
    direct = Pool(max_connections=limits.max_connections, keepalive_expiry=limits.keepalive_expiry, ssl_context=context)
    named = {url for url in (proxies.http, proxies.https) if url}
    return ByProxy(proxies, direct, {url: _proxied(url, limits, context) for url in named})


def _proxied(url: str, limits: Limits, context: ssl.SSLContext) -> ForeignTransport:
    try:
        parsed = httpx.URL(url)
        if not parsed.host:
            raise ValueError
        proxy = httpx.Proxy(parsed, ssl_context=context if parsed.scheme == "https" else None)
        inner = httpx.AsyncHTTPTransport(
            verify=context,
            trust_env=False,
            proxy=proxy,
            limits=httpx.Limits(
                max_connections=limits.max_connections,
                max_keepalive_connections=limits.max_connections,
                keepalive_expiry=limits.keepalive_expiry,
            ),
        )
    except ImportError as error:
        raise ConfigurationError(
            "the environment names a SOCKS proxy; install asyncclient[http2], which brings socksio"
        ) from error
    except (ValueError, httpx.InvalidURL):
        pass
    else:
        return ForeignTransport(inner, max_connections=limits.max_connections, exact=False)
    raise ConfigurationError("the environment names a proxy whose URL is not http, https, socks5 or socks5h")


# --- raw responses ---------------------------------------------------------------------------------------------------


def new_async_client(headers: dict[str, str]) -> httpx.AsyncClient:
    """Return a client of httpx's own, for users who want to send something by hand."""
    return httpx.AsyncClient(headers=headers, follow_redirects=True)


def new_client(headers: dict[str, str]) -> httpx.Client:
    """Return a blocking client of httpx's own, for users who want to send something by hand."""
    return httpx.Client(headers=headers, follow_redirects=True)


def to_httpx_response(request: Request, answer: Answer) -> httpx.Response:
    """Return an answer, content encoding undone, as httpx would have; for ``with_raw_response``.

    The request beside it shows where it went and what it carried, with the values of secret headers replaced.
    """
    shown: Headers = [
        (name, b"[redacted]" if name.lower() in _SECRET_HEADERS else value) for name, value in request.headers
    ]
    body = request.body if isinstance(request.body, bytes) else None
    sent = httpx.Request(request.method.decode("ascii"), _url(request), headers=shown, content=body)
    # The headers come last: httpx would undo the content encoding once more.
    response = httpx.Response(answer.status, content=answer.body, request=sent)
    response.headers = httpx.Headers(answer.headers)
    return response
