"""Async iterators and async context managers for blocking code: each lives in one task of the loop thread."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterable, Awaitable, Callable, Generator, Iterator
from contextlib import AbstractAsyncContextManager
from types import TracebackType
from typing import TYPE_CHECKING, Any, Final, Generic, Self, TypeVar

from asyncclient._sync.calls import Call, close_deliveries, own_mailbox

if TYPE_CHECKING:
    from asyncclient._sync.portal import Portal

__all__ = ["PumpedIterator", "Scope"]

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)

# Items that come without waiting, most often the rest of a page, are handed over in lots of this size: a hop between
# threads costs more than such an item. Pieces of a file can be large and go one by one.
_LOT: Final = 64
_LARGE: Final = (bytes, bytearray, memoryview)


class _Step(Generator[Any, Any, Any]):
    """Awaits one item and notes whether that took waiting."""

    __slots__ = ("_steps", "waited")

    def __init__(self, item: Awaitable[Any]) -> None:
        self._steps: Any = item.__await__()
        self.waited = False

    def __await__(self) -> Generator[Any, Any, Any]:
        return self

    def __next__(self) -> Any:
        return self.send(None)

    def send(self, value: Any) -> Any:
        signal = self._steps.send(value)  # StopIteration carries the item
        self.waited = True
        return signal

    def throw(self, *error: Any) -> Any:
        return self._steps.throw(*error)


class _Pump(Generic[T]):
    """The task's side of an iterator. It does not know the handle, so that dropping the handle can end it."""

    __slots__ = ("_args", "_fn", "_kwargs", "_paused", "call", "items")

    def __init__(
        self, portal: Portal, fn: Callable[..., AsyncIterable[T]], args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> None:
        self._fn, self._args, self._kwargs = fn, args, kwargs
        self.items: deque[T] = deque()
        self._paused: asyncio.Future[None] | None = None
        self.call = Call(portal, self._body, (), {}, own_mailbox())

    @property
    def ready(self) -> bool:
        return bool(self.items) or self.call.ready

    @property
    def paused(self) -> bool:
        return self._paused is not None

    async def _body(self) -> None:
        iterator = aiter(self._fn(*self._args, **self._kwargs))
        try:
            while True:
                step = _Step(anext(iterator))
                try:
                    item = await step
                except StopAsyncIteration:
                    return
                self.items.append(item)
                self.call.mailbox.wake()
                if step.waited or len(self.items) >= _LOT or isinstance(item, _LARGE):
                    await self._taken()
        finally:
            aclose = getattr(iterator, "aclose", None)
            if aclose is not None:
                await aclose()

    async def _taken(self) -> None:
        self._paused = asyncio.get_running_loop().create_future()
        # The consumer looks at `paused` after it took an item: one of the two sees the other.
        if self.items:
            await self._paused
        self._paused = None

    def resume(self) -> None:
        """Go on, on the loop thread; the consumer has taken everything."""
        if self._paused is not None and not self._paused.done():
            self._paused.set_result(None)


class PumpedIterator(Iterator[T_co]):
    """Items of an async iterator, for a thread that blocks. For one thread at a time."""

    def __init__(
        self, portal: Portal, fn: Callable[..., AsyncIterable[T_co]], args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> None:
        self._portal = portal
        self._fn = fn
        self._arguments = args, kwargs
        self._pump: _Pump[T_co] | None = None
        self._ended = False

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> T_co:
        if self._ended:
            raise StopIteration
        try:
            pump = self._advance()
        except BaseException:
            self._end()
            raise
        if pump.items:
            item = pump.items.popleft()
            if not pump.items and pump.paused:
                self._portal.post(pump.resume)
            return item
        self._end()
        if pump.call.error is not None:
            raise pump.call.take_error()
        raise StopIteration

    def _advance(self) -> _Pump[T_co]:
        """Wait until there is an item or the end; a wait that is interrupted ends the task."""
        pump = self._pump
        if pump is not None and pump.items:
            return pump
        self._portal.check_thread(self._fn)
        mailbox = own_mailbox()
        if pump is None:
            pump = self._pump = _Pump(self._portal, self._fn, *self._arguments)
            self._portal.submit(pump.call)
        pump.call.mailbox = mailbox
        try:
            mailbox.wait(pump)
        except BaseException:
            self._portal.give_up(pump.call)
            raise
        return pump

    def close(self) -> None:
        """Cancel the task, wait for its clean-up (at most 5 s), and end the iteration. May be repeated.

        Raises:
            Exception: What the clean-up of the async iterator raised.
        """
        pump, was_ended = self._pump, self._ended
        self._end()
        if pump is None or was_ended or self._portal.forked:
            return
        self._portal.check_thread(self._fn)
        pump.call.mailbox = own_mailbox()
        self._portal.give_up(pump.call)
        if pump.call.error is not None and not isinstance(pump.call.error, asyncio.CancelledError):
            raise pump.call.take_error()

    def _end(self) -> None:
        self._ended = True
        close_deliveries(*self._arguments)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.close()

    def __del__(self) -> None:
        pump = self._pump
        if pump is not None and not pump.call.ready:
            self._portal.post(pump.call.cancel)


class Scope(Generic[T]):
    """An async context manager, entered and left by one task, for a thread that blocks."""

    def __init__(
        self,
        portal: Portal,
        fn: Callable[..., AbstractAsyncContextManager[T]],
        args: tuple[Any, ...],
        kwargs: dict[str, Any],
    ) -> None:
        self._portal = portal
        self._fn = fn
        self._arguments = args, kwargs
        self._entered: tuple[T] | None = None
        self._leave: asyncio.Future[BaseException | None] | None = None
        self._suppressed = False
        self._call: Call | None = None

    @property
    def ready(self) -> bool:
        """Whether it is entered, or has ended."""
        return self._entered is not None or (self._call is not None and self._call.ready)

    def __enter__(self) -> T:
        self._portal.check_thread(self._fn)
        if self._call is not None:
            raise RuntimeError("a context manager can be entered once")
        mailbox = own_mailbox()
        call = self._call = Call(self._portal, self._body, (), {}, mailbox)
        try:
            self._portal.submit(call)
            mailbox.wait(self)
        except BaseException:
            self._portal.give_up(call)
            close_deliveries(*self._arguments)
            raise
        if self._entered is not None:
            return self._entered[0]
        close_deliveries(*self._arguments)
        raise call.take_error()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> bool:
        call = self._call
        assert call is not None, "left without being entered"
        if self._portal.forked:
            return False  # it is the parent's to leave
        self._portal.check_thread(self._fn)
        call.mailbox = own_mailbox()
        try:
            self._portal.post(lambda: self._let_go(error))
            call.mailbox.wait(call)
        except BaseException:
            self._portal.give_up(call)
            raise
        finally:
            close_deliveries(*self._arguments)
        if call.error is not None and call.error is not error:
            raise call.take_error()
        return self._suppressed

    def _let_go(self, error: BaseException | None) -> None:
        if self._leave is not None and not self._leave.done():
            self._leave.set_result(error)

    async def _body(self) -> None:
        args, kwargs = self._arguments
        manager = self._fn(*args, **kwargs)
        self._leave = asyncio.get_running_loop().create_future()
        value = await type(manager).__aenter__(manager)
        self._entered = (value,)
        assert self._call is not None
        self._call.mailbox.wake()
        cancelled: asyncio.CancelledError | None = None
        try:
            error = await self._leave
        except asyncio.CancelledError as reason:
            error = cancelled = reason
        await self._exit(manager, error)
        if cancelled is not None and not self._portal.refusal:  # a portal that closes leaves its scopes in silence
            raise cancelled

    async def _exit(self, manager: AbstractAsyncContextManager[T], error: BaseException | None) -> None:
        # Not `async with`: a KeyboardInterrupt of the caller is only shown to the manager, never raised in this task,
        # where it would end the loop.
        traceback = error.__traceback__ if error is not None else None
        kind = type(error) if error is not None else None
        try:
            self._suppressed = bool(await type(manager).__aexit__(manager, kind, error, traceback))
        except BaseException as raised:
            if raised is not error:
                raise
