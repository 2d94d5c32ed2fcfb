"""A server that answers what it is told and keeps what it was sent, byte for byte, on a real socket."""

from __future__ import annotations

import base64
import gzip
import json
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl


@dataclass
class FormPart:
    """One part of a form as it came over the wire."""

    headers: list[str]
    content: bytes


@dataclass
class Received:
    """One request as it came over the wire."""

    method: str
    path: str
    raw_query: str
    headers: dict[str, str]
    body: bytes

    @property
    def query(self) -> list[list[str]]:
        return [list(pair) for pair in parse_qsl(self.raw_query, keep_blank_values=True)]

    @property
    def framing(self) -> str:
        if "transfer-encoding" in self.headers:
            return "chunked"
        return "content-length" if "content-length" in self.headers else "none"

    def parts(self) -> list[FormPart]:
        """Take a form apart; fails where its framing is not exactly that of RFC 7578."""
        kind, _, boundary = self.headers["content-type"].partition("; boundary=")
        assert kind == "multipart/form-data"
        line = b"--" + boundary.encode()
        begin, *pieces, end = self.body.split(line)
        assert begin == b""
        assert end == b"--\r\n"
        found = []
        for piece in pieces:
            assert piece.startswith(b"\r\n")
            assert piece.endswith(b"\r\n")
            head, blank, content = piece[2:-2].partition(b"\r\n\r\n")
            assert blank
            found.append(FormPart(head.decode().split("\r\n"), content))
        return found


@dataclass
class WireServer:
    """Answers with ``script`` in turn, or with what ``respond`` makes of a request."""

    origin: str
    script: list[dict[str, Any]] = field(default_factory=list)
    received: list[Received] = field(default_factory=list)
    respond: Callable[[Received], dict[str, Any]] | None = None
    lock: threading.Lock = field(default_factory=threading.Lock)

    def play(self, *responses: dict[str, Any], respond: Callable[[Received], dict[str, Any]] | None = None) -> None:
        """Set what is answered from now on, and forget what was received."""
        with self.lock:
            self.script[:] = responses
            self.received.clear()
            self.respond = respond

    def answer(self, request: Received) -> dict[str, Any]:
        with self.lock:
            self.received.append(request)
            if self.respond is not None:
                return self.respond(request)
            if not self.script:
                return {"status": 599, "text": "nothing left to answer"}
            return self.script.pop(0)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = -1  # head and body in one packet: else every answer waits for an acknowledgement
    server: _Server

    def _any(self) -> None:
        length = int(self.headers.get("content-length") or 0)
        path, _, query = self.path.partition("?")
        headers = {name.lower(): value for name, value in self.headers.items()}
        self._write(self.server.wire.answer(Received(self.command, path, query, headers, self.rfile.read(length))))

    def _write(self, response: dict[str, Any]) -> None:
        status = response.get("status", 200)
        body = _body(response, self.server.wire.origin)
        self.send_response(status, response.get("reason"))
        for name, value in (response.get("headers") or {}).items():
            if name.lower() not in ("content-length", "connection"):
                self.send_header(name, value.replace("{BASE}", self.server.wire.origin))
        if response.get("gzip"):
            body = gzip.compress(body)
            self.send_header("Content-Encoding", "gzip")
        if status in (204, 304):
            self.end_headers()
            return
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        cut = response.get("cut")
        self.wfile.write(body[:cut])
        if cut is not None:
            self.close_connection = True

    do_GET = do_POST = do_PUT = do_DELETE = _any  # noqa: N815  # names of http.server

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  # signature of http.server
        pass


def _body(response: dict[str, Any], origin: str) -> bytes:
    if "json" in response:
        return json.dumps(response["json"]).replace("{BASE}", origin).encode()
    if "body" in response:
        return bytes(response["body"])
    if "b64" in response:
        return base64.b64decode(response["b64"])
    return str(response.get("text", "")).encode()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    wire: WireServer

    def handle_error(self, request: Any, client_address: Any) -> None:
        if not isinstance(sys.exception(), ConnectionError):  # clients may leave when they have enough
            super().handle_error(request, client_address)


@contextmanager
def wire_server() -> Iterator[WireServer]:
    server = _Server(("127.0.0.1", 0), _Handler)
    server.wire = WireServer(f"http://127.0.0.1:{server.server_address[1]}")
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield server.wire
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
