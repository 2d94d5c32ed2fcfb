"""What all parts of the Flywheel client share: key, headers, call options, reading of answers."""

from __future__ import annotations

import copy
import os
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any, ClassVar, Final, NamedTuple, Self, TypeVar, cast

from asyncclient import _codec
from asyncclient._build import build
from asyncclient._endpoint import Endpoint
from asyncclient._pipeline import Answer, Rules
from asyncclient._scheduler import Lane
from asyncclient._service import ServiceClient
from asyncclient._version import USER_AGENT
from asyncclient.errors import APIError, ArgumentError, ArgumentTypeError
from asyncclient.flywheel._answers import read_answer
from asyncclient.flywheel._groups import GroupOwner
from asyncclient.flywheel._keys import ApiKey, parse_key, read_login
from asyncclient.flywheel._surface import TRANSFER_OPTIONS, CallOptions, FlywheelBase
from asyncclient.flywheel._trust import certificates
from asyncclient.flywheel.exceptions import FeatureRefused, refusal, retry_kind
from asyncclient.hub import AsyncHub
from asyncclient.types import UNSET, RetryPolicy, Timeouts

if TYPE_CHECKING:
    from asyncclient._messages import Body, Headers, Request
    from asyncclient._url import BaseUrl

__all__ = ["Call", "FlywheelClient", "without_total"]

T = TypeVar("T")
G = TypeVar("G")

_FEATURES: Final = b"Safe-Redirect,multipart_signed_url"
_HEADERS: Final[Headers] = [
    (b"accept", b"application/json"),
    (b"accept-encoding", b"gzip, deflate"),
    (b"user-agent", USER_AGENT),
    (b"content-type", b"application/json"),  # the official client sends it with every request, GET included
    (b"x-accept-feature", _FEATURES),
]
_ACCEPTS: Final = {"bytes": b"application/octet-stream", "text": b"application/javascript"}
_SITE_S: Final = 300.0
"""Seconds for which the configuration of a site is believed."""
_OPTIONS: Final = frozenset(CallOptions.__annotations__) - TRANSFER_OPTIONS


class Call(NamedTuple):
    """One call, checked: the request, and how it is sent and read."""

    request: Request
    rules: Rules
    raw: bool
    whole: bool


