from __future__ import annotations

import asyncio
import gzip
import inspect
from collections.abc import AsyncIterator
from typing import Any

import anyio
import pytest

from asyncclient import _pipeline, errors
from asyncclient._auth import HeaderAuth
from asyncclient._failure import error_of
from asyncclient._messages import Headers, Origin, Request
from asyncclient._pipeline import Pipeline, Rules
from asyncclient._retry import Budget, Kind, classify
from asyncclient._scheduler import Lane, Scheduler
from asyncclient.types import Limits, RetryPolicy, Timeouts
from tests.core.support import HOME, Reply, ScriptedTransport, Step, Tokens, turns

pytestmark = pytest.mark.anyio

AWAY = Origin("https", "files.example.test", 443)


class Body:
    """Content that says whether it may be sent again, and counts."""

    length = 3

    def __init__(self, *, replayable: bool) -> None:
        self.replayable = replayable
        self.opened = 0

    async def open(self) -> AsyncIterator[bytes]:
        self.opened += 1
        yield b"abc"


def request(method: bytes = b"GET", *, idempotent: bool | None = None, **options: Any) -> Request:
    options.setdefault("headers", [(b"accept", b"*/*")])
    repeatable = method != b"POST" if idempotent is None else idempotent
    return Request(method, HOME, b"/v1/x?q=s3cret", options.pop("headers"), idempotent=repeatable, **options)


def rules(**options: Any) -> Rules:
    return Rules(
        service="demo",
        error=lambda request, answer: error_of(request, answer, now=0.0),
        auth=options.pop("auth", None),
        auth_origins=options.pop("auth_origins", lambda origin: origin == HOME),
        timeouts=options.pop("timeouts", Timeouts()),
        policy=options.pop("policy", RetryPolicy()),
        **options,
    )


def pipeline(*steps: Step, limits: Limits | None = None, draw: float = 0.0) -> tuple[Pipeline, ScriptedTransport]:
    transport = ScriptedTransport(*steps)
    return Pipeline(transport, Scheduler(limits or Limits()), draw=lambda: draw), transport


def clean(pipe: Pipeline, transport: ScriptedTransport) -> bool:
    """Tell whether nothing is held any more."""
    return pipe.scheduler.statistics()[:2] == (0, 0) and not transport.open and not transport.sending


class TestAnswers:
    async def test_a_good_one(self) -> None:
        pipe, transport = pipeline(Reply(201, b"{}", [(b"a", b"1"), (b"a", b"2")]))
        wanted = rules(timeouts=Timeouts(read=7))
        answer = await pipe.fetch(request(), "get_x", wanted)
        assert (answer.status, answer.body, answer.header(b"a"), answer.header(b"b")) == (201, b"{}", "1", None)
        assert transport.timeouts[0] is wanted.timeouts
        assert (pipe.requests, pipe.retries, pipe.failures) == (1, 0, 0)
        assert clean(pipe, transport)

    async def test_without_a_deadline(self) -> None:
        pipe, transport = pipeline(Reply(500), Reply())
        assert (await pipe.fetch(request(), "get_x", rules(timeouts=Timeouts(total=None)))).status == 200
        assert clean(pipe, transport)

    async def test_content_encoding(self) -> None:
        pipe, transport = pipeline(Reply(body=gzip.compress(b"[1]"), headers=[(b"content-encoding", b"gzip")]))
        assert (await pipe.fetch(request(), "get_x", rules())).body == b"[1]"
        pipe, transport = pipeline(Reply(body=b"", headers=[(b"content-encoding", b"gzip")]))
        assert (await pipe.fetch(request(), "get_x", rules())).body == b""
        pipe, transport = pipeline(Reply(body=b"junk", headers=[(b"content-encoding", b"gzip")]))
        with pytest.raises(errors.DecodeError):
            await pipe.fetch(request(), "get_x", rules())
        assert clean(pipe, transport)
        assert (pipe.requests, pipe.failures) == (1, 1)

    async def test_too_large(self) -> None:
        pipe, transport = pipeline(Reply(pieces=[b"x"] * 5))
        with pytest.raises(errors.ResponseTooLarge):
            await pipe.fetch(request(), "get_x", rules(max_response_bytes=4))
        assert pipe.requests == 1
        assert clean(pipe, transport)

    async def test_a_refusal(self) -> None:
        pipe, transport = pipeline(Reply(404, b'{"message": "gone"}'))
        with pytest.raises(errors.NotFound, match="gone") as caught:
            await pipe.fetch(request(), "get_x", rules())
        assert (caught.value.attempts, caught.value.path, pipe.failures) == (1, "/v1/x", 1)
        assert clean(pipe, transport)

    async def test_not_modified_is_an_answer_nobody_asked_for(self) -> None:
        pipe, _ = pipeline(Reply(304, b""))
        with pytest.raises(errors.APIError, match="304 Not Modified: GET /v1/x"):
            await pipe.fetch(request(), "get_x", rules())


