"""Looking at image files: device, datetime and md5 of each, in worker threads, remembered between runs."""

from __future__ import annotations

import datetime as dt
import inspect
import os
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any, Final, NamedTuple

from asyncclient._map import run_map
from asyncclient._transfers.hops import CPU, DISK, run_hop
from asyncclient.sticky_pi._cache import Cache, Entry, Key
from asyncclient.sticky_pi._jpeg import MAX_BYTES
from asyncclient.sticky_pi.exceptions import InvalidImage, InvalidImageMetadata
from asyncclient.sticky_pi.image_parser import read_metadata

__all__ = ["Failure", "LocalImage", "Look", "look_at_images"]

_RECALLED: Final = 256
"""Files whose times are asked for by one thread: little work, for which a crossing of threads each would be dear."""
_READ: Final = 16
"""Files that are read by one thread."""
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
        paths: The files, each once.
        cache: Is added to.
        threads: At most so many at a time; processors are another limit.
        done: Told how many files were looked at, batch by batch.
    """
    source = source_of_statistics()
    recalled = await _recall_all(paths, cache._of(source) or {}, threads, done)
    look = Look([], [], [])
    try:
        await _read_all([path for path in paths if path not in recalled], look, threads, done)
    finally:
        cache.add(source, look.fresh)  # also of what was cancelled: it need not be read again
    images = {**recalled, **{image.path: image for image in look.images}}
    return Look([images[path] for path in paths if path in images], look.failures, look.fresh)


async def _recall_all(
    paths: Sequence[str], known: Mapping[Key, Entry], threads: int, done: Callable[[int], None]
) -> dict[str, LocalImage]:
    async def recall(batch: Sequence[str]) -> dict[str, LocalImage]:
        return await run_hop(_recall, batch, known, crew=DISK)

    recalled: dict[str, LocalImage] = {}
    async for found in run_map(recall, _batches(paths, _RECALLED), threads, ordered=True):
        recalled.update(found)
        if found:
            done(len(found))
    return recalled


async def _read_all(paths: Sequence[str], look: Look, threads: int, done: Callable[[int], None]) -> None:
    async def read(batch: Sequence[str]) -> Look:
        return await run_hop(_look, batch, crew=CPU)

    async for found in run_map(read, _batches(paths, _READ), threads, ordered=True):
        look.images.extend(found.images)
        look.failures.extend(found.failures)
        look.fresh.extend(found.fresh)
        done(len(found.images) + len(found.failures))


def _batches(paths: Sequence[str], size: int) -> Iterable[Sequence[str]]:
    return (paths[start : start + size] for start in range(0, len(paths), size))


def _recall(paths: Sequence[str], known: Mapping[Key, Entry]) -> dict[str, LocalImage]:
    """Return the files that are images, and have not changed since they were read."""
    recalled = {}
    for path in paths:
        try:
            changed = os.stat(path).st_mtime  # noqa: PTH116  # no path object for each of many files
        except OSError:
            continue  # who reads it finds the same, and says so
        # What was no image the last time is read again: the cache does not know what was wrong with it.
        entry = known.get((path, changed))
        if entry is not None and entry.md5 is not None and entry.device is not None and entry.datetime is not None:
            recalled[path] = LocalImage(path, entry.device, entry.datetime, entry.md5)
    return recalled


def _look(paths: Sequence[str]) -> Look:
    look = Look([], [], [])
    for path in paths:
        try:
            _look_at(path, look)
        except (InvalidImage, OSError) as error:
            look.failures.append(Failure(path, error))
    return look


def _look_at(path: str, look: Look) -> None:
    changed = Path(path).stat().st_mtime
    key = (path, changed)
    remember = time.time() - changed > _RACY_S
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
