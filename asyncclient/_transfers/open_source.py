"""``as_source``: whatever a user hands in becomes a :class:`~asyncclient._transfers.source.Source`."""

from __future__ import annotations

import inspect
import io
import os
from collections.abc import AsyncIterable, Iterable
from pathlib import Path
from typing import Any, Final

from asyncclient._transfers.source import Source
from asyncclient._transfers.source_file import adopt_file, open_path
from asyncclient._transfers.source_memory import MemorySource, view_bytes
from asyncclient._transfers.source_stream import (
    ObjectSource,
    from_async_iterable,
    from_iterable,
    from_reader,
    is_async_file,
)
from asyncclient.errors import ArgumentError, ArgumentTypeError

__all__ = ["as_source"]

_ACCEPTED: Final = "a path, bytes, an array, a binary file object, or an iterable of bytes, sync or async"


async def as_source(value: Any, *, size: int | None = None, name: str | None = None) -> Source:
    """Prepare something for upload; close the result with ``aclose``.

    Args:
        value: A path (text is always one), anything with a buffer (bytes, ``array``, numpy), a binary file object, sync
            or async, an iterator of bytes, sync or async. File objects are sent from their position on, and stay open.
        size: Bytes of a stream that does not know it itself.
        name: A file name, for what has none.

    Raises:
        ArgumentTypeError: It is none of the accepted forms, or a text file.
        ArgumentError: It is not a regular file, or an array that is not contiguous.
        OSError: The file cannot be opened.
    """
    if isinstance(value, (str, os.PathLike)):
        return await open_path(_path(value))
    if isinstance(value, (bytes, bytearray, memoryview)) or _exports_buffer(value):
        return MemorySource(value if isinstance(value, bytes) else view_bytes(value), name=name)
    if callable(getattr(value, "read", None)):
        return await _from_file(value, size, name or _file_name(value))
    if isinstance(value, AsyncIterable):
        return from_async_iterable(value, size=size, name=name)
    if isinstance(value, Iterable):
        return from_iterable(value, size=size, name=name)
    raise ArgumentTypeError(f"source must be {_ACCEPTED}, not {type(value).__name__}", argument="source")


async def _from_file(file: Any, size: int | None, name: str | None) -> Source:
    if isinstance(file, io.TextIOBase):
        raise ArgumentTypeError("a text file cannot be sent; open it in binary mode", argument="source")
    if not is_async_file(file):
        found = await adopt_file(file)
        if found is not None:
            found.name = name
            return found
    if await _seekable(file):
        return await ObjectSource.of(file, name=name)
    return from_reader(file, size=size, name=name)


async def _seekable(file: Any) -> bool:
    ask = getattr(file, "seekable", None)
    if ask is None:
        return callable(getattr(file, "seek", None)) and callable(getattr(file, "tell", None))
    answer = ask()
    return bool(await answer if inspect.isawaitable(answer) else answer)


def _path(value: str | os.PathLike[Any]) -> Path:
    path = os.fsdecode(value)
    if "\0" in path:
        raise ArgumentError("a path must not hold a NUL character", argument="source")
    return Path(path).absolute()


def _exports_buffer(value: Any) -> bool:
    # array.array and memory maps are iterable, and mmap even reads like a file: the buffer comes first.
    try:
        memoryview(value).release()
    except TypeError:
        return hasattr(value, "__array_interface__")  # numpy's datetimes: refused with a reason, not iterated
    except (ValueError, BufferError):
        return True
    return True


def _file_name(file: Any) -> str | None:
    name = getattr(file, "name", None)
    return Path(name).name if isinstance(name, str) and not name.startswith("<") else None
