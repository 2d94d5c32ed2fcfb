"""Signed uploads: single, in parts as in S3, one resumable session as in Google's storage; and those by uuid."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from tests.emulator_flywheel.conftest import Api, Json

CONTENT = bytes(position % 251 for position in range(1_000_000))
KIB256 = 256 * 1024


def start(api: Api, size: int | None = len(CONTENT), **more: Any) -> tuple[str, Json]:
    place = f"/acquisitions/{api.tree()['acquisition']}/files"
    return place, api.ticket(place, "f", size, **more)


def stored(api: Api, place: str) -> bytes:
    return api.send("GET", f"{place}/f").content


def put_all(api: Api, ticket: Json, content: bytes = CONTENT) -> list[str]:
    """Upload in as many equal parts as there are addresses, and return the ETags."""
    urls = ticket["urls"]["f"]
    size = -(-len(content) // len(urls))
    tags = []
    for place, url in enumerate(urls):
        response = api.put(url, content[place * size : (place + 1) * size], ticket["headers"])
        assert response.is_success, response.text
        tags.append(response.headers["etag"].strip('"'))
    return tags


def close(api: Api, place: str, ticket: Json, body: Any = None) -> httpx.Response:
    return api.send("POST", f"{place}?ticket={ticket['ticket']}", body)


@pytest.mark.parametrize("part_bytes", [10**7, 300_000])
def test_plain(make_api: Callable[..., Api], part_bytes: int) -> None:
    api = make_api(part_bytes=part_bytes)
    place, ticket = start(api, info={"a": 1})
    assert len(ticket["urls"]["f"]) == (1 if part_bytes > 10**6 else 4)
    put_all(api, ticket)
    (row,) = close(api, place, ticket).json()
    assert (row["size"], row["info"]) == (len(CONTENT), {"a": 1})
    assert row["hash"] == f"v0-sha384-{hashlib.sha384(CONTENT).hexdigest()}"
    assert stored(api, place) == CONTENT
    assert close(api, place, ticket).status_code == 400  # used up


def test_s3(make_api: Callable[..., Api]) -> None:
    api = make_api(storage="s3", part_bytes=300_000)
    place, ticket = start(api)
    url = httpx.URL(ticket["urls"]["f"][0])
    assert ".s3." in str(url)
    upload_id = url.params["uploadId"]
    tags = put_all(api, ticket)
    assert tags[0] == hashlib.md5(CONTENT[:250_000]).hexdigest()
    for multipart in (None, {"upload_id": "x", "e_tags": tags}, {"upload_id": upload_id, "e_tags": tags[::-1]}):
        assert close(api, place, ticket, {"multipart": multipart}).status_code == 400
    shortened = {"upload_id": upload_id, "e_tags": tags[:3]}
    assert "announced" in close(api, place, ticket, {"multipart": shortened}).text
    assert close(api, place, ticket, {"multipart": {"upload_id": upload_id, "e_tags": [*tags, "x"]}}).status_code == 400
    assert close(api, place, ticket, {"multipart": {"upload_id": upload_id, "e_tags": tags}}).is_success
    assert stored(api, place) == CONTENT


def test_parts_in_any_order_and_again(make_api: Callable[..., Api]) -> None:
    api = make_api(storage="s3", part_bytes=300_000)
    place, ticket = start(api)
    urls = ticket["urls"]["f"]
    api.put(urls[1], b"wrong")
    api.state.fail_next(503, path="/signed/*")
    assert api.put(urls[3], CONTENT[750_000:]).status_code == 503
    tags = {n: api.put(urls[n], CONTENT[n * 250_000 : (n + 1) * 250_000]).headers["etag"] for n in (3, 1, 0, 2)}
    body = {"multipart": {"upload_id": httpx.URL(urls[0]).params["uploadId"], "e_tags": [tags[n] for n in range(4)]}}
    assert close(api, place, ticket, body).is_success
    assert stored(api, place) == CONTENT


def google_put(api: Api, ticket: Json, start: int, stop: int, total: Any = 1_000_000) -> httpx.Response:
    field = {"Content-Range": f"bytes {start}-{stop - 1}/{total}", **ticket["headers"]}
    return api.put(ticket["urls"]["f"][0], CONTENT[start:stop], field)


def test_google(make_api: Callable[..., Api]) -> None:
    api = make_api(storage="google", part_bytes=300_000)
    place, ticket = start(api)
    urls = ticket["urls"]["f"]
    assert ".googleapis." in urls[0]
    assert len(urls) == 4
    assert len({*urls}) == 1
    assert "multiple" in google_put(api, ticket, 0, 1000).text
    response = google_put(api, ticket, 0, KIB256)
    assert (response.status_code, response.headers["range"]) == (308, f"bytes=0-{KIB256 - 1}")
    assert google_put(api, ticket, 0, KIB256).status_code == 308  # the answer was lost: nothing is doubled
    assert "the part begins" in google_put(api, ticket, 2 * KIB256, 3 * KIB256).text
    assert "announced" in google_put(api, ticket, KIB256, 2 * KIB256, 5 * KIB256).text
    assert close(api, place, ticket).status_code == 400
    state = api.put(urls[0], b"", {"Content-Range": f"bytes */{len(CONTENT)}", **ticket["headers"]})
    assert (state.status_code, state.headers["range"]) == (308, f"bytes=0-{KIB256 - 1}")
    assert google_put(api, ticket, KIB256, 3 * KIB256, "*").status_code == 308
    assert google_put(api, ticket, 3 * KIB256, len(CONTENT)).status_code == 200
    assert google_put(api, ticket, 3 * KIB256, len(CONTENT)).status_code == 200
    assert close(api, place, ticket).is_success
    assert stored(api, place) == CONTENT


def test_google_at_once(make_api: Callable[..., Api]) -> None:
    api = make_api(storage="google")
    place, ticket = start(api)
    (url,) = ticket["urls"]["f"]
    assert "announced" in api.put(url, CONTENT[1:], ticket["headers"]).text
    status = api.put(url, b"", {"Content-Range": "bytes */*", **ticket["headers"]})
    assert (status.status_code, "range" in status.headers) == (308, False)
    for field in ("bytes 0-9", f"bytes 0-8/{len(CONTENT)}"):
        assert api.put(url, CONTENT[:10], {"Content-Range": field, **ticket["headers"]}).status_code == 400
    assert api.put(url, CONTENT, ticket["headers"]).status_code == 200
    assert close(api, place, ticket).is_success
    assert stored(api, place) == CONTENT


@pytest.mark.parametrize("storage", ["plain", "s3", "google"])
def test_empty_files(make_api: Callable[..., Api], storage: str) -> None:
    api = make_api(storage=storage)
    place, ticket = start(api, None)
    (url,) = ticket["urls"]["f"]
    response = api.put(url, b"", ticket["headers"])
    params = httpx.URL(url).params
    body = (
        {"multipart": {"upload_id": params["uploadId"], "e_tags": [response.headers["etag"]]}}
        if storage == "s3"
        else None
    )
    assert close(api, place, ticket, body).json()[0]["size"] == 0


def test_what_storage_refuses(api: Api) -> None:
    place, ticket = start(api)
    (url,) = ticket["urls"]["f"]
    assert api.put(url, CONTENT).status_code == 403  # without the signed header
    assert api.put(url, CONTENT, {"Authorization": "scitran-user x", **ticket["headers"]}).status_code == 400
    assert api.put(url.replace("sig=", "sig=0"), CONTENT, ticket["headers"]).status_code == 403
    assert api.put(url.replace("partNumber=1", "partNumber=2"), CONTENT, ticket["headers"]).status_code == 400
    assert api.put(url.replace("partNumber=1", "partNumber=x"), CONTENT, ticket["headers"]).status_code == 400
    assert api.plain.put(url, content=iter([b"x"]), headers=ticket["headers"]).status_code == 411
    assert api.plain.delete(url).status_code == 405
    assert api.put(url.replace("/storage/", "/storage/x"), b"", ticket["headers"]).status_code == 404
    assert close(api, place, ticket).status_code == 400
    api.put(url, CONTENT[1:], ticket["headers"])
    assert "announced" in close(api, place, ticket).text
    api.state.expire_uploads()
    assert "expired" in api.put(url, CONTENT, ticket["headers"]).text


def test_tickets(api: Api) -> None:
    ids = api.tree()
    place = f"/projects/{ids['project']}/files"
    for body in ({}, {"filenames": []}, {"filenames": [5]}, {"filenames": "f"}, []):
        api.refused(422, "POST", f"{place}?ticket=", body)
    for metadata in (5, [5], {"size": -1}, {"size": "x"}):
        api.refused(422, "POST", f"{place}?ticket=", {"filenames": ["f"], "metadata": metadata})
    api.refused(400, "POST", f"{place}?ticket=", content=b"{", headers={"Content-Type": "application/json"})
    api.refused(400, "POST", f"{place}?ticket=unknown")
    ticket = api.ticket(place, "f", 1)
    api.refused(400, "POST", f"/sessions/{ids['session']}/files?ticket={ticket['ticket']}")
    plain = {"x-accept-feature": "Safe-Redirect"}
    body = {"filenames": ["f"], "metadata": {"size": 10**9}}
    assert isinstance(api.ok("POST", f"{place}?ticket=", body, headers=plain)["urls"]["f"], str)


def test_several_files_under_one_ticket(api: Api) -> None:
    place = f"/projects/{api.tree()['project']}/files"
    body = {"filenames": ["a", "b"], "metadata": [{"name": "b", "size": 2}, {"name": "a", "size": 1}]}
    ticket = api.ok("POST", f"{place}?ticket=", body)
    for name, content in (("a", b"1"), ("b", b"22")):
        assert api.put(ticket["urls"][name][0], content, ticket["headers"]).is_success
    assert [(row["name"], row["size"]) for row in close(api, place, ticket).json()] == [("a", 1), ("b", 2)]


def test_outputs_of_analyses(api: Api) -> None:
    session = api.tree()["session"]
    analysis = api.ok("POST", f"/sessions/{session}/analyses", {"label": "x"})["_id"]
    body = {"filenames": ["f"], "metadata": [{"name": "f", "size": 1}]}
    ticket = api.ok("POST", f"/analyses/{analysis}/files?ticket=", body)
    api.put(ticket["urls"]["f"][0], b"x", ticket["headers"])
    assert close(api, f"/analyses/{analysis}/files", ticket).is_success
    api.put_form(f"/sessions/{session}/analyses/{analysis}/files", ("g", b"y"))
    assert list(api.state.get(analysis).files) == ["f", "g"]


def test_sites_without(make_api: Callable[..., Api]) -> None:
    api = make_api(storage=None)
    config = api.ok("GET", "/config")
    assert not config["signed_url"]
    assert not config["features"]["signed_url"]
    place = f"/projects/{api.tree()['project']}/files"
    api.refused(400, "POST", f"{place}?ticket=", {"filenames": ["f"]})
    api.refused(400, "POST", "/upload/signed-url", {"provider_id": "x"})


def test_another_host(make_api: Callable[..., Api]) -> None:
    api = make_api(storage_host="localhost")
    place, ticket = start(api)
    assert httpx.URL(ticket["urls"]["f"][0]).host == "localhost"
    put_all(api, ticket)
    assert close(api, place, ticket).is_success


@pytest.mark.parametrize("options", [{}, {"part_bytes": 300_000}, {"storage": "s3", "part_bytes": 300_000}])
def test_by_uuid(make_api: Callable[..., Api], options: Any) -> None:
    api = make_api(**options)
    project = api.tree()["project"]
    made = api.ok("POST", "/upload/signed-url", {"provider_id": "p", "size": len(CONTENT)})
    urls = made["upload_urls"]
    size = -(-len(CONTENT) // len(urls))
    parts = [CONTENT[n * size : (n + 1) * size] for n in range(len(urls))]
    answers = [api.put(url, part, made["upload_headers"]) for url, part in zip(urls, parts, strict=True)]
    assert all(answer.is_success for answer in answers)
    if "s3_multipart_upload_id" in made:
        complete = {"provider_id": "p", "uuid": made["uuid"], "upload_id": made["s3_multipart_upload_id"]}
        api.refused(400, "POST", "/upload/complete-s3-multipart", {**complete, "etags": []})
        tags = [answer.headers["etag"] for answer in answers]
        assert api.ok("POST", "/upload/complete-s3-multipart", {**complete, "etags": tags})["uuid"] == made["uuid"]
    parent, origin = {"type": "project", "id": project}, {"type": "user", "id": "u"}
    body = {"provider_id": "p", "uuid": made["uuid"], "name": "f", "parent_ref": parent, "origin": origin}
    api.refused(400, "POST", "/files", {**body, "size": 1})
    assert api.ok("POST", "/files", {**body, "size": len(CONTENT)})["upsert_result"] == "created"
    assert api.send("GET", f"/projects/{project}/files/f").content == CONTENT
    api.refused(404, "POST", "/files", {**body, "size": len(CONTENT)})


def test_giving_up(api: Api) -> None:
    made = api.ok("POST", "/upload/signed-url", {"provider_id": "p"})
    api.put(made["upload_urls"][0], b"x")
    body = {"provider_id": "p", "uuid": made["uuid"]}
    assert api.send("POST", "/upload/signed-url/cleanup", body).status_code == 204
    api.refused(404, "POST", "/upload/signed-url/cleanup", body)
    assert api.put(made["upload_urls"][0], b"x").status_code == 403


def test_files_that_are_not_kept(make_api: Callable[..., Api]) -> None:
    api = make_api(keep_files=False)
    place, ticket = start(api)
    put_all(api, ticket)
    (row,) = close(api, place, ticket).json()
    assert (row["size"], row["hash"]) == (len(CONTENT), None)
    assert "not to keep" in api.refused(404, "GET", f"{place}/f")