class FlywheelClient(FlywheelBase, GroupOwner, ServiceClient):
    """The base of :class:`asyncclient.flywheel.AsyncClient`."""

    _service: ClassVar[str] = "flywheel"

    def __init__(
        self,
        api_key: str | None = None,
        *,
        root: bool = False,
        exhaustive: bool = False,
        disable_auth_check: bool = False,
        request_timeout: float | None = None,
        connect_timeout: float | None = None,
        skip_version_check: bool | None = None,
        subjects_in_resolver: bool | None = None,
        hub: AsyncHub | None = None,
        timeout: Any = UNSET,
        max_retries: int | None = None,
    ) -> None:
        _warn_of_old(root, skip_version_check, subjects_in_resolver)
        self._key: ApiKey = parse_key(api_key or read_login())
        trusted = certificates() if hub is None else None
        own_hub = hub is None
        super().__init__(
            hub=hub if trusted is None else AsyncHub(verify=trusted),
            auth=_KeyAuth(self._key.authorization),
            headers=_HEADERS,
            timeout=timeout if timeout is not UNSET else _timeouts(connect_timeout, request_timeout),
            max_retries=max_retries,
        )
        self._owns_hub = own_hub
        if max_retries is None:
            self._rules.policy = _policy()
        self._exhaustive = any((exhaustive, root))
        self._unchecked = not disable_auth_check
        self._site: dict[str, Any] = {}

    def _base(self) -> BaseUrl:
        return self._key.base

    def _error(self, request: Request, answer: Answer) -> APIError:
        return refusal(request, answer)

    _classify = staticmethod(retry_kind)

    async def __aenter__(self) -> Self:
        await super().__aenter__()
        try:
            await self.connect()
        except BaseException:  # there will be no __aexit__
            await self.aclose()
            raise
        return self

    async def connect(self) -> None:
        """Ask the service whether it takes the key, once, unless ``disable_auth_check`` was given.

        Raises:
            ApiException: It does not.
        """
        if self._unchecked:
            from asyncclient.flywheel._generated.operations.auth import GET_AUTH_STATUS

            await self._sent(GET_AUTH_STATUS.name, self._checked(GET_AUTH_STATUS, {}, {}))  # what it says is not needed
            self._unchecked = False

    def enable_feature(self, value: str) -> None:
        """Name a feature in all later requests, beside those that are always named.

        Raises:
            FeatureRefused: It changes the form of answers: ``pagination``.
        """
        if not value or not isinstance(value, str):
            raise ArgumentError("value must be the name of a feature", argument="value")
        _check_features("enable_feature", "value", (value,))
        self._headers = [
            (name, text + b"," + value.encode() if name == b"x-accept-feature" else text)
            for name, text in self._headers
        ]

    async def _features(self) -> Mapping[str, Any]:
        """Return the features of the site, asked for at most every few minutes."""
        if self._site.get("until", 0.0) < time.monotonic():
            from asyncclient.flywheel._generated.operations.config import GET_CONFIG

            answer = await self._sent(GET_CONFIG.name, self._checked(GET_CONFIG, {}, {}))
            found = _codec.decode_json(answer.body, status=answer.status, headers=answer.headers)
            found = found if isinstance(found, dict) else {}
            features = found.get("features")
            self._site.update(features if isinstance(features, dict) else {})
            self._site["signed_url"] = bool(self._site.get("signed_url")) or found.get("signed_url") is True
            self._site["until"] = time.monotonic() + _SITE_S
        return self._site

    # --- calls -------------------------------------------------------------------------------------------------------

    async def _call(self, endpoint: Endpoint[T], arguments: Mapping[str, Any]) -> T:
        return await self._operate(endpoint, arguments, {})

    async def _operate(self, endpoint: Endpoint[T], arguments: Mapping[str, Any], options: Mapping[str, Any]) -> T:
        call = self._checked(endpoint, arguments, options)
        answer = await self._sent(endpoint.name, call, Lane.BULK if endpoint.bulk else Lane.CONTROL)
        return cast("T", self._read(endpoint, call, answer))

    async def _sent(self, operation: str, call: Call, lane: Lane = Lane.CONTROL) -> Answer:
        answer = await self._hub._opened().fetch(call.request, operation, call.rules, lane)
        if self._recorder is not None:
            self._recorder.append((call.request, answer))
        return answer

    def _read(self, endpoint: Endpoint[Any], call: Call, answer: Answer) -> Any:
        if call.raw:
            from asyncclient import _httpx

            return _httpx.to_httpx_response(call.request, answer)
        return self._bound(read_answer(endpoint, answer, whole=call.whole))

    def _bound(self, value: Any) -> Any:
        """Give objects of an answer what they need to act."""
        return value

    def _checked(
        self,
        endpoint: Endpoint[Any],
        arguments: Mapping[str, Any],
        options: Mapping[str, Any],
        *,
        body: bytes | Body | None = None,
        content_type: bytes | None = None,
    ) -> Call:
        """Check a call and make its request; everything that can be refused is refused here."""
        _check_options(endpoint, arguments, options)
        for param in endpoint.params:
            if param.required and arguments.get(param.name) is None:
                raise ArgumentError(f"{endpoint.name}(): {param.name} must not be None", argument=param.name)
        _check_features(endpoint.name, "x_accept_feature", arguments.get("x_accept_feature"))
        headers = self._headers_of(endpoint, content_type)
        request = build(endpoint, arguments, self._base(), headers, body=body)
        if request.body is None and request.method != b"GET":
            request.body = b""  # so that its length is said to be 0
        if self._exhaustive and b"exhaustive=" not in request.target:
            request.target += (b"&" if b"?" in request.target else b"?") + b"exhaustive=true"
        if (out := options.get("_request_out")) is not None:
            out["url"] = f"{request.origin}{request.target.decode('ascii')}"
        rules = self._rules_of(options, bulk=endpoint.bulk)
        return Call(
            request,
            rules,
            raw=not options.get("_preload_content", True),
            whole=bool(options.get("_ignore_simplified_return_value", False)),
        )

    def _headers_of(self, endpoint: Endpoint[Any], content_type: bytes | None) -> Headers:
        changes: dict[bytes, bytes] = {}
        if endpoint.answer == "text" or (endpoint.name.startswith("download_") and endpoint.method == "GET"):
            changes[b"accept"] = _ACCEPTS.get(endpoint.answer, b"application/json")
        if endpoint.name in ("download_ticket", "download_audit_trail_report"):
            changes.clear()  # the official client asks for JSON there, and the service knows no better
        if content_type is not None:
            changes[b"content-type"] = content_type
        return [(name, changes.get(name, value)) for name, value in self._headers] if changes else self._headers

    def _rules_of(self, options: Mapping[str, Any], *, bulk: bool) -> Rules:
        given = options.get("_request_timeout")
        if given is None and not bulk:
            return self._rules
        rules = self._rules
        if given is not None:
            connect, read = given if isinstance(given, (tuple, list)) else (given, given)
            rules = replace(rules, timeouts=replace(rules.timeouts, connect=connect, read=read))
        return without_total(rules) if bulk else rules

    # --- groups and raw answers --------------------------------------------------------------------------------------

    def _group(self, kind: type[G]) -> G:
        make = cast("Callable[[FlywheelClient], G]", kind)
        return make(self)

    def _with_info(self, operation: str) -> Callable[..., Awaitable[Any]]:
        """Return the form of an operation that gives data, status and headers."""

        async def call(*args: Any, **kwargs: Any) -> Any:
            only = kwargs.pop("_return_http_data_only", False)
            other = copy.copy(self)
            other._owns_hub = False
            recorded: list[tuple[Request, Answer]] = []
            other._recorder = recorded
            kwargs["_ignore_simplified_return_value"] = True
            data = await getattr(other, operation)(*args, **kwargs)
            if only:
                return data
            status, headers = (recorded[-1][1].status, recorded[-1][1].headers) if recorded else (None, [])
            return data, status, {name.decode("latin-1"): value.decode("latin-1") for name, value in headers}

        call.__name__ = f"{operation}_with_http_info"
        return call


