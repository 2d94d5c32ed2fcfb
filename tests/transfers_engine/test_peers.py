"""The engine against servers nobody here wrote: nginx, moto's S3, an emulator of Google storage."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from asyncclient._pipeline import Pipeline
from asyncclient._transfers.plan import MIB
from asyncclient._transfers.targets_download import HttpDownload
from asyncclient._transfers.targets_parts import S3Parts
from asyncclient._transfers.targets_session import ResumableSession, google_begin
from asyncclient._transfers.targets_whole import WholeBody
from asyncclient._transfers.transfers import download_file, upload_file
from tests.support import peers
from tests.transfers_engine.support import UNIT, content, journals, left_over, options, rules

pytestmark = [pytest.mark.anyio, pytest.mark.servers]

DATA = content(11 * MIB + 1000)
MD5 = hashlib.md5(DATA).hexdigest()


@pytest.fixture(scope="module")
def nginx(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    root = tmp_path_factory.mktemp("root")
    root.chmod(0o755)
    (root / "file").write_bytes(DATA)
    (root / "empty").write_bytes(b"")
    for folder in (root, *root.parents):
        if folder.stat().st_uid != 0 or "pytest" in str(folder):
            folder.chmod(folder.stat().st_mode | 0o055)
    with peers.nginx(root, tmp_path_factory.mktemp("nginx")) as url:
        yield url


@pytest.mark.parametrize("expected", [None, MD5])
@pytest.mark.parametrize("below", ["", "plain/", "noetag/"])
async def test_nginx(
    below: str, expected: str | None, nginx: str, pipeline: Pipeline, tmp_path: Path, folder: Path
) -> None:
    given = options(folder, part_size=MIB, expected_md5=expected)
    target = HttpDownload(f"{nginx}/{below}file", name="file")
    found = await download_file(pipeline, rules(), target, tmp_path / "out", given)
    assert (tmp_path / "out").read_bytes() == DATA
    assert found.parts == (1 if below == "plain/" else 12)
    other = options(folder)
    empty = await download_file(pipeline, rules(), HttpDownload(f"{nginx}/{below}empty"), tmp_path / "none", other)
    assert empty.size == 0
    assert (tmp_path / "none").read_bytes() == b""


class Bucket:
    """A bucket in moto, with URLs signed by botocore."""

    def __init__(self, url: str) -> None:
        session = pytest.importorskip("botocore.session").get_session()
        session.set_credentials("key", "secret")
        config = pytest.importorskip("botocore.config").Config(
            s3={"addressing_style": "path"}, signature_version="s3v4"
        )
        self.client = session.create_client("s3", region_name="us-east-1", endpoint_url=url, config=config)

    async def url(self, operation: str, parameters: Mapping[str, Any], key: str = "file") -> str:
        return await asyncio.to_thread(self._url, operation, {"Bucket": "bucket", "Key": key, **parameters})

    def _url(self, operation: str, parameters: Mapping[str, Any]) -> str:
        found: str = self.client.generate_presigned_url(operation, Params=parameters)
        return found

    def read(self, key: str = "file") -> bytes:
        found: bytes = self.client.get_object(Bucket="bucket", Key=key)["Body"].read()
        return found


@pytest.fixture(scope="module")
def bucket(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bucket]:
    with peers.moto(tmp_path_factory.mktemp("moto")) as url:
        found = Bucket(url)
        found.client.create_bucket(Bucket="bucket")
        yield found
        found.client.close()


async def test_s3_in_parts_and_back(bucket: Bucket, pipeline: Pipeline, tmp_path: Path, folder: Path) -> None:
    path = tmp_path / "data"
    path.write_bytes(DATA)
    target = S3Parts(bucket.url, description={"key": "file"})
    given = options(folder, part_size=5 * MIB)
    found = await upload_file(pipeline, rules(), path, target, given)
    assert await asyncio.to_thread(bucket.read) == DATA
    assert found.parts == 3
    assert found.etag is not None
    assert found.etag.endswith("-3")

    back = HttpDownload(lambda: bucket.url("get_object", {}), name="file", etag_is_md5=True)
    downloaded = await download_file(pipeline, rules(), back, tmp_path / "out", options(folder))
    assert (tmp_path / "out").read_bytes() == DATA
    assert (downloaded.verified, downloaded.etag) == ("etag", found.etag)
    assert journals(folder) == left_over(tmp_path) == []


async def test_s3_goes_on(bucket: Bucket, pipeline: Pipeline, tmp_path: Path, folder: Path) -> None:
    path = tmp_path / "data"
    path.write_bytes(DATA)
    sent: list[int] = []

    async def sign(operation: str, parameters: Mapping[str, Any]) -> str:
        if operation == "upload_part":
            sent.append(parameters["PartNumber"])
            if len(sent) == 3:
                raise RuntimeError("pulled the plug")
        return await bucket.url(operation, parameters, "resumed")

    given = options(folder, part_size=5 * MIB, parallel=1)
    target = S3Parts(sign, description={"key": "resumed"})
    with pytest.raises(RuntimeError, match="plug"):
        await upload_file(pipeline, rules(), path, target, given)
    found = await upload_file(pipeline, rules(), path, target, given)
    assert sent == [1, 2, 3, 3]
    assert found.resumed_bytes == 10 * MIB
    assert await asyncio.to_thread(bucket.read, "resumed") == DATA


async def test_s3_in_one_request(bucket: Bucket, pipeline: Pipeline, folder: Path) -> None:
    target = WholeBody(lambda: bucket.url("put_object", {}, "whole"))
    found = await upload_file(pipeline, rules(), DATA[:1000], target, options(folder))
    assert found.etag == found.md5 == hashlib.md5(DATA[:1000]).hexdigest()
    assert await asyncio.to_thread(bucket.read, "whole") == DATA[:1000]


@pytest.fixture(scope="module")
def google(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with peers.google(tmp_path_factory.mktemp("google"), "bucket") as url:
        yield url


def session(google: str, name: str, **given: Any) -> ResumableSession:
    begin = google_begin(f"{google}/upload/storage/v1/b/bucket/o?uploadType=resumable&name={name}")
    return ResumableSession(begin, description={"name": name}, **given)


@pytest.mark.parametrize("size", [0, 1, UNIT, 3 * UNIT + 5, len(DATA)])
async def test_google_sessions(size: int, google: str, pipeline: Pipeline, tmp_path: Path, folder: Path) -> None:
    path = tmp_path / "data"
    path.write_bytes(DATA[:size])
    given = options(folder, part_size=MIB if size > MIB else UNIT)
    found = await upload_file(pipeline, rules(), path, session(google, f"size{size}"), given)
    assert found.size == size
    assert found.remote["name"] == f"size{size}"
    back = HttpDownload(f"{google}/download/storage/v1/b/bucket/o/size{size}?alt=media", name="file")
    await download_file(pipeline, rules(), back, tmp_path / "out", options(folder, expected_md5=found.md5))
    assert (tmp_path / "out").read_bytes() == DATA[:size]


async def test_google_sessions_go_on(google: str, pipeline: Pipeline, tmp_path: Path, folder: Path) -> None:
    path = tmp_path / "data"
    path.write_bytes(DATA)
    urls: list[str] = []
    begin = google_begin(f"{google}/upload/storage/v1/b/bucket/o?uploadType=resumable&name=resumed")

    async def remembered(wire: Any, facts: Any) -> str:
        urls.append(await begin(wire, facts))
        return urls[-1]

    async def reopen(wire: Any, session_id: str) -> str:
        assert session_id == "mine"
        return urls[-1]

    class Unplugged(ResumableSession):
        left = 4

        async def request(self, body: Any, content_range: bytes) -> Any:
            self.left -= 1
            if not self.left:
                raise RuntimeError("pulled the plug")
            return await super().request(body, content_range)

    def target(kind: type[ResumableSession] = ResumableSession) -> ResumableSession:
        return kind(remembered, reopen=reopen, session_id=lambda _: "mine", description={"name": "resumed"})

    given = options(folder, part_size=MIB)
    with pytest.raises(RuntimeError, match="plug"):
        await upload_file(pipeline, rules(), path, target(Unplugged), given)
    found = await upload_file(pipeline, rules(), path, target(), given)
    assert found.resumed_bytes == 3 * MIB
    assert found.restarted is None
    back = HttpDownload(f"{google}/download/storage/v1/b/bucket/o/resumed?alt=media", name="file")
    await download_file(pipeline, rules(), back, tmp_path / "out", options(folder, expected_md5=MD5))


async def test_google_streams_of_unknown_length(google: str, pipeline: Pipeline, tmp_path: Path, folder: Path) -> None:
    async def stream() -> Any:
        for start in range(0, len(DATA), 100_000):
            yield DATA[start : start + 100_000]

    found = await upload_file(pipeline, rules(), stream(), session(google, "stream"), options(folder, part_size=MIB))
    assert (found.size, found.md5) == (len(DATA), MD5)
