"""Content comes back as it was stored: with its encoding, in ranges, on conditions."""

from __future__ import annotations

import gzip
from collections.abc import Callable

import httpx
import pytest

from tests.emulator_lfview.conftest import Api, P

TYPE = "application/octet-stream"
PLAIN = bytes(8) * 1000
PACKED = gzip.compress(PLAIN)
BIG = bytes(range(256)) * 8192  # 2 MiB: in a file, in several pieces


def upload(api: Api, content: bytes, plain_bytes: int | None = None, **more: str) -> str:
    body = {"shape": [plain_bytes or len(content)], "dtype": "Uint8Array", "content_length": len(content)}
    made = api.ok("POST", f"{P}/files/array", {**body, "content_type": TYPE, **more})
    location: str = made["links"]["location"]
    assert api.put(location, content, None).status_code == 200
    return location


@pytest.fixture
def packed(api: Api) -> str:
    return upload(api, PACKED, len(PLAIN), content_encoding="gzip")


def test_raw(api: Api) -> None:
    answer = api.plain.get(upload(api, b"0123456789"))
    assert (answer.status_code, answer.content) == (200, b"0123456789")
    assert answer.headers["content-type"] == TYPE
    assert answer.headers["accept-ranges"] == "bytes"
    assert answer.headers["etag"] == '"array1-1"'
    assert "content-encoding" not in answer.headers
    assert "vary" not in answer.headers


def test_gzip_comes_as_it_is(packed: str) -> None:
    with httpx.stream("GET", packed, headers={"Accept-Encoding": "identity"}) as answer:
        assert answer.headers["content-encoding"] == "gzip"
        assert answer.headers["content-length"] == str(len(PACKED))
        assert b"".join(answer.iter_raw()) == PACKED
    assert httpx.get(packed).content == PLAIN


def test_transcoding(make_api: Callable[..., Api]) -> None:
    api = make_api(transcode=True)
    packed = upload(api, PACKED, len(PLAIN), content_encoding="gzip")
    answer = api.plain.get(packed, headers={"Accept-Encoding": "identity", "Range": "bytes=0-9"})
    assert (answer.status_code, answer.content) == (200, PLAIN)
    assert "content-encoding" not in answer.headers
    assert api.plain.get(packed, headers={"Accept-Encoding": "gzip"}).headers["content-encoding"] == "gzip"
    plain = api.plain.get(upload(api, b"plain"), headers={"Accept-Encoding": "identity"})
    assert plain.headers["content-length"] == "5"


@pytest.mark.parametrize(
    ("asked", "part"),
    [
        ("bytes=0-3", (0, 4)),
        ("bytes=4-", (4, 10)),
        ("bytes=-3", (7, 10)),
        ("bytes=-99", (0, 10)),
        ("bytes=8-99", (8, 10)),
        ("bytes=9-9", (9, 10)),
        ("bytes=-", None),
        ("bytes=3-2", None),
        ("bytes=0-1,4-5", None),
        ("items=0-3", None),
    ],
)
def test_ranges(api: Api, asked: str, part: tuple[int, int] | None) -> None:
    answer = api.plain.get(upload(api, b"0123456789"), headers={"Range": asked})
    if part is None:
        assert (answer.status_code, answer.content) == (200, b"0123456789")
        return
    start, stop = part
    assert (answer.status_code, answer.content) == (206, b"0123456789"[start:stop])
    assert answer.headers["content-range"] == f"bytes {start}-{stop - 1}/10"


@pytest.mark.parametrize("asked", ["bytes=10-", "bytes=99-100", "bytes=-0"])
def test_ranges_that_do_not_exist(api: Api, asked: str) -> None:
    answer = api.plain.get(upload(api, b"0123456789"), headers={"Range": asked})
    assert answer.status_code == 416
    assert answer.headers["content-range"] == "bytes */10"


def test_ranges_of_packed_content_are_of_the_packed_bytes(packed: str) -> None:
    with httpx.stream("GET", packed, headers={"Range": "bytes=5-9"}) as answer:
        assert answer.headers["content-range"] == f"bytes 5-9/{len(PACKED)}"
        assert b"".join(answer.iter_raw()) == PACKED[5:10]


def test_if_range(api: Api) -> None:
    location = upload(api, b"0123456789")
    etag = api.plain.get(location).headers["etag"]
    same = api.plain.get(location, headers={"Range": "bytes=5-", "If-Range": etag})
    assert (same.status_code, same.content) == (206, b"56789")
    api.ok("PATCH", f"{P}/files/array/array1", {})
    assert api.plain.get(location).status_code == 404
    api.put(location, b"abcdefghij", None)
    changed = api.plain.get(location, headers={"Range": "bytes=5-", "If-Range": etag})
    assert (changed.status_code, changed.content) == (200, b"abcdefghij")
    assert changed.headers["etag"] != etag


def test_head_and_large_files(api: Api) -> None:
    location = upload(api, BIG)
    head = api.plain.head(location)
    assert (head.headers["content-length"], head.content) == (str(len(BIG)), b"")
    assert api.plain.get(location).content == BIG
    part = api.plain.get(location, headers={"Range": "bytes=1000000-2000000"})
    assert part.content == BIG[1_000_000:2_000_001]


def test_encoding_after_a_change(make_api: Callable[..., Api]) -> None:
    body = {"shape": [4], "dtype": "Uint8Array", "content_length": 4, "content_type": TYPE}
    for sticky in (False, True):
        api = make_api(sticky_encoding=sticky, check_rules=False)
        location = upload(api, PACKED, len(PLAIN), content_encoding="gzip")
        changed = api.ok("PATCH", f"{P}/files/array/array1", body)
        assert changed.get("content_encoding") == ("gzip" if sticky else None)
        api.put(location, b"\1\2\3\4", None)
        with api.plain.stream("GET", location) as answer:
            assert answer.headers.get("content-encoding") == changed.get("content_encoding")
            assert b"".join(answer.iter_raw()) == b"\1\2\3\4"


def test_files_that_are_not_kept(make_api: Callable[..., Api]) -> None:
    api = make_api(keep_files=False)
    location = upload(api, BIG)
    assert api.put(location, b"", f"bytes */{len(BIG)}").json() == {"size": len(BIG)}
    assert api.plain.get(location).json() == {"message": "the emulator was told not to keep files"}
    assert api.state.content(location) == b""


def test_contents_of_another_origin(make_api: Callable[..., Api]) -> None:
    api = make_api(storage_host="localhost")
    port = httpx.URL(api.url).port
    location = upload(api, b"abc")
    assert location == f"http://localhost:{port}/storage/array1"
    assert api.plain.get(location).content == b"abc"
    link = api.view()["links"]["thumbnail"]
    announced = api.ok("PUT", link, {"content_type": "image/png", "content_length": 1})
    assert announced["links"]["self"] == link
    assert announced["links"]["location"].startswith(f"http://localhost:{port}/storage/thumb-")


def test_seeded_resources(api: Api) -> None:
    api.state.add("files/array", {"content_length": 0, "content_type": TYPE}, path=f"{P}/files/array/seed", content=BIG)
    assert api.plain.get(f"{api.url}/storage/seed").content == BIG
    row = api.state.add("mappings/continuous", {"gradient": f"{api.url}{P}/files/array/seed"}, path=f"{P}/mappings/x/m")
    assert row.body == {"gradient": f"{P}/files/array/seed"}
    api.state.add("files/image", {"content_length": 3, "content_type": "image/png"}, path=f"{P}/files/image/pic")
    assert api.plain.get(f"{api.url}/storage/pic").status_code == 404
