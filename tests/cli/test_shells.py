"""Completion in the shells themselves, installed as the page about the command line says; where they are installed."""

from __future__ import annotations

import os
import select
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.cli.test_transfers import journal, kept_journal, state

__all__ = ["journal", "kept_journal", "state"]  # the fixtures

PATIENCE_S = 60
PROMPT = "ready> "

SHELLS = [
    pytest.param(shell, marks=pytest.mark.skipif(shutil.which(shell) is None, reason=f"there is no {shell}"))
    for shell in ("fish", "zsh")
]

CASES = [
    ("asyncclient ", ["config", "lfview", "transfers"]),
    ("asyncclient l", ["las", "lfview"]),
    ("asyncclient testing serve v", ["voxel51"]),
    ("asyncclient config s", ["show", "sticky-pi"]),
    ("asyncclient las documents upload --da", ["--dataset"]),
    ("asyncclient --qu", ["--quiet"]),
    ("asyncclient flywheel view --format t", ["tsv"]),
    ("asyncclient sticky-pi api pro", ["projects"]),
    ("asyncclient lfview api slides delete_f", ["delete_feedback"]),
    ("asyncclient lfview upload hol", ["holes.csv"]),
]


@pytest.fixture
def environment(tmp_path: Path, state: Path) -> dict[str, str]:
    """A home without settings of any shell, and a folder with a file; the program is in the path."""
    folder = tmp_path / "bin"
    (tmp_path / "home").mkdir()
    (tmp_path / "here").mkdir()
    (tmp_path / "here" / "holes.csv").write_text("x,y,z\n")
    folder.mkdir()
    program = folder / "asyncclient"
    program.write_text(f'#!/bin/sh\nexec {sys.executable} -m asyncclient.cli "$@"\n')
    program.chmod(0o700)
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("XDG_", "ZDOTDIR", "fish_"))}
    return {
        **kept,
        "HOME": str(tmp_path / "home"),
        "PATH": f"{folder}:{os.environ['PATH']}",
        "TERM": "dumb",
        "PS1": PROMPT,
        "COLUMNS": "200",
    }


@pytest.fixture
def shell(request: pytest.FixtureRequest, environment: dict[str, str], tmp_path: Path) -> Callable[..., str]:
    """A shell in which completion was installed: gives what it shows for words, as soon as the expected ones are in it."""
    name = str(request.param)
    # The second command keeps the shell: of a single one it would become that program, and be no parent to be found.
    done = subprocess.run(
        [name, "-c", "asyncclient --install-completion; true"],
        env=environment,
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
    )
    assert f"{name} completion installed" in done.stdout, done.stderr
    show = {"fish": in_fish, "zsh": in_zsh}[name]
    return lambda words, expected: show(words, expected, environment, tmp_path / "here")


def in_fish(words: str, expected: list[str], environment: dict[str, str], folder: Path) -> str:
    command = ["fish", "-c", f"complete -C '{words}'"]
    done = subprocess.run(command, env=environment, cwd=folder, capture_output=True, text=True, timeout=PATIENCE_S)
    assert not done.stderr
    return done.stdout


def in_zsh(words: str, expected: list[str], environment: dict[str, str], folder: Path) -> str:
    with terminal(["zsh", "-i"], environment, folder) as (say, read_until):
        read_until([PROMPT])
        say(f"{words}\t")  # one TAB, the first in this shell
        return read_until(expected)


@contextmanager
def terminal(
    command: list[str], environment: dict[str, str], folder: Path
) -> Iterator[tuple[Callable[[str], None], Callable[[list[str]], str]]]:
    """Run a program on a terminal of its own: gives what types there, and what reads until some words were shown."""
    import pty

    ours, its = pty.openpty()
    process = subprocess.Popen(
        command, stdin=its, stdout=its, stderr=its, env=environment, cwd=folder, start_new_session=True
    )
    os.close(its)
    shown = bytearray()

    def say(text: str) -> None:
        os.write(ours, text.encode())

    def read_until(expected: list[str]) -> str:
        deadline = time.monotonic() + PATIENCE_S
        while not all(word in shown.decode("utf-8", "replace") for word in expected):
            if not select.select([ours], [], [], max(0.0, deadline - time.monotonic()))[0]:
                raise AssertionError(f"{expected} was not shown: {shown.decode('utf-8', 'replace')}")
            shown.extend(os.read(ours, 65536))
        return shown.decode("utf-8", "replace")

    try:
        yield say, read_until
    finally:
        process.kill()
        process.wait()
        os.close(ours)


@pytest.mark.parametrize("shell", SHELLS, indirect=True)
def test_what_a_shell_completes(shell: Callable[..., str]) -> None:
    for words, expected in CASES:
        found = shell(words, expected)
        assert all(word in found for word in expected), (words, found)


@pytest.mark.parametrize("shell", SHELLS, indirect=True)
def test_ids_of_jobs(shell: Callable[..., str], journal: Path) -> None:
    job = journal.name.partition(".")[0]
    assert job in shell("asyncclient transfers abort ", [job])
