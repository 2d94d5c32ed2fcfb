from __future__ import annotations

from collections import Counter, defaultdict, deque
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from asyncclient._adaptive import AdaptiveLimit
from asyncclient._flows import BULK_COST_BYTES, CONTROL_COST_BYTES, NORMAL_WEIGHT, FairQueue, Waiter
from asyncclient._messages import Origin
from asyncclient._places import Bounds, Direction, Gate, Lane, Place, Streams
from asyncclient.types import Limits

MIB = 1024 * 1024
QUANTUM = 8 * MIB


class Pending:
    """A future nobody has answered; the queue asks for nothing else."""

    def __init__(self) -> None:
        self.gone = False

    def done(self) -> bool:
        return self.gone


def waiter(cost: int = BULK_COST_BYTES) -> Waiter:
    return Waiter(Pending(), cost)  # type: ignore[arg-type]  # see there


class World:
    """A queue with gates of fixed width, and what is in flight at each."""

    def __init__(self, *widths: int, capacity: int = 1000, lane: Lane = Lane.BULK) -> None:
        self.queue = FairQueue(lane)
        self.capacity = capacity
        bounds = Bounds.of(Limits(max_connections=capacity, control_reserve=0))
        self.gates: list[Gate] = []
        for number, width in enumerate(widths):
            place = Place(Origin("https", f"{number}.test", 443), bounds, Streams(bounds))
            gate = place.gate(lane, Direction.UP if lane is Lane.BULK else None)
            if gate.limit is not None:
                gate.limit = AdaptiveLimit(width, width)
            self.gates.append(gate)
        self.running: list[Gate] = []
        self.served: list[tuple[Gate, Waiter]] = []

    def add(self, key: object, gate: int = 0, cost: int = BULK_COST_BYTES, weight: int = NORMAL_WEIGHT) -> Waiter:
        entry = waiter(cost)
        self.queue.add((key, gate), self.gates[gate], entry, weight)
        return entry

    def fill(self) -> Iterator[tuple[Gate, Waiter]]:
        """Begin whatever may begin."""
        while len(self.running) < self.capacity and (turn := self.queue.take()) is not None:
            gate = turn[0]
            gate.place.total += 1
            gate.place.bulk += 1
            gate.in_use += 1
            self.running.append(gate)
            yield turn

    def finish(self, index: int = 0) -> None:
        gate = self.running.pop(index)
        gate.place.total -= 1
        gate.place.bulk -= 1
        gate.in_use -= 1
        self.queue.freed(gate)


def shares(world: World, keys: dict[int, str], steps: int) -> Counter[str]:
    """Serve ``steps`` items one at a time; return the bytes by flow."""
    found: Counter[str] = Counter()
    for _ in range(steps):
        for _, entry in world.fill():
            found[keys[id(entry.future)]] += entry.cost_bytes
        world.finish()
    return found


def backlog(world: World, keys: dict[int, str], name: str, count: int, cost: int, weight: int) -> None:
    for _ in range(count):
        keys[id(world.add(name, cost=cost, weight=weight).future)] = name


def test_bytes_are_shared_by_weight() -> None:
    world, keys = World(1, capacity=1), {}  # type: tuple[World, dict[int, str]]
    backlog(world, keys, "low", 2000, 4 * MIB, 1)
    backlog(world, keys, "normal", 2000, 16 * MIB, 4)
    backlog(world, keys, "high", 2000, 8 * MIB, 16)
    found = shares(world, keys, 1000)
    assert found["normal"] / found["low"] == pytest.approx(4, rel=0.1)
    assert found["high"] / found["low"] == pytest.approx(16, rel=0.1)


def test_large_items_and_small_ones_get_the_same_bytes() -> None:
    world, keys = World(1, capacity=1), {}  # type: tuple[World, dict[int, str]]
    backlog(world, keys, "large", 500, 64 * MIB, 4)
    backlog(world, keys, "small", 5000, 64 * 1024, 4)
    found = shares(world, keys, 2000)
    assert found["large"] == pytest.approx(found["small"], abs=64 * MIB)


