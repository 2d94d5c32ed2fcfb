"""What numbers were measured on: processor, memory, system, versions. Nothing that names the machine."""

from __future__ import annotations

import os
import platform
import re
import subprocess
import time
from collections.abc import Iterable, Mapping
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, Final

__all__ = ["machine", "versions"]

_PACKAGES: Final = ("asyncclient", "aiohttp", "httpx", "orjson", "requests", "requests-toolbelt", "pydantic", "pillow")
_PROGRAMS: Final = {"nginx": ("nginx", "-v"), "curl": ("curl", "--version")}
_NUMBER: Final = re.compile(r"\d+(?:\.\d+)+")
_VERSION_IN: Final = "import importlib.metadata as m, sys; print(m.version(sys.argv[1]))"


def machine() -> dict[str, Any]:
    """Describe processor, memory and system, with the load and the time of now."""
    return {
        "cpu": _cpu(),
        "cores": os.cpu_count(),
        "memory_gib": _memory_gib(),
        "system": platform.system(),
        # Only the number: what distributors and owners append may name a machine.
        "kernel": _number(platform.release()),
        "python": platform.python_version(),
        "load_start": round(os.getloadavg()[0], 2),
        "started": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
    }


def versions(officials: Mapping[str, str | None]) -> dict[str, str]:
    """Return the versions of packages and servers; what is not installed is left out.

    Args:
        officials: Names of official clients, and the interpreters of the environments that they are in.
    """
    found = {name: _installed(name) for name in (*_PACKAGES, "uvloop")}
    found |= {name: _output(command) for name, command in _PROGRAMS.items()}
    for name, python in officials.items():
        found[name] = _output((python, "-c", _VERSION_IN, name)) if python else ""
    return {name: number for name, number in found.items() if number}


def _installed(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return ""


def _output(command: Iterable[str]) -> str:
    path = f"{os.environ.get('PATH', '')}:/usr/sbin"  # Debian: not in a user's path
    try:
        done = subprocess.run(
            list(command), capture_output=True, text=True, timeout=30, env={**os.environ, "PATH": path}, check=True
        )
    except (OSError, subprocess.SubprocessError):
        return ""
    return _number(done.stdout + done.stderr)


def _number(text: str) -> str:
    found = _NUMBER.search(text)
    return found[0] if found else ""


def _cpu() -> str:
    info = Path("/proc/cpuinfo")
    lines = info.read_text("utf-8").splitlines() if info.exists() else []
    models = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return models[0] if models else platform.machine()


def _memory_gib() -> int | None:
    try:
        return round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30)
    except (ValueError, OSError, AttributeError):  # a name that the system does not know
        return None
