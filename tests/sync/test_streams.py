"""Iterators and context managers of the loop thread: one task each, a page ahead, cleaned up."""

from __future__ import annotations

import asyncio
import gc
import threading
import traceback
from collections.abc import AsyncIterator, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from types import TracebackType
from typing import Any

import anyio
import pytest

from asyncclient._sync.portal import Portal
from asyncclient.errors import HubClosed, WrongLoop


def wait_until(condition: Any) -> None:
    for _ in range(5000):
        if condition():
            return
        threading.Event().wait(0.002)
    raise AssertionError("the condition did not come true")


async def pages(count: int, size: int, log: list[str]) -> AsyncIterator[int]:
    try:
        for page in range(count):
            log.append(f"page {page}")
            await asyncio.sleep(0)
            for item in range(size):
                yield page * size + item
        log.append("end")
    finally:
        log.append("closed")


@pytest.mark.parametrize(("count", "size"), [(0, 0), (1, 1), (7, 1), (3, 10), (4, 200)])
def test_all_items_arrive_in_order(portal: Portal, count: int, size: int) -> None:
    log: list[str] = []
    assert list(portal.iterate(pages, count, size, log)) == list(range(count * size))
    assert log == [*(f"page {page}" for page in range(count)), "end", "closed"]
    assert not portal.open_calls


def test_nothing_happens_before_the_first_item_is_asked_for(portal: Portal) -> None:
    log: list[str] = []
    items = portal.iterate(pages, 2, 2, log)
    items.close()
    assert log == []
    assert list(items) == []


def test_the_pump_is_one_page_ahead_and_no_more(portal: Portal) -> None:
    log: list[str] = []
    items = portal.iterate(pages, 5, 3, log)
    assert next(items) == 0
    wait_until(lambda: "page 1" in log)
    portal.run(asyncio.sleep, 0.02)
    assert log == ["page 0", "page 1"]
    assert [next(items) for _ in range(3)] == [1, 2, 3]
    wait_until(lambda: "page 2" in log)
    portal.run(asyncio.sleep, 0.02)
    assert log == ["page 0", "page 1", "page 2"]
    items.close()
    assert log[-1] == "closed"


def test_pieces_of_a_file_are_not_piled_up(portal: Portal) -> None:
    made: list[int] = []

    async def pieces() -> AsyncIterator[bytes]:
        for number in range(100):
            made.append(number)
            yield b"x"

    items = portal.iterate(pieces)
    assert next(items) == b"x"
    portal.run(asyncio.sleep, 0.02)
    assert len(made) <= 2
    assert len(list(items)) == 99


def test_one_task_enters_runs_and_leaves(portal: Portal) -> None:
    tasks: set[int] = set()

    async def scoped() -> AsyncIterator[int]:
        with anyio.CancelScope():  # must be left by the task that entered it
            async with anyio.create_task_group():
                for number in range(3):
                    tasks.add(id(asyncio.current_task()))
                    yield number
                    await asyncio.sleep(0)
        tasks.add(id(asyncio.current_task()))

    assert list(portal.iterate(scoped)) == [0, 1, 2]
    assert len(tasks) == 1

    async def left_early() -> AsyncIterator[int]:
        with anyio.CancelScope():
            yield 0
            yield 1

    with portal.iterate(left_early) as items:
        assert next(items) == 0


def test_leaving_the_loop_early_closes_the_generator(portal: Portal) -> None:
    log: list[str] = []
    for item in portal.iterate(pages, 3, 3, log):
        if item == 1:
            break
    wait_until(lambda: "closed" in log)
    assert "end" not in log
    wait_until(lambda: not portal.open_calls)


def test_close_waits_for_the_clean_up_of_a_generator_that_waits(portal: Portal) -> None:
    log: list[str] = []

    async def waiting() -> AsyncIterator[int]:
        try:
            yield 1
            await asyncio.Event().wait()
        finally:
            await asyncio.sleep(0.01)
            log.append("closed")

    items = portal.iterate(waiting)
    assert next(items) == 1
    items.close()
    assert log == ["closed"]
    items.close()
    assert next(items, "none") == "none"


