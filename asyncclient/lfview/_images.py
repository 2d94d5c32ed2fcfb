"""Images: files on disk, opened when read, or file objects."""

from __future__ import annotations

import hashlib
import io
import os
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, BinaryIO, Final, Protocol, Self, TypeAlias

from pydantic import PrivateAttr

from asyncclient.lfview._base import Resource
from asyncclient.lfview._kinds import shown
from asyncclient.lfview.exceptions import Problem, ValidationError

__all__ = ["ImageContent", "ImageLike", "PathFile"]

_CHUNK: Final = 1 << 20


class _File(Protocol):
    def read(self, size: int = -1, /) -> bytes: ...
    def seek(self, offset: int, whence: int = 0, /) -> int: ...


ImageLike: TypeAlias = "str | os.PathLike[str] | bytes | _File | BinaryIO"
"""A path, the bytes, or a binary file object that can seek."""


class PathFile:
    """A file on disk that is open only while it is read, so that thousands of images need no open files.

    Attributes:
        path: Where it is.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = Path(path)
        self._position = 0

    @property
    def name(self) -> str:
        """The path as text."""
        return str(self.path)

    def read(self, size: int = -1, /) -> bytes:
        """Return the next ``size`` bytes; all that is left for -1."""
        with self.path.open("rb") as file:
            file.seek(self._position)
            data = file.read(size)
        self._position += len(data)
        return data

    def seek(self, offset: int, whence: int = os.SEEK_SET, /) -> int:
        """Move to a place, as files do; return it."""
        start = {os.SEEK_SET: 0, os.SEEK_CUR: self._position, os.SEEK_END: self.stat().st_size}[whence]
        if start + offset < 0:
            raise ValueError("before the start of the file")
        self._position = start + offset
        return self._position

    def tell(self) -> int:
        """Return the place of the next read."""
        return self._position

    def readable(self) -> bool:
        """Return True."""
        return True

    def seekable(self) -> bool:
        """Return True."""
        return True

    def stat(self) -> os.stat_result:
        """Return size, times and number of the file."""
        return self.path.stat()

    def close(self) -> None:
        """Do nothing: nothing is left open."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"PathFile({self.name!r})"


class ImageContent(Resource):
    """What an image is beside its metadata: the file.

    ``Image("a.png")`` or ``Image(image=...)`` takes a path, bytes, or a binary file object; it fills
    ``content_length``. Neither signature nor size of the picture is looked at. A path must exist when it is given and
    is opened when it is read; a file object stays the caller's to close.
    """

    _image: Any = PrivateAttr(None)
    _digest: bytes = PrivateAttr(b"")

    if TYPE_CHECKING:
        content_length: int | None

    def __init__(self, image: ImageLike | None = None, **values: Any) -> None:
        super().__init__(**values)
        if image is not None:
            self.image = image

    @property
    def image(self) -> Any:
        """The file, with ``read`` and ``seek``, or None."""
        return self._image

    @image.setter
    def image(self, value: ImageLike | None) -> None:
        file = None if value is None else _opened(value)
        if file is not None:
            try:
                self.content_length = _length(file)
            except (OSError, ValueError, TypeError, AttributeError) as error:
                raise _refusal(f"cannot be read: {error}") from error
        self._image, self._digest = file, b""

    @classmethod
    def from_value(cls, value: Any) -> Self:
        return cls(value) if _is_file(value) else super().from_value(value)

    def content_digest(self) -> bytes:
        """Return what changes when the content does: size and time of a path, else a digest of the bytes.

        A file object that can no longer be read counts as unchanged.
        """
        if isinstance(self._image, PathFile):
            self._digest = _stamp(self._image)
        elif self._image is not None:
            self._digest = _read_digest(self._image) or self._digest
        return b"" if self._image is None else self._digest

    def _own_problems(self) -> Iterator[Problem]:
        if self._image is None:
            return
        try:
            length = _length(self._image)
        except (OSError, ValueError) as error:
            if self.url is None or self._touched:  # a file that was sent may be closed or gone
                yield Problem("image", f"cannot be read: {error}")
            return
        if length != self.content_length:
            yield Problem("image", f"has {length} bytes, content_length is {self.content_length}: assign image again")


def _is_file(value: object) -> bool:
    return hasattr(value, "read") and hasattr(value, "seek") and not isinstance(value, io.TextIOBase)


def _opened(value: ImageLike) -> Any:
    if isinstance(value, (str, os.PathLike)):
        return PathFile(value)
    if isinstance(value, (bytes, bytearray, memoryview)):
        return io.BytesIO(value)
    if _is_file(value):
        return value
    raise _refusal(f"expected a path, bytes or a binary file object, got {shown(value)}")


def _refusal(message: str) -> ValidationError:
    return ValidationError([Problem("image", message)])


def _length(file: Any) -> int:
    if isinstance(file, PathFile):
        return file.stat().st_size
    file.seek(0, os.SEEK_END)
    length = int(file.tell())
    file.seek(0)
    return length


def _stamp(file: PathFile) -> bytes:
    try:
        found = file.stat()
    except OSError:
        return b"gone"
    return f"{found.st_size}:{found.st_mtime_ns}:{found.st_ino}".encode()


def _read_digest(file: Any) -> bytes:
    digest = hashlib.blake2b(digest_size=16)
    try:
        file.seek(0)
        while chunk := file.read(_CHUNK):
            digest.update(chunk)
        file.seek(0)
    except (OSError, ValueError):  # closed by its owner
        return b""
    return digest.digest()
