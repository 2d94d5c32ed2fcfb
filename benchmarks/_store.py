"""A storage service on disk for benchmarks: ranges, resumable sessions, uploads in parts. It counts what passes.

    python benchmarks/_store.py PORT FOLDER

``GET /o/NAME`` reads ``FOLDER/NAME``; what is uploaded as NAME is written to ``FOLDER/NAME`` when it is complete.
``POST /count`` answers the bytes of content that came in and went out since it was asked before.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import html
import json
import re
import socket
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final
from urllib.parse import parse_qs, urlsplit

_UNIT: Final = 256 * 1024
_PIECE: Final = 128 * 1024
# Slow, with small buffers, so that most moments of a transfer are moments in the middle of a part.
_BUFFER: Final = 128 * 1024
_PAUSE_S: Final = 0.0002


@dataclass
class _Request:
    method: str
    path: list[str]
    query: dict[str, str]
    headers: dict[str, str]
    length: int


@dataclass
class _Answer:
    status: int = 200
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)


@dataclass
class _Session:
    name: str
    data: bytearray = field(default_factory=bytearray)
    total: int | None = None


class _Gone(Exception):
    """The client hung up within a body; what came is kept where the service keeps such things."""

    def __init__(self, came: bytes) -> None:
        super().__init__()
        self.came = came


class Store:
    """The state of the service.

    Args:
        folder: Where objects lie.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._sessions: dict[str, _Session] = {}
        self._uploads: dict[str, tuple[str, dict[int, bytes]]] = {}
        self._etags: dict[str, str] = {}
        self._in = 0
        self._out = 0

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve one connection."""
        with contextlib.suppress(OSError, EOFError):
            while True:
                request = _parse(await reader.readuntil(b"\r\n\r\n"))
                try:
                    body, broken = await self._body(reader, request.length), False
                except _Gone as gone:
                    body, broken = gone.came, True
                answer = self._handle(request, body, broken)
                if broken:
                    break
                await self._send(writer, request, answer)
        writer.transport.abort()

    async def _body(self, reader: asyncio.StreamReader, length: int) -> bytes:
        came = bytearray()
        while len(came) < length:
            piece = await reader.read(min(length - len(came), _PIECE))
            if not piece:
                raise _Gone(bytes(came))
            await asyncio.sleep(_PAUSE_S)
            came += piece
            self._in += len(piece)
        return bytes(came)

    async def _send(self, writer: asyncio.StreamWriter, request: _Request, answer: _Answer) -> None:
        length = answer.headers.pop("Length", str(len(answer.body)))
        lines = [f"HTTP/1.1 {answer.status} X", f"Content-Length: {length}"]
        lines += [f"{name}: {value}" for name, value in answer.headers.items()]
        writer.write("\r\n".join([*lines, "", ""]).encode("latin-1"))
        for start in range(0, len(answer.body), _PIECE):
            writer.write(answer.body[start : start + _PIECE])
            await writer.drain()
            await asyncio.sleep(_PAUSE_S)
            if request.path[0] == "o":
                self._out += min(_PIECE, len(answer.body) - start)
        await writer.drain()

    def _handle(self, request: _Request, body: bytes, broken: bool) -> _Answer:
        handler = getattr(self, f"_{request.path[0]}", None)
        answer: _Answer = handler(request, body, broken) if handler is not None else _Answer(404)
        return answer

    def _count(self, request: _Request, body: bytes, broken: bool) -> _Answer:
        found = json.dumps({"in": self._in, "out": self._out}).encode()
        self._in = self._out = 0
        return _Answer(body=found)

    def _o(self, request: _Request, body: bytes, broken: bool) -> _Answer:
        path = self._folder / request.path[1]
        if not path.exists():
            return _Answer(404)
        size = path.stat().st_size
        headers = {"ETag": self._etags.get(path.name, f'"{path.stat().st_mtime_ns:x}-{size:x}"')}
        if request.method == "HEAD":
            return _Answer(headers=headers | {"Length": str(size)})
        wanted = re.match(r"bytes=(\d+)-(\d+)\Z", request.headers.get("range", ""))
        start, stop = (int(wanted[1]), min(size, int(wanted[2]) + 1)) if wanted else (0, size)
        with path.open("rb") as file:
            file.seek(start)
            found = file.read(stop - start)
        if wanted is None:
            return _Answer(200, found, headers)
        return _Answer(206, found, headers | {"Content-Range": f"bytes {start}-{stop - 1}/{size}"})

    def _begin(self, request: _Request, body: bytes, broken: bool) -> _Answer:
        name = f"s{len(self._sessions)}"
        self._sessions[name] = _Session(request.query["name"])
        return _Answer(headers={"Location": f"http://{request.headers['host']}/session/{name}"})

    def _session(self, request: _Request, body: bytes, broken: bool) -> _Answer:
        """Keep as Google storage does: of a body that breaks off, multiples of 256 KiB."""
        session = self._sessions.get(request.path[1])
        if session is None:
            return _Answer(404)
        match = re.match(r"bytes (?:(\d+)-\d+|\*)/(\d+)\Z", request.headers["content-range"])
        assert match is not None
        if match[1] is not None and session.total is None:
            if int(match[1]) != len(session.data):
                return _Answer(400)
            session.data += body[: len(body) - len(body) % _UNIT] if broken else body
        if len(session.data) == int(match[2]):
            if session.total is None:
                session.total = len(session.data)
                (self._folder / session.name).write_bytes(session.data)
                session.data = bytearray(len(session.data))
            return _Answer(body=json.dumps({"size": str(session.total)}).encode())
        return _Answer(308, headers={"Range": f"bytes=0-{len(session.data) - 1}"} if session.data else {})

    def _mp(self, request: _Request, body: bytes, broken: bool) -> _Answer:
        """Do as S3: of a part that breaks off nothing is kept, and an upload that is complete is gone."""
        name, query = request.path[1], request.query
        if "uploads" in query:
            upload_id = f"u{len(self._uploads)}"
            self._uploads[upload_id] = (name, {})
            return _Answer(body=f"<R><UploadId>{upload_id}</UploadId></R>".encode())
        found = self._uploads.get(query["uploadId"])
        if found is None or found[0] != name:
            return _Answer(404, b"<Error><Code>NoSuchUpload</Code></Error>")
        parts = found[1]
        if request.method == "PUT":
            if not broken:
                parts[int(query["partNumber"])] = body
            return _Answer(headers={"ETag": f'"{_md5(body).hex()}"'})
        if request.method == "GET":
            return _Answer(body=_listing(parts))
        numbers = [int(number) for number in re.findall(rb"<PartNumber>(\d+)<", body)]
        etag = f'"{_md5(b"".join(_md5(parts[number]) for number in numbers)).hex()}-{len(numbers)}"'
        (self._folder / name).write_bytes(b"".join(parts[number] for number in numbers))
        self._etags[name] = etag
        self._uploads[query["uploadId"]] = ("", {})
        return _Answer(body=f"<R><ETag>{html.escape(etag)}</ETag></R>".encode())


def _listing(parts: dict[int, bytes]) -> bytes:
    rows = "".join(
        f"<Part><PartNumber>{number}</PartNumber><ETag>{_md5(part).hex()}</ETag><Size>{len(part)}</Size></Part>"
        for number, part in sorted(parts.items())
    )
    return f"<L><IsTruncated>false</IsTruncated>{rows}</L>".encode()


def _md5(data: bytes) -> bytes:
    return hashlib.md5(data, usedforsecurity=False).digest()


def _parse(head: bytes) -> _Request:
    lines = head.decode("latin-1").split("\r\n")
    method, target, _ = lines[0].split(" ")
    url = urlsplit(target)
    query = {name: values[0] for name, values in parse_qs(url.query, keep_blank_values=True).items()}
    pairs = (line.partition(":") for line in lines[1:] if line)
    headers = {name.lower(): value.strip() for name, _, value in pairs}
    return _Request(method, url.path.split("/")[1:], query, headers, int(headers.get("content-length", 0)))


async def _serve(port: int, folder: Path) -> None:
    listener = socket.create_server(("127.0.0.1", port))
    for option in (socket.SO_RCVBUF, socket.SO_SNDBUF):  # connections inherit them
        listener.setsockopt(socket.SOL_SOCKET, option, _BUFFER)
    server = await asyncio.start_server(Store(folder).serve, sock=listener, limit=_BUFFER)
    async with server:
        await server.serve_forever()


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(_serve(int(sys.argv[1]), Path(sys.argv[2])))
