from __future__ import annotations

import asyncio
import random

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from asyncclient import _budget
from asyncclient._budget import ByteBudget, Reservation, default_budget_bytes
from asyncclient.errors import HubClosed
from tests.core.support import turns

pytestmark = pytest.mark.anyio


async def test_bytes_are_given_back_once() -> None:
    budget = ByteBudget(10)
    with await budget.reserve(4) as held:
        assert (budget.in_use_bytes, held.size_bytes) == (4, 4)
        other = budget.reserve_nowait(6)
        assert other is not None
        assert budget.reserve_nowait(1) is None
    held.release()
    assert budget.in_use_bytes == 6
    other.release()
    assert budget.in_use_bytes == 0


async def test_first_come_first_served() -> None:
    budget = ByteBudget(10)
    held = await budget.reserve(8)
    large, small = asyncio.create_task(budget.reserve(9)), asyncio.create_task(budget.reserve(1))
    await turns()
    assert not small.done()  # it would fit, but the large one would wait for ever
    assert budget.reserve_nowait(1) is None
    assert budget.waiting == 2
    held.release()
    await turns()
    assert large.done()
    assert small.done()
    assert budget.in_use_bytes == 10


async def test_larger_than_the_budget_runs_alone() -> None:
    budget = ByteBudget(10)
    held = await budget.reserve(1)
    large, next_one = asyncio.create_task(budget.reserve(25)), asyncio.create_task(budget.reserve(1))
    await turns()
    assert not large.done()
    held.release()
    await turns()
    assert large.done()
    assert not next_one.done()
    (await large).release()
    await turns()
    assert next_one.done()


async def test_whoever_stood_in_the_way_and_left_lets_the_others_pass() -> None:
    budget = ByteBudget(10)
    held = await budget.reserve(5)
    large = asyncio.create_task(budget.reserve(9))
    small = [asyncio.create_task(budget.reserve(2)) for _ in range(3)]
    await turns()
    large.cancel()
    await turns()
    assert [task.done() for task in small] == [True, True, False]
    held.release()
    await turns()
    assert small[2].done()
    assert (budget.in_use_bytes, budget.waiting) == (6, 0)


@pytest.mark.parametrize("release_first", [True, False])
async def test_cancelled_in_the_moment_of_the_grant(release_first: bool) -> None:
    budget = ByteBudget(10)
    held = await budget.reserve(10)
    first, second = asyncio.create_task(budget.reserve(10)), asyncio.create_task(budget.reserve(3))
    await turns()
    for action in (held.release, first.cancel) if release_first else (first.cancel, held.release):
        action()
    await turns()
    assert second.done()
    assert budget.in_use_bytes == 3


async def test_thrown_away_coroutines_hold_nothing() -> None:
    budget = ByteBudget(10)
    held = await budget.reserve(10)
    coroutine = budget.reserve(5)
    coroutine.send(None)
    coroutine.close()
    held.release()
    assert (budget.in_use_bytes, budget.waiting) == (0, 0)


async def test_closing_wakes_everyone() -> None:
    budget = ByteBudget(10)
    held = await budget.reserve(10)
    tasks = [asyncio.create_task(budget.reserve(size)) for size in (1, 20, 3)]
    await turns()
    tasks[0].cancel()
    budget.close()
    tasks[2].cancel()
    results = await asyncio.gather(*tasks, return_exceptions=True)
    assert [type(result) for result in results] == [asyncio.CancelledError, HubClosed, asyncio.CancelledError]
    with pytest.raises(HubClosed):
        await budget.reserve(1)
    held.release()
    assert budget.in_use_bytes == 0


async def test_a_mass_cancellation_is_quick() -> None:
    budget = ByteBudget(1)
    held = await budget.reserve(1)
    tasks = [asyncio.create_task(budget.reserve(1)) for _ in range(20_000)]
    await turns()
    random.Random(1).shuffle(tasks)
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    assert budget.waiting == 0
    held.release()
    assert budget.reserve_nowait(1) is not None


