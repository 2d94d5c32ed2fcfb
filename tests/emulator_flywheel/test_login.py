"""Keys, devices, users, the site, options, and the fixture."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from asyncclient.testing import Server, app, services
from asyncclient.testing.flywheel.login import api_key
from asyncclient.testing.flywheel.options import Options
from tests.emulator_flywheel.conftest import Api


@pytest.mark.parametrize(
    ("url", "key"),
    [
        ("https://h.example", "h.example:443:s"),
        ("https://h.example:8443", "h.example:8443:s"),
        ("http://127.0.0.1:8000", "127.0.0.1:8000:__force_insecure:s"),
        ("http://h.example", "h.example:80:__force_insecure:s"),
        ("https://[::1]:1", "[::1]:1:s"),
    ],
)
def test_forms_of_keys(url: str, key: str) -> None:
    assert api_key(url, "s") == key


def test_credentials() -> None:
    assert "flywheel" in services()
    assert app("flywheel").credentials("https://x/") == {"api_key": f"x:443:{Options().secret}"}


@pytest.mark.parametrize(
    ("options", "text"),
    [({"apikey": 1}, "no option"), ({"storage": "tape"}, "storage"), ({"part_bytes": 0}, "part_bytes")],
)
def test_options(options: dict[str, Any], text: str) -> None:
    with pytest.raises(ValueError, match=text):
        app("flywheel", **options)


def test_keys(api: Api) -> None:
    url = f"{api.server.url}/api/auth/status"

    def status(header: str | None) -> int:
        fields = {} if header is None else {b"Authorization": header.encode("latin-1")}
        return api.plain.get(url, headers=fields).status_code

    assert [status(f"{scheme} emulator-key") for scheme in ("scitran-user", "Bearer", "Basic")] == [200, 200, 401]
    assert [status(header) for header in (None, "", "scitran-user", "scitran-user ü", "emulator-key")] == [401] * 5
    assert api.plain.get(f"{api.server.url}/api/config").status_code == 200
    api.state.add_user("second@x", secret="other")
    assert api.plain.get(url, headers={"Authorization": "scitran-user other"}).json()["user_id"] == "second@x"


def test_devices(api: Api) -> None:
    url = f"{api.server.url}/api"
    headers = {"X-SciTran-Auth": "drone-secret", "X-SciTran-Method": "m", "X-SciTran-Name": "n"}
    first, again = (api.plain.get(f"{url}/auth/status", headers=headers).json() for _ in range(2))
    assert first == again
    assert first["is_device"]
    device = api.plain.get(f"{url}/devices/{first['origin']['id']}", headers=headers).json()
    assert api.plain.get(f"{url}/devices/self", headers=headers).json() == device
    with_key = api.plain.get(f"{url}/auth/status", headers={"Authorization": f"scitran-user {device['key']}"})
    assert with_key.json() == first
    assert api.plain.get(f"{url}/auth/status", headers={**headers, "X-SciTran-Auth": "x"}).status_code == 401
    assert [row["_id"] for row in api.ok("GET", "/devices")] == [device["_id"]]
    api.refused(404, "GET", "/devices/unknown")


def test_users(api: Api) -> None:
    body = {"_id": "a@x", "firstname": "A", "lastname": "B"}
    assert api.ok("POST", "/users", body) == {"_id": "a@x"}
    api.refused(409, "POST", "/users", body)
    assert [row["_id"] for row in api.ok("GET", "/users")] == ["a@x", "user@emulator.example"]
    assert api.ok("PUT", "/users/a@x", {"firstname": "C"}) == {"modified": 1}
    assert api.ok("GET", "/users/a@x")["firstname"] == "C"
    assert api.send("DELETE", "/users/a@x").status_code == 204
    api.refused(404, "GET", "/users/a@x")
    assert api.send("PATCH", "/users/self/info", {"set": {"x": 1}}).status_code == 204
    assert api.ok("GET", "/users/self/info") == {"x": 1}


def test_site(make_api: Callable[..., Api]) -> None:
    api = make_api(release="16.7.0", task_manager=False)
    assert api.ok("GET", "/version")["release"] == "16.7.0"
    assert api.ok("GET", "/config")["features"]["task_manager_data_views"] is False
    response = api.send("GET", "/config.js")
    assert response.headers["content-type"].startswith("application/javascript")
    assert response.text.startswith("config = {")


def test_faults(api: Api) -> None:
    api.state.fail_next(503, path="/projects", headers={"Retry-After": "1"})
    response = api.send("GET", "/projects")
    assert (response.status_code, response.headers["retry-after"]) == (503, "1")
    assert set(response.json()) == {"message", "status_code", "request_id"}
    assert api.ok("GET", "/projects") == []
    assert api.state.counters["get_all_projects"] == 2


class TestFixture:
    @pytest.fixture
    def asyncclient_flywheel_options(self) -> dict[str, Any]:
        return {"secret": "mine"}

    def test_fixture(self, asyncclient_flywheel: Server) -> None:
        assert asyncclient_flywheel.credentials()["api_key"].endswith(":mine")
        assert not asyncclient_flywheel.state.requests


def test_in_a_process(asyncclient_serve: Callable[..., Server]) -> None:
    server = asyncclient_serve("flywheel", process=True, storage="s3")
    assert server.url.startswith("http://127.0.0.1:")
