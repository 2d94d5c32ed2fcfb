"""The loop thread: one event loop per process, on which blocking code runs coroutines.

How it behaves, and why:

- It starts with the first call, as a daemon thread, and stays for the process, so that the connection pool does too.
- Ctrl-C cancels the *inner* task and waits for its clean-up, at most 5 s, before KeyboardInterrupt goes on; a second
  Ctrl-C goes on at once. Any other exception in the waiting thread does the same.
- After ``fork`` the child forgets the parent's portal without closing anything: the epoll instance, the sockets and
  the TLS sessions are shared with the parent, and any clean-up would reach into its connections. The generation number
  changes, and facades build themselves anew.
- On the loop's own thread a blocking call could only wait for itself and is refused.
- Context managers and iterators live in one task each (``streams``), because cancel scopes must be left by the task
  that entered them.
"""

from __future__ import annotations

import asyncio
import atexit
import contextlib
import os
import selectors
import signal
import sys
import threading
import warnings
import weakref
from collections.abc import AsyncIterable, Awaitable, Callable, Coroutine
from contextlib import AbstractAsyncContextManager
from typing import Any, Final, ParamSpec, TypeVar

from asyncclient._sync.calls import Call, Delivery, close_deliveries, forget_mailboxes, own_mailbox
from asyncclient._sync.streams import PumpedIterator, Scope
from asyncclient.errors import HubClosed, WrongLoop

__all__ = ["BlockingCallWarning", "Portal", "current_generation", "get_portal", "on_fork"]

T = TypeVar("T")
P = ParamSpec("P")
F = TypeVar("F", bound=Callable[..., object])

_GRACE_S: Final = 5.0  # for the clean-up of a cancelled call
_DRAIN_S: Final = 1.5  # for the clean-up of all calls, when the portal closes
_CLOSE_S: Final = 2.0  # for everything, when the process ends
_FORKED: Final = "it belongs to the parent of this process; make a new one after fork"
_EXITING: Final = "the process is ending"
_CLOSED: Final = "the loop thread of the synchronous clients was closed"


class BlockingCallWarning(RuntimeWarning):
    """A blocking call was made on a thread that runs an event loop, which stands still meanwhile."""


