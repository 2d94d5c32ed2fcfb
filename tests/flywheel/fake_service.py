"""A server that answers what it is told and keeps what it was sent, on a real socket."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass
class Received:
    """One request as it came over the wire."""

    method: str
    target: str
    headers: dict[str, str]
    body: bytes

    @property
    def line(self) -> str:
        return f"{self.method} {self.target}"

    @property
    def json(self) -> Any:
        return json.loads(self.body)


@dataclass
class Reply:
    """What is answered: JSON, or a body as it is."""

    json: Any = None
    status: int = 200
    body: bytes | None = None
    headers: dict[str, str] = field(default_factory=dict)
    length: int | None = None
    """What Content-Length says, if it lies."""


class FakeService:
    """Answers with ``script`` in turn, then with ``rule``."""

    def __init__(self, port: int) -> None:
        self.origin = f"http://127.0.0.1:{port}"
        self.key = f"127.0.0.1:{port}:__force_insecure:abc"
        self._lock = threading.Lock()
        self._script: list[Reply] = []
        self.rule: Callable[[Received], Reply] = lambda request: Reply(None)
        self.received: list[Received] = []

    def play(self, *replies: Any, rule: Callable[[Received], Reply] | None = None) -> None:
        """Set what is answered from now on, and forget what was received."""
        with self._lock:
            self._script = [reply if isinstance(reply, Reply) else Reply(reply) for reply in replies]
            self.rule = rule or (lambda request: Reply(None))
            self.received = []

    def answer(self, request: Received) -> Reply:
        with self._lock:
            self.received.append(request)
            return self._script.pop(0) if self._script else self.rule(request)

    @property
    def lines(self) -> list[str]:
        """Method and target of every request, without the prefix of the API."""
        return [f"{request.method} {request.target.removeprefix('/api')}" for request in self.received]


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = -1
    server: _Server

    def _any(self) -> None:
        headers = {name.lower(): value for name, value in self.headers.items()}
        body = self._chunks() if "chunked" in headers.get("transfer-encoding", "") else self._counted(headers)
        reply = self.server.service.answer(Received(self.command, self.path, headers, body))
        content = reply.body if reply.body is not None else json.dumps(reply.json).encode()
        self.send_response(reply.status)
        for name, value in reply.headers.items():
            self.send_header(name, value)
        length = len(content) if reply.length is None else reply.length
        self.send_header("Content-Length", str(length))
        if length != len(content):
            self.close_connection = True
        self.end_headers()
        self.wfile.write(content)
        self.wfile.flush()

    def _counted(self, headers: dict[str, str]) -> bytes:
        return self.rfile.read(int(headers.get("content-length") or 0))

    def _chunks(self) -> bytes:
        found = b""
        while size := int(self.rfile.readline().split(b";")[0], 16):
            found += self.rfile.read(size)
            self.rfile.readline()
        self.rfile.readline()
        return found

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = _any  # noqa: N815  # names of http.server

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  # signature of http.server
        pass


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    service: FakeService

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Connections that are dropped on purpose are no news."""


@contextmanager
def fake_service() -> Iterator[FakeService]:
    server = _Server(("127.0.0.1", 0), _Handler)
    server.service = FakeService(server.server_address[1])
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield server.service
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
