"""The hierarchy: who is above and below whom, and what comes and goes with whom."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from asyncclient.testing._contract import Refusal
from asyncclient.testing.flywheel.state import FlywheelState
from asyncclient.testing.flywheel.tables import LEVELS, Container, Json

__all__ = ["add", "below", "change", "children", "delete", "move", "subject_for"]

_GROUP_ID = re.compile(r"[0-9a-z][0-9a-z.@_-]{0,62}[0-9a-z]", re.ASCII)
_REFERENCES = frozenset({"_id", "group", "project", "session", "subject", "info", "permissions", "tags", "notes"})


def below(state: FlywheelState, container: Container, kind: str) -> Iterator[Container]:
    """Iterate over containers of one kind under another container, itself included if it is of that kind."""
    if container.kind == kind:
        yield container
        return
    if container.kind == "collection":
        yield from _collected(state, container, kind)
        return
    for row in state.of_kind(kind):
        if row.parents.get(container.kind) == container.id:
            yield row


def _collected(state: FlywheelState, collection: Container, kind: str) -> Iterator[Container]:
    sessions, acquisitions = collection.data["sessions"], collection.data["acquisitions"]
    rows = [row for row in state.of_kind("acquisition") if row.id in acquisitions or row.parents["session"] in sessions]
    held = {row.lineage.get(kind) for row in rows} | (set(sessions) if kind == "session" else set())
    for row in state.of_kind(kind):
        if row.id in held:
            yield row


def children(state: FlywheelState, container: Container) -> Iterator[Container]:
    """Iterate over the containers directly below one."""
    place = LEVELS.index(container.kind) + 1 if container.kind in LEVELS else len(LEVELS)
    if place < len(LEVELS):
        yield from below(state, container, LEVELS[place])


def add(state: FlywheelState, kind: str, body: Mapping[str, Any], user_id: str) -> Container:
    """Make a container.

    Raises:
        Refusal: 404, there is nothing it could be under; 409, there is one of this name; 422, it has no usable name.
    """
    if kind == "group":
        return state.add(_group(state, body, user_id))
    if kind == "collection":
        made = Container(state.ids.new(), kind, {}, _facts(body) | {"curator": user_id})
        made.data |= {"sessions": [], "acquisitions": []}
    else:
        above = _above(state, kind, body)
        made = Container(state.ids.new(), kind, above.lineage, _facts(body))
        made.permissions = list(above.permissions) if above.kind != "group" else []
    made.info = dict(body.get("info") or {})
    made.tags = list(body.get("tags") or ())
    if kind in ("project", "collection"):
        made.permissions = list(body.get("permissions") or [_owner(kind, user_id)])
    if kind == "subject":
        made.data["label"] = _subject_label(body)
    _check_label(state, made)
    return state.add(made)


def _group(state: FlywheelState, body: Mapping[str, Any], user_id: str) -> Container:
    group_id = body["_id"]
    if not _GROUP_ID.fullmatch(group_id):
        raise Refusal(422, "body._id: is not a name of lower-case letters, digits and .@_-")
    if group_id in state.containers:
        raise Refusal(409, f"Group {group_id} exists already")
    made = Container(group_id, "group", {}, _facts(body))
    made.permissions = [{"_id": user_id, "access": "admin"}]
    return made


def _owner(kind: str, user_id: str) -> Json:
    return {"_id": user_id, "access": "admin"} if kind == "collection" else {"_id": user_id, "role_ids": ["admin"]}


def _facts(body: Mapping[str, Any]) -> Json:
    return {name: value for name, value in body.items() if name not in _REFERENCES}


def _above(state: FlywheelState, kind: str, body: Mapping[str, Any]) -> Container:
    if kind == "project":
        return state.get(body["group"], "group")
    if kind == "subject":
        return state.get(body["project"], "project")
    if kind == "session":
        return subject_for(state, state.get(body["project"], "project"), body["subject"])
    return state.get(body["session"], "session")


def subject_for(state: FlywheelState, project: Container, given: Any) -> Container:
    """Return the subject that a session names by its id, label or code; a new label makes a new subject."""
    named = {"_id": given} if isinstance(given, str) else given
    if named.get("_id"):
        subject = state.get(named["_id"], "subject")
        if subject.parents["project"] != project.id:
            raise Refusal(422, "body.subject: is of another project")
        return subject
    label = _subject_label(named)
    rows = (row for row in below(state, project, "subject") if row.label == label)
    found = next(rows, None)
    return found or add(state, "subject", {**named, "project": project.id}, "")


def _subject_label(body: Mapping[str, Any]) -> str:
    label = body.get("label") or body.get("code")
    if not label:
        raise Refusal(422, "body: a subject needs a label or a code")
    return str(label)


def _check_label(state: FlywheelState, made: Container) -> None:
    """Labels of projects and subjects are unique among their siblings."""
    if made.kind not in ("project", "subject"):
        return
    level = LEVELS[LEVELS.index(made.kind) - 1]
    for row in state.of_kind(made.kind):
        if row.id != made.id and row.label == made.label and row.parents[level] == made.parents[level]:
            raise Refusal(409, f"There is a {made.kind} of this label already")


def change(state: FlywheelState, container: Container, body: Mapping[str, Any]) -> None:
    """Change facts of a container; a reference to another parent moves it.

    Raises:
        Refusal: 404, there is no such parent; 409, the label is taken.
    """
    before = dict(container.data)
    container.data |= _facts(body)
    if container.kind == "subject" and (body.get("label") or body.get("code")):
        container.data["label"] = _subject_label(body)
    try:
        _check_label(state, container)
    except Refusal:
        container.data = before
        raise
    for name in ("tags", "notes", "permissions"):
        if body.get(name) is not None:
            setattr(container, name, list(body[name]))
    if isinstance(body.get("info"), dict):
        container.info |= body["info"]
    _move_as_asked(state, container, body)
    container.touch()


def _move_as_asked(state: FlywheelState, container: Container, body: Mapping[str, Any]) -> None:
    if container.kind == "session" and (body.get("project") or body.get("subject")):
        project = state.get(body.get("project") or container.parents["project"], "project")
        given = body.get("subject") or {"label": state.get(container.parents["subject"]).label}
        move(state, container, subject_for(state, project, given))
        return
    levels = {"project": "group", "subject": "project", "acquisition": "session"}
    level = levels.get(container.kind)
    if level is not None and body.get(level):
        move(state, container, state.get(body[level], level))


def move(state: FlywheelState, container: Container, above: Container) -> None:
    """Put a container under another, with all that is below it."""
    rows = [row for row in state.containers.values() if row.parents.get(container.kind) == container.id]
    container.parents = above.lineage
    for row in rows:
        row.parents = {**row.parents, **container.lineage}


def delete(state: FlywheelState, container: Container) -> None:
    """Delete a container with all that is below it.

    Raises:
        Refusal: 409, it is a group that has projects.
    """
    rows = [row for row in state.containers.values() if row.parents.get(container.kind) == container.id]
    if container.kind == "group" and rows:
        raise Refusal(409, "The group has projects")
    for row in [*rows, container]:
        state.drop(row)
    for collection in state.of_kind("collection"):
        for name in ("sessions", "acquisitions"):
            collection.data[name] = [item for item in collection.data[name] if item in state.containers]
