"""The intermediate form between a description and Python text."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

__all__ = ["Answer", "Argument", "Field", "Module", "Named", "Operation", "Page", "Parameter"]

Place = Literal["path", "query", "header", "body"]


@dataclass(frozen=True, slots=True)
class Argument:
    """One argument of a method.

    Attributes:
        name: Python name.
        kind: Whether it may be given by position.
        annotation: Its type as source text.
        default: Its default as source text, or None if it must be given.
        notes: Sentences for the docstring that the signature cannot say.
        sent: Whether it is handed on to the endpoint.
    """

    name: str
    kind: Literal["positional", "keyword"]
    annotation: str
    default: str | None
    notes: tuple[str, ...] = ()
    sent: bool = True


@dataclass(frozen=True, slots=True)
class Parameter:
    """One ``asyncclient._endpoint.Param``, field by field."""

    name: str
    wire: str
    place: Place
    required: bool = False
    types: tuple[str, ...] = ()
    none: str = "omit"
    falsy: str = "send"
    safe: str = ""
    convert: str | None = None
    default: Any = None
    append: bool = False


@dataclass(frozen=True, slots=True)
class Page:
    """One ``asyncclient._endpoint.Page``, field by field."""

    items: str
    token: str
    next: str = ""
    limit: str | None = None
    style: Literal["token", "after_id", "offset", "page"] = "token"


@dataclass(frozen=True, slots=True)
class Answer:
    """What a call returns.

    Attributes:
        annotation: Return type as source text.
        kind: ``json``, ``text``, ``bytes`` or ``none``.
        model: Name of the schema that is parsed into, or None for plain JSON.
        many: How often: ``one``, ``list`` or ``dict``.
        unwrap: Key given back alone, or None.
        whole: Name of the schema of an answer that is unwrapped, or None.
        note: What comes back, in a sentence, where the type does not say it.
    """

    annotation: str
    kind: Literal["json", "text", "bytes", "none"] = "json"
    model: str | None = None
    many: Literal["one", "list", "dict"] = "one"
    unwrap: str | None = None
    whole: str | None = None
    note: str = ""


@dataclass(frozen=True, slots=True)
class Operation:
    """One operation: a descriptor and, unless written by hand, a method.

    Attributes:
        call: The method of the base that does the work.
        endpoint: Name of the operation whose descriptor a derived method uses; empty for an operation of its own.
        wrap: Key that a derived method puts the body under; empty for none.
    """

    name: str
    tag: str
    method: str
    path: str
    summary: str
    arguments: tuple[Argument, ...]
    parameters: tuple[Parameter, ...]
    answer: Answer
    body: Literal["none", "object", "whole"] = "none"
    empty_body: Literal["send", "omit", "error"] = "send"
    extra: bool = False
    known_extra: tuple[str, ...] = ()
    extra_none: str = "null"
    extra_note: str = ""
    page: Page | None = None
    bulk: bool = False
    hand_written: bool = False
    members_of: str = ""
    """Argument whose members are the parameters, or empty."""
    call: str = "_call"
    endpoint: str = ""
    wrap: str = ""


@dataclass(frozen=True, slots=True)
class Field:
    """One member of an object.

    Attributes:
        wire: Its key in JSON.
        name: Its Python name.
        annotation: Its type as source text, without the ``None`` of an absent member.
        notes: Sentences for its docstring.
        required: Whether the description says that it is always there.
        also: A second Python name, with an underscore before it, which it may be given and read by; empty for none.
    """

    wire: str
    name: str
    annotation: str
    notes: tuple[str, ...] = ()
    required: bool = False
    also: str = ""


@dataclass(frozen=True, slots=True)
class Named:
    """One named schema: a class, or an alias.

    Attributes:
        name: Its name in Python.
        kind: ``class``, ``alias``, ``enum`` or ``tagged`` (a union told apart by a key).
        doc: Sentences about it.
        fields: Members of a class.
        base: Class it inherits from, or None.
        annotation: What an alias stands for, as source text.
        uses: Names that its text mentions.
        needs: Of these, the names that must be defined before it: its base, or what an alias stands for.
        keys: ``tagged``: the keys that tell which class it is, in the order they are looked at.
        tags: ``tagged``: value of the key and class.
        fits: ``fit``: classes, and what tells them apart.
        inherited: Types of inherited members. They are looked up where the class stands, not where its base does.
        mixin: ``module:Class`` of a hand-written class it inherits from too, or None.
        fixed: Members that tell the class and are sent without being asked for, with their values.
    """

    name: str
    kind: Literal["class", "alias", "enum", "tagged", "fit"]
    doc: tuple[str, ...] = ()
    fields: tuple[Field, ...] = ()
    base: str | None = None
    annotation: str = ""
    uses: frozenset[str] = frozenset()
    needs: frozenset[str] = frozenset()
    keys: tuple[str, ...] = ()
    tags: tuple[tuple[str, str], ...] = ()
    fits: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    inherited: tuple[str, ...] = ()
    mixin: str | None = None
    fixed: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Module:
    """One generated file.

    Attributes:
        path: Relative to the root of its tree, with ``/``.
        text: Before formatting.
    """

    path: str
    text: str
