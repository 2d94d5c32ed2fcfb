from __future__ import annotations

import asyncio
import random
from collections import deque
from typing import Any, NamedTuple

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from asyncclient._adaptive import Outcome
from asyncclient._budget import default_budget_bytes
from asyncclient._flows import Flow, Waiter
from asyncclient._messages import Origin
from asyncclient._places import Bounds, Gate, Place, Streams
from asyncclient._scheduler import Direction, Lane, Scheduler, Slot
from asyncclient.errors import HubClosed
from asyncclient.types import Limits
from tests.core.support import turns

A = Origin("https", "a.test", 443)
B = Origin("https", "b.test", 443)
C = Origin("https", "c.test", 443)


class Waiters:
    """Tasks that wait for a slot, and the order in which they got one."""

    def __init__(self, scheduler: Scheduler) -> None:
        self.scheduler = scheduler
        self.order: list[str] = []
        self.slots: dict[str, Slot] = {}

    def add(self, name: str, lane: Lane = Lane.CONTROL, origin: Origin = A, service: str = "s") -> asyncio.Task[None]:
        return asyncio.ensure_future(self._wait(name, lane, origin, service))

    async def _wait(self, name: str, lane: Lane, origin: Origin, service: str) -> None:
        self.slots[name] = await self.scheduler.acquire(service, lane, origin)
        self.order.append(name)


def fill(scheduler: Scheduler, lane: Lane = Lane.CONTROL, origin: Origin = C) -> list[Slot]:
    slots = []
    while (slot := scheduler.acquire_nowait(lane, origin)) is not None:
        slots.append(slot)
    return slots


pytestmark = pytest.mark.anyio


async def test_the_reserve_is_for_small_calls() -> None:
    scheduler = Scheduler(Limits(max_connections=8))
    assert len(fill(scheduler, Lane.BULK)) == 6
    assert len(fill(scheduler, Lane.CONTROL)) == 2
    assert scheduler.statistics().lanes == {"control": 2, "bulk": 6}
    assert scheduler.statistics().origins == {"https://c.test:443": 8}


async def test_limits_per_origin_and_their_reserve() -> None:
    scheduler = Scheduler(Limits(max_connections=32, max_connections_per_origin=8))
    assert len(fill(scheduler, Lane.BULK, A)) == 7
    assert len(fill(scheduler, Lane.CONTROL, A)) == 1
    assert len(fill(scheduler, Lane.CONTROL, B)) == 8
    assert len(Scheduler(Limits(max_connections_per_origin=1)).statistics().origins) == 0
    assert len(fill(Scheduler(Limits(max_connections_per_origin=1)), Lane.BULK)) == 1


async def test_a_slot_is_given_back_once() -> None:
    scheduler = Scheduler(Limits(max_connections=1))
    (slot,) = fill(scheduler)
    slot.release()
    slot.release()
    assert len(fill(scheduler)) == 1


async def test_first_come_first_served_within_a_flow() -> None:
    scheduler = Scheduler(Limits(max_connections=1))
    (slot,) = fill(scheduler)
    waiters = Waiters(scheduler)
    for name in "abcde":
        waiters.add(name)
    for count in range(5):
        await turns()
        assert len(waiters.order) == count
        slot.release()
        await turns()
        slot = waiters.slots[waiters.order[-1]]
    assert waiters.order == list("abcde")


async def test_flows_take_turns() -> None:
    scheduler = Scheduler(Limits(max_connections=1))
    (slot,) = fill(scheduler)
    waiters = Waiters(scheduler)
    for index in range(4):
        waiters.add(f"x{index}", service="x")
    for index in range(2):
        waiters.add(f"y{index}", service="y")
        waiters.add(f"z{index}", service="y", origin=B)
    await turns()
    for _ in range(8):
        slot.release()
        await turns()
        slot = waiters.slots[waiters.order[-1]]
    assert waiters.order == ["x0", "y0", "z0", "x1", "y1", "z1", "x2", "x3"]


async def test_small_calls_go_first() -> None:
    scheduler = Scheduler(Limits(max_connections=2, control_reserve=0))
    slots = fill(scheduler)
    waiters = Waiters(scheduler)
    waiters.add("bulk", Lane.BULK)
    waiters.add("small")
    await turns()
    slots[0].release()
    await turns()
    assert waiters.order == ["small"]
    slots[1].release()
    await turns()
    assert waiters.order == ["small", "bulk"]


