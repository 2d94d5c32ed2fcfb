"""Downloads that are so small that they are held until they are known to be whole."""

from __future__ import annotations

from typing import Any

__all__ = ["HeldSink"]


class HeldSink:
    """Holds the pieces of a small file.

    Attributes:
        pieces: In order.
    """

    positional = False

    def __init__(self) -> None:
        self.pieces: list[bytes] = []

    async def open(self, size: int | None) -> int:
        """Do nothing."""
        return 0

    async def write(self, offset: int, pieces: Any, digest: Any = None) -> None:
        """Keep pieces."""
        self.pieces.extend(pieces)

    def barrier(self) -> None:
        """Return None: memory is not durable."""

    async def restart(self) -> None:
        """Forget everything."""
        self.pieces.clear()

    async def md5(self) -> str:
        """Refuse: whoever holds the pieces digests them."""
        raise NotImplementedError

    async def commit(self) -> None:
        """Do nothing."""

    async def aclose(self) -> None:
        """Do nothing."""
