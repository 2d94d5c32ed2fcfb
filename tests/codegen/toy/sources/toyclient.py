"""A client with one member of every kind a facade has to stand for."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Coroutine, Mapping
from typing import TYPE_CHECKING, Any, ClassVar, Final, Generic, Self, TypeVar, overload

from asyncclient.toybase import DEFAULT, ToyBase
from asyncclient.types import UNSET, Unset

if TYPE_CHECKING:
    import datetime as dt

    from asyncclient.toybase import AsyncToyHub, RawToys

T = TypeVar("T")


class Mixin(ToyBase):
    """Half of the client."""

    async def get_toy(self, toy_id: str, /, when: dt.datetime | None = None) -> Mapping[str, Any]:
        r"""Fetch a toy.

        ::

            async with AsyncToys() as toys:
                toy = await toys.get_toy("1")
            async for toy in AsyncToys().walk():
                print(r"\n", toy)
        """
        return {}

    async def overridden(self) -> int:
        """Return the wrong number."""
        return 1


class AsyncToys(Mixin, Generic[T]):
    """All toys, awaited; ``httpx.AsyncClient`` keeps its name. Close with :meth:`aclose`."""

    shelf: ClassVar[str] = "top"
    limit: Final = 3

    def __init__(self, name: str, *, hub: AsyncToyHub | None = None, retry: str | Unset = UNSET) -> None:
        super().__init__(hub)
        self.name = name
        self._secret = retry
        self.size: int = 0

    async def overridden(self) -> str:
        """Return the right text."""
        return "2"

    async def forget(self, *toys: str, really: bool = False, **why: Any) -> None:
        """Forget toys."""

    async def walk(self, depth: int = DEFAULT) -> AsyncIterator[T]:
        """Yield toys."""
        for toy in ():
            yield toy

    def later(self) -> Coroutine[Any, Any, list[T]]:
        """Return toys, later."""
        return self._later()

    def stream(self) -> AsyncGenerator[bytes, None]:
        """Return pieces."""
        return self._stream()

    @contextlib.asynccontextmanager
    async def borrowed(self, toy_id: str) -> AsyncIterator[T]:
        """Hold a toy while the block runs."""
        yield self.toy

    async def watch(self, on_news: Callable[[str], None] | None = None) -> int:
        """Count news."""
        return 0

    def each(self, fn: Callable[[T], Awaitable[str]]) -> AsyncIterator[str]:
        """Call a coroutine function for each toy."""
        return self._each(fn)

    @overload
    async def find(self, name: str) -> T: ...
    @overload
    async def find(self, name: None = None) -> None: ...
    async def find(self, name: str | None = None) -> T | None:
        """Find one."""
        return None

    def with_options(self, *, timeout: float | None = None) -> Self:
        """Return a copy."""
        return self

    @property
    def hub(self) -> AsyncToyHub:
        """The hub in use."""
        return self._hub

    @property
    def raw(self) -> RawToys:
        """The same methods, unread."""
        return RawToys(self)

    @staticmethod
    def is_toy(value: object) -> bool:
        """Tell whether it is a toy."""
        return bool(value)

    def count(self) -> int:
        """Count toys."""
        return 0

    def unfit(self) -> Mapping[str, Any]:
        """Do what only async code can use."""
        return {}

    async def aclose(self) -> None:
        """Close."""

    async def _private(self) -> None: ...
