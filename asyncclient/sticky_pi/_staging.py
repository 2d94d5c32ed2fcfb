"""Files that become visible all at once, after everything that can fail has been done.

Content is first staged: written beside its final place and flushed to the disk, or kept for one upload. Publishing then
is a rename, or that upload.
"""

from __future__ import annotations

import abc
import contextlib
import io
import os
import secrets
import shutil
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, BinaryIO, Final

from asyncclient.sticky_pi._private import make_private_folder
from asyncclient.sticky_pi._refusals import BadInput

__all__ = ["DiskStaging", "Staged", "as_bytes", "encode_image"]

_FOLDER: Final = ".incoming"
_ABANDONED_S: Final = 24 * 3600
_COPY_BYTES: Final = 1024 * 1024


class Staged(abc.ABC):
    """Content on its way."""

    @abc.abstractmethod
    async def publish(self) -> None:
        """Make the content visible under its keys, in place of what may be there."""

    @abc.abstractmethod
    async def discard(self) -> None:
        """Forget content that was not published. May be repeated."""


class DiskStaging:
    """Writes, renames and removes files under a folder; blocking.

    Args:
        root: The folder.
    """

    def __init__(self, root: str) -> None:
        self._root = Path(root)
        self._incoming = self._root / _FOLDER

    def clean(self) -> None:
        """Make the folder, and remove what a process left that died a day ago or earlier."""
        make_private_folder(self._root)
        make_private_folder(self._incoming)
        for path in self._incoming.iterdir():
            with contextlib.suppress(OSError):
                if time.time() - path.stat().st_mtime > _ABANDONED_S:
                    path.unlink()

    def write(self, files: Mapping[str, Any]) -> dict[str, Path]:
        """Write contents (bytes, paths or open files) under other names; return where, by key."""
        written: dict[str, Path] = {}
        try:
            for key, content in files.items():
                written[key] = self.temporary()
                self._write_one(written[key], content)
        except BaseException:
            self.remove(written)
            raise
        return written

    def temporary(self) -> Path:
        """Return a name for a new file that is on the same file system."""
        make_private_folder(self._incoming)
        return self._incoming / secrets.token_hex(12)

    def _write_one(self, path: Path, content: Any) -> None:
        with path.open("xb") as target:
            if isinstance(content, bytes):
                target.write(content)
            else:
                with _reading(content) as source:
                    shutil.copyfileobj(source, target, _COPY_BYTES)
            target.flush()
            os.fsync(target.fileno())

    def publish(self, written: Mapping[str, Path]) -> None:
        """Rename what was written to where it belongs."""
        for key, path in written.items():
            final = self._root / key
            final.parent.mkdir(parents=True, exist_ok=True)
            path.replace(final)

    @staticmethod
    def remove(written: Mapping[str, Path]) -> None:
        """Remove what was written."""
        for path in written.values():
            path.unlink(missing_ok=True)

    def delete(self, keys: list[str]) -> None:
        """Delete files; what is not there counts as deleted."""
        for key in keys:
            (self._root / key).unlink(missing_ok=True)

    def delete_folder(self, key: str) -> None:
        """Delete a folder with everything in it."""
        shutil.rmtree(self._root / key, ignore_errors=False, onerror=_unless_missing)


def _unless_missing(_function: Any, _path: Any, info: Any) -> None:
    if not isinstance(info[1], FileNotFoundError):
        raise info[1]


@contextlib.contextmanager
def _reading(content: Any) -> Any:
    if hasattr(content, "read"):
        content.seek(0)
        yield content
        return
    if not isinstance(content, (str, os.PathLike)):
        raise BadInput(f"a file must be a path or an open file, not {type(content).__name__}")
    with Path(content).open("rb") as opened:
        yield opened


def as_bytes(content: Any) -> bytes:
    """Return the content of a path or open file; bytes as they are; blocking."""
    if isinstance(content, bytes):
        return content
    opened: BinaryIO
    with _reading(content) as opened:
        return opened.read()


def encode_image(image: Any) -> bytes:
    """Write a picture as JPEG, as the platform does: quality 75, no EXIF data; blocking."""
    buffer = io.BytesIO()
    image.save(buffer, "JPEG")
    return buffer.getvalue()