@pytest.mark.parametrize("width", [1, 2, 3])
@pytest.mark.parametrize("capacity", [3, 4, 50])
def test_flows_share_a_narrow_gate(width: int, capacity: int) -> None:
    """More of them than it lets in, and other work that keeps the slots busy."""
    world = World(width, 40, capacity=capacity)
    keys: dict[int, str] = {}
    backlog(world, keys, "wide", 3000, QUANTUM, 4)
    for name in "abcd":
        backlog(world, keys, name, 600, QUANTUM, 4)
    for number in range(6000):
        keys[id(world.add(f"elsewhere {number % 4}", 1).future)] = "elsewhere"
    keep, found = [], Counter[str]()
    for _ in range(1500):
        for _, entry in world.fill():
            keep.append(entry)
            found[keys[id(entry.future)]] += 1
        world.finish()
    counts = [found[name] for name in ("wide", *"abcd")]
    assert max(counts) - min(counts) <= 8


def test_costs_are_capped() -> None:
    world = World(1, capacity=1)
    world.add("x", cost=10**12, weight=1)
    ((_, entry),) = world.fill()
    assert entry.cost_bytes == 8 * QUANTUM


def test_small_calls_alternate() -> None:
    world = World(1, capacity=1, lane=Lane.CONTROL)
    names = {}
    for key in "aaabbb":
        names[id(world.add(key, cost=CONTROL_COST_BYTES).future)] = key
    order = []
    for _ in range(6):
        order += [names[id(entry.future)] for _, entry in world.fill()]
        world.running.pop().place.total -= 1
    assert "".join(order) == "ababab"


def test_a_closed_gate_keeps_turn_and_deficit() -> None:
    world = World(1, 1, capacity=2)
    names = {}
    for key, gate in (("x", 0), ("x", 0), ("x", 0), ("y", 1), ("y", 1)):
        names[id(world.add(key, gate).future)] = key
    assert [names[id(entry.future)] for _, entry in world.fill()] == ["x", "y"]
    (flow,) = [flow for flow in world.queue._flows.values() if flow.key == ("x", 0)]
    assert flow.in_turn
    assert flow.deficit == 3 * QUANTUM  # of 32 MiB, one item of 8 MiB is begun
    world.finish()
    assert [names[id(entry.future)] for _, entry in world.fill()] == ["x"]
    assert flow.deficit == 2 * QUANTUM


def test_cancelled_waiters_of_a_parked_flow_do_not_hold_up_the_next() -> None:
    world = World(1)
    first = world.add("x")
    dead = [world.add("y"), world.add("y")]
    live = world.add("z")
    assert [entry.future for _, entry in world.fill()] == [first.future]
    for entry in dead:
        entry.future.gone = True  # type: ignore[attr-defined]  # see Pending
    world.finish()
    assert [entry.future for _, entry in world.fill()] == [live.future]
    world.finish()
    assert not world.queue
    assert not world.queue._sides


def test_everybody_goes_when_a_gate_opens() -> None:
    world = World(3)
    place = world.gates[0].place
    place.timer = object()  # type: ignore[assignment]  # paused
    for key in "abcde":
        world.add(key)
    assert not list(world.fill())
    place.timer = None
    world.queue.opened(world.gates[0])
    assert len(list(world.fill())) == 3
    assert world.queue.uses(world.gates[0])
    assert len(list(world.queue.drain())) == 2
    assert not world.queue.uses(world.gates[0])
    world.queue.opened(world.gates[0])
    world.queue.freed(world.gates[0])


FLOWS = st.lists(
    st.tuples(st.integers(0, 2), st.sampled_from([1, 4, 16]), st.integers(1, 64 * MIB)), min_size=2, max_size=8
)


