"""What the demo notes while it runs: of each service, and of the hub that all of them share."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import NamedTuple

from asyncclient.types import HubStatistics

__all__ = ["Call", "Mark", "Part", "Resumption", "Run", "Sample", "Step", "Traffic"]


class Call(NamedTuple):
    """One small call: when it began (seconds of the run), how long it took, whether bulk work ran meanwhile."""

    at_s: float
    seconds: float
    loaded: bool


class Mark(NamedTuple):
    """Something that happened at a moment of the run."""

    at_s: float
    what: str


class Sample(NamedTuple):
    """One look at everything.

    Attributes:
        at_s: Seconds of the run.
        up: Bytes of bodies sent so far, by part, in their order.
        down: Bytes of bodies received so far, likewise.
        connections: Open connections of the hub, idle ones included.
        in_flight: Requests that hold a slot.
        lanes: Of these, by lane.
        memory_bytes: Resident memory of this process; None where the system does not tell.
    """

    at_s: float
    up: tuple[int, ...]
    down: tuple[int, ...]
    connections: int
    in_flight: int
    lanes: dict[str, int]
    memory_bytes: int | None


@dataclass(slots=True)
class Traffic:
    """What went over the wire to and from one service.

    Attributes:
        up: Bytes of request bodies.
        down: Bytes of bodies of answers.
        requests: Requests sent, repeated ones included.
        failed: Of these, answered with 429 or 5xx, or broken off: what the hub repeats.
    """

    up: int = 0
    down: int = 0
    requests: int = 0
    failed: int = 0

    @property
    def moved(self) -> int:
        """Bytes both ways."""
        return self.up + self.down


@dataclass(slots=True)
class Step:
    """One thing after the other that is done at a service.

    Attributes:
        name: What.
        files: Files it is done with.
        seconds: Wall time, of which others have their share.
    """

    name: str
    files: int = 0
    seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class Resumption:
    """What came of an upload that was killed and gone on with by another process, as the emulator saw it.

    Attributes:
        total_bytes: Of all contents, in the form they are sent in.
        total_parts: Requests it takes to send them.
        before_bytes: That arrived before the kill, of parts cut off by it as well.
        before_parts: Requests that brought them.
        sent_later_bytes: That the other process sent.
        sent_later_parts: Requests it sent them in.
    """

    total_bytes: int
    total_parts: int
    before_bytes: int
    before_parts: int
    sent_later_bytes: int
    sent_later_parts: int

    @property
    def saved_bytes(self) -> int:
        """Bytes that were not sent again."""
        return self.total_bytes - self.sent_later_bytes

    @property
    def saved_parts(self) -> int:
        """Parts that were not sent again."""
        return self.total_parts - self.sent_later_parts

    @property
    def sent_twice_bytes(self) -> int:
        """Bytes that arrived before the kill and were sent again all the same."""
        return self.before_bytes - self.saved_bytes

    @property
    def sent_twice_parts(self) -> int:
        """Parts of which something arrived before the kill, and that were sent again."""
        return self.before_parts - self.saved_parts


@dataclass(slots=True)
class Part:
    """What is done at one service, and what came of it.

    Attributes:
        name: Of the service, as its module is called.
        title: Of the service, for people.
        traffic: Counted by the transport.
        expected_bytes: That will move both ways, about; for the bar.
        files: Whose content was compared and found to be the same.
        verified_bytes: Of these files.
        steps: In order; the last one is under way.
        seconds: Wall time of all steps.
        ended: Whether everything was done, or given up.
        problems: Everything that is not as it should be.
        refused: Empty files, which the library refused as it should.
        notes: What else came of it, in sentences.
        resumption: Of the upload that was killed.
        left_out: Why nothing was done, and what it would need; "" if it was.
        calls: The small calls.
        marks: What happened when.
    """

    name: str
    title: str
    traffic: Traffic = field(default_factory=Traffic)
    expected_bytes: int = 0
    files: int = 0
    verified_bytes: int = 0
    steps: list[Step] = field(default_factory=list)
    seconds: float = 0.0
    ended: bool = False
    problems: list[str] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    resumption: Resumption | None = None
    left_out: str = ""
    calls: list[Call] = field(default_factory=list)
    marks: list[Mark] = field(default_factory=list)

    @property
    def ok(self) -> bool:
        """Whether everything is as it should be."""
        return not self.problems

    @contextmanager
    def step(self, name: str) -> Iterator[Step]:
        """Note that something begins, and how long it took."""
        step, began_s = Step(name), time.perf_counter()
        self.steps.append(step)
        try:
            yield step
        finally:
            step.seconds = time.perf_counter() - began_s

    def same(self, size_bytes: int) -> None:
        """Count a file that was compared byte by byte, or by digest, and is the same."""
        self.files += 1
        self.verified_bytes += size_bytes


@dataclass(slots=True)
class Run:
    """The whole demo.

    Attributes:
        source: Where the files came from.
        parts: One for each service.
        machine: What it ran on, in words.
        zero_s: When it began, on the clock of ``time.perf_counter``.
        loaded: Whether bulk work is under way.
        load: From when to when it was, in seconds of the run.
        samples: Looks at everything, the oldest first.
        statistics: Of the hub, at the end.
    """

    source: str
    parts: list[Part]
    machine: str = ""
    zero_s: float = field(default_factory=time.perf_counter)
    loaded: bool = False
    load: tuple[float, float] = (0.0, 0.0)
    samples: list[Sample] = field(default_factory=list)
    statistics: HubStatistics = field(default_factory=HubStatistics)

    @property
    def ok(self) -> bool:
        """Whether everything is as it should be."""
        return all(part.ok for part in self.parts)

    def now_s(self) -> float:
        """Return the seconds of the run."""
        return time.perf_counter() - self.zero_s

    def mark(self, part: Part, what: str) -> None:
        """Note that something happens now."""
        part.marks.append(Mark(self.now_s(), what))
