"""No secret in what other processes write or leave behind: commands with ``--debug``, the demo, a process that is killed."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from asyncclient import testing
from asyncclient.sticky_pi.server import create_app
from tests.observability.sessions import MIB, marked
from tests.observability.tap import Tap, tapped
from tests.observability.witness import Witness

pytestmark = pytest.mark.slow

COMMANDS = {
    "las": ["las", "api", "documents", "list_documents"],
    "lfview": ["lfview", "upload", "holes.csv"],
    "voxel51": ["voxel51", "data", "list"],
    "flywheel": ["flywheel", "ls"],
    "sticky_pi": ["sticky-pi", "users"],
}
PLACES = ("HOME", "XDG_STATE_HOME", "XDG_CACHE_HOME", "ASYNCCLIENT_STATE_DIR")


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in PLACES:
        monkeypatch.setenv(name, str(tmp_path / name.lower()))
    monkeypatch.chdir(tmp_path)
    (tmp_path / "holes.csv").write_text("x,y,z,grade\n0,0,0,1.5\n1,2,3,2.5\n")
    return tmp_path


@contextmanager
def served(service: str, secret: str, folder: Path) -> Iterator[tuple[Tap, dict[str, str]]]:
    """Yield a service whose key is the secret, and the variables that give it to a command."""
    if service == "sticky_pi":
        conf = {
            "SECRET_API_KEY": marked("server"),
            "LOCAL_DIR": str(folder / "server"),
            "API_ADMIN_NAME": "admin",
            "API_ADMIN_PASSWORD": secret,
        }
        with tapped(create_app(conf), lifespan=True) as tap:
            yield tap, {"STICKY_PI_HOST": tap.url, "STICKY_PI_PASSWORD": secret}
        return
    name = {"las": "client_secret", "lfview": "api_key", "voxel51": "private_key", "flywheel": "secret"}[service]
    emulator = testing.app(service, **{name: secret})
    with tapped(emulator) as tap:
        given = emulator.credentials(tap.url)
        variables = {
            "las": {f"LAS_{name.upper()}": value for name, value in given.items()},
            "lfview": {f"LFVIEW_{name.upper()}": given[name] for name in ("api_key", "discovery_url") if name in given},
            "voxel51": {"VOXEL51_API_PRIVATE_KEY": secret, "VOXEL51_API_BASE_URL": tap.url},
            "flywheel": {"FLYWHEEL_API_KEY": given.get("api_key", "")},
        }
        yield tap, variables[service]


def run(command: list[str], **variables: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "asyncclient.cli", *command],
        env={**os.environ, **variables},
        capture_output=True,
        text=True,
        timeout=300,
    )


def assert_no_leak(folder: Path, texts: dict[str, str], secrets: set[str]) -> None:
    witness = Witness()
    witness.folders.append(folder)
    witness.texts += list(texts.items())
    leaks = witness.leaks(secrets)
    assert not leaks, "\n".join(sorted({f"{leak.where} ({leak.form}): {leak.around!r}" for leak in leaks})[:40])


@pytest.mark.parametrize("status", [None, 401, 500])
@pytest.mark.parametrize("service", COMMANDS)
def test_commands_with_debug(service: str, status: int | None, home: Path) -> None:
    secret = marked("command")
    with served(service, secret, home / "elsewhere") as (tap, variables):
        tap.echo = status
        before = len(tap.seen)
        done = run([*COMMANDS[service], "--debug", "--max-retries", "1"], **variables, PYTHONASYNCIODEBUG="1")
        assert len(tap.seen) > before, "the service was never asked"
    assert (done.returncode == 0) is (status is None), done.stderr
    assert "asyncclient" in done.stderr
    assert " DEBUG " in done.stderr
    assert secret in tap.secrets or status is not None
    assert_no_leak(home, {"stdout": done.stdout, "stderr": done.stderr}, {secret, *tap.secrets})


def test_debug_and_the_variable_write_every_line_once(home: Path) -> None:
    with served("las", marked("command"), home) as (_, variables):
        done = run([*COMMANDS["las"], "--debug"], ASYNCCLIENT_LOG="debug", **variables)
    lines = [line for line in done.stderr.splitlines() if "list_documents: 200" in line]
    assert len(lines) == 1, done.stderr


@pytest.mark.parametrize("service", COMMANDS)
def test_a_command_that_waits_says_so_once(service: str, home: Path) -> None:
    with served(service, marked("command"), home) as (tap, variables):
        tap.echo, tap.after = 503, 0
        command = [*COMMANDS[service], "--max-retries", "2"]
        loud = run(command, **variables)
        quiet = run([*command, "--quiet"], **variables)
        for_programs = run([*command, "--json"], **variables)
    said = [line for line in loud.stderr.splitlines() if "trying again" in line]
    assert len(said) == 1, loud.stderr
    assert re.match(r"asyncclient: .+: 503; trying again \(said once; --debug shows all\)", said[0])
    assert "trying again" not in quiet.stderr
    assert json.loads(for_programs.stderr)["error"]


def test_the_demo(home: Path) -> None:
    """Its page, its JSON and whatever it says: no key of its servers, nothing that looks like a signature or a token."""
    page = home / "report.html"
    done = run(["demo", "--size", "small", "--html", str(page), "--json"])
    assert done.returncode == 0, done.stderr
    texts = {"page": page.read_text("utf-8"), "stdout": done.stdout, "stderr": done.stderr}
    assert json.loads(done.stdout)
    known = set()
    for service in ("las", "lfview", "voxel51", "flywheel"):
        emulator = testing.app(service)
        given = emulator.credentials("http://service.invalid")
        known |= {value for name, value in given.items() if re.search("secret|key", name)}
        emulator.close()
    for where, text in texts.items():
        for secret in known:
            assert secret not in text, f"{where}: {secret}"
            assert secret.rpartition(":")[2] not in text, f"{where}: {secret}"
        found = re.search(r"Bearer |X-Amz-|Signature=|[?&]sig=|ticket=|access_token|scitran-user|eyJ[\w-]{8}", text)
        assert found is None, f"{where}: {text[found.start() - 40 : found.end() + 40] if found else ''}"


CHILD = """
import sys
from asyncclient import flywheel, testing
client = flywheel.Client(sys.argv[1])
if sys.argv[2] == "up":
    client.upload_file_to_project(sys.argv[3], sys.argv[4])
