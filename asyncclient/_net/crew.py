"""Threads that run the blocking calls of event loops: few as long as calls are short, more when one has to wait.

With many small files the way through a thread costs as much as the files. So a call is one object, a thread that is awake
takes one call after the other, and a loop is told of all calls that are over at once.
"""

from __future__ import annotations

import asyncio
import contextvars
import os
import threading
import time
from collections import deque
from collections.abc import Callable
from typing import Any, Final, Generic, TypeVar, cast

__all__ = ["Crew", "Errand"]

T = TypeVar("T")

# A call that waits for longer gets a thread of its own: those before it wait for a disk, or for somebody's pipe.
_PATIENCE_S: Final = 0.01
# Threads without work end after that.
_IDLE_S: Final = 10.0


class Errand(Generic[T]):
    """One call for a thread; whoever makes it, waits for it in the same event loop.

    Args:
        function: Called in a thread, in the context of whoever made this.
        args: Its arguments.
        crew: Whose threads.

    Attributes:
        over: The call has returned, or was taken back: the rest is known.
    """

    __slots__ = (
        "_args",
        "_context",
        "_crew",
        "_error",
        "_function",
        "_returns",
        "_value",
        "_waiters",
        "over",
        "since_s",
    )

    def __init__(self, function: Callable[..., T], args: tuple[Any, ...], crew: Crew) -> None:
        self.over = False
        self.since_s = 0.0
        self._function: Callable[..., T] | None = function
        self._args = args
        self._context: contextvars.Context | None = contextvars.copy_context()
        self._value: T | None = None
        self._error: BaseException | None = None
        self._waiters: list[asyncio.Future[None]] = []
        self._crew = crew
        self._returns = _returns()
        crew.add(self, self._returns)

    def take_back(self) -> bool:
        """Drop the call, unless it has begun; returns whether it was dropped."""
        if self.over or not self._crew.remove(self):
            return False
        self._function, self._args, self._context = None, (), None
        self._error = asyncio.CancelledError()
        self._end()
        return True

    def waiter(self) -> asyncio.Future[None]:
        """Return a future that is done when the call is over, in the event loop; it may be cancelled."""
        waiter = self._returns.loop.create_future()
        if self.over:
            waiter.set_result(None)
        else:
            self._waiters.append(waiter)
        return waiter

    @property
    def returned(self) -> bool:
        """Whether the call was made, and raised nothing."""
        return self.over and self._error is None

    def result(self) -> T:
        """Return what the call returned, or raise what it raised; it must be over."""
        error = self._error
        if error is None:
            return cast(T, self._value)
        try:
            raise error
        finally:
            del error, self  # the traceback of the error leads to this frame

    def run(self) -> None:
        """Make the call, in a thread."""
        function, args, context = self._function, self._args, self._context
        # Forgotten here: the thread may refer to this object for a while after the result is known.
        self._function, self._args, self._context = None, (), None
        assert function is not None
        assert context is not None
        try:
            self._value = context.run(function, *args)
        except BaseException as error:  # noqa: BLE001  # raised where it is waited for
            self._error = error
        self._returns.put(self)
        del function, args, context, self  # the traceback of an error leads to this frame

    def _end(self) -> None:
        """Tell whoever waits."""
        self.over = True
        waiters, self._waiters = self._waiters, []
        for waiter in waiters:
            if not waiter.done():
                waiter.set_result(None)


