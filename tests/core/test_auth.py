from __future__ import annotations

import asyncio

import pytest

from asyncclient._auth import HeaderAuth, SingleFlight, Token, is_fresh
from tests.core.support import turns

pytestmark = pytest.mark.anyio


class Work:
    def __init__(self) -> None:
        self.calls = 0
        self.gate = asyncio.Event()
        self.error: Exception | None = None

    async def __call__(self) -> int:
        self.calls += 1
        await self.gate.wait()
        if self.error is not None:
            raise self.error
        return self.calls


class TestToken:
    def test_it_never_shows_itself(self) -> None:
        token = Token("s3cret", 5.0, 1.0)
        assert "s3cret" not in f"{token!r} {token} {[token]}"
        assert "none" in repr(Token("", 0))

    @pytest.mark.parametrize(
        ("value", "left_s", "lifetime_s", "fresh"),
        [
            ("", 9999, 3600, False),
            ("t", 60.1, 3600, True),
            ("t", 60, 3600, False),
            ("t", 6.1, 60, True),
            ("t", 6, 60, False),
            ("t", 61, 0, True),
            ("t", 59, 0, False),
            ("t", -1, 3600, False),
        ],
    )
    def test_the_margin(self, value: str, left_s: float, lifetime_s: float, fresh: bool) -> None:
        assert is_fresh(Token(value, 1000 + left_s, lifetime_s), 1000) is fresh


async def test_a_key_that_never_changes() -> None:
    auth = HeaderAuth(b"x-key", b"s3cret")
    assert auth.header_nowait() == await auth.header() == (b"x-key", b"s3cret")
    assert not auth.reject(auth.header_nowait())
    assert "s3cret" not in repr(auth)


class TestSingleFlight:
    async def test_one_flight_for_all(self) -> None:
        work = Work()
        flight = SingleFlight(work)
        callers = [asyncio.create_task(flight()) for _ in range(32)]
        await turns()
        work.gate.set()
        assert await asyncio.gather(*callers) == [1] * 32
        assert await flight() == 2

    async def test_cancelling_the_starter_strands_nobody(self) -> None:
        work = Work()
        flight = SingleFlight(work)
        starter = asyncio.create_task(flight())
        await turns()
        joined = asyncio.create_task(flight())
        await turns()
        starter.cancel()
        with pytest.raises(asyncio.CancelledError):
            await starter
        work.gate.set()
        assert await joined == 1
        assert work.calls == 1

    async def test_a_failure_is_seen_by_all_and_then_forgotten(self) -> None:
        work = Work()
        work.error = OSError("no")
        flight = SingleFlight(work)
        callers = [asyncio.create_task(flight()) for _ in range(3)]
        await turns()
        work.gate.set()
        assert await asyncio.gather(*callers, return_exceptions=True) == [work.error] * 3
        work.error = None
        assert await flight() == 2

    async def test_a_failure_that_everyone_left_is_not_reported_as_lost(self) -> None:
        work = Work()
        work.error = OSError("no")
        flight = SingleFlight(work)
        reported: list[object] = []
        asyncio.get_running_loop().set_exception_handler(lambda _, context: reported.append(context))
        caller = asyncio.create_task(flight())
        await turns()
        caller.cancel()
        await turns()
        work.gate.set()
        await turns()
        flight._task = None
        await turns()
        assert not reported
        assert work.calls == 1

    async def test_a_flight_that_is_shot_down_is_started_anew(self) -> None:
        work = Work()
        flight = SingleFlight(work)
        caller = asyncio.create_task(flight())
        await turns()
        assert flight._task is not None
        flight._task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await caller
        work.gate.set()
        assert await flight() == 2

    def test_every_loop_has_its_own(self) -> None:
        calls = 0

        async def work() -> int:
            nonlocal calls
            calls += 1
            await asyncio.sleep(0)
            return calls

        async def abandon() -> None:
            task = asyncio.create_task(flight())
            await asyncio.sleep(0)
            task.cancel()

        flight = SingleFlight(work)
        asyncio.run(abandon())
        assert asyncio.run(flight()) == 2
