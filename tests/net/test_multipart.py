"""Forms: exact bytes, exact length, and no way to smuggle a header in."""

from __future__ import annotations

import asyncio
import email.parser
import email.policy
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from asyncclient._net.bodies import READ_BYTES, FileBody, IterBody
from asyncclient._net.multipart import MultipartBody, Part
from asyncclient._net.pool import Pool
from asyncclient.errors import ArgumentError, LocalProtocolError
from tests.net.conftest import fetch, post
from tests.support.fault_server import OK, Body, FaultServer, Head, Repeat, Send

pytestmark = pytest.mark.anyio


async def content(body: MultipartBody) -> bytes:
    return b"".join([piece async for piece in body.open()])


async def test_the_bytes_of_a_form(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"data")
    body = MultipartBody(
        [
            Part("a", "text é"),
            Part("b", b"\x00\xff", content_type="application/octet-stream"),
            Part("c", FileBody(tmp_path / "file", 0, 4), "file.bin", "image/png"),
        ],
        boundary="XYZ",
    )
    assert body.content_type == b"multipart/form-data; boundary=XYZ"
    expected = (
        b'--XYZ\r\nContent-Disposition: form-data; name="a"\r\n\r\ntext \xc3\xa9\r\n'
        b'--XYZ\r\nContent-Disposition: form-data; name="b"\r\nContent-Type: application/octet-stream\r\n\r\n\x00\xff\r\n'
        b'--XYZ\r\nContent-Disposition: form-data; name="c"; filename="file.bin"\r\nContent-Type: image/png\r\n\r\n'
        b"data\r\n--XYZ--\r\n"
    )
    for _ in range(2):
        assert await content(body) == expected
    assert body.length == len(expected)
    assert body.replayable
    assert repr(body) == f"<MultipartBody 3 parts, {len(expected)} bytes>"


async def test_an_empty_form() -> None:
    body = MultipartBody([], boundary="X")
    assert await content(body) == b"--X--\r\n"
    assert body.length == 7


@pytest.mark.parametrize(
    ("name", "written"),
    [
        ('a"b', b"a%22b"),
        ("a\r\nX-Injected: 1", b"a%0D%0AX-Injected: 1"),
        ("a\nb", b"a%0Ab"),
        ("bücher 😀.txt", "bücher 😀.txt".encode()),
        ("back\\slash", b"back\\slash"),
        ("\udcff.bin", b"\xff.bin"),
    ],
)
async def test_names_are_quoted_as_browsers_do(name: str, written: bytes) -> None:
    body = MultipartBody([Part(name, b"", filename=name)], boundary="X")
    line = (await content(body)).split(b"\r\n")[1]
    assert line == b'Content-Disposition: form-data; name="%b"; filename="%b"' % (written, written)
    assert body.length == len(await content(body))


@given(name=st.text(max_size=20), filename=st.text(max_size=20), data=st.binary(max_size=50))
def test_nothing_can_be_injected(name: str, filename: str, data: bytes) -> None:
    try:
        body = MultipartBody([Part(name, data, filename)], boundary="XBOUNDARYX")
    except ArgumentError:
        assert any(0xD800 <= ord(char) < 0xE000 for char in name + filename)  # half a character
        return
    whole = asyncio.run(content(body))
    assert body.length == len(whole)
    head, _, rest = whole.partition(b"\r\n\r\n")
    assert head.count(b"\r\n") == 1
    assert head.count(b"\n") == 1
    assert head.count(b'"') == 4
    assert rest == data + b"\r\n--XBOUNDARYX--\r\n"


async def test_another_parser_understands_it() -> None:
    body = MultipartBody([Part("a", "1"), Part("f", b"x\r\n--y\r\n", "n.bin", "image/png")])
    raw = b"Content-Type: " + body.content_type + b"\r\n\r\n" + await content(body)
    message = email.parser.BytesParser(policy=email.policy.HTTP).parsebytes(raw)
    first, second = message.iter_parts()
    assert first["content-disposition"].params["name"] == "a"
    assert first.get_content().strip() == "1"
    assert second["content-disposition"].params == {"name": "f", "filename": "n.bin"}
    assert second.get_payload(decode=True) == b"x\r\n--y\r\n"


