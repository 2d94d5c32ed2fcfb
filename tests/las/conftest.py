from __future__ import annotations

import os
import time
from collections.abc import Iterator

import pytest

from asyncclient import las
from tests.las.wire_server import WireServer, wire_server


@pytest.fixture(scope="session")
def _wire() -> Iterator[WireServer]:
    with wire_server() as server:
        yield server


@pytest.fixture
def wire(_wire: WireServer) -> WireServer:
    _wire.play()
    _wire.token_requests.clear()
    _wire.token_script.clear()
    _wire.revoked.clear()
    return _wire


@pytest.fixture
def credentials(wire: WireServer) -> las.Credentials:
    return las.Credentials("id", "secret", wire.origin, f"{wire.origin}/v1")


@pytest.fixture(autouse=True)
def _no_credentials(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> None:
    for name in [name for name in os.environ if name.startswith("LAS_") or name.lower().endswith("_proxy")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(tmp_path_factory.mktemp("home")))


@pytest.fixture
def utc(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("TZ", "UTC")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()
