"""Downloads: parts, conditions, signed URLs, redirects."""

from __future__ import annotations

from collections.abc import Callable

import httpx
import pytest

from asyncclient.testing._ranges import Span
from tests.emulator_voxel51.conftest import Api

CONTENT = bytes(range(256)) * 8000  # in the store's folder, and more than one piece


@pytest.fixture(params=[1000, len(CONTENT)], ids=["small", "large"])
def content(request: pytest.FixtureRequest) -> bytes:
    return CONTENT[: request.param]


@pytest.mark.parametrize(
    ("asked", "start", "stop"),
    [("0-0", 0, 1), ("5-9", 5, 10), ("990-", 990, None), ("-10", -10, None), ("900-99999999", 900, None)],
)
def test_parts(api: Api, content: bytes, asked: str, start: int, stop: int | None) -> None:
    path = f"/data/{api.upload(content)['id']}/download"
    response = api.send("GET", path, headers={"Range": f"bytes={asked}"})
    assert response.status_code == 206
    assert response.content == content[start:stop]
    part = Span(*slice(start, stop).indices(len(content))[:2])
    assert response.headers["content-range"] == f"bytes {part.start}-{part.stop - 1}/{len(content)}"


def test_a_part_that_is_not_there(api: Api) -> None:
    path = f"/data/{api.upload(b'abc')['id']}/download"
    response = api.send("GET", path, headers={"Range": "bytes=3-"})
    assert (response.status_code, response.headers["content-range"]) == (416, "bytes */3")


def test_conditions(api: Api) -> None:
    path = f"/data/{api.upload(b'abcdef')['id']}/download"
    etag = api.send("GET", path).headers["etag"]
    same = api.send("GET", path, headers={"Range": "bytes=2-", "If-Range": etag})
    assert (same.status_code, same.content) == (206, b"cdef")
    other = api.send("GET", path, headers={"Range": "bytes=2-", "If-Range": '"other"'})
    assert (other.status_code, other.content) == (200, b"abcdef")


def test_head(api: Api) -> None:
    path = f"/data/{api.upload(b'abcdef')['id']}/download"
    response = api.send("HEAD", path)
    assert (response.status_code, response.headers["content-length"], response.content) == (200, "6", b"")


def test_without_ranges(make_api: Callable[..., Api]) -> None:
    api = make_api(ranges=False)
    response = api.send("GET", f"/data/{api.upload(b'abcdef')['id']}/download", headers={"Range": "bytes=2-"})
    assert (response.status_code, response.content) == (200, b"abcdef")
    assert not {"etag", "accept-ranges"} & set(response.headers)


def test_signed_urls(api: Api) -> None:
    data = api.upload(b"abcdef")
    url = api.ok("GET", f"/data/{data['id']}/download-url")["url"]
    assert url.startswith(f"{api.url}/signed/")
    assert api.plain.get(url).content == b"abcdef"
    part = api.plain.get(url, headers={"Range": "bytes=1-2"})
    assert (part.status_code, part.content) == (206, b"bc")
    assert api.plain.post(url).status_code == 405
    assert api.http.get(url).status_code == 400  # with the key
    assert api.plain.get(url, headers={"x-voxel51-application": "app-key-456"}).status_code == 400
    assert api.state.requests[-1].headers["x-voxel51-application"] == "..."
    api.state.advance(seconds=3601)
    late = api.plain.get(url)
    assert late.status_code == 403
    assert late.json() == {"error": {"code": 403, "message": "The URL is not valid any longer"}}
    assert api.plain.get(f"{api.url}/signed/nothing").status_code == 403
    assert api.state.counters["signed_download"] == 7


def test_signed_urls_of_what_is_gone(api: Api) -> None:
    data = api.upload()
    url, other = (api.ok("GET", f"/data/{data['id']}/download-url")["url"] for _ in range(2))
    api.ok("DELETE", f"/data/{data['id']}")
    assert api.plain.get(url).status_code == 404
    api.state.expire_urls()
    assert api.plain.get(other).status_code == 403


def test_redirects(make_api: Callable[..., Api]) -> None:
    api = make_api(redirect_downloads=True, storage_host="localhost")
    data = api.upload(b"abcdef")
    response = api.send("GET", f"/data/{data['id']}/download")
    assert response.status_code == 302
    port = httpx.URL(api.url).port
    assert response.headers["location"].startswith(f"http://localhost:{port}/signed/")
    assert api.plain.get(response.headers["location"].replace("localhost", "127.0.0.1")).content == b"abcdef"
    assert api.refused(404, "GET", "/data/nothing/download") == "Data not found"
