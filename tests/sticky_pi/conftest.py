"""Fixtures for all tests of Sticky Pi."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from tests.sticky_pi.serving import Running, serving


@pytest.fixture(autouse=True)
def _nothing_of_this_machine(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> None:
    """Keep journals in a folder of the test, and what the environment says out of it."""
    monkeypatch.setenv("ASYNCCLIENT_STATE_DIR", str(tmp_path_factory.mktemp("state")))
    for name in [name for name in os.environ if name.lower().endswith("_proxy")]:
        monkeypatch.delenv(name)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """A server of its own for each file."""
    with serving(tmp_path_factory.mktemp("server")) as running:
        yield running
