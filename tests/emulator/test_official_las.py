"""The unchanged official client works against the emulator, method by method, and every answer fits the description.

The client lives in a virtual environment of its own: the one whose interpreter ``ASYNCCLIENT_OFFICIAL_LAS_PYTHON`` names, or
one that is made on first use in pytest's cache.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import venv
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from asyncclient.testing import app
from asyncclient.testing._runners import Address, Ready, serving
from tests.emulator.answers import Answers, description

pytestmark = pytest.mark.official

VERSION = "11.4.1"
SCRIPT = Path(__file__).with_name("official_las.py")
METHODS = sorted(
    operation["operationId"] for methods in description()["paths"].values() for operation in methods.values()
)


class Checked:
    """An emulator whose answers are checked on their way out."""

    def __init__(self, answers: Answers) -> None:
        self.emulator = app("las")
        self.credentials = self.emulator.credentials
        self.close = self.emulator.close
        self.problems: list[str] = []
        self._answers = answers

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        status, body = 0, b""

        async def checked(message: Any) -> None:
            nonlocal status, body
            status = message.get("status", status)
            body += message.get("body", b"")
            await send(message)

        await self.emulator(scope, receive, checked)
        problem = self._answers.problem(scope["method"], scope["raw_path"], status, body)
        if problem is not None:
            self.problems.append(problem)


@pytest.fixture(scope="module")
def official_python(pytestconfig: pytest.Config, tmp_path_factory: pytest.TempPathFactory) -> str:
    """The interpreter of an environment that has the official client."""
    given = os.environ.get("ASYNCCLIENT_OFFICIAL_LAS_PYTHON")
    if given is not None:
        return given
    cache: pytest.Cache | None = getattr(pytestconfig, "cache", None)  # missing with -p no:cacheprovider
    name = f"official-las-{VERSION}-py{sys.version_info.major}{sys.version_info.minor}"
    folder = tmp_path_factory.mktemp(name) if cache is None else cache.mkdir(name)
    python = folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    finished = folder / "finished"
    if not finished.exists():
        venv.create(folder, clear=True, with_pip=True)
        command = [
            python,
            "-m",
            "pip",
            "install",
            "--quiet",
            "--disable-pip-version-check",
            f"lucidtech-las=={VERSION}",
        ]
        done = subprocess.run(command, capture_output=True, text=True)
        if done.returncode != 0:
            reason = f"lucidtech-las {VERSION} cannot be installed: {done.stderr.strip().splitlines()[-1:]}"
            (pytest.fail if os.environ.get("CI") == "true" else pytest.skip)(reason)
        finished.touch()
    return str(python)


@pytest.fixture(scope="module")
def served(answers: Answers) -> Iterator[tuple[Checked, Ready]]:
    """The checked emulator, served over TLS, which the official client insists on."""
    checked = Checked(answers)
    known: list[Ready] = []
    started = threading.Event()

    def on_ready(ready: Ready) -> None:
        known.append(ready)
        started.set()

    with serving(checked, Address(tls=True), on_ready) as server:
        thread = threading.Thread(target=server.run_until_stopped)
        thread.start()
        assert started.wait(30)
        yield checked, known[0]
        server.stop()
        thread.join()


def run(python: str, ready: Ready, home: Path) -> dict[str, Any]:
    environment = {name: value for name, value in os.environ.items() if not name.lower().endswith("_proxy")}
    environment |= {
        "HOME": str(home),
        "REQUESTS_CA_BUNDLE": str(ready.ca_file),
        "OFFICIAL_LAS_CREDENTIALS": json.dumps(ready.credentials),
    }
    done = subprocess.run([python, "-I", str(SCRIPT)], env=environment, capture_output=True, text=True, timeout=100)
    assert done.returncode == 0, done.stderr
    report: dict[str, Any] = json.loads(done.stdout)
    return report


@pytest.fixture(scope="module")
def report(
    official_python: str, served: tuple[Checked, Ready], tmp_path_factory: pytest.TempPathFactory
) -> dict[str, Any]:
    return run(official_python, served[1], tmp_path_factory.mktemp("home"))


def test_the_version(report: dict[str, Any]) -> None:
    assert report["version"] == VERSION
    assert sorted(report["methods"]) == METHODS
    assert len(METHODS) == 85


@pytest.mark.parametrize("method", METHODS)
def test_method(report: dict[str, Any], method: str) -> None:
    assert report["calls"].get(method, 0) > 0, f"{method} was not called"
    assert method not in report["errors"], report["errors"].get(method)


def test_answers_fit_the_description(report: dict[str, Any], served: tuple[Checked, Ready]) -> None:
    checked, _ = served
    assert checked.problems == []
    assert {*METHODS} <= {*checked.emulator.state.counters}


def test_failures_are_noticed(
    report: dict[str, Any], official_python: str, served: tuple[Checked, Ready], tmp_path: Path
) -> None:
    checked, ready = served
    checked.emulator.state.reset()
    checked.emulator.state.fail_next(404, times=None, path="/roles*")
    assert {"list_roles", "get_role"} <= {*run(official_python, ready, tmp_path)["errors"]}
