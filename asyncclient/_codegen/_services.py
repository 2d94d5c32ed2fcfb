"""What the descriptions do not say: which operations are written by hand, and every deviation, each with its reason.

A deviation that no longer matches anything is an error, so this list cannot grow stale.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Literal

from asyncclient._codegen import _flywheel

__all__ = [
    "FACADES",
    "SERVICES",
    "Convert",
    "FacadeModule",
    "FacadePair",
    "Patch",
    "Positional",
    "Service",
    "Surface",
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
        unit: Name on the command line that it belongs to.
        root: Folder of its generated tree, relative to the package.
        path: The module in that tree.
        pairs: What it holds.
        by_tag: Whether the generated operations are cut by tag, not by size: for a class that also has groups.
        lazy: With ``by_tag``: ``module:function`` that makes a class whose methods are loaded when they are used.
        parts_of: Path of such a module, of whose parts these classes are made; they are its groups.
    """

    unit: str
    root: str
    path: str
    pairs: tuple[FacadePair, ...]
    by_tag: bool = False
    lazy: str = ""
    parts_of: str = ""


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

_VOXEL51_BATCHES: Final = {
    "analytics": ("get_analytic_details",),
    "data": ("delete_data", "get_data_details", "update_data_ttl"),
    "jobs": (
        "archive_jobs",
        "delete_jobs",
        "get_job_details",
        "kill_jobs",
        "start_jobs",
        "unarchive_jobs",
        "update_jobs_ttl",
    ),
}
_VOXEL51: Final = Service(
    name="voxel51",
    title="the Voxel51 Platform",
    answers="typeddict",
    hand_written={
        "upload_analytic": "a form with a file, streamed",
        "app_upload_analytic": "a form with a file, streamed",
        "upload_analytic_image": "a form with a file, streamed",
        "app_upload_analytic_image": "a form with a file, streamed",
        "upload_data": "a form with a file, streamed",
        "upload_job_request": "a form",
        "post_data_as_url": "dates are checked",
        "update_data_ttl": "a form; exactly one of two arguments",
        "update_job_ttl": "a form; exactly one of two arguments",
        "batch_update_data_ttl": "exactly one of two arguments",
        "batch_update_jobs_ttl": "exactly one of two arguments",
        "download_data": "a file, after a look at its name",
        "download_job_output": "a file, after a look at its name",
        "download_job_logfile": "a file, or text",
        "get_job_request": "returns an object",
    },
    patches=(
        *(
            Patch(
                f"/components/schemas/{name}/required", ["id", "name"], "only queries that choose fields leave them out"
            )
            for name in ("Analytic", "Data", "Job")
        ),
        *(
            Patch(
                f"/paths/{path}~1analytics~1list/get/requestBody/content/application~1json/schema/properties"
                "/all_versions/x-none",
                "null",
                "the official client sends null",
                "add",
            )
            for path in ("", "~1apps")
        ),
        *(
            Patch(
                f"/paths/~1{tag}~1batch#batch_{name}/post/requestBody/content/application~1json/schema/properties"
                "/ids/description",
                "Any iterable of ids, none of them empty.",
                "a single text is refused here, not cut into its letters",
            )
            for tag, names in _VOXEL51_BATCHES.items()
            for name in names
        ),
        *(
            Patch(
                f"/paths/{path}~1analytics~1{{analytic_id}}~1images/post/{place}/required",
                False,
                "None drops it",
            )
            for path in ("", "~1apps")
            for place in ("parameters/1", "x-python-params/2")
        ),
    ),
    converts=(
        *(
            Convert(argument, "listed", "any iterable is taken, a single text refused")
            for argument in ("analytic_ids", "data_ids", "job_ids")
        ),
        *(
            Convert(argument, "to-dict", "queries are put together in objects")
            for argument in ("analytics_query", "data_query", "jobs_query")
        ),
    ),
    classes={
        "Operations": ("analytics", "data", "jobs", "status"),
        "ApplicationOperations": ("applications",),
    },
)

_FLYWHEEL: Final = Service(
    name="flywheel",
    title="Flywheel",
    answers="pydantic",
    hand_written={},
    patches=tuple(Patch(*patch) for patch in _flywheel.PATCHES),  # type: ignore[arg-type]  # the action is plain text there
    converts=(Convert("body", "json", "dates within plain dicts and lists are taken"),),
    model_base="asyncclient.flywheel._model:Model",
    mixins=_flywheel.MIXINS,
    surface=Surface(
        base="asyncclient.flywheel._surface:FlywheelBase",
        options="CallOptions",
        arguments=_flywheel.ARGUMENTS,
        groups="asyncclient.flywheel._groups:ApiGroup",
        lazy="asyncclient.flywheel._lazy:lazy_class",
    ),
)

