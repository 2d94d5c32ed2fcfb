from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from typing import Any

import pytest

from asyncclient import errors
from asyncclient._bulk import Bandwidth, Load
from asyncclient._failure import error_of
from asyncclient._messages import Origin, Request, Response, TimeoutsView
from asyncclient._pipeline import Pipeline, Rules
from asyncclient._scheduler import CURRENT_JOB, Direction, Lane, Scheduler
from asyncclient.types import Limits, RetryPolicy, Timeouts
from tests.core.support import HOME, Reply, ScriptedTransport, Step, turns

pytestmark = pytest.mark.anyio

MIB = 1024 * 1024
AWAY = Origin("https", "files.example.test", 443)


class Body:
    """Content that comes in pieces."""

    replayable = True

    def __init__(self, pieces: list[bytes], *, length: bool = True) -> None:
        self.pieces = pieces
        self.length = sum(map(len, pieces)) if length else None
        self.closed = 0

    async def open(self) -> AsyncIterator[bytes]:
        try:
            for piece in self.pieces:
                yield piece
        finally:
            self.closed += 1


class Plain:
    """An iterator that cannot be closed."""

    replayable = False
    length = None

    def open(self) -> Plain:
        self.left = [b"a", b"bc"]
        return self

    def __aiter__(self) -> Plain:
        return self

    async def __anext__(self) -> bytes:
        if not self.left:
            raise StopAsyncIteration
        return self.left.pop(0)


class Reading(ScriptedTransport):
    """Reads the bodies of requests, as a real transport does."""

    def __init__(self, *steps: Step) -> None:
        super().__init__(*steps)
        self.sent: list[list[bytes]] = []  # type: ignore[assignment]  # another question than that of its base

    async def send(self, request: Request, timeouts: TimeoutsView) -> Response:
        await asyncio.sleep(0)
        body = request.body
        if body is not None:
            pieces = self.sent
            pieces.append([body] if isinstance(body, bytes) else [piece async for piece in body.open()])
        return await super().send(request, timeouts)


def request(body: Any = None, origin: Origin = HOME) -> Request:
    method = b"PUT" if body is not None else b"GET"
    return Request(method, origin, b"/part", [], body, idempotent=True)


def rules(**options: Any) -> Rules:
    return Rules(
        service="demo",
        error=lambda request, answer: error_of(request, answer, now=0.0),
        auth=None,
        auth_origins=lambda origin: False,
        timeouts=options.pop("timeouts", Timeouts()),
        policy=options.pop("policy", RetryPolicy(max_retries=0)),
        **options,
    )


def pipeline(*steps: Step, limits: Limits | None = None) -> tuple[Pipeline, Reading]:
    transport, limits = Reading(*steps), limits or Limits()
    scheduler = Scheduler(limits, draw=lambda: 0.0)
    return Pipeline(transport, scheduler, bandwidth=Bandwidth(limits), draw=lambda: 0.0), transport


def learned(pipe: Pipeline) -> dict[str, int]:
    return pipe.scheduler.transfer_statistics().limits.get(str(HOME), {})


def clean(pipe: Pipeline) -> bool:
    return pipe.scheduler.statistics()[:2] == (0, 0)


class TestLoad:
    def test_what_is_not_said_is_taken_from_the_request(self) -> None:
        assert Load.of(request(), None, None) == Load(None, Direction.DOWN, None)
        assert Load.of(request(b"abc"), "j", None) == Load("j", Direction.UP, 3)
        assert Load.of(request(b""), None, None) == Load(None, Direction.DOWN, None)
        assert Load.of(request(Body([b"ab"])), None, None).size_bytes == 2
        assert Load.of(request(Body([b"ab"], length=False)), None, None).size_bytes is None
        assert Load.of(request(b"abc"), None, 7, Direction.DOWN) == Load(None, Direction.DOWN, 7)


