"""What the descriptions do not say: which operations are written by hand, and every deviation, each with its reason.

A deviation that no longer matches anything is an error, so this list cannot grow stale.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Literal

__all__ = ["FACADES", "SERVICES", "Convert", "FacadeModule", "FacadePair", "Patch", "Positional", "Service"]


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
        path_safe: For each ``x-path-encoding`` text, the characters a path parameter keeps.
        default_path_safe: Where a path parameter has no ``x-path-encoding``.
        model_base: ``module:Class`` all pydantic models derive from; None generates one.
    """

    name: str
    title: str
    answers: Literal["typeddict", "pydantic"]
    hand_written: Mapping[str, str]
    hand_written_transfers: bool = False
    patches: tuple[Patch, ...] = ()
    positional: tuple[Positional, ...] = ()
    converts: tuple[Convert, ...] = ()
    path_safe: Mapping[str, str] = field(default_factory=dict)
    default_path_safe: str = ""
    model_base: str | None = None

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
        unit: Name on the command line that it belongs to.
        root: Folder of its generated tree, relative to the package.
        path: The module in that tree.
        pairs: What it holds.
    """

    unit: str
    root: str
    path: str
    pairs: tuple[FacadePair, ...]


_LAS: Final = Service(
    name="las",
    title="Lucidtech AI Services",
    answers="typeddict",
    hand_written={
        "create_document": "two requests: the record, then the file",
        "get_document": "two requests: the record, then the file",
        "delete_documents": "delete_all repeats the request",
        "delete_dataset": "delete_documents empties it first",
        "create_model": "field_config or width, height and field_config by position; base_model goes into metadata",
        "create_asset": "content is read and base64-encoded",
        "update_asset": "content is read and base64-encoded",
        "send_heartbeat": "returns nothing; has a context manager that repeats it",
        "create_transition": "warns about in_schema and out_schema",
        "update_transition": "warns about in_schema and out_schema; parameters replaces what was assembled",
    },
    patches=tuple(
        Patch(
            f"/paths/~1{path}/post/x-var-keyword/x-none", "omit", "open keywords given as None are left out here", "add"
        )
        for path in ("appClients", "users")
    ),
    positional=(
        Positional("list_transitions", "transition_type", "examples of release 5.0.0 give it by position"),
        Positional("list_transition_executions", "status", "examples of release 5.0.0 give it by position"),
        Positional("list_workflow_executions", "status", "examples of release 5.0.0 give it by position"),
        Positional("update_secret", "data", "examples of release 5.0.0 give it by position"),
    ),
    converts=tuple(
        Convert(argument, "iso-local", "naive means local time; the service takes no negative offset")
        for argument in ("start_time", "from_start_time", "to_start_time")
    ),
    path_safe={
        "inserted as it is; : stays literal": ":@",
        "every reserved character percent-encoded, also : and / (RFC 3986 unreserved only)": "",
    },
)

SERVICES: Final[Mapping[str, Service]] = {"las": _LAS}
"""By name; the order in which they are generated."""


def _lfview_pair(name: str) -> FacadePair:
    return FacadePair(
        "asyncclient.lfview.client",
        f"Async{name}",
        name,
        omit={
            "api_key": "can be set: in the base",
            "source": "can be set and deleted: in the base",
            "session": "a blocking HTTP client: in the base",
            "iterate": "nothing has pages",
        },
        wording=(
            (
                "Default: a hub of its own, closed with the session.",
                "Default: the hub that all blocking clients share.",
            ),
            (
                "Nothing is sent before the first call, or :meth:`connect`, or ``with``.",
                "The service is found, and the key checked, when a session is made: see :meth:`connect` for the errors.",
            ),
        ),
        base="asyncclient.lfview._blocking:BlockingSession",
        first="connect",
    )


FACADES: Final[tuple[FacadeModule, ...]] = (
    FacadeModule(
        "hub",
        "_sync/_generated",
        "hub.py",
        (
            FacadePair(
                "asyncclient.hub",
                "AsyncHub",
                "Hub",
                wording=(
                    (
                        "A hub opens at its first use and belongs to the event loop it opened in. Close it with ``with`` or\n"
                        ":meth:`close`; a web service opens one when it starts and closes it when it stops.",
                        "A hub opens at its first use. Close it with ``with`` or :meth:`close`.",
                    ),
                ),
            ),
        ),
    ),
    FacadeModule(
        "hub",
        "_sync/_generated",
        "raw.py",
        (FacadePair("asyncclient._service", "RawResponses", "SyncRawResponses", constructor=False),),
    ),
    FacadeModule(
        "las",
        "las/_generated",
        "sync/client.py",
        (
            FacadePair(
                "asyncclient.las.client",
                "AsyncClient",
                "Client",
                wording=(
                    (
                        "Default: a hub of its own, closed with the client.",
                        "Default: the hub that all blocking clients share.",
                    ),
                ),
            ),
        ),
    ),
    FacadeModule(
        "lfview",
        "lfview/_generated",
        "sync/client.py",
        tuple(_lfview_pair(name) for name in ("UnauthenticatedSession", "UploadSession", "Session")),
    ),
)
"""The facades of the package, by the unit they are generated with."""
