"""Benchmarks run and write what they promise; how fast anything is, is not asked here."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[2] / "benchmarks" / "calls.py"


@pytest.mark.parametrize("server", ["asyncio", pytest.param("nginx", marks=pytest.mark.servers)])
def test_calls(server: str, tmp_path: Path) -> None:
    if server == "nginx":
        _need_nginx()
    names = ["asyncclient", "asyncclient, blocking", "aiohttp + orjson", "requests.Session"]
    options = ["--rounds", "1", "--seconds", "0.02", "--concurrency", "1", "16", "--server", server]
    output = tmp_path / "calls.json"
    command = [sys.executable, str(SCRIPT), *options, "--only", *names, "--output", str(output)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=90)
    assert done.returncode == 0, done.stderr
    result = json.loads(output.read_text("utf-8"))
    assert result["server"] == server
    assert sorted(result["calls"]) == sorted(names)
    for found in result["calls"].values():
        assert found["16"]["cpu_us"]["median"] > 0
    assert "of 'aiohttp + orjson' (at most 0.600), 16 at a time" in done.stdout


def test_voxel51(tmp_path: Path) -> None:
    output = tmp_path / "voxel51.json"
    small = ["--files", "20", "--large", "1", "--large-mib", "1", "--rounds", "1", "--folder", str(tmp_path)]
    command = [sys.executable, str(SCRIPT.with_name("voxel51.py")), *small, "--output", str(output)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=90)
    assert done.returncode == 0, done.stderr
    runs = json.loads(output.read_text("utf-8"))["runs"]
    assert sorted(runs) == ["large down", "large up", "small down", "small up"]
    for found in runs.values():
        assert len(found) == 4
        assert all(each["cpu_s"]["median"] > 0 for each in found.values())
    assert "at least 5.0 x of 'requests + toolbelt' in CPU and wall" in done.stdout


def _need_nginx() -> None:
    if shutil.which("nginx", path=f"{os.environ.get('PATH', '')}:/usr/sbin") is None:
        missing = "nginx is not installed; tests/install-servers.sh installs it on Debian"
        if os.environ.get("CI") == "true":
            pytest.fail(missing)
        pytest.skip(missing)
