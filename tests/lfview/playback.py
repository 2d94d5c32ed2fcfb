"""A server that plays recorded exchanges back, in any order the recording allows, and notes what it was not told."""

from __future__ import annotations

import base64
import gzip
import hashlib
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl

from tests.lfview.cases import DOCUMENT
from tests.lfview.test_wire_bodies import same_json


@dataclass
class Received:
    """One request as it came over the wire."""

    method: str
    path: str
    query: list[list[str]]
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body) if self.body else None

    def __str__(self) -> str:
        return f"{self.method} {self.path} {self.headers.get('content-range', '')} {self.body[:300]!r}"


Answer = tuple[int, dict[str, str], bytes]


class Playback:
    """Answers as one case says.

    Attributes:
        step: Whose exchanges may come now.
        errors: What came that should not have.
    """

    def __init__(self, entry: dict[str, Any], base: str) -> None:
        filled = json.loads(json.dumps([entry, DOCUMENT["preamble"]]).replace("{{base}}", base))
        self.entry, preamble = filled
        explicit = self.entry.get("explicit_session", False)
        self.preamble = [] if explicit else [{**exchange, "n": None} for exchange in preamble]
        self.step = 0
        self.errors: list[str] = []
        self.used: set[int] = set()
        self._answered: set[int] = set()
        self._streams: dict[tuple[int, str], bytes] = {}
        self._totals: dict[tuple[int, str], int] = {}
        self._announced: list[int] = []
        self._lock = threading.Lock()

    def answer(self, request: Received) -> Answer:
        with self._lock:
            exchange = self._find(request)
            if exchange is None:
                self.errors.append(f"step {self.step}: nobody recorded {request}")
                return 500, {}, b"not recorded"
            if exchange["n"] is not None:
                self.used.add(exchange["n"])
            self._check_order(exchange, request)
            self._check_headers(exchange["request"], request)
            if "content-range" in request.headers:
                self._check_range(request)
            elif request.method != "GET" and isinstance(request.json, dict):
                self._announced.append(request.json.get("content_length", -1))
            response = exchange["response"]
            self._answered.add(exchange["n"])
        headers = dict(response.get("headers") or {})
        if "json" in response:
            headers.setdefault("Content-Type", "application/json")
            return response["status"], headers, json.dumps(response["json"]).encode()
        return response["status"], headers, base64.b64decode(response.get("body_base64", "")) or _text(response)

    def end_step(self) -> None:
        """Check that nothing is missing, and go on to the next step."""
        with self._lock:
            subset = self.entry["steps"][self.step].get("match") == "subset"
            for exchange in self.entry["exchanges"]:
                if exchange["step"] != self.step:
                    continue
                if exchange["n"] not in self.used:
                    if not subset:
                        self.errors.append(f"recorded, but not sent: {exchange['n']} {exchange['request']['path']}")
                elif "stream" in exchange:
                    self._check_stream(exchange)
            self.step += 1

    def _find(self, request: Received) -> dict[str, Any] | None:
        for exchange in self.preamble:
            if _same(exchange["request"], request):
                self.preamble.remove(exchange)
                return exchange
        for exchange in self.entry["exchanges"]:
            if exchange["step"] == self.step and exchange["n"] not in self.used and _same(exchange["request"], request):
                found: dict[str, Any] = exchange
                return found
        return None

    def _check_order(self, exchange: dict[str, Any], request: Received) -> None:
        missing = set(exchange.get("after") or ()) - self._answered
        some = exchange.get("after_any")
        if missing or (some and not set(some) & self._answered):
            self.errors.append(f"too early: {request}, before {missing or some}")

    def _check_headers(self, wanted: dict[str, Any], request: Received) -> None:
        for name, value in (wanted.get("headers") or {}).items():
            found = request.headers.get(name.lower())
            if name in ("Content-Length", "Content-Range"):
                continue  # looked at with the content: they depend on the build of zlib
            if found is None or found.split(";")[0] != value:
                self.errors.append(f"{request}: header {name} is {found!r}, not {value!r}")
        for name in wanted.get("headers_absent") or ():
            if name.lower() in request.headers:
                self.errors.append(f"{request}: header {name} was sent")

    def _check_range(self, request: Received) -> None:
        span, _, total = request.headers["content-range"].removeprefix("bytes ").partition("/")
        held = self._streams.get((self.step, request.path), b"")
        start = len(held)
        held += request.body
        if span != f"{start}-{len(held) - 1}" or request.headers["content-length"] != str(len(request.body)):
            self.errors.append(f"{request}: does not follow on {start} bytes")
        self._streams[self.step, request.path] = held
        self._totals[self.step, request.path] = int(total)

    def _check_stream(self, exchange: dict[str, Any]) -> None:
        place = self.step, exchange["request"]["path"]
        stream, held = exchange["stream"], self._streams.get(place, b"")
        if self._totals.get(place) != len(held) or len(held) not in self._announced:
            self.errors.append(f"{len(held)} bytes were sent to {place}, others announced")
        if not stream.get("gzip"):
            if (len(held), hashlib.sha256(held).hexdigest()) != (stream["length"], stream["sha256"]):
                self.errors.append(f"other content: {exchange['request']['path']}")
            return
        decoded = gzip.decompress(held)
        if (len(decoded), hashlib.sha256(decoded).hexdigest()) != (stream["decoded_length"], stream["decoded_sha256"]):
            self.errors.append(f"other content: {exchange['request']['path']}")


def _same(wanted: dict[str, Any], request: Received) -> bool:
    if (wanted["method"], wanted["path"]) != (request.method, request.path):
        return False
    if wanted.get("query", []) != request.query:
        return False
    expected = wanted.get("json")
    if expected is None:
        return True
    actual = request.json
    if isinstance(expected, dict) and expected.get("content_encoding") and isinstance(actual, dict):
        expected = {**expected, "content_length": actual.get("content_length")}
    return same_json(expected, actual)


def _text(response: dict[str, Any]) -> bytes:
    return str(response.get("body", response.get("text", ""))).encode()


@dataclass
class Place:
    """Where a server listens, and what answers there."""

    base: str
    service: Any = None
    received: list[Received] = field(default_factory=list)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = -1  # head and body in one packet: else every answer waits for an acknowledgement
    server: _Server

    def _any(self) -> None:
        length = int(self.headers.get("content-length") or 0)
        path, _, query = self.path.partition("?")
        pairs = [list(pair) for pair in parse_qsl(query, keep_blank_values=True)]
        headers = {name.lower(): value for name, value in self.headers.items()}
        request = Received(self.command, path, pairs, headers, self.rfile.read(length))
        place = self.server.place
        place.received.append(request)
        status, answer_headers, body = place.service.answer(request)
        self.send_response(status)
        for name, value in answer_headers.items():
            self.send_header(name, value)
        if status != 204:
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if status != 204:
            self.wfile.write(body)

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = _any  # noqa: N815  # names of http.server

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  # signature of http.server
        pass


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128
    place: Place


@contextmanager
def serving() -> Iterator[Place]:
    """Listen on a free port."""
    server = _Server(("127.0.0.1", 0), _Handler)
    server.place = Place(f"http://127.0.0.1:{server.server_address[1]}")
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield server.place
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