async def test_an_origin_at_its_limit_holds_up_nobody_else() -> None:
    scheduler = Scheduler(Limits(max_connections=8, max_connections_per_origin=2))
    held = fill(scheduler, Lane.CONTROL, A)
    waiters = Waiters(scheduler)
    waiters.add("a", origin=A)
    await turns()
    waiters.add("b", origin=B)
    await turns()
    assert waiters.order == ["b"]
    assert scheduler.acquire_nowait(Lane.CONTROL, B) is None  # others wait: it has to get in line
    assert scheduler.acquire_nowait(Lane.BULK, B) is not None  # nobody does in this lane
    held[0].release()
    await turns()
    assert waiters.order == ["b", "a"]


async def test_cancelled_in_the_moment_of_the_grant() -> None:
    scheduler = Scheduler(Limits(max_connections=1))
    (slot,) = fill(scheduler)
    waiters = Waiters(scheduler)
    first, _ = waiters.add("first"), waiters.add("second")
    await turns()
    slot.release()
    first.cancel()
    await turns()
    assert waiters.order == ["second"]
    waiters.slots["second"].release()
    assert scheduler.statistics() == (0, 0, {"control": 0, "bulk": 0}, {})


async def test_cancelled_before_the_grant() -> None:
    scheduler = Scheduler(Limits(max_connections=1))
    (slot,) = fill(scheduler)
    waiters = Waiters(scheduler)
    first, second = waiters.add("first"), waiters.add("second")
    await turns()
    first.cancel()
    slot.release()  # in the same turn: the first is dead, but has not said so
    await turns()
    assert waiters.order == ["second"]
    assert scheduler.statistics().waiting == 0
    second.cancel()


async def test_all_cancelled_leaves_nothing() -> None:
    scheduler = Scheduler(Limits(max_connections=1))
    (slot,) = fill(scheduler)
    waiters = Waiters(scheduler)
    tasks = [waiters.add(str(index), service=str(index % 3)) for index in range(200)]
    await turns()
    assert scheduler.statistics().waiting == 200
    for task in tasks:
        task.cancel()
    await turns()
    assert scheduler.statistics().waiting == 0
    slot.release()
    assert scheduler.statistics().in_flight == 0
    assert len(fill(scheduler)) == 1


async def test_a_flow_of_cancelled_waiters_holds_up_nobody() -> None:
    """It was parked at its gate when its last waiter left, and nobody waited when the gate had room again."""
    scheduler = Scheduler(Limits(max_connections=8, max_connections_per_origin=2))
    waiters = Waiters(scheduler)
    at_a = fill(scheduler, origin=A)
    cancelled = waiters.add("cancelled")
    await turns()
    cancelled.cancel()
    await turns()
    for slot in at_a:
        slot.release()
    at_b = fill(scheduler, origin=B)
    waiters.add("b", origin=B)
    await turns()
    waiters.add("a")
    await turns()
    assert waiters.order == ["a"]
    at_b[0].release()
    await turns()
    assert waiters.order == ["a", "b"]


async def test_origins_with_nothing_but_cancelled_waiters_are_forgotten() -> None:
    scheduler = Scheduler(Limits(max_connections=8, max_connections_per_origin=1))
    for number in range(600):
        origin = Origin("https", f"h{number}.test", 443)
        (slot,) = fill(scheduler, origin=origin)
        waiting = asyncio.ensure_future(scheduler.acquire("s", Lane.CONTROL, origin))
        await asyncio.sleep(0)
        waiting.cancel()
        await asyncio.gather(waiting, return_exceptions=True)
        slot.release()
    assert len(scheduler._places) <= 257


async def test_thrown_away_coroutines_get_no_slot() -> None:
    scheduler = Scheduler(Limits(max_connections=1))
    (slot,) = fill(scheduler)
    coroutine = scheduler.acquire("s", Lane.CONTROL, A)
    coroutine.send(None)
    coroutine.close()
    slot.release()
    assert scheduler.statistics()[:2] == (0, 0)
    assert len(fill(scheduler)) == 1


