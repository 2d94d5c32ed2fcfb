"""The API over HTTP: one request for each operation, Basic authentication with a token that renews itself."""

from __future__ import annotations

import base64
import time
from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any, ClassVar, Final

from asyncclient import _codec
from asyncclient._auth import SingleFlight
from asyncclient._endpoint import Endpoint, Param
from asyncclient._failure import error_of, facts_of
from asyncclient._messages import Request
from asyncclient._pipeline import Answer
from asyncclient._retry import Kind, classify
from asyncclient._scheduler import Lane
from asyncclient._service import ServiceClient
from asyncclient._url import BaseUrl
from asyncclient._version import USER_AGENT
from asyncclient.errors import APIError, ArgumentError, ArgumentTypeError, AsyncClientError, DecodeError
from asyncclient.sticky_pi._operations import AsyncOperations
from asyncclient.sticky_pi._wire import from_wire, to_wire
from asyncclient.sticky_pi.exceptions import refusal_class
from asyncclient.types import UNSET, RetryPolicy, Timeouts

if TYPE_CHECKING:
    from asyncclient._messages import Headers, Origin
    from asyncclient.hub import AsyncHub
    from asyncclient.sticky_pi._spec import ClientInfo

__all__ = ["AsyncRemoteAPIConnector"]

_HEADERS: Final[Headers] = [
    (b"accept", b"*/*"),
    (b"accept-encoding", b"gzip, deflate"),
    (b"user-agent", USER_AGENT),
    (b"content-type", b"application/json"),
]
_MARGIN_S: Final = 60
_TOKEN_TIMEOUTS: Final = Timeouts(total=120.0)
_WITH_WHAT: Final = frozenset(
    {
        "get_images",
        "get_image_series",
        "get_images_to_annotate",
        "get_uid_annotations",
        "get_uid_annotations_series",
        "get_tiled_tuboid_series",
        "_get_ml_bundle_file_list",
    }
)
_INFO: Final = Param("info", "info", "body")
_WHAT: Final = Param("what", "what", "path", required=True)
_OVERLOADED: Final = frozenset({429, 503})
"""The work was not begun."""
_BROKEN: Final = frozenset({408, 425, 502, 504})
"""The work may have been done; older servers say 500 to what can never be done."""


def _endpoint(operation: str) -> Endpoint[Any]:
    """Return an operation as data. Reading changes nothing, so it may be repeated; reserving is no reading."""
    reads = operation.startswith(("get_", "_get_")) and operation != "get_images_to_annotate"
    if operation in _WITH_WHAT:
        return Endpoint(operation, "POST", f"/{operation}/{{what}}", (_WHAT, _INFO), "whole", idempotent=reads)
    return Endpoint(operation, "POST", f"/{operation}", (_INFO,), "whole", idempotent=reads)


