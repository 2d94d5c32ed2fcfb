"""Fork while the portal runs, multiprocessing with every start method, and the end of the process."""

from __future__ import annotations

import multiprocessing
import os
import subprocess
import sys
from typing import Any

import pytest

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")

SETUP = """
import asyncio, os, sys, threading, warnings
warnings.filterwarnings("ignore", message=".*use of fork", category=DeprecationWarning)
from asyncclient._sync import portal as module
from asyncclient._sync.portal import get_portal, on_fork

async def double(n):
    await asyncio.sleep(0)
    return 2 * n

def in_child(fn):
    sys.stdout.flush()
    pid = os.fork()
    if pid == 0:
        code = 1
        try:
            fn()
            code = 0
        except BaseException:
            import traceback
            traceback.print_exc()
        finally:
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(code)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
"""


def test_a_child_begins_anew_though_the_lock_was_held(run_script: Any) -> None:
    done = run_script(
        SETUP
        + """
hooks = []
on_fork(lambda: hooks.append(os.getpid()))
portal = get_portal()
assert portal.run(double, 1) == 2
held, release = threading.Event(), threading.Event()

def hold():
    with module._process.lock:
        held.set()
        release.wait()

threading.Thread(target=hold).start()
held.wait()

def child():
    assert hooks == [os.getpid()]
    fresh = get_portal()
    assert fresh is not portal and fresh.generation > portal.generation
    assert fresh.run(double, 2) == 4
    in_child(lambda: print("grandchild", get_portal().run(double, 3)))

in_child(child)
release.set()
assert hooks == []
assert get_portal() is portal
print("parent", portal.run(double, 4))
"""
    )
    assert (done.stdout, done.stderr, done.returncode) == ("grandchild 6\nparent 8\n", "", 0)


def test_connections_of_the_parent_live_on(run_script: Any) -> None:
    done = run_script(
        SETUP
        + """
async def echo(reader, writer):
    while line := await reader.readline():
        writer.write(line)
    writer.close()

async def connect():
    server = await asyncio.start_server(echo, "127.0.0.1", 0)
    return server, *await asyncio.open_connection(*server.sockets[0].getsockname()[:2])

async def ask(reader, writer, line):
    writer.write(line)
    return await reader.readline()

portal = get_portal()
server, reader, writer = portal.run(connect)
assert portal.run(ask, reader, writer, b"before\\n") == b"before\\n"

class Client:
    async def aclose(self):
        pass

client = Client()
client.parts = server, reader, writer
portal.on_close(client, client.aclose)

def child():
    import gc
    global server, reader, writer, portal, client
    assert get_portal().run(double, 1) == 2
    del server, reader, writer, portal, client
    gc.collect()
    get_portal().close()

in_child(child)
if isinstance(portal.loop, asyncio.SelectorEventLoop):  # libuv crashes here by itself, once it has used a thread
    pid = os.fork()
    if pid == 0:
        sys.exit(0)  # with all the finalizers that os._exit leaves out
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
print(portal.run(ask, reader, writer, b"after\\n"))

async def close():
    writer.close()
    server.close()
    await asyncio.sleep(0.05)

portal.run(close)
"""
    )
    assert (done.stdout, done.stderr, done.returncode) == ("b'after\\n'\n", "", 0)


