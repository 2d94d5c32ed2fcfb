from __future__ import annotations

import asyncio
import gc
import sys
import weakref
from collections.abc import AsyncIterator, Iterator
from typing import Any

import anyio
import pytest

from asyncclient._map import run_map
from asyncclient._scheduler import CURRENT_JOB
from asyncclient.errors import ArgumentError
from asyncclient.hub import AsyncHub
from asyncclient.types import Limits
from tests.core.support import turns

pytestmark = [pytest.mark.anyio, pytest.mark.parametrize("ordered", [True, False])]


class Calls:
    """A function to be mapped: each call waits for its gate, or for a turn of the loop."""

    def __init__(self) -> None:
        self.gates: dict[int, asyncio.Event] = {}
        self.errors: dict[int, Exception] = {}
        self.started: list[int] = []
        self.running = 0
        self.most = 0
        self.cancelled: list[int] = []

    def gate(self, *items: int) -> None:
        for item in items:
            self.gates[item] = asyncio.Event()

    async def __call__(self, item: int) -> int:
        self.started.append(item)
        self.running += 1
        self.most = max(self.most, self.running)
        try:
            if item in self.gates:
                await self.gates[item].wait()
            else:
                await asyncio.sleep(0)
            if item in self.errors:
                raise self.errors[item]
            return item * 10
        except asyncio.CancelledError:
            self.cancelled.append(item)
            raise
        finally:
            self.running -= 1


class Source:
    """Counts what is taken."""

    def __init__(self, count: int | None) -> None:
        self.count = count
        self.taken = 0

    def __iter__(self) -> Iterator[int]:
        while self.count is None or self.taken < self.count:
            self.taken += 1
            yield self.taken - 1


class AsyncSource:
    """The same, a turn of the loop apart; knows whether it was closed, and may fail."""

    def __init__(self, count: int | None, error: Exception | None = None, gate: asyncio.Event | None = None) -> None:
        self.count = count
        self.error = error
        self.gate = gate
        self.taken = 0
        self.closed = False

    async def __aiter__(self) -> AsyncIterator[int]:
        try:
            while self.count is None or self.taken < self.count:
                self.taken += 1
                await asyncio.sleep(0)
                yield self.taken - 1
            if self.gate is not None:
                await self.gate.wait()
            if self.error is not None:
                raise self.error
        finally:
            await asyncio.sleep(0)
            self.closed = True


async def collect(iterator: AsyncIterator[Any]) -> list[Any]:
    return [result async for result in iterator]


@pytest.mark.parametrize(("count", "concurrency"), [(0, 1), (1, 4), (10, 1), (10, 3), (3, 10)])
async def test_every_result_once(ordered: bool, count: int, concurrency: int) -> None:
    calls = Calls()
    results = await collect(run_map(calls, range(count), concurrency, ordered=ordered))
    assert sorted(results) == [item * 10 for item in range(count)]
    assert calls.most <= concurrency
    if ordered:
        assert results == sorted(results)


async def test_order(ordered: bool) -> None:
    calls = Calls()
    calls.gate(0)
    iterator = run_map(calls, range(3), 3, ordered=ordered)
    first = asyncio.ensure_future(anext(iterator))
    await turns()
    assert first.done() is not ordered
    calls.gates[0].set()
    results = [await first, *await collect(iterator)]
    assert results == ([0, 10, 20] if ordered else [*sorted(results[:2]), 0])


async def test_it_takes_items_only_when_they_may_start(ordered: bool) -> None:
    calls = Calls()
    source = Source(None)
    iterator = run_map(calls, source, 4, ordered=ordered)
    assert source.taken == 0
    await anext(iterator)
    for _ in range(20):
        await turns()
        assert source.taken == len(calls.started) <= 5  # four, and one in place of the result taken
    for count in range(2, 50):
        await anext(iterator)
        assert source.taken <= count + 4
    await iterator.aclose()  # type: ignore[attr-defined]  # an async generator, typed as its interface
    assert calls.running == 0


async def test_the_first_error_ends_it_and_cancels_the_rest(ordered: bool) -> None:
    calls = Calls()
    calls.gate(0, 1, 3)
    calls.errors[2] = KeyError("two")
    with pytest.raises(KeyError, match="two"):
        await collect(run_map(calls, Source(None), 4, ordered=ordered))
    assert sorted(calls.cancelled) == [0, 1, 3]
    assert calls.running == 0


