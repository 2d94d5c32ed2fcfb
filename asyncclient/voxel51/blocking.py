"""What the blocking sessions have that cannot be generated: a class method, and a map over threads."""

from __future__ import annotations

import contextvars
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Self, TypeVar

from asyncclient._sync.base import SyncFacade
from asyncclient.errors import ArgumentError
from asyncclient.voxel51 import tokens
from asyncclient.voxel51.client import AsyncAPI

__all__ = ["BlockingApplicationSession", "BlockingSession"]

A = TypeVar("A", bound=AsyncAPI)
T = TypeVar("T")
R = TypeVar("R")


class BlockingSession(SyncFacade[A]):
    """The base of the blocking sessions."""

    _level = tokens.USER

    @classmethod
    def from_json(cls, token_path: tokens.StrPath, **kwargs: Any) -> Self:
        """Make a session of a token file; ``kwargs`` are those of the class.

        Raises:
            TokenError: The file is missing, or not a token.
        """
        return cls(token=tokens.load(cls._level, token_path), **kwargs)  # type: ignore[call-arg]  # generated

    @staticmethod
    def thread_map(callback: Callable[[T], R], iterable: Iterable[T], max_workers: int | None = None) -> list[R]:
        """Call a function for every item in threads; each call sees the active user of the caller.

        Args:
            callback: Any function; it may use the session.
            iterable: The items, which are all taken at the start.
            max_workers: Threads. Default: four more than there are processors, at most 32.

        Returns:
            The results, in the order of the items. The error of the first item that fails is raised when the calls
            under way have ended; the others are not begun.
        """
        items = list(iterable)
        if max_workers is not None and max_workers < 1:
            raise ArgumentError(f"max_workers must be at least 1, not {max_workers}", argument="max_workers")
        with ThreadPoolExecutor(max_workers) as pool:
            calls = [pool.submit(contextvars.copy_context().run, callback, item) for item in items]
            try:
                return [call.result() for call in calls]
            except BaseException:
                pool.shutdown(wait=False, cancel_futures=True)
                raise


class BlockingApplicationSession(BlockingSession[A]):
    """The base of the blocking sessions of applications."""

    _level = tokens.APPLICATION