async def test_closing_wakes_everyone() -> None:
    scheduler = Scheduler(Limits(max_connections=1))
    (slot,) = fill(scheduler)
    waiters = Waiters(scheduler)
    tasks = [waiters.add(str(index), lane) for index, lane in enumerate([Lane.CONTROL, Lane.BULK] * 2)]
    await turns()
    tasks[0].cancel()  # before, in the same turn
    scheduler.close()
    tasks[2].cancel()  # after
    results = await asyncio.gather(*tasks, return_exceptions=True)
    assert [type(result) for result in results] == [
        asyncio.CancelledError,
        HubClosed,
        asyncio.CancelledError,
        HubClosed,
    ]
    with pytest.raises(HubClosed):
        await scheduler.acquire("s", Lane.CONTROL, A)
    slot.release()
    assert scheduler.statistics()[:2] == (0, 0)


async def test_bulk_work_of_a_direction_obeys_its_limit() -> None:
    scheduler = Scheduler(Limits(max_connections=32))
    slots = [scheduler.acquire_nowait(Lane.BULK, A, direction=Direction.UP) for _ in range(3)]
    assert [slot is not None for slot in slots] == [True, True, False]
    assert scheduler.acquire_nowait(Lane.BULK, A, direction=Direction.DOWN) is not None
    assert scheduler.acquire_nowait(Lane.BULK, A) is not None
    assert scheduler.transfer_statistics().limits == {str(A): {"up": 2, "down": 4}}
    assert len(fill(scheduler, Lane.CONTROL, A)) == 28


async def test_a_limit_that_rose_lets_the_waiting_in() -> None:
    now = [0.0]
    scheduler = Scheduler(Limits(max_connections=32), clock=lambda: now[0])
    tasks = [
        asyncio.ensure_future(scheduler.acquire("s", Lane.BULK, A, job=number, direction=Direction.UP))
        for number in range(40)
    ]
    await turns()
    for _ in range(12):
        held = [task for task in tasks if task.done()]
        now[0] += 0.2
        slot = held[0].result()
        tasks.remove(held[0])
        slot.moved(8_000_000)
        slot.report(Outcome.GOOD, 0.2)
        slot.release()
        slot.report(Outcome.CONGESTED, 0.2)  # given back: nothing is learned from it any more
        await turns()
        assert scheduler.statistics().in_flight == scheduler.transfer_statistics().limits[str(A)]["up"]
    limit = scheduler.transfer_statistics().limits[str(A)]["up"]
    assert limit > 2
    assert scheduler.statistics().in_flight == limit
    for task in tasks:
        task.cancel()
    await turns()


async def test_a_pause_is_made_longer_never_shorter() -> None:
    now = [1000.0]
    scheduler = Scheduler(Limits(), clock=lambda: now[0], draw=lambda: 0.5)
    scheduler.pause(A, 10)
    scheduler.pause(A, 5)
    assert scheduler.transfer_statistics().paused_s == {str(A): pytest.approx(10.5)}
    scheduler.pause(A, 20)
    now[0] += 1
    assert scheduler.transfer_statistics().paused_s == {str(A): pytest.approx(20)}
    scheduler.pause(B, 0)
    assert list(scheduler.transfer_statistics().paused_s) == [str(A)]
    waiters = Waiters(scheduler)
    bulk = waiters.add("bulk", Lane.BULK)
    waiters.add("small")
    waiters.add("elsewhere", Lane.BULK, B)
    await turns()
    assert waiters.order == ["small", "elsewhere"]
    scheduler.close()
    with pytest.raises(HubClosed):
        await bulk
    scheduler.pause(B, 10)
    assert not scheduler.transfer_statistics().paused_s


async def test_a_pause_ends() -> None:
    scheduler = Scheduler(Limits())
    scheduler.pause(A, 0.001)
    assert scheduler.acquire_nowait(Lane.BULK, A) is None
    slot = await asyncio.wait_for(scheduler.acquire("s", Lane.BULK, A), 10)
    assert not scheduler.transfer_statistics().paused_s
    slot.release()


