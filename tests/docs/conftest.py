"""Emulators, their credentials where programs look for them, and examples as programs."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from asyncclient.testing import Server
from tests.emulator_lfview.test_official_lfview import served  # noqa: F401  # a fixture
from tests.httpx.conftest import authority, ca_file  # noqa: F401  # fixtures

EXAMPLES = Path(__file__).parents[2] / "docs" / "examples"

RunExample = Callable[..., str]


@pytest.fixture
def environment(asyncclient_las: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    """The emulator's credentials where programs look for them."""
    for name, value in asyncclient_las.credentials().items():
        monkeypatch.setenv(f"LAS_{name.upper()}", value)


@pytest.fixture
def platform(asyncclient_voxel51: Server, monkeypatch: pytest.MonkeyPatch) -> Server:
    """The emulator of the Voxel51 Platform, its keys where programs look for them."""
    given = asyncclient_voxel51.credentials()
    for level, key in (("API", "private_key"), ("APP", "application_key")):
        monkeypatch.setenv(f"VOXEL51_{level}_PRIVATE_KEY", given[key])
        monkeypatch.setenv(f"VOXEL51_{level}_BASE_URL", given["base_api_url"])
    return asyncclient_voxel51


@pytest.fixture
def play(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder to work in, with a state folder and a home of its own."""
    folder = tmp_path / "play"
    folder.mkdir()
    monkeypatch.chdir(folder)
    monkeypatch.setenv("ASYNCCLIENT_STATE_DIR", str(tmp_path / "state"))
    monkeypatch.setenv("HOME", str(tmp_path))
    return folder


@pytest.fixture
def run_example(environment: None) -> RunExample:
    """Run an example as a program that must neither fail nor complain; gives what it printed."""

    def run(name: str, *arguments: object) -> str:
        command = [sys.executable, "-W", "error", str(EXAMPLES / name), *map(str, arguments)]
        done = subprocess.run(command, env=dict(os.environ), capture_output=True, text=True, timeout=60)
        assert done.returncode == 0, done.stderr
        assert done.stderr == ""
        return done.stdout

    return run


def printed(name: str) -> str:
    """Read what a page prints."""
    return (EXAMPLES / name).read_text("utf-8")
