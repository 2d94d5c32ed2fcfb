"""What the tests of this emulator share: a small client that checks every answer against the description."""

from __future__ import annotations

import functools
import json
import ssl
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import httpx
import pytest

from asyncclient._codegen.contract import schema_of
from asyncclient.testing import Server
from asyncclient.testing._contract import segments_of
from asyncclient.testing._schema import Validator
from asyncclient.testing.flywheel import FlywheelState
from asyncclient.testing.flywheel.app import read_router
from asyncclient.testing.flywheel.route import Router

DESCRIPTION = Path(__file__).parents[2] / "asyncclient" / "flywheel" / "openapi.json"
FEATURES = "Safe-Redirect,multipart_signed_url"

Json = dict[str, Any]

_CONTEXT = ssl.create_default_context()  # one for all: to make one takes longer than most tests


@functools.cache
def description() -> Json:
    loaded: Json = json.loads(DESCRIPTION.read_text("utf-8"))
    return loaded


@functools.cache
def router() -> Router:
    return read_router()


def _lenient(schema: Any) -> Any:
    """Leave out what is required: members that are null are not there when answers are checked."""
    if isinstance(schema, list):
        return [_lenient(item) for item in schema]
    if not isinstance(schema, Mapping):
        return schema
    return {key: _lenient(value) for key, value in schema.items() if key not in ("required", "discriminator")}


def _without_nulls(value: Any) -> Any:
    if isinstance(value, list):
        return [_without_nulls(item) for item in value]
    if isinstance(value, dict):
        return {key: _without_nulls(item) for key, item in value.items() if item is not None}
    return value


class Answers:
    """Checks answers: every member is of the type the description says, and at the top none that is required is missing."""

    def __init__(self) -> None:
        schemas = description()["components"]["schemas"]
        self._schemas: Json = {name: schema_of(part) for name, part in schemas.items()}
        # Enumerations are open in answers, says the description.
        lenient = {
            name: {"type": "string"} if "enum" in part else _lenient(part) for name, part in self._schemas.items()
        }
        self._validator = Validator(lenient)
        self._operations: Json = {}
        for methods in description()["paths"].values():
            for item in methods.values():
                self._operations[item["operationId"]] = item["responses"]["200"].get("content", {})

    def check(self, operation: str, answer: Any) -> None:
        content = self._operations[operation]
        if "application/json" not in content:
            return
        schema = schema_of(content["application/json"]["schema"])
        problem = self._validator.problem(_without_nulls(answer), _lenient(schema), operation)
        assert problem is None, problem
        self._required(answer, schema)

    def _required(self, answer: Any, schema: Any) -> None:
        while "$ref" in schema:
            schema = self._schemas[schema["$ref"]]
        if schema.get("type") == "array" and isinstance(answer, list):
            for item in answer:
                self._required(item, schema["items"])
        elif isinstance(answer, dict):
            missing = [name for name in schema.get("required", ()) if name not in answer]
            assert not missing, missing


class Api:
    """An httpx client with a key."""

    def __init__(self, server: Server, state: FlywheelState | None, answers: Answers) -> None:
        key = server.credentials()["api_key"].rpartition(":")[2]
        headers = {"Authorization": f"scitran-user {key}", "x-accept-feature": FEATURES}
        self.http = httpx.Client(base_url=f"{server.url}/api", headers=headers, verify=_CONTEXT)
        self.plain = httpx.Client(verify=_CONTEXT)  # for signed addresses, which no key is sent to
        self.server = server
        self._state = state
        self._answers = answers

    @property
    def state(self) -> FlywheelState:
        assert self._state is not None
        return self._state

    def send(self, method: str, path: str, body: Any = None, **options: Any) -> httpx.Response:
        if body is not None:
            options["json"] = body
        response = self.http.request(method, path, **options)
        if response.status_code == 200 and response.headers.get("content-type", "").startswith("application/json"):
            segments = segments_of(response.request.url.raw_path.partition(b"?")[0])[1:]
            operation = router().find(method, segments).operation.id
            self._answers.check(operation, response.json())
        return response

    def ok(self, method: str, path: str, body: Any = None, **options: Any) -> Any:
        response = self.send(method, path, body, **options)
        assert response.is_success, response.text
        return response.json() if response.content else None

    def refused(self, status: int, method: str, path: str, body: Any = None, **options: Any) -> str:
        response = self.send(method, path, body, **options)
        assert response.status_code == status, response.text
        answer = response.json()
        if status == 422:
            return str(answer["detail"][0]["msg"])
        assert set(answer) == {"message", "status_code", "request_id"}
        return str(answer["message"])

    def close(self) -> None:
        self.http.close()
        self.plain.close()

    # The tree, as small as it can be.

    def make(self, kind: str, **body: Any) -> str:
        made: str = self.ok("POST", f"/{kind}", body)["_id"]
        return made

    def tree(self, label: str = "P") -> dict[str, str]:
        """Make one container of every level and return their ids."""
        if "lab" not in self.state.containers:
            self.make("groups", _id="lab", label="Lab")
        project = self.make("projects", label=label, group="lab")
        subject = self.make("subjects", label="S", project=project)
        session = self.make("sessions", label="E", project=project, subject=subject)
        acquisition = self.make("acquisitions", label="A", session=session)
        ids = {"group": "lab", "project": project, "subject": subject}
        return {**ids, "session": session, "acquisition": acquisition}

    def put_form(self, path: str, *files: tuple[str, bytes], metadata: Any = None, field: str = "file") -> list[Json]:
        """Upload files as a form."""
        parts: list[Any] = [] if metadata is None else [("metadata", (None, json.dumps(metadata)))]
        parts += [(field, (name, content, "application/octet-stream")) for name, content in files]
        shown: list[Json] = self.ok("POST", path, files=parts)
        return shown

    def ticket(self, path: str, name: str, size: int | None = None, **more: Any) -> Json:
        """Ask for an upload ticket."""
        metadata = {"name": name, **({} if size is None else {"size": size}), **more}
        made: Json = self.ok("POST", f"{path}?ticket=", {"metadata": metadata, "filenames": [name]})
        return made

    def put(self, url: str, content: bytes, headers: Mapping[str, str] | None = None) -> httpx.Response:
        return self.plain.put(url, content=content, headers=dict(headers or {}))


@pytest.fixture(scope="session")
def answers() -> Answers:
    return Answers()


@pytest.fixture
def make_api(asyncclient_serve: Callable[..., Server], answers: Answers) -> Iterator[Callable[..., Api]]:
    """A function that serves an emulator with these options and gives a client of its user."""
    made: list[Api] = []

    def make(**options: Any) -> Api:
        server = asyncclient_serve("flywheel", **options)
        made.append(Api(server, server.state, answers))
        return made[-1]

    yield make
    for api in made:
        api.close()


@pytest.fixture
def api(make_api: Callable[..., Api]) -> Api:
    return make_api()
