"""The unchanged official client works against the emulator, and ours does the same session in its place.

What they did is looked at from the outside. The official client lives in a virtual environment of its own: the one whose interpreter ``ASYNCCLIENT_OFFICIAL_FLYWHEEL_PYTHON``
names, or one that is made on first use in pytest's cache.
"""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from asyncclient import __version__
from asyncclient.testing import Server, serve
from asyncclient.testing.flywheel.tables import Container
from tests.emulator_flywheel.conftest import description, router
from tests.support.official import official_environment

CLIENT = "flywheel-sdk==20.0.0"
OURS = {"OFFICIAL_FLYWHEEL_MODULE": "asyncclient.flywheel", "OFFICIAL_FLYWHEEL_PACKAGE": "asyncclient"}
SCRIPT = Path(__file__).with_name("official_flywheel.py")
STEPS = [
    *("login", "tree", "upload", "versions", "find", "update", "permissions", "file facts", "resolve", "download"),
    *("zip members", "archives", "analysis", "gears", "views", "collections", "placed by label", "drone", "described"),
    "delete",
]
SETTINGS: dict[str, dict[str, Any]] = {
    "parts over TLS": {"tls": True, "storage": "s3", "part_bytes": 300_000},
    "forms": {"storage": None, "task_manager": False},
    "Google, redirects, a long key": {
        "tls": True,
        "storage": "google",
        "secret": "k" * 57,
        "redirect_downloads": True,
        "storage_host": "localhost",
    },
    "plain": {"part_bytes": 300_000},
}


class Session:
    """What a client did in one setting: the official one, or ours, whose name is all that differs in the script."""

    def __init__(self, python: str, server: Server, home: Path, *, ours: bool = False) -> None:
        self.state = server.state
        command = [python, "-I", "-W", "ignore", str(SCRIPT)]
        environment = _environment(server, home) | (OURS if ours else {})
        done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=100)
        assert done.returncode == 0, done.stderr
        self.report: dict[str, Any] = json.loads(done.stdout)

    def container(self, name: str) -> Container:
        found: Container = self.state.containers[self.report["ids"][name]]
        return found

    def sent(self, operation: str) -> list[Any]:
        return [request for request in self.state.requests if request.operation == operation]


def _environment(server: Server, home: Path) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.lower().endswith("_proxy")}
    authority = {} if server.ca_file is None else {"REQUESTS_CA_BUNDLE": server.ca_file}
    return (
        kept
        | authority
        | {
            "HOME": str(home),
            "OFFICIAL_FLYWHEEL_KEY": server.credentials()["api_key"],
            "OFFICIAL_FLYWHEEL_DRONE_SECRET": server.state.options.drone_secret,
        }
    )


@pytest.fixture(scope="module")
def official_python(request: pytest.FixtureRequest) -> str:
    """The interpreter of an environment that has the official package."""
    return official_environment(request, "flywheel", "ASYNCCLIENT_OFFICIAL_FLYWHEEL_PYTHON", CLIENT)


CLIENTS = [pytest.param("official", marks=pytest.mark.official), "ours"]


@pytest.fixture(scope="module", params=list(SETTINGS))
def setting(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module", params=CLIENTS)
def session(
    request: pytest.FixtureRequest, setting: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Session]:
    ours = request.param == "ours"
    python = sys.executable if ours else request.getfixturevalue("official_python")
    with serve("flywheel", **SETTINGS[setting]) as server:
        made = Session(python, server, tmp_path_factory.mktemp("home"), ours=ours)
        made.report["setting"] = setting
        made.report["ours"] = ours
        yield made


def test_every_step(session: Session) -> None:
    assert session.report["version"] == (__version__ if session.report["ours"] else "20.0.0")
    assert session.report["steps"] == STEPS
    assert session.report["errors"] == {}
    assert len(session.state.counters) > 90


def test_contents(session: Session) -> None:
    """The contents the server holds are those the client had, byte by byte."""
    acquisition, digests = session.container("acquisition"), session.report["digests"]
    project = session.container("project")
    for name, container in (("dåta.txt", acquisition), ("large.nii.gz", acquisition), ("protocol.pdf", project)):
        newest = container.series(name).version(None)
        assert newest.content.hash == f"v0-sha384-{digests[name]}", name
    analysis = session.container("analysis")
    assert analysis.series("large.nii.gz").version(None).content.hash == f"v0-sha384-{digests['large.nii.gz']}"
    assert hashlib.sha384(b"0123456789").hexdigest() in str(acquisition.series("dåta.txt").versions[0].content.hash)


def test_how_it_was_uploaded(session: Session) -> None:
    puts, setting = session.sent("put_signed"), session.report["setting"]
    assert all("authorization" not in put.headers for put in puts)
    sizes = Counter(put.size_bytes for put in puts)
    if setting == "forms":
        assert not puts
        assert any(request.headers["content-type"].startswith("multipart/") for request in session.state.requests)
    elif setting == "Google, redirects, a long key":
        assert sizes[1_000_000] == 2  # to the acquisition and to the analysis
        assert session.sent("get_signed")
    else:
        assert sizes[250_000] == 8


def test_how_it_logged_in(session: Session) -> None:
    schemes = {request.headers.get("authorization") for request in session.sent("get_project")}
    assert schemes == {"Bearer" if "long key" in session.report["setting"] else "scitran-user"}
    (device,) = session.state.devices.values()
    assert (device["method"], device["name"]) == ("reaper", "scanner-1")


def test_what_is_left(session: Session) -> None:
    state = session.state
    assert [row.label for row in state.of_kind("session")] == ["Visit 1", "Visit 3"]
    assert [row.id for row in state.of_kind("group")] == ["lab"]
    assert sorted(row.label for row in state.of_kind("acquisition")) == ["T1w", "scan", "slices"]
    assert not state.uploads


def test_answers_fit_the_description(session: Session) -> None:
    """The official client reads leniently; no request of it was refused as unknown."""
    known = {route.operation.id for route in router().routes} | {"put_signed", "get_signed"}
    assert set(session.state.counters) <= known
    assert not [request for request in session.state.requests if request.status in (405, 415, 500)]
    assert len(description()["paths"]) > 300


@pytest.mark.official
def test_failures_are_noticed(official_python: str, tmp_path: Path, make_serve: Callable[..., Server]) -> None:
    server = make_serve(storage="s3")
    server.state.fail_next(403, times=None, method="PUT", path="/signed/*")
    made = Session(official_python, server, tmp_path)
    assert {"upload", "versions", "analysis"} <= {*made.report["errors"]}


@pytest.fixture
def make_serve(asyncclient_serve: Callable[..., Server]) -> Callable[..., Server]:
    return lambda **options: asyncclient_serve("flywheel", **options)
