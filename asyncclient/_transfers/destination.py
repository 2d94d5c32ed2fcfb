"""Whether a download can be put where it is to go, seen before anything is asked of a service. Blocking."""

from __future__ import annotations

import errno
import os
from pathlib import Path

__all__ = ["check_destination"]


def check_destination(path: Path, *, overwrite: bool) -> None:
    """Make sure that a file can be made at a path, as far as that can be told without making it.

    Args:
        path: Absolute.
        overwrite: Whether what is there may be replaced.

    Raises:
        IsADirectoryError: There is a folder.
        FileExistsError: There is something, and it must not be replaced.
        NotADirectoryError: What should be a folder above it is none.
        PermissionError: Nothing can be made in the folder.
    """
    if path.is_dir():
        raise _error(errno.EISDIR, path)
    if not overwrite and os.path.lexists(path):
        raise _error(errno.EEXIST, path)
    folder = path.parent
    while not os.path.lexists(folder):
        folder = folder.parent
    if not folder.is_dir():
        raise _error(errno.ENOTDIR, folder)
    if not os.access(folder, os.W_OK | os.X_OK):
        raise _error(errno.EACCES, folder)


def _error(number: int, path: Path) -> OSError:
    return OSError(number, os.strerror(number), str(path))
