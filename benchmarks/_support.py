"""What benchmarks share: child processes that measure, medians and spreads, results on disk, the official client."""

from __future__ import annotations

import json
import os
import platform
import statistics
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

__all__ = ["HERE", "Child", "Summary", "machine", "official_python", "save", "summarize"]

HERE: Final = Path(__file__).parent
_OFFICIAL: Final = "lucidtech-las==11.4.1"
_VARIABLE: Final = "ASYNCCLIENT_OFFICIAL_LAS_PYTHON"


class Child:
    """A process that measures when it is told to, with lines of JSON in both directions."""

    def __init__(self, command: Sequence[str]) -> None:
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.answer()

    def ask(self, **order: Any) -> dict[str, Any]:
        """Send an order and wait for its result."""
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(order) + "\n")
        self._process.stdin.flush()
        return self.answer()

    def answer(self) -> dict[str, Any]:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise RuntimeError(f"a contender ended with status {self._process.wait()}")
        answer: dict[str, Any] = json.loads(line)
        return answer

    def close(self) -> None:
        """End the process by ending its input; kill it if it does not listen."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        with self._process.stdout, self._process.stdin:
            self._process.stdin.close()
            try:
                self._process.wait(10)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()


class Summary(dict[str, float]):
    """Median, smallest and largest of some values."""


def summarize(values: Sequence[float]) -> Summary:
    return Summary(median=statistics.median(values), low=min(values), high=max(values))


def machine() -> dict[str, Any]:
    """Describe what the numbers were measured on."""
    return {
        "python": platform.python_version(),
        "system": platform.system(),
        "cpus": os.cpu_count(),
        "load_before": os.getloadavg()[0],
        "time": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
    }


def save(path: Path, result: dict[str, Any]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(result, indent=2) + "\n", "utf-8")


def official_python(given: str | None, folder: Path) -> str | None:
    """Return the interpreter of an environment with the official client, making it if need be; None if that fails."""
    named = given or os.environ.get(_VARIABLE)
    if named:
        return named
    python = folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    if not python.exists() or subprocess.run([python, "-c", "import las"], capture_output=True).returncode:
        make = [sys.executable, "-m", "venv", "--clear", str(folder)]
        install = [str(python), "-m", "pip", "install", "--quiet", _OFFICIAL]
        for command in (make, install):
            if subprocess.run(command, stdout=subprocess.DEVNULL).returncode:
                return None
    return str(python)
