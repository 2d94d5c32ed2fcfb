"""Deadlines end calls as ``asyncio.timeout`` does, whoever else cancels, and leave nothing behind on the loop."""

from __future__ import annotations

import asyncio
import gc
import weakref
from collections.abc import Callable
from contextvars import ContextVar
from typing import Any

import pytest

from asyncclient._deadlines import Deadlines, cause_of
from asyncclient.errors import TransportError

pytestmark = pytest.mark.anyio

LONG_S = 1000.0


class Thing:
    """Something that can be told to be gone."""


@pytest.fixture
async def timers(monkeypatch: pytest.MonkeyPatch) -> list[asyncio.TimerHandle]:
    """All timers that the loop is given."""
    loop = asyncio.get_running_loop()
    call_at, given = loop.call_at, list[asyncio.TimerHandle]()

    def noting(*args: Any, **kwargs: Any) -> asyncio.TimerHandle:
        given.append(call_at(*args, **kwargs))
        return given[-1]

    monkeypatch.setattr(loop, "call_at", noting)
    return given


def pending(timers: list[asyncio.TimerHandle]) -> int:
    return sum(not timer.cancelled() for timer in timers)


async def ends_by(deadlines: Deadlines, length_s: float, wait: Callable[[], Any]) -> tuple[BaseException, bool, int]:
    """Return how a wait under a deadline ends, whether the deadline says it was due to it, and the cancels left."""
    deadline = deadlines.begin(length_s)
    task = asyncio.current_task()
    assert task is not None
    try:
        await wait()
    except BaseException as error:  # cancellations are what this is about
        return error, deadline.end(error), task.cancelling()
    raise AssertionError("it was not ended")


async def test_it_cancels_what_lasts_too_long() -> None:
    error, due, cancels = await ends_by(Deadlines(), 0.001, asyncio.Event().wait)
    assert (type(error), due, cancels) == (asyncio.CancelledError, True, 0)


async def test_one_that_follows_on_another_that_was_in_time() -> None:
    deadlines = Deadlines()
    for _ in range(3):
        deadlines.begin(0.001).end()
    assert (await ends_by(deadlines, 0.001, asyncio.Event().wait))[1]
    assert (await ends_by(deadlines, 0.001, asyncio.Event().wait))[1]


async def test_many_of_one_length_and_of_others() -> None:
    deadlines = Deadlines()
    tasks = [ends_by(deadlines, 0.001 * (1 + n % 3), asyncio.Event().wait) for n in range(30)]
    assert [found[1:] for found in await asyncio.gather(*tasks)] == [(True, 0)] * 30


async def test_a_cancellation_of_somebody_else_stays_theirs() -> None:
    task = asyncio.create_task(ends_by(Deadlines(), LONG_S, asyncio.Event().wait))
    await asyncio.sleep(0)
    task.cancel()
    error, due, cancels = await task
    assert (type(error), due, cancels) == (asyncio.CancelledError, False, 1)


async def test_one_of_both_at_once_is_theirs() -> None:
    async def both() -> None:
        task = asyncio.current_task()
        assert task is not None
        try:
            await asyncio.Event().wait()
        finally:
            task.cancel()

    error, due, cancels = await ends_by(Deadlines(), 0.001, both)
    assert (type(error), due, cancels) == (asyncio.CancelledError, False, 1)


@pytest.mark.parametrize(("raised", "due"), [(TransportError("x"), True), (TimeoutError(), True), (KeyError(), False)])
async def test_what_a_cancellation_was_turned_into(raised: Exception, due: bool) -> None:
    async def turned() -> None:
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            raise raised from None

    assert await ends_by(Deadlines(), 0.001, turned) == (raised, due, 0)


async def test_what_is_done_in_spite_of_it_is_done() -> None:
    deadline = Deadlines().begin(0.001)
    with pytest.raises(asyncio.CancelledError):
        await asyncio.Event().wait()
    task = asyncio.current_task()
    assert task is not None
    assert (deadline.expired, deadline.end(), task.cancelling()) == (True, False, 0)


async def test_all_of_one_length_share_a_timer(timers: list[asyncio.TimerHandle]) -> None:
    deadlines = Deadlines()
    running = [deadlines.begin(LONG_S) for _ in range(100)]
    for deadline in running:
        deadline.end()
    deadlines.begin(LONG_S).end()
    assert len(timers) == 1


async def test_lengths_that_are_never_the_same_leave_few_timers(timers: list[asyncio.TimerHandle]) -> None:
    deadlines = Deadlines()
    running = [deadlines.begin(LONG_S + n) for n in range(200)]
    for n in range(1000):
        deadlines.begin(2 * LONG_S + n).end()
    assert 200 <= pending(timers) <= 600
    for deadline in running:
        deadline.end()
    deadlines.close()
    assert pending(timers) == 0


async def test_close_leaves_those_under_way(timers: list[asyncio.TimerHandle]) -> None:
    deadlines = Deadlines()
    deadlines.begin(LONG_S).end()
    error, due, _ = await ends_by(deadlines, 0.001, _closing(deadlines))
    assert (type(error), due) == (asyncio.CancelledError, True)
    assert [timer.cancelled() for timer in timers] == [True, False]


def _closing(deadlines: Deadlines) -> Callable[[], Any]:
    async def wait() -> None:
        deadlines.close()
        await asyncio.Event().wait()

    return wait


async def test_the_timer_keeps_nothing_of_the_call_that_began_it() -> None:
    variable: ContextVar[Thing] = ContextVar("variable")
    deadlines = Deadlines()

    async def call() -> weakref.ref[Thing]:
        thing = Thing()
        variable.set(thing)
        deadlines.begin(LONG_S).end()
        return weakref.ref(thing)

    ref = await asyncio.create_task(call())
    await asyncio.sleep(0)
    gc.collect()
    assert ref() is None
    deadlines.close()


async def test_it_needs_a_task() -> None:
    done: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def outside() -> None:
        with pytest.raises(RuntimeError, match="must run in a task"):
            Deadlines().begin(1)
        done.set_result(None)

    asyncio.get_running_loop().call_soon(outside)
    await done


def test_a_cancellation_becomes_the_timeout_that_it_was() -> None:
    cancelled, other = asyncio.CancelledError(), ValueError()
    cause = cause_of(cancelled)
    assert type(cause) is TimeoutError
    assert cause.__cause__ is cancelled
    assert cause_of(other) is other
