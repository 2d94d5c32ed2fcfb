"""What the tests of the emulators share: a small client that checks every answer against the description."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest

from asyncclient.testing import Server
from tests.emulator.answers import Answers

FORM = {"content-type": "application/x-www-form-urlencoded"}


class Api:
    """An httpx client that is signed in to an emulator."""

    def __init__(self, server: Server, answers: Answers) -> None:
        self.server = server
        self.state = server.state
        self._answers = answers
        self.http = httpx.Client(base_url=server.url, verify=server.ca_file or True)
        self.sign_in()

    def token(self, client_id: str | None = None, secret: str | None = None, **kwargs: Any) -> httpx.Response:
        given = self.server.credentials()
        auth = (client_id or given["client_id"], secret or given["client_secret"])
        query = {"grant_type": "client_credentials"}
        return self.http.post("/token", **{"params": query, "auth": auth, "headers": FORM, **kwargs})

    def sign_in(self) -> None:
        self.http.headers["authorization"] = f"Bearer {self.token().json()['access_token']}"

    def send(self, method: str, path: str, json: Any = None, **query: Any) -> httpx.Response:
        """Send a request as the official client does."""
        headers = {"content-type": "application/json"}
        response = self.http.request(method, f"/v1{path}", json=json, params=query or None, headers=headers)
        self._answers.check(response)
        return response

    def ok(self, method: str, path: str, json: Any = None, **query: Any) -> Any:
        response = self.send(method, path, json, **query)
        assert response.is_success, response.text
        return response.json() if response.content else None

    def refused(self, status: int, method: str, path: str, json: Any = None, **query: Any) -> str:
        response = self.send(method, path, json, **query)
        assert response.status_code == status, response.text
        return str(response.json()["message"])

    def pages(self, path: str, items: str, **query: Any) -> Iterator[list[Any]]:
        token: str | None = None
        while True:
            page = self.ok("GET", path, **query, **({} if token is None else {"nextToken": token}))
            yield page[items]
            assert page["nextToken"] is None or page["nextToken"] != token
            token = page["nextToken"]
            if token is None:
                return


@pytest.fixture(scope="session")
def answers() -> Answers:
    return Answers()


@pytest.fixture
def make_api(asyncclient_serve: Callable[..., Server], answers: Answers) -> Iterator[Callable[..., Api]]:
    """A function that serves an emulator with these options and signs in to it."""
    made: list[Api] = []

    def make(**options: Any) -> Api:
        made.append(Api(asyncclient_serve("las", **options), answers))
        return made[-1]

    yield make
    for api in made:
        api.http.close()


@pytest.fixture
def api(make_api: Callable[..., Api]) -> Api:
    return make_api()
