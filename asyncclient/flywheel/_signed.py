"""Signed URLs: what a ticket says, and how content goes to a store that way."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Protocol
from urllib.parse import parse_qs, urlsplit

from asyncclient import _codec
from asyncclient._messages import Body, Headers, Request
from asyncclient._pipeline import Answer
from asyncclient._transfers.target import PartRules, PartsSession, Receipt, SessionLink, StoredPart, UploadFacts
from asyncclient._transfers.urls import request_to
from asyncclient._transfers.verify import keys_hide_md5
from asyncclient._transfers.wire import Wire
from asyncclient.errors import APIError, DecodeError
from asyncclient.flywheel._unfinished import Kept

__all__ = ["SignedTarget", "Ticket", "part_size_of", "signed_target"]

_GOOGLE_ALIGNMENT: Final = 256 * 1024
_START: Final = re.compile(rb"bytes (\d+)-")


@dataclass(frozen=True, slots=True)
class Ticket:
    """Permission to store one file.

    Attributes:
        id: Of the ticket; closing names it.
        urls: Where the parts go, in order.
        headers: Sent with each.
    """

    id: str = field(repr=False)
    urls: tuple[str, ...] = field(repr=False)
    headers: Headers = field(repr=False)

    @classmethod
    def read(cls, answer: Answer, name: str) -> Ticket | None:
        """Read the answer to a request for URLs; None if it is something else.

        Raises:
            DecodeError: It has URLs for other files only.
        """
        found = _codec.decode_json(answer.body) if answer.body else None
        if not isinstance(found, dict) or not found.get("ticket") or not isinstance(found.get("urls"), dict):
            return None
        urls = found["urls"]
        given = urls.get(name) or (next(iter(urls.values())) if len(urls) == 1 else None)
        listed = (given,) if isinstance(given, str) else tuple(given or ())
        if not listed or not all(isinstance(url, str) for url in listed):
            raise DecodeError(f"the ticket names no URL for {name!r}", status=answer.status)
        headers = found.get("headers") or {}
        pairs = [(str(key).lower().encode("latin-1"), str(value).encode("latin-1")) for key, value in headers.items()]
        return cls(str(found["ticket"]), listed, pairs)

    @property
    def s3(self) -> bool:
        """Whether the store is S3, which wants the etags of the parts."""
        return ".s3." in self.urls[0] or ".amazonaws." in self.urls[0]

    @property
    def google(self) -> bool:
        """Whether the store is Google's, which wants to be told the range of each part."""
        return ".googleapis." in self.urls[0]

    def closing(self, etags: Sequence[str]) -> Mapping[str, Any] | None:
        """Return what is sent when everything has arrived."""
        upload_id = parse_qs(urlsplit(self.urls[0]).query).get("uploadId") if self.s3 else None
        if not upload_id or not etags:
            return None
        return {"multipart": {"e_tags": list(etags), "upload_id": upload_id[0]}}


def part_size_of(ticket: Ticket, size: int) -> int | None:
    """Return the bytes of a part: the content in as many parts as there are URLs; None for no parts."""
    count = len(ticket.urls)
    if count == 1 or size == 0:
        return None
    even = -(-size // count)
    if not ticket.google:
        return even
    return even + (_GOOGLE_ALIGNMENT - even % _GOOGLE_ALIGNMENT)


class SignedTarget(Protocol):
    """A target that keeps the etags it was given."""

    etags: list[str]


class _Whole:
    """Everything in one request."""

    description: Mapping[str, Any] = {}

    def __init__(self, ticket: Ticket) -> None:
        self._ticket = ticket
        self.etags: list[str] = []

    async def request(self, wire: Wire, body: Body, name: str | None) -> Request:
        return request_to(b"PUT", self._ticket.urls[0], self._ticket.headers, body, idempotent=True)

    def receipt(self, answer: Answer) -> Receipt:
        etag = (answer.header(b"etag") or "").strip('"')
        self.etags = [etag] if etag else []
        return Receipt(etag=etag or None, etag_is_md5=self._ticket.s3 and not keys_hide_md5(answer))

    def expired(self, error: APIError) -> bool:
        return False


class _Parts:
    """A request per URL, several at a time."""

    description: Mapping[str, Any] = {}

    def __init__(self, kept: Kept, part_size: int) -> None:
        self._kept = kept
        self._ticket = ticket = kept.ticket
        self.etag_is_md5 = ticket.s3
        self.etags: list[str] = []
        self.rules = PartRules(min_part=1, max_part=part_size, max_count=len(ticket.urls), preferred=part_size)

    async def begin(self, wire: Wire, facts: UploadFacts) -> PartsSession:
        return PartsSession("", stored=dict(self._kept.stored))

    async def part_request(self, session: PartsSession, index: int, body: Body) -> Request:
        return request_to(b"PUT", self._ticket.urls[index], self._ticket.headers, body, idempotent=True)

    def part_etag(self, answer: Answer) -> str:
        return (answer.header(b"etag") or "").strip('"')

    def stored(self, index: int, part: StoredPart) -> None:
        """Keep a part for a later call of the same kind."""
        self._kept.stored[index] = part

    async def list_parts(self, wire: Wire, session: PartsSession) -> Mapping[int, StoredPart] | None:
        return None

    async def complete(self, wire: Wire, session: PartsSession, etags: Sequence[str]) -> Receipt:
        self.etags = list(etags)
        return Receipt()

    async def abort(self, wire: Wire, session: PartsSession) -> None:
        """The service drops what is never closed."""

    def expired(self, error: APIError) -> bool:
        return False


class _Session:
    """Parts in their order, each with its range; the store remembers how far it is, and is asked after a failure."""

    description: Mapping[str, Any] = {}
    names_md5 = False

    def __init__(self, kept: Kept, part_size: int) -> None:
        self._kept = kept
        self._part_size = part_size
        self._url = kept.ticket.urls[0]
        self.etags: list[str] = []
        self.rules = PartRules(_GOOGLE_ALIGNMENT, min_part=1, max_part=part_size, preferred=part_size)

    async def begin(self, wire: Wire, facts: UploadFacts) -> SessionLink:
        before, self._kept.begun = self._kept.begun, True
        return SessionLink("", begun=before)

    async def reopen(self, wire: Wire, session_id: str) -> bool:
        return False

    async def request(self, body: Body | None, content_range: bytes) -> Request:
        urls, start = self._kept.ticket.urls, _START.match(content_range)
        if start is not None:
            self._url = urls[min(int(start[1]) // self._part_size, len(urls) - 1)]
        headers = [*self._kept.ticket.headers, (b"content-range", content_range)]
        return request_to(b"PUT", self._url, headers, b"" if body is None else body, idempotent=True)

    def receipt(self, answer: Answer) -> Receipt:
        return Receipt()

    async def abort(self, wire: Wire) -> None:
        """The store drops what is never finished."""

    def expired(self, error: APIError) -> bool:
        return False


def signed_target(kept: Kept, size: int) -> Any:
    """Return the target for a ticket and a size in bytes: a :class:`SignedTarget`."""
    part_size = part_size_of(kept.ticket, size)
    if part_size is None:
        return _Whole(kept.ticket)
    return _Session(kept, part_size) if kept.ticket.google else _Parts(kept, part_size)
