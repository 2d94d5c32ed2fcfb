"""The written form of a journal: one record per line, with a checksum. Pure.

A line is eight hexadecimal digits of CRC32, a space, one JSON object and a newline. The checksum is over the JSON.
Kinds and keys that this version does not know are left out when reading, so that newer versions may add some.
"""

from __future__ import annotations

import base64
import binascii
import os
import zlib
from collections.abc import Callable, Mapping
from dataclasses import MISSING, dataclass, fields
from typing import Any, Final

from asyncclient import _codec
from asyncclient._transfers.guard import check_no_secrets, check_path, redact
from asyncclient._transfers.records import (
    Done,
    End,
    Fail,
    File,
    Job,
    Lease,
    Lost,
    PartDone,
    Record,
    Session,
    Skip,
    Sync,
)
from asyncclient.errors import ArgumentTypeError, DecodeError

__all__ = ["Unknown", "decode_line", "encode_line"]

_Check = Callable[[Any], bool]


@dataclass(frozen=True, slots=True)
class Unknown:
    """An intact line that this version has no use for."""

    kind: str


def _is_int(value: Any) -> bool:
    return type(value) is int and value >= 0


def _is_any_int(value: Any) -> bool:
    return type(value) is int


def _is_number(value: Any) -> bool:
    return type(value) in (int, float) and value >= 0


def _is_text(value: Any) -> bool:
    return isinstance(value, str)


def _is_free_text(value: Any) -> bool:
    return isinstance(value, str)


def _is_path(value: Any) -> bool:
    return isinstance(value, str) or (isinstance(value, Mapping) and isinstance(value.get("b64"), str))


def _is_map(value: Any) -> bool:
    return isinstance(value, dict)


def _is_ints(value: Any) -> bool:
    return isinstance(value, list) and all(map(_is_int, value))


# Attribute, key in the file, what it must be.
_WIRE: Final[dict[type[Record], tuple[tuple[str, str, _Check], ...]]] = {
    Job: (
        ("id", "id", _is_text),
        ("service", "svc", _is_text),
        ("direction", "dir", _is_text),
        ("origin", "origin", _is_text),
        ("library", "lib", _is_text),
        ("options", "opts", _is_map),
        ("version", "v", _is_int),
    ),
    Lease: (
        ("owner", "owner", _is_text),
        ("host", "host", _is_text),
        ("pid", "pid", _is_int),
        ("beat", "beat", _is_number),
        ("machine", "machine", _is_text),
        ("boot", "boot", _is_text),
        ("space", "space", _is_text),
        ("started", "start", _is_text),
    ),
    File: (
        ("n", "n", _is_int),
        ("path", "path", _is_path),
        ("dst", "dst", _is_path),
        ("size", "size", _is_int),
        ("mtime_ns", "mtime_ns", _is_any_int),
        ("ino", "ino", _is_int),
        ("dev", "dev", _is_int),
        ("etag", "etag", _is_text),
    ),
    Session: (
        ("n", "n", _is_int),
        ("upload_id", "upload_id", _is_text),
        ("part", "part", _is_int),
        ("count", "count", _is_int),
        ("expires", "expires", _is_number),
        ("extra", "extra", _is_map),
    ),
    PartDone: (
        ("n", "n", _is_int),
        ("index", "i", _is_int),
        ("offset", "off", _is_int),
        ("length", "len", _is_int),
        ("md5", "md5", _is_text),
        ("etag", "etag", _is_text),
        ("crc32", "crc32", _is_int),
    ),
    Lost: (
        ("n", "n", _is_int),
        ("indices", "i", _is_ints),
    ),
    Sync: (
        ("n", "n", _is_int),
        ("upto", "upto", _is_int),
    ),
    Done: (
        ("n", "n", _is_int),
        ("md5", "md5", _is_text),
        ("remote", "remote", _is_map),
        ("path", "path", _is_path),
        ("size", "size", _is_int),
        ("mtime_ns", "mtime_ns", _is_any_int),
    ),
    Fail: (
        ("n", "n", _is_int),
        ("code", "code", _is_text),
        ("message", "msg", _is_free_text),
    ),
    Skip: (
        ("n", "n", _is_int),
        ("reason", "why", _is_free_text),
    ),
    End: (
        ("ok", "ok", _is_int),
        ("failed", "failed", _is_int),
    ),
}

_KINDS: Final = {kind.kind: kind for kind in _WIRE}
_REQUIRED: Final = {
    kind: frozenset(
        entry.name for entry in fields(kind) if entry.default is MISSING and entry.default_factory is MISSING
    )
    for kind in _WIRE
}


def encode_line(record: Record) -> bytes:
    """Write a record as one line.

    Raises:
        ArgumentError: A value looks like a secret.
        ArgumentTypeError: A value has the wrong type.
    """
    found: dict[str, Any] = {"t": record.kind}
    for name, key, check in _WIRE[type(record)]:
        value = getattr(record, name)
        if value is not None and value != {}:
            found[key] = _outward(value, check, f"{record.kind}.{name}")
    text = _codec.encode(found, operation="journal")
    return b"%08x %b\n" % (zlib.crc32(text), text)


def _outward(value: Any, check: _Check, where: str) -> Any:
    if not check(value):
        raise ArgumentTypeError(f"{where} cannot be {type(value).__name__}", argument=where)
    if check is _is_path:
        check_path(value, where=where)
        return _path_out(value)
    if check is _is_free_text:  # the text of an error must never keep the error from being recorded
        return redact(value).encode("utf-8", "replace").decode()
    check_no_secrets(value, where=where)
    return value


def decode_line(line: bytes) -> Record | Unknown | None:
    """Read one line without its newline; None if it is damaged.

    An intact line of unknown kind or with unusable values is :class:`Unknown`.
    """
    # Compared with exactly what encode_line writes: int() alone would also take "+1" and "_".
    if line[:9] != b"%08x " % zlib.crc32(line[9:]):
        return None
    try:
        value = _codec.decode_json(line[9:])
    except DecodeError:
        return None
    if not isinstance(value, dict) or not isinstance(value.get("t"), str):
        return None
    kind = _KINDS.get(value["t"])
    return Unknown(value["t"]) if kind is None else _build(kind, value)


def _build(kind: type[Record], value: dict[str, Any]) -> Record | Unknown:
    arguments: dict[str, Any] = {}
    for name, key, check in _WIRE[kind]:
        found = value.get(key)
        if found is None:
            if name in _REQUIRED[kind]:
                return Unknown(kind.kind)
            continue
        if not check(found):
            return Unknown(kind.kind)
        try:
            arguments[name] = _path_in(found) if check is _is_path else found
        except binascii.Error:
            return Unknown(kind.kind)
    return kind(**arguments)


def _path_out(path: str) -> str | dict[str, str]:
    """Names that are no UTF-8 travel as base64 of their bytes."""
    try:
        path.encode()
    except UnicodeEncodeError:
        return {"b64": base64.b64encode(os.fsencode(path)).decode("ascii")}
    return path


def _path_in(value: str | dict[str, str]) -> str:
    return value if isinstance(value, str) else os.fsdecode(base64.b64decode(value["b64"], validate=True))
