"""The base of every service client: a call, a paged call, options, raw answers, a hub of its own or a borrowed one."""

from __future__ import annotations

import asyncio
import contextlib
import copy
import re
import sys
import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any, ClassVar, Final, Self, TypeVar

from asyncclient import _codec, _paging
from asyncclient._build import build
from asyncclient._endpoint import Endpoint
from asyncclient._failure import error_of
from asyncclient._messages import Request
from asyncclient._pipeline import Answer, Rules
from asyncclient._redirect import split_url
from asyncclient._retry import classify
from asyncclient._scheduler import Lane
from asyncclient.errors import APIError, ArgumentError, ArgumentTypeError, DecodeError
from asyncclient.hub import AsyncHub
from asyncclient.types import UNSET, RetryPolicy, Timeouts, Unset

if TYPE_CHECKING:
    import httpx

    from asyncclient._auth import Auth
    from asyncclient._messages import Body, Headers, Origin
    from asyncclient._url import BaseUrl

__all__ = ["RawResponses", "ServiceBase", "ServiceClient", "absolute_request", "decoded"]

T = TypeVar("T")

_HEADER_NAME: Final = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+\Z")  # a token of RFC 9110
_HEADER_VALUE: Final = re.compile(r"[^\x00-\x1f\x7f\ud800-\udfff]*\Z")


class ServiceBase:
    """What generated methods need of the client they are mixed into."""

    async def _call(self, endpoint: Endpoint[T], arguments: Mapping[str, Any]) -> T:
        raise NotImplementedError


