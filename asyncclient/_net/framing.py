"""What the bytes of an answer mean: head, framing of the body, chunks. Pure functions; the parser is llhttp.

Stricter than RFC 9112 asks for where being lenient has let two parties read one message differently: line folding, bare
line feeds, repeated ``Content-Length``, both kinds of length, codings other than ``chunked`` are refused, not mended.
"""

from __future__ import annotations

import re
from typing import Final

import httptools

from asyncclient._messages import Headers
from asyncclient.errors import RemoteProtocolError

__all__ = ["CHUNKED", "UNTIL_CLOSE", "ChunkDecoder", "Head", "find_bare_newline", "parse_head"]

UNTIL_CLOSE: Final = -1
CHUNKED: Final = -2
"""Values of :attr:`Head.length` for a body whose length is not known beforehand."""

_STATUS_LINE = re.compile(rb"HTTP/(1\.[01]) ([1-9][0-9][0-9])(?: ([\t\x20-\x7e\x80-\xff]*))?\r\n")
_BARE_NEWLINE = re.compile(rb"(?<!\r)\n|\r(?!\n)(?!\Z)")
_CHUNKED_HEAD = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n"

# Connection-level names; everything else is only passed on.
_CONTROL = frozenset((b"content-length", b"transfer-encoding", b"connection", b"keep-alive"))


class Head:
    """The head of one answer.

    Attributes:
        status: 100 to 999.
        version: ``b"1.0"`` or ``b"1.1"``.
        reason: Reason phrase, may be empty.
        headers: Pairs in the order of arrival, names in lower case.
        length: Bytes of the body, :data:`CHUNKED` or :data:`UNTIL_CLOSE`.
        keep: Whether the peer keeps the connection.
        keep_s: Seconds it said it would, or None.
    """

    __slots__ = ("headers", "keep", "keep_s", "length", "reason", "status", "version")

    def __init__(self) -> None:
        self.headers: Headers = []
        self.status = 0
        self.version = b"1.1"
        self.reason = b""
        self.length = UNTIL_CLOSE
        self.keep = True
        self.keep_s: float | None = None

    def on_header(self, name: bytes, value: bytes) -> None:
        """Take one header from the parser."""
        self.headers.append((name.lower(), value.rstrip(b" \t")))


def parse_head(data: bytes, *, to_head: bool, max_headers: int) -> Head:
    """Parse one complete head, the empty line included, and decide how its body is framed.

    Args:
        data: From the first byte of the status line to the empty line.
        to_head: The answer is to a ``HEAD`` request and has no body whatever it says.
        max_headers: Most header lines accepted.

    Raises:
        RemoteProtocolError: It is not HTTP/1.x, or contradicts itself.
    """
    line = _STATUS_LINE.match(data)
    if line is None:
        raise RemoteProtocolError("the answer does not begin with an HTTP/1.x status line")
    head = Head()
    head.version, status, reason = line.groups()
    head.status = int(status)
    if reason:
        head.reason = reason
    if head.status == 101:
        raise RemoteProtocolError("the service switched protocols without being asked to")
    try:
        httptools.HttpResponseParser(head).feed_data(data)
    except httptools.HttpParserError as error:
        raise RemoteProtocolError(f"malformed head of an answer: {error}") from error
    if len(head.headers) > max_headers:
        raise RemoteProtocolError(f"the answer has more than {max_headers} headers")
    _decide(head, to_head)
    return head


def _decide(head: Head, to_head: bool) -> None:
    """Set ``length``, ``keep`` and ``keep_s`` (RFC 9112 sections 6.3 and 9.3)."""
    length = coding = None
    connection: list[bytes] = []
    for name, value in head.headers:
        if name not in _CONTROL:
            continue
        if name == b"content-length":
            if length is not None:
                raise RemoteProtocolError("the answer has more than one content-length")
            length = _content_length(value)
        elif name == b"transfer-encoding":
            if coding is not None or value.lower() != b"chunked":
                raise RemoteProtocolError("the answer has a transfer-encoding other than chunked")
            coding = value
        elif name == b"connection":
            connection += value.lower().split(b",")
        else:
            head.keep_s = _keep_alive_s(value)
    if coding is not None and (length is not None or head.version == b"1.0"):
        raise RemoteProtocolError("the answer has a transfer-encoding where none is allowed")
    head.keep = head.version == b"1.1" if not connection else _keeps(head.version, connection)
    if to_head or head.status in (204, 304) or head.status < 200:
        head.length = 0
    elif coding is not None:
        head.length = CHUNKED
    elif length is not None:
        head.length = length
    else:
        head.length = UNTIL_CLOSE
        head.keep = False


