"""A small stateful storage service: ranged downloads, resumable sessions, uploads in parts, forms; with faults on order.

It lives in the event loop of the test and is told over ``server.faults`` what to do wrong: each fault is asked before a
request is answered, and may replace the answer.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import json
import re
import socket
import struct
from collections.abc import Callable
from dataclasses import dataclass, field
from types import TracebackType
from typing import Self
from urllib.parse import parse_qs, unquote, urlsplit

from asyncclient._messages import Origin

__all__ = ["Answer", "Asked", "Fault", "StorageServer"]

UNIT = 256 * 1024


@dataclass
class Asked:
    """A request as it arrived."""

    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: bytes = b""
    broken: bool = False
    """The connection ended before the body did."""


@dataclass
class Answer:
    """What is sent back.

    Attributes:
        cut: Close with RST after so many bytes of the body.
        hold: Wait for this before the head is sent.
        wait_s: Wait so long before the head is sent.
        stall_at: Send no more after so many bytes of the body, without closing.
        length: Whether to announce the length; else the body ends with the connection.
    """

    status: int = 200
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)
    cut: int | None = None
    hold: asyncio.Event | None = None
    wait_s: float = 0.0
    stall_at: int | None = None
    length: bool = True


Fault = Callable[[Asked, Answer], Answer | None]
"""Given a request and the answer it would get, returns another answer, or None to let it be."""


@dataclass
class Multipart:
    key: str
    parts: dict[int, bytes] = field(default_factory=dict)


@dataclass
class Session:
    key: str
    data: bytearray = field(default_factory=bytearray)
    done: bool = False


class StorageServer:
    """Serves on a free port of 127.0.0.1.

    Attributes:
        objects: Content by name.
        asked: All requests, in the order of their ends.
        faults: Asked in order; see :data:`Fault`.
        cuts: Of the body of a PUT only so many bytes are read before the connection is cut; each is used once.
        ranges: Whether ranges are served.
        etags: Whether etags are sent: ``strong``, ``weak`` or ``none``.
    """

    def __init__(self) -> None:
        self.objects: dict[str, bytes] = {}
        self.object_etags: dict[str, str] = {}
        self.sessions: dict[str, Session] = {}
        self.uploads: dict[str, Multipart] = {}
        self.asked: list[Asked] = []
        self.faults: list[Fault] = []
        self.cuts: list[int] = []
        self.ranges = True
        self.etags = "strong"
        self.begun = 0
        self.busy = 0
        self.most_busy = 0
        self.port = 0
        self.arrived = asyncio.Event()
        self._server: asyncio.Server | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    @property
    def origin(self) -> Origin:
        return Origin("http", "127.0.0.1", self.port)

    def url(self, path: str) -> str:
        return f"{self.origin}{path}"

    async def start(self, port: int = 0) -> None:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", port, limit=1 << 20)
        self.port = self._server.sockets[0].getsockname()[1]

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._server is not None
        for _ in range(3):
            await asyncio.sleep(0)
        self._server.close()
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def count(self, method: str, path: str = "") -> int:
        return sum(asked.method == method and asked.path.startswith(path) for asked in self.asked)

    def sent_bytes(self, method: str = "PUT") -> int:
        return sum(len(asked.body) for asked in self.asked if asked.method == method)

    def put(self, name: str, data: bytes, *, etag: str | None = None) -> None:
        self.objects[name] = data
        self.object_etags[name] = etag or f'"{hashlib.md5(data).hexdigest()}"'

    # --- HTTP --------------------------------------------------------------------------------------------------------

    def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.get_running_loop().create_task(self._connection(reader, writer))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _connection(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while await self._one(reader, writer):
                pass
        except (OSError, EOFError):
            pass
        finally:
            writer.transport.abort()

    async def _one(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        try:
            head = await reader.readuntil(b"\r\n\r\n")
        except asyncio.IncompleteReadError:
            return False
        asked = _parse(head)
        self.busy += 1
        self.most_busy = max(self.most_busy, self.busy)
        try:
            await self._read_body(asked, reader, writer)
            self.asked.append(asked)
            self.arrived.set()
            answer = self._handle(asked)
            for fault in self.faults:
                answer = fault(asked, answer) or answer
            if asked.broken:
                _reset(writer)
                return False
            return await _send(writer, asked, answer)
        finally:
            self.busy -= 1

    async def _read_body(self, asked: Asked, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if "chunked" in asked.headers.get("transfer-encoding", ""):
            pieces = []
            while size := int(await reader.readuntil(b"\r\n"), 16):
                pieces.append((await reader.readexactly(size + 2))[:-2])
            await reader.readexactly(2)
            asked.body = b"".join(pieces)
            return
        length = int(asked.headers.get("content-length", 0))
        if length and self.cuts and asked.method == "PUT":
            wanted = min(length, self.cuts.pop(0))
            asked.body = await reader.readexactly(wanted)
            asked.broken = wanted < length
            return
        try:
            asked.body = await reader.readexactly(length)
        except asyncio.IncompleteReadError as error:
            asked.body, asked.broken = error.partial, True

    def _handle(self, asked: Asked) -> Answer:
        first = asked.path.split("/")[1]
        return getattr(self, f"_{first}", lambda _: Answer(404))(asked)

    # --- services ----------------------------------------------------------------------------------------------------

    def _o(self, asked: Asked) -> Answer:
        """Objects: GET with ranges, PUT of the whole."""
        name = asked.path[3:]
        if asked.method == "PUT":
            if not asked.broken:
                self.put(name, asked.body)
            return Answer(headers={"ETag": f'"{hashlib.md5(asked.body).hexdigest()}"'})
        if name not in self.objects:
            return Answer(404, b'{"message": "no such object"}')
        data, etag = self.objects[name], self.object_etags[name]
        headers = {"Accept-Ranges": "bytes"}
        if self.etags != "none":
            headers["ETag"] = etag if self.etags == "strong" else f"W/{etag}"
        wanted = re.match(r"bytes=(\d+)-(\d*)\Z", asked.headers.get("range", ""))
        condition = asked.headers.get("if-range")
        if wanted is None or not self.ranges or (condition is not None and condition != headers.get("ETag")):
            return Answer(200, data, headers)
        start = int(wanted[1])
        if start >= len(data):
            return Answer(416, b"", headers | {"Content-Range": f"bytes */{len(data)}"})
        stop = min(len(data), int(wanted[2]) + 1 if wanted[2] else len(data))
        return Answer(206, data[start:stop], headers | {"Content-Range": f"bytes {start}-{stop - 1}/{len(data)}"})

    def _begin(self, asked: Asked) -> Answer:
        """Open a resumable session."""
        self.begun += 1
        name = f"s{self.begun}"
        self.sessions[name] = Session(asked.query["name"])
        secret = "?upload_id=very-secret" if "secret" in asked.query else ""
        return Answer(200, b"{}", {"Location": self.url(f"/session/{name}{secret}")})

    def _session(self, asked: Asked) -> Answer:
        session = self.sessions.get(asked.path.split("/")[2])
        if session is None:
            return Answer(404)
        if asked.method == "DELETE":
            del self.sessions[asked.path.split("/")[2]]
            return Answer(204)
        value = asked.headers["content-range"]
        match = re.match(r"bytes (?:(\d+)-(\d+)|\*)/(\d+|\*)\Z", value)
        assert match is not None, value
        if match[1] is not None:
            start, stop = int(match[1]), int(match[2]) + 1
            if start != len(session.data):
                return Answer(503, b"", {})
            final = match[3] != "*" and stop == int(match[3])
            assert final or (stop - start) % UNIT == 0, value
            body = asked.body
            if len(body) < stop - start:
                body = body[: len(body) - len(body) % UNIT]
            session.data += body
        if match[3] != "*" and int(match[3]) == len(session.data):
            session.done = True
            self.put(session.key, bytes(session.data))
            digest = hashlib.md5(session.data).digest()
            found = {"size": str(len(session.data)), "md5Hash": base64.b64encode(digest).decode(), "name": session.key}
            return Answer(200, json.dumps(found).encode())
        kept = {"Range": f"bytes=0-{len(session.data) - 1}"} if session.data else {}
        return Answer(308, b"", kept)

    def _mp(self, asked: Asked) -> Answer:
        """Uploads in parts, as S3 has them."""
        key, query = asked.path[4:], asked.query
        if asked.method == "POST" and "uploads" in query:
            self.begun += 1
            name = f"u{self.begun}"
            self.uploads[name] = Multipart(key)
            return Answer(200, f"<R><UploadId>{name}</UploadId></R>".encode())
        upload = self.uploads.get(query.get("uploadId", ""))
        if upload is None:
            return Answer(404, b"<Error><Code>NoSuchUpload</Code></Error>")
        if asked.method == "PUT":
            if not asked.broken:
                upload.parts[int(query["partNumber"])] = asked.body
            return Answer(200, b"", {"ETag": f'"{hashlib.md5(asked.body).hexdigest()}"'})
        if asked.method == "DELETE":
            del self.uploads[query["uploadId"]]
            return Answer(204)
        if asked.method == "GET":
            return self._list(upload, int(query.get("part-number-marker", 0)))
        numbers = [int(number) for number in re.findall(r"<PartNumber>(\d+)<", asked.body.decode())]
        parts = [upload.parts[number] for number in numbers]
        joined = hashlib.md5(b"".join(hashlib.md5(part).digest() for part in parts)).hexdigest()
        etag = f'"{joined}-{len(parts)}"'
        self.put(key, b"".join(parts), etag=etag)
        del self.uploads[query["uploadId"]]
        return Answer(200, f"<R><ETag>&quot;{etag[1:-1]}&quot;</ETag></R>".encode())

    def _list(self, upload: Multipart, after: int) -> Answer:
        numbers = sorted(number for number in upload.parts if number > after)
        shown = numbers[:3]
        parts = "".join(
            f"<Part><PartNumber>{number}</PartNumber><ETag>&quot;{hashlib.md5(upload.parts[number]).hexdigest()}&quot;"
            f"</ETag><Size>{len(upload.parts[number])}</Size></Part>"
            for number in shown
        )
        more = "true" if len(shown) < len(numbers) else "false"
        return Answer(200, f"<L><IsTruncated>{more}</IsTruncated>{parts}</L>".encode())

    def _form(self, asked: Asked) -> Answer:
        return Answer(200, json.dumps({"data": {"size": len(asked.body)}}).encode())


def _parse(head: bytes) -> Asked:
    lines = head.decode("latin-1").split("\r\n")
    method, target, _ = lines[0].split(" ")
    parts = urlsplit(target)
    query = {name: values[0] for name, values in parse_qs(parts.query, keep_blank_values=True).items()}
    pairs = (line.partition(":") for line in lines[1:] if line)
    return Asked(method, unquote(parts.path), query, {name.lower(): value.strip() for name, _, value in pairs})


async def _send(writer: asyncio.StreamWriter, asked: Asked, answer: Answer) -> bool:
    if answer.hold is not None:
        await answer.hold.wait()
    if answer.wait_s:
        await asyncio.sleep(answer.wait_s)
    head = [f"HTTP/1.1 {answer.status} X"]
    if answer.length and answer.status != 204:
        head.append(f"Content-Length: {len(answer.body)}")
    elif not answer.length:
        head.append("Connection: close")
    head += [f"{name}: {value}" for name, value in answer.headers.items()]
    writer.write("\r\n".join([*head, "", ""]).encode("latin-1"))
    stop = answer.cut if answer.cut is not None else answer.stall_at
    body = answer.body if stop is None else answer.body[:stop]
    for start in range(0, len(body), UNIT):
        writer.write(body[start : start + UNIT])
        await writer.drain()
    if answer.cut is not None:
        await asyncio.sleep(0.02)  # what was written is to arrive: RST drops what lies in the buffers
        _reset(writer)
        return False
    if answer.stall_at is not None:
        await asyncio.Event().wait()
    await writer.drain()
    return answer.length


def _reset(writer: asyncio.StreamWriter) -> None:
    sock: socket.socket = writer.get_extra_info("socket")
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()
