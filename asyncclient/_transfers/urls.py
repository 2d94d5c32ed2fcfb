"""URLs that are made late and expire: signed ones, above all."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from asyncclient._messages import Body, Headers, Request
from asyncclient._redirect import split_url
from asyncclient.errors import APIError, DecodeError

__all__ = ["LateUrl", "Mint", "looks_expired", "origin_of", "request_to"]

Mint = Callable[[], Awaitable[str]]
"""Asks the service for a fresh URL."""

_IDEMPOTENT = frozenset({b"GET", b"HEAD", b"PUT", b"DELETE"})


class LateUrl:
    """A URL that is asked for when it is first needed and again when it was refused, by one caller for all.

    Args:
        url: The URL, or what asks for it.
    """

    def __init__(self, url: str | Mint) -> None:
        self._mint = None if isinstance(url, str) else url
        self._url = url if isinstance(url, str) else None
        self._lock = asyncio.Lock()

    @property
    def renewable(self) -> bool:
        """Whether a fresh one can be had."""
        return self._mint is not None

    async def get(self) -> str:
        """Return the URL; callers that come together wait for one answer."""
        if self._url is not None:
            return self._url
        async with self._lock:
            if self._url is None:
                assert self._mint is not None
                self._url = await self._mint()
            return self._url

    def renew(self, refused: str | None = None) -> None:
        """Forget the URL, unless somebody has renewed ``refused`` already."""
        if self._mint is not None and refused in (None, self._url):
            self._url = None


def request_to(
    method: bytes,
    url: str,
    headers: Headers | None = None,
    body: bytes | Body | None = None,
    *,
    idempotent: bool | None = None,
) -> Request:
    """Make a request to a URL that a service named.

    Args:
        method: Of HTTP.
        url: Absolute; its query is kept byte for byte.
        headers: Copied.
        body: Of the request.
        idempotent: Whether it may be sent twice. Default: by the method.

    Raises:
        DecodeError: It is no absolute URL; the text does not repeat it, as it may be signed.
    """
    try:
        origin, target = split_url(url)
    except ValueError as error:
        raise DecodeError(f"the service named an unusable URL: {error}") from None
    repeatable = method in _IDEMPOTENT if idempotent is None else idempotent
    return Request(method, origin, target, list(headers or ()), body, idempotent=repeatable)


def origin_of(url: str) -> str | None:
    """Return ``scheme://host:port`` of a URL; None if it is none."""
    try:
        return str(split_url(url)[0])
    except ValueError:
        return None


def looks_expired(error: APIError) -> bool:
    """Tell whether a refusal reads like that of a signed URL past its time: S3, Google and Azure say so in words."""
    if error.status not in (400, 401, 403):
        return False
    text = f"{error.message} {error.body if isinstance(error.body, (str, dict)) else ''}".lower()
    return "expired" in text or "expiredtoken" in text or "not valid at this time" in text
