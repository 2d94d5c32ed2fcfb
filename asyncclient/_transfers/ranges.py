"""Byte ranges: their arithmetic, and the headers that carry them (RFC 9110 section 14). Pure.

Spans are half open, as everywhere in Python; headers name the last byte. The conversion happens here and nowhere else.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import NamedTuple

from asyncclient.errors import RemoteChanged, RemoteProtocolError

__all__ = [
    "ContentRange",
    "Span",
    "check_content_range",
    "content_range",
    "content_range_query",
    "gaps",
    "merge",
    "parse_content_range",
    "parse_stored_range",
    "range_header",
]

# 18 digits are an exabyte and fit every integer type on the way.
_CONTENT_RANGE = re.compile(rb"bytes[ \t]+(?:(\d{1,18})-(\d{1,18})|\*)/(?:(\d{1,18})|\*)\Z", re.IGNORECASE)
_STORED_RANGE = re.compile(rb"(?:bytes[ \t]*[= ][ \t]*)?0-(\d{1,18})\Z", re.IGNORECASE)


class Span(NamedTuple):
    """Bytes ``[start, stop)``."""

    start: int
    stop: int

    @property
    def length(self) -> int:
        """Number of bytes."""
        return self.stop - self.start


class ContentRange(NamedTuple):
    """What a ``Content-Range`` header says; ``span`` None for ``bytes */total``, ``total`` None for ``/*``."""

    span: Span | None
    total: int | None


def range_header(span: Span) -> bytes:
    """Write the ``Range`` of a request for a span of at least one byte."""
    if not 0 <= span.start < span.stop:
        raise ValueError(f"a range request needs at least one byte, not {span}")
    return b"bytes=%d-%d" % (span.start, span.stop - 1)


def content_range(span: Span, total: int | None) -> bytes:
    """Write the ``Content-Range`` of a body; ``total`` None while the size is not known.

    An empty span has no form in HTTP; the session protocols say ``bytes */total`` with an empty body instead.
    """
    whole = b"*" if total is None else b"%d" % total
    if span.length == 0:
        return b"bytes */" + whole
    if not 0 <= span.start < span.stop or (total is not None and span.stop > total):
        raise ValueError(f"{span} does not lie within {total} bytes")
    return b"bytes %d-%d/%s" % (span.start, span.stop - 1, whole)


def content_range_query(total: int | None) -> bytes:
    """Write the ``Content-Range`` that asks an upload session how much it has."""
    return b"bytes */*" if total is None else b"bytes */%d" % total


def parse_content_range(value: bytes) -> ContentRange:
    """Read a ``Content-Range``.

    Raises:
        RemoteProtocolError: It is not of the form ``bytes a-b/total`` with ``a <= b < total``.
    """
    match = _CONTENT_RANGE.match(value.strip(b" \t"))
    if match is None:
        raise RemoteProtocolError(f"malformed content-range {value[:80]!r}")
    first, last, total = (None if group is None else int(group) for group in match.groups())
    if first is None or last is None:
        return ContentRange(None, total)
    if first > last or (total is not None and last >= total):
        raise RemoteProtocolError(f"content-range {value[:80]!r} contradicts itself")
    return ContentRange(Span(first, last + 1), total)


def check_content_range(value: bytes | None, *, asked: Span, total: int | None = None) -> ContentRange:
    """Hold the ``Content-Range`` of a 206 answer against what was asked.

    Args:
        value: The header, or None when it is missing.
        asked: The span requested.
        total: Size of the remote file as known before, or None.

    Returns:
        What the answer holds: it begins where asked and ends there or before.

    Raises:
        RemoteProtocolError: The header is missing, malformed or about other bytes.
        RemoteChanged: The file has another size than before.
    """
    if value is None:
        raise RemoteProtocolError("a 206 answer came without content-range")
    found = parse_content_range(value)
    if total is not None and found.total is not None and found.total != total:
        raise RemoteChanged(f"the remote file had {total} bytes and now has {found.total}")
    span = found.span
    if span is None or span.start != asked.start or span.stop > asked.stop:
        raise RemoteProtocolError(f"asked for bytes {asked.start}-{asked.stop - 1}, answered {value[:80]!r}")
    return found


def parse_stored_range(value: bytes | None) -> int:
    """Return how many bytes an upload session has kept, from the ``Range`` of its 308 answer.

    No header means none: a session that has kept nothing leaves it out. The unit is optional, as some servers omit it.

    Raises:
        RemoteProtocolError: It is malformed, or does not begin at 0.
    """
    if value is None:
        return 0
    match = _STORED_RANGE.match(value.strip(b" \t"))
    if match is None:
        raise RemoteProtocolError(f"malformed range {value[:80]!r} of an upload session")
    return int(match[1]) + 1


def merge(spans: Iterable[Span]) -> list[Span]:
    """Unite overlapping and adjoining spans; ascending, empty ones dropped."""
    united: list[Span] = []
    for span in sorted(spans):
        if span.start >= span.stop:
            continue
        if united and span.start <= united[-1].stop:
            united[-1] = Span(united[-1].start, max(united[-1].stop, span.stop))
        else:
            united.append(Span(*span))
    return united


def gaps(size: int, spans: Iterable[Span]) -> list[Span]:
    """Return what of ``[0, size)`` no span covers, ascending."""
    open_spans: list[Span] = []
    at = 0
    for span in merge(spans):
        if span.start >= size:
            break
        if span.start > at:
            open_spans.append(Span(at, span.start))
        at = max(at, span.stop)
    if at < size:
        open_spans.append(Span(at, size))
    return open_spans
