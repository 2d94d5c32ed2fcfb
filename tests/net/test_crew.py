"""Threads of a crew: every call is made once and answered once, whoever comes, leaves, or holds a thread up."""

from __future__ import annotations

import asyncio
import contextlib
import contextvars
import gc
import os
import random
import signal
import threading
import time
import weakref
from collections.abc import Callable
from typing import Any

import pytest

from asyncclient._net import crew as crew_module
from asyncclient._net.crew import Crew, Errand
from asyncclient._net.threads import FOREIGN, in_thread

pytestmark = pytest.mark.anyio


@pytest.fixture
def make_crew(monkeypatch: pytest.MonkeyPatch) -> Callable[..., Crew]:
    monkeypatch.setattr(crew_module, "_IDLE_S", 0.05)  # threads of tests end soon

    def make(few: int = 1, most: int = 1) -> Crew:
        return Crew("test", few=few, most=most)

    return make


async def until(condition: Callable[[], object]) -> None:
    async with asyncio.timeout(30):
        while not condition():
            await asyncio.sleep(0.002)


async def test_results_errors_and_context(make_crew: Callable[..., Crew]) -> None:
    crew = make_crew()
    variable = contextvars.ContextVar("variable", default=0)
    variable.set(7)

    def fail() -> None:
        raise OSError(5, "broken")

    assert await in_thread(variable.get, crew) == 7
    with pytest.raises(OSError, match="broken"):
        await in_thread(fail, crew)
    assert await in_thread(threading.get_ident, crew) != threading.get_ident()


async def test_calls_are_made_in_their_order(make_crew: Callable[..., Crew]) -> None:
    crew, made = make_crew(), list[int]()
    errands = [Errand(made.append, (number,), crew) for number in range(100)]
    await asyncio.gather(*(errand.waiter() for errand in errands))
    assert made == list(range(100))
    assert crew.threads == 1


async def test_who_waits_for_long_gets_a_thread_and_never_too_many(make_crew: Callable[..., Crew]) -> None:
    crew, gate = make_crew(1, 3), threading.Event()
    held = [Errand(gate.wait, (30,), crew) for _ in range(2)]
    assert await in_thread(lambda: "served", crew) == "served"
    assert crew.threads == 3
    held += [Errand(gate.wait, (30,), crew) for _ in range(2)]
    await asyncio.sleep(0.05)
    assert crew.threads == 3
    gate.set()
    await asyncio.gather(*(errand.waiter() for errand in held))


async def test_two_ends_of_many_pipes_do_not_starve_each_other() -> None:
    pipes = [os.pipe() for _ in range(50)]
    readers = [asyncio.ensure_future(in_thread(lambda end=end: os.read(end, 1), FOREIGN)) for end, _ in pipes]
    await asyncio.sleep(0.01)
    for _, end in pipes:
        await in_thread(lambda end=end: os.write(end, b"x"), FOREIGN)
    assert await asyncio.wait_for(asyncio.gather(*readers), 30) == [b"x"] * 50
    for ends in pipes:
        for end in ends:
            os.close(end)


async def test_threads_without_work_end_and_lose_nothing(
    make_crew: Callable[..., Crew], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(crew_module, "_IDLE_S", 0.0005)
    crew = make_crew(2, 4)
    for number in range(300):
        if number % 3 == 0:
            await asyncio.sleep(0.0005)  # about when they leave
        assert await asyncio.wait_for(in_thread(lambda number=number: number, crew), 30) == number
    await until(lambda: crew.threads == 0)
    assert await in_thread(lambda: 1, crew) == 1


async def test_each_call_is_made_once_or_taken_back(make_crew: Callable[..., Crew]) -> None:
    crew, made, chance = make_crew(2, 4), list[int](), random.Random(4)

    def work(number: int) -> int:
        time.sleep(chance.random() / 5000)
        made.append(number)
        return number

    errands = []
    for number in range(1000):
        errands.append(Errand(work, (number,), crew))
        if number % 7 == 0:
            await asyncio.sleep(0)
        chance.choice(errands[-20:]).take_back()
    await asyncio.gather(*(errand.waiter() for errand in errands))
    returned = []
    for errand in errands:
        with contextlib.suppress(asyncio.CancelledError):
            returned.append(errand.result())
    assert sorted(made) == returned
    assert 0 < len(returned) < 1000


async def test_a_call_that_has_begun_is_not_taken_back(make_crew: Callable[..., Crew]) -> None:
    crew, begun, gate = make_crew(), threading.Event(), threading.Event()

    def work() -> str:
        begun.set()
        gate.wait(30)
        return "done"

    errand = Errand(work, (), crew)
    await until(begun.is_set)
    assert not errand.take_back()
    first, second = errand.waiter(), errand.waiter()
    first.cancel()
    gate.set()
    await second
    assert not errand.take_back()
    assert errand.result() == "done"


async def test_nothing_of_a_call_is_kept(make_crew: Callable[..., Crew]) -> None:
    class Thing:
        pass

    crew, thing = make_crew(), Thing()
    seen = weakref.ref(thing)

    def fail(given: Thing) -> None:
        raise OSError(5, "broken")

    errand: Errand[Any] = Errand(fail, (thing,), crew)
    await errand.waiter()
    with pytest.raises(OSError, match="broken"):
        errand.result()
    del thing, errand
    gc.disable()  # a frame of the traceback held it, and must be part of no cycle of ours
    try:
        await until(lambda: seen() is None)  # the thread is on its way back
    finally:
        gc.enable()


def test_loops_in_several_threads_share_a_crew(make_crew: Callable[..., Crew]) -> None:
    crew, found = make_crew(2, 4), list[int]()

    async def many(number: int) -> None:
        for _ in range(100):
            found.append(await in_thread(lambda: number, crew))

    threads = [threading.Thread(target=lambda number=number: asyncio.run(many(number))) for number in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert sorted(found) == [number for number in range(5) for _ in range(100)]


def test_a_loop_that_is_gone_holds_nobody_up(make_crew: Callable[..., Crew]) -> None:
    crew, begun, gate = make_crew(), threading.Event(), threading.Event()

    def work() -> None:
        begun.set()
        gate.wait(30)

    async def leave() -> None:
        Errand(work, (), crew)
        await until(begun.is_set)

    asyncio.run(leave())
    gate.set()
    assert asyncio.run(in_thread(lambda: 5, crew)) == 5


async def test_a_system_without_more_threads(make_crew: Callable[..., Crew], monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(thread: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    crew, gate = make_crew(1, 2), threading.Event()
    with monkeypatch.context() as patch:
        patch.setattr(threading.Thread, "start", refuse)
        with pytest.raises(RuntimeError, match="can't start"):
            await in_thread(lambda: 1, crew)
    held = Errand(gate.wait, (30,), crew)
    with monkeypatch.context() as patch:
        patch.setattr(threading.Thread, "start", refuse)
        waiting = asyncio.ensure_future(in_thread(lambda: 2, crew))
        await asyncio.sleep(0.05)  # nobody comes to help
        gate.set()
        assert await waiting == 2
    await held.waiter()


@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")  # from Python 3.12 on: there are other threads
@pytest.mark.skipif(not hasattr(os, "fork"), reason="systems that fork")
def test_a_forked_child_has_threads_of_its_own(make_crew: Callable[..., Crew]) -> None:
    crew = make_crew()
    assert asyncio.run(in_thread(lambda: 1, crew)) == 1
    child = os.fork()
    if not child:
        signal.alarm(30)
        os._exit(asyncio.new_event_loop().run_until_complete(in_thread(lambda: 42, crew)))
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 42
