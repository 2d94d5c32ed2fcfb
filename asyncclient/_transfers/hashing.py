"""md5 and etags of files that are not being moved: before an upload that must announce them, and after a download.

One core does 0.4 to 0.6 GB/s of md5. A file is a chain, so it uses one thread; many files use as many as there are
cores, and small ones travel in batches, as a thread hop costs as much as 64 KiB of md5.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import os
import stat as stat_bits
from collections import deque
from collections.abc import AsyncGenerator, AsyncIterable, AsyncIterator, Callable, Iterable
from typing import Any, Final, NamedTuple, TypeVar, cast

from asyncclient._transfers.digest import PartCutter, SinglePart, Updatable, new_md5
from asyncclient._transfers.digest_cache import DigestCache
from asyncclient._transfers.fileio import FileHandle
from asyncclient._transfers.hops import CPU, finish, run_hop
from asyncclient._transfers.open_source import as_source
from asyncclient._transfers.source import Identity, ScanOptions, Source
from asyncclient.errors import ArgumentError, SourceChanged

__all__ = ["md5", "md5_many", "multipart_etag"]

P = TypeVar("P", bound=str | os.PathLike[str])
_Outcome = tuple[P, str | Exception]

_BATCH_FILES: Final = 64
_BATCH_BYTES: Final = 4 * 1024 * 1024


async def md5(
    source: Any,
    *,
    progress: Callable[[int], None] | None = None,
    cache: DigestCache | None = None,
) -> str:
    """Return the md5 of something that can be uploaded, as 32 lower-case hexadecimal digits.

    Args:
        source: A :class:`~asyncclient._transfers.source.Source`, which stays open, or whatever ``as_source`` takes.
        progress: Called on the event loop with the bytes digested so far, every few MiB.
        cache: Asked first and told afterwards; only files are in it.

    Raises:
        SourceChanged: The file changed while it was read.
    """

    def begin() -> tuple[Updatable, Callable[[], str]]:
        engine = new_md5()
        return engine, engine.hexdigest

    return await _digest(source, "md5", begin, ScanOptions(progress), cache)


async def multipart_etag(
    source: Any,
    part_size: int,
    *,
    single_part: SinglePart = "etag",
    options: ScanOptions | None = None,
    cache: DigestCache | None = None,
) -> str:
    """Return the etag that object storage gives to something uploaded in parts.

    Args:
        source: As in :func:`md5`.
        part_size: Bytes per part.
        single_part: ``etag`` for S3's own rules, ``md5`` for Sticky Pi's: plain md5 for a file of one part, ``""`` for
            an empty one.
        options: Threads and progress.
        cache: As in :func:`md5`.

    Raises:
        SourceChanged: The file changed while it was read.
    """

    def begin() -> tuple[Updatable, Callable[[], str]]:
        cutter = PartCutter(part_size)
        return cutter, lambda: cutter.etag(single_part)

    return await _digest(source, f"etag:{part_size}:{single_part}", begin, options or ScanOptions(), cache)


async def _digest(
    source: Any,
    kind: str,
    begin: Callable[[], tuple[Updatable, Callable[[], str]]],
    options: ScanOptions,
    cache: DigestCache | None,
) -> str:
    opened = None if hasattr(source, "scan") else await as_source(source)
    reading: Source = cast(Source, source) if opened is None else opened
    try:
        identity = reading.identity()
        known = cache.get(identity, kind) if cache is not None and identity is not None else None
        if known is not None:
            return known
        engine, result = begin()
        await reading.scan(engine, options=options)
        await reading.check()
        found = result()
        if cache is not None and identity is not None:
            cache.put(identity, kind, found)
        return found
    finally:
        if opened is not None:
            await opened.aclose()


async def md5_many(
    paths: Iterable[P] | AsyncIterable[P],
    *,
    on_error: Callable[[P, Exception], None] | None = None,
    cache: DigestCache | None = None,
) -> AsyncGenerator[tuple[P, str], None]:
    """Yield ``(path, md5)`` of many files, in the order in which they are done.

    Args:
        paths: Any number of them; taken as they are needed. A sync iterable is advanced on the event loop.
        on_error: Called with a file that cannot be read, or changes meanwhile, which is then left out. Default: the
            error ends the iteration.
        cache: Asked first and told afterwards.

    Closing the iterator early waits for the batches under way, at most 4 MiB each.
    """
    running: deque[asyncio.Task[list[_Outcome[P]]]] = deque()
    async with contextlib.aclosing(_batched(paths)) as batches:
        try:
            while await _fill(running, batches, _Hasher(cache)):
                done, _ = await asyncio.wait(running, return_when=asyncio.FIRST_COMPLETED)
                for task in done:
                    running.remove(task)
                    for path, found in task.result():
                        if isinstance(found, str):
                            yield path, found
                        elif on_error is None:
                            raise found
                        else:
                            on_error(path, found)
        finally:
            for task in running:
                task.cancel()
            await finish(*running)


async def _fill(
    running: deque[asyncio.Task[list[_Outcome[P]]]], batches: AsyncIterator[list[P]], hasher: _Hasher
) -> bool:
    """Keep one batch more under way than there are threads; tells whether there is any."""
    while len(running) <= CPU.most and (batch := await anext(batches, None)) is not None:
        running.append(asyncio.create_task(hasher.batch(batch)))
    return bool(running)


async def _batched(paths: Iterable[P] | AsyncIterable[P]) -> AsyncGenerator[list[P], None]:
    if not isinstance(paths, AsyncIterable):
        iterator = iter(paths)
        while batch := list(itertools.islice(iterator, _BATCH_FILES)):
            yield batch
        return
    batch = []
    async for path in paths:
        batch.append(path)
        if len(batch) == _BATCH_FILES:
            yield batch
            batch = []
    if batch:
        yield batch


class _Hasher(NamedTuple):
    """Hashes batches of files."""

    cache: DigestCache | None

    async def batch(self, paths: list[P]) -> list[_Outcome[P]]:
        """Hash some files: small ones together in hops of up to 4 MiB, each large one in hops of its own."""
        results: list[_Outcome[P]] = []
        while len(results) < len(paths):
            small: Any = await run_hop(self._small, paths[len(results) :])
            results += small
            if not small:
                path = paths[len(results)]
                try:
                    results.append((path, await md5(path, cache=self.cache)))
                except (OSError, SourceChanged, ArgumentError) as error:
                    results.append((path, error))
        return results

    def _small(self, paths: list[P]) -> list[_Outcome[P]]:
        """Hash files up to the first large or irregular one, or until 4 MiB are done; blocking."""
        results: list[_Outcome[P]] = []
        room = _BATCH_BYTES
        for path in paths:
            try:
                # Without O_NONBLOCK a pipe nobody writes to would wait for ever.
                handle = FileHandle(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0))
                try:
                    found, read = self._one(handle, room)
                finally:
                    handle.close()
            except OSError as error:
                results.append((path, error))
                continue
            if found is None:
                break
            room -= read
            results.append((path, found))
        return results

    def _one(self, handle: FileHandle, room: int) -> tuple[str | None, int]:
        """Hash one file of up to ``room`` bytes; returns the md5, None for others, and the bytes that took."""
        found = handle.stat()
        if not stat_bits.S_ISREG(found.st_mode):
            return None, 0
        identity, cache = Identity.of(found), self.cache
        known = cache.get(identity, "md5") if cache is not None else None
        if known is not None or found.st_size > room:
            return known, 0
        data = handle.read(found.st_size + 1, 0)
        if len(data) != found.st_size:
            return None, 0  # it changes right now: the long way says so
        digest = new_md5()
        digest.update(data)
        if cache is not None and Identity.of(handle.stat()) == identity:
            cache.put(identity, "md5", digest.hexdigest())
        return digest.hexdigest(), len(data)
