"""Heads of requests: what is written, and what is refused."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from asyncclient._messages import Headers, Origin, Request
from asyncclient._net import wire
from asyncclient._net.bodies import IterBody
from asyncclient._net.wire import CHUNKED, encode_head, host_header
from asyncclient.errors import LocalProtocolError

ORIGIN = Origin("http", "example.com", 80)
HOST = b"Host: example.com\r\n"


def encode(
    method: bytes = b"GET", target: bytes = b"/", headers: Headers | None = None, body: bytes | IterBody | None = None
) -> tuple[bytes, int, bool]:
    return encode_head(Request(method, ORIGIN, target, headers or [], body), HOST)


@pytest.mark.parametrize(
    ("origin", "host"),
    [
        (Origin("http", "example.com", 80), b"example.com"),
        (Origin("http", "example.com", 443), b"example.com:443"),
        (Origin("https", "example.com", 443), b"example.com"),
        (Origin("https", "example.com", 80), b"example.com:80"),
        (Origin("http", "127.0.0.1", 8000), b"127.0.0.1:8000"),
        (Origin("http", "::1", 80), b"[::1]"),
        (Origin("http", "::1", 8000), b"[::1]:8000"),
        (Origin("http", "fe80::1%eth0", 80), b"[fe80::1]"),
        (Origin("http", "a_b.example", 80), b"a_b.example"),
    ],
)
def test_host_header(origin: Origin, host: bytes) -> None:
    assert host_header(origin) == b"Host: " + host + b"\r\n"


@pytest.mark.parametrize(
    "origin",
    [
        Origin("ftp", "example.com", 80),
        Origin("http", "", 80),
        Origin("http", "a b", 80),
        Origin("http", "a\r\nb", 80),
        Origin("http", "user@host", 80),
        Origin("http", "a/b", 80),
        Origin("http", "bücher.example", 80),
        Origin("http", "example.com", 0),
        Origin("http", "example.com", 65536),
    ],
)
def test_impossible_origins_are_refused(origin: Origin) -> None:
    with pytest.raises(LocalProtocolError) as caught:
        host_header(origin)
    assert caught.value.request_sent is False


def test_a_plain_get() -> None:
    assert encode(target=b"/a?b=c", headers=[(b"Accept", b"*/*")]) == (
        b"GET /a?b=c HTTP/1.1\r\nHost: example.com\r\nAccept: */*\r\n\r\n",
        0,
        False,
    )


@pytest.mark.parametrize("method", [b"POST", b"PUT", b"PATCH", b"DELETE"])
def test_no_body_is_said_where_one_is_expected(method: bytes) -> None:
    assert b"\r\nContent-Length: 0\r\n" in encode(method)[0]


@pytest.mark.parametrize("method", [b"GET", b"HEAD", b"OPTIONS"])
def test_no_body_is_not_mentioned_elsewhere(method: bytes) -> None:
    assert b"content-length" not in encode(method)[0].lower()


def test_framing_follows_the_body() -> None:
    head, length, _ = encode(b"POST", body=b"12345")
    assert b"\r\nContent-Length: 5\r\n" in head
    assert length == 5
    head, length, _ = encode(b"POST", body=IterBody([b"1"], 7))
    assert b"\r\nContent-Length: 7\r\n" in head
    assert length == 7
    head, length, _ = encode(b"POST", body=IterBody([b"1"]))
    assert b"\r\nTransfer-Encoding: chunked\r\n" in head
    assert length == CHUNKED


def test_given_host_and_framing_are_kept() -> None:
    head, length, _ = encode(b"POST", headers=[(b"host", b"other"), (b"content-length", b"3")], body=b"abc")
    assert head == b"POST / HTTP/1.1\r\nhost: other\r\ncontent-length: 3\r\n\r\n"
    assert length == 3
    head, length, _ = encode(b"POST", headers=[(b"transfer-encoding", b"chunked")], body=IterBody([b"1"], 1))
    assert b"content-length" not in head.lower()
    assert length == CHUNKED
    _, length, _ = encode(b"POST", headers=[(b"Content-Length", b"9")], body=IterBody([b"1"]))
    assert length == 9


@pytest.mark.parametrize(
    ("value", "close"), [(b"close", True), (b"keep-alive, Close", True), (b"keep-alive", False), (b"te", False)]
)
def test_close_is_noticed(value: bytes, close: bool) -> None:
    assert encode(headers=[(b"Connection", value)])[2] is close


def test_several_connection_headers_are_one() -> None:
    head, _, close = encode(headers=[(b"Connection", b"te"), (b"connection", b"close")])
    assert close
    assert head.lower().count(b"connection") == 2


@pytest.mark.parametrize("bad", [b"\r", b"\n", b"\x00", b"\x1b", b"\x7f", b"\r\nX-Injected: 1"])
def test_values_cannot_hold_control_characters(bad: bytes) -> None:
    with pytest.raises(LocalProtocolError) as caught:
        encode(headers=[(b"Accept", b"*/*"), (b"X-Token", b"secret" + bad + b"tail")])
    message = str(caught.value)
    assert "X-Token" in message
    assert "secret" not in message
    assert "tail" not in message
    assert caught.value.request_sent is False


def test_values_may_hold_tabs_and_bytes_beyond_ascii() -> None:
    assert b"X: a\tb\xc3\xa9\r\n" in encode(headers=[(b"X", b"a\tb\xc3\xa9")])[0]


@pytest.mark.parametrize("name", [b"", b"a b", b"a:", b"a\r\n", b"\xc3\xa9", b"a\x00", b"(a)", b" a"])
def test_names_must_be_tokens(name: bytes) -> None:
    with pytest.raises(LocalProtocolError):
        encode(headers=[(name, b"v")])


@pytest.mark.parametrize("method", [b"", b"GE T", b"GET\r\n", b"CONNECT"])
def test_methods_must_be_tokens_and_not_connect(method: bytes) -> None:
    with pytest.raises(LocalProtocolError):
        encode(method)


@pytest.mark.parametrize("target", [b"", b"/a b", b"/\r\nX: 1", b"/\x00", b"/\xc3\xa9", b"http://other/", b"*", b"a"])
def test_targets_must_be_paths(target: bytes) -> None:
    with pytest.raises(LocalProtocolError):
        encode(target=target)


def test_options_may_ask_the_server_itself() -> None:
    assert encode(b"OPTIONS", b"*")[0].startswith(b"OPTIONS * HTTP/1.1\r\n")


@pytest.mark.parametrize(
    "headers",
    [
        [(b"content-length", b"3"), (b"Content-Length", b"3")],
        [(b"host", b"a"), (b"Host", b"a")],
        [(b"content-length", b"4")],
        [(b"content-length", b"+3")],
        [(b"content-length", b"")],
        [(b"content-length", b"9" * 19)],
        [(b"content-length", b"3"), (b"transfer-encoding", b"chunked")],
        [(b"transfer-encoding", b"gzip, chunked")],
        [(b"transfer-encoding", b"identity")],
    ],
)
def test_framing_that_contradicts_is_refused(headers: Headers) -> None:
    with pytest.raises(LocalProtocolError):
        encode(b"POST", headers=headers, body=b"abc")


def test_names_and_methods_without_end_do_not_fill_the_memory() -> None:
    for number in range(wire._CACHE_LIMIT + 50):
        encode(b"M%d" % number, headers=[(b"X-%d" % number, b"v")])
    assert len(wire._known_names) <= wire._CACHE_LIMIT
    assert len(wire._known_methods) <= wire._CACHE_LIMIT
    with pytest.raises(LocalProtocolError):
        encode(headers=[(b"still checked:", b"v")])


@given(
    method=st.binary(max_size=8),
    target=st.binary(max_size=20).map(lambda data: b"/" + data),
    headers=st.lists(st.tuples(st.binary(max_size=8), st.binary(max_size=16)), max_size=4),
)
def test_nothing_can_be_injected(method: bytes, target: bytes, headers: Headers) -> None:
    """Whatever is accepted has exactly the lines that were asked for."""
    try:
        head, _, _ = encode(method, target, headers)
    except LocalProtocolError:
        return
    lines = head.split(b"\r\n")
    assert head.endswith(b"\r\n\r\n")
    assert b"\r" not in b"".join(lines)
    assert b"\n" not in b"".join(lines)
    assert lines[0] == method + b" " + target + b" HTTP/1.1"
    expected = [b"%b: %b" % pair for pair in headers]
    assert [line for line in lines if line in expected] == expected
    assert len(lines) - 3 - len(expected) in (0, 1, 2)  # Host, and a framing header for some methods
