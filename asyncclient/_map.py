"""The engine of ``hub.map``: pull items lazily, keep a bounded number of calls under way."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterable, AsyncIterator, Awaitable, Callable, Iterable
from typing import Any, Final, Generic, TypeVar, cast

from asyncclient._scheduler import CURRENT_JOB
from asyncclient.errors import ArgumentError

__all__ = ["run_map"]

T = TypeVar("T")
R = TypeVar("R")

_NOTHING: Final[Any] = object()


def run_map(
    fn: Callable[[T], Awaitable[R]], items: Iterable[T] | AsyncIterable[T], concurrency: int, *, ordered: bool
) -> AsyncIterator[R]:
    """Yield ``await fn(item)`` for each item, at most ``concurrency`` at a time.

    An item is taken from ``items`` only when its call may start, and calls under way and results not yet taken are
    together at most ``concurrency``, so memory does not grow with the number of items. To the scheduler all calls are
    one job, which takes turns with other calls of the same service.

    Raises:
        ArgumentError: ``concurrency`` is less than 1.
    """
    if concurrency < 1:
        raise ArgumentError(f"concurrency must be at least 1, not {concurrency}", argument="concurrency")
    return _run(fn, _Feed(items), concurrency, ordered)


async def _run(fn: Callable[[T], Awaitable[R]], feed: _Feed[T], concurrency: int, ordered: bool) -> AsyncIterator[R]:
    started: deque[asyncio.Task[R]] = deque()  # not yet yielded: in the order of the items, or as they were done
    running: set[asyncio.Task[R]] = set()
    job = object()
    ended = _Ended(running)
    try:
        while True:
            while len(started) < concurrency and (item := feed.take(ended.note)) is not _NOTHING:
                task = asyncio.get_running_loop().create_task(_call(fn, item, job))
                task.add_done_callback(ended.note)
                started.append(task)
                running.add(task)
            ready = _ready(started, ordered)
            if ready is not None:
                ended.forget(ready)
                yield ready.result()
                continue
            if not running and not feed.waits(len(started) < concurrency):
                return
            for task in await ended.some():
                if task in running:
                    running.discard(task)
                    task.result()  # an error ends the map now, not when the turn of its item comes
    finally:
        import anyio  # heavy, and not needed before

        # Shielded: a cancelled anyio scope would cut these waits short, and leave calls behind.
        with anyio.CancelScope(shield=True):
            await _cancel([*started, *feed.waits(True)])
            await feed.aclose()


class _Ended:
    """Tasks that have ended, and a wait for the next; ``asyncio.wait`` would begin and end a wait for every task.

    Args:
        running: What to take note of; anything else only ends the wait.
    """

    def __init__(self, running: set[asyncio.Task[Any]]) -> None:
        self._running = running
        self._tasks: dict[asyncio.Task[Any], None] = {}
        self._waiter: asyncio.Future[None] | None = None

    def note(self, task: asyncio.Task[Any]) -> None:
        if task in self._running:
            self._tasks[task] = None
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    def forget(self, task: asyncio.Task[Any]) -> None:
        """Let go of a task, and of its result: who takes results slower than they come never waits for one."""
        self._running.discard(task)
        self._tasks.pop(task, None)

    async def some(self) -> Iterable[asyncio.Task[Any]]:
        """Return those that ended since the last call; waits until there is one, or the next item."""
        if not self._tasks:
            self._waiter = asyncio.get_running_loop().create_future()
            await self._waiter
        tasks, self._tasks = self._tasks, {}
        return tasks


def _ready(started: deque[asyncio.Task[R]], ordered: bool) -> asyncio.Task[R] | None:
    """Take the task whose result is to be yielded next, if it is done."""
    for index, task in enumerate(started):
        if task.done():
            del started[index]
            return task
        if ordered:
            return None
    return None


async def _call(fn: Callable[[T], Awaitable[R]], item: T, job: object) -> R:
    CURRENT_JOB.set(job)  # in the context of this task only
    return await fn(item)


class _Feed(Generic[T]):
    """Items one at a time, of a plain iterable at once, of an async one when they have come."""

    def __init__(self, items: Iterable[T] | AsyncIterable[T]) -> None:
        self._plain = None if isinstance(items, AsyncIterable) else iter(items)
        self._async = aiter(items) if isinstance(items, AsyncIterable) else None
        self._pending: asyncio.Task[Any] | None = None

    def take(self, note: Callable[[asyncio.Task[Any]], object]) -> T:
        """Return the next item, or ``_NOTHING`` if there is none, or none yet; ``note`` is called when there is."""
        if self._plain is not None:
            return cast("T", next(self._plain, _NOTHING))
        if self._pending is None and self._async is not None:
            self._pending = asyncio.get_running_loop().create_task(_next(self._async))
            self._pending.add_done_callback(note)
        if self._pending is None or not self._pending.done():
            return cast("T", _NOTHING)
        item = self._pending.result()
        self._pending = None
        if item is _NOTHING:
            self._async = None
        return cast("T", item)

    def waits(self, wanted: bool) -> list[asyncio.Task[Any]]:
        """Return what is to be waited for until the next item is there, if one is wanted."""
        return [self._pending] if wanted and self._pending is not None else []

    async def aclose(self) -> None:
        """Let an async source clean up, if the map ended before it did."""
        aclose = getattr(self._async, "aclose", None)
        if aclose is not None:
            await aclose()


async def _next(source: AsyncIterator[Any]) -> Any:
    return await anext(source, _NOTHING)


async def _cancel(tasks: Iterable[asyncio.Task[Any]]) -> None:
    """Cancel what is left and wait until it is gone: nothing a map started outlives it."""
    left = list(tasks)
    for task in left:
        task.cancel()
    await asyncio.gather(*left, return_exceptions=True)
