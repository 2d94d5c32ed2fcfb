"""Flywheel: what its description does not say, what its objects can do, what its methods take beside parameters."""

from __future__ import annotations

from typing import Final

from asyncclient._codegen._description import pascal
from asyncclient._codegen._settings import Convert, FacadeModule, FacadePair, Patch, Service, Surface, Unit

__all__ = ["UNIT"]

_TAGS: Final = (
    "acquisitions",
    "analyses",
    "audit_trail",
    "auth",
    "batch",
    "bulk",
    "change_log",
    "collections",
    "config",
    "containers",
    "data_view_executions",
    "dataexplorer",
    "devices",
    "dimse",
    "download",
    "files",
    "gears",
    "groups",
    "jobs",
    "jupyterlab_servers",
    "modalities",
    "packfiles",
    "projects",
    "reports",
    "resolve",
    "roles",
    "sessions",
    "site",
    "subjects",
    "tree",
    "uids",
    "upload",
    "users",
    "views",
)
"""The tags, for the facades of the groups."""


_FINDERS: Final = (
    "users",
    "groups",
    "projects",
    "subjects",
    "sessions",
    "acquisitions",
    "jobs",
    "gears",
    "collections",
    "data_view_executions",
    "files",
    "analyses",
)
"""Attributes of clients that find objects."""

_OBJECTS: Final = "asyncclient.flywheel.objects"

_MIXINS: Final = {
    **{
        f"{kind}Mixin": f"{_OBJECTS}._kinds:{kind}Mixin"
        for kind in ("Acquisition", "Analysis", "Collection", "Group", "Project", "Session", "Subject")
    },
    "BatchMixin": f"{_OBJECTS}._gears:BatchMixin",
    "BatchProposalMixin": f"{_OBJECTS}._gears:BatchProposalMixin",
    "FileMixin": f"{_OBJECTS}._files:FileMixin",
    "GearMixin": f"{_OBJECTS}._gears:GearMixin",
    "JobMixin": f"{_OBJECTS}._jobs:JobMixin",
    "ResolverOutputMixin": f"{_OBJECTS}._nodes:ResolverOutputMixin",
}
"""Where the classes stand that give objects their methods."""

_ARGUMENTS: Final = {
    "file": (
        "FileInput",
        "A path, a ``FileSpec``, bytes with a name, or a list of these; several files are sent one request each.",
    ),
    "files": ("FileInput", "A path, a ``FileSpec``, or a list of these."),
    "metadata": (
        "Any",
        "Metadata of the files: a mapping for all, a list with one entry per file, or JSON text.",
    ),
    "signed": (
        "bool",
        "Whether storage URLs are tried first; if the site offers none, a form goes through the service.",
    ),
    "dest_file": (
        "Destination",
        "Path of the file to write, a binary file object, or a callable. Nothing is seen at a path before it is whole.",
    ),
}
"""What generated methods take that is no parameter of the request: type and meaning."""

_BINARY: Final = {"schema": {"type": "string", "format": "binary"}}
_FILES: Final = {"schema": {"type": "array", "items": {"$ref": "#/components/schemas/FileOutput"}}}

_PATCHES: Final = (
    Patch(
        "/paths/~1analyses~1{container_id}~1files/post/responses/200/content",
        {"application/json": _FILES},
        "the service answers with the records, as release 23.0.0 says",
        "add",
    ),
    Patch(
        "/paths/~1analyses~1{container_id}~1files/post/x-returns",
        None,
        "the records are given back",
        "remove",
    ),
    Patch(
        "/paths/~1projects~1{project_id}~1packfile-end/get/responses/200/content",
        {"text/event-stream": _BINARY},
        "events are given back in place of being dropped: they hold the result, or the error",
        "add",
    ),
    Patch(
        "/paths/~1dataexplorer~1search/post/responses/200/content/application~1json/schema",
        {"type": "array", "items": {"$ref": "#/components/schemas/SearchResponse"}},
        "facets and tables, the other forms, come on request only, and are given back as they are",
        "replace",
    ),
    *(
        Patch(
            f"/components/schemas/{name}/{key}",
            value,
            "it is the same object with its job in full, and has the same methods",
            "add",
        )
        for name in ("AnalysisOutputInflatedJob", "AnalysisListOutputInflatedJob")
        for key, value in (("x-mixin", "AnalysisMixin"), ("x-container-type", "analysis"))
    ),
    *(
        Patch(
            f"/components/schemas/{name}/x-mixin", None, "it is what others hold of a gear, and cannot be run", "remove"
        )
        for name in ("GearFileInput", "GearIdOutput")
    ),
    *(
        Patch(f"/components/schemas/{name}/x-mixin", "BatchMixin", "it is a batch and can be cancelled", "add")
        for name in (
            "ClassicBatchJobOutputInflatedJobs",
            "PremadeJobsBatchJobOutput",
            "PremadeJobsBatchJobOutputInflatedJobs",
        )
    ),
)
_SERVICE: Final = Service(
    name="flywheel",
    title="Flywheel",
    answers="pydantic",
    hand_written={},
    patches=_PATCHES,
    converts=(Convert("body", "json", "dates within plain dicts and lists are taken"),),
    model_base="asyncclient.flywheel._model:Model",
    mixins=_MIXINS,
    surface=Surface(
        base="asyncclient.flywheel._surface:FlywheelBase",
        options="CallOptions",
        arguments=_ARGUMENTS,
        groups="asyncclient.flywheel._groups:ApiGroup",
        lazy="asyncclient.flywheel._lazy:lazy_class",
    ),
)


_FACADES: Final = (
    FacadeModule(
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
                omit=dict.fromkeys(_FINDERS, "finds blocking: in the base"),
                base="asyncclient.flywheel._blocking:BlockingBase",
                first="connect",
            ),
        ),
        by_tag=True,
        lazy="asyncclient.flywheel._lazy:lazy_class",
    ),
    FacadeModule(
        "flywheel/_generated",
        "sync/apis.py",
        tuple(
            FacadePair(
                "asyncclient.flywheel._generated.operations.apis",
                f"{pascal(tag)}Api",
                f"{pascal(tag)}Api",
                constructor=False,
                base="asyncclient.flywheel._blocking:BlockingBase",
            )
            for tag in _TAGS
        ),
        parts_of="sync/client.py",
    ),
)


UNIT: Final = Unit(
    "flywheel", _SERVICE, _FACADES, contract="answers"
)  # too large for an emulator to act on every operation
