"""Sites with certificates of their own: the variables that name them, for clients, devices and commands."""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import urlsplit

import anyio
import pytest

from asyncclient import AsyncHub, Hub, flywheel
from asyncclient.cli import main
from asyncclient.errors import ConfigurationError, TLSError
from asyncclient.testing import Server

VARIABLES = ["FW_SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"]
DEVICE = ("drone-secret", "method", "name")


@pytest.fixture
def server(asyncclient_serve: Callable[..., Server], monkeypatch: pytest.MonkeyPatch) -> Server:
    for name in (*VARIABLES, "SSL_CERT_FILE", "SSL_CERT_DIR"):
        monkeypatch.delenv(name, raising=False)
    return asyncclient_serve("flywheel", tls=True)


def place(server: Server) -> tuple[str, int]:
    url = urlsplit(server.url)
    assert url.hostname is not None
    assert url.port is not None
    return url.hostname, url.port


def everybody(server: Server, *, hub: Hub | None = None, own: AsyncHub | None = None) -> list[object]:
    """Return what comes of every way to make a client: who it is."""
    key, (host, port) = server.credentials()["api_key"], place(server)
    options = {} if hub is None else {"hub": hub}
    found: list[object] = []
    with flywheel.Client(key, **options) as client:
        found.append(client.get_auth_status().origin.type)
    with flywheel.create_drone_client(host, *DEVICE, port, **options) as client:
        found.append(client.get_auth_status().origin.type)

    async def work() -> None:
        mine = {} if own is None else {"hub": own}
        async with flywheel.AsyncClient(key, **mine) as client:
            found.append((await client.get_auth_status()).origin.type)
        device = await flywheel.devices.async_drone_client(host, *DEVICE, port, **mine)
        async with device:
            found.append((await device.get_auth_status()).origin.type)
        if own is not None:
            await own.aclose()

    anyio.run(work)
    return found


@pytest.mark.parametrize("variable", VARIABLES)
def test_variables(server: Server, variable: str, monkeypatch: pytest.MonkeyPatch) -> None:
    assert server.ca_file is not None
    monkeypatch.setenv(variable, server.ca_file)
    assert everybody(server) == ["user", "device"] * 2
    monkeypatch.setenv("FLYWHEEL_API_KEY", server.credentials()["api_key"])
    assert main(["flywheel", "ls"]) == 0


def test_which_variable_counts(
    server: Server, asyncclient_serve: Callable[..., Server], monkeypatch: pytest.MonkeyPatch
) -> None:
    other = asyncclient_serve("flywheel", tls=True)
    assert server.ca_file is not None
    assert other.ca_file is not None
    monkeypatch.setenv("FW_SSL_CERT_FILE", server.ca_file)
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", other.ca_file)
    monkeypatch.setenv("CURL_CA_BUNDLE", other.ca_file)
    assert everybody(server) == ["user", "device"] * 2
    monkeypatch.setenv("FW_SSL_CERT_FILE", "")
    with pytest.raises(TLSError):
        everybody(server)
    assert everybody(other) == ["user", "device"] * 2


def test_hubs_bring_their_own_trust(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    assert server.ca_file is not None
    with Hub(verify=server.ca_file) as hub:
        assert everybody(server, hub=hub, own=AsyncHub(verify=server.ca_file)) == ["user", "device"] * 2


def test_without_trust_nobody_is_asked(server: Server) -> None:
    host, port = place(server)
    for make in (
        lambda: flywheel.Client(server.credentials()["api_key"]),
        lambda: flywheel.create_drone_client(host, *DEVICE, port),
    ):
        with pytest.raises(TLSError, match="does not verify"):
            make()
    assert not server.state.requests


def test_a_file_that_is_not_there(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FW_SSL_CERT_FILE", "missing.pem")
    host, port = place(server)
    with pytest.raises(ConfigurationError, match=r"missing\.pem"):
        flywheel.create_drone_client(host, *DEVICE, port)