def _content_length(value: bytes) -> int:
    # bytes.isdigit knows ASCII digits only; 18 of them are an exabyte and fit every integer type on the way.
    if not value.isdigit() or len(value) > 18:
        raise RemoteProtocolError("the answer has a content-length that is not a number")
    return int(value)


def _keeps(version: bytes, options: list[bytes]) -> bool:
    """RFC 9112 section 9.3: ``close`` wins, HTTP/1.0 keeps only when it says so."""
    tokens = [*map(bytes.strip, options)]
    return b"close" not in tokens and (version == b"1.1" or b"keep-alive" in tokens)


def _keep_alive_s(value: bytes) -> float | None:
    for item in value.lower().split(b","):
        key, _, number = item.partition(b"=")
        number = number.strip(b' \t"')
        if key.strip() == b"timeout" and number.isdigit() and len(number) < 10:
            return float(number)
    return None


def find_bare_newline(data: bytes | bytearray, start: int = 0) -> bool:
    """Tell whether an unfinished head has a line end that is not CR LF, so that its end would never be found."""
    return _BARE_NEWLINE.search(data, start) is not None


class ChunkDecoder:
    """Takes the bytes of a chunked body as they come, returns what they hold.

    Attributes:
        done: The last chunk and the trailers have arrived.
        stray: Bytes came after the end.
    """

    __slots__ = ("_limit", "_max_trailers", "_overhead", "_parser", "_pieces", "_trailers", "done", "stray")

    def __init__(self, *, max_overhead: int, max_trailers: int) -> None:
        self.done = False
        self.stray = False
        self._pieces: list[bytes] = []
        self._overhead = 0
        self._limit = max_overhead
        self._trailers = 0
        self._max_trailers = max_trailers
        # The decoder holds the parser and the parser holds methods of the decoder: ``close`` cuts the cycle.
        self._parser: httptools.HttpResponseParser | None = httptools.HttpResponseParser(self)
        self._parser.feed_data(_CHUNKED_HEAD)
        self._trailers = 0

    def feed(self, data: bytes | memoryview) -> list[bytes]:
        """Return the pieces of body in ``data``.

        Raises:
            RemoteProtocolError: A chunk size, extension or trailer is malformed or too long. Pieces before it are lost.
        """
        assert self._parser is not None
        pieces = self._pieces = []
        try:
            self._parser.feed_data(data)
        except (httptools.HttpParserError, httptools.HttpParserUpgrade) as error:
            if not self.done:
                self.close()
                raise RemoteProtocolError(f"malformed chunked body: {error}") from error
            self.stray = True
        self._count_overhead(len(data), pieces)
        if self.done:
            self.close()
        return pieces

    def _count_overhead(self, size: int, pieces: list[bytes]) -> None:
        """Bound sizes, extensions and trailers that come without any body."""
        self._overhead = 0 if pieces else self._overhead + size
        if self._overhead > self._limit or self._trailers > self._max_trailers:
            self.close()
            raise RemoteProtocolError("a chunked body has too much between its chunks")

    def close(self) -> None:
        """Let go of the parser."""
        self._parser = None

    def on_header(self, name: bytes, value: bytes) -> None:
        """Count a trailer; trailers are not passed on."""
        self._trailers += 1

    def on_body(self, data: bytes) -> None:
        """Take a piece of body from the parser."""
        if self.done:
            self.stray = True
        else:
            self._pieces.append(data)

    def on_message_begin(self) -> None:
        """Notice bytes after the end."""
        self.stray = self.done

    def on_message_complete(self) -> None:
        """Notice the end."""
        self.done = True