class AsyncRemoteAPIConnector(AsyncOperations, ServiceClient):
    """The operations of a Sticky Pi server.

    Args:
        host: Name of the server; or its whole URL, then ``protocol`` and ``port`` are those of the URL.
        username: Who logs in.
        password: Of that user.
        protocol: ``https`` or ``http``.
        port: Of the server.
        hub: What requests go through. Default: a hub of its own, closed with the client.
        timeout: Seconds for a whole small call, a ``Timeouts`` or an ``httpx.Timeout``; None waits for ever.
        max_retries: Tries beyond the first. Default: 5.

    Nothing is sent before the first call. A refusal is a :class:`~.exceptions.RemoteAPIException`.
    """

    _service: ClassVar[str] = "sticky_pi"
    _default_policy: ClassVar[RetryPolicy] = RetryPolicy(max_retries=5)

    def __init__(
        self,
        host: str,
        username: str,
        password: str,
        protocol: str = "https",
        port: int = 443,
        *,
        hub: AsyncHub | None = None,
        timeout: Any = UNSET,
        max_retries: int | None = None,
    ) -> None:
        for name, value in (("host", host), ("username", username), ("password", password)):
            if not isinstance(value, str):
                raise ArgumentTypeError(f"{name} must be text, not {type(value).__name__}", argument=name)
        if not username:
            raise ArgumentError("username must not be empty", argument="username")
        self._url = BaseUrl.parse(_url_of(host, protocol, port), what="host")
        self._login = _Login(self, username, password)
        # By name: in a client of a server another base comes between.
        ServiceClient.__init__(
            self, hub=hub, auth=self._login, headers=_HEADERS, timeout=timeout, max_retries=max_retries
        )

    async def get_token(self, client_info: ClientInfo | None = None) -> dict[str, Any]:
        """Log in anew; the token serves all following calls.

        Args:
            client_info: Not used: the user is the one this client was made for.

        Returns:
            ``token`` and ``expiration``, Unix time in seconds.
        """
        return dict(await self._login.renew())

    async def _ask(self, operation: str, arguments: Mapping[str, Any]) -> Any:
        given = {name: value for name, value in arguments.items() if name != "client_info"}
        given["info"] = [{}] if given["info"] is None else to_wire(given["info"], operation)
        return from_wire(await self._call(_endpoint(operation), given))

    async def _log_in(self, header: tuple[bytes, bytes]) -> dict[str, Any]:
        """Ask for a token with name and password."""
        headers = [(name, value) for name, value in self._headers if name != b"content-type"]
        target = f"{self._url.path}/get_token".encode("ascii")
        request = Request(b"POST", self._url.origin, target, [*headers, header], idempotent=True)
        rules = replace(self._rules, auth=None, timeouts=_TOKEN_TIMEOUTS)
        answer = await self._hub._opened().fetch(request, "get_token", rules, Lane.CONTROL)
        if self._recorder is not None:
            self._recorder.append((request, answer))
        match _codec.decode_json(answer.body, status=answer.status, headers=answer.headers):
            case {"token": str(token), "expiration": int() | float() as expiration}:
                return {"token": token, "expiration": int(expiration)}
            case _:
                raise DecodeError("get_token: the answer has no token and expiration", status=answer.status)

    def _base(self) -> BaseUrl:
        return self._url

    def _is_home(self, origin: Origin) -> bool:
        return origin == self._url.origin

    def _error(self, request: Request, answer: Answer) -> APIError:
        error = error_of(request, answer, now=time.time(), kind=refusal_class(answer.status))
        match facts_of(answer)[0]:
            case {"error": {"type": str(kind), "message": str(reason)}}:
                error.code, error.message = kind, reason
            case str(text) if text.strip() and "<" not in text:  # older servers: plain text, or pages of HTML
                error.message = f"{answer.status}: {text.strip()}"
        error.args = (error.message,)
        return error

    @staticmethod
    def _classify(error: AsyncClientError, *, repeatable: bool) -> Kind:
        if isinstance(error, APIError):
            if error.status in _OVERLOADED:
                return Kind.THROTTLE if error.status == 429 else Kind.SERVER
            return Kind.SERVER if error.status in _BROKEN and repeatable else Kind.FATAL
        return classify(error, repeatable=repeatable)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} at {self._url.origin}{self._url.path}>"


def _url_of(host: str, protocol: str, port: int) -> str:
    if "://" in host:
        return host
    if protocol not in ("http", "https"):
        raise ArgumentError(f"protocol must be 'https' or 'http', not {protocol!r}", argument="protocol")
    try:
        number = int(port)
    except (TypeError, ValueError):
        raise ArgumentTypeError(f"port must be a number, not {port!r}", argument="port") from None
    if not 0 < number < 65536:
        raise ArgumentError(f"port must be from 1 to 65535, not {number}", argument="port")
    return f"{protocol}://{host}:{number}"


class _Login:
    """Signs requests with a token, fetched with name and password when there is none or it is about to lapse."""

    def __init__(self, connector: AsyncRemoteAPIConnector, username: str, password: str) -> None:
        self._connector = connector
        self._name_and_password = _basic(username, password)
        self._fetch = SingleFlight(self._fetched)
        self.token: dict[str, Any] = {"token": None, "expiration": 0}

    def header_nowait(self) -> tuple[bytes, bytes] | None:
        """Return the header if the token lasts for another minute."""
        if self.token["token"] is None or self.token["expiration"] < int(time.time()) + _MARGIN_S:
            return None
        return _basic(self.token["token"], "")

    async def header(self) -> tuple[bytes, bytes]:
        """Return the header, with a new token if need be."""
        return self.header_nowait() or _basic((await self._fetch())["token"], "")

    def reject(self, header: tuple[bytes, bytes]) -> bool:
        """Forget a token that was refused."""
        if header == self.header_nowait():
            self.token = {"token": None, "expiration": 0}
        return True

    async def renew(self) -> dict[str, Any]:
        """Fetch a token, whatever there is."""
        return await self._fetch()

    async def _fetched(self) -> dict[str, Any]:
        self.token = await self._connector._log_in(self._name_and_password)
        return self.token

    def __repr__(self) -> str:
        return "_Login(***)"


def _basic(name: str, password: str) -> tuple[bytes, bytes]:
    text = f"{name}:{password}"
    try:
        pair = text.encode("latin-1")  # as the platform's own client does
    except UnicodeEncodeError:
        pair = text.encode("utf-8")
    return b"authorization", b"Basic " + base64.b64encode(pair)
