"""The cells of the pages about notebooks, in IPython, one after the other, in a process of its own."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from asyncclient.testing import Server
from tests.docs.conftest import EXAMPLES, RunExample

CELL = re.compile(r"^# --8<-- \[start:(\w+)\]\n(.*?)^# --8<-- \[end:\1\]$", re.MULTILINE | re.DOTALL)
CELLS = EXAMPLES / "notebook" / "cells.py"

# What a kernel does with a cell: autoawait with the loop that runs already, Ctrl-C as a signal.
DRIVER = """
import asyncio, os, signal, sys, threading, time
from pathlib import Path
from IPython.core.interactiveshell import InteractiveShell

cells = eval(sys.stdin.read())
shell = InteractiveShell.instance()
shell.history_manager.enabled = False

async def run(name):
    interrupted = name == "interrupt"
    if interrupted:
        threading.Thread(target=interrupt, daemon=True).start()
    done = await shell.run_cell_async(cells[name], transformed_cell=shell.transform_cell(cells[name]))
    error = done.error_before_exec or done.error_in_exec
    assert isinstance(error, KeyboardInterrupt) if interrupted else error is None, (name, error)
    print("cell", name, "gave", repr(done.result))

def interrupt():
    slow_hub = shell.user_ns["slow_hub"]
    begun = slow_hub.statistics().bytes_received
    while slow_hub.statistics().bytes_received - begun < 45_000_000:  # parts that are not whole are fetched again
        time.sleep(0.01)
    os.kill(os.getpid(), signal.SIGINT)

async def main():
    for name in cells:
        await run(name)

asyncio.new_event_loop().run_until_complete(main())  # as a kernel: asyncio.run would take Ctrl-C for itself
"""


@pytest.fixture
def outputs(play: Path, run_example: RunExample, platform: Server) -> dict[str, str]:
    run_example("tutorial/samples.py")
    cells = dict(CELL.findall(CELLS.read_text("utf-8")))
    environment = {**os.environ, "IPYTHONDIR": str(play / "ipython")}
    command = [sys.executable, "-c", DRIVER]
    done = subprocess.run(command, input=repr(cells), env=environment, capture_output=True, text=True, timeout=100)
    assert done.returncode == 0, done.stdout + done.stderr
    return dict(re.findall(r"^cell (\w+) gave (.*)$", done.stdout, re.MULTILINE))


@pytest.mark.slow
def test_cells(outputs: dict[str, str]) -> None:
    assert list(outputs) == [name for name, _ in CELL.findall(CELLS.read_text("utf-8"))]
    for path in CELLS.parent.glob("*.txt"):
        assert outputs[path.stem] == path.read_text("utf-8").rstrip("\n")
    assert outputs["many"] == "20"
    assert outputs["resume"] == "True"
    assert Path("copy.mp4").read_bytes() == Path("again.mp4").read_bytes() == Path("clip.mp4").read_bytes()


def test_every_cell_is_on_a_page() -> None:
    pages = "".join(path.read_text("utf-8") for path in (EXAMPLES.parent).rglob("*.md"))
    names = [name for name, _ in CELL.findall(CELLS.read_text("utf-8"))]
    assert [name for name in names if f'"notebook/cells.py:{name}"' not in pages] == []
