"""A Flywheel site for benchmarks: it answers from memory, takes forms and signed parts, and counts what arrives.

Of every part it keeps the length and the CRC-32, so that a run can prove that the store got each byte in its place.
"""

from __future__ import annotations

import asyncio
import json
import multiprocessing
import re
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final
from urllib.request import urlopen

__all__ = ["Site", "site"]

_PAGE: Final = 250
_PART_BYTES: Final = 32 * 1024 * 1024
_BUFFER_BYTES: Final = 1024 * 1024
_STORE: Final = b"/bucket.s3.store/"
"""Both clients know by ``.s3.`` that the store wants to hear the etags of the parts again."""


class _Connection(asyncio.BufferedProtocol):
    """Reads requests with a length, one after another."""

    pages: dict[bytes, bytes]
    parts: dict[int, tuple[int, int]]
    """Of the parts of the last ticket: number, bytes and CRC-32."""
    size = 0
    closed: list[int]
    """How many etags each ticket was closed with."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._buffer = memoryview(bytearray(_BUFFER_BYTES))
        self._head = b""
        self._left = -1
        self._keep = True

    def get_buffer(self, sizehint: int) -> memoryview:
        return self._buffer

    def buffer_updated(self, count: int) -> None:
        piece = self._buffer[:count]
        while len(piece):
            if self._left < 0:
                piece = self._begin(piece)
            taken = min(self._left, len(piece)) if self._left > 0 else 0
            if taken:
                self._take(piece[:taken])
                piece = piece[taken:]
            if self._left == 0:
                self._left = -1
                self._transport.write(self._answer())

    def _begin(self, piece: memoryview) -> memoryview:
        """Read the head; return what lies behind it."""
        before = len(self._head)
        self._head += piece
        end = self._head.find(b"\r\n\r\n")
        if end < 0:
            return piece[:0]
        head, self._head = self._head[:end], b""
        self._method, self._url = head.split(b" ", 2)[:2]
        length = re.search(rb"(?i)\r\ncontent-length: *(\d+)", head)
        if length is None and re.search(rb"(?i)\r\ntransfer-encoding:", head):
            raise RuntimeError("this server reads bodies with a length only")
        self._left = int(length[1]) if length is not None else 0
        self._keep = not self._url.startswith(_STORE)
        self._body = bytearray()
        self._sum = self._count = 0
        return piece[end + 4 - before :]

    def _take(self, piece: memoryview) -> None:
        self._left -= len(piece)
        if self._keep:
            self._body += piece
        else:
            self._count += len(piece)
            self._sum = zlib.crc32(piece, self._sum)

    def _answer(self) -> bytes:
        path, _, query = self._url.partition(b"?")
        if not self._keep:
            number = int(path.rpartition(b"/")[2])
            self.parts[number] = self._count, self._sum
            return b'HTTP/1.1 200 OK\r\ncontent-length: 0\r\netag: "part-%d"\r\n\r\n' % number
        if path == b"/api/projects":
            return self.pages.get(query.partition(b"after_id=")[2], self.pages[b"end"])
        if path == b"/received":
            return _http({"parts": sorted(self.parts.items()), "closed": self.closed})
        if self._method == b"POST":
            return self._posted(query)
        return self.pages[b"config" if path == b"/api/config" else b"empty"]

    def _posted(self, query: bytes) -> bytes:
        if b"ticket=" not in query:
            return self.pages[b"file"]
        kind = type(self)
        if query.partition(b"ticket=")[2].partition(b"&")[0]:
            self.closed.append(len(json.loads(self._body)["multipart"]["e_tags"]))
            return _http([{"name": "f", "size": kind.size, "file_id": "x"}])
        given = json.loads(self._body)
        kind.size, name = given["metadata"]["size"], given["filenames"][0]
        self.parts.clear()
        host, port = self._transport.get_extra_info("sockname")
        base = f"http://{host}:{port}{_STORE.decode()}"
        urls = [f"{base}{number}?uploadId=u" for number in range(-(-kind.size // _PART_BYTES))]
        return _http({"ticket": "t", "urls": {name: urls}, "headers": {}})


def _http(value: Any) -> bytes:
    body = json.dumps(value).encode()
    return b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n" % len(body) + body


def _project(number: int) -> dict[str, Any]:
    return {
        "_id": f"{number:024x}",
        "label": f"project {number}",
        "group": "lab",
        "created": "2024-11-29T10:11:12.131000+00:00",
        "modified": "2024-11-29T10:11:12.131000+00:00",
        "permissions": [{"_id": "user@example.org", "role_ids": ["5f4f3a"]}],
        "tags": ["a", "b"],
        "notes": [],
        "info": {},
        "files": [],
        "parents": {"group": "lab"},
    }


def _serve(objects: int, ready: Any) -> None:
    projects = [_project(number) for number in range(1, objects + 1)]
    pages = {
        b"end": _http([]),
        b"empty": _http({}),
        b"file": _http([{"name": "f", "size": 8192, "file_id": "x"}]),
        b"config": _http({"features": {"signed_url": True}, "signed_url": True}),
    }
    for start in range(0, objects, _PAGE):
        after = f"{start:024x}".encode() if start else b""
        pages[after] = _http(projects[start : start + _PAGE])
    _Connection.pages, _Connection.parts, _Connection.closed = pages, {}, []

    async def run() -> None:
        server = await asyncio.get_running_loop().create_server(_Connection, "127.0.0.1", 0)
        ready.send(server.sockets[0].getsockname()[1])
        await server.serve_forever()

    asyncio.run(run())


class Site:
    """A site that runs in a process of its own.

    Attributes:
        key: An API key for it.
    """

    def __init__(self, port: int) -> None:
        self._url = f"http://127.0.0.1:{port}/received"
        self.key = f"127.0.0.1:{port}:__force_insecure:secret"

    def check(self, path: Path) -> None:
        """Make sure that the store has the content of a file, and that the upload was closed with all its etags.

        Raises:
            RuntimeError: It has something else.
        """
        with urlopen(self._url) as answer:
            found = json.load(answer)
        lengths = [length for _, (length, _) in found["parts"]]
        sums = [crc for _, (_, crc) in found["parts"]]
        if sum(lengths) != path.stat().st_size or sums != _sums(path, lengths) or found["closed"][-1:] != [len(sums)]:
            raise RuntimeError(f"the store has {sum(lengths)} bytes in {len(sums)} parts, which is not what was sent")


def _sums(path: Path, lengths: list[int]) -> list[int]:
    with path.open("rb") as file:
        return [zlib.crc32(file.read(length)) for length in lengths]


@contextmanager
def site(objects: int) -> Iterator[Site]:
    """Run a site with so many projects."""
    ours, theirs = multiprocessing.Pipe()
    process = multiprocessing.get_context("spawn").Process(target=_serve, args=(objects, theirs), daemon=True)
    process.start()
    try:
        yield Site(ours.recv())
    finally:
        process.terminate()
        process.join()
