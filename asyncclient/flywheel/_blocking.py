"""What the blocking client has that cannot be generated."""

from __future__ import annotations

import contextlib
import os
from collections.abc import AsyncGenerator, AsyncIterable, Awaitable, Callable, Iterable
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar

from asyncclient._sync.base import SyncFacade, pulled
from asyncclient._sync.calls import Delivery
from asyncclient.flywheel._trust import certificates
from asyncclient.flywheel.finders import Finders
from asyncclient.flywheel.objects._binding import bind

if TYPE_CHECKING:
    from asyncclient._sync.streams import PumpedIterator

__all__ = ["BlockingBase"]

A = TypeVar("A")
T = TypeVar("T")
P = ParamSpec("P")


class BlockingBase(Finders, SyncFacade[A]):
    """The base of the blocking client and its groups: objects that come from it block too."""

    def _run(self, fn: Callable[P, Awaitable[T]], /, *args: P.args, **kwargs: P.kwargs) -> T:
        report: Any = kwargs.get("on_progress")  # among the keywords of operations, which the facade does not know
        if report is not None and not isinstance(report, Delivery):
            kwargs["on_progress"] = self._deliver(report)
        value = super()._run(fn, *args, **kwargs)
        bind(value, self._owner())
        return value

    def _iterate(self, fn: Callable[P, AsyncIterable[T]], /, *args: P.args, **kwargs: P.kwargs) -> PumpedIterator[T]:
        return super()._iterate(_rebound, self._owner(), fn, *args, **kwargs)

    @staticmethod
    def _pulled(items: Iterable[T]) -> Iterable[T] | AsyncIterable[T]:
        given: Any = items
        if isinstance(given, (str, bytes, os.PathLike)) or not isinstance(given, Iterable):
            return items  # one file in place of several is for the method to refuse
        return pulled(items)

    def _owner(self) -> Any:
        """Return the client, of which this may be a group."""
        parent = self._recipe.parent
        return parent if parent is not None and self._recipe.args is None else self

    def _build(self, maker: Callable[..., A], /, *args: Any, **kwargs: Any) -> A:
        if kwargs.get("hub", self) is None and certificates():
            del kwargs["hub"]  # not the hub of all, which trusts what the system trusts
        return super()._build(maker, *args, **kwargs)


async def _rebound(owner: Any, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> AsyncGenerator[Any]:
    """Yield what an async iterator of the async client yields, bound to the blocking one."""
    async with contextlib.aclosing(fn(*args, **kwargs)) as items:
        async for item in items:
            yield bind(item, owner)
