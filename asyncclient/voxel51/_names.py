"""Names that the platform gives, made safe before they become paths. Pure."""

from __future__ import annotations

import re
from typing import Any, Final

from asyncclient.errors import DecodeError

__all__ = ["safe_name"]

_UNPRINTABLE: Final = re.compile(r"[\x00-\x1f\x7f\ud800-\udfff]")
_DEVICE: Final = re.compile(r"(con|prn|aux|nul|com[0-9]|lpt[0-9])(\.|\Z)", re.IGNORECASE)
_LIMIT_BYTES: Final = 255


def safe_name(name: Any, *, operation: str) -> str:
    """Return the last component of a name, so that a download stays in the folder it is meant for.

    Both kinds of slashes separate; control characters, a drive letter, and blanks and dots at the end are dropped;
    names of Windows devices get an underscore; what is longer than 255 bytes loses its middle.

    Raises:
        DecodeError: Nothing that could name a file is left.
    """
    text = _UNPRINTABLE.sub("", name) if isinstance(name, str) else ""
    last = re.split(r"[/\\]", text)[-1]
    last = re.sub(r"\A[A-Za-z]:", "", last).rstrip(" .")
    if not last:
        raise DecodeError(
            f"{operation}: the platform names no usable file ({type(name).__name__}); give output_path in its place"
        )
    if _DEVICE.match(last):
        last = f"_{last}"
    return _shortened(last)


def _shortened(name: str) -> str:
    if len(name.encode()) <= _LIMIT_BYTES:
        return name
    stem, dot, suffix = name.rpartition(".")
    kept = dot + suffix if stem and len(suffix.encode()) <= 20 else ""
    room = _LIMIT_BYTES - len(kept.encode())
    return name.encode()[:room].decode("utf-8", "ignore") + kept
