"""Memory that content is received into, written from and digested from, without a copy in between.

A block has one owner at a time: the writer that fills it, the thread that writes it, the digest that waits for it. Whoever
owned it last gives it back. Memory that was just used is still in the cache and costs no page faults, so a few blocks are
kept, the one that was given back last on top.
"""

from __future__ import annotations

from typing import Final

from asyncclient._transfers.windows import WINDOW_BYTES

__all__ = ["give_block", "take_block"]

_KEPT: Final = 8
_free: list[memoryview] = []


def take_block() -> memoryview:
    """Return memory of ``WINDOW_BYTES``; it holds whatever it held."""
    try:
        return _free.pop()
    except IndexError:
        return memoryview(bytearray(WINDOW_BYTES))


def give_block(block: memoryview) -> None:
    """Give a block back that nobody reads or writes any more."""
    if len(_free) < _KEPT:
        _free.append(block)
