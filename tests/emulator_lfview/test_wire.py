"""What the official client was recorded to send is answered as the service was recorded to answer."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from asyncclient.testing.lfview.kinds import SCHEMAS, canonical
from tests.emulator_lfview.conftest import Api

Json = dict[str, Any]

RECORDED: Json = json.loads((Path(__file__).parents[1] / "wire" / "lfview.json").read_text("utf-8"))
CASES: list[Json] = RECORDED["cases"]
FACTS = ("uid", "type", "author", "date_created", "date_modified", "links")

# The recording server did not look where pointers lead.
FOREIGN_POINTERS = {"upload-view-shared-array"}
# The first download in it is of a view that the user does not own.
SHARED = {"download-app-fallback"}
# Answers a test asked the recording server for: (case, number of the exchange).
SCRIPTED = {("upload-errors", 0)}


def content_of(case: Json, request: Json) -> bytes:
    """The body of a chunk: recorded as it is, or as the recipe of the whole content."""
    body = request["body"]
    if "base64" in body:
        return base64.b64decode(body["base64"])
    (generator,) = [item["array"]["generator"] for item in case["resources"].values()]
    assert (generator["kind"], set(generator)) == ("sha256-counter", {"kind", "seed", "length"})
    blocks = (
        hashlib.sha256(generator["seed"].encode() + number.to_bytes(4, "big")).digest()
        for number in range(generator["length"] // 32 + 1)
    )
    start, _, stop = request["headers"]["Content-Range"].removeprefix("bytes ").partition("/")[0].partition("-")
    content = b"".join(blocks)[: generator["length"]][int(start) : int(stop) + 1]
    assert hashlib.sha256(content).hexdigest() == body["sha256"]
    return content


def local(value: Any, url: str) -> Any:
    return json.loads(json.dumps(value).replace("{{base}}", url))


def plant(api: Api, case: Json) -> None:
    """Give the emulator what the recording server had before the case."""
    answers = {item["request"]["path"]: item["response"] for item in case["exchanges"]}
    created = {item["response"]["json"]["links"]["self"] for item in created_in(case)}
    for path, response in answers.items():
        answer = response.get("json", {})
        if answer.get("type") not in SCHEMAS or answer["links"]["self"] in created:
            continue
        body = {name: value for name, value in answer.items() if name not in FACTS}
        if answer["type"] == "views":
            body.setdefault("elements", [url for url in body["contents"] if "/elements/" in url])
        content = answers.get(answer["links"].get("location", "").removeprefix("{{base}}"))
        api.state.add(
            answer["type"],
            local(body, api.url),
            path=api.state.find_view(path).path if api.state.find_view(path) else home_of(path),  # type: ignore[union-attr]
            content=None if content is None else base64.b64decode(content["body_base64"]),
            created=answer["date_created"],
            modified=answer["date_modified"],
        )


def home_of(path: str) -> str:
    """The path in the project service."""
    parts = path.split("/")
    if parts[3] == "view" and len(parts) == 7:
        return f"/api/v1/project/{parts[4]}/{parts[5]}/views/{parts[6]}"
    return canonical(path, "")


def created_in(case: Json) -> Iterator[Json]:
    for item in case["exchanges"]:
        if item["request"]["method"] == "POST" and "links" in item["response"].get("json", {}):
            yield item


def send(api: Api, case: Json, request: Json) -> httpx.Response:
    content = content_of(case, request) if "body" in request else None
    body = local(request["json"], api.url) if "json" in request else None
    headers = {name: value.encode("latin-1") for name, value in request.get("headers", {}).items()}
    url = httpx.URL(api.url + request["path"], params=request.get("query"))
    return api.plain.request(request["method"], url, content=content, json=body, headers=headers)


def check(answer: httpx.Response, recorded: Json, url: str) -> None:
    assert answer.status_code == recorded["status"], answer.text
    if answer.status_code >= 400 or "json" not in recorded:
        if answer.status_code == 200:
            encoded = recorded["headers"].get("Content-Encoding")
            assert answer.headers.get("content-encoding") == encoded
            with_gzip = httpx.Response(
                200,
                headers={} if encoded is None else {"content-encoding": encoded},
                content=base64.b64decode(recorded["body_base64"]),
            )
            assert answer.content == with_gzip.content
        if answer.status_code == 308:
            assert answer.headers["range"] == recorded["headers"]["Range"]
        return
    wanted = local(recorded["json"], url)
    if isinstance(wanted.get("date_created"), str) and wanted["date_created"] in ("x", "2019-01-01T00:00:00Z"):
        del wanted["date_created"], wanted["date_modified"]  # the moment of the recording
    given = answer.json()
    extra = set(given) - set(wanted)
    assert extra <= {"date_created", "date_modified"}
    assert {name: given[name] for name in wanted} == wanted


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["id"])
def test_recorded(make_api: Callable[..., Api], case: Json) -> None:
    api = make_api(check_pointers=case["id"] not in FOREIGN_POINTERS)
    plant(api, case)
    if case["id"] in SHARED:
        api.state.users.clear()
        api.state.add_user("good-key", "user1", organization="org1", project="other")
        api.state.publish("/api/v1/view/org1/proj1/v2")
    for number, item in enumerate(case["exchanges"]):
        if (case["id"], number) in SCRIPTED:
            api.state.fail_next(item["response"]["status"])
        check(send(api, case, item["request"]), item["response"], api.url)


def test_session_start(api: Api) -> None:
    for item in RECORDED["preamble"]:
        check(send(api, {}, item["request"]), item["response"], api.url)


def test_the_foreign_pointer_is_refused_otherwise(api: Api) -> None:
    (case,) = [case for case in CASES if case["id"] in FOREIGN_POINTERS]
    statuses = [send(api, case, item["request"]).status_code for item in case["exchanges"]]
    assert statuses[:-1] == [item["response"]["status"] for item in case["exchanges"][:-1]]
    assert statuses[-1] == 422
