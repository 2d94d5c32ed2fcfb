from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.lfview.playback import Place, serving


@pytest.fixture(scope="session")
def _place() -> Iterator[Place]:
    with serving() as place:
        yield place


@pytest.fixture
def place(_place: Place, monkeypatch: pytest.MonkeyPatch) -> Place:
    """A server that answers with ``place.service``."""
    for name in ("http_proxy", "https_proxy", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
    _place.service = None
    _place.received.clear()
    return _place


@pytest.fixture
def second_place() -> Iterator[Place]:
    """Another server, and so another origin."""
    with serving() as place:
        yield place


@pytest.fixture(autouse=True)
def _state(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> None:
    monkeypatch.setenv("ASYNCCLIENT_STATE_DIR", str(tmp_path_factory.mktemp("state")))
