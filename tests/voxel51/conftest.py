from __future__ import annotations

import os
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from asyncclient import voxel51
from tests.voxel51.wire_server import WireServer, wire_server


@pytest.fixture(scope="session")
def _wire() -> Iterator[WireServer]:
    with wire_server() as server:
        yield server


@pytest.fixture
def wire(_wire: WireServer) -> WireServer:
    _wire.play()
    return _wire


@pytest.fixture
def token(wire: WireServer) -> voxel51.Token:
    return voxel51.Token.from_private_key("user-key-123", wire.origin)


@pytest.fixture
def application_token(wire: WireServer) -> voxel51.ApplicationToken:
    return voxel51.ApplicationToken.from_private_key("app-key-456", wire.origin)


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "home"


@pytest.fixture(autouse=True)
def _own_place(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, home: Path) -> None:
    for name in [name for name in os.environ if name.startswith("VOXEL51_") or name.lower().endswith("_proxy")]:
        monkeypatch.delenv(name)
    home.mkdir()
    (tmp_path / "work").mkdir()
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.chdir(tmp_path / "work")


@pytest.fixture
def utc(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("TZ", "UTC")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()
