"""Conversions of datetimes and JSON, digests, and small helpers, under their official names.

Datetimes are naive and mean UTC. In JSON they are text: ``2020-06-20T20:19:15Z`` (API form), or
``2020-06-20_20-19-15`` (the form in names of files).
"""

from __future__ import annotations

import contextlib
import datetime as dt
import functools
import hashlib
import inspect
import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any, Final, TypeVar

from asyncclient.errors import ArgumentError, ArgumentTypeError
from asyncclient.sticky_pi._fetching import AsyncURLOrFileOpen, URLOrFileOpen

__all__ = [
    "AsyncURLOrFileOpen",
    "URLOrFileOpen",
    "chunker",
    "datetime_to_string",
    "json_inputs_to_python",
    "json_io_converter",
    "json_out_parser",
    "md5",
    "multipart_etag",
    "profiled",
    "python_inputs_to_json",
    "string_to_datetime",
]

F = TypeVar("F", bound=Callable[..., Any])

_DATETIME: Final = dt.datetime
_API_FORM: Final = "%Y-%m-%dT%H:%M:%SZ"
_FILE_FORM: Final = "%Y-%m-%d_%H-%M-%S"
_API_TEXT: Final = re.compile(r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}Z", re.ASCII)
_FILE_TEXT: Final = re.compile(r"\d{4}-\d{2}-\d{2}_\d{2}-\d{2}-\d{2}", re.ASCII)


def string_to_datetime(string: str, is_filename: bool = False, format: str | None = None) -> dt.datetime:  # noqa: A002
    """Read a datetime.

    Args:
        string: The text.
        is_filename: Whether it has the form that names of files have.
        format: A pattern of ``strptime``, in place of both forms.

    Raises:
        ValueError: The text has another form.
    """
    if format is None and not is_filename and _API_TEXT.fullmatch(string):
        try:  # ten times as fast; what it refuses is refused below, with a reason
            return dt.datetime.fromisoformat(string[:-1])
        except ValueError:
            pass
    return dt.datetime.strptime(string, format or (_FILE_FORM if is_filename else _API_FORM))


def datetime_to_string(dt: Any) -> str | None:
    """Write a datetime in the API form; None, and what a table library has for a missing one, gives None.

    Parts of seconds are cut. A time zone is ignored, not converted.
    """
    if dt is None or dt != dt:  # only a missing value differs from itself
        return None
    if type(dt) is _DATETIME and dt.tzinfo is None:  # nearly always, and twice as fast
        return dt.isoformat(timespec="seconds") + "Z"
    text: str = dt.strftime(_API_FORM)
    return text.zfill(len("2020-06-20T20:19:15Z"))  # years before 1000 lack zeros on some systems


def json_io_converter(o: Any) -> Any:
    """Turn what JSON has no form for into what it has one for: the ``default`` hook for writing.

    Raises:
        ArgumentTypeError: It has none: sets, bytes, dates without time, and other objects.
    """
    if isinstance(o, dt.datetime):
        return datetime_to_string(o)
    if isinstance(o, Decimal):
        return float(o)
    if hasattr(o, "read"):
        return o
    raise ArgumentTypeError(f"Un-parsable json object: {o}")


def json_out_parser(o: dict[str, Any]) -> dict[str, Any]:
    """Turn the texts of a dict that are datetimes into datetimes, in place: the ``object_hook`` for reading.

    Returns:
        The same dict.

    Raises:
        ValueError: A text has the form of a datetime, and is none.
    """
    for key, value in o.items():
        if isinstance(value, str) and len(value) in (19, 20):
            if _API_TEXT.fullmatch(value):
                o[key] = string_to_datetime(value)
            elif _FILE_TEXT.fullmatch(value):
                o[key] = string_to_datetime(value, is_filename=True)
    return o


def python_inputs_to_json(func: F) -> F:
    """Decorate a method, or coroutine method: its arguments pass through JSON, so that datetimes become texts."""
    return _converted(func, _to_json)


def json_inputs_to_python(func: F) -> F:
    """Decorate a method, or coroutine method: its arguments pass through JSON, and texts become datetimes."""
    return _converted(func, _to_python)


