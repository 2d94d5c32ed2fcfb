"""The benchmark runs and writes what it promises; how fast anything is, is not asked here."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow

SCRIPT = Path(__file__).parents[2] / "benchmarks" / "sticky_pi.py"


@pytest.mark.parametrize("side", ["local", "remote"])
def test_it_stores_the_same_images_both_ways(side: str, tmp_path: Path) -> None:
    output = tmp_path / "result.json"
    options = ["--images", "2", "--rounds", "1", "--only", side, "--folder", str(tmp_path), "--output", str(output)]
    command = [sys.executable, str(SCRIPT), *options]
    done = subprocess.run(command, capture_output=True, text=True, timeout=110)
    assert done.returncode == 0, done.stderr
    result = json.loads(output.read_text("utf-8"))
    assert result["settings"]["images"] == 2
    assert {each["group"] for each in result["series"]} == {side, f"{side}, again"}
    assert {each["name"] for each in result["series"]} == {"asyncclient", "one after the other"}
    assert {row["target"] for row in result["rows"]} == {f"sticky_pi.{side}", f"sticky_pi.{side}-again"}
