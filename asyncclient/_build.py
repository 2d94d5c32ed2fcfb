"""The pure function that turns a call into a request.

It checks the arguments, quotes the path, encodes the query and assembles the JSON body. Every bad argument is
refused here, before any I/O, by its Python name.
"""

from __future__ import annotations

import functools
import importlib
import re
import sys
import warnings
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, Final

from asyncclient import _codec
from asyncclient._endpoint import Endpoint, Param, Plan
from asyncclient._messages import Body, Headers, Request
from asyncclient._url import BaseUrl
from asyncclient._values import CONVERTERS, check_json_type, check_numeric_text, is_date, plain, text_of, wrong_type
from asyncclient.errors import ArgumentError, ArgumentTypeError, EmptyRequestError
from asyncclient.types import UNSET

if TYPE_CHECKING:
    import types

__all__ = ["build"]

_UNRESERVED: Final = re.compile(r"[A-Za-z0-9_.~\-]+\Z")
_DOTS: Final = frozenset({".", ".."})
_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f]")


def build(
    endpoint: Endpoint[Any],
    arguments: Mapping[str, Any],
    base: BaseUrl,
    headers: Headers,
    *,
    body: bytes | Body | None = None,
) -> Request:
    """Turn a call into a request.

    Args:
        endpoint: What is called.
        arguments: By Python name; ``UNSET`` stands for an argument that was not given. With ``endpoint.extra``,
            names that are no parameters go into the body.
        base: Where the service is.
        headers: Headers of every request of the service; the list is copied only when something is added.
        body: Replaces the JSON body, for file content.

    Raises:
        ArgumentError: A value cannot be sent (also a ``ValueError``).
        ArgumentTypeError: A required argument is missing, or a value has the wrong type (also a ``TypeError``).
    """
    plan = endpoint.plan
    for name in plan.required:
        if arguments.get(name, UNSET) is UNSET:
            raise ArgumentTypeError(f"{endpoint.name}() needs the argument {name!r}", argument=name)
    target = _path(endpoint, plan, arguments, base.path)
    if plan.query:
        query = _query(endpoint, plan.query, arguments)
        if query:
            target = f"{target}?{query}"
    if plan.headers:
        headers = _with_headers(endpoint, plan, arguments, headers)
    payload: bytes | Body | None = body
    if body is None and endpoint.body != "none":
        payload = _json_body(endpoint, plan, arguments)
    return Request(plan.method, base.origin, target.encode("ascii"), headers, payload, idempotent=plan.idempotent)


def _path(endpoint: Endpoint[Any], plan: Plan, arguments: Mapping[str, Any], prefix: str) -> str:
    pieces = [prefix]
    for literal, param in plan.segments:
        pieces.append(literal)
        if param is not None:
            pieces.append(_segment(endpoint, param, arguments.get(param.name, UNSET)))
    return "".join(pieces) or "/"


def _segment(endpoint: Endpoint[Any], param: Param, value: Any) -> str:
    if value is UNSET and param.default is not None:
        value = param.default
    text: str = value if type(value) is str else _path_text(endpoint, param, value)
    if not text or text in _DOTS or ("/" in param.safe and not _DOTS.isdisjoint(text.split("/"))):
        raise ArgumentError(
            f"{endpoint.name}(): {param.name} must not be empty, '.' or '..': the path would name something else",
            argument=param.name,
        )
    if _kept(param.safe).match(text):
        return text
    if "\0" in text:
        raise ArgumentError(f"{endpoint.name}(): {param.name} must not hold a NUL character", argument=param.name)
    try:
        return str(_urllib().quote(text, safe=param.safe))
    except UnicodeEncodeError:
        raise _not_unicode(endpoint, param) from None


