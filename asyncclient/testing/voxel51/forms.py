"""Forms with files, read as they arrive."""

from __future__ import annotations

import re
from collections import deque
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote

from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser

from asyncclient.testing._blobs import Blob, BlobStore
from asyncclient.testing._contract import Refusal

__all__ = ["Form", "Part", "boundary_of", "disposition", "read_form"]

_FIELD_BYTES = 64 * 1024
_BOUNDARY = re.compile(r'multipart/form-data\s*;.*?\bboundary=(?:"([^"]{1,70})"|([^\s;"]{1,70}))', re.IGNORECASE)
_NAME = re.compile(r'[;\s]name="([^"]*)"')
_FILENAME = re.compile(r'[;\s]filename="([^"]*)"')
_FILENAME_STAR = re.compile(r"[;\s]filename\*=utf-8''(\S+)", re.IGNORECASE)
_QUOTED = {"%22": '"', "%0D": "\r", "%0A": "\n"}


@dataclass(frozen=True, slots=True)
class Part:
    """A file of a form.

    Attributes:
        content: The stored file, or its bytes where files are not to be stored.
    """

    name: str
    filename: str
    media_type: str
    content: Blob | bytes


@dataclass(slots=True)
class Form:
    """A form: its texts by name, and its files."""

    fields: dict[str, str] = field(default_factory=dict)
    files: list[Part] = field(default_factory=list)

    def discard(self, blobs: BlobStore) -> None:
        """Forget the stored files."""
        for part in self.files:
            if isinstance(part.content, Blob):
                blobs.discard(part.content)


def boundary_of(content_type: str) -> str | None:
    """Return what separates the parts; None if it is not a form with files."""
    found = _BOUNDARY.match(content_type)
    return None if found is None else found.group(1) or found.group(2)


def disposition(header: bytes) -> tuple[str | None, str | None]:
    """Return the names of a field and of its file in a ``Content-Disposition``.

    Quotes and line ends are written as browsers do, ``%22``; nothing else is. The RFC 5987 form of older clients is read too.
    """
    text = header.decode("utf-8", "replace")
    name, plain, star = _NAME.search(text), _FILENAME.search(text), _FILENAME_STAR.search(text)
    filename = unquote(star.group(1)) if star else plain and _unquoted(plain.group(1))
    return (None if name is None else _unquoted(name.group(1))), filename


def _unquoted(text: str) -> str:
    return re.sub("%22|%0D|%0A", lambda found: _QUOTED[found.group()], text)


async def read_form(
    stream: AsyncGenerator[bytes, None], boundary: str, blobs: BlobStore | None, *, limit_bytes: int
) -> Form:
    """Read a form.

    Args:
        stream: The body.
        boundary: What separates its parts.
        blobs: Takes the files; None keeps them in memory.
        limit_bytes: For each file.

    Raises:
        Refusal: 400, it is malformed or breaks off; 413, a file is too large. Nothing is kept then.
    """
    form = Form()
    reader = _Reader(stream, boundary)
    try:
        while await reader.next_part():
            name, filename = disposition(reader.headers.get(b"content-disposition", b""))
            if name is None:
                raise Refusal(400, "The form has a part without a name")
            async with aclosing(reader.body()) as body:
                if filename is None:
                    form.fields[name] = (await _small(body, _FIELD_BYTES)).decode("utf-8", "replace")
                    continue
                media_type = reader.headers.get(b"content-type", b"application/octet-stream").decode("latin-1")
                content: Blob | bytes
                if blobs is None:
                    content = await _small(body, limit_bytes)
                else:
                    content = await blobs.receive(body, limit_bytes=limit_bytes)
            form.files.append(Part(name, filename, media_type, content))
    except BaseException:
        if blobs is not None:
            form.discard(blobs)
        raise
    return form


async def _small(body: AsyncIterator[bytes], limit_bytes: int) -> bytes:
    content = b""
    async for piece in body:
        content += piece
        if len(content) > limit_bytes:
            raise Refusal(413, f"a part is larger than {limit_bytes} bytes")
    return content


class _Reader:
    """The events of the parser, one after the other.

    Attributes:
        headers: Of the part that was begun last, names in lower case.
    """

    def __init__(self, stream: AsyncGenerator[bytes, None], boundary: str) -> None:
        self._stream = stream
        self._events: deque[tuple[str, bytes]] = deque()
        self.headers: dict[bytes, bytes] = {}
        self._parser = MultipartParser(boundary, self._callbacks())  # type: ignore[arg-type]  # made by name below

    def _callbacks(self) -> dict[str, Any]:
        def with_data(kind: str) -> Any:
            return lambda data, start, end: self._events.append((kind, bytes(data[start:end])))

        def without(kind: str) -> Any:
            return lambda: self._events.append((kind, b""))

        named = {f"on_{kind}": with_data(kind) for kind in ("header_field", "header_value", "part_data")}
        bare = ("part_begin", "header_end", "headers_finished", "part_end", "end")
        return named | {f"on_{kind}": without(kind) for kind in bare}

    async def _next(self) -> tuple[str, bytes]:
        while not self._events:
            try:
                piece = await anext(self._stream)
                self._parser.write(piece)
            except StopAsyncIteration:
                raise Refusal(400, "The form breaks off") from None
            except FormParserError:
                raise Refusal(400, "The form is malformed") from None
        return self._events.popleft()

    async def next_part(self) -> bool:
        """Read up to the body of the next part; return False after the last."""
        self.headers, name, value = {}, b"", b""
        while True:
            kind, data = await self._next()
            if kind == "end":
                return await self._rest()
            if kind == "header_field":
                name += data
            elif kind == "header_value":
                value += data
            elif kind == "header_end":
                self.headers[name.lower()] = value
                name, value = b"", b""
            elif kind == "headers_finished":
                return True

    async def _rest(self) -> bool:
        async for _ in self._stream:  # what follows the last part means nothing, but has to be read
            pass
        return False

    async def body(self) -> AsyncGenerator[bytes, None]:
        """Hand out the body of the part."""
        while True:
            kind, data = await self._next()
            if kind == "part_end":
                return
            yield data
