"""One call: loop[ sign, wait for a slot, send, read, judge ], under one deadline.

Three things never mix here: one attempt (``_attempt.py``, no policy), the verdict (``_retry.py``, pure) and what follows from it
(:meth:`Pipeline._loop`). Nothing scarce is held while it sleeps: the slot is given back before the verdict.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Coroutine, Hashable
from typing import Any, Final

from asyncclient._attempt import Attempts, Call
from asyncclient._bulk import THROTTLED, Bandwidth, Load
from asyncclient._deadlines import Deadlines, cause_of
from asyncclient._messages import Origin, Request, Transport
from asyncclient._observers import Observers
from asyncclient._redirect import MAX_REDIRECTS, follow, is_signed, leaves_home
from asyncclient._retry import Budget, Kind, judge
from asyncclient._rules import Answer, Rules, StreamedAnswer
from asyncclient._scheduler import CLOSED, Direction, Lane, Scheduler
from asyncclient.errors import (
    APIError,
    AsyncClientError,
    DeadlineExceeded,
    HubClosed,
    TooManyRedirects,
    TransportError,
)

__all__ = ["Answer", "Pipeline", "Rules", "StreamedAnswer"]


_MAX_BUDGETS: Final = 256
"""Origins that fail are remembered up to this many; then the one that began first gets its budget back."""


class Pipeline:
    """Sends requests of all clients of a hub.

    Args:
        transport: What sends a single request.
        scheduler: What admits it.
        bandwidth: Paces bulk requests.
        observers: Who is told what happens.
    """

    __slots__ = (
        "_attempts",
        "_bandwidth",
        "_budgets",
        "_deadlines",
        "_draw",
        "_resting",
        "failures",
        "observers",
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
        observers: Observers | None = None,
        draw: Callable[[], float] = random.random,
    ) -> None:
        self.transport = transport
        self.observers = observers if observers is not None else Observers()
        self.scheduler = scheduler
        self.retries = 0
        self.failures = 0
        self._budgets: dict[Origin, Budget] = {}
        self._bandwidth = bandwidth if bandwidth is not None else Bandwidth()
        self._attempts = Attempts(transport, scheduler, self._bandwidth)
        self._deadlines = Deadlines()
        self._draw = draw
        self._resting: set[asyncio.Future[None]] = set()

    @property
    def requests(self) -> int:
        """How many were sent, repetitions included."""
        return self._attempts.requests

    async def aclose(self) -> None:
        """Drop all connections; calls under way, those that wait included, end with :class:`HubClosed`."""
        self._attempts.closed = True
        self._deadlines.close()
        for waiter in self._resting:
            _wake(waiter)
        self.scheduler.close()
        await self.transport.aclose()

    def fetch(
        self,
        request: Request,
        operation: str,
        rules: Rules,
        lane: Lane = Lane.CONTROL,
        *,
        job: Hashable | None = None,
        size_bytes: int | None = None,
        direction: Direction | None = None,
    ) -> Coroutine[Any, Any, Answer]:
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
        return self._made(request, operation, Call(rules, lane, False, load))

    def stream(
        self,
        request: Request,
        operation: str,
        rules: Rules,
        lane: Lane = Lane.BULK,
        *,
        job: Hashable | None = None,
        size_bytes: int | None = None,
        direction: Direction | None = None,
    ) -> Coroutine[Any, Any, StreamedAnswer]:
        """Send a request until it is answered well, and return with the body unread.

        Takes, raises and cancels as :meth:`fetch`; the deadline ends when the head has arrived.
        """
        load = Load.of(request, job, size_bytes, direction)
        return self._made(request, operation, Call(rules, lane, True, load))

    def _made(self, request: Request, operation: str, call: Call) -> Coroutine[Any, Any, Any]:
        """Make a call, watched by those who want to; not a coroutine function, for every frame counts here."""
        if self.observers.wants(call.rules.service):
            return self._watched_call(request, operation, call)
        return self._timed(request, operation, call)

    async def _watched_call(self, request: Request, operation: str, call: Call) -> Answer | StreamedAnswer:
        call.watch = self.observers.watch(call.rules.service, operation, call.lane.value)
        with call.watch:
            return await self._timed(request, operation, call)

    async def _timed(self, request: Request, operation: str, call: Call) -> Answer | StreamedAnswer:
        total_s = call.rules.timeouts.total
        deadline = None if total_s is None else self._deadlines.begin(total_s)
        try:
            answer = await self._loop(request, call)
        except BaseException as error:
            ended = deadline is not None and deadline.end(error)
            if ended or isinstance(error, (AsyncClientError, TimeoutError)):
                self.failures += 1
            if total_s is None or not ended:
                raise  # a TimeoutError may also come from within, such as the deadline of fetching a token
            raise DeadlineExceeded(
                operation, total_s, attempts=call.attempts, last_error=call.last_error
            ) from cause_of(error)
        if deadline is not None:
            deadline.end()
        return answer

    async def _loop(self, request: Request, call: Call) -> Answer | StreamedAnswer:
        rules = call.rules
        auth = rules.auth
        send = self._attempts.send if call.watch is None else self._watched
        while True:
            if auth is not None and rules.auth_origins(request.origin):
                # Outside the try: fetching a token has retries of its own, and its failure is final here.
                call.signature = auth.header_nowait() or await auth.header()
            call.attempts += 1
            try:
                answer = await send(request, call)
                if answer.status >= 300:
                    answer = await self._follow(request, answer, call)
            except (APIError, TransportError) as error:
                if not self._refreshes(error, request, call):
                    await self._wait_or_raise(error, request, call)
                elif call.watch is not None:
                    call.watch.renewed()
                self.retries += 1
                continue
            if self._budgets:
                self._refund(request.origin, call.last_kind)
            return answer

    async def _follow(self, request: Request, answer: Answer | StreamedAnswer, call: Call) -> Answer | StreamedAnswer:
        """Go where redirects lead, or raise the refusal that an answer is."""
        left = MAX_REDIRECTS
        send = self._attempts.send if call.watch is None else self._watched
        while answer.status >= 300:
            request = self._redirected(request, answer, call)
            if not left:
                raise TooManyRedirects(
                    f"redirected more than {MAX_REDIRECTS} times",
                    origin=str(request.origin),
                    method=request.method.decode(),
                )
            left -= 1
            answer = await send(request, call)
        return answer

    def _redirected(self, request: Request, answer: Answer | StreamedAnswer, call: Call) -> Request:
        """Return the request that an answer asks for; only the service that a signature was made for gets to see it.

        Raises:
            APIError: It asks for none: it is a refusal.
        """
        assert isinstance(answer, Answer)
        home, location = call.rules.home, answer.header(b"location")
        redirected = follow(request, answer.status, location.encode("latin-1") if location else None, home)
        if redirected is None:
            error = call.rules.error(*_without_secrets(request, answer, call))
            self._heed(error, request.origin, call.rules)
            raise error
        if leaves_home(request, redirected, home):
            call.signature = None  # not even a way back brings it along
        return redirected

    def _heed(self, error: APIError, origin: Origin, rules: Rules) -> None:
        """Let no bulk work begin where the service asked to be left alone; what asks for too long fails instead."""
        delay_s = error.retry_after
        if delay_s and error.status in THROTTLED and delay_s <= rules.policy.retry_after_cap_s:
            self.scheduler.pause(origin, delay_s)
            self.observers.paused(rules.service, str(origin), delay_s)

    @staticmethod
    def _refreshes(error: AsyncClientError, request: Request, call: Call) -> bool:
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

    def _budget(self, origin: Origin) -> Budget:
        budgets = self._budgets
        if origin not in budgets and len(budgets) >= _MAX_BUDGETS:
            del budgets[next(iter(budgets))]
        return budgets.setdefault(origin, Budget())

    async def _watched(self, request: Request, call: Call) -> Answer | StreamedAnswer:
        """Send once, and tell of it."""
        assert call.watch is not None
        with call.watch.begin(request, call.signature, own=_is_own(request, call.rules)) as attempt:
            answer = await self._attempts.send(attempt.request, call)
            attempt.answered(answer.status, answer.headers, answer.body if isinstance(answer, Answer) else None)
        if isinstance(answer, Answer):
            return answer
        from asyncclient._watched import WatchedAnswer  # nothing that nobody observes needs it

        return WatchedAnswer(answer, attempt)

    async def _wait_or_raise(self, error: APIError | TransportError, request: Request, call: Call) -> None:
        """Sleep until the next attempt, or raise the error."""
        rules = call.rules
        error.attempts = call.attempts
        if self._attempts.closed:
            raise HubClosed(CLOSED) from error
        kind = rules.classify(error, repeatable=request.idempotent) if _replayable(request) else Kind.FATAL
        verdict = judge(error, kind, call.retries, rules.policy, draw=self._draw())
        delay_s = verdict.delay_s
        if delay_s is not None and not self._budget(request.origin).take(kind):
            delay_s = None
            error.add_note(f"not repeated: too many requests to {request.origin} fail (retry budget used up)")
            self.observers.budget_spent(rules.service, str(request.origin))
        if delay_s is None:
            raise error
        call.retries[kind] = call.retries.get(kind, 0) + 1
        call.last_error, call.last_kind = error, kind
        if call.watch is not None:
            call.watch.retry(error, delay_s)
        await self._rest(delay_s)

    async def _rest(self, delay_s: float) -> None:
        """Sleep, but not longer than the hub lives."""
        loop = asyncio.get_running_loop()
        waiter: asyncio.Future[None] = loop.create_future()
        timer = loop.call_later(delay_s, _wake, waiter)
        self._resting.add(waiter)
        try:
            await waiter
        finally:
            timer.cancel()
            self._resting.discard(waiter)
        if self._attempts.closed:
            raise HubClosed(CLOSED)


def _wake(waiter: asyncio.Future[None]) -> None:
    if not waiter.done():
        waiter.set_result(None)


def _is_own(request: Request, rules: Rules) -> bool:
    """Tell whether a request goes to the service itself; an address elsewhere may be a permission as a whole."""
    return rules.auth_origins(request.origin) and not is_signed(request.target)


def _without_secrets(request: Request, answer: Answer, call: Call) -> tuple[Request, Answer]:
    """Return a refused request and its refusal as an error may show them: without what opens something."""
    from asyncclient._redact import (
        cleaned,
        cleaned_headers,
        hidden,
        secrets_of,
    )  # not needed before something is refused

    secrets = secrets_of(request, call.signature, own=(own := _is_own(request, call.rules)))
    shown = Answer(answer.status, cleaned_headers(answer.headers, secrets), cleaned(answer.body, secrets))
    return request if own else hidden(request), shown


def _replayable(request: Request) -> bool:
    body = request.body
    return body is None or isinstance(body, bytes) or body.replayable