class TestRetries:
    async def test_after_failures_of_every_kind(self) -> None:
        pipe, transport = pipeline(errors.ReadError("broken"), Reply(503), Reply(429), Reply(body=b"[]"))
        assert (await pipe.fetch(request(), "get_x", rules())).body == b"[]"
        assert (pipe.requests, pipe.retries, pipe.failures) == (4, 3, 0)
        assert clean(pipe, transport)

    async def test_a_body_that_breaks_off(self) -> None:
        broken = Reply(pieces=[b"x"], body_error=errors.ReadError("broken"))
        pipe, transport = pipeline(broken, Reply(body=b"[]"))
        assert (await pipe.fetch(request(), "get_x", rules())).body == b"[]"
        assert clean(pipe, transport)

    async def test_until_the_count_is_up(self) -> None:
        pipe, transport = pipeline(errors.ReadError("broken"), Reply(503))
        with pytest.raises(errors.ServerError) as caught:
            await pipe.fetch(request(), "get_x", rules(policy=RetryPolicy(max_retries=2)))
        assert (caught.value.attempts, pipe.requests, pipe.retries, pipe.failures) == (3, 3, 2, 1)
        assert clean(pipe, transport)

    async def test_none(self) -> None:
        pipe, _ = pipeline(Reply(503))
        with pytest.raises(errors.ServerError):
            await pipe.fetch(request(), "get_x", rules(policy=RetryPolicy(max_retries=0)))
        assert pipe.requests == 1

    @pytest.mark.parametrize(
        ("step", "tries"),
        [
            (errors.ConnectError("refused"), 4),
            (errors.ReadError("broken"), 1),
            (errors.ReadTimeout("late", request_sent=False), 4),
            (errors.TLSError("bad"), 1),
            (Reply(429), 4),
            (Reply(503), 1),
            (Reply(500), 1),
        ],
    )
    async def test_a_post_only_if_it_was_not_done(self, step: Step, tries: int) -> None:
        pipe, transport = pipeline(step)
        with pytest.raises((errors.TransportError, errors.APIError)) as caught:
            await pipe.fetch(request(b"POST", body=b"{}"), "create_x", rules())
        assert len(transport.requests) == tries
        assert vars(caught.value)["attempts"] == tries
        assert clean(pipe, transport)

    async def test_a_body_that_cannot_be_sent_again(self) -> None:
        pipe, transport = pipeline(Reply(503))
        with pytest.raises(errors.ServerError):
            await pipe.fetch(request(b"PUT", body=Body(replayable=False)), "put_x", rules())
        assert len(transport.requests) == 1
        body = Body(replayable=True)
        with pytest.raises(errors.ServerError):
            await pipe.fetch(request(b"PUT", body=body), "put_x", rules())
        assert len(transport.requests) == 5
        assert all(sent.body is body for sent in transport.requests[1:])

    async def test_the_service_may_classify_by_itself(self) -> None:
        seen: list[tuple[object, bool]] = []

        def mine(error: errors.AsyncClientError, *, repeatable: bool) -> Kind:
            seen.append((error, repeatable))
            return Kind.FATAL

        pipe, transport = pipeline(Reply(503))
        with pytest.raises(errors.ServerError):
            await pipe.fetch(request(), "get_x", rules(classify=mine))
        assert len(transport.requests) == 1
        assert seen[0][1] is True

    async def test_no_slot_is_held_while_it_waits(self) -> None:
        pipe, transport = pipeline(Reply(503), Reply(), limits=Limits(max_connections=1), draw=0.9)
        policy = RetryPolicy(base_server_s=1000, cap_s=1000)
        task = asyncio.create_task(pipe.fetch(request(), "get_x", rules(policy=policy)))
        await turns()
        assert pipe.scheduler.statistics()[:2] == (0, 0)
        assert (await pipe.fetch(request(), "get_x", rules())).status == 200
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert clean(pipe, transport)

    async def test_a_wait_too_long_to_obey(self) -> None:
        pipe, _ = pipeline(Reply(429, headers=[(b"retry-after", b"121")]))
        with pytest.raises(errors.TooManyRequests) as caught:
            await pipe.fetch(request(), "get_x", rules())
        assert (caught.value.retry_after, pipe.requests) == (121, 1)

    async def test_the_budget(self) -> None:
        pipe, transport = pipeline(Reply(503))
        pipe._budgets[HOME] = budget = Budget()
        budget.tokens = 30
        with pytest.raises(errors.ServerError) as caught:
            await pipe.fetch(request(), "get_x", rules())
        assert len(transport.requests) == 3
        assert "retry budget used up" in caught.value.__notes__[0]
        assert "https://api.example.test:443" in caught.value.__notes__[0]
        assert budget.tokens == 2
        transport.steps = [Reply()]
        await pipe.fetch(request(), "get_x", rules())
        assert budget.tokens == 3

    async def test_a_budget_is_forgotten_once_it_is_full(self) -> None:
        pipe, transport = pipeline(Reply(503), Reply())
        await pipe.fetch(request(), "get_x", rules())
        assert not pipe._budgets  # what the retry cost came back with the success
        transport.steps = [errors.ConnectError("x"), Reply(503), Reply()]
        await pipe.fetch(request(), "get_x", rules())
        assert pipe._budgets[HOME].tokens == 486
        elsewhere = Request(b"GET", AWAY, b"/", [])
        await pipe.fetch(elsewhere, "get_x", rules())
        assert pipe._budgets[HOME].tokens == 486

    async def test_origins_that_fail_do_not_fill_the_memory(self) -> None:
        pipe, _ = pipeline(Reply(503))
        policy = RetryPolicy(max_retries=1)
        for number in range(300):
            origin = Origin("https", f"h{number}.test", 443)
            with pytest.raises(errors.ServerError):
                await pipe.fetch(Request(b"GET", origin, b"/", [], idempotent=True), "get_x", rules(policy=policy))
        assert len(pipe._budgets) == 256
        assert pipe._budgets[origin].tokens == 486

    @pytest.mark.parametrize("error", [RuntimeError("a defect"), KeyError("a defect"), errors.HubClosed()])
    async def test_anything_else_is_not_repeated(self, error: Exception) -> None:
        pipe, transport = pipeline(error)
        with pytest.raises(type(error)):
            await pipe.fetch(request(), "get_x", rules())
        assert len(transport.requests) == 1
        assert clean(pipe, transport)


