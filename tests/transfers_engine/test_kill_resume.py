"""The benchmark that kills, in short: real processes, random moments, a server of its own."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[2] / "benchmarks" / "kill_resume.py"

pytestmark = [pytest.mark.timeout(300), pytest.mark.slow]


@pytest.mark.parametrize("kind", ["session", "parts", "download"])
def test_killed_at_random_moments(kind: str, tmp_path: Path) -> None:
    found = tmp_path / "found.json"
    arguments = ["--kinds", kind, "--runs", "10", "--mib", "6", "--folder", str(tmp_path), "--output", str(found)]
    command = [sys.executable, str(SCRIPT), *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    (tally,) = json.loads(found.read_text())["details"]["kinds"]
    assert tally["runs"] == 10
    assert (tally["wrong"], tally["left"], tally["beyond"]) == (0, 0, 0)
    assert tally["kills"] > 0
    assert tally["again_bytes"] <= tally["flying_bytes"]
    assert [path.name for path in tmp_path.iterdir()] == ["found.json"]


def test_a_wrong_byte_is_a_failure(tmp_path: Path) -> None:
    broken = "import kill_resume as k; k._Run.until_done = lambda run, typical_s: run._here.write_bytes(b'no'); "
    broken += "k._Run.typical_s = lambda run: 0.0; raise SystemExit(k.main())"
    arguments = ["--kinds", "download", "--runs", "1", "--mib", "1", "--output", str(tmp_path / "found.json")]
    command = [sys.executable, "-c", f"import sys; sys.path.insert(0, {str(SCRIPT.parent)!r}); {broken}", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 1, done.stdout + done.stderr
    assert json.loads((tmp_path / "found.json").read_text())["details"]["kinds"][0]["wrong"] == 1
