"""The header fields of ranges, read. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass

from asyncclient.testing._contract import Refusal
from asyncclient.testing._ranges import Span, requested

__all__ = ["ContentRange", "Span", "content_range", "requested"]

_CONTENT_RANGE = re.compile(r"bytes (?:(\d+)-(\d+)|\*)/(\d+|\*)", re.ASCII)


@dataclass(frozen=True, slots=True)
class ContentRange:
    """A ``Content-Range`` of a request.

    Attributes:
        span: Where the body belongs; None asks for the state of the session.
        total: Length of the whole content; None if the client does not know it yet.
    """

    span: Span | None
    total: int | None


def content_range(text: str | None, length_bytes: int | None) -> ContentRange:
    """Read ``bytes 0-9/20``, ``bytes 0-9/*``, ``bytes */20`` or ``bytes */*``; without a field the body is everything.

    Raises:
        Refusal: 400, it is none of these or contradicts itself or the length of the body; 411, neither length is known.
    """
    if text is None:
        if length_bytes is None:
            raise Refusal(411, "Content-Range or Content-Length is required")
        return ContentRange(Span(0, length_bytes), length_bytes)
    found = _CONTENT_RANGE.fullmatch(text)
    if found is None:
        raise Refusal(400, "Content-Range: is not of the form bytes first-last/total")
    first, last, whole = found.groups()
    total = None if whole == "*" else int(whole)
    if first is None:
        return ContentRange(None, total)
    span = Span(int(first), int(last) + 1)
    if span.stop <= span.start or (total is not None and span.stop > total):
        raise Refusal(400, "Content-Range: contradicts itself")
    if length_bytes is not None and length_bytes != span.stop - span.start:
        raise Refusal(400, f"Content-Length: is {length_bytes}, Content-Range says {span.stop - span.start}")
    return ContentRange(span, total)
