"""Files come back as they went in, whatever their size; what is not wanted is not kept."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import random
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from asyncclient.testing._blobs import Blob, BlobStore
from asyncclient.testing._contract import Refusal
from asyncclient.testing.las.files import content_type_of
from tests.emulator.conftest import Api

SIZES = [1, 256 * 1024, 256 * 1024 + 1, 1024 * 1024, 3 * 1024 * 1024 + 7]


async def chunks_of(data: bytes, size: int = 64 * 1024) -> AsyncIterator[bytes]:
    for start in range(0, len(data), size):
        yield data[start : start + size]


async def read(store: BlobStore, blob: Blob) -> bytes:
    return b"".join([chunk async for chunk in store.chunks(blob)])


async def until_only(kept: Blob) -> None:
    """Wait until this is the only file: a thread may still be writing a piece of one that goes when it has."""
    assert isinstance(kept.content, Path)
    while [*kept.content.parent.iterdir()] != [kept.content]:
        await asyncio.sleep(0.001)


@pytest.mark.anyio
@pytest.mark.parametrize("size", [0, *SIZES])
async def test_store(size: int) -> None:
    data = random.Random(size).randbytes(size)
    store = BlobStore()
    blob = await store.receive(chunks_of(data), limit_bytes=size)
    assert (blob.size_bytes, blob.head) == (size, data[:64])
    assert base64.b64decode(blob.md5) == hashlib.md5(data).digest()
    assert isinstance(blob.content, Path) == (size > 256 * 1024)
    assert await read(store, blob) == data
    store.discard(blob)
    if isinstance(blob.content, Path):
        assert not blob.content.exists()
    store.close()


@pytest.mark.anyio
async def test_many_small_files_go_to_the_disk() -> None:
    store = BlobStore()
    data = bytes(256 * 1024)
    blobs = [await store.receive(chunks_of(data), limit_bytes=len(data)) for _ in range(257)]
    assert isinstance(blobs[255].content, bytes)
    assert isinstance(blobs[256].content, Path)
    store.close()
    assert not blobs[256].content.exists()
    again = await store.receive(chunks_of(bytes(2**21)), limit_bytes=2**21)  # usable after closing
    assert isinstance(again.content, Path)
    folder = again.content.parent
    del store  # and tidy when forgotten
    assert not folder.exists()


@pytest.mark.anyio
@pytest.mark.parametrize("size", [100, 3 * 1024 * 1024])
async def test_too_large_or_broken_off_leaves_nothing(size: int) -> None:
    store = BlobStore()
    kept = await store.receive(chunks_of(bytes(2**21)), limit_bytes=2**21)
    with pytest.raises(Refusal) as refusal:
        await store.receive(chunks_of(bytes(size)), limit_bytes=size - 1)
    assert refusal.value.status == 413

    async def broken() -> AsyncIterator[bytes]:
        yield bytes(size)
        raise ConnectionResetError

    with pytest.raises(ConnectionResetError):
        await store.receive(broken(), limit_bytes=size)
    await until_only(kept)
    store.close()


@pytest.mark.anyio
async def test_cancelled_while_it_arrives() -> None:
    store = BlobStore()
    kept = await store.receive(chunks_of(bytes(2**21)), limit_bytes=2**21)
    started = asyncio.Event()

    async def endless() -> AsyncIterator[bytes]:
        while True:
            yield bytes(2**20)
            started.set()

    task = asyncio.create_task(store.receive(endless(), limit_bytes=2**40))
    await started.wait()
    task.cancel()
    await asyncio.wait((task,))
    assert task.cancelled()
    await until_only(kept)
    store.close()


@pytest.mark.anyio
@pytest.mark.parametrize("size", [100, 3 * 1024 * 1024])
async def test_digests_only(size: int) -> None:
    store = BlobStore(keep=False)
    with pytest.raises(Refusal):
        await store.receive(chunks_of(bytes(size)), limit_bytes=size - 1)
    blob = await store.receive(chunks_of(bytes(size)), limit_bytes=size)
    assert (blob.size_bytes, blob.content) == (size, None)
    assert base64.b64decode(blob.md5) == hashlib.md5(bytes(size)).digest()
    store.discard(blob)


@pytest.mark.parametrize(
    ("head", "kind"),
    [
        (b"\xff\xd8\xff\xe0", "image/jpeg"),
        (b"\x89PNG\r\n", "image/png"),
        (b"RIFF1234WEBPVP8 ", "image/webp"),
        (b"RIFF1234WAVEfmt ", None),
        (b"II*\x00", "image/tiff"),
        (b"MM\x00*", "image/tiff"),
        (b"%PDF-1.7", "application/pdf"),
        (b"\xef\xbb\xbf%PDF-1.7", "application/pdf"),
        (b"GIF89a", None),
        (b"", None),
    ],
)
def test_types(head: bytes, kind: str | None) -> None:
    assert content_type_of(head) == kind


@pytest.mark.parametrize("size", SIZES)
def test_there_and_back(api: Api, size: int) -> None:
    data = (b"%PDF" + random.Random(size).randbytes(size))[:size]
    document = api.ok("POST", "/documents", {})
    assert document["fileUrl"] == f"{api.server.url}/fileserver/documents/{document['documentId']}"
    assert api.http.put(document["fileUrl"], content=data).status_code == 200
    got = api.ok("GET", f"/documents/{document['documentId']}")
    assert base64.b64decode(got["contentMD5"]) == hashlib.md5(data).digest()
    assert "content" not in got
    response = api.http.get(got["fileUrl"], params={"width": 100, "page": -1, "rotation": 90, "quality": "low"})
    assert response.content == data
    assert response.headers["content-type"] == (got["contentType"] or "application/octet-stream")
    assert api.state.requests[-1].operation == "get_file"


def test_a_new_file_replaces_the_old(api: Api) -> None:
    document = api.ok("POST", "/documents", {"content": "JVBERi0xLjQ=", "contentType": "application/pdf"})
    path = f"/documents/{document['documentId']}"
    assert api.ok("GET", path)["content"] == "JVBERi0xLjQ="
    assert api.http.get(document["fileUrl"]).content == b"%PDF-1.4"
    for data in (b"\xff\xd8\xff" * 1_000_000, b"\x89PNG"):
        api.http.put(document["fileUrl"], content=data)
        assert api.http.get(document["fileUrl"]).content == data
    got = api.ok("GET", path)
    assert got["contentType"] == "image/png"
    assert "content" not in got


def test_what_the_file_server_refuses(make_api: Callable[..., Api]) -> None:
    api = make_api(max_file_bytes=1000, only_known_files=True)
    url = api.ok("POST", "/documents", {})["fileUrl"]
    answers = {
        "too large": (413, api.http.put(url, content=bytes(1001))),
        "too large, length unknown": (413, api.http.put(url, content=iter([bytes(501)] * 2))),
        "empty": (400, api.http.put(url, content=b"")),
        "unknown type": (400, api.http.put(url, content=b"GIF89a")),
        "no file yet": (404, api.http.get(url)),
        "no document": (404, api.http.get("/fileserver/documents/none")),
        "no such path": (404, api.http.get("/fileserver/other")),
        "method": (405, api.http.post(url)),
    }
    for case, (status, response) in answers.items():
        assert response.status_code == status, case
        assert list(response.json()) == ["message"], case
    assert answers["unknown type"][1].json() == {"message": "Unsupported file"}


@pytest.mark.parametrize(
    "query", ["width=-1", "height=x", "density=1.5", "page=one", "rotation=45", "quality=high", "z=1"]
)
def test_options_are_checked(api: Api, query: str) -> None:
    url = api.ok("POST", "/documents", {"content": "JVBERi0xLjQ="})["fileUrl"]
    response = api.http.get(f"{url}?{query}")
    assert response.status_code == 400
    assert response.json()["message"].startswith("query")


def test_files_may_be_forgotten(make_api: Callable[..., Api]) -> None:
    api = make_api(keep_files=False)
    document = api.ok("POST", "/documents", {})
    api.http.put(document["fileUrl"], content=b"%PDF" * 1_000_000)
    assert api.ok("GET", f"/documents/{document['documentId']}")["contentMD5"]
    assert api.http.get(document["fileUrl"]).status_code == 404
