"""The pool against h11: what h11 refuses we refuse, what both accept they understand alike.

h11 is a parser of another author that follows the RFC text. Where it accepts and we refuse, the reason must be one of
:data:`STRICTER`.
"""

from __future__ import annotations

import asyncio
import os
import re
from collections.abc import Iterator
from typing import NamedTuple

import h11
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from asyncclient._messages import Request
from asyncclient._net.wire import encode_head
from asyncclient.errors import TransportError
from tests.net.conftest import TIMEOUTS
from tests.support.memory import MemoryOwner

STRICTER = {
    r"does not begin like HTTP/1\.x": "bare LF line ends (RFC 9112 2.2 allows either), or HTTP/2.x on an HTTP/1 connection",
    r"status line": "versions other than 1.0 and 1.1, bare CR or LF and control characters in the status line",
    r"switched protocols": "101 without a request to upgrade",
    r"transfer-encoding where none is allowed": "chunks in HTTP/1.0, or together with a length (RFC 9112 6.1, 6.3)",
    r"Content-Length can't be present": "both lengths (RFC 9112 6.3)",
    r"Transfer-Encoding can't be present": "both lengths (RFC 9112 6.3)",
    r"Duplicate Content-Length": "the same length twice (RFC 9110 8.6 allows either)",
    r"more than one content-length": "the same length twice",
    r"Invalid character in Content-Length": "a list of equal lengths",
    r"content-length that is not a number": "more than 18 digits",
    r"Content-Length overflow": "more than an exabyte",
    r"Unexpected whitespace after header value": "folded lines (RFC 9112 5.2 allows either)",
    r"Unexpected space after start line": "a folded line without a first one",
    r"Invalid header value char": "control characters other than NUL, CR, LF",
    r"Missing expected CR": "bare LF line ends",
    r"Invalid header field char": "bare LF line ends",
    r"Missing expected LF": "bare CR",
    r"Expected LF after": "bare CR",
    r"malformed chunked body": "spaces around chunk sizes, extensions that are none, bare LF, length in trailers",
    r"between its chunks": "long extensions and trailers",
}


class Understood(NamedTuple):
    status: int
    headers: list[tuple[bytes, bytes]]
    body: bytes


@pytest.fixture(scope="module")
def loop() -> Iterator[asyncio.AbstractEventLoop]:
    loop = asyncio.new_event_loop()
    yield loop
    loop.close()


async def ours(method: bytes, segments: list[bytes]) -> Understood | TransportError:
    """Let the pool's connection understand an answer that arrives in these segments, then the end."""
    owner = MemoryOwner()
    request = Request(method, owner.conn.peer.origin, b"/", [])
    head, length, close = encode_head(request, owner.conn.peer.host_line)
    sending = asyncio.ensure_future(owner.conn.send(request, head, length, close, TIMEOUTS))
    await asyncio.sleep(0)
    for segment in segments:
        if not owner.transport.is_closing() and not owner.idle:
            owner.feed(segment)
    if not owner.transport.is_closing():
        owner.conn.eof_received()
    owner.conn.connection_lost(None)
    try:
        response = await sending
        body = await response.read_all(1 << 20)
    except TransportError as error:
        return error
    finally:
        assert owner.gone
    return Understood(response.status, [normalized(*header) for header in response.headers], body)


def normalized(name: bytes, value: bytes) -> tuple[bytes, bytes]:
    """h11 passes framing headers on as it has understood them, we as they came."""
    return name, value.lower() if name == b"transfer-encoding" else value


def theirs(method: bytes, segments: list[bytes]) -> Understood | h11.RemoteProtocolError:
    """Let h11 understand the same."""
    conn = h11.Connection(h11.CLIENT, max_incomplete_event_size=256 * 1024)
    conn.send(h11.Request(method=method, target=b"/", headers=[(b"Host", b"example.test")]))
    conn.send(h11.EndOfMessage())
    arriving = iter([*segments, b""])
    status, headers, body = 0, [], b""
    try:
        while True:
            event = conn.next_event()
            if event is h11.NEED_DATA:
                conn.receive_data(next(arriving))
            elif isinstance(event, h11.Response):
                status, headers = event.status_code, list(event.headers)
            elif isinstance(event, h11.Data):
                body += bytes(event.data)
            elif isinstance(event, (h11.EndOfMessage, h11.ConnectionClosed)) or event is h11.PAUSED:
                return Understood(status, headers, body)
    except h11.RemoteProtocolError as error:
        return error


