"""Sources in memory: bytes, arrays, and files small enough to be read at once."""

from __future__ import annotations

import re
from collections.abc import AsyncGenerator
from pathlib import Path
from typing import Any, Final

from asyncclient._transfers.digest import PartDigest, RunningDigest, Updatable
from asyncclient._transfers.hops import DISK, run_hop
from asyncclient._transfers.source import SCAN, Identity, ScanOptions, TakesByRange, check_range, path_changed
from asyncclient._transfers.windows import INLINE_BYTES, WINDOW_BYTES
from asyncclient.errors import ArgumentError, ArgumentTypeError, SourceChanged

__all__ = ["MemoryBody", "MemorySource", "view_bytes"]

# A scan without a consumer digests this much in one hop.
_SCAN_BYTES: Final = 4 * WINDOW_BYTES
_FIELD_NAMES: Final = re.compile(r":[^:]*:")


def view_bytes(value: Any) -> memoryview:
    """Look at the bytes of anything that exports a buffer (bytes, ``array``, numpy), without copying.

    Raises:
        ArgumentTypeError: Its items are Python objects, or it exports no buffer (numpy's datetimes).
        ArgumentError: Its items do not lie one behind the other in C order.
    """
    try:
        view = memoryview(value)
    except (TypeError, ValueError) as error:
        raise ArgumentTypeError(
            f"the bytes of {type(value).__name__} cannot be seen: {error}", argument="source"
        ) from None
    if "O" in _FIELD_NAMES.sub("", view.format):  # addresses, which mean nothing elsewhere
        raise ArgumentTypeError("an array of Python objects has no bytes of its own", argument="source")
    if not view.c_contiguous:
        raise ArgumentError("the array is not contiguous in C order; copy it first", argument="source")
    return view.cast("B") if view.nbytes else memoryview(b"")  # cast refuses shapes with a zero


class MemorySource(TakesByRange):
    """Bytes in memory.

    Args:
        data: What to send. Whoever made it must not change it until the transfer is over.
        name: A file name for it.
        path: Where it was read from.
        identity: What the file was when it was read.
    """

    replayable = True

    def __init__(
        self,
        data: bytes | memoryview,
        *,
        name: str | None = None,
        path: Path | None = None,
        identity: Identity | None = None,
    ) -> None:
        self._data = data
        self._view = memoryview(data)
        self._identity = identity
        self.path = path
        self.name = name if name is not None or path is None else path.name
        self.size = len(self._view)

    def identity(self) -> Identity | None:
        """Return what the file was when it was read; None if there is none."""
        return self._identity

    async def changed(self) -> bool:
        """Tell whether the file it was read from is another now."""
        if self.path is None or self._identity is None:
            return False
        return await run_hop(path_changed, self.path, self._identity, crew=DISK)

    async def check(self) -> None:
        """Make sure the file it was read from is still what it was."""
        if await self.changed():
            raise SourceChanged(f"{self.path} changed since it was opened; start its upload again")

    async def windows(
        self, offset: int = 0, length: int | None = None, *, digest: Updatable | None = None
    ) -> AsyncGenerator[memoryview, None]:
        """Yield a range in windows of at most 1 MiB."""
        stop = offset + check_range(self.size, offset, length)
        for start in range(offset, stop, WINDOW_BYTES):
            window = self._view[start : min(start + WINDOW_BYTES, stop)]
            if digest is not None:
                await update(digest, window)
            yield window

    async def scan(
        self, digest: Updatable, offset: int = 0, length: int | None = None, *, options: ScanOptions = SCAN
    ) -> int:
        """Digest a range; returns how many bytes there were."""
        length = check_range(self.size, offset, length)
        for start in range(offset, offset + length, _SCAN_BYTES):
            stop = min(start + _SCAN_BYTES, offset + length)
            await update(digest, self._view[start:stop])
            options.report(stop - offset)
        return length

    def body(self, offset: int = 0, length: int | None = None, *, md5: bool = True) -> MemoryBody:
        """Return the body of a request that sends a range."""
        length = check_range(self.size, offset, length)
        whole = length == self.size and isinstance(self._data, bytes)
        return MemoryBody(self._data if whole else self._view[offset : offset + length], md5=md5)

    async def aclose(self) -> None:
        """Do nothing: memory is given back when nobody looks at it."""


class MemoryBody:
    """Bytes in memory as a request body; see :class:`~asyncclient._transfers.source.PartBody`."""

    replayable = True

    def __init__(self, data: bytes | memoryview, *, md5: bool = True) -> None:
        self._data = data
        self._md5 = md5
        self.length = len(data)
        self.digest: PartDigest | None = None

    async def open(self) -> AsyncGenerator[bytes, None]:
        """Yield the bytes in pieces of at most 1 MiB, digested as they go out."""
        running = RunningDigest(md5=self._md5)
        for start in range(0, self.length, WINDOW_BYTES):
            piece = bytes(self._data[start : start + WINDOW_BYTES])
            if self._md5:
                await update(running, piece)
            else:
                running.update(piece)
            if running.size == self.length:
                self.digest = running.part()
            yield piece
        if not self.length:
            self.digest = running.part()


async def update(digest: Updatable, data: bytes | memoryview) -> None:
    """Digest bytes in memory, in a thread unless there are few."""
    if len(data) < INLINE_BYTES:
        digest.update(data)
    else:
        await run_hop(digest.update, data)