class TestSigning:
    async def test_every_attempt_is_signed_anew(self) -> None:
        auth = Tokens()
        pipe, transport = pipeline(Reply(503), Reply())

        def lapse(_: Request) -> Reply:
            auth.held, auth.generation = None, 2
            return Reply(503)

        transport.steps = [lapse, Reply()]
        given: Headers = [(b"accept", b"*/*")]
        await pipe.fetch(request(headers=given), "get_x", rules(auth=auth))
        assert transport.sent(b"authorization") == [b"Bearer 1", b"Bearer 2"]
        assert given == [(b"accept", b"*/*")]

    async def test_not_for_strangers(self) -> None:
        pipe, transport = pipeline()
        await pipe.fetch(Request(b"GET", AWAY, b"/", []), "get_x", rules(auth=Tokens()))
        assert transport.sent(b"authorization") == [None]

    async def test_one_refresh_after_a_401(self) -> None:
        auth = Tokens()
        pipe, transport = pipeline(Reply(401), Reply())
        await pipe.fetch(request(b"POST", body=b"{}"), "create_x", rules(auth=auth))
        assert transport.sent(b"authorization") == [b"Bearer 1", b"Bearer 2"]
        assert (auth.rejected, pipe.retries) == ([b"Bearer 1"], 1)
        transport.steps = [Reply(401)]
        with pytest.raises(errors.Unauthorized) as caught:
            await pipe.fetch(request(), "get_x", rules(auth=auth))
        assert caught.value.attempts == 2
        assert len(transport.requests) == 4
        assert clean(pipe, transport)

    async def test_a_refresh_does_not_count_as_a_retry(self) -> None:
        pipe, _ = pipeline(Reply(503), Reply(401), Reply(503), Reply())
        policy = RetryPolicy(max_retries=2)
        assert (await pipe.fetch(request(), "get_x", rules(auth=Tokens(), policy=policy))).status == 200

    async def test_no_refresh_where_there_is_none(self) -> None:
        for auth in (HeaderAuth(b"x-key", b"k"), None):
            pipe, transport = pipeline(Reply(401))
            with pytest.raises(errors.Unauthorized):
                await pipe.fetch(request(), "get_x", rules(auth=auth))
            assert len(transport.requests) == 1

    async def test_a_body_that_cannot_be_sent_again_is_not(self) -> None:
        auth = Tokens()
        pipe, transport = pipeline(Reply(401), Reply())
        with pytest.raises(errors.Unauthorized):
            await pipe.fetch(request(b"PUT", body=Body(replayable=False)), "put_x", rules(auth=auth))
        assert len(transport.requests) == 1
        assert auth.rejected == [b"Bearer 1"]  # the next call does better
        await pipe.fetch(request(), "get_x", rules(auth=auth))
        assert transport.sent(b"authorization") == [b"Bearer 1", b"Bearer 2"]

    async def test_many_calls_with_a_revoked_token_fetch_one(self) -> None:
        auth = Tokens()
        pipe, transport = pipeline()
        await pipe.fetch(request(), "get_x", rules(auth=auth))
        transport.steps = [lambda sent: Reply(401 if dict(sent.headers)[b"authorization"] == b"Bearer 1" else 200)]
        await asyncio.gather(*(pipe.fetch(request(), "get_x", rules(auth=auth)) for _ in range(100)))
        assert auth.generation == 2
        assert {bytes(value or b"") for value in transport.sent(b"authorization")} == {b"Bearer 1", b"Bearer 2"}

    async def test_a_token_that_cannot_be_had_ends_the_call(self) -> None:
        class Broken(Tokens):
            async def header(self) -> tuple[bytes, bytes]:
                self.fetches += 1
                raise errors.ConnectError("no token")

        auth = Broken()
        pipe, transport = pipeline()
        with pytest.raises(errors.ConnectError, match="no token"):
            await pipe.fetch(request(), "get_x", rules(auth=auth))
        assert (auth.fetches, len(transport.requests), pipe.failures) == (1, 0, 1)


