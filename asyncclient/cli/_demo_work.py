"""What all services of the demo do alike: a small call, and bulk work of which every step may fail by itself."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from contextlib import AsyncExitStack
from typing import Any, Final, Protocol, TypeVar

from asyncclient import AsyncHub
from asyncclient.cli._demo_record import Part
from asyncclient.cli._errors import words_of
from asyncclient.errors import AsyncClientError

__all__ = ["EXPECTED", "SmallCall", "Work", "each"]

T = TypeVar("T")
R = TypeVar("R")

EXPECTED: Final = (AsyncClientError, OSError, ValueError)
"""What may go wrong at a service, and is noted; everything else is a defect."""

SmallCall = Callable[[], Awaitable[Any]]

_CONCURRENCY: Final = 16


class Work(Protocol):
    """What is done at one service."""

    @property
    def part(self) -> Part:
        """Where it is noted."""
        ...

    async def open(self, stack: AsyncExitStack) -> SmallCall:
        """Make the client, and what small calls ask for; returns a small call. The stack closes the client."""
        ...

    async def run(self) -> None:
        """Do the bulk work."""
        ...


async def each(
    hub: AsyncHub, part: Part, name: str, step: Callable[[T], Awaitable[R]], items: Iterable[T]
) -> list[tuple[T, R]]:
    """Take a step with every item, several at a time; returns those it went well with, and what came of them.

    Args:
        hub: How many at a time is its matter.
        part: Gets the problems; a failure keeps no other item from its turn.
        name: Of the step.
        step: A coroutine function; what it raises of :data:`EXPECTED` is a problem of that item.
        items: Their text names them in problems.
    """

    async def take(item: T) -> tuple[T, R] | None:
        try:
            return item, await step(item)
        except EXPECTED as error:
            part.problems.append(f"{item}: {words_of(error)}")
            return None

    done = []
    with part.step(name) as noted:
        async for found in hub.map(take, items, concurrency=_CONCURRENCY, ordered=False):
            if found is not None:
                done.append(found)
                noted.files += 1
    return done
