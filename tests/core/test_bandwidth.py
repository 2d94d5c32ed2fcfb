from __future__ import annotations

import asyncio
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from asyncclient._bandwidth import CHARGE_BYTES, Pacer, TokenBucket

pytestmark = pytest.mark.anyio


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def test_half_a_second_may_go_at_once() -> None:
    clock = Clock()
    bucket = TokenBucket(1000, clock)
    assert bucket.take(500) == 0
    assert bucket.take(100) == pytest.approx(0.1)
    assert bucket.take(100) == pytest.approx(0.2)  # behind those who came before
    clock.now += 0.2
    assert bucket.take(0) == 0
    clock.now += 1000.0  # no more is saved up than that
    assert bucket.take(500) == 0
    assert bucket.take(1) > 0


@given(
    rate=st.floats(1.0, 1e9), steps=st.lists(st.tuples(st.integers(0, 10_000_000), st.floats(0.0, 10.0)), max_size=60)
)
def test_the_rate_is_kept_whatever_is_taken(rate: float, steps: list[tuple[int, float]]) -> None:
    """Whoever waits as told never gets ahead of the rate by more than the burst."""
    clock = Clock()
    bucket = TokenBucket(rate, clock)
    begun, paid = clock.now, 0.0
    for count, idle_s in steps:
        clock.now += bucket.take(count)
        paid += count
        assert paid <= rate * (clock.now - begun + 0.5) * (1 + 1e-6) + 1
        clock.now += idle_s


async def test_a_body_pays_in_steps() -> None:
    clock = Clock()
    bucket = TokenBucket(2 * CHARGE_BYTES, clock)
    pacer = Pacer(bucket)
    for _ in range(4):
        pacer.moved(CHARGE_BYTES // 4)
        assert bucket.take(0) == 0
        await pacer.pay()
    assert bucket.take(1) > 0  # the burst is used up
    pacer.moved(100)
    await pacer.pay()  # not enough to be charged yet
    before = bucket.take(0)
    pacer.end()
    pacer.end()
    assert bucket.take(0) == pytest.approx(before + 100 / (2 * CHARGE_BYTES))


async def test_it_waits() -> None:
    bucket = TokenBucket(8 * CHARGE_BYTES)
    pacer, other = Pacer(bucket), Pacer(bucket)
    begun = time.monotonic()
    for _ in range(5):
        pacer.moved(CHARGE_BYTES)
        await pacer.pay()
    await other.begin()
    assert time.monotonic() - begun > 0.1  # five steps, four of them free
    pacer.moved(1000 * CHARGE_BYTES)
    task = asyncio.create_task(pacer.pay())
    await asyncio.sleep(0)
    assert not task.done()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
