"""``multipart/form-data``, streamed: constant memory, exact length, parts in the order given (RFC 7578)."""

from __future__ import annotations

import contextlib
import re
import secrets
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from dataclasses import dataclass
from typing import Final

from asyncclient._messages import Body
from asyncclient.errors import ArgumentError, LocalProtocolError

__all__ = ["MultipartBody", "Part"]

# Small parts and the lines between large ones are collected up to here.
_COLLECT_BYTES: Final = 64 * 1024
# RFC 2046 section 5.1.1, without the characters that would have to be quoted in the header.
_BOUNDARY = re.compile(r"[0-9A-Za-z'+_.-]{1,70}")
_CONTENT_TYPE = re.compile(r"[\x20-\x7e]+")
# WHATWG HTML, "multipart/form-data encoding algorithm": what could end the value or the line is percent-encoded.
_ESCAPES = str.maketrans({'"': "%22", "\r": "%0D", "\n": "%0A"})


@dataclass(frozen=True, slots=True)
class Part:
    """One field of a form.

    Attributes:
        name: Name of the field.
        content: Its value; text is sent as UTF-8.
        filename: Name of the file, or None for a plain field.
        content_type: Media type, or None to send none.
    """

    name: str
    content: str | bytes | Body
    filename: str | None = None
    content_type: str | None = None


class MultipartBody:
    """A form as a request body.

    Args:
        parts: The fields, in the order they are sent.
        boundary: Fixed boundary; by default 128 random bits.

    Its length is exact if every part's is, and it is replayable if every part is.
    """

    def __init__(self, parts: Sequence[Part], *, boundary: str | None = None) -> None:
        if boundary is None:
            boundary = secrets.token_hex(16)
        elif _BOUNDARY.fullmatch(boundary) is None:
            raise ArgumentError("a boundary is 1 to 70 letters, digits or '+_.-", argument="boundary")
        self._boundary = boundary
        self._parts = [(self._head(part), _content(part)) for part in parts]
        self._end = f"--{boundary}--\r\n".encode()
        self.replayable = all(isinstance(content, bytes) or content.replayable for _, content in self._parts)
        self.length = self._total()

    @property
    def content_type(self) -> bytes:
        """The value for the ``Content-Type`` header of the request."""
        return f"multipart/form-data; boundary={self._boundary}".encode("ascii")

    def _head(self, part: Part) -> bytes:
        lines = f'--{self._boundary}\r\nContent-Disposition: form-data; name="{part.name.translate(_ESCAPES)}"'
        if part.filename is not None:
            lines += f'; filename="{part.filename.translate(_ESCAPES)}"'
        if part.content_type is not None:
            if _CONTENT_TYPE.fullmatch(part.content_type) is None:
                raise ArgumentError("a content type has characters that no header has", argument="content_type")
            lines += f"\r\nContent-Type: {part.content_type}"
        # Names of files may hold bytes that are no text (PEP 383); they are sent as they are on disk.
        try:
            return f"{lines}\r\n\r\n".encode("utf-8", "surrogateescape")
        except UnicodeEncodeError as error:
            raise ArgumentError("the name of a field or file is no valid text", argument="parts") from error

    def _total(self) -> int | None:
        total = len(self._end)
        for head, content in self._parts:
            size = _size(content)
            if size is None:
                return None
            total += len(head) + size + 2
        return total

    def whole(self) -> bytes | None:
        """Return the form in one piece; None if a part is not all there yet."""
        pieces: list[bytes] = []
        for head, content in self._parts:
            if not isinstance(content, bytes):
                return None
            pieces += (head, content, b"\r\n")
        return b"".join([*pieces, self._end])

    async def open(self) -> AsyncIterator[bytes]:
        """Begin the form anew."""
        held = bytearray()
        for head, content in self._parts:
            held += head
            if isinstance(content, bytes) and len(content) <= _COLLECT_BYTES:
                held += content
            else:
                async with contextlib.aclosing(_pieces(content)) as pieces:
                    async for piece in pieces:
                        yield bytes(held) + piece if held else piece
                        held.clear()
            held += b"\r\n"
            if len(held) > _COLLECT_BYTES:
                yield bytes(held)
                held.clear()
        yield bytes(held) + self._end

    def __repr__(self) -> str:
        return f"<MultipartBody {len(self._parts)} parts, {'?' if self.length is None else self.length} bytes>"


def _content(part: Part) -> bytes | Body:
    content = part.content
    if isinstance(content, str):
        return content.encode("utf-8")
    return bytes(content) if isinstance(content, (bytearray, memoryview)) else content


def _size(content: bytes | Body) -> int | None:
    return len(content) if isinstance(content, bytes) else content.length


async def _pieces(content: bytes | Body) -> AsyncGenerator[bytes, None]:
    """Yield the pieces of one part, and see to it that it has the length it was counted with."""
    if isinstance(content, bytes):
        yield content
        return
    size = 0
    pieces = content.open()
    try:
        async for piece in pieces:
            size += len(piece)
            yield piece
    finally:
        aclose = getattr(pieces, "aclose", None)
        if aclose is not None:
            await aclose()
    if content.length is not None and size != content.length:
        raise LocalProtocolError(
            f"a part of the form has {size} instead of the announced {content.length} bytes", request_sent=True
        )
