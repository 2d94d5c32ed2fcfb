"""What all parts of the las client share: credentials, endpoint, headers, the file server's rules."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, ClassVar, Final

from asyncclient._pipeline import Answer, Rules
from asyncclient._service import ServiceClient, absolute_request
from asyncclient._url import BaseUrl
from asyncclient._version import USER_AGENT
from asyncclient.errors import APIError, ArgumentTypeError
from asyncclient.las.credentials import Credentials, guess_credentials
from asyncclient.las.exceptions import refusal, retry_kind
from asyncclient.types import UNSET, RetryPolicy

if TYPE_CHECKING:
    from asyncclient._messages import Body, Headers, Origin, Request
    from asyncclient.hub import AsyncHub

__all__ = ["LasClient"]

_FILE_HEADERS: Final[Headers] = [(b"accept", b"*/*"), (b"accept-encoding", b"identity"), (b"user-agent", USER_AGENT)]
_HEADERS: Final[Headers] = [
    (b"accept", b"*/*"),
    (b"accept-encoding", b"gzip, deflate"),
    (b"user-agent", USER_AGENT),
    (b"content-type", b"application/json"),  # the service wants it on every request, GET and DELETE included
]


class LasClient(ServiceClient):
    """The base of :class:`asyncclient.las.AsyncClient`."""

    _service = "las"
    # Counts and law of the official client: 5xx three tries, 429 four, waits drawn from [0, 2**(n - 1)] seconds.
    _default_policy: ClassVar[RetryPolicy] = RetryPolicy(
        max_retries=2, max_throttle_retries=3, base_transport_s=1.0, base_server_s=1.0, base_throttle_s=1.0
    )

    def __init__(
        self,
        credentials: Credentials | None = None,
        profile: str | None = None,
        *,
        hub: AsyncHub | None = None,
        timeout: Any = UNSET,
        max_retries: int | None = None,
    ) -> None:
        if credentials is not None and not isinstance(credentials, Credentials):
            raise ArgumentTypeError(
                f"credentials must be Credentials, not {type(credentials).__name__}", argument="credentials"
            )
        self.credentials = credentials if credentials is not None else guess_credentials(profile)
        super().__init__(hub=hub, auth=self.credentials, headers=_HEADERS, timeout=timeout, max_retries=max_retries)
        self.credentials.bind(self._hub)
        self._parsed: tuple[str, BaseUrl] | None = None

    @property
    def endpoint(self) -> str:
        """The API endpoint of the credentials in use."""
        return self.credentials.api_endpoint

    def _base(self) -> BaseUrl:
        # Read anew for every call, as scripts change credentials.api_endpoint; parsed only when it changed.
        text = self.credentials.api_endpoint
        parsed = self._parsed
        if parsed is None or parsed[0] is not text:
            parsed = self._parsed = (text, BaseUrl.parse(text, what="api_endpoint"))
        return parsed[1]

    def _error(self, request: Request, answer: Answer) -> APIError:
        return refusal(request, answer)

    _classify = staticmethod(retry_kind)

    # --- file server -------------------------------------------------------------------------------------------------

    def _file_request(self, method: bytes, url: Any, *, query: str = "", body: bytes | Body | None = None) -> Request:
        if query and isinstance(url, str):
            url = f"{url}{'&' if '?' in url else '?'}{query}"
        return absolute_request(method, url, _FILE_HEADERS, body=body, what="fileUrl")

    def _file_rules(self) -> Rules:
        """Return rules for file content: no total time, and the token goes to the host that the API named."""
        timeouts = replace(self._rules.timeouts, total=None)
        # Where a file server begins on its host nobody says: what it redirects to is a store.
        return replace(self._rules, timeouts=timeouts, auth_origins=self._is_file_server, home=None)

    def _is_file_server(self, origin: Origin) -> bool:
        # Never in clear text, unless the API itself is spoken to in clear text, as in tests.
        return origin.scheme == "https" or self._base().origin.scheme == "http"
