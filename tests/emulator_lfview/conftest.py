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
from asyncclient.testing._schema import Validator
from asyncclient.testing.lfview import LfviewState
from asyncclient.testing.lfview.kinds import SCHEMAS

DESCRIPTION = Path(__file__).parents[2] / "asyncclient" / "lfview" / "openapi.json"
P = "/api/v1/project/org1/proj1"
V = "/api/v1/view/org1/proj1"

Json = dict[str, Any]

_CONTEXT = ssl.create_default_context()  # one for all: to make one takes longer than most tests


def description() -> Json:
    loaded: Json = json.loads(DESCRIPTION.read_text("utf-8"))
    return loaded


class Answers:
    """Checks resources as the emulator shows them."""

    def __init__(self) -> None:
        self._schemas = {name: schema_of(part) for name, part in description()["components"]["schemas"].items()}
        self._validator = Validator(self._schemas)

    def check(self, answer: Json) -> None:
        kind = answer["type"]
        known = self._schemas[SCHEMAS[kind]]["properties"]
        own = {name: value for name, value in answer.items() if name in known}
        if "/api/v1/view/" in answer["links"]["self"] and kind == "views":
            assert "elements" not in own
            own["elements"] = []
        for value, schema in ((own, SCHEMAS[kind]), (answer, "service_Resource")):
            problem = self._validator.problem(value, {"$ref": schema}, kind)
            assert problem is None, problem
        assert all(url.startswith("http") for url in answer["links"].values())


class Api:
    """An httpx client with a key."""

    def __init__(self, url: str, state: LfviewState | None, key: str | None, answers: Answers) -> None:
        headers = {} if key is None else {"Authorization": f"bearer {key}"}
        self.http = httpx.Client(base_url=url, headers=headers, verify=_CONTEXT)
        self.plain = httpx.Client(verify=_CONTEXT)  # for contents, which no key is sent to
        self.url = url
        self._state = state
        self._answers = answers

    @property
    def state(self) -> LfviewState:
        assert self._state is not None
        return self._state

    def send(self, method: str, path: str, body: Any = None) -> httpx.Response:
        response = self.http.request(method, path, json=body) if body is not None else self.http.request(method, path)
        if response.is_success and response.content and "/api/v1/" in str(response.url):
            answer = response.json()
            if "type" in answer:
                self._answers.check(answer)
        return response

    def ok(self, method: str, path: str, body: Any = None) -> Any:
        response = self.send(method, path, body)
        assert response.is_success, response.text
        return response.json() if response.content else None

    def refused(self, status: int, method: str, path: str, body: Any = None) -> str:
        response = self.send(method, path, body)
        assert response.status_code == status, response.text
        assert list(response.json()) == ["message"]
        return str(response.json()["message"])

    def put(self, location: str, content: bytes, content_range: str | None, **headers: str) -> httpx.Response:
        """Send a chunk as an upload session wants it: without any key."""
        fields = {"Content-Type": "application/octet-stream", **headers}
        if content_range is not None:
            fields["Content-Range"] = content_range
        url = httpx.URL(self.url).join(location)
        return self.plain.put(url, content=content, headers=fields)

    def close(self) -> None:
        self.http.close()
        self.plain.close()

    # Resources of one kind each, as small as they can be.

    def array(self, shape: list[int] | None = None, dtype: str = "Float64Array", **more: Any) -> Json:
        shape = [3, 3] if shape is None else shape
        size = 8 if dtype == "Float64Array" else 4
        for length in shape:
            size *= length
        body = {"shape": shape, "dtype": dtype, "content_length": size, "content_type": "application/octet-stream"}
        made: Json = self.ok("POST", f"{P}/files/array", {**body, **more})
        return made

    def image(self, length: int = 4) -> Json:
        made: Json = self.ok("POST", f"{P}/files/image", {"content_type": "image/png", "content_length": length})
        return made

    def points(self, vertices: Json | None = None, **more: Any) -> Json:
        url = (vertices or self.array())["links"]["self"]
        made: Json = self.ok("POST", f"{P}/elements/pointset", points_body(url, **more))
        return made

    def view(self, *elements: Json, contents: tuple[str, ...] = (), **more: Any) -> Json:
        urls = [element["links"]["self"] for element in elements]
        body = {"contents": [*contents, *urls], "elements": urls, **more}
        made: Json = self.ok("POST", f"{P}/views", body)
        return made


def points_body(vertices: str, **more: Any) -> Json:
    return {"vertices": vertices, "data": [], "defaults": options(size={"value": 10.0}, shape="square"), **more}


def options(**more: Any) -> Json:
    return {"visible": True, "opacity": {"value": 1.0}, "color": {"value": "#FF0000"}, **more}


def slide_body(*elements: str, **more: Any) -> Json:
    views = [options(size={"value": 10.0}, shape="square", element=url) for url in elements]
    plot = {
        "position": [0, 0, 0],
        "scale": [1, 1, 1],
        "rotation": [0, 0, 0, 1],
        "lims": [[0, 1], [0, 1], [0, 1]],
        "exaggeration": [1, 1, 1],
        "slice_groups": [],
        "measurements": [],
        "views": views,
    }
    camera = {
        "mode": "perspective",
        "target": [0, 0, 0],
        "radius": 5,
        "zoom": 1,
        "rotation": [0, 0, 0, 1],
        "up_direction": [0, 0, 1],
    }
    plane = {"origin": [0, 0, 0], "axis_u": [1, 0, 0], "axis_v": [0, 1, 0]}
    scene = {"camera": camera, "plots": [plot], "lights": []}
    return {"scene": scene, "annotation_plane": plane, "annotations": [], **more}


@pytest.fixture(scope="session")
def answers() -> Answers:
    return Answers()


@pytest.fixture
def make_api(asyncclient_serve: Callable[..., Server], answers: Answers) -> Iterator[Callable[..., Api]]:
    """A function that serves an emulator with these options and gives a client of its first user."""
    made: list[Api] = []

    def make(**options: Any) -> Api:
        server = asyncclient_serve("lfview", **options)
        state = None if options.get("process") else server.state
        made.append(Api(server.url, state, server.credentials()["api_key"], answers))
        return made[-1]

    yield make
    for api in made:
        api.close()


@pytest.fixture
def api(make_api: Callable[..., Api]) -> Api:
    return make_api()


@pytest.fixture
def as_user(api: Api, answers: Answers) -> Iterator[Callable[..., Api]]:
    """A function that gives a client with another key, or without any."""
    made: list[Api] = []

    def use(key: str | None, project: str = "proj2") -> Api:
        if key is not None:
            api.state.add_user(key, key.removesuffix("-key"), organization="org1", project=project)
        made.append(Api(api.url, api.state, key, answers))
        return made[-1]

    yield use
    for client in made:
        client.close()
