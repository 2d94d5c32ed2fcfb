"""What the tests of this emulator share: a small client that checks every answer against the description."""

from __future__ import annotations

import json
import ssl
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from asyncclient._codegen.contract import schema_of
from asyncclient.testing import Server
from asyncclient.testing._contract import segments_of
from asyncclient.testing._schema import Validator
from asyncclient.testing.voxel51 import Voxel51State
from asyncclient.testing.voxel51.app import read_contract

DESCRIPTION = Path(__file__).parents[2] / "asyncclient" / "voxel51" / "openapi.json"

Json = dict[str, Any]

_CONTEXT = ssl.create_default_context()  # one for all: to make one takes longer than most tests


def description() -> Json:
    loaded: Json = json.loads(DESCRIPTION.read_text("utf-8"))
    return loaded


class Answers:
    """The schemas of all answers."""

    def __init__(self) -> None:
        source = description()
        self._contract = read_contract()
        schemas = {name: schema_of(part) for name, part in source["components"]["schemas"].items()}
        self._validator = Validator(schemas)
        operations = [operation for methods in source["paths"].values() for operation in methods.values()]
        self._schemas = {operation["operationId"]: _answer(operation) for operation in operations}

    def check(self, response: httpx.Response, target: bytes | None = None) -> None:
        raw_path = (target or response.request.url.raw_path).partition(b"?")[0]
        if not raw_path.startswith(b"/v1/") or response.request.method == "HEAD" or response.is_redirect:
            return
        if response.status_code >= 400:
            problem = self._validator.problem(response.json(), {"$ref": "Error"}, "error")
            assert problem is None, problem
            assert response.json()["error"]["code"] == response.status_code
            return
        operation, _ = self._contract.find(response.request.method, segments_of(raw_path)[1:])
        schema = self._schemas[operation.id]
        if schema is None:
            assert response.content == b""
        elif schema != "bytes":
            problem = self._validator.problem(response.json(), schema, operation.id)
            assert problem is None, problem


def _answer(operation: Json) -> Any:
    content = operation["responses"]["200"].get("content")
    if content is None:
        return None
    return schema_of(content["application/json"]["schema"]) if "application/json" in content else "bytes"


class Api:
    """An httpx client with a key."""

    def __init__(self, url: str, state: Voxel51State | None, headers: dict[str, str], answers: Answers) -> None:
        self.http = httpx.Client(base_url=f"{url}/v1", headers=headers, verify=_CONTEXT)
        self.plain = httpx.Client(verify=_CONTEXT)  # for signed URLs, which no key is sent to
        self.url = url
        self._state = state
        self._answers = answers

    @property
    def state(self) -> Voxel51State:
        assert self._state is not None
        return self._state

    def send(self, method: str, path: str, **more: Any) -> httpx.Response:
        response = self.http.request(method, path, **more)
        self._answers.check(response)
        return response

    def ok(self, method: str, path: str, **more: Any) -> Any:
        response = self.send(method, path, **more)
        assert response.status_code == 200, response.text
        return response.json() if response.content else None

    def refused(self, status: int, method: str, path: str, **more: Any) -> str:
        response = self.send(method, path, **more)
        assert response.status_code == status, response.text
        return str(response.json()["error"]["message"])

    def upload(self, content: bytes = b"video", name: str = "clip.mp4", **fields: str) -> Json:
        made: Json = self.ok("POST", "/data", files={"file": (name, content, "video/mp4")}, data=fields)["data"]
        return made

    def job(self, *, data_id: str | None = None, auto_start: str = "False", **request: Any) -> Json:
        data_id = data_id or self.upload()["id"]
        body = {
            "analytic": "voxel51/vehicle-sense",
            "inputs": {"video": {"data-id": data_id}},
            "parameters": {},
            **request,
        }
        made: Json = self.ok("POST", "/jobs", files=job_form(body, auto_start=auto_start))["job"]
        return made

    def states(self, job_id: str, times: int) -> list[str]:
        return [self.ok("GET", f"/jobs/{job_id}")["job"]["state"] for _ in range(times)]

    def batch(self, kind: str, action: str, *ids: str, **more: str) -> Any:
        return self.ok("POST", f"/{kind}/batch", json={"action": action, "ids": list(ids), **more})["responses"]

    def close(self) -> None:
        self.http.close()
        self.plain.close()


def job_form(request: Any, *, name: str = "my job", auto_start: str = "False", **more: str) -> list[tuple[str, Any]]:
    text = request if isinstance(request, bytes) else json.dumps(request)
    parts = {"job_name": name, "auto_start": auto_start, **more}
    return [
        ("file", ("job.json", text, "application/json")),
        *((name, (None, value)) for name, value in parts.items()),
    ]


@pytest.fixture(scope="session")
def answers() -> Answers:
    return Answers()


@pytest.fixture
def make_api(asyncclient_serve: Callable[..., Server], answers: Answers) -> Iterator[Callable[..., Api]]:
    """A function that serves an emulator with these options and gives a client of its user."""
    made: list[Api] = []

    def make(**options: Any) -> Api:
        server = asyncclient_serve("voxel51", **options)
        key = server.credentials()["private_key"]
        made.append(Api(server.url, server.state, {"Authorization": f"Bearer {key}"}, answers))
        return made[-1]

    yield make
    for api in made:
        api.close()


@pytest.fixture
def api(make_api: Callable[..., Api]) -> Api:
    return make_api()


@pytest.fixture
def with_headers(api: Api, answers: Answers) -> Iterator[Callable[..., Api]]:
    """A function that gives a client with these headers instead."""
    made: list[Api] = []

    def use(**headers: str) -> Api:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        made.append(Api(api.url, api.state, named, answers))
        return made[-1]

    yield use
    for client in made:
        client.close()


@pytest.fixture
def app(with_headers: Callable[..., Api]) -> Api:
    """A client of the application, without a user."""
    return with_headers(x_voxel51_application="app-key-456")