class _KeyAuth:
    """Signs with a key that never changes."""

    __slots__ = ("_header",)

    def __init__(self, value: bytes) -> None:
        self._header = (b"authorization", value)

    def header_nowait(self) -> tuple[bytes, bytes]:
        return self._header

    async def header(self) -> tuple[bytes, bytes]:
        return self._header

    def reject(self, header: tuple[bytes, bytes]) -> bool:
        return False

    def __repr__(self) -> str:
        return "_KeyAuth(***)"


def without_total(rules: Rules) -> Rules:
    """Return the rules for content, which may take as long as it takes; the same where there is no bound anyway."""
    if rules.timeouts.total is None:
        return rules
    return replace(rules, timeouts=replace(rules.timeouts, total=None))


def _check_options(endpoint: Endpoint[Any], arguments: Mapping[str, Any], options: Mapping[str, Any]) -> None:
    for name, value in options.items():
        if name not in _OPTIONS:
            import difflib

            known = [*(param.name for param in endpoint.params), *arguments, *sorted(_OPTIONS)]
            near = difflib.get_close_matches(name, known, n=1)
            hint = f"; did you mean {near[0]!r}?" if near else ""
            raise ArgumentTypeError(f"{endpoint.name}() has no argument {name!r}{hint}", argument=name)
        if name == "async_" and value:
            raise ArgumentTypeError(
                f"{endpoint.name}(): async_ is not needed: await the method of an AsyncClient", argument=name
            )


def _check_features(operation: str, argument: str, value: Any) -> None:
    if not value:
        return
    if isinstance(value, str) and argument == "x_accept_feature":
        raise ArgumentTypeError(f"{operation}(): x_accept_feature must be a list of names, not text", argument=argument)
    if any(str(name).strip().lower() == "pagination" for name in value):
        raise FeatureRefused(
            f"{operation}(): the feature 'pagination' changes the form of answers; use iterate() or a finder",
            argument=argument,
        )


def _warn_of_old(root: bool, skip_version_check: bool | None, subjects_in_resolver: bool | None) -> None:
    import warnings

    if root:
        warnings.warn("root is deprecated; use exhaustive", DeprecationWarning, stacklevel=4)
    for name, value in (("skip_version_check", skip_version_check), ("subjects_in_resolver", subjects_in_resolver)):
        if value is not None:
            warnings.warn(f"{name} is deprecated and does nothing", DeprecationWarning, stacklevel=4)


def _number(name: str, default: float) -> float:
    text = os.environ.get(name)
    if text is None:
        return default
    try:
        return float(text)
    except ValueError:
        raise ArgumentError(f"the environment variable {name} must be a number", argument=name) from None


def _timeouts(connect: float | None, read: float | None) -> Timeouts:
    return Timeouts(
        connect=connect if connect is not None else _number("FLYWHEEL_SDK_CONNECT_TIMEOUT", 10.0),
        read=read if read is not None else _number("FLYWHEEL_SDK_REQUEST_TIMEOUT", 60.0),
        total=None,  # as the official client: only silence ends a call
    )


def _policy() -> RetryPolicy:
    half_s = _number("FLYWHEEL_SDK_BACKOFF_FACTOR", 1.875) / 2
    return RetryPolicy(
        max_retries=int(_number("FLYWHEEL_SDK_TOTAL_RETRIES", 7)),
        base_transport_s=half_s,
        base_server_s=half_s,
        base_throttle_s=half_s,
        cap_s=60.0,
    )