class _Returns:
    """Calls of one event loop that have returned: the loop is told of all there are at once."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.loop = loop
        self.watching: set[Crew] = set()
        self._told = False
        self._errands: deque[Errand[Any]] = deque()

    def put(self, errand: Errand[Any]) -> None:
        """Take a call that has returned, in its thread."""
        self._errands.append(errand)
        if not self._told:
            self._told = True
            try:
                self.loop.call_soon_threadsafe(self._end)
            except RuntimeError:  # the loop was closed: nobody waits any more
                self._errands.clear()

    def _end(self) -> None:
        self._told = False  # before the look: whoever comes later tells again
        while self._errands:
            self._errands.popleft()._end()


class _Local(threading.local):
    returns: _Returns | None = None


_local = _Local()


def _returns() -> _Returns:
    loop = asyncio.get_running_loop()
    found = _local.returns
    if found is None or found.loop is not loop:
        found = _local.returns = _Returns(loop)
    return found


class Crew:
    """Threads of the process for one kind of calls.

    Args:
        name: Of the threads.
        few: Threads that calls get at once.
        most: Threads there may be.

    It may be used from any number of event loops; in a forked child it begins anew.
    """

    def __init__(self, name: str, *, few: int, most: int) -> None:
        self.few = few
        self.most = most
        self._name = name
        self._forget()
        if hasattr(os, "register_at_fork"):
            os.register_at_fork(after_in_child=self._forget)

    def _forget(self) -> None:
        self._lock = threading.Lock()
        self._errands: deque[Errand[Any]] = deque()
        self._idle: list[_Worker] = []
        self.threads = 0

    def add(self, errand: Errand[Any], returns: _Returns) -> None:
        """Have a call made, in the order of adding.

        Raises:
            RuntimeError: There is no thread, and none can be started.
        """
        errand.since_s = time.monotonic()
        with self._lock:
            self._errands.append(errand)
            if self._idle:
                self._idle.pop().wake()
                return
            if self.threads < self.few:
                self._hire()
                return
        if self.threads < self.most and self not in returns.watching:
            self._watch(returns)

    def remove(self, errand: Errand[Any]) -> bool:
        """Forget a call that no thread has taken; returns whether that was so."""
        with self._lock:
            try:
                self._errands.remove(errand)
            except ValueError:
                return False
            return True

    def _watch(self, returns: _Returns) -> None:
        """Look again when a call that waits now has waited long enough."""
        returns.watching.add(self)
        returns.loop.call_later(_PATIENCE_S, self._look, returns)

    def _look(self, returns: _Returns) -> None:
        returns.watching.discard(self)
        with self._lock:
            if not self._errands:
                return
            late = time.monotonic() - self._errands[0].since_s >= _PATIENCE_S
            if late and not self._idle and self.threads < self.most:
                self._hire()
            if self.threads >= self.most:
                return
        self._watch(returns)

    def _hire(self) -> None:
        """Start a thread; the lock is held."""
        worker = _Worker(self, self._name)
        try:
            worker.start()
        except RuntimeError:  # the limit of the system, or the interpreter is about to end
            if not self.threads:
                self._errands.pop()  # the one that this thread was meant for
                raise
        else:
            self.threads += 1

    # -- called by the threads -----------------------------------------------------------------------------------

    def next(self, worker: _Worker) -> Errand[Any] | None:
        """Return a call to make; None if there is none, and the thread will be woken."""
        with self._lock:
            if self._errands:
                return self._errands.popleft()
            self._idle.append(worker)
            return None

    def dismiss(self, worker: _Worker) -> bool:
        """Let a thread go that has waited long enough; False if it was woken meanwhile."""
        with self._lock:
            if worker not in self._idle:
                return False
            self._idle.remove(worker)
            self.threads -= 1
            return True


class _Worker(threading.Thread):
    """One thread. As a daemon: one that waits for somebody's pipe must not keep the interpreter from ending."""

    def __init__(self, crew: Crew, name: str) -> None:
        super().__init__(name=name, daemon=True)
        self._crew = crew
        self._bell = threading.Lock()
        self._bell.acquire()

    def wake(self) -> None:
        """End the wait for a call; called once for every time the thread was listed as idle."""
        self._bell.release()

    def run(self) -> None:
        """Make calls until there is none for a while."""
        crew, bell = self._crew, self._bell
        while True:
            errand = crew.next(self)
            if errand is not None:
                errand.run()
                del errand
            elif not bell.acquire(timeout=_IDLE_S):
                if crew.dismiss(self):
                    return
                bell.acquire()
