"""Reading many small files: each opened, looked at and read in one visit to a thread."""

from __future__ import annotations

import os
import stat
from functools import partial
from typing import Final

from asyncclient._net.threads import DISK, in_thread

__all__ = ["SMALL_BYTES", "read_small"]

SMALL_BYTES: Final = 64 * 1024
"""Files up to here are read whole and sent in one piece."""

# Not blocking: a pipe that nobody writes to must not hold a thread up, and is none of our files.
_FLAGS: Final = os.O_RDONLY | sum(getattr(os, name, 0) for name in ("O_BINARY", "O_CLOEXEC", "O_NONBLOCK"))


async def read_small(path: str) -> bytes | None:
    """Return the content of a file; None if it is larger than :data:`SMALL_BYTES`, no regular file, or changes now.

    Raises:
        OSError: It cannot be read.

    A cancelled task leaves at once; what is read for it is dropped.
    """
    return await in_thread(partial(_read, path), DISK)


def _read(path: str) -> bytes | None:
    descriptor = os.open(path, _FLAGS)
    try:
        found = os.fstat(descriptor)
        if not stat.S_ISREG(found.st_mode) or found.st_size > SMALL_BYTES:
            return None
        content = os.read(descriptor, SMALL_BYTES + 1)
    finally:
        os.close(descriptor)
    return content if len(content) == found.st_size else None
