"""The platforms' own clients, each in a virtual environment of its own, as their requirements do not fit together."""

from __future__ import annotations

import os
import subprocess
import sys
import venv
from pathlib import Path

import pytest

__all__ = ["OFFICIAL_LFVIEW", "official_environment", "official_lfview"]

OFFICIAL_LFVIEW = "lfview-api-client==0.1.2"
# The packages use names that numpy dropped in 1.24, and pkg_resources, which setuptools dropped later.
_LFVIEW_NEEDS = (OFFICIAL_LFVIEW, "numpy==1.23.5", "setuptools<70")


def official_lfview(request: pytest.FixtureRequest) -> str:
    """Return the interpreter of an environment that has the client of LF View; without one the test is skipped."""
    variable = "ASYNCCLIENT_OFFICIAL_LFVIEW_PYTHON"
    if not os.environ.get(variable) and sys.version_info >= (3, 12):
        pytest.skip("the official packages need numpy 1.23, which there is none of for this Python")
    return official_environment(request, "lfview", variable, *_LFVIEW_NEEDS)


def official_environment(request: pytest.FixtureRequest, name: str, variable: str, *needs: str) -> str:
    """Return the interpreter that an environment variable names, else of an environment made in pytest's cache.

    Args:
        request: Of a fixture of a module or a session.
        name: Tells the environment from others.
        variable: The environment variable.
        needs: What pip installs, the client first. If that fails the test is skipped, or fails with CI=true.
    """
    given = os.environ.get(variable)
    if given:
        return given
    cache: pytest.Cache | None = getattr(request.config, "cache", None)  # missing with -p no:cacheprovider
    name = f"official-{name}-py{sys.version_info.major}{sys.version_info.minor}"
    if cache is None:
        factory: pytest.TempPathFactory = request.getfixturevalue("tmp_path_factory")
        return _made(factory.mktemp(name), needs)
    return _made(cache.mkdir(name), needs)


def _made(folder: Path, needs: tuple[str, ...]) -> str:
    python = folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    finished = folder / "finished"
    if not finished.exists():
        venv.create(folder, clear=True, with_pip=True)
        command = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *needs]
        done = subprocess.run(command, capture_output=True, text=True)
        if done.returncode != 0:
            reason = f"{needs[0]} cannot be installed: {done.stderr.strip().splitlines()[-1:]}"
            (pytest.fail if os.environ.get("CI") == "true" else pytest.skip)(reason)
        finished.touch()
    return str(python)
