"""Heads and bodies of answers: what is understood, and what is refused."""

from __future__ import annotations

import pytest

from asyncclient._net.framing import CHUNKED, UNTIL_CLOSE, ChunkDecoder, Head, find_bare_newline, parse_head
from asyncclient.errors import RemoteProtocolError


def parse(*lines: bytes, to_head: bool = False, max_headers: int = 100) -> Head:
    return parse_head(b"\r\n".join([*lines, b"", b""]), to_head=to_head, max_headers=max_headers)


def test_a_plain_head() -> None:
    head = parse(b"HTTP/1.1 201 Very Created", b"Content-Length: 12", b"X-Mixed: \t a b \t")
    assert (head.status, head.reason, head.version) == (201, b"Very Created", b"1.1")
    assert head.headers == [(b"content-length", b"12"), (b"x-mixed", b"a b")]
    assert (head.length, head.keep, head.keep_s) == (12, True, None)


@pytest.mark.parametrize("line", [b"HTTP/1.1 200", b"HTTP/1.1 200 "])
def test_the_reason_may_be_missing(line: bytes) -> None:
    assert parse(line, b"Content-Length: 0").reason == b""


def test_an_empty_value_is_empty() -> None:
    assert parse(b"HTTP/1.1 200 OK", b"A:", b"B: ", b"C: c").headers == [(b"a", b""), (b"b", b""), (b"c", b"c")]


@pytest.mark.parametrize(
    "line",
    [
        b"",
        b"garbage",
        b"SSH-2.0-OpenSSH_9.2",
        b"HTTP/2.0 200 OK",
        b"HTTP/0.9 200 OK",
        b"HTTP/1.2 200 OK",
        b"HTTP/1.1  200 OK",
        b" HTTP/1.1 200 OK",
        b"http/1.1 200 OK",
        b"HTTP/1.1 20 OK",
        b"HTTP/1.1 2000 OK",
        b"HTTP/1.1 099 OK",
        b"HTTP/1.1 200OK",
        b"HTTP/1.1 2\xb2\xb3 OK",
        b"HTTP/1.1 200 O\x00K",
        b"HTTP/1.1 200 O\rK",
        b"HTTP/1.1 200\tOK",
        b"RTSP/1.0 200 OK",
        b"ICE/1.0 200 OK",
        b"HTTP/1.1 101 Switching Protocols",
    ],
)
def test_bad_status_lines_are_refused(line: bytes) -> None:
    with pytest.raises(RemoteProtocolError):
        parse(line)


@pytest.mark.parametrize(
    "line",
    [
        b"A : space before the colon",
        b": no name",
        b"no colon",
        b"A\x00: x",
        b"A\xe9: x",
        b"A(: x",
        b"A: \x00",
        b"A: x\ry",
        b"A: x\ny",
        b"A: \x7f",
        b"A: first\r\n folded",
        b"A: first\r\n\tfolded",
        b" A: begins folded",
    ],
)
def test_bad_header_lines_are_refused(line: bytes) -> None:
    with pytest.raises(RemoteProtocolError):
        parse(b"HTTP/1.1 200 OK", line, b"Content-Length: 0")


@pytest.mark.parametrize(
    "lines",
    [
        [b"Content-Length: 5", b"Content-Length: 6"],
        [b"Content-Length: 5", b"Content-Length: 5"],
        [b"Content-Length: 5, 5"],
        [b"Content-Length: 5,6"],
        [b"Content-Length: +5"],
        [b"Content-Length: -1"],
        [b"Content-Length: 5 5"],
        [b"Content-Length: 0x5"],
        [b"Content-Length: 5.0"],
        [b"Content-Length:"],
        [b"Content-Length: 99999999999999999999999"],
        [b"Content-Length: 1000000000000000000"],
        [b"Content-Length: 5", b"Transfer-Encoding: chunked"],
        [b"Transfer-Encoding: chunked", b"Content-Length: 5"],
        [b"Transfer-Encoding: gzip"],
        [b"Transfer-Encoding: gzip, chunked"],
        [b"Transfer-Encoding: chunked, gzip"],
        [b"Transfer-Encoding: chunked", b"Transfer-Encoding: chunked"],
        [b"Transfer-Encoding: identity"],
        [b"Transfer-Encoding: xchunked"],
        [b"Transfer-Encoding: \x0bchunked"],
    ],
)
def test_framing_that_contradicts_is_refused(lines: list[bytes]) -> None:
    with pytest.raises(RemoteProtocolError):
        parse(b"HTTP/1.1 200 OK", *lines)


