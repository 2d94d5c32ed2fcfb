"""Who may send next: lanes, a reserve for small calls, limits per origin, fair turns.

One scheduler serves all clients of a hub. A request needs a *slot*; slots never outnumber connections, so the pool
below never queues. Small calls (lane *control*) go first and may use every slot; parts of transfers (lane *bulk*)
leave the reserve free. Within a lane, flows take turns by weight and bytes (``_flows.py``): a flow is one job of one
service at one origin, and where an origin is at its limit its flows are passed over. In the bulk lane that limit is
learned for each direction (``_adaptive.py``), and an origin that asks to be left alone is, by everyone.

The free path costs one dictionary look-up and no suspension. Not thread-safe: one event loop owns it.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Callable, Hashable
from contextvars import ContextVar
from typing import TYPE_CHECKING, Final, NamedTuple

from asyncclient._adaptive import Moment
from asyncclient._budget import ByteBudget, default_budget_bytes
from asyncclient._flows import BULK_COST_BYTES, CONTROL_COST_BYTES, NORMAL_WEIGHT, FairQueue, Waiter
from asyncclient._places import Bounds, Direction, Gate, Lane, Place, Streams
from asyncclient.errors import HubClosed

if TYPE_CHECKING:
    from asyncclient._adaptive import Outcome
    from asyncclient._messages import Origin
    from asyncclient.types import Limits

__all__ = [
    "CLOSED",
    "CURRENT_JOB",
    "Direction",
    "Lane",
    "Scheduler",
    "SchedulerStatistics",
    "Slot",
    "TransferStatistics",
]

CLOSED: Final = "the hub was closed while this call was under way"

CURRENT_JOB: ContextVar[Hashable | None] = ContextVar("asyncclient_current_job", default=None)
"""The job of calls that name none; whatever runs many calls for one purpose sets it in their tasks."""

_MAX_PLACES: Final = 256


class SchedulerStatistics(NamedTuple):
    """A snapshot.

    Attributes:
        in_flight: Slots in use.
        waiting: Requests that wait for a slot.
        lanes: Slots in use by lane.
        origins: Slots in use by origin.
    """

    in_flight: int
    waiting: int
    lanes: dict[str, int]
    origins: dict[str, int]


class TransferStatistics(NamedTuple):
    """A snapshot of what bounds bulk work.

    Attributes:
        limits: What was learned: bulk requests at a time, by origin and direction.
        paused_s: Seconds until bulk work goes on, by origin that asked for a pause.
        bytes_in_use: Reserved of the byte budget.
    """

    limits: dict[str, dict[str, int]]
    paused_s: dict[str, float]
    bytes_in_use: int


class Slot:
    """The right to have one request in flight; given back exactly once."""

    __slots__ = ("_gate", "_scheduler")

    def __init__(self, scheduler: Scheduler, gate: Gate) -> None:
        self._scheduler: Scheduler | None = scheduler
        self._gate = gate

    @property
    def lane(self) -> Lane:
        """What kind of work it is for."""
        return self._gate.lane

    @property
    def origin(self) -> Origin:
        """Where the request goes."""
        return self._gate.place.origin

    def moved(self, count: int) -> None:
        """Account for bytes of a bulk request that arrived at their end."""
        limit = self._gate.limit
        if limit is not None:
            limit.moved(count)

    def report(self, outcome: Outcome, duration_s: float) -> None:
        """Say how a bulk request ended; once, and before the slot is given back."""
        gate, scheduler = self._gate, self._scheduler
        if gate.limit is not None and scheduler is not None:
            gate.limit.end(outcome, gate.in_use, duration_s, scheduler.moment())

    def release(self) -> None:
        """Give the slot back; further calls do nothing."""
        scheduler = self._scheduler
        if scheduler is not None:
            self._scheduler = None
            scheduler._release(self._gate)


class Scheduler:
    """Hands out slots.

    Args:
        limits: How many at a time, in all and per origin, how many of them only small calls may use, and how many bytes
            parts in flight may hold.
        clock: Seconds, monotonic.
        draw: Draws from [0, 1), for the end of pauses.

    Attributes:
        capacity: Slots in all.
        budget: Memory for parts in flight; reserved before a slot is asked for, never while one is held.
    """

    def __init__(
        self,
        limits: Limits,
        *,
        clock: Callable[[], float] = time.monotonic,
        draw: Callable[[], float] = random.random,
    ) -> None:
        self.capacity: Final = limits.max_connections
        self.budget: Final = ByteBudget(limits.max_bytes_in_flight or default_budget_bytes())
        self.clock: Final = clock
        self._draw: Final = draw
        self._bounds: Final = Bounds.of(limits)
        self._streams: Final = Streams(self._bounds)
        self._in_flight = 0
        self._bulk_in_flight = 0
        self._places: dict[Origin, Place] = {}
        self._sweep_at = _MAX_PLACES
        self._waiting = 0
        self._closed = False
        self._control: Final = FairQueue(Lane.CONTROL)
        self._bulk: Final = FairQueue(Lane.BULK)

    def acquire_nowait(self, lane: Lane, origin: Origin, *, direction: Direction | None = None) -> Slot | None:
        """Take a free slot, or None if there is none or others wait for it."""
        if self._waiting and (self._control if lane is Lane.CONTROL else self._bulk):
            return None
        place = self._places.get(origin)
        if place is None:
            place = self._meet(origin)
        if lane is Lane.BULK:
            gate = place.gate(lane, direction)
            return self._grant(gate) if self._bulk_has_room() and gate.room() > 0 else None
        if self._in_flight >= self.capacity or place.total >= self._bounds.per_origin:
            return None
        self._in_flight += 1
        place.total += 1
        return Slot(self, place.control)

    async def acquire(
        self,
        service: str,
        lane: Lane,
        origin: Origin,
        *,
        job: Hashable | None = None,
        cost_bytes: int | None = None,
        direction: Direction | None = None,
        weight: int = NORMAL_WEIGHT,
    ) -> Slot:
        """Wait for a slot.

        Args:
            service: Takes turns with other services.
            lane: Kind of work.
            origin: Where the request goes.
            job: Takes turns with other jobs of the service. Default: :data:`CURRENT_JOB`.
            cost_bytes: Size of bulk work. Default: 8 MiB. Small calls all count the same.
            direction: Of bulk work; without it no limit is learned, and none that was learned holds.
            weight: Share of the job among others: 1, 4 (normal) or 16.

        Raises:
            HubClosed: The scheduler was closed meanwhile.

        Cancelling leaves no trace: a slot that was granted in the same moment goes to the next waiter.
        """
        slot = self.acquire_nowait(lane, origin, direction=direction)
        if slot is not None:
            return slot
        if self._closed:
            raise HubClosed(CLOSED)
        if not self._waiting:
            self._forget_the_dead()
        control = lane is Lane.CONTROL
        gate = self._meet(origin).gate(lane, direction)
        future: asyncio.Future[Slot] = asyncio.get_running_loop().create_future()
        cost = CONTROL_COST_BYTES if control else BULK_COST_BYTES if cost_bytes is None else cost_bytes
        key = (service, job if job is not None else CURRENT_JOB.get(), gate)
        flow = (self._control if control else self._bulk).add(key, gate, Waiter(future, cost), weight)
        self._waiting += 1
        self._wake()  # others may wait only for origins that are at their limit
        try:
            return await future
        except BaseException:
            if future.done() and not future.cancelled():
                if future.exception() is None:
                    future.result().release()
            else:
                future.cancel()  # a coroutine that is thrown away, not cancelled, leaves it waiting
                self._waiting -= 1
                flow.bury()
            raise

    def pause(self, origin: Origin, delay_s: float) -> None:
        """Let no bulk work begin at an origin for a while, because it asked for it; small calls go on.

        Up to a tenth is added, so that programs that were told the same second do not come back in it. A pause under way
        is made longer, never shorter.
        """
        place = self._meet(origin)
        until = self.clock() + delay_s * (1.0 + 0.1 * self._draw())
        if self._closed or delay_s <= 0 or (place.paused and until <= place.paused_until):
            return
        if place.timer is not None:
            place.timer.cancel()
        place.paused_until = until
        loop = asyncio.get_running_loop()
        place.timer = loop.call_later(until - self.clock(), self._resume, place)

    def close(self) -> None:
        """Let no one wait any more: whoever does gets :class:`HubClosed`. Slots in use are given back as ever."""
        self._closed = True
        for queue in (self._control, self._bulk):
            for waiter in queue.drain():
                self._waiting -= 1
                waiter.future.set_exception(HubClosed(CLOSED))
        for place in self._places.values():
            if place.timer is not None:
                place.timer.cancel()
                place.timer = None
        self.budget.close()

    def moment(self) -> Moment:
        """Read the clocks that limits learn by; in the thread of the loop."""
        return Moment(self.clock(), time.thread_time())

    def statistics(self) -> SchedulerStatistics:
        """Count what is in use and what waits; may be called in any thread."""
        bulk = self._bulk_in_flight
        return SchedulerStatistics(
            self._in_flight,
            self._waiting,
            {Lane.CONTROL.value: self._in_flight - bulk, Lane.BULK.value: bulk},
            {str(place.origin): place.total for place in list(self._places.values()) if place.total},
        )

    def queues(self) -> dict[str, int]:
        """Count what waits, by lane; may be called in any thread."""
        return {Lane.CONTROL.value: self._control.waiting, Lane.BULK.value: self._bulk.waiting}

    def transfer_statistics(self) -> TransferStatistics:
        """Tell what bounds bulk work now; may be called in any thread."""
        now = self.clock()
        limits: dict[str, dict[str, int]] = {}
        places = list(self._places.values())
        for place in places:
            for gate in list(place.bulk_gates()):
                if gate.limit is not None and gate.direction is not None:
                    limits.setdefault(str(place.origin), {})[gate.direction.value] = gate.limit.value
        paused = {str(place.origin): max(0.0, place.paused_until - now) for place in places if place.paused}
        return TransferStatistics(limits, paused, self.budget.in_use_bytes)

    def _meet(self, origin: Origin) -> Place:
        place = self._places.get(origin)
        if place is None:
            if len(self._places) >= self._sweep_at:
                self._sweep()
            place = self._places[origin] = Place(origin, self._bounds, self._streams)
        return place

    def _forget_the_dead(self) -> None:
        """Drop flows whose waiters were all cancelled.

        While nobody waits, slots are given back without a look at the queues; a flow that was parked then would stay
        parked at a gate that has room, and whoever joined it would wait for a slot that nobody gives back.
        """
        self._control.forget()
        self._bulk.forget()

    def _sweep(self) -> None:
        """Forget origins where nothing goes on: a hub that lives for months meets many."""
        if not self._waiting:
            self._forget_the_dead()
        self._places = {origin: place for origin, place in self._places.items() if self._busy(place)}
        self._sweep_at = max(_MAX_PLACES, 2 * len(self._places))

    def _busy(self, place: Place) -> bool:
        if place.total or place.paused or self._control.uses(place.control):
            return True
        return any(self._bulk.uses(gate) for gate in place.bulk_gates())

    def _bulk_has_room(self) -> bool:
        return self._in_flight < self.capacity and self._bulk_in_flight < self._bounds.bulk

    def _grant(self, gate: Gate) -> Slot:
        self._in_flight += 1
        gate.place.total += 1
        if gate.lane is Lane.BULK:
            self._bulk_in_flight += 1
            gate.place.bulk += 1
            gate.in_use += 1
            self._streams.in_use += gate.direction is Direction.STREAM
            if gate.limit is not None:
                gate.limit.begin(gate.in_use, self.moment())
        return Slot(self, gate)

    def _release(self, gate: Gate) -> None:
        place = gate.place
        self._in_flight -= 1
        place.total -= 1
        if gate.lane is Lane.BULK:
            self._bulk_in_flight -= 1
            place.bulk -= 1
            gate.in_use -= 1
            self._streams.in_use -= gate.direction is Direction.STREAM
        if self._waiting:
            self._freed(place)
            if gate.direction is Direction.STREAM:
                self._freed_stream()
            self._wake()

    def _freed(self, place: Place) -> None:
        self._control.freed(place.control)
        for gate in place.bulk_gates():
            self._bulk.freed(gate)

    def _freed_stream(self) -> None:
        # It may have been the last one that all origins together may have.
        for place in self._places.values():
            for gate in place.bulk_gates():
                if gate.direction is Direction.STREAM:
                    self._bulk.freed(gate)

    def _resume(self, place: Place) -> None:
        place.timer = None
        for gate in place.bulk_gates():
            self._bulk.opened(gate)
        self._wake()

    def _wake(self) -> None:
        """Hand out every slot that is free for someone, small calls first."""
        while self._in_flight < self.capacity and self._serve(self._control):
            pass
        while self._bulk_has_room() and self._serve(self._bulk):
            pass

    def _serve(self, queue: FairQueue) -> bool:
        turn = queue.take()
        if turn is None:
            return False
        gate, waiter = turn
        self._waiting -= 1
        waiter.future.set_result(self._grant(gate))
        return True
