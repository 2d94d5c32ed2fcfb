"""The tutorial, step by step, as a reader does it; what its pages print is compared with what is seen here."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from asyncclient.testing import Server
from tests.docs.conftest import EXAMPLES, RunExample, printed


@pytest.fixture
def samples(play: Path, run_example: RunExample) -> Path:
    assert run_example("tutorial/samples.py") == printed("tutorial/samples.txt")
    return play


def test_the_first_call(samples: Path, run_example: RunExample) -> None:
    seen = run_example("sync_documents.py", "invoices/01.pdf", "copy.pdf")
    assert seen == printed("tutorial/sync_documents.txt")
    assert Path("copy.pdf").read_bytes() == Path("invoices/01.pdf").read_bytes()


def test_many_files(samples: Path, run_example: RunExample) -> None:
    lines = run_example("async_documents.py", "invoices").splitlines(keepends=True)
    assert len(lines) == 40
    assert _shape("".join(lines[:3])) == _shape(printed("tutorial/async_documents.txt"))


def test_failures(play: Path, run_example: RunExample) -> None:
    assert run_example("tutorial/failures.py") == printed("tutorial/failures.txt")


def test_two_services(samples: Path, run_example: RunExample, platform: Server) -> None:
    assert run_example("tutorial/two_services.py") == printed("tutorial/two_services.txt")


PERCENT = re.compile(r"^(\d+) % are on the disk$", re.MULTILINE)


@pytest.mark.slow
def test_a_large_file_and_a_crash(samples: Path, run_example: RunExample, platform: Server) -> None:
    data_id = run_example("tutorial/put_video.py").strip()
    before = killed_at(30, [sys.executable, str(EXAMPLES / "tutorial/get_video.py"), data_id])
    assert not Path("copy.mp4").exists()
    listed = _asyncclient("transfers", "list")
    again = run_example("tutorial/get_video.py", data_id)

    assert _shape(listed) == _shape(printed("tutorial/transfers_list.txt"))
    assert _shape(before) == _shape(printed("tutorial/get_video_killed.txt"))
    assert _shape(again) == _shape(printed("tutorial/get_video_again.txt"))
    assert int(PERCENT.findall(again)[0]) >= int(PERCENT.findall(before)[-1])
    assert "100 % are on the disk\nfetched copy.mp4" in again
    assert Path("copy.mp4").read_bytes() == Path("clip.mp4").read_bytes()
    assert _asyncclient("transfers", "list") == "There are no unfinished transfers.\n"

    killed_at(30, [sys.executable, str(EXAMPLES / "tutorial/get_video.py"), data_id])
    Path("copy.mp4").unlink()
    assert "downloaded" in _asyncclient("transfers", "resume", "--all")
    assert Path("copy.mp4").read_bytes() == Path("clip.mp4").read_bytes()


def killed_at(percent: int, command: list[str]) -> str:
    """Run a program until it says how far it is, and kill it without a warning."""
    seen = ""
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as program:
        assert program.stdout is not None
        for line in program.stdout:
            seen += line
            found = PERCENT.match(line)
            if found is not None and int(found[1]) >= percent:
                break
        program.kill()
    return seen


def _asyncclient(*words: str) -> str:
    command = [sys.executable, "-m", "asyncclient.cli", *words]
    done = subprocess.run(command, env=dict(os.environ), capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    return done.stdout


def _shape(text: str) -> list[str]:
    """Return which lines there are, however many of each follow one another, without their numbers and folders."""
    lines: list[str] = []
    for line in text.splitlines():
        bare = re.sub(r"\b[0-9a-f]{32}\b|(?<=  )/\S+/|\b\d[\d.:]*", "#", line)
        if lines[-1:] != [bare]:
            lines.append(bare)
    return lines