async def test_several_errors_at_once(ordered: bool) -> None:
    calls = Calls()
    for item in range(4):
        calls.errors[item] = KeyError(item)
    with pytest.raises(KeyError):
        await collect(run_map(calls, range(4), 4, ordered=ordered))
    gc.collect()  # an error nobody looked at would be reported now


async def test_an_error_while_nobody_listens(ordered: bool) -> None:
    calls = Calls()
    calls.gate(1)
    calls.errors[1] = KeyError("one")
    iterator = run_map(calls, range(3), 2, ordered=ordered)
    assert await anext(iterator) == 0
    calls.gates[1].set()
    await turns()
    with pytest.raises(KeyError):
        await collect(iterator)


async def test_an_error_of_the_source(ordered: bool) -> None:
    def source() -> Iterator[int]:
        yield 0
        yield 1
        raise OSError("no more files")

    calls = Calls()
    calls.gate(0, 1)
    with pytest.raises(OSError, match="no more files"):
        await collect(run_map(calls, source(), 4, ordered=ordered))
    assert calls.running == 0


async def test_leaving_early_cancels_what_is_under_way(ordered: bool) -> None:
    calls = Calls()
    calls.gate(*range(1, 10))
    async for _ in run_map(calls, range(10), 4, ordered=ordered):
        break
    while calls.running:  # the loop closes a generator that nobody holds any more
        gc.collect()
        await asyncio.sleep(0)
    assert sorted(calls.cancelled) == sorted(set(calls.started) - {0})


async def test_cancelling_the_consumer(ordered: bool) -> None:
    calls = Calls()
    calls.gate(*range(4))
    task = asyncio.create_task(collect(run_map(calls, range(10), 4, ordered=ordered)))
    await turns()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert (calls.running, sorted(calls.cancelled)) == (0, [0, 1, 2, 3])


async def test_a_cancelled_scope_waits_for_its_calls(ordered: bool) -> None:
    cleaned = 0

    async def slow_to_leave(item: int) -> None:
        nonlocal cleaned
        try:
            await asyncio.Event().wait()
        finally:
            with anyio.CancelScope(shield=True):
                await turns(5)
                cleaned += 1

    with anyio.CancelScope() as scope:
        async with anyio.create_task_group() as group:

            async def consume() -> None:
                try:
                    await collect(run_map(slow_to_leave, range(3), 3, ordered=ordered))
                finally:
                    assert cleaned == 3

            group.start_soon(consume)
            await turns()
            scope.cancel()
    assert cleaned == 3


async def test_a_million_items_at_constant_memory(ordered: bool) -> None:
    steps = 0

    async def count(item: int) -> int:
        return item

    before = 0
    async for result in run_map(count, range(1_000_000), 32, ordered=ordered):
        steps += 1
        if result == 1000:
            before = len(asyncio.all_tasks())
        if steps % 1000 == 0:
            assert len(asyncio.all_tasks()) <= before + 33
        if steps == 30_000:
            blocks = sys.getallocatedblocks()
        if steps == 60_000:
            assert sys.getallocatedblocks() <= blocks + 5_000
            break
    assert steps == 60_000


