"""Chunks of which only a part is to be kept, or that are answered with an error. Pure bookkeeping, safe across threads."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from fnmatch import fnmatchcase

__all__ = ["Keep", "Keeps"]


@dataclass(frozen=True, slots=True)
class Keep:
    """What is to happen to one chunk.

    Attributes:
        kept_bytes: Keep at most so many of its bytes; None: all.
        status: Answer with this instead of 308 or 200.
    """

    kept_bytes: int | None = None
    status: int | None = None


@dataclass(slots=True)
class _Rule:
    keep: Keep
    after: int
    left: int | None  # None: until cleared
    path: str | None


@dataclass(slots=True)
class Keeps:
    """What a test asked for, in the order it was asked for."""

    _rules: list[_Rule] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def add(self, keep: Keep, *, times: int | None = 1, path: str | None = None, after: int = 0) -> None:
        """Ask for one more; ``times`` None means for every chunk until :meth:`clear`."""
        if (keep.kept_bytes or 0) < 0 or after < 0 or (times is not None and times < 1):
            raise ValueError("kept_bytes and after must be 0 or more, times 1 or more or None")
        with self._lock:
            self._rules.append(_Rule(keep, after, times, path))

    def take(self, path: str) -> Keep:
        """Return what happens to this chunk, and use that up. Of the rules that fit the first one counts."""
        with self._lock:
            for rule in self._rules:
                if rule.path is not None and not fnmatchcase(path, rule.path):
                    continue
                if rule.after:
                    rule.after -= 1
                    continue
                if rule.left is not None:
                    rule.left -= 1
                self._rules = [other for other in self._rules if other.left != 0]
                return rule.keep
        return Keep()

    def clear(self) -> None:
        """Forget all."""
        with self._lock:
            self._rules.clear()