def test_an_error_of_the_clean_up_is_raised_by_close(portal: Portal) -> None:
    async def bad() -> AsyncIterator[int]:
        try:
            yield 1
            await asyncio.Event().wait()
        finally:
            raise LookupError("while closing")

    items = portal.iterate(bad)
    next(items)
    with pytest.raises(LookupError, match="while closing"):
        items.close()


def test_errors_come_after_the_items_before_them_with_a_short_traceback(portal: Portal) -> None:
    async def breaks() -> AsyncIterator[int]:
        yield 1
        yield 2
        raise LookupError("third")

    items = portal.iterate(breaks)
    assert [next(items), next(items)] == [1, 2]
    with pytest.raises(LookupError, match="third") as caught:
        next(items)
    names = [frame.name for frame in traceback.extract_tb(caught.value.__traceback__)]
    assert names == [
        "test_errors_come_after_the_items_before_them_with_a_short_traceback",
        "__next__",
        "breaks",
    ]
    assert list(items) == []


def test_bad_arguments_and_plain_iterators(portal: Portal) -> None:
    with pytest.raises(TypeError):
        next(portal.iterate(pages, 1))  # type: ignore[call-arg]  # what is tested

    class Plain:
        """An async iterator without aclose, whose item is a plain awaitable."""

        def __init__(self) -> None:
            self.left = 2

        def __aiter__(self) -> Plain:
            return self

        async def __anext__(self) -> int:
            if not self.left:
                raise StopAsyncIteration
            self.left -= 1
            await asyncio.get_running_loop().run_in_executor(None, gc.isenabled)
            return self.left

    assert list(portal.iterate(Plain)) == [1, 0]


def test_callbacks_arrive_between_the_items_and_cancel_when_they_fail(portal: Portal) -> None:
    seen: list[int] = []

    async def items(progress: Any) -> AsyncIterator[int]:
        for number in range(3):
            progress(number)
            await asyncio.sleep(0)
            yield number

    assert list(portal.iterate(items, portal.deliver(seen.append))) == [0, 1, 2]
    assert seen == [0, 1, 2]

    def fail(number: int) -> None:
        raise LookupError(number)

    broken = portal.iterate(items, portal.deliver(fail))
    with pytest.raises(LookupError):
        next(broken)
    assert list(broken) == []
    assert not portal.open_calls


def test_an_iterator_may_move_to_another_thread(portal: Portal) -> None:
    items = portal.iterate(pages, 3, 3, [])
    first = next(items)
    rest: list[int] = []
    thread = threading.Thread(target=lambda: rest.extend(items))
    thread.start()
    thread.join()
    assert [first, *rest] == list(range(9))


def test_on_the_loop_thread_an_iterator_is_refused(portal: Portal) -> None:
    items = portal.iterate(pages, 3, 3, [])

    async def inside() -> None:
        next(items)

    with pytest.raises(WrongLoop):
        portal.run(inside)


def test_closing_the_portal_ends_iterators(portal: Portal) -> None:
    async def waiting() -> AsyncIterator[int]:
        yield 1
        await asyncio.Event().wait()

    items: Iterator[int] = portal.iterate(waiting)
    assert next(items) == 1
    portal.close()
    with pytest.raises(HubClosed):
        next(items)
    with pytest.raises(HubClosed):
        next(portal.iterate(waiting))


# --- context managers ------------------------------------------------------------------------------------------------


class Recorder:
    def __init__(self, *, suppress: bool = False, enter: Any = None, leave: Any = None) -> None:
        self.log: list[Any] = []
        self.tasks: set[int] = set()
        self.suppress = suppress
        self.enter = enter
        self.leave = leave

    async def __aenter__(self) -> Recorder:
        self.tasks.add(id(asyncio.current_task()))
        if self.enter is not None:
            await self.enter()
        self.log.append("in")
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> bool:
        self.tasks.add(id(asyncio.current_task()))
        await asyncio.sleep(0)
        self.log.append(kind)
        if self.leave is not None:
            raise self.leave
        return self.suppress