SERVICES: Final[Mapping[str, Service]] = {"las": _LAS, "voxel51": _VOXEL51, "flywheel": _FLYWHEEL}
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


def _sticky_pi_pair(name: str) -> FacadePair:
    remote = name.startswith("Remote")
    return FacadePair(
        "asyncclient.sticky_pi.client",
        f"Async{name}",
        name,
        omit={"iterate": "nothing has pages"} if remote else {},
        wording=(
            (
                "Default: a hub of its own, closed with the client.",
                "Default: the hub that all blocking clients share.",
            ),
        )
        if remote
        else (),
    )


def _voxel51_pair(name: str, base: str) -> FacadePair:
    return FacadePair(
        "asyncclient.voxel51.client",
        f"Async{name}",
        name,
        omit={
            "from_json": "a class method: in the base",
            "thread_map": "needs no loop: in the base",
        },
        wording=(
            (
                "Default: a hub of its own, closed with the session.",
                "Default: the hub that all blocking clients share.",
            ),
        ),
        base=f"asyncclient.voxel51.blocking:{base}",
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
        "digests.py",
        (FacadePair("asyncclient.digests", "AsyncDigests", "Digests"),),
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
    FacadeModule("voxel51", "voxel51/_generated", "sync/client.py", (_voxel51_pair("API", "BlockingSession"),)),
    FacadeModule(
        "voxel51",
        "voxel51/_generated",
        "sync/applications/client.py",
        (_voxel51_pair("ApplicationAPI", "BlockingApplicationSession"),),
    ),
    FacadeModule(
        "sticky_pi",
        "sticky_pi/_generated",
        "sync/client.py",
        tuple(_sticky_pi_pair(name) for name in ("LocalClient", "RemoteClient")),
    ),
    FacadeModule(
        "sticky_pi",
        "sticky_pi/_generated",
        "sync/bases.py",
        tuple(_sticky_pi_pair(name) for name in ("BaseClient", "RemoteAPIConnector")),
    ),
    FacadeModule(
        "sticky_pi",
        "sticky_pi/_generated",
        "sync/specifications.py",
        tuple(
            FacadePair(
                "asyncclient.sticky_pi._api",
                f"Async{name}",
                name,
                constructor=name != "BaseAPI",  # it is abstract
                omit={"get_token": "abstract there"} if name == "BaseAPI" else {},
            )
            for name in ("BaseAPI", "LocalAPI", "RemoteAPI")
        ),
    ),
    FacadeModule(
        "sticky_pi",
        "sticky_pi/_generated",
        "sync/storage.py",
        tuple(
            FacadePair(
                f"asyncclient.sticky_pi.{module}",
                f"Async{name}",
                name,
                constructor=name != "BaseStorage",
                omit={
                    "open": "the first call opens",
                    "stage_image": "for the API",
                    "stage_tuboid": "for the API",
                    "local_bundle_files_info": "a class method: in the base",
                },
                base="asyncclient.sticky_pi._blocking:BlockingStorage",
            )
            for module, name in (
                ("_storage_base", "BaseStorage"),
                ("_storage_disk", "DiskStorage"),
                ("_storage_s3", "S3Storage"),
            )
        ),
    ),
    FacadeModule(
        "flywheel",
        "flywheel/_generated",
        "sync/client.py",
        (
            FacadePair(
                "asyncclient.flywheel.client",
                "AsyncClient",
                "Client",
                wording=(
                    (
                        "Default: a hub of its own, closed with the client, that",
                        "Default: the hub of all blocking clients, or one that",
                    ),
                ),
                omit=dict.fromkeys(_flywheel.FINDERS, "finds blocking: in the base"),
                base="asyncclient.flywheel._blocking:BlockingBase",
                first="connect",
            ),
        ),
        by_tag=True,
        lazy="asyncclient.flywheel._lazy:lazy_class",
    ),
    FacadeModule(
        "flywheel",
        "flywheel/_generated",
        "sync/apis.py",
        tuple(
            FacadePair(
                "asyncclient.flywheel._generated.operations.apis",
                f"{_flywheel.pascal(tag)}Api",
                f"{_flywheel.pascal(tag)}Api",
                constructor=False,
                base="asyncclient.flywheel._blocking:BlockingBase",
            )
            for tag in _flywheel.TAGS
        ),
        parts_of="sync/client.py",
    ),
)
"""The facades of the package, by the unit they are generated with."""