def test_spaces_around_a_length_are_no_part_of_it() -> None:
    assert parse(b"HTTP/1.1 200 OK", b"Content-Length: \t 5 \t").length == 5


def test_http_1_0_has_no_chunks() -> None:
    with pytest.raises(RemoteProtocolError):
        parse(b"HTTP/1.0 200 OK", b"Transfer-Encoding: chunked")


@pytest.mark.parametrize(
    ("lines", "to_head", "length"),
    [
        ([b"HTTP/1.1 200 OK"], False, UNTIL_CLOSE),
        ([b"HTTP/1.1 200 OK", b"Transfer-Encoding: Chunked"], False, CHUNKED),
        ([b"HTTP/1.1 200 OK", b"Content-Length: 7"], False, 7),
        ([b"HTTP/1.1 200 OK", b"Content-Length: 7"], True, 0),
        ([b"HTTP/1.1 200 OK", b"Transfer-Encoding: chunked"], True, 0),
        ([b"HTTP/1.1 200 OK"], True, 0),
        ([b"HTTP/1.1 204 No Content", b"Content-Length: 7"], False, 0),
        ([b"HTTP/1.1 304 Not Modified", b"Content-Length: 7"], False, 0),
        ([b"HTTP/1.1 100 Continue"], False, 0),
        ([b"HTTP/1.1 999 Odd", b"Content-Length: 1"], False, 1),
    ],
)
def test_length_of_the_body(lines: list[bytes], to_head: bool, length: int) -> None:
    assert parse(*lines, to_head=to_head).length == length


@pytest.mark.parametrize(
    ("lines", "keep"),
    [
        ([b"HTTP/1.1 200 OK", b"Content-Length: 0"], True),
        ([b"HTTP/1.1 200 OK", b"Content-Length: 0", b"Connection: Close"], False),
        ([b"HTTP/1.1 200 OK", b"Content-Length: 0", b"Connection: x, close"], False),
        ([b"HTTP/1.1 200 OK", b"Content-Length: 0", b"Connection: close", b"Connection: keep-alive"], False),
        ([b"HTTP/1.1 200 OK", b"Content-Length: 0", b"Connection: keep-alive", b"Connection: close"], False),
        ([b"HTTP/1.0 200 OK", b"Content-Length: 0"], False),
        ([b"HTTP/1.0 200 OK", b"Content-Length: 0", b"Connection: Keep-Alive"], True),
        ([b"HTTP/1.1 200 OK"], False),
    ],
)
def test_whether_the_connection_is_kept(lines: list[bytes], keep: bool) -> None:
    assert parse(*lines).keep is keep


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        (b"timeout=5", 5.0),
        (b"timeout=5, max=100", 5.0),
        (b'max=100, Timeout = "7"', 7.0),
        (b"max=100", None),
        (b"timeout=soon", None),
        (b"timeout=-1", None),
        (b"timeout=99999999999", None),
    ],
)
def test_how_long_the_connection_is_kept(value: bytes, seconds: float | None) -> None:
    assert parse(b"HTTP/1.1 200 OK", b"Content-Length: 0", b"Keep-Alive: " + value).keep_s == seconds


def test_too_many_headers_are_refused() -> None:
    lines = [b"X-%d: y" % number for number in range(11)]
    assert len(parse(b"HTTP/1.1 200 OK", *lines, max_headers=11).headers) == 11
    with pytest.raises(RemoteProtocolError, match="more than 10 headers"):
        parse(b"HTTP/1.1 200 OK", *lines, max_headers=10)


