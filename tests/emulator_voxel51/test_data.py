"""Data: uploads, dates, lists, and what a user may see."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

import httpx
import pytest

from tests.emulator_voxel51.conftest import Api

OTHER = {"Authorization": "Bearer other-key"}


def date(text: str) -> datetime:
    return datetime.fromisoformat(text)


def test_upload_and_read_back(api: Api) -> None:
    content = bytes(range(256)) * 4000  # goes to the disk
    data = api.upload(content, 'a "b" ünï.mp4')
    assert (data["name"], data["size"], data["type"]) == ('a "b" ünï.mp4', len(content), "video/mp4")
    assert date(data["expiration_date"]) - date(data["upload_date"]) == timedelta(days=3)
    assert api.state.content(data["id"]) == content
    assert api.ok("GET", f"/data/{data['id']}") == {"data": data}
    assert api.ok("GET", "/data/list") == {"data": [data]}
    response = api.send("GET", f"/data/{data['id']}/download")
    assert response.content == content
    assert response.headers["content-type"] == "video/mp4"


def test_an_empty_file(api: Api) -> None:
    data = api.upload(b"")
    assert data["size"] == 0
    assert api.send("GET", f"/data/{data['id']}/download").content == b""


def test_dates(api: Api) -> None:
    data = api.upload(data_ttl="2100-01-02T03:04:05.678+02:00")
    assert data["expiration_date"] == "2100-01-02T01:04:05.678Z"
    api.ok("PUT", f"/data/{data['id']}/ttl", data={"days": "1.5"})
    assert api.ok("GET", f"/data/{data['id']}")["data"]["expiration_date"] == "2100-01-03T13:04:05.678Z"
    api.ok("PUT", f"/data/{data['id']}/ttl", data={"expiration_date": "2101-01-01"})
    assert api.ok("GET", f"/data/{data['id']}")["data"]["expiration_date"] == "2101-01-01T00:00:00.000Z"


@pytest.mark.parametrize(
    ("form", "said"),
    [
        ({"days": "many"}, "days: is not a number of days"),
        ({"days": "nan"}, "days: is not a number of days"),
        ({"days": "1e300"}, "days: is not a number of days"),
        ({"expiration_date": "soon"}, "expiration_date: is not a date"),
        ({"expiration_date": "0001-01-01T00:00:00+14:00"}, "expiration_date: is not a date"),
        ({"days": "1", "expiration_date": "2100-01-01"}, "body: "),
        ({}, "body: "),
        ({"hours": "1"}, "body: "),
    ],
)
def test_wrong_dates(api: Api, form: dict[str, str], said: str) -> None:
    data = api.upload()
    headers = {"content-type": "application/x-www-form-urlencoded"}
    message = api.refused(400, "PUT", f"/data/{data['id']}/ttl", content=str(httpx.QueryParams(form)), headers=headers)
    assert message.startswith(said)
    assert api.ok("GET", f"/data/{data['id']}")["data"] == data


def test_time_runs_out(api: Api) -> None:
    short, long = api.upload(), api.upload(data_ttl="2900-01-01")
    api.state.advance(days=3.1)
    assert api.refused(404, "GET", f"/data/{short['id']}") == "Data not found"
    assert api.ok("GET", "/data/list")["data"] == [long]
    api.ok("PUT", f"/data/{long['id']}/ttl", data={"days": "-1000000"})
    assert api.ok("GET", "/data/list")["data"] == []
    assert api.refused(404, "GET", f"/data/{long['id']}/download") == "Data not found"


def test_data_at_a_url(api: Api) -> None:
    body = {
        "signed_url": "https://h/x?s=a%2Bb",
        "filename": "x.mp4",
        "mimetype": "video/mp4",
        "size": 1234,
        "data_ttl": "2100-06-01T12:00:00.000Z",
    }
    data = api.ok("POST", "/data/url", json=body)["data"]
    assert (data["name"], data["size"], data["expiration_date"]) == ("x.mp4", 1234, "2100-06-01T12:00:00.000Z")
    assert api.ok("GET", f"/data/{data['id']}/download-url") == {"url": "https://h/x?s=a%2Bb"}
    assert "cannot be changed" in api.refused(400, "PUT", f"/data/{data['id']}/ttl", data={"days": "1"})
    assert "stays at its URL" in api.refused(400, "GET", f"/data/{data['id']}/download")
    assert api.refused(400, "POST", "/data/url", json={**body, "size": "1"}) == "body.size: is not of type integer"
    with pytest.raises(ValueError, match="stays at a URL"):
        api.state.content(data["id"])


def test_batches(api: Api) -> None:
    one, two = api.upload(), api.upload()
    answers = api.batch("data", "details", one["id"], "nothing")
    assert answers[one["id"]] == {"success": True, "response": one}
    assert answers["nothing"] == {"success": False, "error": {"code": 404, "message": "Data not found"}}
    assert api.batch("data", "ttl", one["id"], days="0") == {one["id"]: {"success": True}}
    assert api.batch("data", "delete", two["id"], two["id"]) == {two["id"]: {"success": True}}
    assert api.batch("data", "delete") == {}
    assert api.ok("GET", "/data/list")["data"] == [one]
    message = api.refused(400, "POST", "/data/batch", json={"action": "burn", "ids": []})
    assert message == "body.action: is not one of delete, details, ttl"
    assert api.refused(400, "POST", "/data/batch", json={"ids": []}).startswith("body")
    assert api.refused(400, "POST", "/data/batch", json={"action": "ttl", "ids": []}).startswith("body")
    counters = api.state.counters
    assert (counters["batch_get_data_details"], counters["batch_update_data_ttl"]) == (1, 2)


def test_users_see_their_own(api: Api) -> None:
    data = api.upload()
    api.state.add_user("other-key", "user2")
    assert api.ok("GET", "/data/list", headers=OTHER) == {"data": []}
    for method, path in (("GET", ""), ("DELETE", ""), ("GET", "/download"), ("GET", "/download-url")):
        assert api.refused(404, method, f"/data/{data['id']}{path}", headers=OTHER) == "Data not found"
    api.ok("DELETE", f"/data/{data['id']}")
    assert api.refused(404, "DELETE", f"/data/{data['id']}") == "Data not found"


@pytest.mark.parametrize("key", [None, "Bearer wrong", "Basic user-key-123", "user-key-123"])
def test_without_a_key(with_headers: Callable[..., Api], key: str | None) -> None:
    stranger = with_headers() if key is None else with_headers(authorization=key)
    assert stranger.refused(401, "GET", "/data/list") == "Invalid token"
    assert stranger.refused(401, "POST", "/data", files={"file": ("a", b"x")}) == "Invalid token"


def test_an_empty_id_is_nothing(api: Api) -> None:
    data = api.upload()
    assert api.refused(405, "DELETE", "/data/") == "Method Not Allowed"
    assert api.refused(404, "GET", "/data//download") == "Not Found"
    assert api.refused(405, "DELETE", "/data") == "Method Not Allowed"
    assert api.ok("GET", "/data/list")["data"] == [data]


@pytest.mark.parametrize(
    ("more", "status", "said"),
    [
        ({"files": {"video": ("a", b"x")}}, 400, "body: one file named 'file' is required"),
        ({"files": [("file", ("a", b"x")), ("file", ("b", b"y"))]}, 400, "body: one file named 'file' is required"),
        ({"files": {"data_ttl": (None, "2100-01-01")}}, 400, "body: one file named 'file' is required"),
        ({"files": {"file": ("a", b"x")}, "data": {"data_ttl": "never"}}, 400, "data_ttl: is not a date"),
        ({"json": {}}, 415, "Unsupported Media Type"),
        ({"content": b"x", "headers": {"content-type": "multipart/form-data"}}, 415, "Unsupported Media Type"),
        ({"content": b"", "headers": {"content-type": "multipart/form-data; boundary=b"}}, 400, "The form breaks off"),
    ],
)
def test_wrong_forms(api: Api, more: dict[str, object], status: int, said: str) -> None:
    assert api.refused(status, "POST", "/data", **more) == said
    assert api.ok("GET", "/data/list")["data"] == []


def test_other_types_of_bodies(api: Api) -> None:
    data = api.upload()
    ttl = f"/data/{data['id']}/ttl"
    assert api.refused(415, "PUT", ttl, json={"days": "1"}) == "Unsupported Media Type"
    assert api.refused(415, "POST", "/data/batch", data={"action": "delete"}) == "Unsupported Media Type"


def test_too_large(make_api: Callable[..., Api]) -> None:
    api = make_api(max_file_bytes=1000)
    assert api.upload(b"x" * 1000)["size"] == 1000
    assert api.refused(413, "POST", "/data", files={"file": ("a", b"x" * 1001)}) == "the file is larger than 1000 bytes"
    chunks = iter([b"--b\r\n", b'Content-Disposition: form-data; name="file"; filename="a"\r\n\r\n', b"x" * 2000])
    headers = {"content-type": "multipart/form-data; boundary=b"}
    assert "larger than" in api.refused(413, "POST", "/data", content=chunks, headers=headers)
    announced = {"file": ("a", b"x" * 100_000)}
    assert "larger than" in api.refused(413, "POST", "/data", files=announced)


def test_files_are_not_kept_if_asked(make_api: Callable[..., Api]) -> None:
    api = make_api(keep_files=False)
    data = api.upload(b"x" * 300_000)
    assert data["size"] == 300_000
    assert "not to keep" in api.refused(404, "GET", f"/data/{data['id']}/download")


def test_starting_over(api: Api) -> None:
    api.upload()
    api.state.advance(days=1)
    api.state.reset()
    assert api.ok("GET", "/data/list") == {"data": []}
    assert abs(api.state.clock.now().timestamp() - datetime.now().timestamp()) < 3600


def test_unknown_options() -> None:
    from asyncclient.testing import app

    with pytest.raises(ValueError, match="no option 'speed'"):
        app("voxel51", speed=1)
