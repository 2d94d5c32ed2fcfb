"""Undoing gzip and deflate of a stream, a little at a time: a few bytes may stand for gigabytes."""

from __future__ import annotations

import zlib
from collections.abc import AsyncIterator
from typing import Final

from asyncclient._transfers.hops import run_hop
from asyncclient._transfers.windows import WINDOW_BYTES
from asyncclient.errors import ReadError, RemoteProtocolError

__all__ = ["Inflater"]

_KNOWN: Final = frozenset({"gzip", "x-gzip", "deflate"})
# zlib: 32 + 15 finds out by itself whether it is gzip or zlib.
_EITHER: Final = 47
_INLINE_BYTES: Final = 16 * 1024


class Inflater:
    """Decodes one body.

    Args:
        encoding: The ``Content-Encoding``.

    Raises:
        RemoteProtocolError: The encoding is not known; nobody asked for it.
    """

    def __init__(self, encoding: str) -> None:
        if encoding not in _KNOWN:
            raise RemoteProtocolError(f"the content comes as {encoding[:40]!r}, which was not asked for")
        self._engine = zlib.decompressobj(_EITHER)
        self._begun = False

    async def feed(self, data: bytes) -> AsyncIterator[bytes]:
        """Yield what a piece decodes to, at most 1 MiB at a time."""
        rest = data
        while rest:
            if len(rest) < _INLINE_BYTES:
                piece, rest = self._step(rest)
            else:
                piece, rest = await run_hop(self._step, rest)
            if piece:
                yield piece

    def end(self) -> None:
        """Make sure that nothing is missing."""
        if self._begun and not self._engine.eof:
            raise ReadError("the compressed content ends early")

    def _step(self, data: bytes) -> tuple[bytes, bytes]:
        if self._engine.eof:  # gzip allows one member behind another
            self._engine = zlib.decompressobj(_EITHER)
        self._begun = True
        try:
            piece = self._engine.decompress(data, WINDOW_BYTES)
        except zlib.error as error:
            raise RemoteProtocolError(f"the compressed content is damaged: {error}") from None
        return piece, self._engine.unused_data if self._engine.eof else self._engine.unconsumed_tail
