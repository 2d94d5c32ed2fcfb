"""What travels between the pipeline and a transport: plain messages, bytes, no library types.

A :class:`Transport` is the narrow seam of the package. ``_net/pool.py`` implements it with our own connections,
``_httpx`` with any httpx transport, and a test with ten lines. Header names are compared case-insensitively and
arrive in lower case; values are bytes as on the wire.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import NamedTuple, Protocol, runtime_checkable

from asyncclient.errors import ResponseTooLarge

__all__ = [
    "Body",
    "BodyStream",
    "DirectStream",
    "Headers",
    "Origin",
    "Request",
    "Response",
    "TimeoutsView",
    "Transport",
]

Headers = list[tuple[bytes, bytes]]


class Origin(NamedTuple):
    """Where a request goes; the key of connections and limits."""

    scheme: str
    """``http`` or ``https``."""
    host: str
    """Host name in ASCII (IDNA), or an address without brackets; lower case."""
    port: int

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{self.scheme}://{host}:{self.port}"


@runtime_checkable
class Body(Protocol):
    """A request body that is opened once for every attempt.

    Attributes:
        length: Bytes it will yield, or None for chunked transfer.
        replayable: Whether :meth:`open` may be called again and yields the same bytes.
    """

    @property
    def length(self) -> int | None: ...
    @property
    def replayable(self) -> bool: ...

    def open(self) -> AsyncIterator[bytes]:
        """Begin the body anew; the iterator is closed with ``aclose`` when it has that method."""
        ...


class Request:
    """One HTTP request, ready to be written.

    Attributes:
        method: Upper-case ASCII, for example ``b"GET"``.
        origin: Where to connect.
        target: Origin form, percent-encoded: path and query.
        headers: Pairs in the order they are written. The transport adds ``host`` and the framing headers
            (``content-length`` or ``transfer-encoding``) unless they are there.
        body: None, the bytes, or a :class:`Body`.
        idempotent: Whether sending it twice is the same as sending it once. A transport may repeat an idempotent
            request by itself on a fresh connection, if a kept-alive one turns out closed before any answer.
    """

    __slots__ = ("body", "headers", "idempotent", "method", "origin", "target")

    def __init__(
        self,
        method: bytes,
        origin: Origin,
        target: bytes,
        headers: Headers,
        body: bytes | Body | None = None,
        *,
        idempotent: bool = False,
    ) -> None:
        self.method = method
        self.origin = origin
        self.target = target
        self.headers = headers
        self.body = body
        self.idempotent = idempotent

    @property
    def path(self) -> str:
        """The target without its query, which may hold a signature."""
        return self.target.partition(b"?")[0].decode("ascii", "replace")

    def __repr__(self) -> str:
        # Headers and query may hold secrets and never appear.
        return f"<Request {self.method.decode('ascii', 'replace')} {self.origin}{self.path}>"


class BodyStream(Protocol):
    """The body of an answer, as it came over the wire (content encoding not undone)."""

    async def read(self) -> bytes:
        """Wait for the next piece, of any size; ``b""`` at the end, and after the end.

        Raises:
            TransportError: The body broke off or is malformed. The connection is gone.

        Cancelling keeps the bytes: the next call returns what this one would have.
        """
        ...

    def read_nowait(self) -> bytes | None:
        """Return the whole rest of the body if it has already arrived, else None."""
        ...

    async def aclose(self) -> None:
        """Give the connection back if the body was read to its end, else drop it. Waits for nothing; may be repeated."""
        ...


@runtime_checkable
class DirectStream(BodyStream, Protocol):
    """A body that can be received into memory of the reader."""

    async def read_into(self, buffer: memoryview) -> int:
        """Wait for bytes and put them at the beginning of a buffer; returns how many, 0 at the end.

        Raises:
            TransportError: As :meth:`BodyStream.read`.

        Cancelling keeps the bytes, and nobody writes into the buffer any more.
        """
        ...


class Response:
    """The head of an answer and its body stream.

    Attributes:
        status: 200 to 599; 1xx answers are dealt with by the transport.
        headers: Pairs in the order of arrival, names in lower case.
        stream: The body.
        http_version: ``b"1.1"``, ``b"1.0"`` or ``b"2"``.
        reason: Reason phrase, may be empty.
    """

    __slots__ = ("headers", "http_version", "reason", "status", "stream")

    def __init__(
        self, status: int, headers: Headers, stream: BodyStream, *, http_version: bytes = b"1.1", reason: bytes = b""
    ) -> None:
        self.status = status
        self.headers = headers
        self.stream = stream
        self.http_version = http_version
        self.reason = reason

    def header(self, name: bytes) -> bytes | None:
        """Return the first value of a header, its name given in lower case."""
        for key, value in self.headers:
            if key == name:
                return value
        return None

    async def read_all(self, limit: int) -> bytes:
        """Read the whole body, at most ``limit`` bytes, and give the connection back.

        Raises:
            ResponseTooLarge: There are more than ``limit`` bytes. The connection is dropped.
        """
        try:
            whole = self.stream.read_nowait()
            if whole is None:
                whole = await _join(self.stream, limit)
        finally:
            await self.stream.aclose()
        if len(whole) > limit:
            raise ResponseTooLarge(limit)
        return whole

    def __repr__(self) -> str:
        return f"<Response {self.status}>"


async def _join(stream: BodyStream, limit: int) -> bytes:
    pieces: list[bytes] = []
    size = 0
    while piece := await stream.read():
        size += len(piece)
        if size > limit:
            raise ResponseTooLarge(limit)
        pieces.append(piece)
    return b"".join(pieces)


class TimeoutsView(Protocol):
    """The three waits of one attempt, in seconds; None waits for ever."""

    @property
    def connect(self) -> float | None: ...
    @property
    def read(self) -> float | None: ...
    @property
    def write(self) -> float | None: ...


class Transport(Protocol):
    """Sends one request, once. No retries, no redirects, no queue."""

    async def send(self, request: Request, timeouts: TimeoutsView) -> Response:
        """Send the request and return when the head of the final answer has arrived.

        Raises:
            TransportError: One of its subclasses; ``request_sent`` is False only if no byte can have reached the
                peer.

        Cancelling drops the connection in use and loses nothing else. The caller closes ``response.stream``.
        """
        ...

    async def aclose(self) -> None:
        """Drop all connections; waits for nothing."""
        ...