class TestLimits:
    async def test_each_direction_has_its_own(self) -> None:
        gate = asyncio.Event()
        pipe, transport = pipeline(Reply(gate=gate))
        up = [asyncio.create_task(pipe.fetch(request(b"x"), "put", rules(), Lane.BULK)) for _ in range(10)]
        await turns()
        assert transport.sending == 2
        down = [asyncio.create_task(pipe.stream(request(), "get", rules())) for _ in range(10)]
        await turns()
        assert transport.sending == 6
        assert learned(pipe) == {"up": 2, "down": 4}
        small = asyncio.create_task(pipe.fetch(request(), "small", rules()))
        await turns()
        assert transport.sending == 7
        gate.set()
        await asyncio.gather(*up, small)
        for task in down:
            await (await task).aclose()
        assert clean(pipe)

    @pytest.mark.parametrize(
        ("step", "limit"),
        [
            (Reply(429), 2),
            (Reply(503), 2),
            (errors.ConnectError("refused"), 2),
            (errors.ReadError("reset"), 2),
            (errors.WriteTimeout("late"), 2),
            (Reply(pieces=[b"x"], body_error=errors.ReadTimeout("late")), 2),
            (Reply(500), 4),
            (Reply(404), 4),
            (errors.TLSError("bad"), 4),
            (errors.LocalProtocolError("ours"), 4),
            (errors.RemoteProtocolError("odd"), 4),
        ],
    )
    async def test_congestion_cuts_it(self, step: Step, limit: int) -> None:
        pipe, _ = pipeline(step)
        with pytest.raises((errors.APIError, errors.TransportError)):
            async with await pipe.stream(request(), "get", rules()) as answer:
                while await answer.read():
                    pass
        assert learned(pipe) == {"down": limit}
        assert clean(pipe)

    async def test_small_calls_teach_nothing(self) -> None:
        pipe, _ = pipeline(Reply(503))
        with pytest.raises(errors.ServerError):
            await pipe.fetch(request(), "get", rules())
        assert learned(pipe) == {}

    async def test_success_raises_it(self) -> None:
        """By a clock that jumps while a part is under way."""
        now = [0.0]

        def step(_: Request) -> Reply:
            now[0] += 0.1
            return Reply()

        pipe = Pipeline(Reading(step), Scheduler(Limits(), clock=lambda: now[0]))
        bodies = (b"x" * MIB, Body([b"x" * MIB]), Body([b"x" * MIB], length=False))

        async def part(number: int) -> None:
            await pipe.fetch(request(bodies[number % 3]), "put", rules(), Lane.BULK)

        await asyncio.gather(*[part(number) for number in range(100)])
        assert learned(pipe)["up"] >= 4

    async def test_what_was_cancelled_says_nothing(self) -> None:
        pipe, _ = pipeline(Reply(gate=asyncio.Event()))
        for _ in range(3):
            tasks = [asyncio.create_task(pipe.stream(request(), "get", rules())) for _ in range(8)]
            await turns()
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
        (limit,) = [gate.limit for gate in pipe.scheduler._meet(HOME).bulk_gates()]
        assert limit is not None
        assert limit._completions == 0
        assert clean(pipe)

    async def test_a_stream_that_was_left_counts_what_it_got(self) -> None:
        pipe, _ = pipeline(Reply(pieces=[b"abc", b"d"]))
        async with await pipe.stream(request(), "get", rules()) as answer:
            assert await answer.read() == b"abc"
        async with await pipe.stream(request(), "get", rules()) as answer:
            pass
        (limit,) = [gate.limit for gate in pipe.scheduler._meet(HOME).bulk_gates()]
        assert limit is not None
        assert (limit._completions, limit._bytes) == (1, 3)

    async def test_a_stream_of_the_control_lane_is_not_accounted_for(self) -> None:
        pipe, _ = pipeline(Reply(pieces=[b"abc"]))
        async with await pipe.stream(request(), "get", rules(), Lane.CONTROL, job="j") as answer:
            assert pipe.scheduler.statistics().lanes == {"control": 1, "bulk": 0}
            assert [await answer.read(), await answer.read()] == [b"abc", b""]
        assert learned(pipe) == {}
        assert clean(pipe)

    async def test_a_redirect_is_charged_to_each_origin(self) -> None:
        moved = Reply(302, headers=[(b"location", b"https://files.example.test/a")])
        pipe, _ = pipeline(moved, Reply(pieces=[b"abc"]))
        async with await pipe.stream(request(), "get", rules()) as answer:
            assert pipe.scheduler.statistics().origins == {str(AWAY): 1}
            while await answer.read():
                pass
        assert set(pipe.scheduler.transfer_statistics().limits) == {str(HOME), str(AWAY)}

    async def test_a_closed_hub_sends_nothing(self) -> None:
        pipe, transport = pipeline(limits=Limits(max_connections=1))
        slot = pipe.scheduler.acquire_nowait(Lane.CONTROL, HOME)
        assert slot is not None
        task = asyncio.create_task(pipe.fetch(request(), "get", rules(), Lane.BULK))
        await turns()
        slot.release()
        await pipe.aclose()
        with pytest.raises(errors.HubClosed):
            await task
        assert not transport.requests
        assert clean(pipe)


