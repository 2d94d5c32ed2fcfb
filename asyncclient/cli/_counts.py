"""Counts in words. Pure."""

from __future__ import annotations

__all__ = ["counted"]


def counted(number: int, noun: str) -> str:
    """Return a number with its noun: ``1 file``, ``0 files``, ``2 files``.

    Args:
        number: How many.
        noun: In the singular; its plural ends in ``s``.
    """
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
