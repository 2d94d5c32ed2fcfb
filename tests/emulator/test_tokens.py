"""Who gets a token, what it opens, and when it no longer does."""

from __future__ import annotations

import base64
from collections.abc import Callable
from typing import Any

import pytest

from asyncclient.testing._contract import Refusal
from asyncclient.testing.las.tokens import Tokens, read_basic
from tests.emulator.conftest import Api


def test_basic_is_latin_1() -> None:
    header = "Basic " + base64.b64encode("idü:s:3".encode("latin-1")).decode()
    assert read_basic(header) == ("idü", "s:3")
    for wrong in (None, "", "Basic", "Basic ?", "Bearer x", "Basic " + base64.b64encode(b"nocolon").decode()):
        assert read_basic(wrong) is None


def test_a_token_has_an_end() -> None:
    time = [0.0]
    tokens = Tokens(lambda: time[0])
    header = "Bearer " + tokens.issue("me", 10)
    assert tokens.owner(header, expired_status=401) == "me"
    time[0] = 10
    with pytest.raises(Refusal) as refusal:
        tokens.owner(header, expired_status=401)
    assert refusal.value.status == 401


def test_the_answer(api: Api) -> None:
    answer = api.token().json()
    assert (answer["expires_in"], answer["token_type"]) == (3600, "Bearer")
    assert api.http.post("/oauth2/token?grant_type=client_credentials").status_code == 400
    assert api.http.get("/token").status_code == 405


@pytest.mark.parametrize(
    ("kwargs", "status", "error"),
    [
        ({"auth": ("emulator", "wrong")}, 401, "invalid_client"),
        ({"auth": ("nobody", "emulator-secret")}, 401, "invalid_client"),
        ({"auth": ("nobody", "")}, 401, "invalid_client"),
        ({"params": {"grant_type": "password"}}, 400, "unsupported_grant_type"),
        ({"params": {}}, 400, "invalid_request"),
        ({"headers": {"content-type": "application/json"}}, 400, "invalid_request"),
    ],
)
def test_refusals(api: Api, kwargs: dict[str, Any], status: int, error: str) -> None:
    response = api.token(**kwargs)
    assert (response.status_code, response.json()) == (status, {"error": error})


@pytest.mark.parametrize("header", [None, "Bearer", "Bearer x", "Basic x"])
@pytest.mark.parametrize("path", ["/v1/assets", "/fileserver/documents/x"])
def test_without_a_good_token(api: Api, header: str | None, path: str) -> None:
    del api.http.headers["authorization"]
    response = api.http.get(path, headers={} if header is None else {"authorization": header})
    assert (response.status_code, response.json()) == (403, {"message": "Forbidden"})


def test_lifetime(make_api: Callable[..., Api]) -> None:
    api = make_api(token_lifetime_s=0)
    assert api.refused(401, "GET", "/assets") == "Forbidden"


@pytest.mark.parametrize("status", [401, 403])
def test_revoked(make_api: Callable[..., Api], status: int) -> None:
    api = make_api(expired_status=status)
    api.ok("GET", "/assets")
    api.state.revoke_tokens()
    assert api.refused(status, "GET", "/assets") == "Forbidden"
    api.sign_in()
    api.ok("GET", "/assets")


def test_new_app_clients_can_sign_in(api: Api) -> None:
    made = api.ok("POST", "/appClients", {"generateSecret": True, "name": "n"})
    token = api.token(made["clientId"], made["clientSecret"]).json()["access_token"]
    api.http.headers["authorization"] = f"Bearer {token}"
    assert api.ok("POST", "/datasets", {})["createdBy"] == made["appClientId"]
    api.ok("DELETE", f"/appClients/{made['appClientId']}")
    assert api.token(made["clientId"], made["clientSecret"]).status_code == 401


def test_other_credentials(make_api: Callable[..., Api]) -> None:
    api = make_api(client_id="mine", client_secret="its")
    assert api.server.credentials() == {
        "client_id": "mine",
        "client_secret": "its",
        "auth_endpoint": api.server.url,
        "api_endpoint": f"{api.server.url}/v1",
    }
    assert api.token("emulator", "emulator-secret").status_code == 401
