"""Windows over a file: how much is read, digested or written in one hop."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable
from typing import Final, TypeVar

from asyncclient._transfers.hops import Hop

__all__ = ["INLINE_BYTES", "WINDOW_BYTES", "read_ahead", "window_lengths"]

T = TypeVar("T")

# Reading in 64 KiB steps costs ten times the CPU of 1 MiB steps; larger windows leave the second-level cache.
WINDOW_BYTES: Final = 1024 * 1024
# Below this an md5 takes less than a thread hop, and less than the millisecond a loop may stall.
INLINE_BYTES: Final = 128 * 1024


def window_lengths(length: int, window: int = WINDOW_BYTES) -> list[int]:
    """Cut a length into windows, the last one shorter."""
    whole, rest = divmod(length, window)
    return [window] * whole + ([rest] if rest else [])


async def read_ahead(steps: int, read: Callable[[int], T]) -> AsyncGenerator[T, None]:
    """Yield ``read(0) ... read(steps - 1)``, each run in a thread, one ahead of the consumer.

    While the consumer works on a window the next is read; ``read`` therefore needs two buffers, used in turn, and a
    window is valid until the next step. Closing or cancelling waits for the thread under way.
    """
    ahead: Hop[T] | None = Hop(read, 0) if steps else None
    try:
        for step in range(1, steps + 1):
            assert ahead is not None
            window = await ahead.wait()
            ahead = Hop(read, step) if step < steps else None
            yield window
    finally:
        if ahead is not None:
            await ahead.settle()
