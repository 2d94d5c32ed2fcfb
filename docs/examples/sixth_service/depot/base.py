"""What all parts of the client of Depot share: address, key, headers, errors."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from asyncclient._auth import HeaderAuth
from asyncclient._service import ServiceClient
from asyncclient._url import BaseUrl
from asyncclient._version import USER_AGENT
from asyncclient.depot.exceptions import refusal
from asyncclient.errors import ArgumentTypeError
from asyncclient.types import UNSET

if TYPE_CHECKING:
    from asyncclient._messages import Headers, Request
    from asyncclient._pipeline import Answer
    from asyncclient.errors import APIError
    from asyncclient.hub import AsyncHub

__all__ = ["DepotClient"]

_HEADERS: Final[Headers] = [
    (b"accept", b"*/*"),
    (b"accept-encoding", b"gzip, deflate"),
    (b"user-agent", USER_AGENT),
    (b"content-type", b"application/json"),
]


class DepotClient(ServiceClient):
    """The base of :class:`asyncclient.depot.AsyncClient`."""

    _service = "depot"

    def __init__(
        self,
        api_key: str,
        *,
        base_url: str = "https://depot.example/v1",
        hub: AsyncHub | None = None,
        timeout: Any = UNSET,
        max_retries: int | None = None,
    ) -> None:
        if not isinstance(api_key, str):
            raise ArgumentTypeError(f"api_key must be text, not {type(api_key).__name__}", argument="api_key")
        self._home = BaseUrl.parse(base_url, what="base_url")
        auth = HeaderAuth(b"x-api-key", api_key.encode("ascii"))
        super().__init__(hub=hub, auth=auth, headers=_HEADERS, timeout=timeout, max_retries=max_retries)

    def _base(self) -> BaseUrl:
        return self._home

    def _error(self, request: Request, answer: Answer) -> APIError:
        return refusal(request, answer)