class ServiceClient(ServiceBase):
    """A client of one service.

    Subclasses say where the service is (:meth:`_base`), which headers it wants and how its refusals look.
    """

    _service: ClassVar[str] = ""
    _default_policy: ClassVar[RetryPolicy] = RetryPolicy()

    def __init__(
        self,
        *,
        hub: AsyncHub | None,
        auth: Auth | None,
        headers: Headers,
        timeout: Any = UNSET,
        max_retries: int | None = None,
    ) -> None:
        if hub is not None and not isinstance(hub, AsyncHub):
            raise ArgumentTypeError(f"hub must be an AsyncHub, not {type(hub).__name__}", argument="hub")
        self._hub = hub if hub is not None else AsyncHub()
        self._owns_hub = hub is None
        self._headers = headers
        self._recorder: list[tuple[Request, Answer]] | None = None
        self._rules = Rules(
            service=self._service,
            error=self._error,
            auth=auth,
            auth_origins=self._is_home,
            timeouts=Timeouts() if timeout is UNSET else Timeouts.of(timeout),
            policy=_policy(self._default_policy, max_retries),
            classify=self._classify,
            max_response_bytes=self._hub.limits.max_response_bytes,
        )

    # --- what a service says of itself -------------------------------------------------------------------------------

    def _base(self) -> BaseUrl:
        """Return where the service is; asked for every call."""
        raise NotImplementedError

    def _is_home(self, origin: Origin) -> bool:
        """Tell whether the signature may be sent to this origin."""
        return origin == self._base().origin

    def _home_path(self) -> bytes:
        """Return the ``home`` of rules for file content: whatever leads out of the service's path gets no signature.

        Content is redirected to stores. One may lie behind the same host, and may have its secret in the path.
        """
        return f"{self._base().path}/".encode("ascii")

    def _error(self, request: Request, answer: Answer) -> APIError:
        """Make the error of an answer that is a refusal."""
        return error_of(request, answer, now=time.time())

    _classify = staticmethod(classify)

    # --- life --------------------------------------------------------------------------------------------------------

    async def __aenter__(self) -> Self:
        self._hub._opened()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """Close the hub if this client made it; a borrowed hub stays open. May be repeated."""
        if self._owns_hub:
            await self._hub.aclose()

    def with_options(
        self,
        *,
        timeout: Any = UNSET,
        max_retries: int | Unset = UNSET,
        retry: RetryPolicy | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Self:
        """Return a copy of this client with other options; it shares hub and credentials.

        Args:
            timeout: Seconds for a whole call, a ``Timeouts``, an ``httpx.Timeout``, or None to wait for ever.
            max_retries: Tries beyond the first; 0 for none.
            retry: Counts and waits in full, in place of ``max_retries``.
            headers: Sent with every request, in place of headers of the same name. ``Authorization`` replaces the
                client's credentials. They never go to another origin that a redirect leads to.

        Raises:
            ArgumentError: An option has a value that cannot be used; none was applied.
        """
        other = copy.copy(self)
        other._owns_hub = False
        rules = other._rules = replace(self._rules)
        if timeout is not UNSET:
            rules.timeouts = Timeouts.of(timeout, rules.timeouts)
        if retry is not None:
            if not isinstance(retry, RetryPolicy):
                raise ArgumentTypeError(f"retry must be a RetryPolicy, not {type(retry).__name__}", argument="retry")
            rules.policy = retry
        if max_retries is not UNSET:
            rules.policy = replace(rules.policy, max_retries=max_retries, max_throttle_retries=None)
        if headers:
            other._headers = _merged(self._headers, headers)
            if any(name == b"authorization" for name, _ in other._headers):
                rules.auth = None  # two of them would be an error, or worse, a matter of luck
        return other

    @property
    def with_raw_response(self) -> RawResponses:
        """The same methods, each returning the ``httpx.Response`` of its first request to the service."""
        return RawResponses(self)

    # --- calls -------------------------------------------------------------------------------------------------------

    async def _call(self, endpoint: Endpoint[T], arguments: Mapping[str, Any]) -> T:
        request = build(endpoint, arguments, self._base(), self._headers)
        lane = Lane.BULK if endpoint.bulk else Lane.CONTROL
        answer = await self._hub._opened().fetch(request, endpoint.name, self._rules, lane)
        if self._recorder is not None:
            self._recorder.append((request, answer))
        value: T = decoded(endpoint, answer)
        return value

    async def _send(
        self, operation: str, request: Request, *, lane: Lane = Lane.BULK, rules: Rules | None = None
    ) -> Answer:
        """Send a request that is not described by an endpoint, for file content."""
        return await self._hub._opened().fetch(request, operation, rules or self._rules, lane)

    async def iterate(self, operation: str, /, **arguments: Any) -> AsyncGenerator[Any]:
        """Yield the items of a paged operation, fetching page after page as they are used up.

        Args:
            operation: Name of a method that returns pages, for example ``"list_documents"``.
            arguments: Its arguments by name. A page size given here is the size of each page.

        Raises:
            ArgumentError: There is no such operation, or it is not paged.
            DecodeError: The service returned the continuation it was given, which would never end.
        """
        method, page = self._paged(operation)
        async with contextlib.aclosing(_paging.items(operation, method, page, arguments)) as found:
            async for item in found:
                yield item

    def _paged(self, operation: str) -> tuple[Callable[..., Awaitable[Any]], Any]:
        method = None if operation.startswith("_") else getattr(self, operation, None)
        if method is None or not asyncio.iscoroutinefunction(method):
            raise ArgumentError(f"{type(self).__name__} has no operation {operation!r}", argument="operation")
        # The module that defines a method also holds, or imports, the descriptor it names.
        endpoint = getattr(sys.modules[method.__module__], operation.upper(), None)
        if not isinstance(endpoint, Endpoint) or endpoint.page is None:
            raise ArgumentError(f"{operation} does not return pages", argument="operation")
        return method, endpoint.page

    def __repr__(self) -> str:
        return f"<{type(self).__name__} of {self._service}>"


class RawResponses:
    """Gives back ``httpx.Response`` objects in place of decoded answers.

    A method that makes several requests returns the answer of its first one to the service; all its other effects
    happen as usual, and refusals are raised as usual.
    """

    __slots__ = ("_client",)

    def __init__(self, client: ServiceClient) -> None:
        self._client = client

    def __getattr__(self, name: str) -> Callable[..., Awaitable[httpx.Response]]:
        if name.startswith("_") or not asyncio.iscoroutinefunction(getattr(self._client, name, None)):
            raise AttributeError(f"{type(self._client).__name__} has no operation {name!r}")

        async def call(*args: Any, **kwargs: Any) -> httpx.Response:
            client = copy.copy(self._client)
            client._owns_hub = False
            recorded: list[tuple[Request, Answer]] = []
            client._recorder = recorded
            try:
                await getattr(client, name)(*args, **kwargs)
            except DecodeError:
                if not recorded:  # whatever the body is, the raw answer is what was asked for
                    raise
            if not recorded:
                raise ArgumentError(f"{name}() has no raw answer: it made no request to the service")
            from asyncclient import _httpx

            return _httpx.to_httpx_response(*recorded[0])

        call.__name__ = name
        return call


def decoded(endpoint: Endpoint[T], answer: Answer) -> Any:
    """Return what an operation gives back.

    Raises:
        DecodeError: The answer is not what the operation promises.
    """
    if answer.status == 204 or endpoint.answer == "none":
        return None
    if endpoint.answer == "bytes":
        return answer.body
    if endpoint.answer == "text":
        return answer.body.decode("utf-8", "replace")
    value = _codec.decode_json(answer.body, status=answer.status, headers=answer.headers)
    if endpoint.unwrap is not None:
        if not isinstance(value, dict) or endpoint.unwrap not in value:
            raise DecodeError(
                f"{endpoint.name}: the answer has no {endpoint.unwrap!r}", status=answer.status, size=len(answer.body)
            )
        value = value[endpoint.unwrap]
    return value if endpoint.returns is None else _codec.parse(value, endpoint.returns)


def _policy(default: RetryPolicy, max_retries: int | None) -> RetryPolicy:
    if max_retries is None:
        return default
    return replace(default, max_retries=max_retries, max_throttle_retries=None)


def _merged(headers: Headers, changes: Mapping[str, str]) -> Headers:
    pairs: Headers = []
    items: list[tuple[Any, Any]] = list(changes.items())
    for name, value in items:
        if not isinstance(name, str) or not isinstance(value, str):
            raise ArgumentTypeError("names and values of headers must be text", argument="headers")
        if not _HEADER_NAME.match(name):
            raise ArgumentError(f"{name!r} is not a name of a header", argument="headers")
        if not _HEADER_VALUE.match(value):
            raise ArgumentError(
                f"the header {name!r} must not hold control characters or invalid Unicode", argument="headers"
            )
        pairs.append((name.lower().encode("ascii"), value.encode("utf-8")))
    replaced = {name for name, _ in pairs}
    return [(name, value) for name, value in headers if name not in replaced] + pairs


def absolute_request(
    method: bytes, url: Any, headers: Headers, *, body: bytes | Body | None = None, what: str = "URL"
) -> Request:
    """Make a request to a URL the service named, its query kept byte for byte.

    Raises:
        DecodeError: It is not an absolute http or https URL. The URL itself is not repeated: it may be signed.
    """
    if not isinstance(url, str):
        raise DecodeError(f"the service named an unusable {what}: it is {type(url).__name__}, not text")
    try:
        origin, target = split_url(url)
    except ValueError as error:
        raise DecodeError(f"the service named an unusable {what}: {error}") from None
    return Request(method, origin, target, headers, body, idempotent=method in (b"GET", b"HEAD", b"PUT", b"DELETE"))
