"""Whose turn it is: deficit round robin over flows, each decision in constant time.

A flow is the work of one job of one service that waits for one gate. Flows stand in a ring. The first has its turn: it
is given a quantum of bytes for its weight, and may begin items until what is left does not cover the next; then it
goes to the end of the ring and keeps the rest (M. Shreedhar, G. Varghese, "Efficient Fair Queueing using Deficit Round
Robin", 1995). Costs are capped at eight quanta, so an item waits for at most eight visits.

A flow whose gate is closed is taken out of the ring and *parked* at its gate, with its deficit and, if it had begun, its
turn. When the gate has room again it stands in front of the ring: its turn was passed over, not lost. Scanning past
closed gates instead would cost every decision as many steps as there are flows of a throttled service. Each slot that
is given back, each turn that ends and each flow that leaves lets one parked flow of that gate step forward. So nobody
is passed over for ever by others at the gate; and wherever a gate has room and flows are parked at it, one of its flows
stands in the ring, so nobody waits in vain.

A cancelled waiter stays in its flow as a dead entry: taking it out at once would make a mass cancellation quadratic.
Dead entries are dropped when their turn comes, or all together once they are the majority.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Hashable, Iterator
from typing import Any, Final, NamedTuple

from asyncclient._places import Gate, Lane

__all__ = ["BULK_COST_BYTES", "CONTROL_COST_BYTES", "NORMAL_WEIGHT", "FairQueue", "Flow", "Waiter"]

MIB: Final = 1024 * 1024
NORMAL_WEIGHT: Final = 4
CONTROL_COST_BYTES: Final = 64 * 1024
"""What a small call counts as."""
BULK_COST_BYTES: Final = 8 * MIB
"""What a bulk request of unknown size counts as."""

# Per turn and unit of weight. In the control lane a normal flow makes one call per turn: all calls cost the same, and
# finer turns mean shorter waits. In the bulk lane a normal turn is 32 MiB, a few parts of one file in a row.
_QUANTUM: Final = {Lane.CONTROL: CONTROL_COST_BYTES // NORMAL_WEIGHT, Lane.BULK: 8 * MIB}
_VISITS: Final = 8


class Waiter(NamedTuple):
    """Somebody who waits for a slot."""

    future: asyncio.Future[Any]
    cost_bytes: int


class Flow:
    """Waiters of one job of one service for one gate, first come first served."""

    __slots__ = ("dead", "deficit", "gate", "in_turn", "key", "waiters", "weight")

    def __init__(self, key: Hashable, gate: Gate) -> None:
        self.key = key
        self.gate = gate
        self.weight = NORMAL_WEIGHT
        self.waiters: deque[Waiter] = deque()
        self.dead = 0
        self.deficit = 0
        self.in_turn = False

    def first_live(self) -> Waiter | None:
        """Return the first waiter that was not cancelled, or None if all were."""
        waiters = self.waiters
        while waiters:
            if not waiters[0].future.done():
                return waiters[0]
            waiters.popleft()
            self.dead -= 1  # may pass below 0 for an instant: its task has not run yet to say so
        return None

    def bury(self) -> None:
        """Account for one waiter that was cancelled while it is in the queue."""
        self.dead += 1
        if self.dead > 32 and self.dead * 2 > len(self.waiters):
            self.waiters = deque(waiter for waiter in self.waiters if not waiter.future.done())
            self.dead = 0


class _Side:
    """The flows of one gate: how many stand in line, and which are parked."""

    __slots__ = ("parked", "standing")

    def __init__(self) -> None:
        self.standing = 0
        self.parked: deque[Flow] = deque()


class FairQueue:
    """The flows of one lane."""

    def __init__(self, lane: Lane) -> None:
        self._quantum: Final = _QUANTUM[lane]
        self._most: Final = _VISITS * self._quantum
        self._flows: dict[Hashable, Flow] = {}
        self._sides: dict[Gate, _Side] = {}
        self._ring: deque[Flow] = deque()
        self._resumed: deque[Flow] = deque()

    def __len__(self) -> int:
        return len(self._flows)

    @property
    def waiting(self) -> int:
        """How many wait; may be asked in any thread."""
        return sum(max(0, len(flow.waiters) - flow.dead) for flow in list(self._flows.values()))

    def add(self, key: Hashable, gate: Gate, waiter: Waiter, weight: int) -> Flow:
        """Let somebody wait.

        Args:
            key: Tells the flow; what waits under one key waits for one gate.
            gate: For what.
            waiter: Who.
            weight: Share of the flow from now on, at least 1.
        """
        flow = self._flows.get(key)
        if flow is None:
            flow = self._flows[key] = Flow(key, gate)
            self._ring.append(flow)
            side = self._sides.get(gate)
            if side is None:
                side = self._sides[gate] = _Side()
            side.standing += 1
        flow.weight = weight
        flow.waiters.append(waiter if waiter.cost_bytes <= self._most else waiter._replace(cost_bytes=self._most))
        return flow

    def take(self) -> tuple[Gate, Waiter] | None:
        """Return whose turn it is and take it out, or None if nobody may begin."""
        while line := self._resumed or self._ring:
            flow = line[0]
            waiter = flow.first_live()
            if waiter is None:
                self._drop(line)
            elif flow.gate.room() <= 0:
                self._park(line)
            elif self._pays(flow, waiter):
                flow.waiters.popleft()
                if not flow.waiters:
                    self._drop(line)
                return flow.gate, waiter
            else:
                self._end_turn(line)
        return None

    def freed(self, gate: Gate) -> None:
        """Let somebody parked stand in line, after a slot of the gate's origin was given back."""
        side = self._sides.get(gate)
        if side is not None and side.parked and gate.room() > 0:
            self._unpark(side)

    def opened(self, gate: Gate) -> None:
        """Let everybody parked stand in line, after the gate was closed for a while."""
        side = self._sides.get(gate)
        while side is not None and side.parked:
            self._unpark(side)

    def forget(self) -> None:
        """Drop all flows, once nobody waits any more: those that are left hold only the dead."""
        if self._flows:
            self._flows.clear()
            self._sides.clear()
            self._ring.clear()
            self._resumed.clear()

    def drain(self) -> Iterator[Waiter]:
        """Take everybody out who still waits."""
        flows, self._flows = self._flows, {}
        self._sides.clear()
        self._ring.clear()
        self._resumed.clear()
        for flow in flows.values():
            while (waiter := flow.first_live()) is not None:
                flow.waiters.popleft()
                yield waiter

    def uses(self, gate: Gate) -> bool:
        """Tell whether there are flows of a gate."""
        return gate in self._sides

    def _pays(self, flow: Flow, waiter: Waiter) -> bool:
        """Take the cost of an item from the flow's deficit, if it covers it."""
        if not flow.in_turn:
            flow.in_turn = True
            flow.deficit += self._quantum * flow.weight
        if waiter.cost_bytes > flow.deficit:
            return False
        flow.deficit -= waiter.cost_bytes
        return True

    def _end_turn(self, line: deque[Flow]) -> None:
        """Send a flow to the end of the ring; one that is parked at the same gate steps forward in its stead."""
        flow = line.popleft()
        flow.in_turn = False
        self._ring.append(flow)
        side = self._sides[flow.gate]
        if side.parked:
            self._unpark(side)

    def _park(self, line: deque[Flow]) -> None:
        flow = line.popleft()
        side = self._sides[flow.gate]
        side.standing -= 1
        if flow.in_turn:
            side.parked.appendleft(flow)
        else:
            side.parked.append(flow)

    def _unpark(self, side: _Side) -> None:
        self._resumed.append(side.parked.popleft())
        side.standing += 1

    def _drop(self, line: deque[Flow]) -> None:
        """Forget a flow nobody waits in, its deficit too: who has no work saves nothing up."""
        flow = line.popleft()
        del self._flows[flow.key]
        side = self._sides[flow.gate]
        side.standing -= 1
        if side.parked:
            self._unpark(side)
        elif not side.standing:
            del self._sides[flow.gate]