def to(location: str, status: int = 302) -> Reply:
    return Reply(status, headers=[(b"location", location.encode())])


SECRETS: Headers = [(b"accept", b"*/*"), (b"x-own", b"s3cret"), (b"cookie", b"s3cret")]


class TestRedirects:
    async def test_at_home(self) -> None:
        pipe, transport = pipeline(to("/other", 301), to("third", 308), Reply())
        await pipe.fetch(request(headers=SECRETS), "get_x", rules(auth=Tokens()))
        assert transport.lines == ["GET /v1/x?q=s3cret", "GET /other", "GET /third"]
        assert transport.sent(b"authorization") == [b"Bearer 1"] * 3
        assert transport.sent(b"x-own") == [b"s3cret"] * 3
        assert clean(pipe, transport)

    async def test_abroad_and_back_without_secrets(self) -> None:
        pipe, transport = pipeline(to("https://files.example.test/a"), to("https://api.example.test/b"), Reply())
        await pipe.fetch(request(headers=SECRETS), "get_x", rules(auth=Tokens()))
        assert [sent.origin for sent in transport.requests] == [HOME, AWAY, HOME]
        assert transport.sent(b"authorization") == [b"Bearer 1", None, None]
        assert transport.sent(b"x-own") == transport.sent(b"cookie") == [b"s3cret", None, None]
        assert transport.sent(b"accept") == [b"*/*"] * 3

    async def test_a_retry_begins_at_home(self) -> None:
        pipe, transport = pipeline(to("https://files.example.test/a"), Reply(503), to("/b"), Reply())
        await pipe.fetch(request(), "get_x", rules(auth=Tokens()))
        assert [sent.origin for sent in transport.requests] == [HOME, AWAY, HOME, HOME]
        assert transport.sent(b"authorization") == [b"Bearer 1", None, b"Bearer 1", b"Bearer 1"]

    async def test_a_401_from_abroad_says_nothing_about_our_token(self) -> None:
        auth = Tokens()
        pipe, transport = pipeline(to("https://files.example.test/a"), Reply(401))
        with pytest.raises(errors.Unauthorized):
            await pipe.fetch(request(), "get_x", rules(auth=auth))
        assert (auth.rejected, len(transport.requests)) == ([], 2)

    async def test_round_in_circles(self) -> None:
        pipe, transport = pipeline(to("/again"))
        with pytest.raises(errors.TooManyRedirects, match="more than 10 times") as caught:
            await pipe.fetch(request(), "get_x", rules())
        assert len(transport.requests) == 11
        assert caught.value.origin == "https://api.example.test:443"
        assert clean(pipe, transport)

    async def test_down_to_clear_text(self) -> None:
        pipe, transport = pipeline(to("http://api.example.test/s3cret"))
        with pytest.raises(errors.RedirectRefused) as caught:
            await pipe.fetch(request(), "get_x", rules(auth=Tokens()))
        assert len(transport.requests) == 1
        assert "s3cret" not in f"{caught.value!r} {caught.value.__dict__}"

    async def test_content_is_not_sent_on(self) -> None:
        pipe, transport = pipeline(to("/other", 307))
        with pytest.raises(errors.APIError, match="307 Temporary Redirect: POST /v1/x"):
            await pipe.fetch(request(b"POST", body=b"{}"), "create_x", rules())
        assert len(transport.requests) == 1

    async def test_no_location(self) -> None:
        pipe, _ = pipeline(Reply(302))
        with pytest.raises(errors.APIError, match="302 Found"):
            await pipe.fetch(request(), "get_x", rules())


