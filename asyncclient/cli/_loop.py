"""Where commands run their coroutines: an event loop that Ctrl-C and SIGTERM end at any moment."""

from __future__ import annotations

import signal
from collections.abc import Callable, Coroutine
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    import asyncio

__all__ = ["run_async"]

T = TypeVar("T")


def run_async(work: Callable[[], Coroutine[Any, Any, T]]) -> T:
    """Run ``await work()`` on a new event loop, in the main thread.

    The first interruption cancels the work, which cleans up behind itself; the next one breaks that off.

    ``asyncio.run`` alone leaves a gap: an interruption after it has made the task, and before it listens to signals,
    destroys a task that never began, which the loop then complains of. So it is remembered from before the loop is made.

    Raises:
        KeyboardInterrupt: It was interrupted; also at its very end, when the work was done nevertheless.
        BaseException: What ``work`` raised.
    """
    import asyncio  # here and below: --help and completion do without it

    before = signal.getsignal(signal.SIGINT)
    interruption = _Interruption()
    signal.signal(signal.SIGINT, interruption)
    try:
        result = asyncio.run(interruption.cancelling(work))
    except asyncio.CancelledError:
        if not interruption.count:
            raise
        raise KeyboardInterrupt from None
    finally:
        signal.signal(signal.SIGINT, before)
    if interruption.count:
        raise KeyboardInterrupt
    return result


class _Interruption:
    """A handler of SIGINT.

    Attributes:
        count: How often it was called.
    """

    def __init__(self) -> None:
        self.count = 0
        self._task: asyncio.Task[Any] | None = None

    def __call__(self, *_: object) -> None:
        self.count += 1
        if self.count > 1:
            raise KeyboardInterrupt
        if self._task is not None:
            self._task.cancel()
            self._task.get_loop().call_soon_threadsafe(lambda: None)  # wakes it, if it waits for sockets

    async def cancelling(self, work: Callable[[], Coroutine[Any, Any, T]]) -> T:
        """Do the work in the current task, which an interruption cancels."""
        import asyncio

        self._task = asyncio.current_task()
        try:
            if self.count:
                raise asyncio.CancelledError
            return await work()
        finally:
            self._task = None  # lets go of the loop, whose finalizer would swallow an interruption after this
