from __future__ import annotations

import asyncio
import os
import pickle
import subprocess
import sys
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from asyncclient import AsyncHub, flywheel
from asyncclient.flywheel._keys import parse_key
from tests.flywheel.conftest import Driver
from tests.flywheel.fake_service import FakeService, Reply

LONG = "k" * 57


@pytest.mark.parametrize(
    ("key", "base", "authorization"),
    [
        ("h:k", "https://h:443/api", b"scitran-user k"),
        ("h:8443:k", "https://h:8443/api", b"scitran-user k"),
        ("h:443:__force_insecure:k", "http://h:443/api", b"scitran-user k"),
        (f"h:{LONG}", "https://h:443/api", f"Bearer {LONG}".encode()),
        ("  h:k\n", "https://h:443/api", b"scitran-user k"),
        ("https://h:443/api:k", "https://h:443/api", b"scitran-user k"),
        ("https://H/:k", "https://h:443/api", b"scitran-user k"),
        ("[::1]:8443:k", "https://[::1]:8443/api", b"scitran-user k"),
        ("http://127.0.0.1:8080:k", "http://127.0.0.1:8080/api", b"scitran-user k"),
        ("http://localhost:k", "http://localhost:80/api", b"scitran-user k"),
        ("h:8443:more:k", "https://h:8443/api", b"scitran-user k"),
        ("h:123456", "https://h:443/api", b"scitran-user 123456"),
    ],
)
def test_forms(key: str, base: str, authorization: bytes) -> None:
    found = parse_key(key)
    assert (f"{found.base.origin}{found.base.path}", found.authorization) == (base, authorization)
    assert "***" in repr(found)


@pytest.mark.parametrize(
    "key",
    [
        "nokey",
        "h:",
        ":k",
        "h::k",
        "h:abc:topsecret",
        "h:99999:topsecret",
        "h:0:topsecret",
        "h:tøpsecret",
        " : ",
        "h:a b",
    ],
)
def test_keys_that_are_none(key: str) -> None:
    with pytest.raises(flywheel.InvalidKey, match="Invalid API key") as caught:
        flywheel.AsyncClient(key)
    assert "secret" not in str(caught.value).replace("host:secret", "").replace(":secret", "").replace("the secret", "")
    assert type(pickle.loads(pickle.dumps(caught.value))) is flywheel.InvalidKey


@pytest.mark.parametrize("key", ["http://example.org:k", "http://10.0.0.1:8080:k", "http://127.0.0.1.example.org:k"])
def test_clear_text_stays_on_this_machine(key: str) -> None:
    with pytest.raises(flywheel.InvalidKey, match="clear text"):
        flywheel.Client(key)


@given(st.text(max_size=30))
def test_any_text_is_a_key_or_refused(text: str) -> None:
    try:
        found = parse_key(text)
    except flywheel.InvalidKey:
        return
    assert found.base.origin.host
    assert found.authorization.isascii()


def test_the_key_is_checked_once(service: FakeService) -> None:
    with flywheel.Client(service.key) as client:
        client.get_project("p")
    assert service.lines == ["GET /auth/status", "GET /projects/p"]
    service.play(Reply({"message": "who?"}, 401))
    with pytest.raises(flywheel.ApiException) as caught:
        flywheel.Client(service.key)
    assert (caught.value.status, caught.value.reason) == (401, "who?")


@pytest.mark.anyio
async def test_a_refused_key_leaves_no_connection_open(service: FakeService, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", "/nowhere/ca.pem")  # has clients make hubs of their own
    made: list[AsyncHub] = []

    class Counted(AsyncHub):
        def __init__(self, **options: Any) -> None:
            super().__init__(**options)
            made.append(self)

    monkeypatch.setattr("asyncclient.flywheel._base.AsyncHub", Counted)
    service.play(Reply({"message": "who?"}, 401), Reply({"message": "who?"}, 401))
    with pytest.raises(flywheel.ApiException, match="who"):
        await asyncio.to_thread(flywheel.Client, service.key)
    with pytest.raises(flywheel.ApiException, match="who"):
        async with flywheel.AsyncClient(service.key):
            pass
    assert [hub.closed for hub in made if hub._loop is not None] == [True, True]  # a hub has a loop once it was used


def test_nothing_repeats_the_key(drive: Driver, service: FakeService) -> None:
    service.play(Reply({"message": "no"}, 403))
    with pytest.raises(flywheel.ApiException) as caught:
        drive("get_project", "p")
    error = pickle.loads(pickle.dumps(caught.value))
    assert (error.status, error.reason, str(error)) == (403, "no", "(403) Reason: no")
    for shown in (repr(drive.client), repr(error), str(error), repr(vars(error))):
        assert "abc" not in shown


def test_timeouts_and_retries_of_the_environment(monkeypatch: pytest.MonkeyPatch, service: FakeService) -> None:
    monkeypatch.setenv("FLYWHEEL_SDK_REQUEST_TIMEOUT", "5")
    monkeypatch.setenv("FLYWHEEL_SDK_CONNECT_TIMEOUT", "2")
    monkeypatch.setenv("FLYWHEEL_SDK_TOTAL_RETRIES", "1")
    client = flywheel.AsyncClient(service.key)
    assert (client._rules.timeouts.read, client._rules.timeouts.connect) == (5.0, 2.0)
    assert client._rules.policy.max_retries == 1
    client = flywheel.AsyncClient(service.key, request_timeout=7)
    assert (client._rules.timeouts.read, client._rules.timeouts.connect) == (7, 2.0)
    monkeypatch.setenv("FLYWHEEL_SDK_REQUEST_TIMEOUT", "soon")
    with pytest.raises(ValueError, match="FLYWHEEL_SDK_REQUEST_TIMEOUT"):
        flywheel.AsyncClient(service.key)


def test_deprecated_options_warn(service: FakeService) -> None:
    with pytest.warns(DeprecationWarning, match="root"):
        client = flywheel.AsyncClient(service.key, root=True)
    assert client._exhaustive
    with pytest.warns(DeprecationWarning, match="skip_version_check"):
        flywheel.AsyncClient(service.key, skip_version_check=True)


def test_certificates_of_the_environment(monkeypatch: pytest.MonkeyPatch, service: FakeService) -> None:
    monkeypatch.setenv("FW_SSL_CERT_FILE", "/nowhere/ca.pem")
    client = flywheel.AsyncClient(service.key)
    assert client._hub._verify == "/nowhere/ca.pem"
    assert client._owns_hub


LIGHT = """
import sys
import asyncclient.flywheel
client = asyncclient.flywheel.{name}(sys.argv[1], disable_auth_check=True)
client.projects_api
found = [name for name in sys.modules if name.startswith("asyncclient.flywheel._generated.models")]
assert not found, found
assert "pydantic" not in sys.modules
assert "httpx" not in sys.modules
"""


@pytest.mark.parametrize("name", ["AsyncClient", "Client"])
def test_importing_and_constructing_loads_no_model(name: str, service: FakeService) -> None:
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", LIGHT.format(name=name), service.key],
        capture_output=True,
        text=True,
        env=dict(os.environ),
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert not service.received
