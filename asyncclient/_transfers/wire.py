"""Requests of one transfer: which rules they are sent by, which answers are good, when a failure is tried again."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Callable, Collection, Coroutine, Hashable
from dataclasses import replace
from typing import Any, Final, NoReturn, TypeVar

from asyncclient._messages import Request
from asyncclient._observe import TransferWatch
from asyncclient._pipeline import Answer, Pipeline, Rules, StreamedAnswer
from asyncclient._retry import Kind, judge
from asyncclient._scheduler import CURRENT_JOB, Direction, Lane
from asyncclient._transfers.options import DEFAULTS, Stall, TransferOptions
from asyncclient.errors import APIError, AsyncClientError, StallTimeout, TransferError, TransportError

__all__ = ["Retries", "StallWatch", "Wire", "run_crew"]

T = TypeVar("T")

MAX_RENEWALS: Final = 3
"""How often a signed URL is made anew for one request, before its refusal is believed."""


class _Good(Exception):
    def __init__(self, answer: Answer) -> None:
        super().__init__()
        self.answer = answer


class Wire:
    """Sends requests of a transfer.

    Args:
        pipeline: Of the hub.
        rules: Of the client.
        options: Of the transfer.
        job: What it takes turns as, if it is not part of something larger: of rules or of calls that name a job.

    Attributes:
        origin: Where the first request went, or None before.
        control: Rules for small calls: as the client's.
        bulk: Rules for content: no deadline, more retries, stalls are noticed sooner.
        once: As ``bulk``, without any retry: for requests that must not be repeated before the service was asked.
    """

    def __init__(
        self, pipeline: Pipeline, rules: Rules, options: TransferOptions = DEFAULTS, *, job: Hashable | None = None
    ) -> None:
        stall, timeouts = options.stall, rules.timeouts
        self.pipeline = pipeline
        self.options = options
        self.origin: str | None = None
        if rules.job is None and CURRENT_JOB.get() is None:
            rules = replace(rules, job=job)
        self.control = rules
        policy = replace(rules.policy, max_retries=_most_retries(rules.policy.max_retries, options.max_retries))
        self.bulk = replace(
            rules, timeouts=replace(timeouts, total=None, write=_least(timeouts.write, stall.window_s)), policy=policy
        )
        self.get = replace(self.bulk, timeouts=replace(self.bulk.timeouts, read=_least(timeouts.read, stall.idle_s)))
        self.once = replace(self.bulk, policy=replace(policy, max_retries=0, max_throttle_retries=None))

    async def ask(
        self, request: Request, operation: str, *, accept: Collection[int] = (), rules: Rules | None = None
    ) -> Answer:
        """Send a small request; a status in ``accept`` is an answer too, not a refusal."""
        return await self._fetch(request, operation, rules or self.control, Lane.CONTROL, accept)

    async def send(
        self, request: Request, operation: str, *, accept: Collection[int] = (), rules: Rules | None = None
    ) -> Answer:
        """Send a request with content, on the bulk lane."""
        return await self._fetch(request, operation, rules or self.bulk, Lane.BULK, accept)

    async def stream(
        self,
        request: Request,
        operation: str,
        *,
        accept: Collection[int] = (),
        size_bytes: int | None = None,
        direction: Direction = Direction.DOWN,
    ) -> StreamedAnswer | Answer:
        """Fetch content, of about ``size_bytes``; an answer with a status in ``accept`` is returned whole."""
        self._note(request)
        try:
            return await self.pipeline.stream(
                request, operation, _accepting(self.get, accept), size_bytes=size_bytes, direction=direction
            )
        except _Good as good:
            return good.answer

    async def _fetch(
        self, request: Request, operation: str, rules: Rules, lane: Lane, accept: Collection[int]
    ) -> Answer:
        self._note(request)
        try:
            return await self.pipeline.fetch(request, operation, _accepting(rules, accept), lane)
        except _Good as good:
            return good.answer

    def _note(self, request: Request) -> None:
        if self.origin is None:
            self.origin = str(request.origin)


def _accepting(rules: Rules, accept: Collection[int]) -> Rules:
    if not accept:
        return rules

    def error(request: Request, answer: Answer) -> APIError:
        if answer.status in accept:
            raise _Good(answer)
        return rules.error(request, answer)

    return replace(rules, error=error)


def _most_retries(of_client: int, of_parts: int) -> int:
    """Parts have more tries than calls, as much is lost with them; but none where none are wanted."""
    return max(of_client, of_parts) if of_client and of_parts else 0


def _least(timeout_s: float | None, stall_s: float) -> float:
    return stall_s if timeout_s is None else min(timeout_s, stall_s)


class Retries:
    """Counts failures in a row, and waits between them.

    Args:
        rules: Sort errors and say how often and how long.
        watch: Is told of them, or None.
    """

    def __init__(
        self, rules: Rules, watch: TransferWatch | None = None, *, draw: Callable[[], float] = random.random
    ) -> None:
        self._rules = rules
        self._watch = watch
        self._counts: dict[Kind, int] = {}
        self._draw = draw

    def progressed(self) -> None:
        """Begin to count anew: bytes have arrived since the last failure."""
        self._counts.clear()

    async def wait(self, error: APIError | TransportError, *, repeatable: bool = True) -> None:
        """Sleep until the next attempt, or raise the error if there is to be none."""
        rules = self._rules
        kind = rules.classify(error, repeatable=repeatable)
        verdict = judge(error, kind, self._counts, rules.policy, draw=self._draw())
        if verdict.delay_s is None:
            raise error
        self._counts[kind] = self._counts.get(kind, 0) + 1
        if self._watch is not None:
            self._watch.retry(error, verdict.delay_s)
        await asyncio.sleep(verdict.delay_s)


class StallWatch:
    """Reads a body and gives up on one that drips.

    Args:
        answer: What is read.
        stall: How little is too little.
    """

    def __init__(self, answer: StreamedAnswer, stall: Stall, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._answer = answer
        self._stall = stall
        self._clock = clock
        self._since = clock()
        self._got = 0

    async def read(self) -> bytes:
        """Wait for the next piece.

        Raises:
            StallTimeout: Fewer bytes came in the last window than the least rate.
        """
        piece = await self._answer.read()
        self._look(len(piece))
        return piece

    async def read_into(self, buffer: memoryview) -> int:
        """Wait for bytes and put them at the beginning of a buffer; returns how many, 0 at the end.

        Raises:
            StallTimeout: As of :meth:`read`.
        """
        count = await self._answer.read_into(buffer)
        self._look(count)
        return count

    def _look(self, count: int) -> None:
        self._got += count
        now = self._clock()
        waited_s = now - self._since
        if waited_s >= self._stall.window_s:
            if count and self._got < self._stall.least_rate * waited_s:
                raise StallTimeout(f"only {self._got} bytes arrived in {waited_s:.0f} s")
            self._since, self._got = now, 0


async def run_crew(*workers: Coroutine[Any, Any, None]) -> None:
    """Run coroutines until all are done; the first error cancels the others and is raised as it is."""
    try:
        async with asyncio.TaskGroup() as group:
            for worker in workers:
                group.create_task(worker)
    except BaseExceptionGroup as failures:
        _raise_first(failures)


def _raise_first(failures: BaseExceptionGroup[BaseException]) -> NoReturn:
    """Raise the error that says most: workers fail together when a network or a disk does."""
    errors = list(_flat(failures))
    raise min(errors, key=_rank)


def _rank(error: BaseException) -> int:
    for rank, kind in enumerate((TransferError, OSError, APIError, AsyncClientError)):
        if isinstance(error, kind):
            return rank
    return -1  # neither ours nor the disk's: a mistake, or an interrupt


def _flat(failures: BaseExceptionGroup[BaseException]) -> list[BaseException]:
    found: list[BaseException] = []
    for error in failures.exceptions:
        found += _flat(error) if isinstance(error, BaseExceptionGroup) else [error]
    return found