def _path_text(endpoint: Endpoint[Any], param: Param, value: Any) -> str:
    if value is UNSET or (value := plain(value)) is None:
        raise ArgumentError(f"{endpoint.name}(): {param.name} must not be {value!r}", argument=param.name)
    if isinstance(value, (bool, float)) or is_date(value):
        raise wrong_type(endpoint.name, param, value, "text")
    return text_of(endpoint.name, param, value, "text")


def _query(endpoint: Endpoint[Any], params: tuple[tuple[Param, str, bool], ...], arguments: Mapping[str, Any]) -> str:
    pairs: list[str] = []
    for param, key, any_text in params:
        value = arguments.get(param.name, UNSET)
        if value is UNSET:
            value = param.default
        if value is None:
            if param.required:
                raise ArgumentError(f"{endpoint.name}(): {param.name} must not be None", argument=param.name)
        elif not value and param.falsy == "omit":
            continue
        elif type(value) is str or type(value) is int:
            pairs.append(f"{key}={_query_text(endpoint, param, any_text, value)}")
        elif isinstance(value, Iterable) and not isinstance(value, (str, bytes, bytearray, Mapping)):
            pairs.extend(f"{key}={_query_text(endpoint, param, any_text, item)}" for item in value if item is not None)
        else:
            pairs.append(f"{key}={_query_text(endpoint, param, any_text, value)}")
    return "&".join(pairs)


def _query_text(endpoint: Endpoint[Any], param: Param, any_text: bool, value: Any) -> str:
    if param.convert is not None:
        value = CONVERTERS[param.convert](value)
    given = type(value)
    if given is not str:
        value = text_of(endpoint.name, param, value, "text, a number or a list of these")
    if not any_text and issubclass(given, str):
        check_numeric_text(endpoint.name, param, value)
    if _UNRESERVED.match(value):
        return str(value)
    try:
        return str(_urllib().quote_plus(value))
    except UnicodeEncodeError:
        raise _not_unicode(endpoint, param) from None


@functools.cache
def _kept(safe: str) -> re.Pattern[str]:
    """Return the pattern of text that quoting leaves as it is, when these characters are safe."""
    return re.compile(rf"[A-Za-z0-9_.~\-{re.escape(safe)}]+\Z")


@functools.cache
def _urllib() -> Any:
    # Not with the package: many programs send nothing that must be quoted. Not by an import where it is used: a cached
    # call takes a tenth of one.
    return importlib.import_module("urllib.parse")


def _not_unicode(endpoint: Endpoint[Any], param: Param) -> ArgumentError:
    return ArgumentError(f"{endpoint.name}(): {param.name} is not valid Unicode", argument=param.name)


def _with_headers(endpoint: Endpoint[Any], plan: Plan, arguments: Mapping[str, Any], headers: Headers) -> Headers:
    """Return ``headers`` with the header parameters that were given, in place of headers of the same name."""
    pairs: Headers = []
    for param, name in plan.headers:
        value = arguments.get(param.name, UNSET)
        if value is UNSET:
            value = param.default
        if param.append and not value:
            continue
        if value is not None:
            text = _header_value(endpoint, param, value)
            usual = next((found for key, found in headers if key == name), b"") if param.append else b""
            pairs.append((name, usual + b"," + text if usual else text))
        elif param.required:
            raise ArgumentError(f"{endpoint.name}(): {param.name} must not be None", argument=param.name)
    if not pairs:
        return headers
    given = {name for name, _ in pairs}
    return [pair for pair in headers if pair[0] not in given] + pairs


def _header_value(endpoint: Endpoint[Any], param: Param, value: Any) -> bytes:
    accepted = "text, a number or a list of these"
    values = value if isinstance(value, (list, tuple, set, frozenset)) else (value,)
    text = ",".join(text_of(endpoint.name, param, item, accepted) for item in values)
    if _CONTROL.search(text):
        raise ArgumentError(f"{endpoint.name}(): {param.name} must not hold control characters", argument=param.name)
    try:
        return text.encode("utf-8")
    except UnicodeEncodeError:
        raise _not_unicode(endpoint, param) from None


