"""What is said of a service beside its description: which operations are written by hand, and every deviation.

Each deviation has its reason, and is an error where it no longer matches anything, so that none can grow stale.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from asyncclient._codegen._ir import Module, Page

__all__ = [
    "Convert",
    "FacadeModule",
    "FacadePair",
    "Patch",
    "Positional",
    "Service",
    "Surface",
    "Unit",
]


@dataclass(frozen=True, slots=True)
class Patch:
    """Correct one place of a description.

    Attributes:
        pointer: JSON pointer (RFC 6901) into the description.
        value: What stands there afterwards.
        reason: Why.
        action: ``replace`` what is there, ``add`` what is missing, or ``remove`` it. It is an error if the place is
            not as the action says, or already has the value.
    """

    pointer: str
    value: Any
    reason: str
    action: Literal["replace", "add", "remove"] = "replace"


@dataclass(frozen=True, slots=True)
class Positional:
    """Let a keyword argument be given by position too."""

    operation: str
    argument: str
    reason: str


@dataclass(frozen=True, slots=True)
class Convert:
    """Send an argument through a converter of ``asyncclient._values.CONVERTERS``, in every operation that has it."""

    argument: str
    converter: str
    reason: str


@dataclass(frozen=True, slots=True)
class Surface:
    """What the generated methods of a service stand on that has more than calls: files, options, groups.

    Attributes:
        base: ``module:Class`` the methods are mixed into. It has ``_operate`` for plain calls, ``_upload`` for
            operations that take files, ``_upload_raw`` for one whose body is content, ``_download`` for those that write to a destination, and a method per family of
            ``x-derived-methods`` (``_as_data``, ``_download_url``, ``_signed_upload``).
        options: ``TypedDict`` in that module: keywords that every operation takes, handed on as a whole.
        arguments: Arguments that are no parameters of the request, and are handled by the base: name to type, found
            there or built in, and what it is.
        lazy: ``module:function`` that makes classes whose methods are loaded when they are used.
        groups: ``module:Class`` of the objects that hold the operations of one tag (``client.<tag>_api``).
    """

    base: str
    options: str
    arguments: Mapping[str, tuple[str, str]]
    groups: str
    lazy: str


@dataclass(frozen=True, slots=True)
class Service:
    """How one description becomes a package.

    Attributes:
        name: Name on the command line and of the folder.
        title: What the service calls itself, for docstrings.
        answers: ``typeddict`` for plain dicts, ``pydantic`` for objects.
        hand_written: Operations whose method stands in ``client.py``, with the reason; they get a descriptor only.
        hand_written_transfers: Whether all operations that move file content are written by hand too.
        patches: Corrections of the description.
        positional: Keywords that may also be given by position.
        converts: Arguments that are converted.
        pages: How operations are continued whose description does not say so, by ``operationId``; arguments have their
            Python names.
        path_safe: For each ``x-path-encoding`` text, the characters a path parameter keeps.
        default_path_safe: Where a path parameter has no ``x-path-encoding``.
        model_base: ``module:Class`` all pydantic models derive from; None generates one. That module has ``by_key`` and
            ``by_fit`` too.
        mixins: Where the classes stand that ``x-mixin`` names, as ``module:Class``. Names that are missing are ignored.
        surface: What the methods stand on, where that is more than ``_call``.
        classes: Classes that hold the operations of several tags, where it is more than ``Operations`` with all of
            them: name to tags.
    """

    name: str
    title: str
    answers: Literal["typeddict", "pydantic"]
    hand_written: Mapping[str, str]
    hand_written_transfers: bool = False
    patches: tuple[Patch, ...] = ()
    positional: tuple[Positional, ...] = ()
    converts: tuple[Convert, ...] = ()
    pages: Mapping[str, Page] = field(default_factory=dict)
    path_safe: Mapping[str, str] = field(default_factory=dict)
    default_path_safe: str = ""
    model_base: str | None = None
    mixins: Mapping[str, str] = field(default_factory=dict)
    surface: Surface | None = None
    classes: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    @property
    def package(self) -> str:
        """The package the tree lies in."""
        return f"asyncclient.{self.name}._generated"


@dataclass(frozen=True, slots=True)
class FacadePair:
    """One async class and its facade.

    Attributes:
        module: Where the async class stands.
        name: Its name.
        facade: Name of the facade.
        constructor: Whether users make one themselves; else it only comes from other facades.
        omit: Public members that have no counterpart, with the reason.
        wording: Text of docstrings that is wrong for blocking code, and what stands there instead.
        base: ``module:Class`` of a hand-written base in place of ``SyncFacade``, generic in the async class; for
            attributes that can be set, and others of ``omit`` that blocking code needs in another form.
        first: Coroutine method that the constructor calls at the end, where blocking users expect its errors there.
            Copies, and objects made anew from a pickle or in a forked process, leave that to their first call.
    """

    module: str
    name: str
    facade: str
    constructor: bool = True
    omit: Mapping[str, str] = field(default_factory=dict)
    wording: tuple[tuple[str, str], ...] = ()
    base: str = ""
    first: str = ""


@dataclass(frozen=True, slots=True)
class FacadeModule:
    """One generated module of facades.

    Attributes:
        root: Folder of its generated tree, relative to the package.
        path: The module in that tree.
        pairs: What it holds.
        by_tag: Whether the generated operations are cut by tag, not by size: for a class that also has groups.
        lazy: With ``by_tag``: ``module:function`` that makes a class whose methods are loaded when they are used.
        parts_of: Path of such a module, of whose parts these classes are made; they are its groups.
    """

    root: str
    path: str
    pairs: tuple[FacadePair, ...]
    by_tag: bool = False
    lazy: str = ""
    parts_of: str = ""


@dataclass(frozen=True, slots=True)
class Unit:
    """All that is generated for one service, or for what the services share.

    Attributes:
        name: Name on the command line.
        service: How its description becomes operations and models; None if it has neither.
        facades: Its blocking classes.
        resources: Makes further modules from its description, for classes that have a generator of their own.
        contract: What its emulator carries of its description: the ``requests`` it checks, the same and ``answers``
            for those it does not act on, or nothing.
    """

    name: str
    service: Service | None = None
    facades: tuple[FacadeModule, ...] = ()
    resources: Callable[[Path], list[Module]] | None = None
    contract: Literal["", "requests", "answers"] = ""
