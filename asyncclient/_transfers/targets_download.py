"""Downloads by GET: a URL, with a signature in it or none, that may have to be asked for."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from asyncclient._messages import Headers, Request
from asyncclient._transfers.target import RemoteInfo
from asyncclient._transfers.targets_whole import base64_md5
from asyncclient._transfers.urls import LateUrl, Mint, looks_expired, request_to
from asyncclient._transfers.verify import is_md5
from asyncclient._transfers.wire import Wire
from asyncclient.errors import APIError

__all__ = ["HttpDownload"]


class HttpDownload:
    """A file at a URL.

    Args:
        url: Where it is, or what asks for that.
        name: What it is called. Default: "the file".
        headers: Sent with every request; never to another origin that a redirect leads to.
        info: What a listing has told of it, or what asks for that.
        etag_is_md5: Whether the etag follows the rules of S3.
        description: For the journal.
    """

    def __init__(
        self,
        url: str | Mint,
        *,
        name: str = "the file",
        headers: Headers | None = None,
        info: RemoteInfo | Callable[[Wire], Awaitable[RemoteInfo | None]] | None = None,
        etag_is_md5: bool = False,
        description: Mapping[str, Any] | None = None,
    ) -> None:
        self._url = LateUrl(url)
        self._headers = headers or []
        self._info = info
        self.name = name
        self.etag_is_md5 = etag_is_md5
        self.description: Mapping[str, Any] = description or {}

    async def head(self, wire: Wire) -> RemoteInfo | None:
        """Return what is known without fetching."""
        return await self._info(wire) if callable(self._info) else self._info

    async def request(self, wire: Wire) -> Request:
        """Make the GET."""
        return request_to(b"GET", await self._url.get(), self._headers)

    def renew(self) -> None:
        """Forget a URL that was refused."""
        self._url.renew()

    def expired(self, error: APIError) -> bool:
        """Tell whether a fresh URL may help."""
        return self._url.renewable and looks_expired(error)

    def digest(self, answer_headers: Mapping[bytes, bytes]) -> str | None:
        """Read ``x-goog-hash``; ``content-md5`` is of the part in the answer, not of the whole."""
        for item in answer_headers.get(b"x-goog-hash", b"").decode("latin-1").split(","):
            name, _, value = item.strip().partition("=")
            if name == "md5" and (found := base64_md5(value)) is not None:
                return found
        if self.etag_is_md5:
            etag = answer_headers.get(b"etag", b"").decode("latin-1").strip('"')
            return etag if is_md5(etag) else None
        return None
