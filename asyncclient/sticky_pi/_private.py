"""Folders and files that hold secrets: nobody else may read them, unless their owner says so; blocking."""

from __future__ import annotations

import contextlib
import os
import stat
import threading
from pathlib import Path
from typing import Final

__all__ = ["make_private_file", "make_private_folder", "others_may_read"]

_making: Final = threading.Lock()


def make_private_folder(path: Path) -> None:
    """Make a folder that only its owner enters; one that is there keeps its permissions, as do those above."""
    path.mkdir(mode=0o700, parents=True, exist_ok=True)


def make_private_file(path: Path) -> None:
    """Make an empty file that only its owner reads; one that is there keeps its permissions, and is not opened.

    To SQLite an empty file is a new database, and what it writes beside it (``-wal``, ``-shm``, ``-journal``) gets the
    permissions of the database. Where none can be made nothing is raised: SQLite says so better.
    """
    # Closing a file drops all locks that the process has on it, SQLite's too: so it is closed before anybody else gets on.
    with _making, contextlib.suppress(OSError):
        os.close(os.open(os.path.realpath(path), os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))


def others_may_read(path: Path) -> bool:
    """Tell whether every user of the machine may read a file; False where permissions are of another kind."""
    try:
        return os.name == "posix" and bool(path.stat().st_mode & stat.S_IROTH)
    except OSError:
        return False
