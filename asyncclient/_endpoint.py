"""One operation of a service as data.

``asyncclient/<service>/_generated/operations`` holds one :class:`Endpoint` per operation; :func:`asyncclient._build.build`
interprets it. Nothing here waits, reads a clock or touches a socket.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any, Final, Generic, Literal, NamedTuple, TypeVar

__all__ = ["Endpoint", "ModelRef", "Page", "Param", "Plan", "quote_path"]

T = TypeVar("T")

Place = Literal["path", "query", "header", "body"]

_TEXTUAL: Final = frozenset({"string", "array"})
_IDEMPOTENT: Final = frozenset({"GET", "HEAD", "PUT", "DELETE", "OPTIONS", "TRACE"})
PATH_SAFE: Final = "/:@!$&'()*+,;=-._~%"
"""Characters of a path template that are kept as they are: RFC 3986 ``pchar``, ``/`` and escapes."""
_WORD: Final = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.-~")
"""What ``quote_plus`` keeps."""
_KEPT: Final = _WORD | frozenset(PATH_SAFE)


def quote_path(path: str) -> str:
    """Percent-encode what a path must not hold; escapes in it stay.

    Raises:
        UnicodeEncodeError: It has lone surrogates.
    """
    if _KEPT.issuperset(path):
        return path
    from urllib.parse import quote  # not loaded for plain paths, which is nearly all of them

    return quote(path, safe=PATH_SAFE)


def _quote_name(name: str) -> str:
    if _WORD.issuperset(name):
        return name
    from urllib.parse import quote_plus

    return quote_plus(name)


class Param(NamedTuple):
    """One argument of an operation that goes into its request.

    Attributes:
        name: Python name.
        wire: Name on the wire. In a body, keys of nested objects are joined with ``/``.
        place: Where it goes.
        required: Whether it must be given and must not be None.
        types: JSON types the service takes (``string``, ``integer``, ``number``, ``boolean``, ``array``, ``object``);
            empty for anything.
        none: What an explicit None does: ``omit`` the key, send ``null``, send an ``empty-list``, or be an ``error``.
        falsy: What other false values do: ``send``, ``omit`` or ``empty-list``.
        safe: In a path: characters kept literal beside the unreserved ones of RFC 3986.
        convert: Name of a converter in :data:`asyncclient._values.CONVERTERS`.
        default: Text or JSON value sent when the argument is absent; None for none.
        append: In a header: whether the value is added to what the client always sends, after a comma, or replaces it.
    """

    name: str
    wire: str
    place: Place
    required: bool = False
    types: tuple[str, ...] = ()
    none: Literal["omit", "null", "empty-list", "error"] = "omit"
    falsy: Literal["send", "omit", "empty-list"] = "send"
    safe: str = ""
    convert: str | None = None
    default: Any = None
    append: bool = False


class Page(NamedTuple):
    """How a paged operation is continued.

    Attributes:
        items: Key of the list in an answer; empty when the answer is the list.
        token: Python name of the argument that takes the continuation.
        next: ``token``: the key of the next token in an answer; ``after_id``: the key of an item's id.
        limit: Python name of the argument that takes the page size, or None.
        style: ``token`` (answer names the next), ``after_id`` (last item's id), ``offset`` (count so far) or ``page``
            (number, counted from 1).
    """

    items: str
    token: str
    next: str = ""
    limit: str | None = None
    style: Literal["token", "after_id", "offset", "page"] = "token"


class ModelRef(NamedTuple):
    """A pydantic model by address, imported on first use.

    Attributes:
        module: Module that holds the class.
        name: Class or type alias.
        many: ``one``, ``list`` of it, or ``dict`` from text to it.
    """

    module: str
    name: str
    many: Literal["one", "list", "dict"] = "one"


@dataclass(slots=True, eq=False, repr=False)
class Endpoint(Generic[T]):
    """One operation of a service; ``T`` is what a call of it returns.

    Attributes:
        name: Name of the method, for errors and statistics.
        method: HTTP method.
        path: Template; ``{wireName}`` stands for a path parameter.
        params: In the order in which query and body are written.
        body: ``none``; ``object``, a JSON object of the body parameters; ``whole``, the one body parameter is the body.
        empty_body: What an assembled body without keys does: ``send`` ``{}``, send no body (``omit``), or ``error``.
        extra: Whether further keywords go into the body under their own names.
        known_extra: Further keywords that the service is known to take; others are sent with a warning.
        extra_none: What a further keyword given as None does: send ``null``, or ``omit`` the key.
        returns: Model of the answer, or None for plain JSON.
        unwrap: Key of the answer that is given back alone, or None.
        whole: Model of an answer that is unwrapped, for those who ask for all of it.
        answer: ``json``, ``text``, ``bytes`` or ``none`` (the answer is not looked at).
        idempotent: Whether it may be repeated after it may have been received. Default: by the method.
        page: How it is continued, or None.
        bulk: Whether it moves file content and so runs in the bulk lane.
    """

    name: str
    method: str
    path: str
    params: tuple[Param, ...] = ()
    body: Literal["none", "object", "whole"] = "none"
    empty_body: Literal["send", "omit", "error"] = "send"
    extra: bool = False
    known_extra: tuple[str, ...] = ()
    extra_none: Literal["null", "omit"] = "null"
    returns: ModelRef | None = None
    unwrap: str | None = None
    whole: ModelRef | None = None
    answer: Literal["json", "text", "bytes", "none"] = "json"
    idempotent: bool | None = None
    page: Page | None = None
    bulk: bool = False
    _plan: Plan | None = field(default=None, init=False)

    def __repr__(self) -> str:
        return f"<Endpoint {self.name}: {self.method} {self.path}>"

    @property
    def repeatable(self) -> bool:
        """Whether a request that may have been received may be sent again."""
        return self.method in _IDEMPOTENT if self.idempotent is None else self.idempotent

    @property
    def plan(self) -> Plan:
        """The parameters sorted by place, worked out at the first call."""
        plan = self._plan
        if plan is None:
            plan = self._plan = _compile(self)
        return plan


class Plan(NamedTuple):
    """An endpoint cut into the pieces that building a request needs."""

    method: bytes
    segments: tuple[tuple[str, Param | None], ...]
    query: tuple[tuple[Param, str, bool], ...]
    """Parameter, its name encoded, whether it takes any text."""
    headers: tuple[tuple[Param, bytes], ...]
    body: tuple[tuple[Param, tuple[str, ...]], ...]
    names: frozenset[str]
    required: tuple[str, ...]
    idempotent: bool


def _compile(endpoint: Endpoint[Any]) -> Plan:
    by_place: dict[str, list[Param]] = {"path": [], "query": [], "header": [], "body": []}
    for param in endpoint.params:
        by_place[param.place].append(param)
    by_wire = {param.wire: param for param in by_place["path"]}
    pieces = re.split(r"\{([^{}]+)\}", endpoint.path)
    segments = [
        (quote_path(piece), by_wire[pieces[i + 1]] if i + 1 < len(pieces) else None)
        for i, piece in enumerate(pieces)
        if i % 2 == 0
    ]
    return Plan(
        method=endpoint.method.encode("ascii"),
        segments=tuple(segments),
        query=tuple(
            (param, _quote_name(param.wire), not param.types or not _TEXTUAL.isdisjoint(param.types))
            for param in by_place["query"]
        ),
        headers=tuple((param, param.wire.lower().encode("ascii")) for param in by_place["header"]),
        body=tuple((param, tuple(param.wire.split("/"))) for param in by_place["body"]),
        names=frozenset(param.name for param in endpoint.params),
        required=tuple(param.name for param in endpoint.params if param.required),
        idempotent=endpoint.repeatable,
    )
