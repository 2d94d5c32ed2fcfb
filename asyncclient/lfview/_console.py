"""The lines that ``verbose=True`` writes to standard output."""

from __future__ import annotations

import sys
from typing import Final

__all__ = ["Console"]

_WIDTH: Final = 70


class Console:
    """Writes progress, each line over the one before.

    Args:
        verbose: Whether to write at all.
    """

    def __init__(self, verbose: bool) -> None:
        self._verbose = verbose
        self._total = 0
        self._done = 0
        self._verb = ""

    def begin(self, verb: str, total: int = 0) -> None:
        """Begin to count.

        Args:
            verb: What is done to the resources.
            total: How many are known from the start.
        """
        self._verb, self._total, self._done = verb, total, 0

    def found(self) -> None:
        """Count one more that is to be done."""
        self._total += 1

    def step(self) -> None:
        """Count one that is done."""
        self._done += 1
        self._write(f"{self._verb}: {self._done} of {self._total}")

    def end(self, text: str) -> None:
        """Write the last line."""
        self._write(text, "\n")

    def _write(self, text: str, end: str = "") -> None:
        if self._verbose and sys.stdout is not None:
            sys.stdout.write(f"\r{text.ljust(_WIDTH)}{end}")
            sys.stdout.flush()
