"""The bytes of contents: small ones in memory, others in files, all of them in files if they are to outlive the process."""

from __future__ import annotations

import asyncio
import os
import shutil
import tempfile
import weakref
from collections.abc import AsyncGenerator, Callable
from pathlib import Path
from typing import Any, TypeVar

from asyncclient.testing.lfview.ranges import Span

__all__ = ["PIECE_BYTES", "Storage"]

T = TypeVar("T")

PIECE_BYTES = 1024 * 1024  # one hop to a thread per piece; smaller ones cost more in hops than they save on the loop
_SMALL_BYTES = 256 * 1024
_MEMORY_BYTES = 64 * 1024 * 1024  # small contents beyond this sum go to files as well


class Storage:
    """Keeps contents by id, writable at any position.

    Args:
        folder: Where they outlive the process; None: nowhere.
        keep: False: forget all bytes.
    """

    def __init__(self, folder: Path | None, *, keep: bool = True) -> None:
        self._lasting = folder
        self._keep = keep
        self._memory: dict[str, bytearray] = {}
        self._held_bytes = 0
        self._temporary: Path | None = None
        self._cleanup: weakref.finalize[..., Storage] | None = None

    async def write(self, content_id: str, total_bytes: int, position: int, piece: bytes) -> None:
        """Write bytes of a content that will have ``total_bytes``."""
        if not self._keep:
            return
        if content_id in self._memory or self._fits_memory(content_id, total_bytes):
            held = self._memory.setdefault(content_id, bytearray())
            before = len(held)
            held[position : position + len(piece)] = piece
            self._held_bytes += len(held) - before
        else:
            await _in_thread(_write, self._path(content_id), position, piece)

    def _fits_memory(self, content_id: str, total_bytes: int) -> bool:
        if self._lasting is not None or total_bytes > _SMALL_BYTES or self.has(content_id):
            return False
        return self._held_bytes + total_bytes <= _MEMORY_BYTES

    def put(self, content_id: str, content: bytes) -> None:
        """Store bytes at hand."""
        self.discard(content_id)
        _write(self._path(content_id), 0, content)

    def has(self, content_id: str) -> bool:
        """Tell whether there are bytes of this content."""
        return content_id in self._memory or (self._root is not None and (self._root / content_id).exists())

    def get(self, content_id: str, size_bytes: int) -> bytes:
        """Return the first bytes of a content."""
        if content_id in self._memory:
            return bytes(self._memory[content_id][:size_bytes])
        if not self.has(content_id):
            return b""
        with self._path(content_id).open("rb") as file:
            return file.read(size_bytes)

    async def pieces(self, content_id: str, span: Span) -> AsyncGenerator[bytes, None]:
        """Hand out a part of a content in large pieces."""
        if content_id in self._memory or not self.has(content_id):
            yield self.get(content_id, span.stop)[span.start :]
            return
        with self._path(content_id).open("rb") as file:
            file.seek(span.start)
            left = span.stop - span.start
            while left and (piece := await _in_thread(file.read, min(left, PIECE_BYTES))):
                left -= len(piece)
                yield piece

    def discard(self, content_id: str) -> None:
        """Forget a content."""
        self._held_bytes -= len(self._memory.pop(content_id, b""))
        if self._root is not None:
            (self._root / content_id).unlink(missing_ok=True)

    def close(self) -> None:
        """Delete what does not outlive the process."""
        self._memory.clear()
        self._held_bytes = 0
        self._temporary = None
        if self._cleanup is not None:
            self._cleanup()

    @property
    def _root(self) -> Path | None:
        return self._lasting or self._temporary

    def _path(self, content_id: str) -> Path:
        if self._lasting is not None:
            self._lasting.mkdir(parents=True, exist_ok=True)
        elif self._temporary is None:
            self._temporary = Path(tempfile.mkdtemp(prefix="asyncclient-emulator-"))
            self._cleanup = weakref.finalize(self, shutil.rmtree, self._temporary, ignore_errors=True)
        assert self._root is not None
        return self._root / content_id


def _write(path: Path, position: int, piece: bytes) -> None:
    with open(path, "r+b", opener=_create) as file:
        file.seek(position)
        file.write(piece)


def _create(path: str, flags: int) -> int:
    return os.open(path, flags | os.O_CREAT, 0o600)


async def _in_thread(function: Callable[..., T], *arguments: Any) -> T:
    return await asyncio.get_running_loop().run_in_executor(None, function, *arguments)
