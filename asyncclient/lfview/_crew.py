"""Many small jobs at a time that belong together, and of which each may lead to more."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Iterable
from typing import Any, Generic, TypeVar

import anyio

__all__ = ["Crew"]

T = TypeVar("T")


class Crew(Generic[T]):
    """Calls a function for every item.

    Args:
        function: Returns further items, or None.
        finishes: When one fails the others are cancelled, but for those this is true of: they are let finish.
    """

    def __init__(
        self,
        function: Callable[[T], Coroutine[Any, Any, Iterable[T] | None]],
        *,
        finishes: Callable[[asyncio.Task[Any]], bool] = lambda task: False,
    ) -> None:
        self._function = function
        self._finishes = finishes
        self._running: set[asyncio.Task[Iterable[T] | None]] = set()
        self._errors: list[BaseException] = []
        self._ended = asyncio.Event()
        self._stopped = False

    async def run(self, items: Iterable[T]) -> None:
        """Work until nothing is left; raises the first error, when all have ended.

        Cancelling cancels them all, and waits for them.
        """
        self._start(items)
        self._check()
        try:
            await self._ended.wait()
        except BaseException:
            self._stop(lambda task: False)
            with anyio.CancelScope(shield=True):
                await self._ended.wait()
            raise
        if self._errors:
            first, *others = self._errors
            if others:
                first.add_note(f"{len(others)} more failed, the next one with {type(others[0]).__name__}: {others[0]}")
            raise first

    def _start(self, items: Iterable[T]) -> None:
        for item in items:
            task = asyncio.get_running_loop().create_task(self._function(item))
            self._running.add(task)
            task.add_done_callback(self._done)

    def _done(self, task: asyncio.Task[Iterable[T] | None]) -> None:
        self._running.discard(task)
        error = None if task.cancelled() else task.exception()
        if error is not None:
            self._errors.append(error)
            self._stop(self._finishes)
        elif not self._stopped:
            self._start(task.result() or ())
        self._check()

    def _stop(self, finishes: Callable[[asyncio.Task[Any]], bool]) -> None:
        self._stopped = True
        for task in self._running:
            if not finishes(task):
                task.cancel()

    def _check(self) -> None:
        if not self._running:
            self._ended.set()
