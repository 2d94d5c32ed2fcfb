from __future__ import annotations

import heapq
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from asyncclient._adaptive import AdaptiveLimit, Moment, Outcome

MB = 1_000_000
GOOD, FAILED, CONGESTED = Outcome.GOOD, Outcome.FAILED, Outcome.CONGESTED


class Link:
    """An origin that gives each stream its rate up to a knee, and then shares; keeps the limit saturated."""

    def __init__(self, limit: AdaptiveLimit, *, knee: float, part: int = 8 * MB, stream_rate: float = 20 * MB) -> None:
        self.limit = limit
        self.knee = knee
        self.part = part
        self.rate = stream_rate
        self.busy = 0.0
        self.demand = 10_000
        self.outcome: Callable[[int], Outcome] = lambda in_flight: GOOD
        self.penalty = 0.0
        self.now = self.cpu = 0.0
        self.running: list[tuple[float, float]] = []
        self.trace: list[int] = []

    def moment(self) -> Moment:
        return Moment(self.now, self.cpu)

    def duration(self) -> float:
        in_flight = len(self.running) + 1
        total = min(in_flight, self.knee) * self.rate
        total *= max(0.1, 1.0 - self.penalty * max(0.0, in_flight - self.knee))
        return self.part * in_flight / total

    def run(self, seconds: float) -> None:
        end = self.now + seconds
        while self.now < end:
            while len(self.running) < min(self.limit.value, self.demand):
                heapq.heappush(self.running, (self.now + self.duration(), self.now))
                self.limit.begin(len(self.running), self.moment())
            before = self.now
            self.now, began = heapq.heappop(self.running)
            self.cpu += self.busy * (self.now - before)
            in_flight = len(self.running) + 1
            outcome = self.outcome(in_flight)
            if outcome is GOOD:
                self.limit.moved(self.part)
            self.limit.end(outcome, in_flight, self.now - began, self.moment())
            self.trace.append(self.limit.value)


def test_it_doubles_until_that_does_not_help() -> None:
    limit = AdaptiveLimit(4, 64)
    link = Link(limit, knee=16)
    link.run(30)
    assert link.trace[0] == 4
    assert {8, 16} <= set(link.trace)
    assert limit.value >= 16


def test_small_files_teach_as_well() -> None:
    limit = AdaptiveLimit(2, 28)
    Link(limit, knee=16, part=64 * 1024, stream_rate=MB).run(10)  # 160 files at first, not 20 MB of them
    assert limit.value >= 14


def test_nothing_changes_before_there_is_evidence() -> None:
    limit = AdaptiveLimit(4, 64)
    link = Link(limit, knee=64, part=MB, stream_rate=2 * MB)
    link.run(0.9)
    assert set(link.trace) == {4}
    link.run(3)
    assert limit.value > 4


