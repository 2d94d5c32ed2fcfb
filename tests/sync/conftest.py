"""Fixtures for the synchronous side."""

from __future__ import annotations

import subprocess
import sys
import textwrap
from collections.abc import Callable, Iterator

import pytest

from asyncclient._sync.portal import Portal, get_portal

RunScript = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture
def portal() -> Iterator[Portal]:
    """A portal of this test, closed afterwards."""
    portal = get_portal()
    yield portal
    portal.close()


@pytest.fixture(params=["asyncio", "uvloop"])
def event_loop_name(request: pytest.FixtureRequest) -> str:
    if request.param == "uvloop":
        pytest.importorskip("uvloop")
    return str(request.param)


@pytest.fixture
def prelude(event_loop_name: str) -> str:
    """The first line of a script, which chooses the event loop of its portal."""
    return "import sys; sys.modules['uvloop'] = None\n" if event_loop_name == "asyncio" else ""


@pytest.fixture
def run_script(prelude: str) -> RunScript:
    """Run a script in an interpreter of its own and return what it printed."""

    def run(script: str, *, timeout: float = 30) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-W", "error", "-c", prelude + textwrap.dedent(script)],
            capture_output=True,
            text=True,
            timeout=timeout,
            check=False,
        )

    return run
