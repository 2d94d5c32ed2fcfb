"""What the reference really sent, sent again: the emulator understands all of it, and answers in the same shape."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest

from asyncclient.testing import Server, serve
from asyncclient.testing.voxel51 import Voxel51State
from asyncclient.testing.voxel51.tables import Analytic, Data, Job
from tests.emulator_voxel51.conftest import Answers, Json

CASES = Path(__file__).parents[1] / "wire" / "voxel51.json"
D, A = "5a3f0e7c-1b1d-4d0a-9d8f-2f0c3b1a9e01", "0b9a7c55-9f4e-4b7b-8f57-aa51c0ffee02"
NUMBERS = {A: "1", D: "2", "D": "3"}  # versions of the one analytic
BOUNDARY = "0123456789abcdef0123456789abcdef"

# The recorded answers were written down for each case. Where the emulator's differs in status: what it says, and why.
OTHERWISE = {
    # The documents of these analytics say nothing about them.
    "api.upload_analytic.type_empty_string": (400, "file.info: is required"),
    "app.upload_analytic.type_empty_string": (400, "file.info: is required"),
    "api.upload_analytic.no_extension": (400, "file.info: is required"),
    "cli.analytics_upload": (400, "file.info: is required"),
    # Mistakes of the caller that the reference passes on.
    "api.upload_analytic_image.none_type": (400, "query.type: is required"),
    "api.query_data.duplicates_and_unsupported_search": (400, "search: one of the fields cannot be searched"),
    "api.query_data.full": (400, "search: one of the fields cannot be searched"),
    "api.upload_data.ttl_empty_string": (400, "data_ttl: is not a date"),
    "api.get_data_details.question_mark": (400, "query: 'b' is not known"),
    "api.get_data_details.err_with_query": (400, "query: 'b' is not known"),
    "api.get_data_details.percent": (404, "Data not found"),
    "api.get_data_details.plus_and_colon": (404, "Data not found"),
    "api.get_job_details.percent_trailing": (404, "Job not found"),
    "api.upload_job_request.auto_start_text": (400, "body.auto_start: is not one of True, False"),
    "api.upload_job_request.name_none": (400, "body: 'job_name' is missing"),
    "api.list_data.prefix_base_url": (404, "Not Found"),  # the emulator is at the root of its host
    # Names nobody in particular.
    "app.list_data.inherited_no_user": (400, "x-voxel51-application-user: is required"),
    "app.list_data.inherited_exit_user": (400, "x-voxel51-application-user: is required"),
}
BARE = {  # where the recorded answer is one that no service gives to this
    "api.list_data.ok_missing_key",
    "api.get_data_details.dotdot",
    "api.start_job.json_body_ignored",
}


def recorded() -> Iterator[tuple[str, Json, Json]]:
    for case in json.loads(CASES.read_text("utf-8")):
        for number, request in enumerate(case.get("requests", ())):
            yield f"{case['id']}[{number}]" if number else case["id"], case, request


RECORDED = list(recorded())


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with serve("voxel51", pending_polls=0) as server:
        yield server


@pytest.fixture(scope="module")
def http(server: Server) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=server.url) as client:
        yield client


def plant(state: Voxel51State, request: Json) -> None:
    """Let everything be there that the recorded requests name."""
    state.reset()
    for key in ("cli-key", "k2"):
        state.add_user(key, "user1")
    (application,) = state.applications.values()
    application.users += ["bob", "Jörg"] if "create_user" in request["operation"] else ["alice", "bob", "Jörg"]
    owner = "user:user1"
    username = request["headers_of_interest"].get("x-voxel51-application-user")
    if username is not None:
        owner = application.owner_of(username)
    now = datetime.now(UTC)
    later = now + timedelta(days=3)
    analytics_owner = application.owner if request["path"].startswith("/v1/apps") else owner
    info = {"name": "x", "version": "1", "description": "d", "supports_cpu": True, "supports_gpu": True}
    doc = {"info": info, "inputs": [], "parameters": [], "outputs": []}
    for row_id in (A, D, "D"):
        state.analytics.add(Analytic(row_id, analytics_owner, "a", NUMBERS[row_id], doc, now))
        state.data.add(
            Data(row_id, owner, "clip.mp4", "video/mp4", 1, now, later, blob=state.blobs.put(b"v"), encoding="7bit")
        )
        body = {"analytic": "a", "inputs": {}, "parameters": {}}
        job = state.jobs.add(Job(row_id, owner, "job", state.analytics.get(A), body, now, later, False))
        if request["operation"] not in ("start", "delete", "start_job", "delete_job"):
            state.start_job(job)
        if request["operation"] not in ("kill", "kill_job", "start", "delete", "start_job", "delete_job"):
            state.settle()
        job.archived = request["operation"] in ("unarchive", "unarchive_job")


def body_of(request: Json) -> tuple[bytes, str | None]:
    """Return the body as it was on the wire, and its type."""
    media_type = request["headers_of_interest"].get("content-type")
    if "multipart" in request:
        pieces = []
        for part in request["multipart"]:
            content = base64.b64decode(part["b64"]) if "b64" in part else part.get("text", "x" * part["size"]).encode()
            head = "".join(f"{line}\r\n" for line in part["headers"])
            pieces.append(f"--{BOUNDARY}\r\n{head}\r\n".encode() + content + b"\r\n")
        return b"".join(pieces) + f"--{BOUNDARY}--\r\n".encode(), f"multipart/form-data; boundary={BOUNDARY}"
    if "raw_form" in request:
        return request["raw_form"].encode(), media_type
    if "json" in request:
        return json.dumps(request["json"]).encode(), media_type
    return b"", media_type


def send(http: httpx.Client, request: Json) -> httpx.Response:
    content, media_type = body_of(request)
    headers = {**request["headers_of_interest"]}
    headers.pop("content-type", None)
    if media_type is not None:
        headers["content-type"] = media_type
    target = request["path"] + (f"?{request['raw_query']}" if "raw_query" in request else "")
    return http.request(
        request["method"],
        "/",
        content=content if request["body_framing"] != "none" else None,
        headers=[(name.encode(), text.encode("latin-1")) for name, text in headers.items()],
        extensions={"target": target.encode()},
    )


@pytest.mark.parametrize(("case", "request_"), [row[1:] for row in RECORDED], ids=[row[0] for row in RECORDED])
def test_replayed(case: Json, request_: Json, server: Server, http: httpx.Client, answers: Answers) -> None:
    operation = case["python"]["method"]
    if isinstance(request_.get("json"), dict) and "action" in request_["json"]:
        operation = request_["json"]["action"]
    plant(server.state, {**request_, "operation": operation})
    response = send(http, request_)
    answers.check(response, request_["path"].encode())
    if case["id"] in OTHERWISE:
        assert (response.status_code, response.json()["error"]["message"]) == OTHERWISE[case["id"]]
        return
    assert response.status_code == 200, response.text
    written = case["responses"][case["requests"].index(request_)]
    if written.get("status", 200) == 200 and "json" in written and case["id"] not in BARE:
        assert set(response.json()) >= set(written["json"])


def test_the_exceptions_are_cases() -> None:
    assert set(OTHERWISE) | BARE <= {case["id"] for _, case, _ in RECORDED}
