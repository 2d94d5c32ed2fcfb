"""Random access to the content of a file at the service."""

from __future__ import annotations

import io
from typing import Any, Final, Self

from asyncclient.errors import ArgumentError
from asyncclient.flywheel.objects._binding import act

__all__ = ["RemoteReader"]

_AHEAD_BYTES: Final = 256 * 1024
"""Bytes fetched at least with one request: small reads mostly follow one another."""


class RemoteReader:
    """Reads a file at the service like an open binary file.

    With an ``AsyncClient``, ``read`` is awaited. With a ``Client`` it gives the bytes, and the reader is what
    ``zipfile.ZipFile`` and others take.

    Args:
        client: Of either kind.
        container_id: What the file lies in.
        name: Of the file.
        size: Of the file, in bytes.
        version: Of the file; None for the newest.
    """

    def __init__(self, client: Any, container_id: str, name: str, size: int, version: int | None = None) -> None:
        self._client = client
        self._place = (container_id, name)
        self._version = version
        self._at = 0
        self._held = b""
        self._held_from = 0
        self.name = name
        self.size = size
        self.mode = "rb"

    def readable(self) -> bool:
        """Return True."""
        return True

    def seekable(self) -> bool:
        """Return True."""
        return True

    def writable(self) -> bool:
        """Return False."""
        return False

    def tell(self) -> int:
        """Return the position."""
        return self._at

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Set the position; nothing is sent."""
        start = {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self.size}.get(whence)
        if start is None or start + offset < 0:
            raise ArgumentError("the position must not be negative, and whence be 0, 1 or 2", argument="offset")
        self._at = start + offset
        return self._at

    def read(self, size: int | None = -1) -> Any:
        """Read some bytes from the position on, or all that follow."""
        return act(self._client, _read, self, -1 if size is None else size)

    def close(self) -> None:
        """Forget what is held."""
        self._held = b""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"<RemoteReader of {self.name!r}, {self.size} bytes>"


async def _read(client: Any, reader: RemoteReader, size: int) -> bytes:
    left = max(0, reader.size - reader._at)
    wanted = left if size < 0 else min(size, left)
    start = reader._at - reader._held_from
    if not 0 <= start <= start + wanted <= len(reader._held):
        length = min(max(wanted, _AHEAD_BYTES), left)
        reader._held = await client.read_range(*reader._place, reader._at, length, version=reader._version)
        reader._held_from, start = reader._at, 0
    found = reader._held[start : start + wanted]
    reader._at += len(found)
    return found