class TestDeadlines:
    SHORT = Timeouts(total=0.02)

    async def test_the_time_is_up(self) -> None:
        pipe, transport = pipeline(Reply(gate=asyncio.Event()))
        with pytest.raises(errors.DeadlineExceeded, match=r"get_x: not done within 0\.02 s") as caught:
            await pipe.fetch(request(), "get_x", rules(timeouts=self.SHORT))
        assert (caught.value.operation, caught.value.attempts, caught.value.last_error) == ("get_x", 1, None)
        assert isinstance(caught.value.__cause__, TimeoutError)
        assert pipe.failures == 1
        assert clean(pipe, transport)

    async def test_it_bounds_waiting_between_attempts(self) -> None:
        pipe, _ = pipeline(Reply(503, headers=[(b"retry-after", b"100")]))
        with pytest.raises(errors.DeadlineExceeded) as caught:
            await pipe.fetch(request(), "get_x", rules(timeouts=self.SHORT))
        assert isinstance(caught.value.last_error, errors.ServerError)
        assert caught.value.attempts == 1

    async def test_it_bounds_waiting_for_a_slot(self) -> None:
        pipe, transport = pipeline(limits=Limits(max_connections=1))
        slot = pipe.scheduler.acquire_nowait(Lane.CONTROL, HOME)
        assert slot is not None
        with pytest.raises(errors.DeadlineExceeded):
            await pipe.fetch(request(), "get_x", rules(timeouts=self.SHORT))
        assert not transport.requests
        slot.release()
        assert clean(pipe, transport)

    async def test_it_bounds_waiting_for_a_token(self) -> None:
        class Slow(Tokens):
            async def header(self) -> tuple[bytes, bytes]:
                await asyncio.Event().wait()
                raise AssertionError

        pipe, _ = pipeline()
        with pytest.raises(errors.DeadlineExceeded) as caught:
            await pipe.fetch(request(), "get_x", rules(auth=Slow(), timeouts=self.SHORT))
        assert caught.value.attempts == 0

    @pytest.mark.parametrize("total", [None, 100.0])
    async def test_a_timeout_from_within_is_not_ours(self, total: float | None) -> None:
        inner = errors.DeadlineExceeded("get_access_token", 1)
        pipe, transport = pipeline(inner)
        with pytest.raises(errors.DeadlineExceeded) as caught:
            await pipe.fetch(request(), "get_x", rules(timeouts=Timeouts(total=total)))
        assert caught.value is inner
        pipe, transport = pipeline(TimeoutError("somebody else's"))
        with pytest.raises(TimeoutError, match="somebody else's") as other:
            await pipe.fetch(request(), "get_x", rules(timeouts=Timeouts(total=total)))
        assert type(other.value) is TimeoutError
        assert clean(pipe, transport)

    async def test_the_callers_own_timeout_stays_the_callers(self) -> None:
        pipe, transport = pipeline(Reply(gate=asyncio.Event()))
        with pytest.raises(TimeoutError) as caught:
            async with asyncio.timeout(0.01):
                await pipe.fetch(request(), "get_x", rules(timeouts=Timeouts(total=30)))
        assert type(caught.value) is TimeoutError
        with anyio.move_on_after(0.01) as scope:
            await pipe.fetch(request(), "get_x", rules(timeouts=Timeouts(total=30)))
        assert scope.cancelled_caught
        assert clean(pipe, transport)

    async def test_both_at_once_are_the_callers(self) -> None:
        pipe, transport = pipeline(Reply(gate=asyncio.Event()))
        task = asyncio.create_task(pipe.fetch(request(), "get_x", rules(timeouts=Timeouts(total=0.001))))
        await turns()
        asyncio.get_running_loop().call_later(0.001, task.cancel)
        results = await asyncio.gather(task, return_exceptions=True)
        assert isinstance(results[0], (asyncio.CancelledError, errors.DeadlineExceeded))
        assert clean(pipe, transport)