async def test_origins_where_nothing_goes_on_are_forgotten() -> None:
    scheduler = Scheduler(Limits(max_connections=4))
    held = fill(scheduler, Lane.BULK, A)
    scheduler.pause(B, 100)
    waiting = asyncio.ensure_future(scheduler.acquire("s", Lane.BULK, C))
    await turns()
    for number in range(3000):
        slot = scheduler.acquire_nowait(Lane.CONTROL, Origin("https", f"{number}.test", 443))
        assert slot is not None
        slot.release()
    assert len(scheduler._places) <= 256
    assert {A, B, C} <= set(scheduler._places)
    held[0].release()
    await turns()
    assert waiting.done()
    scheduler.close()


async def test_the_budget_is_that_of_the_limits() -> None:
    scheduler = Scheduler(Limits(max_bytes_in_flight=10))
    with await scheduler.budget.reserve(7):
        assert scheduler.transfer_statistics().bytes_in_use == 7
    waiting = asyncio.ensure_future(scheduler.budget.reserve(20))
    held = await waiting
    other = asyncio.ensure_future(scheduler.budget.reserve(1))
    await turns()
    scheduler.close()
    with pytest.raises(HubClosed):
        await other
    held.release()
    assert Scheduler(Limits()).budget.total_bytes == default_budget_bytes()


class CountingDeque(deque[Any]):
    """Counts what walks over it or takes from it."""

    steps = 0

    def __iter__(self) -> Any:
        CountingDeque.steps += len(self)
        return super().__iter__()

    def popleft(self) -> Any:
        CountingDeque.steps += 1
        return super().popleft()


async def cancel_all(count: int, *, at_once: bool, monkeypatch: pytest.MonkeyPatch) -> int:
    """Queue ``count`` waiters and cancel them in random order, with a grant now and then; return the steps it took."""
    monkeypatch.setattr("asyncclient._flows.deque", CountingDeque)
    scheduler = Scheduler(Limits(max_connections=2))
    slots = fill(scheduler)

    def keep(task: asyncio.Task[Slot]) -> None:
        if not task.cancelled():
            slots.append(task.result())

    tasks = [asyncio.create_task(scheduler.acquire("s", Lane.CONTROL, A)) for _ in range(count)]
    await asyncio.sleep(0)
    assert scheduler.statistics().waiting == count
    random.Random(count).shuffle(tasks)
    CountingDeque.steps = 0
    for index, task in enumerate(tasks):
        task.add_done_callback(keep)
        task.cancel()
        if not at_once and index % 100 == 0:
            if slots:
                slots.pop().release()
            await asyncio.sleep(0)
    await asyncio.gather(*tasks, return_exceptions=True)
    await asyncio.sleep(0)
    for slot in slots:
        slot.release()
    assert scheduler.statistics()[:2] == (0, 0)
    return CountingDeque.steps


