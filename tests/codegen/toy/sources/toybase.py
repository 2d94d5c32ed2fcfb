"""What the toy client is made from."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

DEFAULT = 3


class AsyncToyHub:
    """A hub."""

    def __init__(self) -> None: ...

    def statistics(self) -> dict[str, int]:
        """Count."""
        return {}


class RawToys:
    """The same methods, unread."""

    def __init__(self, toys: ToyBase) -> None: ...

    def __getattr__(self, name: str) -> Callable[..., Awaitable[bytes]]:
        raise AttributeError(name)


class ToyBase:
    """The base of clients."""

    def __init__(self, hub: AsyncToyHub | None) -> None: ...

    @property
    def endpoint(self) -> str:
        """Where it is."""
        return ""

    async def __aenter__(self) -> Any: ...