@settings(max_examples=150, deadline=None)
@given(flows=FLOWS, widths=st.tuples(*[st.integers(1, 4)] * 3), capacity=st.integers(1, 6), data=st.data())
def test_every_flow_with_work_and_room_is_served_within_some_rounds(
    flows: list[tuple[int, int, int]], widths: tuple[int, int, int], capacity: int, data: st.DataObject
) -> None:
    """While a flow could have begun an item all the time, no other flow gets more than its share of so many rounds."""
    world = World(*widths, capacity=capacity)
    owners: dict[int, int] = {}
    rounds = 8 + 2 + len(flows)  # visits until the costliest item is paid, its turn under way, flows parked before it

    def supply(number: int) -> None:
        gate, weight, cost = flows[number]
        owners[id(world.add(number, gate, cost, weight).future)] = number

    keep: list[Waiter] = []
    for number in range(len(flows)):
        for _ in range(3):
            supply(number)
    passed: dict[int, Counter[int]] = defaultdict(Counter)
    order = data.draw(st.lists(st.integers(0, 5), min_size=60, max_size=120))
    for choice in order:
        for gate, entry in world.fill():
            keep.append(entry)  # ids must not be reused
            number = owners[id(entry.future)]
            supply(number)
            passed.pop(number, None)
            for other, (at, _, _) in enumerate(flows):
                if other == number:
                    continue
                if world.gates[at].room() > (world.gates[at] is gate):
                    passed[other][number] += entry.cost_bytes
                    bound = rounds * QUANTUM * flows[number][1] + 8 * QUANTUM
                    assert passed[other][number] <= bound
                else:
                    passed.pop(other, None)
        for at, gate in enumerate(world.gates):  # nothing that could begin waits
            wanted = [flow for flow in flows if flow[0] == at]
            assert not wanted or not gate.room() or len(world.running) == capacity
            assert gate.in_use <= widths[at]
        if world.running:
            world.finish(choice % len(world.running))


class CountingDeque(deque[Any]):
    """Counts what is taken from it: every visit to a flow takes the flow, or an item."""

    steps = 0

    def popleft(self) -> Any:
        CountingDeque.steps += 1
        return super().popleft()


def pull(items: int, flows: int, monkeypatch: pytest.MonkeyPatch) -> tuple[int, int]:
    """Serve lazy items of many flows, most of them at closed gates; return the steps, and the most items held."""
    monkeypatch.setattr("asyncclient._flows.deque", CountingDeque)
    world = World(2, 2, 4, capacity=8)
    sources = [iter(range(items // flows)) for _ in range(flows)]
    entry, held, most, at = waiter(), 0, 0, 0
    CountingDeque.steps = 0
    for source in sources[:16]:
        next(source, None)
    while True:
        while held < 16 and sources:
            at = (at + 1) % len(sources)
            if next(sources[at], None) is None:
                sources[at] = sources[-1]
                sources.pop()
                continue
            world.queue.add(at, world.gates[at % 3], entry, NORMAL_WEIGHT)
            held += 1
        most = max(most, held)
        begun = sum(1 for _ in world.fill())
        held -= begun
        if not held and not world.running:
            return CountingDeque.steps, most
        world.finish()


@pytest.mark.slow
def test_many_lazy_items_cost_as_much_each_as_a_few(monkeypatch: pytest.MonkeyPatch) -> None:
    few, _ = pull(5_000, 50, monkeypatch)
    many, most = pull(100_000, 50, monkeypatch)
    assert most == 16
    assert many / 100_000 <= 1.1 * few / 5_000
    assert many / 100_000 < 10


@pytest.mark.parametrize("flows", [10, 10_000])
def test_a_decision_costs_the_same_however_many_flows_wait_elsewhere(
    flows: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("asyncclient._flows.deque", CountingDeque)
    world = World(1, 4, capacity=5)
    for number in range(flows):
        for _ in range(3):
            world.add(number, 0)
    for _ in range(1000):
        world.add("quick", 1)
    list(world.fill())  # every flow of the slow origin is looked at once
    CountingDeque.steps = 0
    for _ in range(900):
        world.finish(next(index for index, gate in enumerate(world.running) if gate is world.gates[1]))
        assert len(list(world.fill())) == 1
    assert CountingDeque.steps < 10 * 900
