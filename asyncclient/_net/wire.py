"""What is written for a request: its head, checked, and how its body is framed. Pure functions.

Nothing a caller gives can end a line: method, target, names and values are checked on every request, and a refusal
names the header but never shows a value, which may be a secret.
"""

from __future__ import annotations

import re
from typing import Final

from asyncclient._messages import Body, Origin, Request
from asyncclient.errors import LocalProtocolError

__all__ = ["CHUNKED", "encode_head", "host_header"]

CHUNKED: Final = -2
"""The body is sent in chunks, its length is not known."""

_TOKEN = re.compile(rb"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")
_HOST = re.compile(r"[0-9A-Za-z._~-]+|[0-9A-Fa-f:.]+(%[0-9A-Za-z._~-]+)?")
_DEFAULT_PORT = {"http": 80, "https": 443}

# Deleting the allowed bytes leaves the bad ones; several times faster than a regular expression.
_VALUE_BYTES = bytes(byte for byte in range(256) if byte == 9 or (byte >= 32 and byte != 127))
_TARGET_BYTES = bytes(range(0x21, 0x7F))
# RFC 9110 section 8.6: say that there is nothing where something is expected.
_EXPECT_BODY = frozenset((b"POST", b"PUT", b"PATCH", b"DELETE"))

_PLAIN, _HOST_NAME, _LENGTH, _CODING, _CONNECTION = range(5)
_SPECIAL = {
    b"host": _HOST_NAME,
    b"content-length": _LENGTH,
    b"transfer-encoding": _CODING,
    b"connection": _CONNECTION,
}
_known_names: dict[bytes, int] = {}
_known_methods: set[bytes] = set()
_CACHE_LIMIT = 512


def host_header(origin: Origin) -> bytes:
    """Return the ``Host`` line for an origin, its port left out where it is the default.

    Raises:
        LocalProtocolError: Scheme, host or port cannot be part of a URL.
    """
    if origin.scheme not in _DEFAULT_PORT:
        raise LocalProtocolError("the scheme of a request must be http or https")
    if _HOST.fullmatch(origin.host) is None:
        raise LocalProtocolError("the host name of a request has characters that no host name has")
    if not 0 < origin.port < 65536:
        raise LocalProtocolError(f"the port of a request must be 1 to 65535, not {origin.port}")
    host = origin.host
    if ":" in host:
        host = f"[{host.partition('%')[0]}]"  # a zone means something on this machine only (RFC 6874)
    if origin.port != _DEFAULT_PORT[origin.scheme]:
        host = f"{host}:{origin.port}"
    return f"Host: {host}\r\n".encode("ascii")


def encode_head(request: Request, host_line: bytes) -> tuple[bytes, int, bool]:
    """Write the head of a request.

    Returns:
        The head with its empty line; the bytes of the body, or :data:`CHUNKED`; whether the request asks the peer to
        close the connection.

    Raises:
        LocalProtocolError: It cannot be written as HTTP, or its framing headers do not fit its body.
    """
    lines = [b""]
    values = []
    given: dict[int, bytes] = {}
    known = _known_names
    for name, value in request.headers:
        kind = known.get(name, -1)
        if kind:
            if kind < 0:
                kind = _classify(name)
            if kind:
                if kind in given and kind != _CONNECTION:
                    raise LocalProtocolError(f"header {name.decode('ascii')} is given twice")
                given[kind] = given[kind] + b"," + value if kind in given else value
        values.append(value)
        lines += (name, b": ", value, b"\r\n")
    if b"".join(values).translate(None, _VALUE_BYTES):
        raise LocalProtocolError(_blame(request))
    length = 0 if request.body is None else _body_length(request.body)
    close = False
    if given:
        length = _check_framing(given, length)
        close = b"close" in given.get(_CONNECTION, b"").lower()
        if _HOST_NAME in given:
            host_line = b""
    if _LENGTH not in given and _CODING not in given:
        lines.append(_framing_line(request, length))
    lines[0] = _request_line(request) + host_line
    lines.append(b"\r\n")
    return b"".join(lines), length, close


def _request_line(request: Request) -> bytes:
    method, target = request.method, request.target
    if method not in _known_methods:
        if _TOKEN.fullmatch(method) is None:
            raise LocalProtocolError("the method of a request has characters that no method has")
        if method == b"CONNECT":
            raise LocalProtocolError("CONNECT is not supported")
        if len(_known_methods) < _CACHE_LIMIT:
            _known_methods.add(method)
    if not target or target.translate(None, _TARGET_BYTES):
        raise LocalProtocolError("the target of a request is empty or has characters that must be percent-encoded")
    if target[0] != 0x2F and not (target == b"*" and method == b"OPTIONS"):
        raise LocalProtocolError("the target of a request must begin with /")
    return b"%b %b HTTP/1.1\r\n" % (method, target)


def _classify(name: bytes) -> int:
    """Check a header name seen for the first time and say whether it means something here."""
    if _TOKEN.fullmatch(name) is None:
        raise LocalProtocolError("a header name is empty or has characters that no header name has")
    kind = _SPECIAL.get(name.lower(), _PLAIN)
    if len(_known_names) < _CACHE_LIMIT:
        _known_names[bytes(name)] = kind
    return kind


def _blame(request: Request) -> str:
    bad = next(name for name, value in request.headers if value.translate(None, _VALUE_BYTES))
    return f"header {bad.decode('ascii')} has control characters in its value"


def _body_length(body: bytes | Body | None) -> int:
    if body is None:
        return 0
    if isinstance(body, (bytes, bytearray, memoryview)):
        return len(body)
    return CHUNKED if body.length is None else body.length


def _check_framing(given: dict[int, bytes], length: int) -> int:
    """Hold framing headers that the caller has set against the body; return the length to enforce."""
    coding, stated = given.get(_CODING), given.get(_LENGTH)
    if coding is not None:
        if stated is not None or coding.strip().lower() != b"chunked":
            raise LocalProtocolError("transfer-encoding may only be chunked, and not together with content-length")
        return CHUNKED
    if stated is None:
        return length
    if not stated.isdigit() or len(stated) > 18:
        raise LocalProtocolError("content-length must be a number")
    if length not in (CHUNKED, int(stated)):
        raise LocalProtocolError(f"content-length is {int(stated)}, but the body has {length} bytes")
    return int(stated)


def _framing_line(request: Request, length: int) -> bytes:
    if length == CHUNKED:
        return b"Transfer-Encoding: chunked\r\n"
    if length or request.body is not None or request.method in _EXPECT_BODY:
        return b"Content-Length: %d\r\n" % length
    return b""
