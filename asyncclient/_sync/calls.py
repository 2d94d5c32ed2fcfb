"""One blocking call: what travels between the thread that waits and the loop thread.

A thread that waits has a :class:`Mailbox`, made once and used for all its calls: one C lock that serves as a binary
semaphore, and a queue of callbacks to run. A call costs one ``call_soon_threadsafe`` on the way in and one lock
release on the way out; no future, no condition variable. A token may be left over from an earlier wake-up, so a waiter
always looks at its own condition and never trusts the token alone. That makes nested waits on one thread correct too.
"""

from __future__ import annotations

import asyncio
import os
import threading
import time
from _thread import allocate_lock
from collections import deque
from collections.abc import Awaitable, Callable, Mapping
from typing import TYPE_CHECKING, Any, Final, Protocol

from asyncclient.errors import HubClosed

if TYPE_CHECKING:
    from types import TracebackType

    from asyncclient._sync.portal import Portal

__all__ = ["Call", "Delivery", "Mailbox", "Waitable", "close_deliveries", "own_mailbox"]

# On Windows a lock that is waited for without a timeout does not let Ctrl-C through (agronholm/anyio#532). Elsewhere a
# signal that comes between the interpreter's last look for one and its sleep wakes nobody: it is seen after this time.
_POLL_S: Final[float] = 0.2 if os.name == "nt" else 1.0
_OURS: Final = __name__.rpartition(".")[0] + "."


class Waitable(Protocol):
    """Something a thread can wait for."""

    @property
    def ready(self) -> bool: ...