class TestPauses:
    @pytest.mark.parametrize("lane", list(Lane))
    async def test_an_origin_that_asks_for_one_gets_it(self, lane: Lane) -> None:
        asks = Reply(429, headers=[(b"retry-after", b"60")])
        pipe, transport = pipeline(asks, Reply())
        with pytest.raises(errors.TooManyRequests):
            await pipe.fetch(request(), "get", rules(), lane)
        paused = pipe.scheduler.transfer_statistics().paused_s
        assert list(paused) == [str(HOME)]
        assert 50 < paused[str(HOME)] <= 60
        waiting = [asyncio.create_task(pipe.fetch(request(body), "x", rules(), Lane.BULK)) for body in (None, b"x")]
        await turns()
        assert len(transport.requests) == 1
        assert (await pipe.fetch(request(), "small", rules())).status == 200
        assert (await pipe.fetch(request(origin=AWAY), "elsewhere", rules(), Lane.BULK)).status == 200
        place = pipe.scheduler._places[HOME]
        assert place.timer is not None
        place.timer.cancel()
        pipe.scheduler._resume(place)
        assert [answer.status for answer in await asyncio.gather(*waiting)] == [200, 200]
        assert not pipe.scheduler.transfer_statistics().paused_s

    @pytest.mark.parametrize(
        "reply",
        [
            Reply(429),
            Reply(429, headers=[(b"retry-after", b"0")]),
            Reply(429, headers=[(b"retry-after", b"121")]),  # too long: whoever asks gets the error instead
            Reply(500, headers=[(b"retry-after", b"60")]),
        ],
    )
    async def test_others_do_not(self, reply: Reply) -> None:
        pipe, _ = pipeline(reply)
        with pytest.raises(errors.APIError):
            await pipe.fetch(request(), "get", rules(), Lane.BULK)
        assert not pipe.scheduler.transfer_statistics().paused_s

    async def test_the_deadline_bounds_the_wait(self) -> None:
        pipe, _ = pipeline()
        pipe.scheduler.pause(HOME, 60)
        with pytest.raises(errors.DeadlineExceeded):
            await pipe.fetch(request(), "get", rules(timeouts=Timeouts(total=0.01)), Lane.BULK)
        await pipe.aclose()


class TestJobs:
    @pytest.mark.parametrize("how", ["argument", "rules", "context"])
    async def test_jobs_take_turns(self, how: str) -> None:
        gate = asyncio.Event()
        pipe, transport = pipeline(Reply(gate=gate), limits=Limits(max_connections=3, control_reserve=2))

        async def send(job: str, number: int) -> None:
            options: dict[str, Any] = {"job": job} if how == "argument" else {}
            wanted = rules(job=job) if how == "rules" else rules()
            if how == "context":
                CURRENT_JOB.set(job)
            sent = Request(b"GET", HOME, b"/%s%d" % (job.encode(), number), [])
            await pipe.fetch(sent, "get", wanted, Lane.BULK, size_bytes=32 * MIB, **options)

        tasks = [asyncio.create_task(send(job, number)) for job in "ab" for number in range(3)]
        await turns()
        gate.set()
        await asyncio.gather(*tasks)
        assert [line[-2:] for line in transport.lines] == ["a0", "a1", "b0", "a2", "b1", "b2"]

    async def test_priority(self) -> None:
        gate = asyncio.Event()
        pipe, transport = pipeline(Reply(gate=gate), limits=Limits(max_connections=3, control_reserve=2))

        async def send(priority: Any, number: int) -> None:
            sent = Request(b"GET", HOME, b"/%s%d" % (priority.encode(), number), [])
            wanted = rules(priority=priority, job=priority)
            await pipe.fetch(sent, "get", wanted, Lane.BULK, size_bytes=32 * MIB)

        tasks = [asyncio.create_task(send(priority, number)) for priority in ("low", "high") for number in range(4)]
        await turns()
        gate.set()
        await asyncio.gather(*tasks)
        assert transport.lines[0] == "GET /low0"
        assert [line[5:] for line in transport.lines[1:5]] == ["high0", "high1", "high2", "high3"]


