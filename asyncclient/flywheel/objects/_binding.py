"""Objects and the client they came from."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping
from typing import Any, ClassVar, Final

from asyncclient.errors import ArgumentError, ArgumentTypeError

__all__ = ["Bindable", "act", "bind", "given_body", "warn_of_keys"]


class Bindable:
    """An object that acts through the client it came from."""

    container_type: ClassVar[str] = ""
    child_types: ClassVar[tuple[str, ...]] = ()

    @property
    def _client(self) -> Any:
        client = getattr(self, "_fw", None)
        if client is None:
            raise ArgumentError(f"this {type(self).__name__} came from no client, so it cannot act")
        return client

    def _bind(self, client: Any) -> None:
        object.__setattr__(self, "_fw", client)
        for name in _members_of(type(self)):
            members = getattr(self, name, None)
            if isinstance(members, list):
                for member in members:
                    bind(member, client)
                    if isinstance(member, Bindable) and name != "inputs":
                        object.__setattr__(member, "_owner", self)


_members: Final[dict[type, tuple[str, ...]]] = {}


def _members_of(kind: type) -> tuple[str, ...]:
    """Return the members that may hold objects: asking a pydantic model for one it has not is slow."""
    found = _members.get(kind)
    if found is None:
        fields = getattr(kind, "model_fields", {})
        found = tuple(name for name in ("files", "analyses", "inputs") if name in fields or hasattr(kind, name))
        _members[kind] = found
    return found


def bind(value: Any, client: Any) -> Any:
    """Give every object in an answer the client it came from; returns the value."""
    if isinstance(value, list):
        for item in value:
            bind(item, client)
    elif isinstance(value, Bindable):
        value._bind(client)
    else:
        for name in _HOLDERS.get(type(value).__name__, ()):
            bind(getattr(value, name, None), client)
    return value


_FOUND: Final = ("project", "group", "session", "acquisition", "subject", "file", "collection", "analysis")
_HOLDERS: Final[Mapping[str, tuple[str, ...]]] = {
    **dict.fromkeys(("Page", "PageGenericFileOutput"), ("results",)),
    **dict.fromkeys(("JobsList", "UserJobs"), ("jobs",)),
    "SearchResponse": _FOUND,
}
"""Answers that are no objects of the hierarchy themselves, and where they hold some."""


def act(client: Any, work: Callable[..., Any], *args: Any) -> Any:
    """Do something that takes several requests.

    Args:
        client: Of either kind.
        work: A coroutine function of an async client and ``args``.
        args: What it is given besides.

    Returns:
        What it returns; with an async client something to await.
    """
    if hasattr(client, "_run"):
        return client._run(work, client._async, *args)
    return work(client, *args)


def given_body(args: tuple[Any, ...], fields: Mapping[str, Any], *, what: str) -> dict[str, Any]:
    """Return what was given as one mapping or as keywords.

    Raises:
        ArgumentError: Both were given, or neither, or something that is no mapping.
        ArgumentTypeError: More than one by position.
    """
    if len(args) > 1:
        raise ArgumentTypeError(f"{what}() takes one mapping or keywords")
    if bool(args) == bool(fields):
        raise ArgumentError(f"{what}(): give either one mapping or keywords")
    if not args:
        return dict(fields)
    body = args[0].to_wire() if hasattr(args[0], "to_wire") else args[0]
    if not isinstance(body, Mapping):
        raise ArgumentError(f"{what}(): {type(args[0]).__name__} is no mapping")
    return dict(body)


def warn_of_keys(info: Any) -> None:
    """Warn of keys that the service changes: ``$`` becomes ``-`` and ``.`` becomes ``_``."""
    if isinstance(info, Mapping):
        for key, value in info.items():
            for letter, stored in (("$", "-"), (".", "_")):
                if isinstance(key, str) and letter in key:
                    warnings.warn(f"the service stores {stored!r} for {letter!r} in the key {key!r}", stacklevel=4)
            warn_of_keys(value)
    elif isinstance(info, (list, tuple)):
        for item in info:
            warn_of_keys(item)