def stricter(error: TransportError) -> bool:
    return any(re.search(reason, str(error)) for reason in STRICTER)


# -- answers, right and wrong ------------------------------------------------------------------------------------------

NAMES = st.sampled_from(
    [b"X-A", b"server", b"Content-Type", b"Connection", b"Keep-Alive", b"x_y", b"Trailer", b"A!#$%&'*+.^`|~"]
)
VALUES = st.sampled_from(
    [b"", b"a", b"close", b"keep-alive", b"timeout=5", b" padded\t ", b"a, b", b"\xc3\xa9", b'"q"', b"a\tb"]
)
LENGTHS = st.sampled_from(
    [
        b"0",
        b"5",
        b"05",
        b"+5",
        b"-5",
        b"5,5",
        b"5, 6",
        b" 5 ",
        b"5 5",
        b"",
        b"0x5",
        b"five",
        b"9" * 25,
        b"\xb2",
        b"5\x00",
    ]
)
CODINGS = st.sampled_from(
    [b"chunked", b"Chunked", b"gzip", b"gzip, chunked", b"chunked, chunked", b"identity", b"", b"\tchunked "]
)
STATUS_LINES = st.sampled_from(
    [
        b"HTTP/1.1 200 OK",
        b"HTTP/1.1 200 OK",
        b"HTTP/1.1 200",
        b"HTTP/1.1 200 ",
        b"HTTP/1.0 200 OK",
        b"HTTP/1.1 204 No Content",
        b"HTTP/1.1 304 Not Modified",
        b"HTTP/1.1 404 Not F\xc3\xb6und",
        b"HTTP/1.1 999 X",
        b"HTTP/1.1 099 X",
        b"HTTP/1.1 101 Switch",
        b"HTTP/2.0 200 OK",
        b"HTTP/1.1 20 OK",
        b"HTTP/1.1  200 OK",
    ]
)
INTERIM = st.sampled_from(
    [b""] * 6 + [b"HTTP/1.1 100 Continue\r\n\r\n", b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n", b"\r\n"]
)
CHUNKS = st.lists(
    st.sampled_from(
        [b"5\r\nhello\r\n", b"1\r\n!\r\n", b"A\r\n0123456789\r\n", b"5;x=y\r\nhello\r\n", b"05\r\nhello\r\n"] * 3
        + [
            b"5 \r\nhello\r\n",
            b"+5\r\nhello\r\n",
            b"0x5\r\nhello\r\n",
            b"5\nhello\r\n",
            b"5\r\nhell\r\n",
            b"fffffffff\r\n",
        ]
    ),
    max_size=4,
).map(b"".join)
ENDS = st.sampled_from(
    [b"0\r\n\r\n"] * 6
    + [b"0\r\nX-T: a\r\n\r\n", b"0\r\n", b"", b"0\r\n\r\nstray", b"0\r\nX T: a\r\n\r\n", b"000\r\n\r\n"]
)
BODIES = st.one_of(
    st.tuples(CHUNKS, ENDS).map(b"".join), st.sampled_from([b"", b"hello", b"hell", b"hello world", b"\r\n\r\n"])
)


GOOD_STATUS_LINES = st.sampled_from(
    [b"HTTP/1.1 200 OK", b"HTTP/1.1 404 Not Found", b"HTTP/1.0 200 OK", b"HTTP/1.1 201"]
)
CHUNK = st.sampled_from([b"5\r\nhello\r\n", b"1\r\n!\r\n", b"a;x=y\r\n0123456789\r\n", b"005\r\nhello\r\n"])


@st.composite
def well_framed(draw: st.DrawFn) -> tuple[list[bytes], bytes]:
    """The framing headers and the body of a right answer."""
    kind = draw(st.sampled_from(["length", "chunked", "close"]))
    if kind == "chunked":
        return [b"Transfer-Encoding: chunked"], b"".join(draw(st.lists(CHUNK, max_size=4))) + draw(ENDS)
    body = draw(st.sampled_from([b"", b"hello", b"\r\n\r\n", b"HTTP/1.1 200 OK\r\n\r\n"]))
    return ([b"Content-Length: %d" % len(body)] if kind == "length" else []), body


@st.composite
def wildly_framed(draw: st.DrawFn) -> tuple[list[bytes], bytes]:
    """Framing headers and a body that have nothing to do with one another."""
    lines = []
    if draw(st.booleans()):
        lines.append(draw(st.sampled_from([b"Content-Length: ", b"content-length:"])) + draw(LENGTHS))
    if draw(st.booleans()):
        lines.append(b"Transfer-Encoding: " + draw(CODINGS))
    return lines, draw(BODIES)


@st.composite
def well_meant(draw: st.DrawFn) -> bytes:
    """An answer made of parts that are mostly right."""
    lines = [draw(st.one_of(GOOD_STATUS_LINES, GOOD_STATUS_LINES, STATUS_LINES))]
    for name, value in draw(st.lists(st.tuples(NAMES, VALUES), max_size=3)):
        lines.append(name + draw(st.sampled_from([b": ", b":", b":\t", b": "])) + value)
    framing, body = draw(st.one_of(well_framed(), well_framed(), wildly_framed()))
    return draw(INTERIM) + b"\r\n".join(lines + framing) + b"\r\n\r\n" + body


SPECIAL = st.sampled_from(
    [
        b"\r",
        b"\n",
        b"\r\n",
        b"\x00",
        b" ",
        b"\t",
        b":",
        b";",
        b",",
        b"\x80",
        b"\x7f",
        b"\x0b",
        b"0",
        b"HTTP/1.1 ",
        b"\r\n ",
    ]
)


@st.composite
def mutated(draw: st.DrawFn) -> bytes:
    """The same with a few bytes changed, inserted or removed."""
    data = draw(well_meant())
    for _ in range(draw(st.integers(1, 3))):
        where = draw(st.integers(0, len(data)))
        remove = draw(st.integers(0, 2))
        insert = draw(st.one_of(st.just(b""), SPECIAL, st.binary(min_size=1, max_size=2)))
        data = data[:where] + insert + data[where + remove :]
    return data


@st.composite
def segments(draw: st.DrawFn, source: st.SearchStrategy[bytes]) -> list[bytes]:
    """An answer, cut at random places."""
    data = draw(source)
    cuts = sorted(draw(st.sets(st.integers(1, max(1, len(data) - 1)), max_size=4)))
    return [piece for start, end in zip([0, *cuts], [*cuts, len(data)], strict=True) if (piece := data[start:end])]


METHODS = st.sampled_from([b"GET", b"GET", b"GET", b"HEAD"])


def compare(loop: asyncio.AbstractEventLoop, method: bytes, pieces: list[bytes]) -> None:
    we = loop.run_until_complete(ours(method, pieces))
    they = theirs(method, pieces)
    if isinstance(we, TransportError):
        assert not isinstance(they, Understood) or stricter(we), f"h11 accepts: {they}; we say: {we}"
    else:
        assert isinstance(they, Understood), f"h11 refuses: {they}; we understand: {we}"
        assert we == they


# A longer search: ASYNCCLIENT_FUZZ=20000.
EXAMPLES = int(os.environ.get("ASYNCCLIENT_FUZZ", "400"))
FUZZ = settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@FUZZ
@given(method=METHODS, pieces=segments(well_meant()))
def test_answers_that_are_mostly_right(loop: asyncio.AbstractEventLoop, method: bytes, pieces: list[bytes]) -> None:
    compare(loop, method, pieces)


@FUZZ
@given(method=METHODS, pieces=segments(mutated()))
@example(method=b"GET", pieces=[b"\r\nHTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"])
@example(method=b"GET", pieces=[b"HTTP/1.1 100 Continue\r\n\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"])
@example(method=b"GET", pieces=[b"HTTP/1.1 200 O\x00K\r\nContent-Length: 0\r\n\r\n"])
def test_answers_with_wrong_bytes(loop: asyncio.AbstractEventLoop, method: bytes, pieces: list[bytes]) -> None:
    compare(loop, method, pieces)


@FUZZ
@given(data=well_meant())
def test_where_segments_end_means_nothing(loop: asyncio.AbstractEventLoop, data: bytes) -> None:
    """All at once, or byte by byte: the same answer, or a refusal both times."""
    whole = loop.run_until_complete(ours(b"GET", [data] if data else []))
    single = loop.run_until_complete(ours(b"GET", [data[i : i + 1] for i in range(len(data))]))
    if isinstance(whole, TransportError):
        assert isinstance(single, TransportError)
    else:
        assert single == whole


@settings(FUZZ, max_examples=EXAMPLES // 2)
@given(data=st.binary(max_size=200))
def test_noise(loop: asyncio.AbstractEventLoop, data: bytes) -> None:
    compare(loop, b"GET", [data] if data else [])