async def test_boundaries_differ() -> None:
    assert MultipartBody([]).content_type != MultipartBody([]).content_type


def test_a_name_that_is_no_text() -> None:
    with pytest.raises(ArgumentError, match="no valid text"):
        MultipartBody([Part("\ud800", b"")])


@pytest.mark.parametrize("boundary", ["", "a b", "a\r\nb", "x" * 71, "ü"])
def test_boundaries_that_cannot_be_one(boundary: str) -> None:
    with pytest.raises(ArgumentError, match="boundary"):
        MultipartBody([], boundary=boundary)


@pytest.mark.parametrize("content_type", ["", "a/b\r\nX: 1", "a/\x00", "ä/b"])
def test_content_types_that_cannot_be_one(content_type: str) -> None:
    with pytest.raises(ArgumentError, match="content type"):
        MultipartBody([Part("a", b"", content_type=content_type)])


async def test_large_parts_are_streamed(tmp_path: Path) -> None:
    """Constant memory: no piece is larger than what a file is read in, and the lines around it."""
    path = tmp_path / "large"
    path.write_bytes(bytes(3 * READ_BYTES))
    small = [Part(f"field{n}", "x" * 100) for n in range(2000)]
    large = b"y" * 100_000
    parts = [*small, Part("file", FileBody(path, 0, 3 * READ_BYTES), "large"), Part("mem", large), *small]
    body = MultipartBody(parts)
    sizes = [len(piece) async for piece in body.open()]
    assert sum(sizes) == body.length
    assert max(sizes) < READ_BYTES + 100_000
    assert len(sizes) < 20


async def test_a_part_of_unknown_length(pool: Pool) -> None:
    body = MultipartBody([Part("a", IterBody([b"x", b"y"]), "n"), Part("b", "1")], boundary="X")
    assert body.length is None
    assert not body.replayable
    assert repr(body) == "<MultipartBody 2 parts, ? bytes>"
    async with FaultServer([Repeat([Head(), Body(), Send(OK)])]) as server:
        await fetch(pool, post(server.origin, body, [(b"Content-Type", body.content_type)]))
        assert b"Transfer-Encoding: chunked" in server.connections[0].heads[0]
        assert b"\r\n\r\nxy\r\n--X\r\n" in server.connections[0].bodies[0]


async def test_a_part_of_another_length_than_announced(pool: Pool) -> None:
    for pieces in ([b"x"], [b"xxx"]):
        body = MultipartBody([Part("a", IterBody(pieces, 2)), Part("b", IterBody([b"xyz"], 3))])
        with pytest.raises(LocalProtocolError, match="of the announced 2 bytes"):
            await content(body)


async def test_an_unfinished_form_closes_its_part() -> None:
    closed = False

    async def source() -> AsyncIterator[bytes]:
        nonlocal closed
        try:
            while True:
                yield b"x" * 100_000
        finally:
            closed = True

    iterator = MultipartBody([Part("a", IterBody(source()))]).open()
    await anext(iterator)
    await iterator.aclose()  # type: ignore[attr-defined]  # a generator
    assert closed


class Plain:
    """A body whose iterator cannot be closed."""

    length = 2
    replayable = True

    def open(self) -> AsyncIterator[bytes]:
        self.left = [b"b", b"a"]
        return self

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self

    async def __anext__(self) -> bytes:
        if not self.left:
            raise StopAsyncIteration
        return self.left.pop()


async def test_a_part_that_is_no_generator() -> None:
    body = MultipartBody([Part("a", Plain()), Part("b", bytearray(b"z"))], boundary="X")  # type: ignore[arg-type]
    assert b"\r\n\r\nab\r\n" in await content(body)
    assert body.length == len(await content(body))
