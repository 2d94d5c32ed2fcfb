"""Benchmarks run and write what they promise; how fast anything is, is not asked here."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[2] / "benchmarks"))

from _results import Result
from _targets import SCRIPTS, TARGETS

pytestmark = pytest.mark.slow

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"

_SMALL = {
    "calls": "--rounds 2 --seconds 0.02 --concurrency 1 16 --server asyncio --only",
    "cancel": "--requests 300",
    "latency": "--rounds 1 --calls 5 --streams 2 --server asyncio",
    "transfers": "--mib 2 --memory-mib 4 --rounds 2",
    "kill_resume": "--runs 1 --mib 12",
    "voxel51": "--files 10 --large 1 --large-mib 1 --rounds 2",
    "flywheel": "--rounds 1 --objects 300 --files 5 --mib 1",
    "sticky_pi": "--images 2 --rounds 1",
}
_CALLS = ("asyncclient", "asyncclient, blocking", "aiohttp + orjson", "httpx.AsyncClient", "requests.Session")
_NEEDS_SERVERS = ("transfers",)


@pytest.mark.parametrize(
    "script", [pytest.param(name, marks=[pytest.mark.servers] * (name in _NEEDS_SERVERS)) for name in SCRIPTS]
)
def test_a_script_writes_what_the_report_reads(script: str, tmp_path: Path) -> None:
    if script in _NEEDS_SERVERS:
        _need_nginx()
    more = _CALLS if script == "calls" else ()
    result, printed = _run(script, tmp_path, *_SMALL[script].split(), *more)
    assert (result.script, result.status, result.profile) == (script, "measured", "custom")
    assert result.series
    assert all(each.rounds == len(each.values) for each in result.series)
    assert {row.target for row in result.rows} == _targets_of(script)
    for row in result.rows:
        assert row.low <= row.ratio <= row.high
        assert f"{row.target}, {row.measure}" in printed
        assert row.note or script in ("calls", "flywheel"), row.target  # smaller than the target is about
    assert result.machine["cpu"]
    assert result.machine["load_end"] >= 0
    assert result.versions["asyncclient"]
    assert str(tmp_path) not in json.dumps(result.to_json())


def _targets_of(script: str) -> set[str]:
    if script == "flywheel" and not os.environ.get("ASYNCCLIENT_OFFICIAL_FLYWHEEL_PYTHON"):
        return set()  # the other side of every comparison is the official client
    return {target.id for target in TARGETS if target.script == script}


@pytest.mark.servers
def test_calls_with_nginx(tmp_path: Path) -> None:
    _need_nginx()
    options = ["--rounds", "1", "--seconds", "0.02", "--concurrency", "16", "--server", "nginx"]
    result, _ = _run("calls", tmp_path, *options, "--only", *_CALLS[:3])
    assert result.details["server"] == "nginx"
    assert result.settings["concurrency"] == [16]
    assert {row.target for row in result.rows} == {"calls.aiohttp"}


def test_the_profile_is_noted(tmp_path: Path) -> None:
    options = ["--requests", "20", "--through", "pool"]
    result, _ = _run("cancel", tmp_path, *options, ASYNCCLIENT_BENCHMARK_PROFILE="quick")
    assert result.profile == "quick"
    assert [row.target for row in result.rows] == ["cancel.pool"]


def _run(script: str, folder: Path, *options: str, **environment: str) -> tuple[Result, str]:
    output = folder / "result.json"
    command = [sys.executable, str(BENCHMARKS / f"{script}.py"), *options, "--output", str(output)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=110, env={**os.environ, **environment})
    assert done.returncode == 0, done.stdout + done.stderr
    return Result.from_json(json.loads(output.read_text("utf-8"))), done.stdout


def _need_nginx() -> None:
    if shutil.which("nginx", path=f"{os.environ.get('PATH', '')}:/usr/sbin") is None:
        missing = "nginx is not installed; tests/install-servers.sh installs it on Debian"
        if os.environ.get("CI") == "true":
            pytest.fail(missing)
        pytest.skip(missing)
