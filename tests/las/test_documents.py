"""Documents: two requests, streaming, failures in between; deleting in pages; downloads."""

from __future__ import annotations

import asyncio
import base64
import io
from pathlib import Path
from typing import Any

import pytest

from asyncclient import AsyncHub, errors, las
from asyncclient.types import RetryPolicy
from tests.las.wire_server import WireServer

pytestmark = pytest.mark.anyio

NO_WAIT = RetryPolicy(max_retries=2, max_throttle_retries=3, base_transport_s=0, base_server_s=0, base_throttle_s=0)
RECORD = {"documentId": "las:document:d", "fileUrl": "{origin}/files/1?sig=a%2Fb"}


@pytest.fixture
async def client(credentials: las.Credentials) -> Any:
    async with AsyncHub() as hub:
        yield las.AsyncClient(credentials, hub=hub).with_options(retry=NO_WAIT)


def answer(value: Any, status: int = 200, **more: Any) -> dict[str, Any]:
    return {"status": status, "json": value, **more}


def raw(data: bytes, status: int = 200) -> dict[str, Any]:
    return {"status": status, "body_base64": base64.b64encode(data).decode(), "content_type": "image/jpeg"}


class TestCreate:
    async def test_the_query_of_the_file_url_is_kept_byte_for_byte(
        self, wire: WireServer, client: las.AsyncClient
    ) -> None:
        wire.play(answer(RECORD), {"status": 200})
        document = await client.create_document(b"\xff\xd8\xff\xe0abc", "image/jpeg", metadata={"æ": "ø"})
        assert document["documentId"] == "las:document:d"
        post, put = wire.received
        assert (put.method, put.path, put.raw_query) == ("PUT", "/files/1", "sig=a%2Fb")
        assert "content-type" not in put.headers
        assert put.headers["authorization"] == "Bearer test-token"
        assert put.body == b"\xff\xd8\xff\xe0abc"
        assert post.body == '{"metadata":{"æ":"ø"}}'.encode()

    async def test_only_the_put_is_repeated(self, wire: WireServer, client: las.AsyncClient, tmp_path: Path) -> None:
        path = tmp_path / "a.bin"
        path.write_bytes(b"\x00" * 300_000)
        wire.play(answer(RECORD), answer({}, 500), answer({}, 500), answer({}))
        await client.create_document(path)
        assert [r.method for r in wire.received] == ["POST", "PUT", "PUT", "PUT"]
        assert {len(r.body) for r in wire.received[1:]} == {300_000}

    async def test_a_stream_is_rewound_to_where_it_stood(self, wire: WireServer, client: las.AsyncClient) -> None:
        stream = io.BytesIO(b"skip" + b"\x01" * 10)
        stream.seek(4)
        wire.play(answer(RECORD), answer({}, 503), answer({}))
        await client.create_document(stream)
        assert [r.body for r in wire.received[1:]] == [b"\x01" * 10] * 2

    async def test_a_refused_file_leaves_an_id(self, wire: WireServer, client: las.AsyncClient) -> None:
        wire.play(answer(RECORD), answer({"message": "gone"}, 404))
        with pytest.raises(las.NotFound, match="gone") as caught:
            await client.create_document(b"\xff\xd8\xff")
        assert caught.value.document_id == "las:document:d"  # type: ignore[attr-defined]
        assert "las:document:d" in caught.value.__notes__[0]
        assert "sig" not in str(caught.value.__notes__)

    async def test_a_post_is_not_repeated_after_a_5xx(self, wire: WireServer, client: las.AsyncClient) -> None:
        wire.play(answer({}, 500))
        with pytest.raises(errors.ServerError):
            await client.create_document(b"\xff\xd8\xff")
        assert len(wire.received) == 1

    async def test_no_file_url(self, wire: WireServer, client: las.AsyncClient) -> None:
        wire.play(answer({"documentId": "d"}))
        with pytest.raises(errors.DecodeError, match="no fileUrl"):
            await client.create_document(b"\xff\xd8\xff")
        wire.play(answer({"documentId": "d", "fileUrl": "ftp://x/?sig=s3cret"}))
        with pytest.raises(errors.DecodeError, match="unusable fileUrl") as caught:
            await client.create_document(b"\xff\xd8\xff")
        assert "s3cret" not in str(caught.value)

    async def test_nothing_is_sent_for_bad_content(self, wire: WireServer, client: las.AsyncClient) -> None:
        for content, error in [(b"", las.EmptyRequestError), (7, TypeError), ("no such file", FileNotFoundError)]:
            with pytest.raises(error):
                await client.create_document(content)
        assert wire.received == []
        assert wire.token_requests == []

    async def test_inline(self, wire: WireServer, client: las.AsyncClient, caplog: pytest.LogCaptureFixture) -> None:
        wire.play(answer({"documentId": "d"}))
        await client.create_document(b"%PDF-1.7\n", inline=True)
        assert wire.received[0].body == b'{"content":"JVBERi0xLjcK","contentType":"application/pdf"}'
        wire.play(answer({"documentId": "d"}))
        await client.create_document(b"%PDF-1.7\n", "image/png", inline=True, metadata={})
        assert b"image/png" in wire.received[0].body
        assert b"metadata" not in wire.received[0].body
        assert "looks like application/pdf" in caplog.text
        with pytest.raises(las.FileFormatException):
            await client.create_document(b"\0\1\2-", inline=True)

    async def test_name_and_description_may_be_given(self, wire: WireServer, client: las.AsyncClient) -> None:
        wire.play(answer(RECORD), answer({}))
        await client.create_document(b"\xff\xd8\xff", name="n", description=None)
        assert wire.received[0].body == b'{"name":"n","description":null}'

    async def test_a_file_server_in_clear_text_gets_no_token_of_a_tls_api(
        self, wire: WireServer, credentials: las.Credentials
    ) -> None:
        async with AsyncHub() as hub:
            client = las.AsyncClient(las.Credentials("i", "s", "a", "https://api.example.org/v1"), hub=hub)
            origin = client._file_request(b"GET", f"{wire.origin}/x").origin
            assert not client._is_file_server(origin)
            assert client._is_file_server(origin._replace(scheme="https"))


