from __future__ import annotations

import asyncio

import pytest

from asyncclient._messages import Body, Origin, Request, Response
from asyncclient.errors import ReadError, ResponseTooLarge
from tests.core.support import MemoryStream, Reply

pytestmark = pytest.mark.anyio


def response(reply: Reply) -> tuple[Response, MemoryStream]:
    stream = MemoryStream(reply, lambda _: None)
    return Response(reply.status, reply.headers, stream), stream


def test_origins() -> None:
    assert str(Origin("http", "example.test", 80)) == "http://example.test:80"
    assert str(Origin("https", "::1", 8443)) == "https://[::1]:8443"


def test_a_request_hides_query_and_headers() -> None:
    request = Request(b"GET", Origin("https", "h", 443), b"/a/b?sig=secret", [(b"authorization", b"secret")])
    assert request.path == "/a/b"
    assert repr(request) == "<Request GET https://h:443/a/b>"


def test_bodies() -> None:
    class Bytes:
        length = 1
        replayable = True

        def open(self) -> object: ...

    assert isinstance(Bytes(), Body)
    assert not isinstance(b"", Body)


def test_a_response_finds_headers() -> None:
    answer, _ = response(Reply(headers=[(b"a", b"1"), (b"b", b"2"), (b"a", b"3")]))
    assert answer.header(b"a") == b"1"
    assert answer.header(b"c") is None
    assert repr(answer) == "<Response 200>"


@pytest.mark.parametrize("pieces", [None, [b"abc", b"", b"d"], [b"abc", b"def"], []])
async def test_read_all_reads_and_closes(pieces: list[bytes] | None) -> None:
    answer, stream = response(Reply(body=b"abcdef", pieces=pieces))
    expected = b"abcdef" if pieces is None else b"abc" if b"" in pieces else b"".join(pieces)
    assert await answer.read_all(6) == expected
    assert stream.closed == 1


@pytest.mark.parametrize("pieces", [None, [b"abc", b"def"]])
async def test_read_all_has_a_limit(pieces: list[bytes] | None) -> None:
    answer, stream = response(Reply(body=b"abcdef", pieces=pieces))
    with pytest.raises(ResponseTooLarge) as caught:
        await answer.read_all(5)
    assert caught.value.limit == 5
    assert stream.closed == 1


async def test_read_all_closes_what_broke() -> None:
    answer, stream = response(Reply(pieces=[b"abc"], body_error=ReadError("broken")))
    with pytest.raises(ReadError):
        await answer.read_all(100)
    assert stream.closed == 1


async def test_read_all_closes_when_cancelled() -> None:
    answer, stream = response(Reply(pieces=[b"abc", b"d"], body_gate=asyncio.Event()))
    task = asyncio.create_task(answer.read_all(100))
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert stream.closed == 1
