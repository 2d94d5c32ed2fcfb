"""Fixtures for the command line."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from asyncclient.cli._settings import begin


@pytest.fixture(autouse=True)
def _own_signal_handlers() -> Iterator[None]:
    before = signal.getsignal(signal.SIGTERM)
    yield
    signal.signal(signal.SIGTERM, before)


@pytest.fixture(autouse=True)
def _no_settings() -> None:
    begin()


@pytest.fixture
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where commands make their temporary files, for this process and its children; empty unless they leave some."""
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setenv("TMPDIR", str(folder))
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    return folder


@pytest.fixture
def start() -> Iterator[Callable[..., subprocess.Popen[str]]]:
    """Start ``asyncclient ...`` in a process of its own."""
    started = []

    def start(*arguments: str, **options: Any) -> subprocess.Popen[str]:
        environment = {**os.environ, "PYTHONUTF8": "1", "COLUMNS": "120", "TERM": "xterm"}
        command = [sys.executable, "-W", "error", "-m", "asyncclient.cli", *arguments]
        started.append(subprocess.Popen(command, env=environment, text=True, **options))
        return started[-1]

    yield start
    for child in started:
        if child.poll() is None:
            child.kill()
            child.wait()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with a subfolder, an empty file and awkward names."""
    folder = tmp_path / "files"
    (folder / "sub").mkdir(parents=True)
    (folder / "a [bold]x[b].txt").write_bytes(b"text")
    (folder / "sub" / "größe 測.bin").write_bytes(bytes(range(256)) * 500)
    (folder / "sub" / "nothing.txt").write_bytes(b"")
    return folder