def test_more_streams_that_bring_less_are_given_up() -> None:
    limit = AdaptiveLimit(4, 64)
    link = Link(limit, knee=6, part=MB)
    link.penalty = 0.1
    link.run(60)
    assert max(link.trace) == 16
    assert max(link.trace[len(link.trace) // 2 :]) <= 12
    assert min(link.trace[len(link.trace) // 2 :]) >= 4


def test_a_program_that_asks_for_little_teaches_nothing() -> None:
    limit = AdaptiveLimit(8, 64)
    link = Link(limit, knee=64)
    link.demand = 3
    link.run(20)
    assert set(link.trace) == {8}


def test_a_busy_loop_goes_back_to_the_start() -> None:
    limit = AdaptiveLimit(4, 64)
    link = Link(limit, knee=64)
    link.run(4)
    reached = limit.value
    assert reached > 8
    link.busy = 0.8
    link.run(3)
    assert limit.value == reached
    link.busy = 0.95
    link.run(60)
    assert limit.value == 4
    link.busy = 0.0
    link.run(20)
    assert limit.value > 4


def test_a_busy_loop_may_come_back_to_the_start() -> None:
    limit = AdaptiveLimit(4, 64)
    link = Link(limit, knee=64)
    link.outcome = lambda in_flight: CONGESTED
    link.run(20)
    assert limit.value == 1
    link.outcome = lambda in_flight: GOOD
    link.busy = 1.0
    link.run(60)
    assert limit.value == 4


def test_congestion_cuts_once_for_what_was_under_way_together() -> None:
    limit = AdaptiveLimit(20, 64)
    for count in range(1, 21):
        limit.begin(count, Moment(0.0, 0.0))
    for in_flight in range(20, 0, -1):
        limit.end(CONGESTED, in_flight, 0.5, Moment(0.5 + (20 - in_flight) / 100, 0.0))
    assert limit.value == 14
    limit.end(CONGESTED, 1, 0.5, Moment(2.0, 0.0))
    assert limit.value == 9
    for _ in range(30):
        limit.end(CONGESTED, 1, 4.0, Moment(3.5, 0.0))  # requests take four seconds: so does the next cut
    assert limit.value == 6
    limit.end(CONGESTED, 1, 4.0, Moment(7.0, 0.0))
    assert limit.value == 6
    limit.end(CONGESTED, 1, 4.0, Moment(7.6, 0.0))
    assert limit.value == 4


def test_it_never_ends_at_nothing() -> None:
    limit = AdaptiveLimit(2, 8)
    link = Link(limit, knee=8)
    link.outcome = lambda in_flight: CONGESTED
    link.run(60)
    assert limit.value == 1


def test_after_a_cut_it_grows_by_one() -> None:
    limit = AdaptiveLimit(16, 64)
    link = Link(limit, knee=64)
    link.outcome = lambda in_flight: CONGESTED if link.now < 0.5 else GOOD
    link.run(30)
    steps = {after - before for before, after in zip(link.trace, link.trace[1:], strict=False)}
    assert steps <= {0, 1, -1, -5, -6}
    assert limit.value > 20


def test_a_service_that_breaks_is_asked_less() -> None:
    limit = AdaptiveLimit(16, 64)
    link = Link(limit, knee=64)
    link.outcome = lambda in_flight: FAILED
    link.run(30)
    assert limit.value == 1


def test_time_in_which_nothing_went_on_does_not_count() -> None:
    limit = AdaptiveLimit(4, 64)
    link = Link(limit, knee=4)
    link.run(8)
    reached = limit.value
    for _ in range(20):
        while link.running:
            link.now, began = heapq.heappop(link.running)
            limit.end(GOOD, len(link.running) + 1, link.now - began, link.moment())
        link.now += 100.0
        link.run(0.7)
    assert limit.value >= reached


def test_what_is_given_is_kept_within_bounds() -> None:
    assert AdaptiveLimit(4, 1).value == 1
    assert AdaptiveLimit(0, 0).value == 1
    assert repr(AdaptiveLimit(4, 64)) == "<AdaptiveLimit 4 of 64>"


@settings(max_examples=100)
@given(
    start=st.integers(1, 8),
    most=st.integers(1, 64),
    steps=st.lists(
        st.tuples(
            st.sampled_from(list(Outcome)),
            st.integers(0, 64 * MB),
            st.floats(0.0, 5.0),
            st.floats(0.0, 1.0),
            st.integers(1, 80),
        ),
        max_size=200,
    ),
)
def test_it_stays_between_one_and_the_most(
    start: int, most: int, steps: list[tuple[Outcome, int, float, float, int]]
) -> None:
    limit = AdaptiveLimit(start, most)
    now = cpu = 0.0
    for outcome, count, wait, busy, in_flight in steps:
        limit.begin(in_flight, Moment(now, cpu))
        now += wait
        cpu += wait * busy
        limit.moved(count)
        before = limit.value
        limit.end(outcome, in_flight, wait, Moment(now, cpu))
        assert 1 <= limit.value <= most
        assert limit.value <= 2 * before
        if outcome is CONGESTED:
            assert limit.value <= before


@pytest.mark.parametrize("knee", [2, 5, 12, 40])
def test_it_reaches_what_the_link_gives(knee: int) -> None:
    limit = AdaptiveLimit(4, 64)
    Link(limit, knee=knee).run(120)
    assert limit.value >= min(knee, 60)