class TestBandwidth:
    RATE = 16 * MIB

    async def test_uploads_keep_the_rate(self) -> None:
        pipe, transport = pipeline(limits=Limits(max_bandwidth=(self.RATE, None)))
        body = Body([b"x" * MIB] * 10)
        begun = time.monotonic()
        await pipe.fetch(request(body), "put", rules(), Lane.BULK)
        await pipe.fetch(request(b"y" * MIB), "put", rules(), Lane.BULK)
        assert time.monotonic() - begun > 0.1  # 11 MiB at 16 MiB/s, 8 of them free
        assert [len(piece) for piece in transport.sent[0]] == [256 * 1024] * 40
        assert [sum(map(len, pieces)) for pieces in transport.sent] == [10 * MIB, MIB]
        assert body.closed == 1
        assert transport.requests[1].body is not None
        assert transport.requests[1].body.replayable  # type: ignore[union-attr]  # no bytes any more
        assert clean(pipe)

    async def test_downloads_keep_the_rate(self) -> None:
        pipe, _ = pipeline(Reply(pieces=[b"x" * MIB] * 11), limits=Limits(max_bandwidth=(None, self.RATE)))
        begun = time.monotonic()
        async with await pipe.stream(request(), "get", rules()) as answer:
            size = 0
            while piece := await answer.read():
                size += len(piece)
        assert size == 11 * MIB
        assert time.monotonic() - begun > 0.1
        begun = time.monotonic()
        answer_read = await pipe.fetch(request(), "get", rules(), Lane.BULK)
        assert len(answer_read.body) == 11 * MIB
        assert time.monotonic() - begun > 0.5  # the burst is gone
        assert clean(pipe)

    async def test_what_is_read_is_not_lost_by_a_cancelled_wait(self) -> None:
        pipe, _ = pipeline(Reply(pieces=[b"a" * MIB, b"b"]), limits=Limits(max_bandwidth=1.0))
        async with await pipe.stream(request(), "get", rules()) as answer:
            assert await answer.read() == b"a" * MIB
            task = asyncio.create_task(answer.read())
            await turns()
            assert not task.done()  # until it is paid for
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
            assert await answer.read() == b"b"
        assert clean(pipe)

    async def test_too_large_an_answer(self) -> None:
        pipe, transport = pipeline(Reply(pieces=[b"x"] * 5), limits=Limits(max_bandwidth=1e9))
        with pytest.raises(errors.ResponseTooLarge):
            await pipe.fetch(request(), "get", rules(max_response_bytes=4), Lane.BULK)
        assert not transport.open
        assert clean(pipe)

    async def test_small_calls_go_on(self) -> None:
        pipe, _ = pipeline(limits=Limits(max_bandwidth=1.0))
        await pipe.fetch(request(b"x" * MIB), "put", rules(), Lane.CONTROL)
        assert (await pipe.fetch(request(b"x" * MIB), "put", rules())).status == 200

    async def test_bodies_of_every_kind(self) -> None:
        pipe, transport = pipeline(limits=Limits(max_bandwidth=1e9))
        for body in (Plain(), Body([b"", b"x"], length=False), b"abc"):
            await pipe.fetch(request(body), "put", rules(), Lane.BULK)
        assert transport.sent == [[b"a", b"bc"], [b"", b"x"], [b"abc"]]
        assert not transport.requests[0].body.replayable  # type: ignore[union-attr]  # it has one

    async def test_without_a_bound_bodies_are_left_alone(self) -> None:
        pipe, transport = pipeline()
        body = Body([b"x"])
        await pipe.fetch(request(body), "put", rules(), Lane.BULK)
        assert transport.requests[0].body is body
        unknown = Body([b"x", b"yz"], length=False)
        await pipe.fetch(request(unknown), "put", rules(), Lane.BULK)
        assert transport.requests[1].body is not unknown  # it is counted
        assert transport.sent[1] == [b"x", b"yz"]
