"""The loop thread: calls, context, errors, callbacks, wrong threads, shutdown."""

from __future__ import annotations

import asyncio
import contextlib
import contextvars
import gc
import threading
import traceback
import types
import warnings
import weakref
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest

from asyncclient._sync import calls
from asyncclient._sync import portal as portal_module
from asyncclient._sync.calls import Call, own_mailbox
from asyncclient._sync.portal import BlockingCallWarning, Portal, get_portal
from asyncclient.errors import HubClosed, WrongLoop

color: contextvars.ContextVar[str] = contextvars.ContextVar("color", default="none")


async def double(value: int, *, plus: int = 0) -> int:
    await asyncio.sleep(0)
    return value * 2 + plus


def test_a_call_returns_the_result(portal: Portal) -> None:
    assert portal.run(double, 4, plus=1) == 9
    assert portal.run(double, 5) == 10


def test_the_thread_is_a_named_daemon_and_stays(portal: Portal) -> None:
    async def where() -> threading.Thread:
        return threading.current_thread()

    thread = portal.run(where)
    assert thread.daemon
    assert thread.name.startswith("asyncclient-loop")
    assert portal.run(where) is thread
    assert get_portal() is portal
    assert not portal.open_calls


def test_uvloop_is_used_where_it_is_installed(portal: Portal) -> None:
    uvloop = pytest.importorskip("uvloop")
    assert isinstance(portal.loop, uvloop.Loop)


