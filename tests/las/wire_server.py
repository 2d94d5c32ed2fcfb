"""A server that answers what it is told and keeps what it was sent, on a real socket."""

from __future__ import annotations

import base64
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl

TOKEN = {"access_token": "test-token", "expires_in": 3600, "token_type": "Bearer"}


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
        return [list(pair) for pair in parse_qsl(self.raw_query, keep_blank_values=True, strict_parsing=False)]


@dataclass
class WireServer:
    """Answers with ``script`` in turn; ``POST /token`` is answered apart and counted."""

    origin: str
    script: list[dict[str, Any]] = field(default_factory=list)
    received: list[Received] = field(default_factory=list)
    token_requests: list[Received] = field(default_factory=list)
    token_script: list[dict[str, Any]] = field(default_factory=list)
    revoked: set[str] = field(default_factory=set)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def play(self, *responses: dict[str, Any]) -> None:
        """Set what is answered from now on, and forget what was received."""
        with self.lock:
            self.script[:] = responses
            self.received.clear()

    def answer(self, request: Received) -> dict[str, Any]:
        with self.lock:
            if request.path.endswith("/token"):
                self.token_requests.append(request)
                return self.token_script.pop(0) if self.token_script else {"status": 200, "json": TOKEN}
            self.received.append(request)
            if request.headers.get("authorization") in self.revoked:
                return {"status": 401, "json": {"message": "Unauthorized"}}
            if not self.script:
                return {"status": 599, "json": {"message": "nothing left to answer"}}
            return self.script.pop(0)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = -1  # head and body in one packet: else every answer waits for an acknowledgement
    server: _Server

    def _any(self) -> None:
        length = int(self.headers.get("content-length") or 0)
        path, _, query = self.path.partition("?")
        headers = {name.lower(): value for name, value in self.headers.items()}
        request = Received(self.command, path, query, headers, self.rfile.read(length))
        response = self.server.wire.answer(request)
        self._write(response)

    def _write(self, response: dict[str, Any]) -> None:
        body = b""
        content_type = response.get("content_type")
        if "json" in response:
            text = json.dumps(response["json"]).replace("{origin}", self.server.wire.origin)
            body, content_type = text.encode(), content_type or "application/json"
        elif response.get("body_base64"):
            body = base64.b64decode(response["body_base64"])
        self.send_response(response["status"])
        if content_type:
            self.send_header("Content-Type", content_type)
        for name, value in response.get("headers", {}).items():
            self.send_header(name, value)
        if response["status"] in (204, 304):
            self.end_headers()
            return
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = _any  # noqa: N815  # names of http.server

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  # signature of http.server
        pass


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    wire: WireServer


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
