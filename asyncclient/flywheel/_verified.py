"""Downloads that are compared with the record of the file."""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Any, Final

import anyio.to_thread

from asyncclient.errors import IntegrityError

__all__ = ["download_verified"]

_HASH: Final = re.compile(r"v\d+-(sha(?:224|256|384|512))-([0-9a-f]+)")
_READ_BYTES: Final = 1024 * 1024


async def download_verified(
    method: Callable[..., Awaitable[Any]],
    args: tuple[Any, ...],
    options: Mapping[str, Any],
    expected: tuple[int | None, str | None],
) -> None:
    """Save a file, and compare it with its record before it is seen at its place.

    Args:
        method: Downloads; its last argument by position is the destination.
        args: Of the method.
        options: Of the method.
        expected: Size in bytes and digest of the record, as far as it has them.

    Raises:
        IntegrityError: The content is another.
    """
    *leading, destination = args
    if not isinstance(destination, (str, os.PathLike)) or expected == (None, None):
        await method(*args, **options)
        return
    place = Path(os.fspath(destination))
    # Always the same name, so that the same call goes on where an interrupted one stopped; another for every place, and
    # short enough for every file system.
    waiting = place.with_name(f".{hashlib.sha256(os.fsencode(place.name)).hexdigest()[:32]}.unverified")
    await method(*leading, waiting, **options)
    await anyio.to_thread.run_sync(_settle, waiting, place, *expected)


def _settle(waiting: Path, place: Path, size: int | None, digest: str | None) -> None:
    try:
        _compare(waiting, str(place), size, digest)
    except IntegrityError:
        waiting.unlink(missing_ok=True)
        raise
    waiting.replace(place)


def _compare(path: Path, name: str, size: int | None, digest: str | None) -> None:
    found = path.stat().st_size
    if size is not None and found != size:
        raise IntegrityError(name, expected=f"{size} bytes", actual=f"{found} bytes")
    known = _HASH.fullmatch(digest or "")
    if known is None:
        return
    running = hashlib.new(known[1])
    with path.open("rb") as file:
        while piece := file.read(_READ_BYTES):
            running.update(piece)
    if running.hexdigest() != known[2]:
        raise IntegrityError(name, expected=known[2], actual=running.hexdigest())