class TestCancellation:
    async def test_at_every_wait(self) -> None:
        """Cancel after one turn of the loop, after two, and so on; nothing may be held afterwards."""
        for after in range(40):
            gate, body_gate = asyncio.Event(), asyncio.Event()
            reply = Reply(pieces=[b"a", b"b"], gate=gate, body_gate=body_gate)
            pipe, transport = pipeline(errors.ConnectError("x"), reply, limits=Limits(max_connections=1))
            blocker = pipe.scheduler.acquire_nowait(Lane.CONTROL, HOME)
            assert blocker is not None
            task = asyncio.create_task(pipe.fetch(request(), "get_x", rules(auth=Tokens())))
            loop = asyncio.get_running_loop()
            for turn, action in ((3, blocker.release), (12, gate.set), (18, body_gate.set)):
                _call_after(loop, turn, action)
            await turns(after)
            task.cancel()
            results = await asyncio.gather(task, return_exceptions=True)
            blocker.release()
            assert isinstance(results[0], (asyncio.CancelledError, _pipeline.Answer)), after
            assert clean(pipe, transport), after

    async def test_it_is_never_repeated(self) -> None:
        pipe, transport = pipeline(Reply(gate=asyncio.Event()))
        task = asyncio.create_task(pipe.fetch(request(), "get_x", rules()))
        await turns()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        await turns()
        assert len(transport.requests) == 1
        assert (pipe.retries, pipe.failures) == (0, 0)

    async def test_a_crowd(self) -> None:
        pipe, transport = pipeline(limits=Limits(max_connections=4))
        transport.steps = [lambda _: Reply(gate=asyncio.Event()) if len(transport.requests) % 2 else Reply()]
        tasks = [asyncio.create_task(pipe.fetch(request(), "get_x", rules())) for _ in range(500)]
        while not all(task.done() for task in tasks):
            await turns(2)
            assert transport.most <= 4
            for task in [task for task in tasks if not task.done()][:7]:
                task.cancel()
        assert clean(pipe, transport)


def _call_after(loop: asyncio.AbstractEventLoop, count: int, action: Any) -> None:
    if count:
        loop.call_soon(_call_after, loop, count - 1, action)
    else:
        action()


