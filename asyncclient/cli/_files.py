"""Which files the demo moves."""

from __future__ import annotations

import base64
import hashlib
import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from asyncclient.cli._errors import Problem

__all__ = ["Item", "md5_of", "scan"]


@dataclass(frozen=True, slots=True)
class Item:
    """One file.

    Attributes:
        path: Where it is.
        name: Its path below the folder, as text that can be sent and shown.
        size_bytes: Its size when the folder was read.
    """

    path: Path
    name: str
    size_bytes: int

    def __str__(self) -> str:
        return self.name


def scan(folder: Path) -> list[Item]:
    """Return the regular files of a folder and its subfolders, sorted by name.

    Raises:
        Problem: There is no such folder, it holds no files, or one of them cannot be read.
    """
    if not folder.exists():
        raise Problem(f"{folder}: there is no such folder")
    if not folder.is_dir():
        raise Problem(f"{folder}: is a file; give the folder it is in")
    try:
        items = sorted(_walk(folder), key=lambda item: item.name)
    except OSError as error:
        raise Problem(f"{error.filename}: cannot be read: {error.strerror}") from error
    if not items:
        raise Problem(f"{folder}: holds no files")
    return items


def _walk(folder: Path) -> Iterator[Item]:
    def stop(error: OSError) -> None:
        raise error

    for parent, _, names in os.walk(folder, onerror=stop):
        for name in names:
            path = Path(parent, name)
            if not stat.S_ISREG(path.stat().st_mode):  # opening a pipe or a device could wait for ever
                continue
            with path.open("rb") as file:
                size_bytes = os.fstat(file.fileno()).st_size
            yield Item(path, os.fsencode(path.relative_to(folder)).decode("utf-8", "replace"), size_bytes)


def md5_of(path: Path) -> str:
    """Return the md5 of a file in base64, as the service writes it; blocks."""
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, lambda: hashlib.md5(usedforsecurity=False)).digest()
    return base64.b64encode(digest).decode("ascii")