@pytest.mark.slow
@pytest.mark.parametrize("at_once", [True, False])
async def test_a_mass_cancellation_is_linear(at_once: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    small = await cancel_all(2_500, at_once=at_once, monkeypatch=monkeypatch)
    large = await cancel_all(25_000, at_once=at_once, monkeypatch=monkeypatch)
    assert large <= 15 * small
    assert large <= 4 * 25_000


async def test_dead_entries_are_dropped_when_they_are_the_majority() -> None:
    flow = Flow("x", Gate(Lane.CONTROL, Place(A, Bounds.of(Limits()), Streams(Bounds.of(Limits())))))
    loop = asyncio.get_running_loop()
    futures: list[asyncio.Future[Slot]] = [loop.create_future() for _ in range(100)]
    flow.waiters.extend(Waiter(future, 1) for future in futures)
    for index, future in enumerate(futures[:60]):
        future.cancel()
        flow.bury()
        assert len(flow.waiters) == (100 if index < 50 else 49)
    first = flow.first_live()
    assert first is not None
    assert first.future is futures[60]


# Lane and direction of a request; bulk work without a direction has no limit that is learned.
KINDS = st.sampled_from(
    [(Lane.CONTROL, None), (Lane.BULK, None), (Lane.BULK, Direction.UP), (Lane.BULK, Direction.DOWN)]
)
ORIGINS = st.sampled_from([A, B, C])
SERVICES = st.sampled_from(["x", "y"])
JOBS = st.sampled_from([None, 1, 2])
Kind = tuple[Lane, Direction | None]


class Entry(NamedTuple):
    """Somebody who waits."""

    flow: tuple[str, Kind, Origin, int | None]
    task: asyncio.Task[Slot]

    @property
    def kind(self) -> Kind:
        return self.flow[1]

    @property
    def origin(self) -> Origin:
        return self.flow[2]


class Held(NamedTuple):
    kind: Kind
    slot: Slot


class JumpingLoop(asyncio.SelectorEventLoop):
    """A loop whose time passes when the test says so."""

    now = 0.0

    def time(self) -> float:
        return self.now


class Machine(RuleBasedStateMachine):
    """Random acquiring, releasing, cancelling, pausing; after every step the loop runs until nothing more can happen."""

    @initialize(
        connections=st.integers(1, 12), per_origin=st.none() | st.integers(1, 4), reserve=st.none() | st.just(0)
    )
    def start(self, connections: int, per_origin: int | None, reserve: int | None) -> None:
        self.loop = JumpingLoop()
        self.limits = Limits(connections, reserve, per_origin)
        self.scheduler = Scheduler(self.limits, clock=self.loop.time, draw=lambda: 0.0)
        self.held: list[Held] = []
        self.waiting: list[Entry] = []
        self.paused: dict[Origin, float] = {}
        self.used: dict[tuple[Kind, Origin], int] = {}

    def settle(self) -> None:
        self.loop.run_until_complete(turns(4))
        for entry in [entry for entry in self.waiting if entry.task.done()]:
            self.waiting.remove(entry)
            if not entry.task.cancelled():
                self.held.append(Held(entry.kind, entry.task.result()))

    @rule(
        service=SERVICES,
        kind=KINDS,
        origin=ORIGINS,
        job=JOBS,
        count=st.integers(1, 4),
        cost=st.integers(1, 1 << 27),
        weight=st.sampled_from([1, 4, 16]),
    )
    def acquire(
        self, service: str, kind: Kind, origin: Origin, job: int | None, count: int, cost: int, weight: int
    ) -> None:
        for _ in range(count):
            acquiring = self.scheduler.acquire(
                service, kind[0], origin, job=job, cost_bytes=cost, direction=kind[1], weight=weight
            )
            self.waiting.append(Entry((service, kind, origin, job), self.loop.create_task(acquiring)))
        self.settle()

    @rule(kind=KINDS, origin=ORIGINS)
    def acquire_nowait(self, kind: Kind, origin: Origin) -> None:
        slot = self.scheduler.acquire_nowait(kind[0], origin, direction=kind[1])
        if slot is not None:
            self.held.append(Held(kind, slot))

    @precondition(lambda self: self.held)
    @rule(data=st.data(), outcome=st.none() | st.sampled_from(list(Outcome)), wait_s=st.floats(0.0, 1.0))
    def release(self, data: st.DataObject, outcome: Outcome | None, wait_s: float) -> None:
        index = data.draw(st.integers(0, len(self.held) - 1))
        self.advance(wait_s)
        before = list(self.waiting)
        slot = self.held.pop(index).slot
        if outcome is not None:
            slot.moved(10_000_000)
            slot.report(outcome, wait_s)
        slot.release()
        self.settle()
        self.in_order(before)

    @precondition(lambda self: self.waiting)
    @rule(data=st.data())
    def cancel(self, data: st.DataObject) -> None:
        entry = data.draw(st.sampled_from(self.waiting))
        entry.task.cancel()
        self.settle()

    @precondition(lambda self: self.waiting)
    @rule()
    def cancel_all(self) -> None:
        for entry in self.waiting:
            entry.task.cancel()
        self.settle()

    @precondition(lambda self: self.held)
    @rule(origin=ORIGINS)
    def release_all_of_an_origin(self, origin: Origin) -> None:
        for held in [held for held in self.held if held.slot.origin == origin]:
            self.held.remove(held)
            held.slot.release()
        self.settle()

    @precondition(lambda self: self.held and self.waiting)
    @rule(data=st.data(), release_first=st.booleans())
    def release_and_cancel_at_once(self, data: st.DataObject, release_first: bool) -> None:
        held = data.draw(st.sampled_from(self.held))
        entry = data.draw(st.sampled_from(self.waiting))
        self.held.remove(held)
        if release_first:
            held.slot.release()
            entry.task.cancel()
        else:
            entry.task.cancel()
            held.slot.release()
        self.settle()

    @rule(origin=ORIGINS, delay_s=st.floats(0.1, 5.0))
    def pause(self, origin: Origin, delay_s: float) -> None:
        async def pause() -> None:
            self.scheduler.pause(origin, delay_s)

        self.loop.run_until_complete(pause())
        self.paused[origin] = max(self.paused.get(origin, 0.0), self.loop.now + delay_s)

    @rule(wait_s=st.floats(0.1, 5.0))
    def advance(self, wait_s: float) -> None:
        self.loop.now += wait_s
        self.paused = {origin: until for origin, until in self.paused.items() if until > self.loop.now + 1e-6}
        self.settle()
        self.settle()  # once more: the first may have been spent with timers only

    def in_order(self, before: list[Entry]) -> None:
        """Within a flow nobody is overtaken."""
        still = {id(entry.task) for entry in self.waiting}
        passed: set[object] = set()
        for entry in before:
            if id(entry.task) in still:
                passed.add(entry.flow)
            else:
                assert entry.flow not in passed

    def learned(self, kind: Kind, origin: Origin) -> int | None:
        direction = kind[1]
        if direction is None:
            return None
        return self.scheduler.transfer_statistics().limits[str(origin)][direction.value]

    def room(self, kind: Kind, origin: Origin) -> bool:
        limits = self.limits
        per_origin = limits.max_connections_per_origin or limits.max_connections
        bulk = [held for held in self.held if held.kind[0] is Lane.BULK]
        there = [held for held in self.held if held.slot.origin == origin]
        if len(self.held) >= limits.max_connections or len(there) >= per_origin:
            return False
        if kind[0] is Lane.CONTROL:
            return True
        learned = self.learned(kind, origin)
        return (
            origin not in self.paused
            and len(bulk) < limits.max_connections - limits.reserve
            and len([held for held in there if held.kind[0] is Lane.BULK]) < per_origin - limits.reserve_per_origin
            and (learned is None or len([held for held in there if held.kind == kind]) < learned)
        )

    def learned_limit_holds(self, kind: Kind, origin: Origin, used: int) -> None:
        """A limit that was cut is not exceeded further: what was under way before may end."""
        if used:
            before = self.used.get((kind, origin), 0)
            assert used <= max(self.learned(kind, origin) or 0, before)
        self.used[kind, origin] = used

    @invariant()
    def limits_hold_and_nobody_waits_in_vain(self) -> None:
        if not hasattr(self, "scheduler"):
            return
        limits, held = self.limits, self.held
        assert len(held) <= limits.max_connections
        bulk = [one for one in held if one.kind[0] is Lane.BULK]
        assert len(bulk) <= limits.max_connections - limits.reserve
        for origin in (A, B, C):
            there = [one for one in held if one.slot.origin == origin]
            assert len(there) <= (limits.max_connections_per_origin or limits.max_connections)
            for kind in ((Lane.BULK, Direction.UP), (Lane.BULK, Direction.DOWN)):
                self.learned_limit_holds(kind, origin, len([one for one in there if one.kind == kind]))
        for entry in self.waiting:
            assert not self.room(entry.kind, entry.origin)
        now = self.scheduler.statistics()
        assert (now.in_flight, now.waiting) == (len(held), len(self.waiting))
        assert now.lanes == {"control": len(held) - len(bulk), "bulk": len(bulk)}
        assert sum(now.origins.values()) == len(held)
        assert all(now.origins.values())
        assert set(self.scheduler.transfer_statistics().paused_s) == {str(origin) for origin in self.paused}

    def teardown(self) -> None:
        if not hasattr(self, "scheduler"):
            return
        for entry in self.waiting:
            entry.task.cancel()
        self.settle()
        while self.held:
            self.held.pop().slot.release()
            self.settle()
        assert self.scheduler.statistics() == (0, 0, {"control": 0, "bulk": 0}, {})
        self.scheduler.close()
        self.loop.close()


TestMachine = Machine.TestCase
TestMachine.settings = settings(max_examples=100, stateful_step_count=50, deadline=None)
