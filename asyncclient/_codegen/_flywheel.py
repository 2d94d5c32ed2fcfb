"""Tables of the description of Flywheel: what is corrected, what objects can do, what methods take beside parameters."""

from __future__ import annotations

from typing import Any, Final

__all__ = ["ARGUMENTS", "FINDERS", "MIXINS", "PATCHES", "TAGS", "pascal"]

TAGS: Final = (
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


def pascal(tag: str) -> str:
    """Turn ``audit_trail`` into ``AuditTrail``."""
    return "".join(word[:1].upper() + word[1:] for word in tag.split("_"))


FINDERS: Final = (
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

MIXINS: Final = {
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

ARGUMENTS: Final = {
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

PATCHES: Final[tuple[tuple[str, Any, str, str], ...]] = (
    (
        "/paths/~1analyses~1{container_id}~1files/post/responses/200/content",
        {"application/json": _FILES},
        "the service answers with the records, as release 23.0.0 says",
        "add",
    ),
    (
        "/paths/~1analyses~1{container_id}~1files/post/x-returns",
        None,
        "the records are given back",
        "remove",
    ),
    (
        "/paths/~1projects~1{project_id}~1packfile-end/get/responses/200/content",
        {"text/event-stream": _BINARY},
        "events are given back in place of being dropped: they hold the result, or the error",
        "add",
    ),
    (
        "/paths/~1dataexplorer~1search/post/responses/200/content/application~1json/schema",
        {"type": "array", "items": {"$ref": "#/components/schemas/SearchResponse"}},
        "facets and tables, the other forms, come on request only, and are given back as they are",
        "replace",
    ),
    *(
        (
            f"/components/schemas/{name}/{key}",
            value,
            "it is the same object with its job in full, and has the same methods",
            "add",
        )
        for name in ("AnalysisOutputInflatedJob", "AnalysisListOutputInflatedJob")
        for key, value in (("x-mixin", "AnalysisMixin"), ("x-container-type", "analysis"))
    ),
    *(
        (f"/components/schemas/{name}/x-mixin", None, "it is what others hold of a gear, and cannot be run", "remove")
        for name in ("GearFileInput", "GearIdOutput")
    ),
    *(
        (f"/components/schemas/{name}/x-mixin", "BatchMixin", "it is a batch and can be cancelled", "add")
        for name in (
            "ClassicBatchJobOutputInflatedJobs",
            "PremadeJobsBatchJobOutput",
            "PremadeJobsBatchJobOutputInflatedJobs",
        )
    ),
)
"""Pointer, value, reason, action."""