class TestAsyncSources:
    @pytest.mark.parametrize(("count", "concurrency"), [(0, 1), (1, 4), (10, 1), (10, 3), (3, 10)])
    async def test_every_result_once(self, ordered: bool, count: int, concurrency: int) -> None:
        calls, source = Calls(), AsyncSource(count)
        results = await collect(run_map(calls, source, concurrency, ordered=ordered))
        assert sorted(results) == [item * 10 for item in range(count)]
        assert calls.most <= concurrency
        assert source.closed
        if ordered:
            assert results == sorted(results)

    async def test_results_come_while_the_source_is_silent(self, ordered: bool) -> None:
        calls, source = Calls(), AsyncSource(2, gate=asyncio.Event())
        iterator = run_map(calls, source, 4, ordered=ordered)
        assert [await anext(iterator), await anext(iterator)] == [0, 10]
        rest = asyncio.ensure_future(collect(iterator))
        await turns()
        assert not rest.done()
        assert source.gate is not None
        source.gate.set()
        assert await rest == []

    async def test_it_takes_items_only_when_they_may_start(self, ordered: bool) -> None:
        calls, source = Calls(), AsyncSource(None)
        iterator = run_map(calls, source, 4, ordered=ordered)
        for count in range(1, 50):
            await anext(iterator)
            await turns()
            assert source.taken <= count + 4
        await iterator.aclose()  # type: ignore[attr-defined]  # an async generator, typed as its interface
        assert (calls.running, source.closed) == (0, True)

    async def test_an_error_of_the_source(self, ordered: bool) -> None:
        calls, source = Calls(), AsyncSource(2, error=OSError("no more files"))
        calls.gate(0, 1)
        with pytest.raises(OSError, match="no more files"):
            await collect(run_map(calls, source, 4, ordered=ordered))
        assert (calls.running, source.closed) == (0, True)

    async def test_an_error_of_a_call_closes_the_source(self, ordered: bool) -> None:
        calls, source = Calls(), AsyncSource(None)
        calls.gate(0, 2)
        calls.errors[1] = KeyError("one")
        with pytest.raises(KeyError, match="one"):
            await collect(run_map(calls, source, 4, ordered=ordered))
        assert (calls.running, source.closed) == (0, True)

    async def test_a_source_that_cannot_be_closed(self, ordered: bool) -> None:
        class Plain:
            def __init__(self) -> None:
                self.left = 3

            def __aiter__(self) -> Plain:
                return self

            async def __anext__(self) -> int:
                if not self.left:
                    raise StopAsyncIteration
                self.left -= 1
                return self.left

        iterator = run_map(Calls(), Plain(), 2, ordered=ordered)
        assert await anext(iterator) in (20, 10)
        await iterator.aclose()  # type: ignore[attr-defined]  # an async generator, typed as its interface

    @pytest.mark.parametrize("silent", [True, False])
    async def test_cancelling_the_consumer(self, ordered: bool, silent: bool) -> None:
        calls, source = Calls(), AsyncSource(2 if silent else None, gate=asyncio.Event())
        calls.gate(*range(4))
        task = asyncio.create_task(collect(run_map(calls, source, 4, ordered=ordered)))
        await turns(20)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert (calls.running, source.closed) == (0, True)


@pytest.mark.parametrize("concurrency", [0, -1])
async def test_concurrency_is_checked_at_once(ordered: bool, concurrency: int) -> None:
    with pytest.raises(ArgumentError, match="concurrency must be at least 1") as caught:
        run_map(Calls(), [1], concurrency, ordered=ordered)
    assert caught.value.argument == "concurrency"
    with pytest.raises(ArgumentError):
        AsyncHub().map(Calls(), [1], concurrency=concurrency, ordered=ordered)


async def test_through_the_hub(ordered: bool) -> None:
    hub = AsyncHub(limits=Limits(max_connections=2))
    calls = Calls()
    assert len(await collect(hub.map(calls, range(9), ordered=ordered))) == 9
    assert calls.most == 2
    assert len(await collect(hub.map(calls, iter(range(9)), concurrency=5, ordered=ordered))) == 9
    assert calls.most == 5


async def test_each_map_is_a_job_of_its_own(ordered: bool) -> None:
    async def job(_: int) -> object:
        return CURRENT_JOB.get()

    jobs = [set(await collect(run_map(job, range(5), 2, ordered=ordered))) for _ in range(2)]
    assert [len(found) for found in jobs] == [1, 1]
    assert None not in jobs[0] | jobs[1]
    assert len(jobs[0] | jobs[1]) == 2
    assert CURRENT_JOB.get() is None


class Result:
    """Something whose life can be followed."""


@pytest.mark.parametrize("asynchronous", [True, False])
async def test_results_that_were_taken_are_let_go(ordered: bool, asynchronous: bool) -> None:
    """Also where they are taken slower than they come, so that there is always one ready."""
    alive: weakref.WeakSet[Result] = weakref.WeakSet()

    async def call(item: int) -> Result:
        result = Result()
        alive.add(result)
        return result

    async def numbers() -> AsyncIterator[int]:
        for number in range(200):
            yield number

    count = most = 0
    async for _ in run_map(call, numbers() if asynchronous else range(200), 4, ordered=ordered):
        await turns()
        count += 1
        most = max(most, len(alive))
    assert count == 200
    assert most <= 8
