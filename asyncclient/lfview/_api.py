"""What all sessions do: find the service, send and read metadata, keep the key at home."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final, NoReturn

from asyncclient import _codec
from asyncclient._auth import SingleFlight
from asyncclient._messages import Headers, Origin, Request
from asyncclient._pipeline import Answer, Rules
from asyncclient._redirect import split_url
from asyncclient._scheduler import Lane
from asyncclient._service import ServiceClient
from asyncclient._version import USER_AGENT
from asyncclient.errors import ArgumentTypeError, DecodeError
from asyncclient.lfview._account import CLIENT_VERSION, DISCOVERY_URL, Account, discovery_target, header_bytes
from asyncclient.lfview._refusals import discovery_refusal, metadata_refusal, user_refusal
from asyncclient.lfview.exceptions import BadAnswer, BadURL
from asyncclient.types import UNSET

if TYPE_CHECKING:
    from asyncclient._pipeline import Pipeline
    from asyncclient.errors import APIError
    from asyncclient.hub import AsyncHub

__all__ = ["ApiClient", "Metadata"]

_HEADERS: Final[Headers] = [
    (b"accept", b"*/*"),
    (b"accept-encoding", b"gzip, deflate"),
    (b"user-agent", USER_AGENT),
]


@dataclass(frozen=True, slots=True)
class Metadata:
    """A resource as the service describes it.

    Attributes:
        url: Where it was read, or that of the resource itself if it was written.
        data: The JSON of the answer.
        links: Its URLs by name.
    """

    url: str
    data: Mapping[str, Any]
    links: Mapping[str, str]

    def link(self, name: str) -> str:
        """Return a URL that there has to be.

        Raises:
            BadAnswer: There is none.
        """
        if name not in self.links:
            raise BadAnswer(f"the service named no links.{name} of {self.url.partition('?')[0]}")
        return self.links[name]


class ApiClient(ServiceClient):
    """The base of all sessions."""

    _service = "lfview"

    def __init__(
        self,
        api_key: str | None,
        service: str | None,
        source: str | None,
        client_version: str | None,
        endpoint: str | None,
        *,
        discovery_url: str = DISCOVERY_URL,
        hub: AsyncHub | None = None,
        timeout: Any = UNSET,
        max_retries: int | None = None,
    ) -> None:
        for name, value in (("service", service), ("client_version", client_version), ("endpoint", endpoint)):
            if value is not None and not isinstance(value, str):
                raise ArgumentTypeError(f"{name} must be text, not {type(value).__name__}", argument=name)
        self._service_name = service or endpoint or None
        self._client_version = client_version or CLIENT_VERSION
        self._discovery = discovery_target(discovery_url, self._client_version, self._service_name)
        self._account = Account(api_key, source if source is not None else self._client_version)
        super().__init__(hub=hub, auth=self._account, headers=_HEADERS, timeout=timeout, max_retries=max_retries)
        self._connecting = SingleFlight(self._connect)

    # --- what the service is -----------------------------------------------------------------------------------------

    def _is_home(self, origin: Origin) -> bool:
        return bool(self._account.key) and origin in self._account.homes

    def _error(self, request: Request, answer: Answer) -> APIError:
        return metadata_refusal(request, answer)

    # --- finding the service -----------------------------------------------------------------------------------------

    async def connect(self) -> None:
        """Find the service and sign in; the first call does it by itself.

        Raises:
            ServiceUnavailable: The service answers with an error.
            InvalidAPIKey: It does not accept the key.
            TermsNotAccepted: Its terms of use have to be accepted first.
        """
        if not self._account.connected:
            await self._connecting()

    async def _connect(self) -> None:
        account, (origin, target) = self._account, self._discovery
        # Without any header of the session: discovery knows no users.
        rules = replace(self._rules, auth=None, error=discovery_refusal)
        request = Request(b"GET", origin, target, _HEADERS, idempotent=True)
        secure = origin.scheme == "https"
        answer = await self._pipeline.fetch(request, "discovery", rules)
        user_url = account.take_discovery(_json(answer), secure=secure)
        if account.key:
            request = self._request(b"GET", user_url)
            answer = await self._pipeline.fetch(request, "user", replace(self._rules, error=user_refusal))
            account.take_user(_json(answer), secure=secure)
        account.connected = True

    # --- requests ----------------------------------------------------------------------------------------------------

    @property
    def _pipeline(self) -> Pipeline:
        return self._hub._opened()

    @property
    def _content_rules(self) -> Rules:
        """Rules for content that is sent: never signed, whatever its origin."""
        return replace(self._rules, auth=None)

    def _request(self, method: bytes, url: str, body: Any = None) -> Request:
        """Make a request to the API, or to what a URL of the user leads to.

        Raises:
            BadURL: It is no absolute URL.
        """
        try:
            origin, target = split_url(url)
        except ValueError as error:
            raise BadURL(f"no URL of a resource: {error}", argument="url") from None
        headers, content = self._headers_for(origin), None
        if body is not None:
            headers = [*headers, (b"content-type", b"application/json")]
            content = _codec.encode(body)
        # A PATCH has the whole resource in it: sent twice it does the same.
        return Request(method, origin, target, headers, content, idempotent=method != b"POST")

    def _headers_for(self, origin: Origin) -> Headers:
        if origin not in self._account.homes:
            return _HEADERS
        source = self._account.source
        return [*self._headers, (b"source", header_bytes(source))] if source else self._headers

    def _headers_to(self, url: str) -> Headers:
        """Return the headers for a GET to a URL that the service named.

        Raises:
            BadAnswer: It is no absolute URL.
        """
        try:
            return self._headers_for(split_url(url)[0])
        except ValueError as error:
            raise BadAnswer(f"the service named an unusable URL: {error}") from None

    async def _ask(self, request: Request, operation: str, *, record: bool = False) -> Answer:
        """Send a request for metadata; ``record`` if its answer is what ``with_raw_response`` gives back."""
        answer = await self._pipeline.fetch(request, operation, self._rules, Lane.CONTROL)
        if record and self._recorder is not None:
            self._recorder.append((request, answer))
        return answer

    async def _read(self, url: str, operation: str, *, record: bool = False) -> Metadata:
        """Read the metadata of a resource."""
        data = _json(await self._ask(self._request(b"GET", url), operation, record=record))
        return Metadata(url, data, _links(data))

    async def _write(self, method: bytes, url: str, body: Any, operation: str, *, record: bool = False) -> Metadata:
        """Create or change a resource."""
        data = _json(await self._ask(self._request(method, url, body), operation, record=record))
        links = _links(data)
        return Metadata(links.get("self", url), data, links)


def _json(answer: Answer) -> dict[str, Any]:
    try:
        found = _codec.decode_json(answer.body, status=answer.status, headers=answer.headers)
    except DecodeError as error:
        _bad(answer, str(error))
    if not isinstance(found, dict):
        _bad(answer, "the answer is no JSON object")
    return found


def _bad(answer: Answer, text: str) -> NoReturn:
    kind = answer.header(b"content-type")
    raise BadAnswer(text, status=answer.status, content_type=kind, size=len(answer.body)) from None


def _links(data: Mapping[str, Any]) -> dict[str, str]:
    links = data.get("links")
    if not isinstance(links, dict):
        return {}
    return {name: url for name, url in links.items() if isinstance(url, str) and url}
