"""Looking at image files: device, datetime and md5 of each, in worker threads, remembered between runs."""

from __future__ import annotations

import datetime as dt
import inspect
import os
import time
from collections.abc import Callable, Iterable, Sequence
from functools import cache
from pathlib import Path
from typing import Any, Final, NamedTuple

from asyncclient._map import run_map
from asyncclient._transfers.hops import CPU, run_hop
from asyncclient.sticky_pi._cache import Cache, Entry, Key
from asyncclient.sticky_pi._jpeg import MAX_BYTES
from asyncclient.sticky_pi.exceptions import InvalidImage, InvalidImageMetadata
from asyncclient.sticky_pi.image_parser import read_metadata

__all__ = ["Failure", "LocalImage", "Look", "look_at_images"]

_BATCH: Final = 16
_RACY_S: Final = 0.1
"""A file that changed this recently may change again without its time telling so."""


class LocalImage(NamedTuple):
    """A file that is an image of the platform."""

    path: str
    device: str
    datetime: dt.datetime
    md5: str


class Failure(NamedTuple):
    """A file that was not sent, and why.

    Attributes:
        path: As it was given.
        error: What is wrong with it.
    """

    path: str
    error: Exception


class Look(NamedTuple):
    """What came of looking at some files; ``fresh`` is what the cache did not know."""

    images: list[LocalImage]
    failures: list[Failure]
    fresh: list[dict[Key, dict[str, Any]]]


@cache
def source_of_statistics() -> str:
    """The text of the function whose results are remembered: they are no use to another one."""
    return inspect.getsource(read_metadata)


async def look_at_images(paths: Sequence[str], cache: Cache, threads: int, done: Callable[[int], None]) -> Look:
    """Read what the cache does not know, in worker threads, several at a time.

    Args:
        paths: The files.
        cache: Is added to.
        threads: At most so many at a time; processors are another limit.
        done: Told how many files were looked at, batch by batch.
    """
    source = source_of_statistics()
    known = cache.get_hashes(source)

    async def look(batch: Sequence[str]) -> Look:
        return await run_hop(_look, batch, _Known(cache, source, known), crew=CPU)

    images: list[LocalImage] = []
    failures: list[Failure] = []
    fresh: list[dict[Key, dict[str, Any]]] = []
    try:
        async for found in run_map(look, _batches(paths), threads, ordered=True):
            images += found.images
            failures += found.failures
            fresh += found.fresh
            done(len(found.images) + len(found.failures))
    finally:
        cache.add(source, fresh)  # also of what was cancelled: it need not be read again
    return Look(images, failures, fresh)


def _batches(paths: Sequence[str]) -> Iterable[Sequence[str]]:
    return (paths[start : start + _BATCH] for start in range(0, len(paths), _BATCH))


class _Known(NamedTuple):
    """What the cache knows; only read while threads work."""

    cache: Cache
    source: str
    keys: Any

    def find(self, key: Key) -> Entry | None:
        return self.cache[self.source][key] if key in self.keys else None


def _look(paths: Sequence[str], known: _Known) -> Look:
    look = Look([], [], [])
    for path in paths:
        try:
            _look_at(path, known, look)
        except (InvalidImage, OSError) as error:
            look.failures.append(Failure(path, error))
    return look


def _look_at(path: str, known: _Known, look: Look) -> None:
    status = Path(path).stat()
    key = (path, status.st_mtime)
    entry = known.find(key)
    if entry is not None and entry.md5 is not None and entry.device is not None and entry.datetime is not None:
        look.images.append(LocalImage(path, entry.device, entry.datetime, entry.md5))
        return
    # What was no image the last time is read again: the cache does not know what was wrong with it.
    remember = time.time() - status.st_mtime > _RACY_S
    try:
        found = _read(path)
    except InvalidImage:
        if remember:
            look.fresh.append({key: {"device": None, "datetime": None, "md5": None}})
        raise
    look.images.append(found)
    if remember:
        look.fresh.append({key: {"device": found.device, "datetime": found.datetime, "md5": found.md5}})


def _read(path: str) -> LocalImage:
    with Path(path).open("rb", buffering=0) as file:
        data = file.read(min(os.fstat(file.fileno()).st_size, MAX_BYTES) + 1)
    found = read_metadata(Path(path).name, data)
    if not isinstance(found["datetime"], dt.datetime):
        raise InvalidImageMetadata(f"{path}: its metadata replaces the datetime of its name by {found['datetime']!r}")
    return LocalImage(path, found["device"], found["datetime"], found["md5"])
