"""What ``cp`` and ``sync`` are going to do, and how files are compared."""

from __future__ import annotations

import asyncio
import hashlib
import re
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeAlias

if TYPE_CHECKING:
    from asyncclient.types import Progress

__all__ = ["Copy", "Plan", "Report", "nothing", "same_as"]

Report: TypeAlias = "Callable[[Progress], None]"

_HASH: Final = re.compile(r"v\d+-(sha(?:224|256|384|512))-([0-9a-f]+)")


@dataclass(frozen=True, slots=True)
class Copy:
    """One file on its way.

    Attributes:
        source: Where it comes from, as it is shown.
        target: Where it goes.
        size_bytes: Its size.
        do: Copies it, and tells how far it is.
        same: Tells whether it is there already.
    """

    source: str
    target: str
    size_bytes: int
    do: Callable[[Report], Awaitable[Any]]
    same: Callable[[], Awaitable[bool]]


async def nothing() -> None:
    """Prepare nothing."""


@dataclass(frozen=True, slots=True)
class Plan:
    """Files to copy.

    Attributes:
        copies: The files.
        prepare: Makes the containers they go to, before the first is copied.
    """

    copies: Sequence[Copy]
    prepare: Callable[[], Awaitable[None]] = nothing


async def same_as(path: Path, record: Any) -> bool:
    """Tell whether a local file has the content of a record: size, and digest where the record has one."""
    return await asyncio.to_thread(_same, path, record.size, record.hash)


def _same(path: Path, size: int | None, digest: str | None) -> bool:
    if size is None or not path.is_file() or path.stat().st_size != size:
        return False
    known = _HASH.fullmatch(digest or "")
    if known is None:
        return True
    with path.open("rb") as file:
        return hashlib.file_digest(file, known[1]).hexdigest() == known[2]
