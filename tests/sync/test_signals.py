"""Ctrl-C, with a real SIGINT to a real process."""

from __future__ import annotations

import signal
import subprocess
import sys
import textwrap
import time

import pytest

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX")

SETUP = """
import asyncio, signal, sys
signal.signal(signal.SIGINT, signal.default_int_handler)
from asyncclient._sync.portal import get_portal

def say(*words):
    print(*words, flush=True)
"""


class Child:
    def __init__(self, prelude: str, script: str) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-W", "error", "-c", prelude + SETUP + textwrap.dedent(script)],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def expect(self, line: str) -> None:
        assert self.process.stdout is not None
        got = self.process.stdout.readline()
        assert got == line + "\n", (got, self.process.stderr.read() if not got and self.process.stderr else "")

    def interrupt(self) -> None:
        self.process.send_signal(signal.SIGINT)

    def end(self) -> tuple[str, str, float]:
        begin = time.monotonic()
        out, err = self.process.communicate(timeout=20)
        return out, err, time.monotonic() - begin


def test_the_inner_task_is_cancelled_and_cleaned_up_before_the_interrupt_goes_on(prelude: str) -> None:
    child = Child(
        prelude,
        """
        async def transfer():
            say("started")
            try:
                await asyncio.Event().wait()
            except asyncio.CancelledError:
                await asyncio.sleep(0.2)
                say("cleaned up")
                raise
        try:
            get_portal().run(transfer)
        except KeyboardInterrupt as error:
            say("interrupted", type(error.__context__).__name__)
        say("works still", get_portal().run(asyncio.sleep, 0, 42))
        """,
    )
    child.expect("started")
    child.interrupt()
    child.expect("cleaned up")
    child.expect("interrupted NoneType")
    child.expect("works still 42")
    out, err, _ = child.end()
    assert (out, err, child.process.returncode) == ("", "", 0)


def test_a_second_interrupt_goes_on_at_once(prelude: str) -> None:
    child = Child(
        prelude,
        """
        async def transfer():
            say("started")
            try:
                await asyncio.Event().wait()
            finally:
                say("cleaning up")
                await asyncio.sleep(30)
        try:
            get_portal().run(transfer)
        except KeyboardInterrupt:
            say("interrupted")
        """,
    )
    child.expect("started")
    child.interrupt()
    child.expect("cleaning up")
    child.interrupt()
    child.expect("interrupted")
    out, err, seconds = child.end()
    assert (out, err, child.process.returncode) == ("", "", 0)
    assert seconds < 10


def test_an_uncaught_interrupt_ends_the_process_as_usual(prelude: str) -> None:
    child = Child(
        prelude,
        """
        async def transfer():
            say("started")
            await asyncio.Event().wait()
        get_portal().run(transfer)
        """,
    )
    child.expect("started")
    child.interrupt()
    _, err, _ = child.end()
    assert child.process.returncode == -signal.SIGINT
    assert err.strip().endswith("KeyboardInterrupt")


@pytest.mark.parametrize("kind", ["next", "enter", "exit"])
def test_iterators_and_scopes_are_interrupted_too(prelude: str, kind: str) -> None:
    child = Child(
        prelude,
        f"kind = {kind!r}\n"
        + textwrap.dedent(
            """
        from contextlib import asynccontextmanager
        async def wait():
            say("started")
            try:
                await asyncio.Event().wait()
            finally:
                await asyncio.sleep(0.05)
                say("cleaned up")
        async def items():
            await wait()
            yield 1
        @asynccontextmanager
        async def scope():
            if kind == "enter":
                await wait()
            yield 1
            await wait()
        try:
            if kind == "next":
                list(get_portal().iterate(items))
            else:
                with get_portal().enter(scope):
                    pass
        except KeyboardInterrupt:
            say("interrupted")
        """
        ),
    )
    child.expect("started")
    child.interrupt()
    child.expect("cleaned up")
    child.expect("interrupted")
    out, err, _ = child.end()
    assert (out, err, child.process.returncode) == ("", "", 0)