def test_even_a_transport_that_is_dropped_in_the_child_stays_open_in_the_parent() -> None:
    # uvloop gives no way to keep a finalizer of a transport from the epoll instance it shares with the parent.
    done = subprocess.run(
        [
            sys.executable,
            "-c",
            "import sys; sys.modules['uvloop'] = None"
            + SETUP
            + """
class Quiet(asyncio.Protocol):
    def connection_made(self, transport):
        self.transport = transport

    def data_received(self, data):
        received.append(data)
        arrived.set()

async def connect():
    global arrived
    arrived = asyncio.Event()
    server = await asyncio.get_running_loop().create_server(Quiet, "127.0.0.1", 0)
    return server, *await asyncio.get_running_loop().create_connection(Quiet, *server.sockets[0].getsockname()[:2])

async def finish():
    transport.write(b"after")
    await asyncio.wait_for(arrived.wait(), 10)
    transport.close()
    server.close()
    await asyncio.sleep(0.05)

received = []
portal = get_portal()
server, transport, protocol = portal.run(connect)
in_child(lambda: transport.close())
portal.run(finish)
print(received)
""",
        ],
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert (done.stdout, done.stderr, done.returncode) == ("[b'after']\n", "", 0)


def test_what_belongs_to_the_parent_says_so(run_script: Any) -> None:
    done = run_script(
        SETUP
        + """
from contextlib import asynccontextmanager
from asyncclient.errors import WrongLoop

log = []

@asynccontextmanager
async def scope():
    yield 1
    log.append("left")

async def items():
    yield 1
    await asyncio.Event().wait()

portal = get_portal()
iterator = portal.iterate(items)
assert next(iterator) == 1
entered = portal.enter(scope)
entered.__enter__()

def child():
    global iterator
    for use in (lambda: portal.run(double, 1), lambda: next(portal.iterate(items)), lambda: next(iterator)):
        try:
            use()
        except WrongLoop as error:
            assert "parent" in str(error), error
        else:
            raise AssertionError("used a loop of the parent")
    iterator.close()
    del iterator
    assert entered.__exit__(None, None, None) is False
    portal.close()
    assert log == []

in_child(child)
assert entered.__exit__(None, None, None) is False
assert log == ["left"]
iterator.close()
print("ok")
"""
    )
    assert (done.stdout, done.stderr, done.returncode) == ("ok\n", "", 0)


def test_a_child_that_ends_like_any_program_is_quiet(run_script: Any) -> None:
    done = run_script(
        SETUP
        + """
import atexit
get_portal().run(double, 1)
pid = os.fork()
if pid == 0:
    print("child", get_portal().run(double, 2))
    sys.exit(0)
assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
print("parent", get_portal().run(double, 3))
"""
    )
    assert (done.stdout, done.stderr, done.returncode) == ("child 4\nparent 6\n", "", 0)


def _work(number: int) -> int:
    from asyncclient._sync.portal import get_portal

    async def double() -> int:
        return 2 * number

    return get_portal().run(double)


@pytest.mark.parametrize("method", ["fork", "spawn", "forkserver"])
@pytest.mark.filterwarnings("ignore:.*use of fork:DeprecationWarning")
def test_multiprocessing_with_every_start_method(portal: Any, method: str) -> None:
    assert _work(1) == 2
    with multiprocessing.get_context(method).Pool(2) as pool:
        assert pool.map(abs, [-1, -2]) == [1, 2]
        assert pool.map(_work, range(4)) == [0, 2, 4, 6]
        pool.close()
        pool.join()
    assert _work(5) == 10


# --- the end of the process ------------------------------------------------------------------------------------------


def test_at_exit_tasks_are_cancelled_scopes_left_and_calls_refused(run_script: Any) -> None:
    done = run_script(
        """
        import asyncio, atexit
        from contextlib import asynccontextmanager
        from asyncclient.errors import HubClosed

        def late():
            from asyncclient._sync.portal import get_portal
            try:
                get_portal().run(asyncio.sleep, 0)
            except HubClosed as error:
                print("refused:", error)

        atexit.register(late)
        from asyncclient._sync.portal import get_portal

        async def forever():
            try:
                await asyncio.Event().wait()
            finally:
                print("task cancelled")

        @asynccontextmanager
        async def scope():
            try:
                yield
            finally:
                print("scope left")

        async def start():
            global task
            task = asyncio.create_task(forever())
            await asyncio.sleep(0)

        portal = get_portal()
        portal.run(start)
        open_scope = portal.enter(scope)
        open_scope.__enter__()
        """
    )
    assert sorted(done.stdout.splitlines()[:2]) == ["scope left", "task cancelled"]
    assert done.stdout.splitlines()[2:] == ["refused: the process is ending"]
    assert (done.stderr, done.returncode) == ("", 0)


def test_at_exit_a_task_that_will_not_end_is_left_behind(run_script: Any) -> None:
    done = run_script(
        """
        import asyncio, threading
        from asyncclient._sync.portal import get_portal

        started = threading.Event()

        async def block():
            started.set()
            threading.Event().wait(60)

        threading.Thread(target=lambda: get_portal().run(block), daemon=True).start()
        started.wait()
        print("leaving")
        """,
        timeout=20,
    )
    assert (done.stdout, done.returncode) == ("leaving\n", 0)
