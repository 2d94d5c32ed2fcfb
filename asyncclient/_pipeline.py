"""One call: loop[ sign, wait for a slot, send, read, judge ], under one deadline.

Three things never mix here: one attempt (:meth:`Pipeline._attempt`, no policy), the verdict (``_retry.py``, pure) and
the loop (:meth:`Pipeline._loop`). Nothing scarce is held while it sleeps: the slot is given back before the verdict.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Hashable
from dataclasses import dataclass, field

from asyncclient._bulk import THROTTLED, WEIGHTS, Bandwidth, BulkTurn, Load
from asyncclient._codec import decompress
from asyncclient._messages import Origin, Request, Response, Transport
from asyncclient._redirect import MAX_REDIRECTS, follow
from asyncclient._retry import Budget, Kind, judge
from asyncclient._rules import Answer, Rules, StreamedAnswer
from asyncclient._scheduler import CLOSED, Direction, Lane, Scheduler, Slot
from asyncclient.errors import (
    APIError,
    AsyncClientError,
    DeadlineExceeded,
    HubClosed,
    TooManyRedirects,
    TransportError,
)
from asyncclient.types import RetryPolicy

__all__ = ["Answer", "Pipeline", "Rules", "StreamedAnswer"]


@dataclass(slots=True)
class _Call:
    """One call: how it is sent, and how far it is."""

    rules: Rules
    lane: Lane
    stream: bool
    load: Load | None
    attempts: int = 0
    signature: tuple[bytes, bytes] | None = None
    retries: dict[Kind, int] = field(default_factory=dict)
    refreshed: bool = False
    last_error: AsyncClientError | None = None
    last_kind: Kind | None = None


class Pipeline:
    """Sends requests of all clients of a hub.

    Args:
        transport: What sends a single request.
        scheduler: What admits it.
        bandwidth: Paces bulk requests.
    """

    __slots__ = (
        "_bandwidth",
        "_budgets",
        "_closed",
        "_draw",
        "failures",
        "requests",
        "retries",
        "scheduler",
        "transport",
    )

    def __init__(
        self,
        transport: Transport,
        scheduler: Scheduler,
        *,
        bandwidth: Bandwidth | None = None,
        draw: Callable[[], float] = random.random,
    ) -> None:
        self.transport = transport
        self.scheduler = scheduler
        self.requests = 0
        self.retries = 0
        self.failures = 0
        self._budgets: dict[Origin, Budget] = {}
        self._bandwidth = bandwidth if bandwidth is not None else Bandwidth()
        self._closed = False
        self._draw = draw

    async def aclose(self) -> None:
        """Drop all connections; calls under way, those that wait included, end with :class:`HubClosed`."""
        self._closed = True
        self.scheduler.close()
        await self.transport.aclose()

    async def fetch(
        self,
        request: Request,
        operation: str,
        rules: Rules,
        lane: Lane = Lane.CONTROL,
        *,
        job: Hashable | None = None,
        size_bytes: int | None = None,
        direction: Direction | None = None,
    ) -> Answer:
        """Send a request until it is answered well, and read the answer.

        Args:
            request: What to send.
            operation: Named in errors.
            rules: Of the client.
            lane: Kind of work.
            job: Which flow it belongs to. Default: ``rules.job``.
            size_bytes: What bulk work costs. Default: the length of the body; 8 MiB where there is none.
            direction: Of bulk work, for the limit that is learned. Default: up where there is a body.

        Raises:
            APIError: The service refused, and repeating is no use or was none.
            TransportError: No usable answer arrived.
            DecodeError: The content encoding of the answer is unknown or broken.
            DeadlineExceeded: ``rules.timeouts.total`` is up.
            HubClosed: The hub was closed meanwhile.

        Cancelling drops the connection in use and gives the slot back.
        """
        load = None
        if job is not None or lane is Lane.BULK:
            load = Load.of(request, job, size_bytes, direction)
        answer = await self._timed(request, operation, _Call(rules, lane, False, load))
        assert isinstance(answer, Answer)
        return answer

    async def stream(
        self,
        request: Request,
        operation: str,
        rules: Rules,
        lane: Lane = Lane.BULK,
        *,
        job: Hashable | None = None,
        size_bytes: int | None = None,
        direction: Direction | None = None,
    ) -> StreamedAnswer:
        """Send a request until it is answered well, and return with the body unread.

        Takes, raises and cancels as :meth:`fetch`; the deadline ends when the head has arrived.
        """
        load = Load.of(request, job, size_bytes, direction)
        answer = await self._timed(request, operation, _Call(rules, lane, True, load))
        assert isinstance(answer, StreamedAnswer)
        return answer

    async def _timed(self, request: Request, operation: str, call: _Call) -> Answer | StreamedAnswer:
        total_s = call.rules.timeouts.total
        scope = None if total_s is None else asyncio.timeout(total_s)
        try:
            if scope is None:
                return await self._loop(request, call)
            async with scope:
                return await self._loop(request, call)
        except (AsyncClientError, TimeoutError) as error:
            self.failures += 1
            if total_s is None or scope is None or not scope.expired():
                raise  # a TimeoutError may also come from within, such as the deadline of fetching a token
            raise DeadlineExceeded(operation, total_s, attempts=call.attempts, last_error=call.last_error) from error

    async def _loop(self, request: Request, call: _Call) -> Answer | StreamedAnswer:
        rules = call.rules
        auth = rules.auth
        while True:
            if auth is not None and rules.auth_origins(request.origin):
                # Outside the try: fetching a token has retries of its own, and its failure is final here.
                call.signature = auth.header_nowait() or await auth.header()
            call.attempts += 1
            try:
                answer = await self._follow(request, call)
            except (APIError, TransportError) as error:
                if not self._refreshes(error, request, call):
                    await self._wait_or_raise(error, request, call)
                self.retries += 1
                continue
            if self._budgets:
                self._refund(request.origin, call.last_kind)
            return answer

    async def _follow(self, request: Request, call: _Call) -> Answer | StreamedAnswer:
        """Make one attempt, redirects included; only the origin that a signature was made for gets to see it."""
        for _ in range(MAX_REDIRECTS + 1):
            answer = await self._attempt(request, call)
            if answer.status < 300:
                return answer
            assert isinstance(answer, Answer)
            location = answer.header(b"location")
            redirected = follow(request, answer.status, location.encode("latin-1") if location else None)
            if redirected is None:
                error = call.rules.error(request, answer)
                self._heed(error, request.origin, call.rules.policy)
                raise error
            if redirected.origin != request.origin:
                call.signature = None  # not even a way back brings it along
            request = redirected
        raise TooManyRedirects(
            f"redirected more than {MAX_REDIRECTS} times", origin=str(request.origin), method=request.method.decode()
        )

    def _heed(self, error: APIError, origin: Origin, policy: RetryPolicy) -> None:
        """Let no bulk work begin where the service asked to be left alone; what asks for too long fails instead."""
        delay_s = error.retry_after
        if delay_s and error.status in THROTTLED and delay_s <= policy.retry_after_cap_s:
            self.scheduler.pause(origin, delay_s)

    @staticmethod
    def _refreshes(error: AsyncClientError, request: Request, call: _Call) -> bool:
        """Tell whether a 401 is to be answered with a fresh token, which happens once in a call."""
        signature, auth = call.signature, call.rules.auth
        if signature is None or auth is None or call.refreshed:
            return False
        if not isinstance(error, APIError) or error.status != 401:
            return False
        call.refreshed = True
        # Rejected in any case: the next call must not send it again, even if this one cannot be repeated.
        return auth.reject(signature) and _replayable(request)

    def _refund(self, origin: Origin, kind: Kind | None) -> None:
        budget = self._budgets.get(origin)
        if budget is not None:
            budget.give_back(kind)
            if budget.full:
                del self._budgets[origin]

    async def _attempt(self, request: Request, call: _Call) -> Answer | StreamedAnswer:
        """Send once. The slot is given back on every way out but a streamed answer, which takes it along."""
        rules, scheduler = call.rules, self.scheduler
        if call.signature is not None:
            request = Request(
                request.method,
                request.origin,
                request.target,
                [*request.headers, call.signature],
                request.body,
                idempotent=request.idempotent,
            )
        if call.lane is Lane.BULK:
            return await self._bulk_attempt(request, call)
        slot = scheduler.acquire_nowait(Lane.CONTROL, request.origin)
        if slot is None:
            slot = await self._slot(request.origin, call)
        kept = False
        try:
            if self._closed:
                raise HubClosed(CLOSED)
            self.requests += 1
            response = await self.transport.send(request, rules.timeouts)
            if call.stream and response.status < 300:
                kept = True
                return StreamedAnswer(response, slot)
            body = await response.read_all(rules.max_response_bytes)
        finally:
            if not kept:
                slot.release()
        return _decoded(response, body, rules.max_response_bytes)

    async def _bulk_attempt(self, request: Request, call: _Call) -> Answer | StreamedAnswer:
        """Send once on the bulk lane: as :meth:`_attempt`, paced, and with an account of what came of it."""
        rules = call.rules
        assert call.load is not None
        turn = BulkTurn(await self._slot(request.origin, call), call.load, self._bandwidth)
        kept = False
        try:
            if self._closed:
                raise HubClosed(CLOSED)
            outgoing = await turn.outgoing(request)
            self.requests += 1
            response = await self.transport.send(outgoing, rules.timeouts)
            if call.stream and response.status < 300:
                kept = True
                return StreamedAnswer(response, turn)
            body = await turn.read_all(response, rules.max_response_bytes)
            turn.answered(response.status)
        except TransportError as error:
            turn.broke(error)
            raise
        finally:
            if not kept:
                turn.release()
        return _decoded(response, body, rules.max_response_bytes)

    async def _slot(self, origin: Origin, call: _Call) -> Slot:
        """Wait for a slot, in the flow of the call's job."""
        rules, load = call.rules, call.load
        return await self.scheduler.acquire(
            rules.service,
            call.lane,
            origin,
            job=load.job if load is not None and load.job is not None else rules.job,
            cost_bytes=load.size_bytes if load is not None else None,
            direction=load.direction if load is not None else None,
            weight=WEIGHTS[rules.priority],
        )

    async def _wait_or_raise(self, error: APIError | TransportError, request: Request, call: _Call) -> None:
        """Sleep until the next attempt, or raise the error."""
        rules = call.rules
        error.attempts = call.attempts
        if self._closed:
            raise HubClosed(CLOSED) from error
        kind = rules.classify(error, repeatable=request.idempotent) if _replayable(request) else Kind.FATAL
        verdict = judge(error, kind, call.retries, rules.policy, draw=self._draw())
        delay_s = verdict.delay_s
        if delay_s is not None and not self._budgets.setdefault(request.origin, Budget()).take(kind):
            delay_s = None
            error.add_note(f"not repeated: too many requests to {request.origin} fail (retry budget used up)")
        if delay_s is None:
            raise error
        call.retries[kind] = call.retries.get(kind, 0) + 1
        call.last_error, call.last_kind = error, kind
        await asyncio.sleep(delay_s)


def _decoded(response: Response, body: bytes, limit: int) -> Answer:
    encoding = response.header(b"content-encoding")
    if encoding is not None and body:
        body = decompress(body, encoding, limit)
    return Answer(response.status, response.headers, body)


def _replayable(request: Request) -> bool:
    body = request.body
    return body is None or isinstance(body, bytes) or body.replayable
