"""The base of the synchronous facades, whose methods are generated from the async classes.

A facade holds an async object, how that was made, and nothing else::

    class Client(SyncFacade[AsyncClient]):
        def __init__(self, credentials: Credentials | None = None, *, hub: Hub | None = None) -> None:
            self._async = self._build(AsyncClient, credentials, hub=hub)

        def get_document(self, document_id: str) -> dict[str, Any]:
            return self._run(self._async.get_document, document_id)

Async objects are made at once, in the caller's thread, so that bad arguments are refused where they are given; their
constructors do no I/O and need no loop. The loop thread starts with the first call. Because it knows how its object was
made, a facade makes it anew in a forked process, where the old one is tied to the parent's loop, and travels in a pickle
as its configuration only. Facades among the arguments are replaced by their async objects, and ``hub=None`` by the
process-wide hub.
"""

from __future__ import annotations

import contextlib
import inspect
import math
import threading
from collections.abc import AsyncGenerator, AsyncIterable, Awaitable, Callable, Iterable
from contextlib import AbstractAsyncContextManager
from types import TracebackType
from typing import TYPE_CHECKING, Any, Final, Generic, NamedTuple, ParamSpec, Self, TypeVar, cast

from asyncclient._sync import default
from asyncclient._sync.calls import Delivery, own_mailbox
from asyncclient._sync.portal import Portal, current_generation, get_portal, on_fork
from asyncclient._sync.streams import PumpedIterator, Scope
from asyncclient.errors import HubClosed

if TYPE_CHECKING:
    import anyio

__all__ = ["SyncFacade"]

A = TypeVar("A")
T = TypeVar("T")
P = ParamSpec("P")
F = TypeVar("F", bound=Callable[..., object] | None)

_END: Final[Any] = object()


class _Recipe(NamedTuple):
    """How an async object was made.

    Attributes:
        parent: The facade whose object has it; None when ``maker`` is a class or function.
        maker: What to call; with a parent, the name of its method or attribute.
        args: Positional arguments; None when the attribute itself is the object.
        kwargs: Keyword arguments.
    """

    parent: SyncFacade[Any] | None
    maker: Callable[..., Any] | str
    args: tuple[Any, ...] | None
    kwargs: dict[str, Any]

    def make(self) -> Any:
        maker: Any = self.maker
        if self.parent is not None:
            maker = getattr(self.parent._current(), maker)
        if self.args is None:
            return maker
        kwargs = {name: _unwrapped(value) for name, value in self.kwargs.items()}
        if kwargs.get("hub", self) is None:
            kwargs["hub"] = default.default_hub()
        return maker(*[_unwrapped(value) for value in self.args], **kwargs)

    def facades(self) -> list[SyncFacade[Any]]:
        """The facades it is made from."""
        values = (self.parent, *(self.args or ()), *self.kwargs.values())
        return [value for value in values if isinstance(value, SyncFacade)]


def _unwrapped(value: Any) -> Any:
    return value._current() if isinstance(value, SyncFacade) else value


_making = threading.RLock()


@on_fork
def _forget_lock() -> None:
    global _making
    _making = threading.RLock()


