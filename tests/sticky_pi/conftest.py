"""Fixtures for all tests of Sticky Pi."""

from __future__ import annotations

import os

import pytest


@pytest.fixture(autouse=True)
def _nothing_of_this_machine(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> None:
    """Keep journals in a folder of the test, and what the environment says out of it."""
    monkeypatch.setenv("ASYNCCLIENT_STATE_DIR", str(tmp_path_factory.mktemp("state")))
    for name in [name for name in os.environ if name.lower().endswith("_proxy")]:
        monkeypatch.delenv(name)