def _to_json(value: Any) -> Any:
    return json.loads(json.dumps(value, default=json_io_converter))


def _to_python(value: Any) -> Any:
    return json.loads(json.dumps(value, default=json_io_converter), object_hook=json_out_parser)


def _converted(func: F, convert: Callable[[Any], Any]) -> F:
    if inspect.iscoroutinefunction(func):

        @functools.wraps(func)
        async def waiting(self: Any, *args: Any, **kwargs: Any) -> Any:
            return await func(self, *[convert(arg) for arg in args], **{k: convert(v) for k, v in kwargs.items()})

        return waiting  # type: ignore[return-value]  # it has the signature of what it wraps

    @functools.wraps(func)
    def plain(self: Any, *args: Any, **kwargs: Any) -> Any:
        return func(self, *[convert(arg) for arg in args], **{k: convert(v) for k, v in kwargs.items()})

    return plain  # type: ignore[return-value]  # it has the signature of what it wraps


def chunker(seq: Sequence[Any] | Mapping[Any, Any], size: int) -> Iterator[Any]:
    """Yield pieces of a sequence, or of a dict, in order; the last one may be shorter.

    Args:
        seq: A list, text, tuple or dict.
        size: Items in each piece.

    Raises:
        ArgumentError: The size is less than 1.
    """
    if size < 1:
        message = "range() arg 3 must not be zero" if size == 0 else f"size must be at least 1, not {size}"
        raise ArgumentError(message, argument="size")
    if isinstance(seq, Mapping):
        items = list(seq.items())
        yield from (dict(items[start : start + size]) for start in range(0, len(items), size))
    else:
        yield from (seq[start : start + size] for start in range(0, len(seq), size))


def md5(file: Any, chunk_size: int = 32768) -> str:
    """Compute the md5 of a file; blocking.

    Args:
        file: A path, or a binary file: it is read from where it stands to its end, and stands at its start afterwards.
        chunk_size: Bytes read at a time.

    Returns:
        32 hexadecimal digits.
    """
    digest = hashlib.md5(usedforsecurity=False)
    with _opened(file) as opened:
        while piece := opened.read(chunk_size):
            digest.update(piece)
    return digest.hexdigest()


def multipart_etag(file: Any, chunk_size: int) -> str:
    """Compute the entity tag that object storage gives to an upload in parts; blocking.

    Args:
        file: A path, or a binary file: it is read from its start, and stands there afterwards.
        chunk_size: Bytes of each part.

    Returns:
        The md5 where one part is enough, else the md5 of the md5s of the parts, ``-``, and their number. Empty for an
        empty file, although storage reports the md5 of nothing for that.
    """
    if chunk_size < 1:
        raise ArgumentError(f"chunk_size must be at least 1, not {chunk_size}", argument="chunk_size")
    digests = []
    with _opened(file) as opened:
        opened.seek(0)
        while (digest := _md5_of_part(opened, chunk_size)) is not None:
            digests.append(digest)
    if len(digests) < 2:
        return digests[0].hex() if digests else ""
    return f"{hashlib.md5(b''.join(digests), usedforsecurity=False).hexdigest()}-{len(digests)}"


_READ_BYTES: Final = 1024 * 1024


def _md5_of_part(file: Any, size: int) -> bytes | None:
    digest, left = hashlib.md5(usedforsecurity=False), size
    while left and (piece := file.read(min(left, _READ_BYTES))):
        digest.update(piece)
        left -= len(piece)
    return digest.digest() if left < size else None


@contextlib.contextmanager
def _opened(file: Any) -> Iterator[Any]:
    """Open a path, or take a file that is open already and rewind it afterwards."""
    if hasattr(file, "read"):
        yield file
        file.seek(0)
        return
    with Path(file).open("rb", buffering=0) as opened:
        yield opened


@contextlib.contextmanager
def profiled() -> Iterator[None]:
    """Print the 100 most expensive calls of a block to standard output, by the time spent in them and below."""
    import cProfile  # only for those who look for what is slow
    import pstats

    profile = cProfile.Profile()
    profile.enable()
    try:
        yield
    finally:
        profile.disable()
        pstats.Stats(profile).sort_stats("cumulative").print_stats(100)
