"""What may be given as ``content``, and the bytes it stands for.

The rule of the official client is kept: text is always a path; ``bytes`` that are valid base64 as a whole stand for
what they decode to. That guess is wrong for some short texts, so :class:`RawBytes` says "these are the bytes".
"""

from __future__ import annotations

import base64
import binascii
import inspect
import io
import os
import re
from functools import partial
from pathlib import Path
from typing import Any, Final

from asyncclient._messages import Body
from asyncclient._net.bodies import FileBody, FileObjectBody
from asyncclient._net.threads import DISK, FOREIGN, in_thread
from asyncclient.errors import ArgumentError, ArgumentTypeError, EmptyRequestError
from asyncclient.las.exceptions import FileFormatException

__all__ = ["RawBytes", "guess_content_type", "load_content", "open_content", "parse_content"]

_ACCEPTED: Final = "a path (str or Path), bytes, bytearray, RawBytes, or a binary or text file object"
_BASE64: Final = re.compile(rb"[A-Za-z0-9+/]*={0,2}\Z")
_BOM: Final = b"\xef\xbb\xbf"


class RawBytes(bytes):
    """Bytes that are sent as they are, even if they look like base64."""


def parse_content(
    content: Any, find_content_type: bool = False, base_64_encode: bool = True
) -> tuple[bytes | str, str | None]:
    """Read what was given as content, blocking.

    Args:
        content: A path, bytes, or an open file.
        find_content_type: Whether to tell the type by its first bytes.
        base_64_encode: Whether to return base64 text in place of the bytes.

    Returns:
        The content, and its MIME type if that was asked for.

    Raises:
        ArgumentTypeError: It is none of the accepted forms.
        FileFormatException: The type was asked for and is not known.
        OSError: The file cannot be read.
    """
    data = _read(content)
    kind = guess_content_type(data) if find_content_type else None
    if find_content_type and kind is None:
        raise FileFormatException("the type of the content is not known; give content_type", argument="content_type")
    return (base64.b64encode(data).decode("ascii") if base_64_encode else data), kind


async def load_content(content: Any) -> bytes:
    """Read what was given as content; files are read in a worker thread."""
    if isinstance(content, (bytes, bytearray, memoryview)):
        return _plain(content)
    read = getattr(content, "read", None)
    if inspect.iscoroutinefunction(read):
        found = await read()
        return found.encode("utf-8") if isinstance(found, str) else bytes(found)
    return await in_thread(partial(_read, content), FOREIGN)


async def open_content(content: Any) -> bytes | Body:
    """Prepare content to be streamed: a file is checked, not read.

    Raises:
        EmptyRequestError: There are no bytes.
        ArgumentError: A path holds a NUL character.
        ArgumentTypeError: It is none of the accepted forms.
        OSError: There is no such file, it is a folder, or it cannot be read.
    """
    if isinstance(content, (str, os.PathLike)):
        path = _path(content)
        size_bytes = await in_thread(partial(_readable_size, path), DISK)
        body: bytes | Body = FileBody(path, 0, size_bytes)
        length: int | None = size_bytes
    elif _is_seekable_binary(content):
        stream = await FileObjectBody.of(content)
        body, length = stream, stream.length
    else:
        data = await load_content(content)
        body, length = data, len(data)
    if length == 0:
        raise EmptyRequestError("content is empty; the service takes no empty files", argument="content")
    return body


def _is_seekable_binary(content: Any) -> bool:
    if not isinstance(content, io.IOBase) or isinstance(content, io.TextIOBase):
        return False
    return content.readable() and content.seekable()


def _read(content: Any) -> bytes:
    if isinstance(content, (bytes, bytearray, memoryview)):
        return _plain(content)
    if isinstance(content, (str, os.PathLike)):
        return _path(content).read_bytes()
    if isinstance(content, io.IOBase) or callable(getattr(content, "read", None)):
        found = content.read()
        return found.encode("utf-8") if isinstance(found, str) else bytes(found)
    raise ArgumentTypeError(f"content must be {_ACCEPTED}, not {type(content).__name__}", argument="content")


def _path(content: str | os.PathLike[Any]) -> Path:
    text = os.fsdecode(content)
    if "\0" in text:
        raise ArgumentError("content: a path must not hold a NUL character", argument="content")
    return Path(text)


def _readable_size(path: Path) -> int:
    with path.open("rb") as file:  # missing, a folder, not allowed: the system's own error, with the name
        return os.fstat(file.fileno()).st_size


def _plain(content: bytes | bytearray | memoryview) -> bytes:
    data = bytes(content)
    if isinstance(content, RawBytes) or len(data) % 4 or not _BASE64.match(data):
        return data
    try:
        return base64.b64decode(data, validate=True)
    except binascii.Error:
        return data


def guess_content_type(data: bytes) -> str | None:
    """Tell the type of a document by its first bytes; None if the service knows no such type. Pure."""
    if data.startswith(b"\xff\xd8\xff"):
        return "image/jpeg"
    if data.startswith(b"\x89PNG"):
        return None if _is_animated(data) else "image/png"
    if data[:4] == b"RIFF" and data[8:14] == b"WEBPVP":
        return "image/webp"
    if data[:4] in (b"II*\0", b"MM\0*") and len(data) >= 10 and data[8:10] != b"CR":
        return "image/tiff"
    if data.removeprefix(_BOM).startswith(b"%PDF"):
        return "application/pdf"
    return None


def _is_animated(data: bytes) -> bool:
    # An APNG has an acTL chunk before its first IDAT (APNG specification 1.0); the service refuses it.
    control, image = data.find(b"acTL"), data.find(b"IDAT")
    return control != -1 and (image == -1 or control < image)
