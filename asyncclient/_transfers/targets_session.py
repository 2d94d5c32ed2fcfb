"""Resumable sessions in the manner of Google storage, which LF View uses as well."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final
from urllib.parse import urlsplit

from asyncclient._messages import Body, Headers, Request
from asyncclient._pipeline import Answer
from asyncclient._transfers.target import PartRules, Receipt, SessionLink, UploadFacts
from asyncclient._transfers.targets_whole import ReadReceipt, google_receipt
from asyncclient._transfers.urls import looks_expired, request_to
from asyncclient._transfers.wire import Wire
from asyncclient.errors import APIError, ArgumentError, DecodeError, NotFound

__all__ = ["ALIGNMENT_BYTES", "ResumableSession", "google_begin"]

ALIGNMENT_BYTES: Final = 256 * 1024
"""All ranges but the last must be multiples of it."""

Begin = Callable[[Wire, UploadFacts], Awaitable[str]]
Reopen = Callable[[Wire, str], Awaitable[str | None]]


class ResumableSession:
    """A session at a URL that takes ranges in order.

    Args:
        begin: Opens a session and returns its URL.
        reopen: Given the id from the journal, returns the URL of the session, or None if it is gone. Needed to resume
            after a crash where the URL itself is a secret; a URL without a query is its own id.
        session_id: Returns the id to keep for a URL. Default: the URL, if it has no query.
        headers: Sent with every range.
        receipt: Reads the last answer.
        part_size: Bytes per range; a multiple of 256 KiB. Default: by the size of the file.
        names_md5: Whether the last answer may name the md5 of the whole. Where it never does, none is computed for it.
        description: For the journal.
    """

    def __init__(
        self,
        begin: Begin,
        *,
        reopen: Reopen | None = None,
        session_id: Callable[[str], str] | None = None,
        headers: Headers | None = None,
        receipt: ReadReceipt = google_receipt,
        part_size: int | None = None,
        names_md5: bool = True,
        description: Mapping[str, Any] | None = None,
    ) -> None:
        if part_size is not None and (part_size < 1 or part_size % ALIGNMENT_BYTES):
            raise ArgumentError(
                f"part_size must be a positive multiple of {ALIGNMENT_BYTES}, not {part_size!r}", argument="part_size"
            )
        self._begin = begin
        self._reopen = reopen
        self._session_id = session_id or _url_without_query
        self._headers = headers or []
        self._receipt = receipt
        self._url: str | None = None
        self.names_md5 = names_md5
        self.rules = PartRules(alignment=ALIGNMENT_BYTES, min_part=ALIGNMENT_BYTES, preferred=part_size)
        self.description: Mapping[str, Any] = description or {}

    async def begin(self, wire: Wire, facts: UploadFacts) -> SessionLink:
        """Open a new session."""
        self._url = await self._begin(wire, facts)
        return SessionLink(self._session_id(self._url))

    async def reopen(self, wire: Wire, session_id: str) -> bool:
        """Find a session of an earlier process again."""
        if self._reopen is not None:
            self._url = await self._reopen(wire, session_id)
        elif session_id.startswith(("http://", "https://")):
            self._url = session_id
        else:
            self._url = None
        return self._url is not None

    async def request(self, body: Body | None, content_range: bytes) -> Request:
        """Make the request for a range or for the state."""
        assert self._url is not None, "no session is open"
        headers = [*self._headers, (b"content-range", content_range)]
        # A range must not be sent again, not even by a transport, before the session was asked what it has.
        return request_to(b"PUT", self._url, headers, body if body is not None else b"", idempotent=body is None)

    def receipt(self, answer: Answer) -> Receipt:
        """Read the answer that ends the session."""
        return self._receipt(answer)

    async def abort(self, wire: Wire) -> None:
        """Drop the session; Google answers 499, which is no status of HTTP but its way to say that it did."""
        if self._url is not None:
            request = request_to(b"DELETE", self._url, [*self._headers], b"")
            try:
                await wire.ask(request, "abort upload", accept=(499, 405, 501))
            except NotFound:
                pass  # gone is what was wanted
            self._url = None

    def expired(self, error: APIError) -> bool:
        """Tell whether the session's URL has expired; a new session then begins."""
        return looks_expired(error)


def google_begin(url: str, headers: Headers | None = None) -> Begin:
    """Return what opens a session by a POST whose answer names it in ``Location``.

    Args:
        url: For example ``.../upload/storage/v1/b/BUCKET/o?uploadType=resumable&name=NAME``.
        headers: Sent with the POST.
    """

    async def begin(wire: Wire, facts: UploadFacts) -> str:
        found = [*(headers or [])]
        if facts.size is not None:
            found.append((b"x-upload-content-length", b"%d" % facts.size))
        # Repeating it leaves at worst an empty session behind, which the service drops after a week.
        answer = await wire.ask(request_to(b"POST", url, found, b"", idempotent=True), "begin upload")
        location = answer.header(b"location")
        if location is None:
            raise DecodeError("the service opened an upload session and did not say where", status=answer.status)
        return location

    return begin


def _url_without_query(url: str) -> str:
    parts = urlsplit(url)
    return "" if parts.query or parts.username else url
