"""Storage on disk and in a bucket of moto: the same suite."""

from __future__ import annotations

import datetime as dt
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import boto3
import httpx
import pytest
from botocore.client import Config
from hypothesis import given
from hypothesis import strategies as st

from asyncclient.errors import ConfigurationError
from asyncclient.sticky_pi._refusals import BadInput
from asyncclient.sticky_pi._s3_sign import Signer
from asyncclient.sticky_pi._storage_base import AsyncBaseStorage
from asyncclient.sticky_pi._storage_keys import bundle_key, counts, image_key, is_newer, tuboid_keys
from asyncclient.sticky_pi.exceptions import UnsafeKey
from asyncclient.sticky_pi.image_parser import ImageParser
from asyncclient.sticky_pi.storage import AsyncDiskStorage, AsyncS3Storage
from tests.sticky_pi import pictures
from tests.sticky_pi_server.buckets import Bucket

T0 = dt.datetime(2022, 1, 2, 3, 4, 5)
KEY = f"raw_images/0a5bb6f4/{pictures.name_of('0a5bb6f4', T0)}"


@pytest.fixture(params=["disk", "s3"])
async def storage(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[AsyncBaseStorage]:
    made: AsyncBaseStorage
    if request.param == "disk":
        made = AsyncDiskStorage({"LOCAL_DIR": str(tmp_path / "files")})
    else:
        made = AsyncS3Storage(request.getfixturevalue("bucket").conf)
    await made.open()
    yield made
    await made.aclose()


def read(storage: AsyncBaseStorage, place: str) -> bytes | None:
    """Read what a URL or path leads to, as anybody; None if nothing is there."""
    if isinstance(storage, AsyncDiskStorage):
        return Path(place).read_bytes() if Path(place).exists() else None
    answer = httpx.get(place, trust_env=False)
    return answer.content if answer.status_code == 200 else None


@pytest.mark.anyio
async def test_images(storage: AsyncBaseStorage, tmp_path: Path) -> None:
    path = pictures.write(tmp_path, "0a5bb6f4", T0, size=(800, 600))
    image = ImageParser(path)
    await storage.store_image_files(image)
    row = {"device": "0a5bb6f4", "datetime": T0}
    assert storage.get_url_for_image(row) == ""
    assert read(storage, storage.get_url_for_image(row, "image")) == path.read_bytes()
    for what, size in {"thumbnail": (512, 384), "thumbnail-mini": (128, 96)}.items():
        place = storage.get_url_for_image(row, what)
        assert f"{KEY}.{what}" in place
        stored = read(storage, place)
        assert stored is not None
        assert pictures.Image.open(pictures.io.BytesIO(stored)).size == size
    with pytest.raises(BadInput):
        storage.get_url_for_image(row, "video")
    for _ in range(2):
        await storage.delete_image_files(row)
        assert read(storage, storage.get_url_for_image(row, "image")) is None


@pytest.mark.anyio
async def test_tuboids(storage: AsyncBaseStorage, tmp_path: Path) -> None:
    (tmp_path / "m.txt").write_bytes(b"m")
    opened = (tmp_path / "m.txt").open("rb")
    data = {"tuboid_id": "a.b.c.d.1", "metadata": tmp_path / "m.txt", "tuboid": b"t", "context": opened}
    with opened:
        await storage.store_tiled_tuboid(data)
    urls = storage.get_urls_for_tiled_tuboids(data)
    assert {name: read(storage, url) for name, url in urls.items()} == {
        "tuboid": b"t",
        "metadata": b"m",
        "context": b"m",
    }
    assert "tiled_tuboids/a.b.c.d/a.b.c.d.1/tuboid.jpg" in urls["tuboid"]
    for _ in range(2):
        await storage.delete_tiled_tuboid_files(data)
        assert [read(storage, url) for url in urls.values()] == [None] * 3


@pytest.mark.anyio
async def test_bundles(storage: AsyncBaseStorage, tmp_path: Path) -> None:
    folder = tmp_path / "b"
    for key in (
        "config/c.yaml",
        "data/a b.txt",
        "data/é.txt",
        "data/empty.txt",
        "output/model_final.pth",
        "x/.cache/y.txt",
        "n.o",
    ):
        (folder / key).parent.mkdir(parents=True, exist_ok=True)
        (folder / key).write_bytes(key.encode() if "empty" not in key else b"")
    files = await storage.local_bundle_files_info(folder)
    assert [row["key"] for row in files] == [
        "config/c.yaml",
        "data/a b.txt",
        "data/empty.txt",
        "data/é.txt",
        "output/model_final.pth",
    ]
    links = await storage.get_ml_bundle_upload_links("b", files)
    assert [row["key"] for row in links] == [row["key"] for row in files]
    for row in links:
        content = Path(row["path"]).read_bytes()
        if isinstance(row["url"], str):
            Path(row["url"]).parent.mkdir(parents=True, exist_ok=True)
            Path(row["url"]).write_bytes(content)
        else:
            form = row["url"]
            sent = httpx.post(form["url"], data=form["fields"], files={"file": ("f", content)}, trust_env=False)
            assert sent.status_code == 204, sent.text
    assert await storage.get_ml_bundle_upload_links("b", files) == []
    listed = await storage.get_ml_bundle_file_list("b")
    assert [row["key"] for row in listed] == [row["key"] for row in files]
    assert all(read(storage, row["url"]) == (folder / row["key"]).read_bytes() for row in listed)
    assert [row["key"] for row in await storage.get_ml_bundle_file_list("b", "model")] == [
        "config/c.yaml",
        "output/model_final.pth",
    ]
    assert await storage.get_ml_bundle_file_list("b", "other") == []
    assert await storage.get_ml_bundle_file_list("nobody") == []
    older, newer = ({**files[0], "md5": "other", "mtime": mtime} for mtime in (0.0, 9e9))
    assert await storage.get_ml_bundle_upload_links("b", [older]) == []
    assert len(await storage.get_ml_bundle_upload_links("b", [newer])) == 1
    with pytest.raises(UnsafeKey):
        await storage.get_ml_bundle_upload_links("b", [{**newer, "key": "../../x.txt"}])


@pytest.mark.anyio
async def test_a_failed_upload_is_an_error(bucket: Bucket) -> None:
    storage = AsyncS3Storage({**bucket.conf, "S3_BUCKET_NAME": "nobody"})
    await storage.open()
    try:
        staged = await storage._stage({"a": b"x"})
        with pytest.raises(BaseExceptionGroup):
            await staged.publish()
    finally:
        await storage.aclose()


def test_links_are_kept(bucket: Bucket) -> None:
    storage = AsyncS3Storage(bucket.conf)
    assert storage._url("a/b") is storage._url("a/b")
    storage._urls["a/b"] = (0.0, "stale")
    assert storage._url("a/b") != "stale"


@pytest.mark.parametrize("version", [2, 4])
@pytest.mark.parametrize("key", ["a/b c.txt", "é/ü~-._.jpg", "x+y&z=%25.txt"])
def test_links_are_those_of_botocore(version: int, key: str) -> None:
    client = boto3.client(
        "s3",
        endpoint_url="http://127.0.0.1:9000",
        aws_access_key_id="public",
        aws_secret_access_key="private",
        region_name="eu-north-1",
        config=Config(signature_version="s3" if version == 2 else "s3v4", s3={"addressing_style": "path"}),
    )
    now = int(dt.datetime(2026, 1, 2, 3, 4, 5, tzinfo=dt.UTC).timestamp())
    signer = Signer("http://127.0.0.1:9000", "bucket", "public", "private", "eu-north-1", version)
    assert "private" not in repr(signer)
    with frozen(now):
        theirs = client.generate_presigned_url("get_object", {"Bucket": "bucket", "Key": key}, ExpiresIn=600)
        form = client.generate_presigned_post("bucket", key, ExpiresIn=600)
    assert signer.get(key, now, 600) == theirs
    ours = signer.post(key, now, 600)
    assert ours["url"] == form["url"]
    assert list(ours["fields"]) == list(form["fields"])
    if version == 2:
        assert ours == form


def frozen(now: int) -> Any:
    from unittest.mock import patch

    moment = dt.datetime.fromtimestamp(now, dt.UTC)

    class Clock(dt.datetime):
        @classmethod
        def now(cls, tz: Any = None) -> Any:
            return moment if tz else moment.replace(tzinfo=None)

        @classmethod
        def utcnow(cls) -> Any:
            return moment.replace(tzinfo=None)

    from contextlib import ExitStack

    stack = ExitStack()
    stack.enter_context(patch("botocore.auth.time.time", lambda: now))
    stack.enter_context(patch("botocore.auth.get_current_datetime", lambda *_, **__: moment.replace(tzinfo=None)))
    stack.enter_context(patch("botocore.signers.get_current_datetime", lambda *_, **__: moment.replace(tzinfo=None)))
    return stack


@pytest.mark.parametrize("change", [{"S3_HOST": ""}, {"S3_PRIVATE_KEY": None}, {"S3_SIGNATURE": "s3v5"}])
def test_bad_configuration(change: dict[str, Any]) -> None:
    conf = {"S3_HOST": "h", "S3_BUCKET_NAME": "b", "S3_ACCESS_KEY": "a", "S3_PRIVATE_KEY": "secret-value", **change}
    with pytest.raises(ConfigurationError) as caught:
        AsyncS3Storage(conf)
    assert "secret-value" not in str(caught.value)


@pytest.mark.parametrize(
    ("host", "endpoint", "version"),
    [("s3.example.org:9000", "https://s3.example.org:9000", 2), ("http://127.0.0.1:1/", "http://127.0.0.1:1", 2),
     ("s3.eu-north-1.amazonaws.com", "https://s3.eu-north-1.amazonaws.com", 4)],
)  # fmt: skip
def test_hosts(host: str, endpoint: str, version: int) -> None:
    conf = {"S3_HOST": host, "S3_BUCKET_NAME": "b", "S3_ACCESS_KEY": "a", "S3_PRIVATE_KEY": "p"}
    signer = AsyncS3Storage(conf)._signer
    assert (signer.endpoint, signer.version) == (endpoint, version)


# --- keys ------------------------------------------------------------------------------------------------------------


@given(st.text(min_size=1, max_size=60))
def test_keys_stay_inside(key: str) -> None:
    try:
        made = bundle_key("b", key)
    except UnsafeKey:
        return
    assert made == f"ml/b/{key}"
    assert not {"", ".", ".."} & set(made.split("/"))
    assert "\\" not in made
    assert "\x00" not in made


@pytest.mark.parametrize(
    "key", ["../x.txt", "a/../../x", "/etc/x", "a//b", "a/./b", "..", ".", "a\\b", "a\x00", "a\n", "é" * 600]
)
def test_unsafe_keys(key: str) -> None:
    with pytest.raises(UnsafeKey):
        bundle_key("b", key)
    with pytest.raises(UnsafeKey):
        tuboid_keys(key)


@pytest.mark.parametrize("device", ["..", "a/b", ""])
def test_unsafe_devices(device: str) -> None:
    with pytest.raises(UnsafeKey):
        image_key({"device": device, "datetime": T0})


def test_what_counts() -> None:
    assert counts("data/a.svg", "data")
    assert not counts("x/data/a.svg", "data")
    assert not counts("data/sub/a.svg", "data")
    assert counts("data/sub/a.svg", "all")
    assert not counts("data/a.exe", "all")
    assert counts("output/model_final.pth", "model")
    stored = {"md5": "x", "mtime": 5.0}
    assert is_newer({"md5": "y", "mtime": 6}, stored)
    assert not is_newer({"md5": "y", "mtime": 5}, stored)
    assert not is_newer({"md5": "x", "mtime": 6}, stored)
    assert is_newer({"md5": "x", "mtime": 0}, None)
