"""What benchmarks share: child processes that measure, results on disk, the official client."""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import _machine
from _results import Result, Row, Series
from _targets import target_of

__all__ = ["HERE", "PROFILE", "Child", "Recording", "official_python", "print_rows", "save"]

HERE: Final = Path(__file__).parent
PROFILE: Final = "ASYNCCLIENT_BENCHMARK_PROFILE"
"""The variable that tells a script with which profile it runs."""

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


class Recording:
    """The result of a script that is about to measure: notes machine and settings now, and writes all at the end.

    Args:
        script: Its name, without the suffix.
        given: Its arguments. Only numbers and names are kept, so that no path of the machine gets into a result.
    """

    def __init__(self, script: str, given: argparse.Namespace) -> None:
        self._script, self._output = script, given.output
        self._settings = {name: value for name, value in vars(given).items() if _is_setting(value)}
        self._machine = _machine.machine()

    def save(
        self,
        series: Iterable[Series],
        rows: Iterable[Row],
        officials: Mapping[str, str | None] | None = None,
        **details: Any,
    ) -> Result:
        """Write the result.

        Args:
            series: What was measured.
            rows: How that compares with the targets.
            officials: Official clients that took part, and their interpreters.
            details: What else the script has to say.
        """
        result = Result(
            self._script,
            "measured",
            profile=os.environ.get(PROFILE, "custom"),
            settings=self._settings,
            machine={**self._machine, "load_end": round(os.getloadavg()[0], 2)},
            versions=_machine.versions(officials or {}),
            series=tuple(series),
            rows=tuple(rows),
            details=details,
        )
        save(self._output, result.to_json())
        return result


def _is_setting(value: Any) -> bool:
    if value is False:  # a switch that was not set
        return False
    values = value if isinstance(value, list) else [value]
    return all(isinstance(each, int | float) or (isinstance(each, str) and os.sep not in each) for each in values)


def save(path: Path, result: dict[str, Any]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(result, indent=2) + "\n", "utf-8")


def print_rows(result: Result) -> None:
    """Print how a result compares with the targets."""
    for row in result.rows:
        against = f" of {row.other.name!r}" if row.other else ""
        judged = row.measure == target_of(row.target).measure
        verdict = ("met" if row.met else "missed") if judged else "beside"
        numbers = f"{row.ratio:.3g} {row.unit} ({row.low:.3g} to {row.high:.3g})"
        print(
            f"{verdict:>7}: {row.target}, {row.measure}: {numbers}{against}; asked for {row.comparison} {row.wanted:.3g}"
        )


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
