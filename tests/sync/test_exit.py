"""The end of the process while calls are under way: quick, and without a word."""

from __future__ import annotations

from collections.abc import Callable
from subprocess import CompletedProcess
from textwrap import dedent

import pytest

RunScript = Callable[..., "CompletedProcess[str]"]

# Registered first, hence called last, when the portal is closed: whatever complains when it is collected does so here.
SETUP = """
import atexit, gc
atexit.register(gc.collect)
import asyncio, contextlib, threading, time
from asyncclient._sync import portal as module
module._DRAIN_S, module._CLOSE_S = 0.2, {close_s}
started = threading.Event()
"""

BODIES = {
    "ends": """
        async def body():
            try:
                started.set()
                await asyncio.Event().wait()
            finally:
                await asyncio.sleep(0.05)
        """,
    "never ends": """
        async def body():
            while True:
                with contextlib.suppress(asyncio.CancelledError):
                    started.set()
                    await asyncio.Event().wait()
        """,
    "leaves a task": """
        async def body():
            try:
                started.set()
                await asyncio.Event().wait()
            finally:
                asyncio.create_task(asyncio.Event().wait())
        """,
    "blocks the loop": """
        async def body():
            try:
                started.set()
                await asyncio.Event().wait()
            finally:
                time.sleep(60)
        """,
}


@pytest.mark.parametrize("given_up", [False, True])
@pytest.mark.parametrize("body", BODIES)
def test_nothing_is_said_of_calls_that_the_end_of_the_process_cancels(
    run_script: RunScript, body: str, given_up: bool
) -> None:
    script = (
        SETUP.format(close_s=0.5 if body == "blocks the loop" else 20)
        + dedent(BODIES[body])
        + dedent(f"""
            portal = module.get_portal()

            def caller():
                with contextlib.suppress(BaseException):
                    portal.run(body)

            threading.Thread(target=caller, daemon=True).start()
            started.wait()
            if {given_up}:
                call, = portal.open_calls
                portal.post(call.cancel)
                del call
            del portal
            print("the end")
            """)
    )
    done = run_script(script)
    assert (done.stdout, done.stderr, done.returncode) == ("the end\n", "", 0)