class Portal:
    """Runs coroutines on its own loop thread for threads that block.

    Attributes:
        generation: Differs between any two portals that a facade can meet, over forks too.
        loop: The event loop; of uvloop, where that is installed.
        refusal: Why no more calls are taken, or None.
        open_calls: Calls under way.
    """

    def __init__(self, generation: int) -> None:
        self.generation = generation
        self.loop, self._selector = _new_event_loop()
        self.refusal: str | None = None
        self.open_calls: set[Call] = set()
        self._closers: weakref.WeakKeyDictionary[object, Callable[[], Awaitable[None]]] = weakref.WeakKeyDictionary()
        self._thread = threading.Thread(target=self._main, name=f"asyncclient-loop-{generation}", daemon=True)
        self._thread.start()

    def run(self, fn: Callable[P, Awaitable[T]], /, *args: P.args, **kwargs: P.kwargs) -> T:
        """Run ``await fn(*args, **kwargs)`` in a task on the loop thread and return its result.

        The task sees the caller's context variables. Callbacks wrapped by :meth:`deliver` run in this thread.

        Raises:
            WrongLoop: Called on the loop's own thread, or through a portal of the parent process.
            HubClosed: The portal was closed, or the process is ending.
            BaseException: What ``fn`` raised, unchanged; or what interrupted the wait, after ``fn`` was cancelled.
        """
        call = self.call(fn, args, kwargs)
        if call.error is not None:
            raise call.take_error()
        result: T = call.value
        return result

    def call(self, fn: Callable[..., Awaitable[Any]], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Call:
        """Do what :meth:`run` does, but return the finished call, so that the caller adds one frame less."""
        if asyncio._get_running_loop() is not None:
            self._check_thread(fn)
        mailbox = own_mailbox()
        call = Call(self, fn, args, kwargs, mailbox)
        try:
            self.submit(call)
            mailbox.wait(call)
        except BaseException:
            self.give_up(call)
            raise
        finally:
            close_deliveries(args, kwargs)
        return call

    def iterate(self, fn: Callable[P, AsyncIterable[T]], /, *args: P.args, **kwargs: P.kwargs) -> PumpedIterator[T]:
        """Iterate over ``fn(*args, **kwargs)``, which begins with the first ``next``.

        One task enters, runs and leaves the async iterator. It works ahead of the consumer up to the next item it has
        to wait for (the next page). Leaving a loop early drops the iterator, which cancels the task; ``close`` also
        waits for its clean-up.
        """
        return PumpedIterator(self, fn, args, kwargs)

    def enter(self, fn: Callable[P, AbstractAsyncContextManager[T]], /, *args: P.args, **kwargs: P.kwargs) -> Scope[T]:
        """Make a context manager of ``async with fn(*args, **kwargs)``; one task enters and leaves it."""
        return Scope(self, fn, args, kwargs)

    def deliver(self, callback: F) -> F:
        """Wrap a user's callback so that it runs in the current thread whenever this waits in a call.

        It may be called from any thread and returns None at once; the events keep their order. An exception in the
        callback cancels the call that waits and is raised from it. When the call that got the wrapper as an argument
        has ended, further events are dropped.
        """
        delivery: Any = Delivery(callback, own_mailbox())
        wrapped: F = delivery
        return wrapped

    def submit(self, call: Call) -> None:
        """Hand a call to the loop thread.

        Raises:
            WrongLoop, HubClosed: See :meth:`run`. The call is finished then.
        """
        # Before the check: whoever closes the portal first refuses, then sweeps the open calls.
        self.open_calls.add(call)
        if self.refusal is None:
            try:
                self.loop.call_soon_threadsafe(call.start)
                return
            except RuntimeError:  # closed between the check and this line
                self.refusal = _CLOSED
        refused = (WrongLoop if self.refusal == _FORKED else HubClosed)(self.refusal)
        call.finish(refused)
        raise refused

    def give_up(self, call: Call) -> None:
        """Cancel a call because its caller was interrupted, and wait a while for its clean-up."""
        if not call.ready and self.post(call.cancel):
            call.mailbox.wait_quietly(call, _GRACE_S)

    def post(self, callback: Callable[[], object]) -> bool:
        """Run a function on the loop thread soon; return False if there is no loop any more."""
        if self.refusal == _FORKED:
            return False
        try:
            self.loop.call_soon_threadsafe(callback)
        except RuntimeError:
            return False
        return True

    def spawn(self, coroutine: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        """Make a task, on the loop thread; with its first step taken at once where Python can (3.12)."""
        if sys.version_info >= (3, 12):
            return asyncio.Task(coroutine, loop=self.loop, eager_start=True)
        return self.loop.create_task(coroutine)

    @property
    def forked(self) -> bool:
        """Whether it belongs to the parent of this process."""
        return self.refusal == _FORKED

    def check_thread(self, fn: Callable[..., object]) -> None:
        """Refuse to wait in a forked process and on the loop's own thread; warn on a thread that runs another loop."""
        if self.refusal == _FORKED:
            raise WrongLoop(_FORKED)
        if asyncio._get_running_loop() is not None:
            self._check_thread(fn)

    def close(self, timeout_s: float = _CLOSE_S) -> None:
        """Take no more calls, cancel what runs, leave open context managers, and end the thread.

        Calls under way raise :class:`~asyncclient.errors.HubClosed` in their threads. The next call of a facade makes
        a new portal, unless the process is ending.
        """
        if self.refusal == _FORKED:
            return
        if threading.get_ident() == self._thread.ident:
            raise WrongLoop("the loop thread cannot wait for its own end")
        self.refusal = self.refusal or _CLOSED
        if self.post(self.loop.stop):
            self._thread.join(timeout_s)
        for call in list(self.open_calls):  # only if the loop stands still
            if call.task is not None:
                _disown(call.task)

    def on_close(self, owner: object, aclose: Callable[[], Awaitable[None]]) -> None:
        """Have ``aclose`` awaited when this portal closes, if ``owner`` is still alive then."""
        self._closers[owner] = aclose

    def abandon(self) -> None:
        """Refuse all use from now on and touch nothing: this process is a fork and the loop the parent's."""
        self.refusal = _FORKED
        self._kept: list[object] = list(self._closers.values())  # strong from now on: see _Process.graveyard
        if self._selector is not None:
            self._kept += self._selector.get_map().values()
            # The parent's epoll instance is shared: a transport that somebody drops here would take its socket out of
            # it. Closing our descriptor and starting with an empty selector touches only this process.
            self._selector.close()
            type(self._selector).__init__(self._selector)

    def __repr__(self) -> str:
        state = self.refusal or f"{len(self.open_calls)} open calls"
        return f"<Portal {self.generation}: {state}>"

    def _main(self) -> None:
        _leave_signals_to_others()
        try:
            self.loop.run_forever()
        finally:
            self.refusal = self.refusal or _CLOSED
            try:
                self.loop.run_until_complete(self._drain())
            finally:
                self.loop.close()
                for call in list(self.open_calls):  # submitted too late to be started
                    call.finish(HubClosed(self.refusal))

    async def _drain(self) -> None:
        deadline_s = self.loop.time() + _DRAIN_S
        await self._end_tasks(deadline_s)
        for aclose in list(self._closers.values()):
            try:
                await aclose()
            except Exception as error:  # noqa: BLE001 - one that fails must not leave the others open
                self.loop.call_exception_handler({"message": "closing failed", "exception": error})
        await self._end_tasks(deadline_s)
        await self.loop.shutdown_asyncgens()

    async def _end_tasks(self, deadline_s: float) -> None:
        """Cancel all tasks, those too that begin meanwhile, and wait for them as long as there is time."""
        while tasks := asyncio.all_tasks() - {asyncio.current_task()}:
            for task in tasks:
                _disown(task)
                task.cancel()
            # One turn at least, for those that end at once.
            _, left = await asyncio.wait(tasks, timeout=max(0.0, deadline_s - self.loop.time()))
            if left:
                return

    def _check_thread(self, fn: Callable[..., object]) -> None:
        name = _async_name(fn)
        if threading.get_ident() == self._thread.ident:
            raise WrongLoop(
                f"a blocking call on the event loop's own thread would wait for itself; use {name} there, with 'await'"
            )
        if name in _process.warned or _in_notebook():
            return
        _process.warned.add(name)
        warnings.warn(
            f"this blocks the event loop that runs on this thread; use {name} instead, with 'await'",
            BlockingCallWarning,
            stacklevel=_user_stacklevel(),
        )


class _Process:
    """What there is once per process; replaced as a whole after ``fork``, locks included.

    Attributes:
        graveyard: In a forked child, what the parent had. It is never collected, not even when the child ends:
            finalizers of transports act on descriptors that are shared with the parent.
    """

    def __init__(self, generation: int = 0) -> None:
        self.generation = generation
        self.lock = threading.Lock()
        self.portal: Portal | None = None
        self.exiting = False
        self.warned: set[str] = set()
        self.graveyard: list[object] = []


_process = _Process()
_fork_hooks: list[Callable[[], object]] = []


def get_portal() -> Portal:
    """Return the portal of this process; start it if there is none.

    Raises:
        HubClosed: The process is ending.
    """
    portal = _process.portal
    if portal is not None and portal.refusal is None:
        return portal
    with _process.lock:
        portal = _process.portal
        if portal is None or portal.refusal is not None:
            if _process.exiting:
                raise HubClosed(_EXITING)
            _process.generation += portal is not None
            portal = _process.portal = Portal(_process.generation)
    return portal


def current_generation() -> int:
    """Return the generation of the portal of this process, or of the one it will start."""
    return _process.generation


def on_fork(hook: Callable[[], object]) -> Callable[[], object]:
    """Have ``hook`` called in every forked child, after the portal was dropped. Usable as a decorator.

    It must only replace references: no clean-up, no locks of the parent.
    """
    _fork_hooks.append(hook)
    return hook


def _after_fork_in_child() -> None:
    global _process
    old = _process
    _process = _Process(old.generation + 1)
    _process.graveyard = [*old.graveyard, old]
    if old.portal is not None:
        old.portal.abandon()
    forget_mailboxes()
    for hook in _fork_hooks:
        hook()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork_in_child)


@atexit.register
def _at_exit() -> None:
    _process.exiting = True
    if _process.portal is not None:
        _process.portal.refusal = _process.portal.refusal or _EXITING
        _process.portal.close(_CLOSE_S)
    if _process.graveyard:
        import ctypes  # only in forked children that end by themselves

        ctypes.pythonapi.Py_IncRef(ctypes.py_object(_process.graveyard))


def _new_event_loop() -> tuple[asyncio.AbstractEventLoop, selectors.BaseSelector | None]:
    with contextlib.suppress(ImportError):
        import uvloop  # optional, and only for who calls the synchronous clients

        return uvloop.new_event_loop(), None
    if sys.platform == "win32":
        return asyncio.new_event_loop(), None
    selector = selectors.DefaultSelector()
    return asyncio.SelectorEventLoop(selector), selector


def _leave_signals_to_others() -> None:
    # A signal that the kernel hands to this thread would not interrupt the wait of the main thread.
    if hasattr(signal, "pthread_sigmask"):
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})


def _disown(task: asyncio.Task[Any]) -> None:
    # Nobody can act on "Task was destroyed but it is pending": the caller has been told HubClosed, or has left.
    task._log_destroy_pending = False  # type: ignore[attr-defined]  # asyncio.gather does the same


def _async_name(fn: Callable[..., object]) -> str:
    owner = getattr(fn, "__self__", None)  # users know the class of their client, not the mixin that has the method
    if owner is not None and not isinstance(owner, type):
        return f"{type(owner).__name__}.{getattr(fn, '__name__', '?')}"
    return getattr(fn, "__qualname__", None) or type(fn).__qualname__


def _in_notebook() -> bool:
    # IPython runs a loop on the main thread and expects cells to block it.
    ipython = sys.modules.get("IPython")
    return ipython is not None and ipython.get_ipython() is not None


def _user_stacklevel() -> int:
    level, frame = 1, sys._getframe(1)
    package = __name__.partition(".")[0] + "."
    while frame.f_back is not None and frame.f_globals.get("__name__", "").startswith(package):
        level, frame = level + 1, frame.f_back
    return level