class Mailbox:
    """Where other threads leave word for the one thread that owns it."""

    __slots__ = ("_events", "_token")

    def __init__(self) -> None:
        self._events: deque[tuple[Delivery, tuple[Any, ...], dict[str, Any]]] = deque()
        self._token = allocate_lock()
        self._token.acquire()

    def wake(self) -> None:
        """Make the owner look at its condition again; any thread may call this."""
        try:
            self._token.release()
        except RuntimeError:
            pass  # it has a token already and will look

    def post(self, delivery: Delivery, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        """Queue a callback for the owner's thread; any thread may call this."""
        self._events.append((delivery, args, kwargs))
        self.wake()

    def wait(self, what: Waitable) -> None:
        """Sleep until ``what`` is ready, running queued callbacks meanwhile, and those still queued then.

        Raises:
            BaseException: Whatever a callback or a signal handler (Ctrl-C) raises.
        """
        while not what.ready:
            self._token.acquire(True, _POLL_S)
            if self._events:
                self._deliver()
        if self._events:
            self._deliver()

    def wait_quietly(self, what: Waitable, timeout_s: float) -> bool:
        """Sleep until ``what`` is ready or the time is up, running no callbacks; return whether it is ready."""
        deadline = time.monotonic() + timeout_s
        while not what.ready:
            left = deadline - time.monotonic()
            if left <= 0:
                return False
            self._token.acquire(True, min(left, _POLL_S))
        return True

    def _deliver(self) -> None:
        held = []
        try:
            while self._events:
                event = self._events.popleft()
                if event[0].busy:  # its callback waits in a call of its own further up this stack
                    held.append(event)
                else:
                    event[0].run(event[1], event[2])
        finally:
            self._events.extendleft(reversed(held))


_local = threading.local()


def own_mailbox() -> Mailbox:
    """Return the mailbox of the current thread."""
    try:
        mailbox: Mailbox = _local.mailbox
    except AttributeError:
        mailbox = _local.mailbox = Mailbox()
    return mailbox


def forget_mailboxes() -> None:
    """Begin anew in a forked child, where a mailbox may hold what the parent was told."""
    global _local
    _local = threading.local()


class Delivery:
    """A user's callback, callable from any thread, that runs in the thread that made it while that thread waits.

    It is closed when the call it was given to ends; what arrives later is dropped.
    """

    __slots__ = ("_callback", "_mailbox", "busy", "closed")

    def __init__(self, callback: Callable[..., object], mailbox: Mailbox) -> None:
        self._callback = callback
        self._mailbox = mailbox
        self.busy = False
        self.closed = False

    def __call__(self, *args: Any, **kwargs: Any) -> None:
        """Queue the event and return at once."""
        if not self.closed:
            self._mailbox.post(self, args, kwargs)

    def run(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        """Call the callback now, in the owner's thread."""
        if self.closed:
            return
        self.busy = True
        try:
            self._callback(*args, **kwargs)
        finally:
            self.busy = False


def close_deliveries(args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> None:
    """End the deliveries among the arguments of a call."""
    for value in args:
        if type(value) is Delivery:
            value.closed = True
    for value in kwargs.values():
        if type(value) is Delivery:
            value.closed = True


class Call:
    """One coroutine function on its way through the loop thread.

    Attributes:
        ready: Set last, when ``value`` or ``error`` holds the outcome.
        mailbox: Of the thread that waits. It may change between two waits.
        cancelled: Whether the caller gave up.
    """

    __slots__ = ("args", "cancelled", "error", "fn", "kwargs", "mailbox", "portal", "ready", "task", "value")

    def __init__(
        self,
        portal: Portal,
        fn: Callable[..., Awaitable[Any]],
        args: tuple[Any, ...],
        kwargs: dict[str, Any],
        mailbox: Mailbox,
    ) -> None:
        self.portal = portal
        self.fn = fn
        self.args = args
        self.kwargs = kwargs
        self.mailbox = mailbox
        self.task: asyncio.Task[None] | None = None
        self.value: Any = None
        self.error: BaseException | None = None
        self.ready = False
        self.cancelled = False

    def start(self) -> None:
        """Make the task. On the loop thread, as a handle that carries the caller's context, which the task copies."""
        if self.portal.refusal is not None:  # the loop has been told to end since this was handed over
            self.finish(HubClosed(self.portal.refusal))
        elif not self.ready:
            self.task = self.portal.spawn(self._body())

    async def _body(self) -> None:
        try:
            self.value = await self.fn(*self.args, **self.kwargs)
        except BaseException as error:  # noqa: BLE001 - it belongs to the caller; loose, SystemExit would end the loop
            self.finish(error)
        else:
            self.finish(None)

    def cancel(self) -> None:
        """Cancel the inner task. On the loop thread, after :meth:`start`."""
        self.cancelled = True
        if self.task is None:
            self.finish(asyncio.CancelledError())
            return
        self.task.cancel()
        self.task.add_done_callback(self._settle)

    def _settle(self, task: asyncio.Task[None]) -> None:
        # A task cancelled before its first step never runs its body.
        self.finish(asyncio.CancelledError())

    def finish(self, error: BaseException | None) -> None:
        """Store the outcome and wake the waiting thread; only the first outcome counts."""
        if self.ready:
            return
        if isinstance(error, asyncio.CancelledError) and self.portal.refusal and not self.cancelled:
            closed = HubClosed(self.portal.refusal)
            closed.__cause__ = error
            error = closed
        self.error = error
        self.portal.open_calls.discard(self)
        self.ready = True
        self.mailbox.wake()

    def take_error(self) -> BaseException:
        """Return the error, its traceback trimmed, and forget it.

        Frames of its traceback refer to this call; together they would have to wait for the cyclic collector.
        """
        error, self.error = self.error, None
        assert error is not None
        return _trimmed(error)


def _trimmed(error: BaseException) -> BaseException:
    """Take the frames of this package's plumbing off the outer end of a traceback; type, cause and notes stay."""
    traceback: TracebackType | None = error.__traceback__
    while traceback is not None and traceback.tb_frame.f_globals.get("__name__", "").startswith(_OURS):
        traceback = traceback.tb_next
    return error.with_traceback(traceback)
