"""Signed uploads of this process that did not come to their end, so that the same call can go on with them.

Signed URLs are secrets that open the store to whoever reads them. They are kept in memory alone, for a while, and go
with the hub.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final
from weakref import WeakKeyDictionary

from asyncclient import _codec
from asyncclient._transfers.hops import run_hop
from asyncclient._transfers.source import Source
from asyncclient._transfers.target import StoredPart

if TYPE_CHECKING:
    from asyncclient.flywheel._signed import Ticket
    from asyncclient.hub import AsyncHub

__all__ = ["Kept", "Unfinished", "content_key", "unfinished_of"]

_MOST: Final = 64
_AGE_S: Final = 3600.0
"""Stores sign URLs for about as long; what is refused for its age begins anew in any case."""


@dataclass(slots=True, repr=False)
class Kept:
    """One upload as far as it came.

    Attributes:
        ticket: Where it goes.
        since: When the ticket was given, of a clock that only goes forward.
        stored: Parts that the store has confirmed, by index from 0.
        begun: Whether a session was begun, which is asked how far it came.
        etags: Of all there is, once everything has arrived and only the service has to be told; None before.
    """

    ticket: Ticket
    since: float = field(default_factory=time.monotonic)
    stored: dict[int, StoredPart] = field(default_factory=dict)
    begun: bool = False
    etags: tuple[str, ...] | None = None

    @property
    def worth_keeping(self) -> bool:
        """Whether anything has arrived, or may have."""
        return bool(self.stored) or self.begun or self.etags is not None


class Unfinished:
    """What is kept for one hub: the latest few, none for long."""

    def __init__(self, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._kept: dict[bytes, Kept] = {}
        self._clock = clock

    def take(self, key: bytes) -> Kept | None:
        """Hand out what is kept for a call; nobody else gets it then."""
        self._forget_old()
        return self._kept.pop(key, None)

    def keep(self, key: bytes, kept: Kept) -> None:
        """Keep an upload for the same call later on."""
        self._forget_old()
        if kept.worth_keeping:
            self._kept[key] = kept
        while len(self._kept) > _MOST:
            del self._kept[next(iter(self._kept))]

    def _forget_old(self) -> None:
        oldest = self._clock() - _AGE_S
        for key in [key for key, kept in self._kept.items() if kept.since < oldest]:
            del self._kept[key]

    def __len__(self) -> int:
        return len(self._kept)

    def __repr__(self) -> str:
        return f"Unfinished({len(self)} uploads)"


_of_hubs: WeakKeyDictionary[AsyncHub, Unfinished] = WeakKeyDictionary()


def unfinished_of(hub: AsyncHub) -> Unfinished:
    """Return what is kept for a hub."""
    found = _of_hubs.get(hub)
    if found is None:
        found = _of_hubs[hub] = Unfinished()
    return found


async def content_key(source: Source, data: Any, *place: Any) -> bytes | None:
    """Return what tells an upload from every other: its content and its place; None if the content may be another later.

    Args:
        source: What is sent; a file is known by its number, size and time of change.
        data: What it was made of: bytes are known by their digest.
        place: Where it goes, as whom.
    """
    identity = source.identity()
    if identity is not None:
        content: list[Any] = [str(source.path), *identity]
    elif isinstance(data, (bytes, bytearray, memoryview)):
        content = [await run_hop(lambda: hashlib.sha256(data).hexdigest())]
    else:
        return None
    return hashlib.sha256(_codec.encode([content, *place])).digest()