def test_many_threads_share_the_portal(portal: Portal) -> None:
    results: dict[int, list[int]] = {}

    def work(number: int) -> None:
        results[number] = [portal.run(double, number * 1000 + i) for i in range(200)]

    threads = [threading.Thread(target=work, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert results == {number: [2 * (number * 1000 + i) for i in range(200)] for number in range(8)}


def test_first_use_by_many_threads_makes_one_portal() -> None:
    barrier = threading.Barrier(8)
    found: list[Portal] = []

    def work() -> None:
        barrier.wait()
        found.append(get_portal())

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(map(id, found))) == 1
    found[0].close()


def test_context_variables_of_the_caller_reach_the_task_and_its_children(portal: Portal) -> None:
    async def look() -> tuple[str, str]:
        async def child() -> str:
            return color.get()

        seen = color.get()
        color.set("changed inside")
        color.set(seen)
        return seen, await asyncio.create_task(child())

    token = color.set("green")
    try:
        assert portal.run(look) == ("green", "green")
        assert color.get() == "green"
    finally:
        color.reset(token)
    assert portal.run(look) == ("none", "none")


# --- errors ----------------------------------------------------------------------------------------------------------


class Refused(Exception):
    def __init__(self, code: int, *, reason: str) -> None:
        super().__init__(code, reason)


async def fail_below() -> None:
    try:
        raise ValueError("the cause")
    except ValueError as error:
        raise Refused(7, reason="why") from error


async def fail() -> None:
    await fail_below()


def test_errors_arrive_unwrapped_with_cause_and_short_traceback(portal: Portal) -> None:
    with pytest.raises(Refused) as caught:
        portal.run(fail)
    error = caught.value
    assert type(error) is Refused
    assert isinstance(error.__cause__, ValueError)
    frames = [(frame.name, frame.filename) for frame in traceback.extract_tb(error.__traceback__)]
    names = [name for name, _ in frames]
    assert names == ["test_errors_arrive_unwrapped_with_cause_and_short_traceback", "run", "fail", "fail_below"]


def test_errors_do_not_wait_for_the_cyclic_collector(portal: Portal) -> None:
    marker: list[weakref.ref[Refused]] = []

    async def marked() -> None:
        error = Refused(1, reason="x")
        marker.append(weakref.ref(error))
        try:
            raise error
        finally:
            del error

    gc.collect()
    gc.disable()
    try:
        try:
            portal.run(marked)
        except Refused:
            pass
        portal.run(double, 1)  # the task of the first call has ended for certain
        assert marker[0]() is None
    finally:
        gc.enable()


@pytest.mark.parametrize("kind", [SystemExit, KeyboardInterrupt, GeneratorExit])
def test_what_would_end_the_loop_goes_to_the_caller(portal: Portal, kind: type[BaseException]) -> None:
    async def leave() -> None:
        raise kind("now")

    with pytest.raises(kind, match="now"):
        portal.run(leave)
    assert portal.run(double, 1) == 2


def test_a_task_that_cancels_itself_raises_cancelled_error(portal: Portal) -> None:
    async def give_up() -> None:
        raise asyncio.CancelledError("by itself")

    with pytest.raises(asyncio.CancelledError, match="by itself"):
        portal.run(give_up)


def test_bad_arguments_raise_type_error(portal: Portal) -> None:
    with pytest.raises(TypeError, match="colour"):
        portal.run(double, 1, colour="red")  # type: ignore[call-arg]  # what is tested


# --- callbacks -------------------------------------------------------------------------------------------------------


async def report(progress: object, count: int) -> str:
    assert callable(progress)
    for number in range(count):
        progress(number)
        await asyncio.sleep(0)
    await asyncio.to_thread(progress, count)
    return "done"


def test_callbacks_run_in_the_thread_that_waits_in_order(portal: Portal) -> None:
    seen: list[tuple[int, int]] = []
    callback = portal.deliver(lambda number: seen.append((number, threading.get_ident())))
    assert portal.run(report, callback, 50) == "done"
    assert seen == [(number, threading.get_ident()) for number in range(51)]


def test_events_after_the_call_are_dropped(portal: Portal) -> None:
    seen: list[int] = []
    callback = portal.deliver(seen.append)
    portal.run(report, callback, 1)
    callback(99)
    portal.run(double, 1)
    assert seen == [0, 1]


def test_a_callback_given_by_keyword_is_closed_too(portal: Portal) -> None:
    seen: list[int] = []
    callback = portal.deliver(seen.append)
    portal.run(report, progress=callback, count=0)
    callback(99)
    portal.run(double, 1)
    assert seen == [0]


def test_a_failing_callback_cancels_the_call_and_is_raised(portal: Portal) -> None:
    events: list[str] = []

    def callback(number: int) -> None:
        events.append(f"event {number}")
        raise Refused(number, reason="the widget is gone")

    async def work(progress: object) -> None:
        assert callable(progress)
        try:
            progress(1)
            progress(2)
            await asyncio.Event().wait()
        finally:
            await asyncio.sleep(0)
            events.append("cleaned up")

    with pytest.raises(Refused, match="widget"):
        portal.run(work, portal.deliver(callback))
    assert events == ["event 1", "cleaned up"]
    assert not portal.open_calls


def test_callbacks_may_call_and_are_not_entered_twice(portal: Portal) -> None:
    log: list[str] = []

    def outer(number: int) -> None:
        log.append(f"outer {number} begins")
        portal.run(report, portal.deliver(lambda inner: log.append(f"inner {inner}")), 1)
        log.append(f"outer {number} ends")

    async def burst(progress: object) -> None:
        assert callable(progress)
        for number in range(3):
            progress(number)

    portal.run(burst, portal.deliver(outer))
    one = ["inner 0", "inner 1"]
    assert log == [line for i in range(3) for line in (f"outer {i} begins", *one, f"outer {i} ends")]


# --- the wrong thread ------------------------------------------------------------------------------------------------


def test_a_call_on_the_loop_thread_is_refused_with_a_sentence(portal: Portal) -> None:
    async def deadlock() -> None:
        portal.run(double, 1)

    with pytest.raises(WrongLoop, match=r"wait for itself; use double there, with 'await'"):
        portal.run(deadlock)
    with pytest.raises(RuntimeError):
        portal.run(deadlock)


@pytest.mark.anyio
async def test_a_call_under_another_loop_warns_once_and_works(portal: Portal) -> None:
    with pytest.warns(BlockingCallWarning, match="use double instead") as caught:
        assert portal.run(double, 1) == 2
    assert caught[0].filename == __file__
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert portal.run(double, 2) == 4


@pytest.mark.anyio
async def test_notebooks_are_not_warned(portal: Portal, monkeypatch: pytest.MonkeyPatch) -> None:
    async def in_a_cell() -> str:
        return "works"

    ipython = types.ModuleType("IPython")
    ipython.get_ipython = lambda: object()  # type: ignore[attr-defined]  # a module made for this test
    monkeypatch.setitem(portal_module.sys.modules, "IPython", ipython)
    assert portal.run(in_a_cell) == "works"


def test_a_worker_thread_of_the_loop_may_call(portal: Portal) -> None:
    async def outer() -> int:
        return await asyncio.to_thread(portal.run, double, 21)

    assert portal.run(outer) == 42


# --- interruption and shutdown ---------------------------------------------------------------------------------------


def test_closing_raises_in_waiting_threads_and_the_next_call_begins_anew(portal: Portal) -> None:
    entered, outcome = threading.Event(), []

    async def hang() -> None:
        entered.set()
        await asyncio.Event().wait()

    def work() -> None:
        try:
            portal.run(hang)
        except HubClosed as error:
            outcome.append(error)

    thread = threading.Thread(target=work)
    thread.start()
    entered.wait()
    assert "1 open calls" in repr(portal)
    portal.close()
    thread.join()
    assert isinstance(outcome[0].__cause__, asyncio.CancelledError)
    assert "closed" in repr(portal)
    with pytest.raises(HubClosed):
        portal.run(double, 1)
    fresh = get_portal()
    assert fresh.generation == portal.generation + 1
    assert fresh.run(double, 1) == 2
    fresh.close()
    portal.close()


def test_a_loop_that_was_closed_behind_our_back_is_noticed(portal: Portal) -> None:
    portal.close()
    portal.refusal = None
    with pytest.raises(HubClosed):
        portal.run(double, 1)
    assert not portal.post(lambda: None)


def test_the_loop_thread_does_not_close_itself(portal: Portal) -> None:
    async def close() -> None:
        portal.close()

    with pytest.raises(WrongLoop):
        portal.run(close)


def test_closers_are_awaited_while_their_owner_lives(portal: Portal, caplog: pytest.LogCaptureFixture) -> None:
    class Owner:
        pass

    closed: list[str] = []

    async def close(name: str) -> None:
        closed.append(name)

    alive, dead = Owner(), Owner()

    async def fail() -> None:
        raise LookupError("broken")

    broken = Owner()
    portal.on_close(broken, fail)
    portal.on_close(alive, lambda: close("alive"))
    portal.on_close(dead, lambda: close("dead"))
    del dead
    portal.close()
    assert closed == ["alive"]
    assert "closing failed" in caplog.text


def outcome_of(portal: Portal, fn: Callable[[], Awaitable[object]], outcomes: list[object]) -> threading.Thread:
    def work() -> None:
        try:
            outcomes.append(portal.run(fn))
        except BaseException as error:
            outcomes.append(error)

    thread = threading.Thread(target=work)
    thread.start()
    return thread


def test_a_call_handed_over_in_the_last_turn_of_the_loop_is_ended(portal: Portal) -> None:
    blocked, go = threading.Event(), threading.Event()

    async def last_turn() -> str:
        blocked.set()
        portal.loop.stop()
        go.wait()
        return "done"

    async def hang() -> None:
        await asyncio.Event().wait()

    outcomes: list[object] = []
    first = outcome_of(portal, last_turn, outcomes)
    blocked.wait()
    second = outcome_of(portal, hang, outcomes)
    while len(portal.open_calls) < 2:
        threading.Event().wait(0.001)
    go.set()
    first.join()
    second.join()
    assert sorted(type(outcome).__name__ for outcome in outcomes) == ["HubClosed", "str"]
    with pytest.raises(HubClosed):
        portal.run(double, 1)


def test_a_task_that_will_not_end_does_not_hold_up_closing(
    portal: Portal, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(portal_module, "_DRAIN_S", 0.05)
    started = threading.Event()

    async def stubborn() -> None:
        while True:
            with contextlib.suppress(asyncio.CancelledError):
                started.set()
                await asyncio.Event().wait()

    outcomes: list[object] = []
    thread = outcome_of(portal, stubborn, outcomes)
    started.wait()
    portal.close(10)
    thread.join()
    assert isinstance(outcomes[0], HubClosed)
    del thread
    gc.collect()
    assert not caplog.records, "asyncio logs when a task is destroyed that is pending"


def test_an_error_of_the_caller_cancels_before_the_first_step(portal: Portal) -> None:
    started, release = threading.Event(), threading.Event()
    ran: list[str] = []

    async def block() -> None:
        started.set()
        release.wait()

    async def never() -> None:
        ran.append("never")

    thread = threading.Thread(target=portal.run, args=(block,))
    thread.start()
    started.wait()

    def interrupt(_: int) -> None:
        release.set()
        raise Refused(0, reason="before it began")

    callback = portal.deliver(interrupt)
    callback(1)  # already queued when the wait begins

    async def with_callback(progress: object) -> None:
        ran.append("step")
        await asyncio.Event().wait()

    with pytest.raises(Refused):
        portal.run(with_callback, callback)
    thread.join()
    assert not portal.open_calls


def test_a_clean_up_that_takes_too_long_is_not_waited_for(portal: Portal, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(portal_module, "_GRACE_S", 0.05)
    release = asyncio.Event()

    async def slow_to_end(progress: Callable[[], None]) -> None:
        try:
            progress()
            await asyncio.Event().wait()
        finally:
            await release.wait()

    def interrupt() -> None:
        raise Refused(0, reason="interrupt")

    with pytest.raises(Refused):
        portal.run(slow_to_end, portal.deliver(interrupt))
    assert len(portal.open_calls) == 1
    portal.post(release.set)
    while portal.open_calls:
        portal.run(asyncio.sleep, 0.001)


def test_a_call_that_was_interrupted_before_it_was_handed_over_ends(portal: Portal) -> None:
    """Ctrl-C may strike between any two lines of the hand-over."""
    call = Call(portal, double, (1,), {}, own_mailbox())
    portal.open_calls.add(call)
    portal.give_up(call)
    assert isinstance(call.error, asyncio.CancelledError)
    portal.post(call.start)
    assert portal.run(double, 1) == 2
    assert call.task is None
    assert not portal.open_calls


def test_waiting_in_small_steps_as_on_windows(portal: Portal, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(calls, "_POLL_S", 0.005)
    monkeypatch.setattr(portal_module, "_GRACE_S", 0.05)
    seen: list[int] = []
    assert portal.run(asyncio.sleep, 0.03, "done") == "done"
    assert portal.run(report, portal.deliver(seen.append), 3) == "done"
    assert seen == [0, 1, 2, 3]
    with pytest.raises(Refused):
        portal.run(report, portal.deliver(fail_at_once), 3)
    assert list(portal.iterate(three)) == [0, 1, 2]


def fail_at_once(number: int) -> None:
    raise Refused(number, reason="at once")


async def three() -> AsyncIterator[int]:
    for number in range(3):
        await asyncio.sleep(0.01)
        yield number
