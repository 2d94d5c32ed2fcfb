"""Targets that take a file in one request: a body of its own, or a field of a form."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from asyncclient._codec import decode_json
from asyncclient._messages import Body, Headers, Request
from asyncclient._net.multipart import MultipartBody
from asyncclient._net.multipart import Part as Field
from asyncclient._pipeline import Answer
from asyncclient._transfers.target import Receipt
from asyncclient._transfers.urls import LateUrl, Mint, looks_expired, request_to
from asyncclient._transfers.wire import Wire
from asyncclient.errors import APIError, DecodeError

__all__ = ["Form", "ReadReceipt", "WholeBody", "google_receipt", "header_receipt", "json_receipt"]

ReadReceipt = Callable[[Answer], Receipt]
"""Reads what a service says it has stored."""


def json_receipt(answer: Answer) -> Receipt:
    """Take the JSON object of an answer as it is; it proves nothing."""
    return Receipt(remote=_object(answer))


def header_receipt(answer: Answer) -> Receipt:
    """Read the etag as S3 makes it; what else the answer holds is passed on if it is a JSON object."""
    etag = answer.header(b"etag")
    return Receipt(etag=etag.strip('"') if etag else None, etag_is_md5=etag is not None, remote=_object(answer))


def google_receipt(answer: Answer) -> Receipt:
    """Read the object resource of Google storage: ``size`` and ``md5Hash``."""
    remote = _object(answer)
    size, digest, etag = remote.get("size"), remote.get("md5Hash"), remote.get("etag")
    return Receipt(
        size=int(size) if isinstance(size, (str, int)) and str(size).isdecimal() else None,
        md5=base64_md5(digest) if isinstance(digest, str) else None,
        etag=etag if isinstance(etag, str) else None,
        remote=remote,
    )


def base64_md5(value: str) -> str | None:
    """Return the md5 behind its base64 form as hexadecimal; None if it is none."""
    try:
        raw = base64.b64decode(value, validate=True)
    except (binascii.Error, ValueError):
        return None
    return raw.hex() if len(raw) == 16 else None


def _object(answer: Answer) -> dict[str, Any]:
    try:
        value = decode_json(answer.body) if answer.body else {}
    except DecodeError:
        return {}
    return value if isinstance(value, dict) else {}


class _OneRequest:
    """What both kinds share."""

    def __init__(
        self,
        url: str | Mint,
        method: bytes,
        headers: Headers,
        *,
        receipt: ReadReceipt,
        idempotent: bool,
        description: Mapping[str, Any] | None,
    ) -> None:
        self._url = LateUrl(url)
        self._method = method
        self._headers = headers
        self._receipt = receipt
        self._idempotent = idempotent
        self.description: Mapping[str, Any] = description or {}

    def receipt(self, answer: Answer) -> Receipt:
        """Read the answer."""
        return self._receipt(answer)

    def expired(self, error: APIError) -> bool:
        """Tell whether a fresh URL may help."""
        if not self._url.renewable or not looks_expired(error):
            return False
        self._url.renew()
        return True

    async def _request(self, body: Body, headers: Headers) -> Request:
        return request_to(self._method, await self._url.get(), headers, body, idempotent=self._idempotent or None)


class WholeBody(_OneRequest):
    """The file is the body.

    Args:
        url: Where to, or what asks for it.
        method: ``PUT`` or ``POST``.
        headers: Sent with it.
        receipt: Reads the answer.
        idempotent: Whether it may be sent again although it may have arrived; PUT may in any case.
        description: For the journal.
    """

    def __init__(
        self,
        url: str | Mint,
        *,
        method: bytes = b"PUT",
        headers: Headers | None = None,
        receipt: ReadReceipt = header_receipt,
        idempotent: bool = False,
        description: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(url, method, headers or [], receipt=receipt, idempotent=idempotent, description=description)

    async def request(self, wire: Wire, body: Body, name: str | None) -> Request:
        """Make the request."""
        return await self._request(body, self._headers)


class Form(_OneRequest):
    """The file is a field of a ``multipart/form-data`` form, streamed from where it lies.

    Args:
        url: Where to, or what asks for it.
        field: Name of the field.
        before: Fields sent ahead of it.
        after: Fields sent behind it.
        filename: Default: the source's.
        content_type: Of the file.
        method: ``POST`` or ``PUT``.
        headers: Sent with it.
        receipt: Reads the answer.
        idempotent: Whether it may be sent again although it may have arrived.
        description: For the journal.
    """

    def __init__(
        self,
        url: str | Mint,
        field: str = "file",
        *,
        before: Sequence[Field] = (),
        after: Sequence[Field] = (),
        filename: str | None = None,
        content_type: str | None = "application/octet-stream",
        method: bytes = b"POST",
        headers: Headers | None = None,
        receipt: ReadReceipt = json_receipt,
        idempotent: bool = False,
        description: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(url, method, headers or [], receipt=receipt, idempotent=idempotent, description=description)
        self._field = field
        self._before = before
        self._after = after
        self._filename = filename
        self._content_type = content_type

    async def request(self, wire: Wire, body: Body, name: str | None) -> Request:
        """Make the request."""
        file = Field(self._field, body, self._filename or name or self._field, self._content_type)
        form = MultipartBody([*self._before, file, *self._after])
        return await self._request(form, [*self._headers, (b"content-type", form.content_type)])
