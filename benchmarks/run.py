"""Runs all benchmarks, one after the other, and writes the report; or one of them, with its arguments.

    python benchmarks/run.py               # about half an hour
    python benchmarks/run.py --quick       # some minutes: smaller sizes, fewer rounds
    python benchmarks/run.py calls --rounds 3

Every script is a process of its own, with a bound on its time. The status is 1 if one failed or found something lost or
wrong; a missed speed is a result, and stands in the report.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

sys.path.insert(0, str(Path(__file__).parent))  # for runs by path from anywhere

from _results import Result
from _support import HERE, PROFILE, save
from _targets import SCRIPTS

__all__ = ["PROFILES", "main", "run_all", "run_one"]

_RESULTS: Final = Path(".benchmarks")
_PATIENCE_S: Final = {"full": 1200.0, "quick": 600.0}

PROFILES: Final[Mapping[str, Mapping[str, str]]] = {
    "full": {
        "kill_resume": "--runs 67",  # of each of three kinds: the target is about 200
        "sticky_pi": "--images 500 --rounds 2",
    },
    "quick": {
        "calls": "--rounds 3 --seconds 0.3",
        "cancel": "--requests 20000",
        "latency": "--rounds 2 --calls 100",
        "transfers": "--mib 256 --memory-mib 1024 --rounds 3",
        "kill_resume": "--runs 6",
        "voxel51": "--files 500 --large 2 --large-mib 128 --rounds 2",
        "flywheel": "--rounds 3 --mib 256",
        "sticky_pi": "--images 40 --rounds 2",
    },
}
"""What the scripts are started with; without an entry, nothing: their defaults are the sizes of the targets."""


def main(arguments: Sequence[str]) -> int:
    if arguments and not arguments[0].startswith("-"):
        name, *rest = arguments
        return subprocess.run([sys.executable, str(HERE / f"{name}.py"), *rest]).returncode
    if list(arguments) not in ([], ["--quick"]):
        print(__doc__, file=sys.stderr)
        return 2
    failed = run_all("quick" if arguments else "full", _RESULTS)
    reported = subprocess.run([sys.executable, str(HERE / "report.py")]).returncode
    for line in failed:
        print(line)
    return 1 if failed or reported else 0


def run_all(profile: str, results: Path, scripts: Path = HERE) -> list[str]:
    """Run all scripts; returns one line for each that did not end well.

    Args:
        profile: "full" or "quick".
        results: The folder of results. What is there of other runs goes first, so that a report never mixes them.
        scripts: Where the scripts are.
    """
    for script in SCRIPTS:
        (results / f"{script}.json").unlink(missing_ok=True)
    failed = []
    for script in SCRIPTS:
        options, output = PROFILES[profile].get(script, "").split(), results / f"{script}.json"
        print(f"\n=== {script} {' '.join(options)}", flush=True)
        command = [sys.executable, str(scripts / f"{script}.py"), *options, "--output", str(output)]
        why = run_one(command, _PATIENCE_S[profile], {PROFILE: profile})
        if not output.exists():
            why = why or "wrote no result"
            save(output, Result(script, "failed", why).to_json())
        if why:
            failed.append(f"{script}: {why}")
    return failed


def run_one(command: Sequence[str], patience_s: float, environment: Mapping[str, str], *, grace_s: float = 15.0) -> str:
    """Run a command; returns why it did not end well, or nothing.

    It gets a group of its own, which is ended as a whole, servers and children too, when the time is over or this process
    is interrupted.
    """
    child = subprocess.Popen(command, env={**os.environ, **environment}, start_new_session=True)
    try:
        status = child.wait(patience_s)
    except subprocess.TimeoutExpired:
        _end(child, grace_s)
        return f"not done after {patience_s:.0f} s"
    except BaseException:
        _end(child, grace_s)
        raise
    return f"ended with status {status}" if status else ""


def _end(child: subprocess.Popen[bytes], grace_s: float) -> None:
    """Interrupt, so that temporary files are removed; then kill what is left of the group."""
    os.killpg(child.pid, signal.SIGINT)
    with contextlib.suppress(subprocess.TimeoutExpired):
        child.wait(grace_s)
    with contextlib.suppress(ProcessLookupError):
        os.killpg(child.pid, signal.SIGKILL)
    child.wait()


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
