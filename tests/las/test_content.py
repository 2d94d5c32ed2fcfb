"""What may be given as content."""

from __future__ import annotations

import base64
import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import aiofiles
import pytest

from asyncclient import errors, las
from asyncclient.las.content import guess_content_type, load_content, open_content

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize(
    ("given", "stands_for"),
    [
        (b"hello world!", b"hello world!"),
        (b"aGVsbG8gd29ybGQh", b"hello world!"),
        (b"abcd", base64.b64decode(b"abcd")),
        (las.RawBytes(b"abcd"), b"abcd"),
        (bytearray(b"abcd"), base64.b64decode(b"abcd")),
        (memoryview(b"abc"), b"abc"),
        (b"ab=d", b"ab=d"),
        (b"a===", b"a==="),
        (b"abcd\n", b"abcd\n"),
        (b"", b""),
        (io.BytesIO(b"abcd"), b"abcd"),
        (io.StringIO("æ"), "æ".encode()),
    ],
)
async def test_forms(given: Any, stands_for: bytes) -> None:
    again: Callable[[], Any] = getattr(given, "seek", lambda _=0: None)
    assert await load_content(given) == stands_for
    again(0) if isinstance(given, io.IOBase) else None
    assert las.parse_content(given, base_64_encode=False) == (stands_for, None)


async def test_paths_and_async_files(tmp_path: Path) -> None:
    path = tmp_path / "blåbær ☃.js"
    path.write_bytes(b"let x")
    assert await load_content(path) == b"let x"
    assert await load_content(str(path)) == b"let x"
    async with aiofiles.open(path, "rb") as file:
        assert await load_content(file) == b"let x"
    async with aiofiles.open(path, encoding="utf-8") as text:
        assert await load_content(text) == b"let x"
    assert las.parse_content(path) == ("bGV0IHg=", None)


async def test_a_stream_is_read_from_where_it_stands_and_not_closed() -> None:
    stream = io.BytesIO(b"0123456789")
    stream.seek(4)
    body: Any = await open_content(stream)
    assert body.length == 6
    assert b"".join([piece async for piece in body.open()]) == b"456789"
    assert b"".join([piece async for piece in body.open()]) == b"456789"
    assert not stream.closed


@pytest.mark.parametrize("wrong", [1, None, {"a": 1}, object()])
async def test_wrong_types_name_the_argument(wrong: object) -> None:
    with pytest.raises(TypeError, match="content must be a path"):
        await open_content(wrong)
    with pytest.raises(errors.ArgumentTypeError, match=type(wrong).__name__):
        las.parse_content(wrong)


async def test_bad_paths(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="missing"):
        await open_content(tmp_path / "missing")
    with pytest.raises(IsADirectoryError):
        await open_content(str(tmp_path))
    with pytest.raises(ValueError, match="content: a path must not hold a NUL") as caught:
        await open_content("a\0b")
    assert caught.value.argument == "content"  # type: ignore[attr-defined]
    with pytest.raises(FileNotFoundError):
        await load_content("c29tZSBiYXNlNjQ=")  # text is always a path


@pytest.mark.parametrize("empty", [b"", io.BytesIO(b""), io.StringIO("")])
async def test_empty_content_is_refused(empty: Any) -> None:
    with pytest.raises(las.EmptyRequestError, match="content is empty"):
        await open_content(empty)


@pytest.mark.parametrize(
    ("data", "kind"),
    [
        (b"\xff\xd8\xff", "image/jpeg"),
        (b"\x89PNG\r\n\x1a\n....IHDR....IDAT....acTL", "image/png"),
        (b"\x89PNG\r\n\x1a\n....IHDR....acTL....IDAT", None),
        (b"\x89PNG\r\n\x1a\nacTL", None),
        (b"RIFF1234WEBPVP8 ", "image/webp"),
        (b"RIFF1234WEBPxx", None),
        (b"II*\0abcdefgh", "image/tiff"),
        (b"MM\0*abcdefgh", "image/tiff"),
        (b"II*\0abcdCR", None),
        (b"II*\0abc", None),
        (b"%PDF-1.7", "application/pdf"),
        (b"\xef\xbb\xbf%PDF-1.7", "application/pdf"),
        (b"GIF89a", None),
        (b"", None),
    ],
)
def test_types_by_magic_number(data: bytes, kind: str | None) -> None:
    assert guess_content_type(data) == kind


def test_an_unknown_type_is_an_error_where_it_is_asked_for() -> None:
    assert las.parse_content(b"%PDF-", find_content_type=True) == ("JVBERi0=", "application/pdf")
    with pytest.raises(las.FileFormatException, match="give content_type"):
        las.parse_content(b"GIF89a", find_content_type=True)
