"""Every error this package raises, in one tree.

::

    AsyncClientError
    ├── ConfigurationError            credentials, profiles, endpoints: fix the set-up
    ├── ArgumentError                 (also ValueError) a bad value, refused before any I/O
    │   └── EmptyRequestError         a change that changes nothing
    ├── ArgumentTypeError             (also TypeError) a bad type, refused before any I/O
    ├── TransportError                no usable answer arrived; ``request_sent`` tells whether a byte left
    │   ├── ConnectError              no connection; the request provably never left
    │   │   ├── ConnectTimeout
    │   │   ├── UnknownHost           no such name
    │   │   ├── TLSError              certificate or handshake
    │   │   └── ProxyError
    │   ├── WriteError
    │   │   └── WriteTimeout
    │   ├── ReadError
    │   │   ├── ReadTimeout
    │   │   └── StallTimeout          bytes came, then too few of them
    │   ├── RemoteProtocolError       the peer broke HTTP
    │   │   └── RedirectRefused       a redirect that must not be followed
    │   ├── LocalProtocolError        the request cannot be written as HTTP
    │   ├── ResponseTooLarge          more bytes than the set limit
    │   └── TooManyRedirects
    ├── DeadlineExceeded              (also TimeoutError) the time for the whole call is up
    ├── DecodeError                   an answer arrived and is not what it claims to be
    ├── APIError                      the service refused; status, code, message, request_id, body
    │   ├── BadRequest                400, 422
    │   ├── Unauthorized              401
    │   ├── Forbidden                 403
    │   ├── NotFound                  404, 410
    │   ├── Conflict                  409, 412
    │   ├── TooManyRequests           429, with retry_after
    │   └── ServerError               5xx
    ├── TransferError                 a file did not arrive whole; ``transfer_id`` resumes it
    │   ├── SourceChanged
    │   ├── RemoteChanged
    │   ├── IntegrityError
    │   ├── SessionExpired
    │   └── ResumeError
    ├── HubClosed                     (also RuntimeError) used before opening or after closing
    └── WrongLoop                     (also RuntimeError) used from another event loop

Branches are cut by what a caller can do next. Facts are attributes; every error pickles; no message, attribute or
``repr`` holds a token, a signed URL or a query string.
"""

from __future__ import annotations

from typing import Any

__all__ = [
    "APIError",
    "ArgumentError",
    "ArgumentTypeError",
    "AsyncClientError",
    "BadRequest",
    "ConfigurationError",
    "Conflict",
    "ConnectError",
    "ConnectTimeout",
    "DeadlineExceeded",
    "DecodeError",
    "EmptyRequestError",
    "Forbidden",
    "HubClosed",
    "IntegrityError",
    "LocalProtocolError",
    "NotFound",
    "ProxyError",
    "ReadError",
    "ReadTimeout",
    "RedirectRefused",
    "RemoteChanged",
    "RemoteProtocolError",
    "ResponseTooLarge",
    "ResumeError",
    "ServerError",
    "SessionExpired",
    "SourceChanged",
    "StallTimeout",
    "TLSError",
    "TooManyRedirects",
    "TooManyRequests",
    "TransferError",
    "TransportError",
    "UnknownHost",
    "Unauthorized",
    "WriteError",
    "WriteTimeout",
    "WrongLoop",
]


class AsyncClientError(Exception):
    """The root: ``except AsyncClientError`` catches everything this package raises on purpose."""

    def __reduce__(self) -> tuple[Any, ...]:
        # Constructors take keywords that ``args`` does not hold; rebuilding from state lets every subclass travel.
        return _rebuild, (type(self), self.args, self.__dict__)


def _rebuild(cls: type[AsyncClientError], args: tuple[Any, ...], state: dict[str, Any]) -> AsyncClientError:
    error = cls.__new__(cls, *args)
    error.args = args
    error.__dict__.update(state)
    return error


class ConfigurationError(AsyncClientError):
    """Credentials, a profile or an endpoint are missing or unusable."""


class ArgumentError(AsyncClientError, ValueError):
    """An argument has a value that cannot be sent; nothing was sent.

    Attributes:
        argument: The Python name of the argument.
    """

    argument: str | None = None

    def __init__(self, message: str = "", *, argument: str | None = None) -> None:
        super().__init__(*([message] if message else []))
        self.argument = argument


class EmptyRequestError(ArgumentError):
    """A request that would change or send nothing; nothing was sent."""


class ArgumentTypeError(AsyncClientError, TypeError):
    """An argument is missing, unknown, given twice or of the wrong type; nothing was sent.

    Attributes:
        argument: The Python name of the argument.
    """

    argument: str | None = None

    def __init__(self, message: str = "", *, argument: str | None = None) -> None:
        super().__init__(message)
        self.argument = argument


class TransportError(AsyncClientError):
    """No usable answer arrived.

    Attributes:
        origin: ``scheme://host:port`` the request was for, or None.
        method: HTTP method, or None.
        request_sent: False when not one byte of the request can have reached the peer, so that any request may be
            repeated; True when that is unknown.
        attempts: How many times the request was tried.
    """

    def __init__(
        self, message: str, *, origin: str | None = None, method: str | None = None, request_sent: bool = True
    ) -> None:
        super().__init__(message)
        self.origin = origin
        self.method = method
        self.request_sent = request_sent
        self.attempts = 1


class ConnectError(TransportError):
    """No connection could be made; the request never left."""

    def __init__(
        self, message: str, *, origin: str | None = None, method: str | None = None, request_sent: bool = False
    ) -> None:
        super().__init__(message, origin=origin, method=method, request_sent=request_sent)


class ConnectTimeout(ConnectError):
    """Name lookup, TCP and TLS together took longer than the connect timeout."""


