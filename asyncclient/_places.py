"""What is in use where: one place per origin, and its gates, one for each kind of work that has a limit of its own."""

from __future__ import annotations

import asyncio
import enum
from collections.abc import Iterator
from typing import TYPE_CHECKING, Final, NamedTuple

from asyncclient._adaptive import AdaptiveLimit

if TYPE_CHECKING:
    from asyncclient._messages import Origin
    from asyncclient.types import Limits

__all__ = ["Bounds", "Direction", "Gate", "Lane", "Place", "Streams"]


class Lane(enum.Enum):
    """What kind of work a slot is for."""

    CONTROL = "control"
    BULK = "bulk"

    # Members are singletons: identity hashing is right, and three times as fast as hashing the name.
    __hash__ = object.__hash__


class Direction(enum.Enum):
    """Where the bytes of a bulk request go; each has a limit of its own at every origin.

    ``STREAM`` is down too, to somebody who takes the bytes when it suits him. He may need another slot, or memory that
    somebody else gives back only after a slot, before he takes more: so streams never hold all slots.
    """

    UP = "up"
    DOWN = "down"
    STREAM = "stream"

    __hash__ = object.__hash__


_START: Final = {Direction.UP: 2, Direction.DOWN: 4, Direction.STREAM: 4}
_MOST: Final = 64


class Bounds(NamedTuple):
    """What no origin may exceed, whatever is learned."""

    per_origin: int
    bulk_per_origin: int
    bulk: int

    @classmethod
    def of(cls, limits: Limits) -> Bounds:
        """Derive the bounds of a hub."""
        per_origin = limits.max_connections_per_origin or limits.max_connections
        bulk = limits.max_connections - limits.reserve
        return cls(per_origin, per_origin - limits.reserve_per_origin, bulk)

    def most(self, direction: Direction) -> int:
        """Return how many requests of a direction one origin may have at a time."""
        if direction is Direction.STREAM:
            return max(1, min(_MOST, self.bulk - 1, self.bulk_per_origin - 1))
        return min(_MOST, self.bulk)


class Streams:
    """Counts the streams of all origins.

    Attributes:
        in_use: Slots they hold.
        most: They may hold: one less than all, where there are several.
    """

    __slots__ = ("in_use", "most")

    def __init__(self, bounds: Bounds) -> None:
        self.in_use = 0
        self.most: Final = max(1, bounds.bulk - 1)


class Gate:
    """Decides whether one kind of work may begin at one origin.

    Attributes:
        lane: Of the work.
        place: The origin.
        limit: What was learned; None for small calls, and for bulk work of no direction.
        direction: Of bulk work, or None.
        in_use: Slots of this gate. Not kept for small calls, which have no limit of their own.
    """

    __slots__ = ("direction", "in_use", "lane", "limit", "place")

    def __init__(self, lane: Lane, place: Place, direction: Direction | None = None) -> None:
        self.lane = lane
        self.place = place
        self.direction = direction
        self.in_use = 0
        self.limit: AdaptiveLimit | None = None
        if direction is not None:
            self.limit = AdaptiveLimit(_START[direction], place.bounds.most(direction))

    def room(self) -> int:
        """Return how many more may begin here, as far as this origin is concerned."""
        place = self.place
        bounds = place.bounds
        room = bounds.per_origin - place.total
        if self.lane is Lane.CONTROL:
            return room
        if place.paused:
            return 0
        room = min(room, bounds.bulk_per_origin - place.bulk)
        if self.direction is Direction.STREAM:
            room = min(room, place.streams.most - place.streams.in_use)
        return room if self.limit is None else min(room, self.limit.value - self.in_use)


class Place:
    """One origin.

    Attributes:
        origin: Its name.
        bounds: What it may not exceed.
        streams: Of all origins.
        total: Slots in use.
        bulk: Of these, bulk ones.
        control: The gate of small calls.
        paused_until: On the scheduler's clock, if ``paused``.
        timer: Ends the pause; None if there is none.
    """

    __slots__ = ("_bulk_gates", "bounds", "bulk", "control", "origin", "paused_until", "streams", "timer", "total")

    def __init__(self, origin: Origin, bounds: Bounds, streams: Streams) -> None:
        self.origin = origin
        self.bounds = bounds
        self.streams = streams
        self.total = 0
        self.bulk = 0
        self.control = Gate(Lane.CONTROL, self)
        self._bulk_gates: dict[Direction | None, Gate] = {}
        self.paused_until = 0.0
        self.timer: asyncio.TimerHandle | None = None

    @property
    def paused(self) -> bool:
        """Whether no bulk work may begin, because the origin asked for a pause."""
        return self.timer is not None

    def gate(self, lane: Lane, direction: Direction | None) -> Gate:
        """Return the gate for a kind of work."""
        if lane is Lane.CONTROL:
            return self.control
        gate = self._bulk_gates.get(direction)
        if gate is None:
            gate = self._bulk_gates[direction] = Gate(lane, self, direction)
        return gate

    def bulk_gates(self) -> Iterator[Gate]:
        """Return the gates of bulk work that was met so far."""
        return iter(self._bulk_gates.values())
