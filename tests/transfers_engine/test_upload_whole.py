from __future__ import annotations

import hashlib
import io
from pathlib import Path

import pytest

from asyncclient._net.multipart import Part
from asyncclient._pipeline import Answer as PipelineAnswer
from asyncclient._pipeline import Pipeline
from asyncclient._transfers.target import Receipt
from asyncclient._transfers.targets_whole import Form, WholeBody, google_receipt
from asyncclient._transfers.transfers import upload_file
from asyncclient._transfers.verify import check_receipt
from asyncclient.errors import APIError, DecodeError, IntegrityError, ServerError, TransportError
from tests.support.storage_server import Answer, StorageServer
from tests.transfers_engine.support import UNIT, content, journals, options, rules

pytestmark = pytest.mark.anyio

DATA = content(5 * UNIT + 1000)
MD5 = hashlib.md5(DATA).hexdigest()


@pytest.mark.parametrize("size", [0, 1, 5 * UNIT + 1000])
async def test_a_whole_body(size: int, server: StorageServer, pipeline: Pipeline, tmp_path: Path, folder: Path) -> None:
    path = tmp_path / "data"
    path.write_bytes(DATA[:size])
    server.cuts = [size // 2]
    found = await upload_file(pipeline, rules(), path, WholeBody(server.url("/o/file")), options(folder))
    assert server.objects["file"] == DATA[:size]
    assert found.size == size
    assert found.md5 == found.etag == hashlib.md5(DATA[:size]).hexdigest()
    assert not folder.exists()


async def test_sources_of_every_kind(server: StorageServer, pipeline: Pipeline, folder: Path) -> None:
    async def stream() -> object:
        yield DATA[:1000]
        yield DATA[1000:]

    for source in (DATA, bytearray(DATA), io.BytesIO(DATA), stream(), iter([DATA])):
        found = await upload_file(pipeline, rules(), source, WholeBody(server.url("/o/file")), options(folder))
        assert server.objects.pop("file") == DATA
        assert (found.size, found.md5) == (len(DATA), MD5)


async def test_a_stream_is_sent_once(server: StorageServer, pipeline: Pipeline, folder: Path) -> None:
    async def stream() -> object:
        yield DATA

    server.faults.append(lambda asked, answer: Answer(503))
    with pytest.raises(ServerError):
        await upload_file(pipeline, rules(), stream(), WholeBody(server.url("/o/file")), options(folder))
    assert len(server.asked) == 1


async def test_a_wrong_etag_or_md5(server: StorageServer, pipeline: Pipeline, folder: Path) -> None:
    server.faults.append(lambda asked, answer: Answer(200, b"", {"ETag": '"' + "0" * 32 + '"'}))
    with pytest.raises(IntegrityError):
        await upload_file(pipeline, rules(), DATA, WholeBody(server.url("/o/file")), options(folder))
    server.faults.clear()
    with pytest.raises(IntegrityError):
        given = options(folder, expected_md5="0" * 32)
        await upload_file(pipeline, rules(), DATA, WholeBody(server.url("/o/file")), given)


async def test_urls_that_expire(server: StorageServer, pipeline: Pipeline, folder: Path) -> None:
    minted = 0

    async def mint() -> str:
        nonlocal minted
        minted += 1
        return server.url(f"/o/file?signature={minted}")

    expired = Answer(403, b"<Error><Message>Request has expired</Message></Error>")
    server.faults.append(lambda asked, answer: expired if asked.query["signature"] != "3" else None)
    await upload_file(pipeline, rules(), DATA, WholeBody(mint), options(folder))
    assert (minted, server.objects["file"]) == (3, DATA)
    with pytest.raises(APIError):
        await upload_file(pipeline, rules(), DATA, WholeBody(server.url("/o/file?signature=1")), options(folder))
    with pytest.raises(DecodeError) as raised:
        await upload_file(pipeline, rules(), DATA, WholeBody("/relative?signature=1"), options(folder))
    assert "signature" not in str(raised.value)


async def test_a_form(server: StorageServer, pipeline: Pipeline, tmp_path: Path, folder: Path) -> None:
    path = tmp_path / "clip.mp4"
    path.write_bytes(DATA)
    form = Form(server.url("/form"), before=[Part("ttl", "5")], content_type="video/mp4")
    found = await upload_file(pipeline, rules(), path, form, options(folder))
    body = server.asked[0].body
    assert body.count(DATA) == 1
    assert b'name="ttl"\r\n\r\n5\r\n' in body
    assert b'name="file"; filename="clip.mp4"\r\nContent-Type: video/mp4' in body
    assert found.remote == {"data": {"size": len(body)}}
    assert (found.size, found.md5) == (len(DATA), MD5)


async def test_a_form_is_not_repeated_after_it_may_have_arrived(
    server: StorageServer, pipeline: Pipeline, folder: Path
) -> None:
    server.faults.append(lambda asked, answer: Answer(503) if len(server.asked) == 1 else None)
    with pytest.raises(ServerError):
        await upload_file(pipeline, rules(), DATA, Form(server.url("/form")), options(folder))
    server.asked.clear()
    await upload_file(pipeline, rules(), DATA, Form(server.url("/form"), idempotent=True), options(folder))
    assert len(server.asked) == 2


async def test_nobody_there(pipeline: Pipeline, folder: Path) -> None:
    with pytest.raises(TransportError):
        await upload_file(pipeline, rules(), b"x", WholeBody("http://127.0.0.1:1/x"), options(folder, max_retries=0))
    assert journals(folder) == []


def test_receipts() -> None:
    def read(body: bytes) -> Receipt:
        return google_receipt(PipelineAnswer(200, [], body))

    assert read(b'{"size": "5", "md5Hash": "1B2M2Y8AsgTpgAmY7PhCfg==", "etag": "e"}') == Receipt(
        5,
        "d41d8cd98f00b204e9800998ecf8427e",
        "e",
        remote={"size": "5", "md5Hash": "1B2M2Y8AsgTpgAmY7PhCfg==", "etag": "e"},
    )
    for body in (b"", b"[]", b"{", b'{"size": "x", "md5Hash": "??", "etag": 5}', b'{"md5Hash": "AAAA"}'):
        found = read(body)
        assert (found.size, found.md5, found.etag) == (None, None, None)
    with pytest.raises(IntegrityError, match="5 bytes"):
        check_receipt(Receipt(size=4), path="p", size=5)
    check_receipt(Receipt(etag="0" * 32 + "-2", etag_is_md5=True), path="p", size=5, part_md5s=["0" * 32, None])
