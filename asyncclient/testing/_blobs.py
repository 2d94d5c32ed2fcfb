"""Files an emulator was given: small ones in memory, others in a temporary directory that disappears with it."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import shutil
import tempfile
import uuid
import weakref
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from asyncclient.testing._contract import Refusal
from asyncclient.testing._ranges import Span

__all__ = ["Blob", "BlobStore"]

T = TypeVar("T")

_PIECE_BYTES = 1024 * 1024  # one hop to a thread per piece; smaller ones cost more in hops than they save on the loop
_SMALL_BYTES = 256 * 1024  # up to here the digest takes less time than the hop
_MEMORY_BYTES = 64 * 1024 * 1024  # small files beyond this sum go to the disk as well
_HEAD_BYTES = 64


@dataclass(frozen=True, slots=True)
class Blob:
    """A stored file.

    Attributes:
        md5: Digest in base64, as the services give it.
        head: The first bytes, to tell its type.
        content: The bytes themselves, where they lie, or None if the store keeps digests only.
    """

    size_bytes: int
    md5: str
    head: bytes
    content: bytes | Path | None


class _Incoming:
    """One file while it arrives: a piece is digested and written in a thread while the next one is received."""

    def __init__(self, path: Path | None) -> None:
        self.path = path
        self._md5 = hashlib.md5(usedforsecurity=False)
        self._file = None if path is None else path.open("wb")
        self.head = b""
        self.size_bytes = 0
        self._running: asyncio.Future[None] | None = None

    async def feed_in_thread(self, pieces: list[bytes]) -> None:
        await self.settle()
        self._running = asyncio.get_running_loop().run_in_executor(None, self.feed, pieces)

    async def settle(self) -> None:
        """Wait until what was fed is stored."""
        if self._running is not None:
            await asyncio.wait((self._running,))  # unlike awaiting it, this does not cancel it when we are cancelled
            running, self._running = self._running, None
            running.result()

    def feed(self, pieces: list[bytes]) -> None:
        for piece in pieces:
            if len(self.head) < _HEAD_BYTES:
                self.head += piece[: _HEAD_BYTES - len(self.head)]
            self._md5.update(piece)
            self.size_bytes += len(piece)
            if self._file is not None:
                self._file.write(piece)

    def finish(self, content: bytes | None = None) -> Blob:
        self.close()
        digest = base64.b64encode(self._md5.digest()).decode()
        return Blob(self.size_bytes, digest, self.head, self.path if content is None else content)

    def close(self) -> None:
        if self._file is not None:
            self._file.close()

    def abandon(self) -> None:
        """Delete what is there, as soon as no thread works on it any longer."""
        running, self._running = self._running, None
        if running is not None and not running.done():
            running.add_done_callback(lambda _: self.abandon())
            return
        self.close()
        if self.path is not None:
            self.path.unlink(missing_ok=True)


class BlobStore:
    """Takes files in and hands them out in large pieces, without blocking the loop.

    Args:
        keep: False: compute size and digest, then forget the bytes. For benchmarks of uploads.
    """

    def __init__(self, *, keep: bool = True) -> None:
        self._keep = keep
        self._held_bytes = 0
        self._folder: Path | None = None
        self._cleanup: weakref.finalize[..., BlobStore] | None = None

    def put(self, content: bytes) -> Blob:
        """Store bytes at hand."""
        incoming = _Incoming(None)
        incoming.feed([content])
        self._held_bytes += len(content)
        return incoming.finish(content)

    async def receive(self, chunks: AsyncIterator[bytes], *, limit_bytes: int) -> Blob:
        """Store a body as it arrives.

        Raises:
            Refusal: 413, it is larger than ``limit_bytes``. Nothing is kept then, nor when the body breaks off.
        """
        pieces, waiting, total = [], 0, 0
        incoming: _Incoming | None = None
        try:
            async for chunk in chunks:
                pieces.append(chunk)
                waiting += len(chunk)
                total += len(chunk)
                if total > limit_bytes:
                    raise Refusal(413, f"the file is larger than {limit_bytes} bytes")
                if waiting >= _PIECE_BYTES:
                    incoming = incoming or _Incoming(self._new_path())
                    batch, pieces, waiting = pieces, [], 0
                    await incoming.feed_in_thread(batch)
            if incoming is None and self._fits_memory(total):
                return self.put(b"".join(pieces))
            incoming = incoming or _Incoming(self._new_path())
            await incoming.feed_in_thread(pieces)
            await incoming.settle()
            return incoming.finish()
        except BaseException:
            if incoming is not None:
                incoming.abandon()
            raise

    def _fits_memory(self, size: int) -> bool:
        return self._keep and size <= _SMALL_BYTES and self._held_bytes + size <= _MEMORY_BYTES

    def _new_path(self) -> Path | None:
        if not self._keep:
            return None
        if self._folder is None:
            self._folder = Path(tempfile.mkdtemp(prefix="asyncclient-emulator-"))
            self._cleanup = weakref.finalize(self, shutil.rmtree, self._folder, ignore_errors=True)
        return self._folder / uuid.uuid4().hex

    def discard(self, blob: Blob) -> None:
        """Forget a file."""
        if isinstance(blob.content, Path):
            blob.content.unlink(missing_ok=True)
        elif blob.content is not None:
            self._held_bytes -= blob.size_bytes

    async def chunks(self, blob: Blob, span: Span | None = None) -> AsyncGenerator[bytes, None]:
        """Hand out a file whose bytes are kept, or a part of it."""
        assert blob.content is not None
        part = span or Span(0, blob.size_bytes)
        if isinstance(blob.content, bytes):
            yield blob.content[part.start : part.stop]
            return
        left = part.stop - part.start
        with blob.content.open("rb") as file:  # buffered: closing waits for a read that a cancelled task left behind
            file.seek(part.start)
            while left and (piece := await _in_thread(file.read, min(left, _PIECE_BYTES))):
                left -= len(piece)
                yield piece

    def close(self) -> None:
        """Delete all files."""
        self._held_bytes = 0
        self._folder = None
        if self._cleanup is not None:
            self._cleanup()


async def _in_thread(function: Callable[..., T], *arguments: Any) -> T:
    return await asyncio.get_running_loop().run_in_executor(None, function, *arguments)