def _json_body(endpoint: Endpoint[Any], plan: Plan, arguments: Mapping[str, Any]) -> bytes | None:
    if endpoint.body == "whole":
        param = plan.body[0][0]
        value = _body_value(endpoint, param, arguments.get(param.name, UNSET))
        return None if value is UNSET else _codec.encode(value, operation=endpoint.name, argument=param.name)
    assembled: dict[str, Any] = {}
    for param, keys in plan.body:
        value = _body_value(endpoint, param, arguments.get(param.name, UNSET))
        if value is UNSET:
            continue
        place = assembled
        for key in keys[:-1]:
            place = place.setdefault(key, {})
        place[keys[-1]] = value
    if endpoint.extra:
        _add_extra(endpoint, plan, arguments, assembled)
    if not assembled and endpoint.empty_body != "send":
        if endpoint.empty_body == "omit":
            return None
        raise EmptyRequestError(f"{endpoint.name}(): nothing to change was given")
    try:
        return _codec.encode(assembled, operation=endpoint.name)
    except (ArgumentError, ArgumentTypeError):
        _blame(endpoint, plan, arguments)
        raise


def _blame(endpoint: Endpoint[Any], plan: Plan, arguments: Mapping[str, Any]) -> None:
    """Raise the error of the argument that cannot be written, by name."""
    values = {param.name: _body_value(endpoint, param, arguments.get(param.name, UNSET)) for param, _ in plan.body}
    values.update((name, value) for name, value in arguments.items() if name not in plan.names)
    for name, value in values.items():
        if value is not UNSET:
            _codec.encode(value, operation=endpoint.name, argument=name)


def _body_value(endpoint: Endpoint[Any], param: Param, value: Any) -> Any:
    if value is UNSET:
        return UNSET if param.default is None else param.default
    if value is None:
        if param.required or param.none == "error":
            raise ArgumentTypeError(f"{endpoint.name}(): {param.name} must not be None", argument=param.name)
        return {"omit": UNSET, "null": None, "empty-list": []}[param.none]
    if param.falsy != "send" and not value:
        return UNSET if param.falsy == "omit" else []
    if param.convert is not None:
        value = CONVERTERS[param.convert](value)
    if param.types:
        check_json_type(endpoint.name, param, value)
    return value


def _users_level() -> int:
    """Count the frames from the caller up to the line of the user who called the method.

    Awaiting keeps the user's frames on the stack. A task that runs the method alone, or a facade's loop thread, has
    none; the warning then names the outermost line of this package, the method that was called.
    """
    level, frame = 1, sys._getframe(1)
    while frame.f_back is not None and _module(frame).startswith("asyncclient.") and not _runs_tasks(frame):
        level, frame = level + 1, frame.f_back
    return level - 1 if _runs_tasks(frame) else level


def _runs_tasks(frame: types.FrameType) -> bool:
    return _module(frame).startswith(("asyncio.", "concurrent.", "threading", "asyncclient._sync"))


def _module(frame: types.FrameType) -> str:
    return str(frame.f_globals.get("__name__", ""))


def _add_extra(endpoint: Endpoint[Any], plan: Plan, arguments: Mapping[str, Any], assembled: dict[str, Any]) -> None:
    for name, value in arguments.items():
        if name in plan.names or value is UNSET or (value is None and endpoint.extra_none == "omit"):
            continue
        known = [*endpoint.known_extra, *(key for _, keys in plan.body for key in keys)]
        if name not in known:
            import difflib

            near = difflib.get_close_matches(name, [*known, *sorted(plan.names)], n=1)
            hint = f"; did you mean {near[0]!r}?" if near else ""
            warnings.warn(
                f"{endpoint.name}() does not know the keyword {name!r}{hint} It is sent as it is.",
                UserWarning,
                stacklevel=_users_level(),
            )
        assembled[name] = value
