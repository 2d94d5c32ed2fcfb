"""The arguments that uploads and downloads have in common, checked before anything is sent."""

from __future__ import annotations

import math
from typing import Any, Final, NamedTuple

import anyio

from asyncclient.errors import ArgumentError, ArgumentTypeError
from asyncclient.lfview._console import Console

__all__ = ["CHUNK_SIZE", "Options", "check_chunk_size"]

_ALIGNMENT_BYTES: Final = 256 * 1024
CHUNK_SIZE: Final = 80 * _ALIGNMENT_BYTES


class Options(NamedTuple):
    """How a graph of resources is moved.

    Attributes:
        console: Where progress is written, or nowhere.
        parallel: Whether several resources at a time.
        gate: Bounds how many.
    """

    console: Console
    parallel: bool
    gate: anyio.CapacityLimiter

    @classmethod
    def of(cls, verbose: bool, parallel: bool, workers: int | None, executor: Any) -> Options:
        """Check what the caller gave.

        Args:
            verbose: Whether to write progress.
            parallel: Whether several resources at a time.
            workers: At most how many, or None.
            executor: Not used: nothing here needs threads of its own. One that runs everything at once, in the
                calling thread, asks for one resource at a time.

        Raises:
            ArgumentError: ``workers`` is less than 1.
        """
        from asyncclient.lfview.utils import SynchronousExecutor  # needs the models

        if workers is not None and (isinstance(workers, bool) or not isinstance(workers, int)):
            raise ArgumentTypeError(f"workers must be a whole number, not {type(workers).__name__}", argument="workers")
        if workers is not None and workers < 1:
            raise ArgumentError(f"workers must be at least 1, not {workers}", argument="workers")
        several = parallel and not isinstance(executor, SynchronousExecutor)
        return cls(Console(verbose), several, anyio.CapacityLimiter(workers if workers is not None else math.inf))


def check_chunk_size(value: int) -> int:
    """Return the bytes per request.

    Raises:
        ArgumentError: It is no positive multiple of 256 KiB, which sessions demand.
    """
    if isinstance(value, bool) or not isinstance(value, int):
        raise ArgumentTypeError(f"chunk_size must be a whole number, not {type(value).__name__}", argument="chunk_size")
    if value < 1 or value % _ALIGNMENT_BYTES:
        raise ArgumentError(
            f"chunk_size must be a positive multiple of {_ALIGNMENT_BYTES} bytes, not {value}", argument="chunk_size"
        )
    return value