def scope_of(recorder: Recorder) -> AbstractAsyncContextManager[Recorder]:
    return recorder


def test_a_scope_is_entered_and_left_by_one_task(portal: Portal) -> None:
    recorder = Recorder()
    with portal.enter(scope_of, recorder) as value:
        assert value is recorder
        assert recorder.log == ["in"]
        assert len(portal.open_calls) == 1
    assert recorder.log == ["in", None]
    assert len(recorder.tasks) == 1
    assert not portal.open_calls


@pytest.mark.parametrize("kind", [ValueError, KeyboardInterrupt, SystemExit])
def test_the_manager_sees_the_error_and_may_suppress_it(portal: Portal, kind: type[BaseException]) -> None:
    recorder = Recorder()
    with pytest.raises(kind, match="body"), portal.enter(scope_of, recorder):
        raise kind("body")
    assert recorder.log == ["in", kind]
    quiet = Recorder(suppress=True)
    with portal.enter(scope_of, quiet):
        raise kind("body")
    assert quiet.log == ["in", kind]
    assert portal.run(asyncio.sleep, 0, "alive") == "alive"


def test_generators_with_task_groups_work(portal: Portal) -> None:
    seen: list[BaseException] = []

    @asynccontextmanager
    async def group() -> AsyncIterator[str]:
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(anyio.sleep, 0)
            try:
                yield "value"
            except BaseException as error:
                seen.append(error)
                raise

    with portal.enter(group) as value:
        assert value == "value"
    with pytest.raises(BaseException) as caught, portal.enter(group):
        raise KeyboardInterrupt
    assert isinstance(caught.value, KeyboardInterrupt | BaseExceptionGroup)
    assert isinstance(seen[0], KeyboardInterrupt)


def test_an_error_while_entering_or_leaving_is_raised(portal: Portal) -> None:
    async def refuse() -> None:
        raise LookupError("no entry")

    with pytest.raises(LookupError, match="no entry"), portal.enter(scope_of, Recorder(enter=refuse)):
        raise AssertionError("never entered")
    with (
        pytest.raises(LookupError, match="no exit") as caught,
        portal.enter(scope_of, Recorder(leave=LookupError("no exit"))),
    ):
        raise ValueError("body")
    assert isinstance(caught.value.__context__, ValueError)
    assert not portal.open_calls


def test_the_error_itself_raised_again_on_leaving_is_the_bodys(portal: Portal) -> None:
    error = ValueError("body")
    with pytest.raises(ValueError, match="body") as caught, portal.enter(scope_of, Recorder(leave=error)):
        raise error
    assert caught.value is error


def test_closing_the_portal_leaves_open_scopes(portal: Portal) -> None:
    recorder = Recorder()
    with portal.enter(scope_of, recorder):
        portal.close()
        assert recorder.log == ["in", asyncio.CancelledError]


def test_a_scope_is_entered_once(portal: Portal) -> None:
    scope = portal.enter(scope_of, Recorder())
    with scope, pytest.raises(RuntimeError, match="once"):
        scope.__enter__()


def test_an_interrupted_entry_and_exit_cancel_the_task(portal: Portal) -> None:
    log: list[str] = []

    async def slow(progress: Any) -> None:
        try:
            progress(1)
            await asyncio.Event().wait()
        finally:
            log.append("cleaned up")

    def fail(_: int) -> None:
        raise LookupError("interrupt")

    def entering(progress: Any) -> AbstractAsyncContextManager[Recorder]:
        return Recorder(enter=lambda: slow(progress))

    @asynccontextmanager
    async def leaving(progress: Any) -> AsyncIterator[None]:
        yield
        await slow(progress)

    with pytest.raises(LookupError), portal.enter(entering, portal.deliver(fail)):
        raise AssertionError("never entered")
    with pytest.raises(LookupError), portal.enter(leaving, portal.deliver(fail)):
        pass
    assert log == ["cleaned up"] * 2
    assert not portal.open_calls