class SyncFacade(Generic[A]):
    """A synchronous face of an async object."""

    _recipe: _Recipe
    _object: A
    _generation: int
    _portal: Portal | None = None
    _scope: Scope[Any] | None = None

    # --- for generated code ------------------------------------------------------------------------------------------

    def _build(self, maker: Callable[..., A], /, *args: Any, **kwargs: Any) -> A:
        """Make the async object of this facade; the result is assigned to ``_async``."""
        self._recipe = _Recipe(None, maker, args, kwargs)
        return cast("A", self._recipe.make())

    def _derive(self, name: str, /, *args: Any, **kwargs: Any) -> Self:
        """Return a facade of the same class for what the async method ``name`` returns without waiting."""
        return self._adopt(type(self), _Recipe(self, name, args, kwargs))

    def _part(self, facade: type[S], name: str) -> S:
        """Return a facade of another class for the attribute ``name`` of the async object."""
        return self._adopt(facade, _Recipe(self, name, None, {}))

    def _run(self, fn: Callable[P, Awaitable[T]], /, *args: P.args, **kwargs: P.kwargs) -> T:
        """Run a coroutine function; see :meth:`Portal.run`."""
        call = (self._portal or get_portal()).call(fn, args, kwargs)
        if call.error is not None:
            raise call.take_error()
        result: T = call.value
        return result

    def _complete(self, fn: Callable[[], Awaitable[object]]) -> None:
        """Run what ends a constructor; if it fails, close what it has opened, for nobody gets the object to do it."""
        try:
            self._run(fn)
        except BaseException:
            self.close()
            raise

    def _iterate(self, fn: Callable[P, AsyncIterable[T]], /, *args: P.args, **kwargs: P.kwargs) -> PumpedIterator[T]:
        """Iterate over an async iterator; see :meth:`Portal.iterate`."""
        return (self._portal or get_portal()).iterate(fn, *args, **kwargs)

    def _enter(self, fn: Callable[P, AbstractAsyncContextManager[T]], /, *args: P.args, **kwargs: P.kwargs) -> Scope[T]:
        """Make a context manager of an async one; see :meth:`Portal.enter`."""
        return (self._portal or get_portal()).enter(fn, *args, **kwargs)

    @staticmethod
    def _deliver(callback: F) -> F:
        """Wrap a user's callback so that it runs in this thread; None stays None. See :meth:`Portal.deliver`."""
        if callback is None:
            return callback
        delivery: Any = Delivery(callback, own_mailbox())
        return cast("F", delivery)

    @staticmethod
    def _awaitable(fn: Callable[..., Any]) -> Callable[..., Awaitable[Any]]:
        """Return the coroutine function that a user's function stands for; see :func:`awaitable`."""
        return awaitable(fn)

    @staticmethod
    def _pulled(items: Iterable[T]) -> Iterable[T] | AsyncIterable[T]:
        """Return items that are taken in a worker thread; see :func:`pulled`."""
        return pulled(items)

    # --- for users ---------------------------------------------------------------------------------------------------

    def close(self) -> None:
        """Close what this object opened itself; a hub it was given stays open. May be repeated."""
        scope, self._scope = self._scope, None
        if scope is not None:
            scope.__exit__(None, None, None)
            return
        with contextlib.suppress(HubClosed):  # at the end of the process everything has been closed already
            target: Any = self._async
            if _closable(target):
                self._run(target.aclose)

    def __enter__(self) -> Self:
        target = self._async
        if hasattr(type(target), "__aenter__"):
            scope = self._enter(_as_manager(target))
            scope.__enter__()
            self._scope = scope
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        scope, self._scope = self._scope, None
        if scope is not None:
            scope.__exit__(kind, error, traceback)
        else:
            self.close()

    def __repr__(self) -> str:
        return f"<{type(self).__name__}: {self._object!r}>"

    def __reduce__(self) -> tuple[Any, ...]:
        return _restored, (type(self), self._recipe)

    # --- life --------------------------------------------------------------------------------------------------------

    @property
    def _async(self) -> A:
        """The async object, usable on the loop thread of this process."""
        portal = self._portal
        if portal is None or portal.refusal is not None:
            self._bind(get_portal())
        return self._object

    @_async.setter
    def _async(self, value: A) -> None:
        self._object = value
        self._generation = current_generation()

    def _current(self) -> A:
        """The async object of this process, which may not have been used yet."""
        if self._generation != current_generation():
            with _making:
                if self._generation != current_generation():
                    self._async = self._recipe.make()
        return self._object

    def _bind(self, portal: Portal) -> None:
        for facade in self._recipe.facades():
            facade._bind(portal)
        target = self._current()
        default.bind(portal)
        if _closable(target):
            portal.on_close(self, cast("Any", target).aclose)
        self._scope = None
        self._portal = portal

    @staticmethod
    def _adopt(facade: type[S], recipe: _Recipe) -> S:
        made = facade.__new__(facade)
        made._recipe = recipe
        made._async = recipe.make()
        return made


S = TypeVar("S", bound=SyncFacade[Any])


def _restored(facade: type[S], recipe: _Recipe) -> S:
    return SyncFacade._adopt(facade, recipe)


def _closable(target: object) -> bool:
    # Of the class: an object that makes up its attributes as they are asked for has every name.
    return hasattr(type(target), "aclose")


def awaitable(fn: Callable[..., Any]) -> Callable[..., Awaitable[Any]]:
    """Return a coroutine function that does what ``fn`` does.

    The bound method of a facade becomes that of its async object, which needs no thread; any other function runs in a
    worker thread, where it may block and use facades.
    """
    if inspect.iscoroutinefunction(fn):
        return fn
    owner = getattr(fn, "__self__", None)
    if isinstance(owner, SyncFacade):
        method: Any = getattr(owner._async, fn.__name__, None)
        if inspect.iscoroutinefunction(method):
            return cast("Callable[..., Awaitable[Any]]", method)
    limiter = _Unlimited()

    async def in_thread(*args: Any) -> Any:
        import anyio.to_thread  # loaded with the first thread, not with the package

        return await anyio.to_thread.run_sync(fn, *args, limiter=limiter.get())

    return in_thread


def pulled(items: Iterable[T]) -> Iterable[T] | AsyncIterable[T]:
    """Return items to be taken one by one, in a worker thread unless they are all there.

    A generator may block, and it may use facades, which the loop thread must not.
    """
    kind: type = type(items)
    return items if issubclass(kind, (list, tuple, range, set, frozenset, dict)) else _pull(items)


async def _pull(items: Iterable[T]) -> AsyncGenerator[T]:
    import anyio.to_thread

    iterator, limiter = iter(items), _Unlimited()
    while (item := await anyio.to_thread.run_sync(next, iterator, _END, limiter=limiter.get())) is not _END:
        yield cast("T", item)


class _Unlimited:
    """A limiter for threads that something else bounds already; made on the loop that uses it."""

    def __init__(self) -> None:
        self._limiter: anyio.CapacityLimiter | None = None

    def get(self) -> anyio.CapacityLimiter:
        if self._limiter is None:
            import anyio

            self._limiter = anyio.CapacityLimiter(math.inf)
        return self._limiter


def _as_manager(target: Any) -> Callable[[], AbstractAsyncContextManager[Any]]:
    def itself() -> AbstractAsyncContextManager[Any]:
        return cast("AbstractAsyncContextManager[Any]", target)

    itself.__qualname__ = type(target).__qualname__
    return itself
