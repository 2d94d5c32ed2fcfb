"""Uploads in parts by the rules of S3, signed by the caller or by whoever hands out signed URLs."""

from __future__ import annotations

import html
import re
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, Final

from asyncclient._messages import Body, Headers, Request
from asyncclient._pipeline import Answer
from asyncclient._transfers.plan import GIB, MIB
from asyncclient._transfers.target import PartRules, PartsSession, Receipt, StoredPart, UploadFacts
from asyncclient._transfers.urls import looks_expired, request_to
from asyncclient._transfers.verify import keys_hide_md5
from asyncclient._transfers.wire import Wire
from asyncclient.errors import APIError, DecodeError, NotFound, ServerError, SessionExpired

__all__ = ["S3_RULES", "S3Parts", "Sign"]

S3_RULES: Final = PartRules(min_part=5 * MIB, max_part=5 * GIB, max_count=10_000)

Sign = Callable[[str, Mapping[str, Any]], Awaitable[str]]
"""Returns a signed URL for an operation under the name botocore has for it, such as ``upload_part``, and its
parameters besides bucket and key: ``UploadId``, ``PartNumber``, ``PartNumberMarker``."""


class S3Parts:
    """An object in S3 or something like it.

    Args:
        sign: Signs each request, late.
        headers: Sent with the request that begins the upload, if they are signed for.
        rules: Of the parts.
        etag_is_md5: Whether etags of parts are md5s. Where answers name a key service or a key of the customer they are
            not taken for md5s in any case.
        finds: Whether ``sign`` signs ``head_object``, too, so that an upload that was completed and not taken note of is
            found instead of sent again.
        description: For the journal.
    """

    def __init__(
        self,
        sign: Sign,
        *,
        headers: Headers | None = None,
        rules: PartRules = S3_RULES,
        etag_is_md5: bool = True,
        finds: bool = False,
        description: Mapping[str, Any] | None = None,
    ) -> None:
        self._sign = sign
        self._headers = headers or []
        self.rules = rules
        self.etag_is_md5 = etag_is_md5
        self._finds = finds
        self.description: Mapping[str, Any] = description or {}

    async def begin(self, wire: Wire, facts: UploadFacts) -> PartsSession:
        """Open a new upload."""
        url = await self._sign("create_multipart_upload", {})
        # Repeating it leaves at worst an empty upload behind, which costs nothing and can be pruned.
        request = request_to(b"POST", url, self._headers, b"", idempotent=True)
        return PartsSession(_required(await wire.ask(request, "begin upload"), "UploadId"))

    async def part_request(self, session: PartsSession, index: int, body: Body) -> Request:
        """Make the request for a part."""
        url = await self._sign("upload_part", {"UploadId": session.id, "PartNumber": index + 1})
        return request_to(b"PUT", url, [], body)

    def part_etag(self, answer: Answer) -> str:
        """Read the etag of a part."""
        etag = answer.header(b"etag")
        if not etag:
            raise DecodeError("the service took a part and returned no etag", status=answer.status)
        return etag.strip('"')

    async def list_parts(self, wire: Wire, session: PartsSession) -> Mapping[int, StoredPart] | None:
        """Return the parts the service has."""
        found: dict[int, StoredPart] = {}
        marker = 0
        while True:
            parameters: dict[str, Any] = {"UploadId": session.id}
            if marker:
                parameters["PartNumberMarker"] = marker
            url = await self._sign("list_parts", parameters)
            try:
                answer = await wire.ask(request_to(b"GET", url), "list parts")
            except NotFound as error:
                raise SessionExpired("the service no longer knows the upload") from error
            text = answer.body.decode("utf-8", "replace")
            numbers = list(_parts(text))
            found.update({number - 1: part for number, part in numbers})
            after = max((number for number, _ in numbers), default=0)
            if _tag(text, "IsTruncated") != "true" or after <= marker:
                return found
            marker = after

    async def complete(self, wire: Wire, session: PartsSession, etags: Sequence[str]) -> Receipt:
        """Put the parts together.

        A lost answer is asked for again: completing twice gives the same object, or 404 once the upload is gone.
        """
        url = await self._sign("complete_multipart_upload", {"UploadId": session.id})
        parts = "".join(
            f"<Part><PartNumber>{number}</PartNumber><ETag>&quot;{html.escape(etag)}&quot;</ETag></Part>"
            for number, etag in enumerate(etags, 1)
        )
        body = f"<CompleteMultipartUpload>{parts}</CompleteMultipartUpload>".encode()
        headers = [(b"content-type", b"application/xml")]
        request = request_to(b"POST", url, headers, body, idempotent=True)
        try:
            answer = await wire.ask(request, "complete upload")
        except NotFound as error:
            raise SessionExpired("the service no longer knows the upload") from error
        text = answer.body.decode("utf-8", "replace")
        if "<Error>" in text:  # S3 begins to answer 200 before it knows
            raise ServerError(_tag(text, "Message") or "the upload could not be completed", status=answer.status)
        etag = (_tag(text, "ETag") or "").strip('"') or None
        return Receipt(etag=etag, etag_is_md5=self._says_md5(answer), remote={"etag": etag} if etag else {})

    async def find(self, wire: Wire) -> Receipt | None:
        """Return size and etag of the object, if it may be asked for and is there."""
        if not self._finds:
            return None
        url = await self._sign("head_object", {})
        try:
            answer = await wire.ask(request_to(b"HEAD", url), "look for the object")
        except APIError as error:
            if error.status in (403, 404):
                return None  # S3 says 403 where one may not know that there is nothing
            raise
        length, etag = answer.header(b"content-length"), (answer.header(b"etag") or "").strip('"') or None
        size = int(length) if length is not None and length.isdecimal() else None
        return Receipt(size, etag=etag, etag_is_md5=self._says_md5(answer), remote={"etag": etag} if etag else {})

    def _says_md5(self, answer: Answer) -> bool:
        return self.etag_is_md5 and not keys_hide_md5(answer)

    async def abort(self, wire: Wire, session: PartsSession) -> None:
        """Drop the upload and its parts."""
        url = await self._sign("abort_multipart_upload", {"UploadId": session.id})
        await wire.ask(request_to(b"DELETE", url), "abort upload")

    def expired(self, error: APIError) -> bool:
        """Tell whether a freshly signed URL may help."""
        return looks_expired(error)


def _tag(text: str, name: str) -> str | None:
    match = re.search(rf"<{name}>([^<]*)</{name}>", text)
    return html.unescape(match[1]) if match is not None else None


def _required(answer: Answer, name: str) -> str:
    found = _tag(answer.body.decode("utf-8", "replace"), name)
    if not found:
        raise DecodeError(f"the answer names no {name}", status=answer.status, size=len(answer.body))
    return found


def _parts(text: str) -> Sequence[tuple[int, StoredPart]]:
    found = []
    for match in re.finditer(r"<Part>(.*?)</Part>", text, re.DOTALL):
        number, etag, size = (_tag(match[1], name) for name in ("PartNumber", "ETag", "Size"))
        if number and number.isdecimal() and etag:
            found.append((int(number), StoredPart(int(size) if size and size.isdecimal() else None, etag.strip('"'))))
    return found