else:
    client.download_file_by_ticket(sys.argv[3], "scan.dcm", sys.argv[4])
"""


def part_files(folder: Path) -> list[Path]:
    return [path for path in folder.iterdir() if path.name.endswith(".part")]


@pytest.mark.parametrize("way", ["up", "down"])
def test_what_a_killed_process_leaves_behind(way: str, home: Path) -> None:
    """A journal and a part file, without keys, tickets and signatures."""
    from asyncclient import flywheel

    secret = marked("killed")
    emulator = testing.app("flywheel", secret=secret, redirect_downloads=True, storage_host="localhost")
    (home / "scan.dcm").write_bytes(os.urandom(MIB) * 24)
    with tapped(emulator) as tap:
        key = emulator.credentials(tap.url)["api_key"]
        with flywheel.Client(key) as client:
            client.add_group({"_id": "lab", "label": "Lab"})
            project: Any = client.add_project({"group": "lab", "label": "Study"})
            client.upload_file_to_project(project, home / "scan.dcm")
        tap.hold, tap.after = threading.Event(), 6 if way == "up" else 5
        place = home / "scan.dcm" if way == "up" else home / "back.dcm"
        command = [sys.executable, "-c", CHILD, key, way, str(project), str(place)]
        environment = {**os.environ, "ASYNCCLIENT_LOG": "debug"}
        child = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        try:
            while (tap.after >= 0 or (way == "down" and not part_files(home))) and child.poll() is None:
                time.sleep(0.01)
            assert child.poll() is None, child.communicate()
        finally:
            child.send_signal(signal.SIGKILL)
            out, err = child.communicate()
            tap.hold.set()
    left = [path.name for path in (home / "asyncclient_state_dir").rglob("*") if path.is_file()]
    assert way == "up" or (left and part_files(home)), "nothing was left, so nothing was looked at"
    assert secret in tap.secrets
    assert_no_leak(home, {"stdout": out, "stderr": err}, {secret, *tap.secrets})
