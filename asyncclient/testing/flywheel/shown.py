"""What the service shows of containers and files. Pure."""

from __future__ import annotations

from typing import Any

from asyncclient.testing.flywheel.state import FlywheelState
from asyncclient.testing.flywheel.tables import Container, Json, Series, Version

__all__ = ["facts_of", "file_record", "shown", "shown_file", "shown_inputs"]

_NO_COPY = {"copy_of": None, "original_copy_of": None}


def shown_file(container: Container, series: Series, version: Version, *, with_info: bool = True) -> Json:
    """Return the JSON of a version of a file."""
    out: Json = {
        "_id": version.id,
        "file_id": series.file_id,
        "name": series.name,
        "version": version.number,
        "mimetype": version.mimetype,
        "type": None,
        "modality": None,
        "classification": {},
        "tags": [],
        **version.data,
        "provider_id": "emulator",
        "parent_ref": container.ref,
        "parents": container.lineage,
        "origin": version.origin,
        "created": version.created,
        "modified": version.modified,
        "replaced": version.replaced,
        "size": version.content.size_bytes,
        "hash": version.content.hash,
        "info": version.info if with_info else {},
        "info_exists": bool(version.info),
    }
    return out


def file_record(shown: Json) -> Json:
    """Return the older form of a file's JSON, which some operations still answer with."""
    ident = {"file_id": shown["file_id"], "version": shown["version"]}
    return {**shown, "_id": ident, "uuid": shown["_id"], "revision": shown["version"]}


def shown_inputs(state: FlywheelState, analysis: Container, *, with_info: bool = True) -> list[Json]:
    """Return the JSON of the inputs of an analysis that still exist."""
    out = []
    for container_id, name in analysis.inputs:
        container = state.containers.get(container_id)
        series = None if container is None else container.files.get(name)
        if container is not None and series is not None and series.newest is not None:
            out.append(shown_file(container, series, series.newest, with_info=with_info))
    return out


def facts_of(state: FlywheelState, container: Container) -> Json:
    """Return what is particular to a kind of container."""
    above = container.parents
    if container.kind == "group":
        return {"permissions_template": [], "roles": [], "providers": {}, "editions": {"lab": False}}
    if container.kind == "project":
        more = {"description": "", "group": above["group"]}
        return {**more, "templates": [], "editions": {"lab": False}, "providers": {}, **_NO_COPY}
    if container.kind == "subject":
        return {"project": above["project"], "code": container.label, **_NO_COPY}
    if container.kind == "session":
        subject = state.get(above["subject"])
        facts = {"group": above["group"], "project": above["project"], "project_has_template": False}
        return {**facts, "subject": {"_id": subject.id, **_person(subject)}, **_NO_COPY}
    if container.kind == "acquisition":
        return {"session": above["session"], "collections": [], **_NO_COPY}
    if container.kind == "analysis":
        return {"description": "", **_NO_COPY}
    return {"description": None, "session_count": len(container.data.get("sessions", ()))}


def _person(subject: Container) -> Json:
    times = {"created": subject.created, "modified": subject.modified, "revision": subject.revision}
    rest = {"parents": subject.parents, "project": subject.parents["project"], "permissions": subject.permissions}
    return {"label": None, **subject.data, "code": subject.label, **times, **rest, "info": {}, "tags": subject.tags}


def _common(state: FlywheelState, container: Container) -> Json:
    return {
        "_id": container.id,
        "created": container.created,
        "modified": container.modified,
        "revision": container.revision,
        "tags": container.tags,
        "permissions": container.permissions,
        "label": None,
        **facts_of(state, container),
        **{name: value for name, value in container.data.items() if name not in ("sessions", "acquisitions")},
    }


def shown(state: FlywheelState, container: Container, *, full: bool = True, with_info: bool | None = None) -> Json:
    """Return the JSON of a container.

    Args:
        state: Where the rest of the tree is.
        container: The container.
        full: With its analyses and the inputs' facts, as when it is fetched by its id.
        with_info: Whether ``info`` is shown; lists leave it empty. Default: as ``full``.
    """
    with_info = full if with_info is None else with_info
    out = _common(state, container)
    if container.kind == "group":
        return out
    out |= {
        "parents": container.parents,
        "notes": container.notes,
        "info": container.info if with_info else {},
        "info_exists": bool(container.info),
        "files": [shown_file(container, *pair, with_info=with_info) for pair in container.live_files()],
    }
    if container.kind == "analysis":
        out["inputs"] = shown_inputs(state, container, with_info=with_info)
    elif full:
        out["analyses"] = _analyses(state, container)
    return out


def _analyses(state: FlywheelState, container: Container) -> list[Any]:
    rows = (row for row in state.of_kind("analysis") if row.data["parent"]["id"] == container.id)
    return [shown(state, row, full=False) for row in rows]