class TestGet:
    async def test_options_are_added_to_the_query(self, wire: WireServer, client: las.AsyncClient) -> None:
        wire.play(answer({"content": "YQ==", "fileUrl": "{origin}/f?x=1"}), raw(b"abc"))
        document = await client.get_document("d", width=0, page=-1)
        assert (wire.received[1].path, wire.received[1].raw_query) == ("/f", "x=1&width=0&page=-1")
        assert "content-type" not in wire.received[1].headers
        assert document["content"] == "YWJj"

    async def test_content_that_is_there_is_not_fetched(self, wire: WireServer, client: las.AsyncClient) -> None:
        wire.play(answer({"content": "YQ=="}))
        assert (await client.get_document("d"))["content"] == "YQ=="
        assert len(wire.received) == 1

    async def test_content_null_is_fetched(self, wire: WireServer, client: las.AsyncClient) -> None:
        wire.play(answer({"content": None, "fileUrl": "{origin}/f"}), raw(b"\0" * 400_000))
        assert (await client.get_document("d"))["content"] == base64.b64encode(b"\0" * 400_000).decode()

    async def test_download(self, wire: WireServer, client: las.AsyncClient, tmp_path: Path) -> None:
        data = bytes(range(256)) * 10_000
        wire.play(answer({"fileUrl": "{origin}/f"}), raw(data))
        path = tmp_path / "out.bin"
        path.write_bytes(b"old")
        assert await client.download_document("d", path, rotation=90) == len(data)
        assert path.read_bytes() == data
        assert wire.received[1].raw_query == "rotation=90"
        assert list(tmp_path.iterdir()) == [path]

    async def test_a_failed_download_leaves_the_old_file(
        self, wire: WireServer, client: las.AsyncClient, tmp_path: Path
    ) -> None:
        path = tmp_path / "out.bin"
        path.write_bytes(b"old")
        wire.play(answer({"fileUrl": "{origin}/f"}), answer({"message": "no"}, 404))
        with pytest.raises(las.NotFound):
            await client.download_document("d", path)
        with pytest.raises(ValueError, match="NUL"):
            await client.download_document("d", "a\0b")
        wire.play(answer({"fileUrl": "{origin}/f"}), raw(b"x"))
        with pytest.raises(FileNotFoundError):
            await client.download_document("d", tmp_path / "no folder" / "x")
        assert path.read_bytes() == b"old"
        assert list(tmp_path.iterdir()) == [path]

    async def test_a_broken_download_leaves_the_old_file(
        self, client: las.AsyncClient, wire: WireServer, tmp_path: Path
    ) -> None:
        async def cut(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await reader.readuntil(b"\r\n\r\n")
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 3000000\r\n\r\n" + b"x" * 2_000_000)
            await writer.drain()
            writer.close()

        server = await asyncio.start_server(cut, "127.0.0.1", 0)
        async with server:
            port = server.sockets[0].getsockname()[1]
            path = tmp_path / "out.bin"
            path.write_bytes(b"old")
            wire.play(answer({"fileUrl": f"http://127.0.0.1:{port}/f"}))
            with pytest.raises(errors.TransportError):
                await client.download_document("d", path)
        assert path.read_bytes() == b"old"
        assert list(tmp_path.iterdir()) == [path]


class TestDelete:
    async def test_all_pages(self, wire: WireServer, client: las.AsyncClient) -> None:
        wire.play(
            answer({"documents": [{"documentId": "1"}], "nextToken": "t1"}),
            answer({"documents": [{"documentId": "2"}, {"documentId": "3"}], "nextToken": None}),
        )
        deleted = await client.delete_documents(dataset_id=["x", "y"], delete_all=True)
        assert [d["documentId"] for d in deleted["documents"]] == ["1", "2", "3"]
        assert deleted["nextToken"] is None
        assert [r.raw_query for r in wire.received] == [
            "datasetId=x&datasetId=y",
            "datasetId=x&datasetId=y&nextToken=t1",
        ]

    async def test_not_with_a_page_size(self, wire: WireServer, client: las.AsyncClient) -> None:
        with pytest.raises(ValueError, match="max_results or delete_all"):
            await client.delete_documents(delete_all=True, max_results=5)
        assert wire.received == []

    async def test_a_token_that_comes_back_ends_it(self, wire: WireServer, client: las.AsyncClient) -> None:
        wire.play(*[answer({"documents": [], "nextToken": "t"})] * 3)
        with pytest.raises(errors.DecodeError, match="token it was given"):
            await client.delete_documents(delete_all=True)
        assert len(wire.received) == 2

    async def test_a_dataset_stays_if_its_documents_do(self, wire: WireServer, client: las.AsyncClient) -> None:
        wire.play(answer({"message": "Forbidden"}, 403))
        with pytest.raises(las.InvalidCredentialsException):
            await client.delete_dataset("s", delete_documents=True)
        assert [r.path for r in wire.received] == ["/v1/documents"]

    async def test_a_dataset_is_waited_for(self, wire: WireServer, client: las.AsyncClient) -> None:
        wire.play(
            answer({"documents": [], "nextToken": None}),
            answer({"numberOfDocuments": 0}),
            answer({"datasetId": "s"}),
        )
        assert await client.delete_dataset("s", True, wait_s=5) == {"datasetId": "s"}
        assert [r.method for r in wire.received] == ["DELETE", "GET", "DELETE"]
        wire.play(answer({"documents": []}), *[answer({"numberOfDocuments": 3})] * 9)
        with pytest.raises(errors.DeadlineExceeded, match="delete_dataset"):
            await client.delete_dataset("s", True, wait_s=0.05)


class TestIterate:
    async def test_over_pages(self, wire: WireServer, client: las.AsyncClient) -> None:
        wire.play(
            answer({"documents": [{"n": 1}, {"n": 2}], "nextToken": "t1"}),
            answer({"documents": [], "nextToken": "t2"}),
            answer({"documents": [{"n": 3}]}),
        )
        found = [d["n"] async for d in client.iterate("list_documents", dataset_id="s", max_results=2)]
        assert found == [1, 2, 3]
        assert [r.raw_query for r in wire.received] == [
            "datasetId=s&maxResults=2",
            "datasetId=s&maxResults=2&nextToken=t1",
            "datasetId=s&maxResults=2&nextToken=t2",
        ]

    @pytest.mark.parametrize("operation", ["list_nothing", "get_document", "_call", "credentials", "with_options"])
    async def test_what_cannot_be_iterated(self, client: las.AsyncClient, operation: str) -> None:
        with pytest.raises(ValueError, match=operation):
            async for _ in client.iterate(operation):
                pass


class TestRaw:
    async def test_the_first_answer_of_several(self, wire: WireServer, client: las.AsyncClient) -> None:
        wire.play(answer(RECORD, headers={"X-Request-Id": "r1"}), answer({}))
        response = await client.with_raw_response.create_document(b"\xff\xd8\xff")
        assert response.status_code == 200
        assert response.headers["x-request-id"] == "r1"
        assert response.json()["documentId"] == "las:document:d"
        assert "test-token" not in repr(response.request.headers)

    async def test_an_answer_that_is_no_json(self, wire: WireServer, client: las.AsyncClient) -> None:
        wire.play(raw(b"<html>"))
        assert (await client.with_raw_response.list_assets()).text == "<html>"
        with pytest.raises(AttributeError, match="list_nothing"):
            client.with_raw_response.list_nothing  # noqa: B018  # the access itself raises
