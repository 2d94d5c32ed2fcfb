"""What can be uploaded, in one form: paths, bytes, arrays, files, streams.

A source with a size and ``replayable`` can be read anywhere, any number of times, by several parts at once. The others
(pipes, generators) can only be read on; :meth:`Source.take` cuts them into parts that are held in memory, so that each
can be sent again.
"""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final, NamedTuple, Protocol

from asyncclient._messages import Body
from asyncclient._transfers.digest import PartDigest, Updatable
from asyncclient.errors import SourceChanged

__all__ = ["Held", "Identity", "PartBody", "ScanOptions", "Source"]

_UINT64 = 2**64 - 1


class Identity(NamedTuple):
    """What tells whether a file is still the one it was."""

    dev: int
    ino: int
    size: int
    mtime_ns: int

    @classmethod
    def of(cls, stat: os.stat_result) -> Identity:
        """Take it from a stat; inode numbers beyond 64 bits (ReFS) are cut, as JSON cannot hold them."""
        return cls(stat.st_dev & _UINT64, stat.st_ino & _UINT64, stat.st_size, stat.st_mtime_ns)


class PartBody(Body, Protocol):
    """The body of one part: opened anew for every attempt.

    Attributes:
        digest: Of the last pass that reached the end, computed in the thread that read it; None before.
    """

    @property
    def digest(self) -> PartDigest | None: ...


@dataclass(frozen=True, slots=True)
class ScanOptions:
    """How a source is digested.

    Attributes:
        progress: Called after every hop, on the event loop, with the bytes digested so far.
    """

    progress: Callable[[int], None] | None = None

    def report(self, done: int) -> None:
        """Tell how many bytes are digested."""
        if self.progress is not None:
            self.progress(done)


SCAN: Final = ScanOptions()


class Source(Protocol):
    """Something to upload.

    Attributes:
        name: File name, if it has one.
        size: Bytes, or None if unknown.
        replayable: Whether any range can be read any number of times.
        path: Where it lies, or None.
    """

    @property
    def name(self) -> str | None: ...
    @property
    def size(self) -> int | None: ...
    @property
    def replayable(self) -> bool: ...
    @property
    def path(self) -> Path | None: ...

    def identity(self) -> Identity | None:
        """Return what the file was when it was opened; None for what is not a file."""
        ...

    async def changed(self) -> bool:
        """Tell whether the file is no longer what it was when it was opened."""
        ...

    async def check(self) -> None:
        """Make sure the file is still what it was.

        Raises:
            SourceChanged: It is not.
        """
        ...

    def windows(
        self, offset: int = 0, length: int | None = None, *, digest: Updatable | None = None
    ) -> AsyncIterator[memoryview]:
        """Read a range in windows of at most 1 MiB; each is valid until the next step.

        Args:
            offset: First byte.
            length: Bytes; None for all that follow.
            digest: Updated with every window, in the thread that reads it.

        Raises:
            SourceChanged: The file ends early.
        """
        ...

    async def scan(
        self, digest: Updatable, offset: int = 0, length: int | None = None, *, options: ScanOptions = SCAN
    ) -> int:
        """Digest a range without handing out its bytes; returns how many there were."""
        ...

    def body(self, offset: int = 0, length: int | None = None, *, md5: bool = True) -> PartBody:
        """Return the body of a request that sends a range; its digest has an md5 unless nobody is to ask for it."""
        ...

    async def take(self, length: int) -> Held | None:
        """Return the next part of up to ``length`` bytes; None after the last.

        The first call begins at byte 0. Only a stream holds the part in memory.
        """
        ...

    async def aclose(self) -> None:
        """Release what was opened here; files that were handed in stay open. May be repeated."""
        ...


class Held(NamedTuple):
    """A part that can be sent, more than once.

    Attributes:
        offset: Its first byte within the source.
        length: Its bytes; 0 only for an empty source.
        last: Whether nothing follows.
        body: Its bytes, as a body.
    """

    offset: int
    length: int
    last: bool
    body: PartBody


class TakesByRange:
    """``take`` for sources that can be read anywhere."""

    _taken = 0
    _took = False

    async def take(self: _Sized, length: int) -> Held | None:
        """Return the next part of up to ``length`` bytes; None after the last."""
        if length < 1:
            raise ValueError(f"a part needs at least one byte, not {length}")
        if self._took and self._taken == self.size:
            return None
        offset = self._taken
        length = min(length, self.size - offset)
        self._took = True
        self._taken = offset + length
        return Held(offset, length, self._taken == self.size, self.body(offset, length))


class _Sized(Protocol):
    _taken: int
    _took: bool

    @property
    def size(self) -> int: ...
    def body(self, offset: int = 0, length: int | None = None, *, md5: bool = True) -> PartBody: ...


def check_range(size: int, offset: int, length: int | None) -> int:
    """Return the length of a range, checked against the size."""
    found = size - offset if length is None else length
    if offset < 0 or found < 0 or offset + found > size:
        raise ValueError(f"bytes {offset} to {offset + found} do not lie within {size}")
    return found


def ended_early(name: str | None, size: int, at: int) -> SourceChanged:
    """Make the error for a source that is shorter than it was."""
    return SourceChanged(f"{name or 'the source'} changed while it was read: it ends at byte {at} of {size}")


def path_changed(path: Path, identity: Identity) -> bool:
    """Tell whether another file is found under a path; a file that was unlinked can still be read and counts as same."""
    try:
        return Identity.of(path.stat()) != identity
    except FileNotFoundError:
        return False