@pytest.mark.parametrize(
    ("sizes", "wanted"),
    [
        ((4096, 1 << 18), 128 << 20),  # 1 GiB of RAM
        ((4096, 1 << 24), 256 << 20),
        ((4096, -1), 256 << 20),
        (ValueError, 256 << 20),
        (OSError, 256 << 20),
        (None, 256 << 20),
    ],
)
def test_the_default(sizes: object, wanted: int, monkeypatch: pytest.MonkeyPatch) -> None:
    def sysconf(name: str) -> int:
        if isinstance(sizes, tuple):
            return int(sizes[name == "SC_PHYS_PAGES"])
        raise sizes  # type: ignore[misc]  # an exception class, where it is no tuple

    if sizes is None:
        monkeypatch.delattr(_budget.os, "sysconf", raising=False)
    else:
        monkeypatch.setattr(_budget.os, "sysconf", sysconf, raising=False)
    assert default_budget_bytes() == wanted


class Machine(RuleBasedStateMachine):
    """Random reserving, giving back and cancelling; after every step the loop runs until nothing more can happen."""

    @initialize(total=st.integers(1, 20))
    def start(self, total: int) -> None:
        self.loop = asyncio.new_event_loop()
        self.budget = ByteBudget(total)
        self.held: list[Reservation] = []
        self.waiting: list[tuple[int, asyncio.Task[Reservation]]] = []

    def settle(self) -> None:
        self.loop.run_until_complete(turns(4))
        for entry in [entry for entry in self.waiting if entry[1].done()]:
            self.waiting.remove(entry)
            if not entry[1].cancelled():
                self.held.append(entry[1].result())

    @rule(sizes=st.lists(st.integers(0, 30), min_size=1, max_size=4))
    def reserve(self, sizes: list[int]) -> None:
        for size in sizes:
            self.waiting.append((size, self.loop.create_task(self.budget.reserve(size))))
        self.settle()

    @rule(size=st.integers(0, 30))
    def reserve_nowait(self, size: int) -> None:
        found = self.budget.reserve_nowait(size)
        if found is not None:
            assert not self.waiting
            self.held.append(found)

    @precondition(lambda self: self.held)
    @rule(data=st.data())
    def release(self, data: st.DataObject) -> None:
        before = list(self.waiting)
        self.held.pop(data.draw(st.integers(0, len(self.held) - 1))).release()
        self.settle()
        assert self.waiting == before[len(before) - len(self.waiting) :]  # nobody is overtaken

    @precondition(lambda self: self.waiting)
    @rule(data=st.data(), release=st.booleans(), first=st.booleans())
    def cancel(self, data: st.DataObject, release: bool, first: bool) -> None:
        entry = data.draw(st.sampled_from(self.waiting))
        if release and self.held and first:
            self.held.pop().release()
        entry[1].cancel()
        if release and self.held and not first:
            self.held.pop().release()
        self.settle()

    @invariant()
    def the_budget_holds_and_nobody_waits_in_vain(self) -> None:
        if not hasattr(self, "budget"):
            return
        budget, sizes = self.budget, [held.size_bytes for held in self.held]
        assert budget.in_use_bytes == sum(sizes)
        assert budget.waiting == len(self.waiting)
        assert sum(sizes) <= budget.total_bytes or len([size for size in sizes if size]) == 1
        if self.waiting:
            assert sum(sizes)
            assert sum(sizes) + self.waiting[0][0] > budget.total_bytes

    def teardown(self) -> None:
        if not hasattr(self, "budget"):
            return
        for _, task in self.waiting:
            task.cancel()
        self.settle()
        while self.held:
            self.held.pop().release()
            self.settle()
        assert (self.budget.in_use_bytes, self.budget.waiting) == (0, 0)
        self.loop.close()


TestMachine = Machine.TestCase
TestMachine.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)
