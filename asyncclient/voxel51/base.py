"""What both sessions of the platform share: token, address, headers, the requests that are not described."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final, TypeVar

from asyncclient._auth import HeaderAuth
from asyncclient._build import build
from asyncclient._messages import Request
from asyncclient._net.multipart import MultipartBody, Part
from asyncclient._scheduler import Lane
from asyncclient._service import ServiceClient, decoded
from asyncclient._version import USER_AGENT
from asyncclient.errors import ArgumentTypeError
from asyncclient.types import UNSET
from asyncclient.voxel51 import exceptions, tokens
from asyncclient.voxel51._query_strings import in_query_string

if TYPE_CHECKING:
    from asyncclient._endpoint import Endpoint
    from asyncclient._messages import Body, Headers
    from asyncclient._pipeline import Answer, Rules
    from asyncclient._url import BaseUrl
    from asyncclient.errors import APIError
    from asyncclient.hub import AsyncHub

__all__ = ["PlatformClient"]

T = TypeVar("T")

_HEADERS: Final[Headers] = [
    (b"accept", b"*/*"),
    (b"accept-encoding", b"gzip, deflate"),
    (b"user-agent", USER_AGENT),
]
_JSON: Final = (b"content-type", b"application/json")
_FORM: Final = (b"content-type", b"application/x-www-form-urlencoded")


class PlatformClient(ServiceClient):
    """The base of the sessions.

    Attributes:
        token: Signs the requests.
        keep_alive: As given; connections are kept in any case.
    """

    _service = "voxel51"
    _level = tokens.USER

    token: tokens.Token
    keep_alive: bool

    def __init__(
        self,
        token: tokens.Token | None = None,
        keep_alive: bool = False,
        *,
        allow_http: bool = False,
        query_string: bool = False,
        hub: AsyncHub | None = None,
        timeout: Any = UNSET,
        max_retries: int | None = None,
    ) -> None:
        if token is not None and not isinstance(token, tokens.Token):
            raise ArgumentTypeError(
                f"token must be a Token, not {type(token).__name__}; from_json() reads a file", argument="token"
            )
        self.token = token if token is not None else tokens.load(self._level)
        self.keep_alive = keep_alive
        self._home = self.token.base(allow_http=allow_http)
        self._query_string = query_string
        (name, value), *_ = self.token.get_header().items()
        auth = HeaderAuth(name.lower().encode("ascii"), value.encode("latin-1"))
        super().__init__(hub=hub, auth=auth, headers=_HEADERS, timeout=timeout, max_retries=max_retries)
        self._rules.home = self._home_path()  # of all operations: job requests and logs are content, too
        self._folders: set[str] = set()
        self._kept_first = self._rules, self._rules
        self._kept_rules = self._rules, replace(self._rules, timeouts=replace(self._rules.timeouts, total=None))

    @property
    def base_url(self) -> str:
        """Where requests go to, ``/v1`` included."""
        return f"{self.token.base_api_url.strip('/')}/v1"

    def _base(self) -> BaseUrl:
        return self._home

    def _error(self, request: Request, answer: Answer) -> APIError:
        return exceptions.refusal(request, answer)

    # --- what applications do otherwise ------------------------------------------------------------------------------

    def _headers_now(self) -> Headers:
        """Return the headers of a request that is made now."""
        return self._headers

    def _for_whom(self) -> Mapping[str, Any]:
        """Return what a journal keeps of whose request it is; no secrets."""
        return {}

    def _rules_for(self, endpoint: Endpoint[Any]) -> Rules:
        """Return the rules for an operation."""
        return self._rules

    # --- requests ----------------------------------------------------------------------------------------------------

    async def _call(self, endpoint: Endpoint[T], arguments: Mapping[str, Any]) -> T:
        if self._query_string:
            endpoint, arguments = in_query_string(endpoint, arguments)
        headers = self._headers_now()
        if endpoint.body != "none":
            headers = [*headers, _JSON]
            return await self._exchange(endpoint, build(endpoint, arguments, self._home, headers))
        # As the official client: a request that could have a body says that it has none.
        empty = None if endpoint.method == "GET" else b""
        return await self._exchange(endpoint, build(endpoint, arguments, self._home, headers, body=empty))

    async def _submit(
        self, endpoint: Endpoint[T], arguments: Mapping[str, Any], content_type: tuple[bytes, bytes], body: bytes | Body
    ) -> T:
        """Call an operation with a body that is not JSON."""
        headers = [*self._headers_now(), content_type]
        return await self._exchange(endpoint, build(endpoint, arguments, self._home, headers, body=body))

    async def _submit_form(self, endpoint: Endpoint[T], arguments: Mapping[str, Any], text: bytes) -> T:
        return await self._submit(endpoint, arguments, _FORM, text)

    async def _submit_parts(self, endpoint: Endpoint[T], arguments: Mapping[str, Any], parts: Sequence[Part]) -> T:
        form = MultipartBody(parts)
        return await self._submit(endpoint, arguments, (b"content-type", form.content_type), form.whole() or form)

    async def _exchange(self, endpoint: Endpoint[T], request: Request) -> T:
        pipeline = self._hub._opened()
        answer = await pipeline.fetch(request, endpoint.name, self._rules_for(endpoint), Lane.CONTROL)
        self._record(request, answer)
        value: T = decoded(endpoint, answer)
        return value

    def _record(self, request: Request, answer: Answer) -> None:
        """Note an answer for ``with_raw_response``."""
        if self._recorder is not None:
            self._recorder.append((request, answer))

    def _content_rules(self, endpoint: Endpoint[Any]) -> Rules:
        """Return the rules for file content, which may take as long as it moves."""
        rules = self._rules_for(endpoint)
        if self._kept_rules[0] is not rules:  # the same again for thousands of files
            self._kept_rules = rules, replace(rules, timeouts=replace(rules.timeouts, total=None))
        return self._kept_rules[1]

    def _url_of(self, endpoint: Endpoint[Any], arguments: Mapping[str, Any]) -> str:
        """Return the address of an operation, its arguments checked and quoted."""
        request = build(endpoint, arguments, self._home, [])
        return f"{request.origin}{request.target.decode('ascii')}"
