"""Faults a test asks for: answers with an error, late answers, answers cut off. Pure bookkeeping, safe across threads."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Any

__all__ = ["Failure", "FaultPlan", "Faults"]


@dataclass(frozen=True, slots=True)
class Failure:
    """An answer to give in place of the regular one."""

    status: int
    headers: Mapping[str, str]
    body: Any  # bytes and text as they are, None for the service's own words, anything else as JSON
    applied: bool  # act first, then answer with the failure


@dataclass(frozen=True, slots=True)
class FaultPlan:
    """What happens to one request."""

    delay_s: float = 0.0
    failure: Failure | None = None
    cut_after_bytes: int | None = None


@dataclass(slots=True)
class _Rule:
    method: str | None
    path: str | None
    left: int | None  # None: until cleared
    delay_s: float = 0.0
    failure: Failure | None = None
    cut_after_bytes: int | None = None

    def fits(self, method: str, paths: tuple[str, ...]) -> bool:
        if self.left == 0 or (self.method is not None and self.method != method):
            return False
        return self.path is None or any(fnmatchcase(path, self.path) for path in paths)


@dataclass(slots=True)
class Faults:
    """The faults still to come, in the order they were asked for."""

    _rules: list[_Rule] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def add(
        self,
        *,
        method: str | None,
        path: str | None,
        times: int | None,
        delay_s: float = 0.0,
        failure: Failure | None = None,
        cut_after_bytes: int | None = None,
    ) -> None:
        """Ask for one more fault; ``times`` None means for every request until :meth:`clear`."""
        if times is not None and times < 1:
            raise ValueError(f"times must be 1 or more, or None for every request; got {times}")
        method = None if method is None else method.upper()
        with self._lock:
            self._rules.append(_Rule(method, path, times, delay_s, failure, cut_after_bytes))

    def take(self, method: str, *paths: str) -> FaultPlan:
        """Return what happens to this request, and use it up.

        Delays add up. Of the failures, and of the cuts, the first that fits is taken.
        """
        delay_s, failure, cut = 0.0, None, None
        with self._lock:
            for rule in self._rules:
                if not rule.fits(method, paths):
                    continue
                if (rule.failure is not None and failure is not None) or (
                    rule.cut_after_bytes is not None and cut is not None
                ):
                    continue
                delay_s += rule.delay_s
                failure = failure or rule.failure
                cut = rule.cut_after_bytes if cut is None else cut
                if rule.left is not None:
                    rule.left -= 1
            self._rules = [rule for rule in self._rules if rule.left != 0]
        return FaultPlan(delay_s, failure, cut)

    def clear(self) -> None:
        """Forget all faults."""
        with self._lock:
            self._rules.clear()

    def __len__(self) -> int:
        return len(self._rules)
