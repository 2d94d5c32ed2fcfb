"""A file at the service, as the transfer engine asks for it."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

from asyncclient._messages import Request
from asyncclient._transfers.target import RemoteInfo
from asyncclient._transfers.wire import Wire
from asyncclient.errors import APIError

__all__ = ["Content"]


class Content:
    """One file at the service, as the engine asks for it.

    The service honours ranges only together with ``view``, which changes nothing but the media type; so that is added
    once an answer has shown that a range was ignored.
    """

    etag_is_md5 = False

    def __init__(self, name: str, request: Request) -> None:
        self.name = name
        self._request = request
        self._viewed = False
        # The query may hold a ticket, which opens the file to whoever reads it: its digest tells two of them apart.
        digest = hashlib.sha256(request.target).hexdigest()
        self.description: Mapping[str, Any] = {"host": str(request.origin), "path": request.path, "query": digest}

    async def head(self, wire: Wire) -> RemoteInfo | None:
        return None

    async def request(self, wire: Wire) -> Request:
        given = self._request
        target = given.target
        if self._viewed and b"view=" not in target:
            target += (b"&" if b"?" in target else b"?") + b"view=True"
        return Request(given.method, given.origin, target, given.headers, idempotent=True)

    def renew(self) -> None:
        """There is nothing to renew: every request asks the service itself."""

    def expired(self, error: APIError) -> bool:
        return False

    def digest(self, answer_headers: Mapping[bytes, bytes]) -> str | None:
        self._viewed = self._viewed or b"content-range" not in answer_headers
        return None
