"""Sending the images that the API does not know yet."""

from __future__ import annotations

import logging
import os
from collections.abc import Awaitable, Callable, Iterable, Iterator, Sequence
from itertools import islice
from typing import Any, Final

from asyncclient._map import run_map
from asyncclient._transfers.hops import DISK, run_hop
from asyncclient.errors import APIError, ArgumentError, ArgumentTypeError, AsyncClientError
from asyncclient.sticky_pi._cache import Cache
from asyncclient.sticky_pi._spec import Info, Rows
from asyncclient.sticky_pi._statistics import Failure, LocalImage, look_at_images
from asyncclient.sticky_pi.utils import chunker
from asyncclient.types import Progress

__all__ = ["PutImages", "conflicts_among", "difference", "unique_paths"]

_log: Final = logging.getLogger("asyncclient.sticky_pi.client")
_WINDOW: Final = 4096
"""Files that are looked at, asked for in one query, and sent, before the next ones are taken up."""

Lookup = Callable[[Info], Awaitable[Rows]]
Send = Callable[[Sequence[LocalImage]], Awaitable[Rows]]


def unique_paths(files: Any) -> Iterator[str]:
    """Yield the paths as text, each once.

    Raises:
        ArgumentTypeError: It is no collection of paths.
    """
    if isinstance(files, (str, bytes, os.PathLike)) or not isinstance(files, Iterable):
        raise ArgumentTypeError(f"files must be a list of paths, not {type(files).__name__}", argument="files")
    seen: set[str] = set()
    for file in files:
        if not isinstance(file, (str, os.PathLike)):
            raise ArgumentTypeError(f"files must hold paths, not {type(file).__name__}", argument="files")
        path = os.fsdecode(file)
        if path not in seen:
            seen.add(path)
            yield path


def conflicts_among(images: Sequence[LocalImage]) -> tuple[list[LocalImage], list[Failure]]:
    """Keep one file for each device and datetime; copies are left out, and what differs is a failure."""
    kept: dict[tuple[str, Any], LocalImage] = {}
    failures = []
    for image in images:
        first = kept.setdefault((image.device.lower(), image.datetime), image)
        if first.md5 != image.md5:
            reason = f"{image.path} and {first.path} are of the same device and second, and differ"
            failures.append(Failure(image.path, ArgumentError(reason, argument="files")))
    return list(kept.values()), failures


def difference(images: Sequence[LocalImage], rows: Rows) -> tuple[list[LocalImage], list[LocalImage]]:
    """Return the images that are not stored, and those that are stored with another content."""
    stored = {(str(row["device"]).lower(), row["datetime"]): row["md5"] for row in rows}
    new, other = [], []
    for image in images:
        md5 = stored.get((image.device.lower(), image.datetime))
        if md5 is None:
            new.append(image)
        elif md5 != image.md5:
            other.append(image)
    return new, other


class PutImages:
    """One call of ``put_images``.

    Args:
        digests: Asks the API for device, datetime and md5 of images.
        lookup: Asks the API for whole rows of images.
        send: Sends some images; their rows come back in their order.
        cache: What is known of files.
        threads: Images looked at, or on their way, at a time.
        at_once: Images that are sent in one call.
        failures: Where files that are skipped are noted; None to stop at the first.
        on_progress: Told how far it is.
    """

    def __init__(
        self,
        digests: Lookup,
        lookup: Lookup,
        send: Send,
        cache: Cache,
        threads: int,
        *,
        at_once: int,
        failures: list[Failure] | None,
        on_progress: Callable[[Progress], None] | None,
    ) -> None:
        self._digests = digests
        self._lookup = lookup
        self._send = send
        self._cache = cache
        self._threads = threads
        self._at_once = min(at_once, threads)
        self._failures = failures
        self._on_progress = on_progress
        self._looked_at = 0
        self._sent = 0
        self._to_send = 0

    async def run(self, files: Any) -> Rows:
        """Send what is missing; returns the rows of what was sent, in the order of the files."""
        rows: Rows = []
        paths = unique_paths(files)
        try:
            while window := list(islice(paths, _WINDOW)):
                rows += await self._window(window)
        finally:
            if self._cache.changed:
                await run_hop(self._cache.sync, crew=DISK)
        if not self._to_send:
            _log.warning("No image to upload!")
        return rows

    async def _window(self, paths: list[str]) -> Rows:
        look = await look_at_images(paths, self._cache, self._threads, self._looked)
        images, conflicts = conflicts_among(look.images)
        for failure in [*look.failures, *conflicts]:
            self._skip(failure)
        if not images:
            return []
        asked = [{"device": image.device, "datetime": image.datetime, "md5": image.md5} for image in images]
        new, other = difference(images, await self._digests(asked))
        for image in other:
            _log.warning("%s is stored with another content; it is not sent", image.path)
        self._to_send += len(new)
        _log.info("%d of %d images are new", len(new), len(images))
        rows: Rows = []
        groups = chunker(new, self._at_once)
        # While one group is written, another one is decoded.
        async for stored in run_map(self._some, groups, max(1, 2 * self._threads // (1 + self._at_once)), ordered=True):
            rows += stored
        return rows

    async def _some(self, images: Sequence[LocalImage]) -> Rows:
        """Send a group; if that fails, one image after the other, so that each has its own error."""
        if len(images) == 1:
            return await self._one(images[0], maybe_sent=False)
        try:
            rows = await self._send(images)
        except (AsyncClientError, OSError):
            return [row for image in images for row in await self._one(image, maybe_sent=True)]
        for image in images:
            self._count(image)
        return rows

    async def _one(self, image: LocalImage, *, maybe_sent: bool) -> Rows:
        try:
            rows = await self._send([image])
        except (AsyncClientError, OSError) as error:
            rows = await self._found_nevertheless(image, error, maybe_sent=maybe_sent)
        self._count(image)
        return rows

    def _count(self, image: LocalImage) -> None:
        self._sent += 1
        self._tell("sending", image.path)

    async def _found_nevertheless(self, image: LocalImage, error: Exception, *, maybe_sent: bool) -> Rows:
        """After an attempt that failed half way, or whose answer was lost, the image is there; else it is a failure."""
        if maybe_sent or (isinstance(error, APIError) and error.attempts > 1):
            rows = await self._lookup([{"device": image.device, "datetime": image.datetime, "md5": image.md5}])
            if rows and rows[0]["md5"] == image.md5:
                return [{name: value for name, value in rows[0].items() if name != "url"}]
        self._skip(Failure(image.path, error))
        return []

    def _skip(self, failure: Failure) -> None:
        """Note a failure, or raise it."""
        if self._failures is None:
            raise failure.error
        _log.error("%s: %s", failure.path, failure.error)
        self._failures.append(failure)

    def _looked(self, count: int) -> None:
        self._looked_at += count
        self._tell("hashing", None)

    def _tell(self, phase: str, name: str | None) -> None:
        if self._on_progress is not None:
            done, total = (self._looked_at, None) if phase == "hashing" else (self._sent, self._to_send)
            self._on_progress(Progress(phase, files_done=done, files_total=total, name=name))
