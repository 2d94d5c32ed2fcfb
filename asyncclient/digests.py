"""md5 and etags of local files, for comparing them with what a service reports.

::

    await asyncclient.md5("scan.dcm")
    async for path, digest in asyncclient.md5_many(folder.rglob("*.dcm")):
        ...

Blocking code has the same in ``asyncclient.Digests``.

Work runs in at most ``min(4, cpus)`` threads per event loop, never on the loop. A digest is remembered for as long as
device, inode, size and time stamp of the file stay the same, and the file is not read again.
"""

from __future__ import annotations

import os
from collections.abc import AsyncGenerator, AsyncIterable, Callable, Iterable
from pathlib import Path
from typing import Any, Final, Literal, Self, TypeVar

from asyncclient._transfers import digest, hashing
from asyncclient._transfers.digest_cache import DigestCache
from asyncclient._transfers.hops import DISK, run_hop
from asyncclient.errors import ArgumentError

__all__ = ["AsyncDigests", "infer_part_size", "md5", "md5_many", "multipart_etag"]

P = TypeVar("P", bound=str | os.PathLike[str])

_SINGLE: Final = ("etag", "md5")


class AsyncDigests:
    """Computes digests and remembers them.

    ::

        async with AsyncDigests(file="digests.jsonl") as digests:
            await digests.md5("scan.dcm")

    Args:
        file: Where digests are kept from one process to the next: read at the first use, written by :meth:`aclose`
            together with what other processes have written there. Default: they are kept in memory only.
        remember: Whether digests are remembered at all. A cache cannot see a change that leaves size and time stamp as
            they were.
    """

    def __init__(self, *, file: str | os.PathLike[str] | None = None, remember: bool = True) -> None:
        self._cache = DigestCache(None if file is None else Path(file)) if remember else None
        self._loaded = file is None or not remember

    async def md5(self, source: Any) -> str:
        """Return the md5 of something that can be uploaded, as 32 lower-case hexadecimal digits.

        Args:
            source: A path, bytes, an array, a binary file object (read from its position on), or an iterable of bytes.

        Raises:
            SourceChanged: The file changed while it was read.
            OSError: It cannot be read.
        """
        return await hashing.md5(source, cache=await self._ready())

    async def md5_many(
        self,
        paths: Iterable[P] | AsyncIterable[P],
        *,
        on_error: Callable[[P, Exception], None] | None = None,
    ) -> AsyncGenerator[tuple[P, str], None]:
        """Yield ``(path, md5)`` of many files, several at a time, in the order in which they are done.

        Args:
            paths: Any number of them, a generator too; taken as they are needed.
            on_error: Called with a file that cannot be read or changes meanwhile, and the error; the file is then left
                out. Default: the error ends the iteration.
        """
        found = hashing.md5_many(paths, on_error=on_error, cache=await self._ready())
        try:
            async for pair in found:
                yield pair
        finally:
            await found.aclose()

    async def multipart_etag(self, source: Any, part_size: int, *, single_part: Literal["etag", "md5"] = "etag") -> str:
        """Return the etag that object storage gives to something uploaded in parts.

        Args:
            source: As in :meth:`md5`.
            part_size: Bytes per part, at least 1.
            single_part: What a file of at most one part has: ``etag`` as S3 (``...-1``; the md5 of nothing for an empty
                one), ``md5`` as Sticky Pi (the plain md5; ``""`` for an empty one).

        Raises:
            SourceChanged: The file changed while it was read.
            OSError: It cannot be read.
            ArgumentError: ``part_size`` or ``single_part`` cannot be used; nothing was read.
        """
        if type(part_size) is not int or part_size < 1:
            raise ArgumentError(
                f"part_size must be a whole number of at least 1, not {part_size!r}", argument="part_size"
            )
        if single_part not in _SINGLE:
            raise ArgumentError(f"single_part must be 'etag' or 'md5', not {single_part!r}", argument="single_part")
        return await hashing.multipart_etag(source, part_size, single_part=single_part, cache=await self._ready())

    async def aclose(self) -> None:
        """Write what was remembered, if a file was named; may be repeated.

        Raises:
            OSError: The file cannot be written.
        """
        if self._cache is not None and self._loaded:
            await run_hop(self._cache.save, crew=DISK)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()

    async def _ready(self) -> DigestCache | None:
        if not self._loaded and self._cache is not None:
            await run_hop(self._cache.load, crew=DISK)
            self._loaded = True
        return self._cache


_shared: Final = AsyncDigests()

md5 = _shared.md5
md5_many = _shared.md5_many
multipart_etag = _shared.multipart_etag


def infer_part_size(size: int, etag: str) -> int | None:
    """Return the likeliest part size behind the etag of something uploaded in parts.

    Args:
        size: Bytes of the whole.
        etag: As a service reports it, ``...-N``, with or without quotes.

    Returns:
        Bytes; None if the etag is not of parts, or no size that tools use gives so many. Several sizes may fit: that of
        the AWS tools and of this package (8 MiB) goes first.
    """
    return digest.infer_part_size(size, etag)
