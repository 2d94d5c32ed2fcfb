"""The header field ``Range``, read. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass

from asyncclient.testing._contract import Refusal

__all__ = ["Span", "requested"]

_RANGE = re.compile(r"bytes=(\d*)-(\d*)", re.ASCII)


@dataclass(frozen=True, slots=True)
class Span:
    """Bytes from ``start`` up to, not including, ``stop``."""

    start: int
    stop: int


def requested(text: str | None, size_bytes: int) -> Span | None:
    """Return the part a ``Range`` field asks for; None for everything.

    Fields that are not understood, and several ranges at once, ask for everything.

    Raises:
        Refusal: 416, the part does not exist.
    """
    found = None if text is None else _RANGE.fullmatch(text.strip())
    if found is None or found.group() == "bytes=-":
        return None
    first, last = found.groups()
    if first:
        span = Span(int(first), min(int(last) + 1, size_bytes) if last else size_bytes)
        if last and int(last) < int(first):
            return None
    else:
        span = Span(max(0, size_bytes - int(last)), size_bytes)
    if span.start >= span.stop:
        raise Refusal(416, "Requested range not satisfiable", {"content-range": f"bytes */{size_bytes}"})
    return span