class UnknownHost(ConnectError):
    """The name of the host is not known; not tried again.

    A name that has led to a connection before is a :class:`ConnectError` instead: its resolver is out of order.
    """


class TLSError(ConnectError):
    """The TLS handshake failed, or the certificate does not verify."""


class ProxyError(ConnectError):
    """The proxy refused or broke the connection."""


class WriteError(TransportError):
    """The connection broke while the request was written."""


class WriteTimeout(WriteError):
    """The peer took no more bytes of the request within the write timeout."""


class ReadError(TransportError):
    """The connection broke before the answer was complete."""


class ReadTimeout(ReadError):
    """No byte of the answer arrived within the read timeout."""


class StallTimeout(ReadError):
    """The transfer fell below the least rate for too long."""


class RemoteProtocolError(TransportError):
    """The answer is not HTTP, or contradicts itself."""


class RedirectRefused(RemoteProtocolError):
    """The service redirects from https to http, or to something that is no URL."""


class LocalProtocolError(TransportError):
    """The request cannot be written as HTTP: control characters in a header, body and length that differ."""

    def __init__(
        self, message: str, *, origin: str | None = None, method: str | None = None, request_sent: bool = False
    ) -> None:
        super().__init__(message, origin=origin, method=method, request_sent=request_sent)


class ResponseTooLarge(TransportError):
    """The answer, or what it decompresses to, has more bytes than the limit.

    Attributes:
        limit: The limit in bytes.
    """

    def __init__(self, limit: int, *, origin: str | None = None, method: str | None = None) -> None:
        super().__init__(f"the answer is larger than the limit of {limit} bytes", origin=origin, method=method)
        self.limit = limit


class TooManyRedirects(TransportError):
    """The service redirected more often than allowed."""


class DeadlineExceeded(AsyncClientError, TimeoutError):
    """The time allowed for the whole call, retries and waiting included, is up.

    Attributes:
        operation: Name of the operation.
        timeout_s: The time allowed, in seconds.
        attempts: How many times the request was begun.
        last_error: What the last complete attempt failed with, or None.
    """

    def __init__(
        self, operation: str, timeout_s: float, *, attempts: int = 0, last_error: BaseException | None = None
    ) -> None:
        after = f" after {attempts} attempts, the last: {last_error}" if last_error is not None else ""
        super().__init__(f"{operation}: not done within {timeout_s:g} s{after}")
        self.operation = operation
        self.timeout_s = timeout_s
        self.attempts = attempts
        self.last_error = last_error


class DecodeError(AsyncClientError):
    """An answer arrived, but its body is not what the operation returns.

    Attributes:
        status: HTTP status of the answer, or None.
        content_type: The ``Content-Type`` it came with, or None.
        size: Bytes received.
    """

    def __init__(
        self, message: str, *, status: int | None = None, content_type: str | None = None, size: int | None = None
    ) -> None:
        super().__init__(message)
        self.status = status
        self.content_type = content_type
        self.size = size


class APIError(AsyncClientError):
    """The service answered, and the answer is a refusal.

    Attributes:
        status: HTTP status.
        code: The service's own error code, or None.
        message: The service's words, or the standard phrase of the status.
        request_id: Value of the answer's request-id header, or None.
        body: The decoded JSON body, else its text, else None.
        method: HTTP method of the request, or None.
        path: Path of the request without its query, or None.
        retry_after: Seconds the service asked to wait, or None.
        attempts: How many times the request was tried.
    """

    def __init__(
        self,
        message: str = "",
        *,
        status: int = 0,
        code: str | None = None,
        request_id: str | None = None,
        body: Any = None,
        method: str | None = None,
        path: str | None = None,
        retry_after: float | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.status = status
        self.code = code
        self.request_id = request_id
        self.body = body
        self.method = method
        self.path = path
        self.retry_after = retry_after
        self.attempts = 1


class BadRequest(APIError):
    """400 or 422: the service does not accept what was sent."""


class Unauthorized(APIError):
    """401: not signed in, also after one refresh."""


class Forbidden(APIError):
    """403: signed in, and not allowed."""


class NotFound(APIError):
    """404 or 410: no such thing, or not visible to this user."""


class Conflict(APIError):
    """409 or 412: the thing is in another state than the request assumes."""


class TooManyRequests(APIError):
    """429: slow down; ``retry_after`` has the seconds asked for, if any."""


class ServerError(APIError):
    """5xx: the service failed."""


class TransferError(AsyncClientError):
    """A file did not arrive whole.

    Attributes:
        transfer_id: Id under which the journal knows the transfer, or None.
    """

    def __init__(self, message: str, *, transfer_id: str | None = None) -> None:
        super().__init__(message)
        self.transfer_id = transfer_id


class SourceChanged(TransferError):
    """The file changed while it was read."""


class RemoteChanged(TransferError):
    """The remote file changed while it was fetched."""


class IntegrityError(TransferError):
    """The digest or the size that arrived differs from what was sent.

    Attributes:
        path: What was transferred.
        expected: Digest or size at the source.
        actual: Digest or size at the destination.
    """

    def __init__(self, path: str, *, expected: str, actual: str, transfer_id: str | None = None) -> None:
        super().__init__(f"{path}: expected {expected}, arrived as {actual}", transfer_id=transfer_id)
        self.path = path
        self.expected = expected
        self.actual = actual


class SessionExpired(TransferError):
    """The service no longer knows the upload session."""


class ResumeError(TransferError):
    """The journal cannot be resumed; the message says why and what to do."""


class HubClosed(AsyncClientError, RuntimeError):
    """A hub or client was used before it was opened or after it was closed."""


class WrongLoop(AsyncClientError, RuntimeError):
    """A hub was used from another event loop than the one it was opened in."""