@pytest.mark.parametrize("data", [b"HTTP/1.1 200 OK\n", b"A: b\n\n", b"a\rb", b"\n"])
def test_bare_newlines_are_found(data: bytes) -> None:
    assert find_bare_newline(data)


@pytest.mark.parametrize("data", [b"", b"a", b"a\r\nb", b"a\r", b"a\r\n\r\n"])
def test_good_newlines_are_left_alone(data: bytes) -> None:
    assert not find_bare_newline(data)


# -- chunks ----------------------------------------------------------------------------------------------------------


def decoder(max_overhead: int = 1000, max_trailers: int = 10) -> ChunkDecoder:
    return ChunkDecoder(max_overhead=max_overhead, max_trailers=max_trailers)


CHUNKS = b'5\r\nhello\r\n6;a=b;c="d"\r\n world\r\n0\r\nX-Trailer: 1\r\n\r\n'


@pytest.mark.parametrize("size", [1, 2, 3, 7, 100])
def test_chunks(size: int) -> None:
    chunks = decoder()
    pieces: list[bytes] = []
    for start in range(0, len(CHUNKS), size):
        assert not chunks.done
        pieces += chunks.feed(memoryview(CHUNKS[start : start + size]))
    assert b"".join(pieces) == b"hello world"
    assert chunks.done
    assert not chunks.stray


@pytest.mark.parametrize("after", [b"x", b"HTTP/1.1 200 OK\r\n\r\n", b"\x00", b"5\r\nhello\r\n"])
def test_bytes_after_the_last_chunk_are_noticed(after: bytes) -> None:
    chunks = decoder()
    assert b"".join(chunks.feed(CHUNKS + after)) == b"hello world"
    assert chunks.done
    assert chunks.stray


@pytest.mark.parametrize(
    "data",
    [
        b"\r\n",
        b"x\r\n",
        b"-5\r\nhello\r\n",
        b"+5\r\nhello\r\n",
        b"0x5\r\nhello\r\n",
        b" 5\r\nhello\r\n",
        b"5 5\r\nhello\r\n",
        b"5_0\r\nhello\r\n",
        b"5\nhello\r\n",
        b"5\rhello\r\n",
        b"5\r\nhelloX\r\n",
        b"5\r\nhello\n0\r\n\r\n",
        b"fffffffffffffffff\r\n",
        b"10000000000000000\r\n",
        b"5;\x00\r\nhello\r\n",
        b"5;a=\nb\r\nhello\r\n",
        b"0\r\nX : y\r\n\r\n",
        b"0\r\nX: y\r\n z\r\n\r\n",
        b"0\r\nX: \x00\r\n\r\n",
        b"0\r\nno colon\r\n\r\n",
        b"0\r\nContent-Length: 5\r\n\r\n",
        b"0\r\nx\r\n",
    ],
)
def test_bad_chunks_are_refused(data: bytes) -> None:
    with pytest.raises(RemoteProtocolError):
        decoder().feed(data)


def test_extensions_and_trailers_without_end_are_refused() -> None:
    with pytest.raises(RemoteProtocolError, match="between its chunks"):
        decoder().feed(b"5;" + b"a" * 1000)
    for begin, more in ((b"5;a=", b"aaaaaaaa"), (b"0\r\n", b"X: y\r\n")):
        chunks = decoder(max_trailers=1000)
        chunks.feed(begin)
        with pytest.raises(RemoteProtocolError, match="between its chunks"):
            for _ in range(1000):
                chunks.feed(more)
    with pytest.raises(RemoteProtocolError, match="between its chunks"):
        decoder(max_trailers=3).feed(b"0\r\n" + b"X: y\r\n" * 4 + b"\r\n")


def test_many_small_chunks_are_no_overhead() -> None:
    chunks = decoder(max_overhead=20)
    assert b"".join(chunks.feed(b"1\r\na\r\n" * 1000 + b"0\r\n\r\n")) == b"a" * 1000
