"""What can be uploaded."""

from __future__ import annotations

import functools
import io
import os
from collections.abc import Sequence
from typing import Any, Final, NamedTuple

from asyncclient.errors import ArgumentError, ArgumentTypeError

__all__ = ["FileSpec", "Upload", "uploads_of"]

_ACCEPTED: Final = "a path (str or Path), a FileSpec, or a list of these"
_FORBIDDEN_NAMES: Final = frozenset({"", ".", ".."})


class FileSpec:
    """A file to upload: a path, or a name with contents.

    Args:
        name: Path of the file; with ``contents``, the name it gets.
        contents: Bytes, text (sent as UTF-8) or a binary file object.
        content_type: Media type. Default: by the extension of the name.
        size: Bytes, where a file object cannot tell.

    Raises:
        ArgumentError: The name is empty, ``.`` or ``..``.
    """

    def __init__(
        self,
        name: str | os.PathLike[str],
        contents: bytes | str | Any = None,
        content_type: str | None = None,
        size: int | None = None,
    ) -> None:
        given: object = name
        if not isinstance(given, (str, os.PathLike)):
            raise ArgumentTypeError(f"name must be text or a path, not {type(name).__name__}", argument="name")
        self.name: str = os.fspath(given)
        self.contents = contents
        self.size = size
        self.content_type = content_type or _content_type(self.name)

    @property
    def file_name(self) -> str:
        """The name the file gets at the service."""
        return self.name if self.contents is not None else os.path.basename(self.name)  # noqa: PTH119  # text stays text

    def to_file_tuple(self) -> tuple[str, Any, str]:
        """Return name, something readable, and media type; a path is opened, and the caller closes it."""
        if self.contents is None:
            from pathlib import Path

            return self.file_name, Path(self.name).open("rb"), self.content_type
        return self.file_name, self.contents, self.content_type

    def __repr__(self) -> str:
        return f"FileSpec({self.name!r})"


def _content_type(name: str) -> str:
    stem, dot, suffix = os.path.basename(name).rpartition(".")  # noqa: PTH119  # no path object for each of many files
    if not stem or not dot or "." in stem or ":" in name:
        return _guess(name)
    return _guess_suffix(suffix)


@functools.lru_cache(maxsize=64)
def _guess_suffix(suffix: str) -> str:
    return _guess(f"name.{suffix}")


def _guess(name: str) -> str:
    import mimetypes  # with the first file, not with the package

    return mimetypes.guess_type(name)[0] or "application/octet-stream"


class Upload(NamedTuple):
    """One file on its way: the name it gets, what is read (text is a path), its media type."""

    name: str
    source: Any
    content_type: str


def uploads_of(value: Any, *, argument: str) -> list[Upload]:
    """Return the files that were given, each checked.

    Raises:
        ArgumentTypeError: It is none of the accepted forms.
        ArgumentError: A name cannot be one, or a path holds a NUL character.
    """
    several = isinstance(value, Sequence) and not isinstance(value, (str, bytes, bytearray))
    return [_upload(item, argument) for item in (value if several else [value])]


def _upload(value: Any, argument: str) -> Upload:
    if isinstance(value, (str, os.PathLike)):
        value = FileSpec(value)
    if not isinstance(value, FileSpec):
        raise ArgumentTypeError(f"{argument} must be {_ACCEPTED}, not {type(value).__name__}", argument=argument)
    name, contents = value.file_name, value.contents
    if "\0" in value.name:
        raise ArgumentError(f"{argument}: a name must not hold a NUL character", argument=argument)
    if name in _FORBIDDEN_NAMES:
        raise ArgumentError(f"{argument}: {value.name!r} names no file", argument=argument)
    if contents is None:
        return Upload(name, value.name, value.content_type)
    if isinstance(contents, str):
        contents = contents.encode("utf-8")
    elif isinstance(contents, io.TextIOBase):
        raise ArgumentTypeError(
            f"{argument}: contents must be bytes, text or a binary file object, not a text file", argument=argument
        )
    elif not isinstance(contents, (bytes, bytearray, memoryview)) and not hasattr(contents, "read"):
        raise ArgumentTypeError(
            f"{argument}: contents must be bytes, text or a binary file object, not {type(contents).__name__}",
            argument=argument,
        )
    return Upload(name, contents, value.content_type)
