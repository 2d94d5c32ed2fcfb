"""Scripts of the pages about moving over: as they are, and with the imports that they had before, by the official client."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from asyncclient.testing import serve
from tests.docs.conftest import EXAMPLES
from tests.emulator_lfview.test_official_lfview import Served
from tests.support.official import official_environment, official_lfview

WAS = re.compile(r"^.*  # was: (.*)$", re.MULTILINE)


def before(name: str, folder: Path) -> Path:
    """Write a script as it was with the official client."""
    text, count = WAS.subn(r"\1", (EXAMPLES / name).read_text("utf-8"))
    assert count
    assert "asyncclient" not in text
    path = folder / "before.py"
    path.write_text(text, "utf-8")
    return path


def run(python: str, script: Path, *arguments: object, env: dict[str, str]) -> str:
    command = [python, str(script), *map(str, arguments)]
    done = subprocess.run(command, env=env, capture_output=True, text=True, timeout=100)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.parametrize("name", ["moving/las_script.py", "moving/lfview_script.py", "flywheel_project.py"])
def test_only_imports_change(name: str) -> None:
    text = (EXAMPLES / name).read_text("utf-8")
    assert text.count("asyncclient") == len(WAS.findall(text)) > 0


@pytest.mark.official
def test_las(tmp_path: Path, request: pytest.FixtureRequest) -> None:
    script, invoice = EXAMPLES / "moving/las_script.py", tmp_path / "invoice.pdf"
    invoice.write_bytes(b"%PDF-1.4\n" + bytes(5000))
    with serve("las", tls=True) as server:
        assert server.ca_file is not None
        given = server.credentials() | {"auth_endpoint": server.url.removeprefix("https://")}
        env = {**os.environ, **{f"LAS_{name.upper()}": value for name, value in given.items()}}
        env |= {"HOME": str(tmp_path), "SSL_CERT_FILE": server.ca_file, "REQUESTS_CA_BUNDLE": server.ca_file}
        seen = run(sys.executable, script, invoice, env=env)
        python = official_environment(request, "las", "ASYNCCLIENT_OFFICIAL_LAS_PYTHON", "lucidtech-las==11.4.1")
        assert run(python, before("moving/las_script.py", tmp_path), invoice, env=env) == seen
    assert seen == "application/pdf 5009 bytes\n[]\n"


@pytest.mark.official
def test_lfview(served: Served, tmp_path: Path, request: pytest.FixtureRequest) -> None:
    env = {**served.environment(tmp_path), "SSL_CERT_FILE": str(served.ca_file)}
    seen = run(sys.executable, EXAMPLES / "moving/lfview_script.py", "good-key", env=env)
    assert seen == "Drill holes ['Collars'] 3\n"
    assert run(official_lfview(request), before("moving/lfview_script.py", tmp_path), "good-key", env=env) == seen


@pytest.mark.official
def test_flywheel(tmp_path: Path, request: pytest.FixtureRequest) -> None:
    scan = tmp_path / "T1.nii"
    scan.write_bytes(bytes(5000))
    python = official_environment(request, "flywheel", "ASYNCCLIENT_OFFICIAL_FLYWHEEL_PYTHON", "flywheel-sdk==20.0.0")
    seen = []
    for program, script in (
        (sys.executable, EXAMPLES / "flywheel_project.py"),
        (python, before("flywheel_project.py", tmp_path)),
    ):
        with serve("flywheel", tls=True) as server:
            env = {**os.environ, "FW_SSL_CERT_FILE": str(server.ca_file), "REQUESTS_CA_BUNDLE": str(server.ca_file)}
            found = run(program, script, server.credentials()["api_key"], scan, tmp_path / "copy", env=env)
        seen.append(re.sub(r"[0-9a-f]{24}", "<id>", found))
        assert (tmp_path / "copy").read_bytes() == scan.read_bytes()
    assert seen[0] == seen[1] == "<id> Study\nT1.nii 5000\n"