class TestStreams:
    async def test_it_holds_its_slot_until_closed(self) -> None:
        pipe, transport = pipeline(Reply(pieces=[b"a", b"b"], headers=[(b"etag", b"x")]))
        async with await pipe.stream(request(), "get_content", rules()) as answer:
            assert (answer.status, answer.headers) == (200, [(b"etag", b"x")])
            assert pipe.scheduler.statistics().lanes == {"control": 0, "bulk": 1}
            assert [await answer.read() for _ in range(3)] == [b"a", b"b", b""]
        assert clean(pipe, transport)
        await answer.aclose()
        assert clean(pipe, transport)

    async def test_left_early(self) -> None:
        pipe, transport = pipeline(Reply(pieces=[b"a", b"b"]))
        with pytest.raises(KeyError):
            async with await pipe.stream(request(), "get_content", rules()):
                raise KeyError
        assert clean(pipe, transport)

    async def test_the_deadline_ends_with_the_head(self) -> None:
        gate = asyncio.Event()
        pipe, transport = pipeline(Reply(pieces=[b"a", b"b"], body_gate=gate))
        async with await pipe.stream(request(), "get_content", rules(timeouts=Timeouts(total=0.01))) as answer:
            assert await answer.read() == b"a"
            await asyncio.sleep(0.03)
            gate.set()
            assert await answer.read() == b"b"
        assert clean(pipe, transport)

    async def test_refusals_are_read_redirects_followed_failures_repeated(self) -> None:
        pipe, transport = pipeline(Reply(503), to("https://files.example.test/a"), Reply(pieces=[b"a"]))
        async with await pipe.stream(request(), "get_content", rules()) as answer:
            assert await answer.read() == b"a"
        transport.steps = [Reply(403, b"no")]
        with pytest.raises(errors.Forbidden) as caught:
            await pipe.stream(request(), "get_content", rules())
        assert caught.value.body == "no"
        assert clean(pipe, transport)

    async def test_a_stream_that_will_not_close_gives_its_slot_back(self) -> None:
        pipe, _ = pipeline(Reply(pieces=[b"a"]))
        answer = await pipe.stream(request(), "get_content", rules())

        async def broken() -> None:
            raise errors.ReadError("broken")

        answer._response.stream.aclose = broken  # type: ignore[method-assign]  # a foreign transport may
        with pytest.raises(errors.ReadError):
            await answer.aclose()
        assert pipe.scheduler.statistics().in_flight == 0

    async def test_cancelled_at_every_wait(self) -> None:
        for after in range(25):
            gate = asyncio.Event()
            pipe, transport = pipeline(Reply(503), Reply(pieces=[b"a"], gate=gate))
            task = asyncio.create_task(pipe.stream(request(), "get_content", rules(auth=Tokens())))
            _call_after(asyncio.get_running_loop(), 8, gate.set)
            await turns(after)
            task.cancel()
            (result,) = await asyncio.gather(task, return_exceptions=True)
            if isinstance(result, _pipeline.StreamedAnswer):
                await result.aclose()
            else:
                assert isinstance(result, asyncio.CancelledError)
            assert clean(pipe, transport), after

    async def test_uploads_leave_the_reserve_alone(self) -> None:
        gate = asyncio.Event()
        pipe, transport = pipeline(Reply(gate=gate), limits=Limits(max_connections=4))
        tasks = [asyncio.create_task(pipe.fetch(request(), "put", rules(), Lane.BULK)) for _ in range(10)]
        await turns()
        assert transport.sending == 2
        gate.set()
        await asyncio.gather(*tasks)
        assert clean(pipe, transport)


class TestClosing:
    async def test_calls_under_way_end(self) -> None:
        gate = asyncio.Event()

        def breaks(_: Request) -> Reply:
            return Reply(pieces=[b"a"], gate=gate, body_error=errors.ReadError("dropped"))

        pipe, transport = pipeline(limits=Limits(max_connections=1))
        transport.steps = [breaks]
        sending = asyncio.create_task(pipe.fetch(request(), "get_x", rules()))
        await turns()
        waiting = asyncio.create_task(pipe.fetch(request(), "get_x", rules()))
        await turns()
        await pipe.aclose()
        gate.set()
        results = await asyncio.gather(sending, waiting, return_exceptions=True)
        assert [type(result) for result in results] == [errors.HubClosed] * 2
        assert isinstance(results[0], errors.HubClosed)
        assert isinstance(results[0].__cause__, errors.ReadError)
        assert len(transport.requests) == 1
        assert transport.closed == 1
        assert pipe.scheduler.statistics()[:2] == (0, 0)

    async def test_nobody_waits_for_another_try(self) -> None:
        refusal = Reply(503, headers=[(b"retry-after", b"100")])
        pipe, transport = pipeline(refusal, Reply())
        task = asyncio.create_task(pipe.fetch(request(), "get_x", rules()))
        await turns()
        await pipe.aclose()
        async with asyncio.timeout(10):
            with pytest.raises(errors.HubClosed, match="closed while this call"):
                await task
        assert len(transport.requests) == 1
        assert clean(pipe, transport)

    async def test_nothing_is_sent_after_a_wait(self) -> None:
        pipe, transport = pipeline(Reply(503), Reply(), draw=0.01)
        task = asyncio.create_task(pipe.fetch(request(), "get_x", rules()))
        await turns()
        assert pipe.retries == 0
        await pipe.aclose()
        with pytest.raises(errors.HubClosed, match="closed while this call"):
            await task
        assert len(transport.requests) == 1
        assert clean(pipe, transport)


def test_the_defaults_are_the_rules_of_the_package() -> None:
    made = rules()
    assert made.classify is classify
    assert made.max_response_bytes == 256 * 1024 * 1024
    assert "slots" not in inspect.signature(Rules).parameters
