"""Tags, notes and info of containers."""

from __future__ import annotations

from collections.abc import MutableMapping
from typing import Any

from asyncclient.testing._contract import Refusal
from asyncclient.testing.flywheel.route import Call, Table, handles
from asyncclient.testing.flywheel.tables import Container, Json, now

__all__ = ["TABLE", "change_info"]

TABLE: Table = {}


@handles(TABLE, "POST */{}/tags")
def add_tag(call: Call) -> Json:
    container, value = call.container, call.body["value"]
    if not value:
        raise Refusal(422, "body.value: is empty")
    if value in container.tags:
        raise Refusal(409, "Tag exists already")
    container.tags.append(value)
    container.touch()
    return {"modified": 1}


@handles(TABLE, "PATCH */{}/tags")
def add_tags(call: Call) -> None:
    container = call.container
    container.tags += [tag for tag in dict.fromkeys(call.body) if tag not in container.tags]
    container.touch()


@handles(TABLE, "DELETE */{}/tags")
def delete_tags(call: Call) -> None:
    container = call.container
    container.tags = [tag for tag in container.tags if tag not in call.body]
    container.touch()


def _tag(container: Container, value: str) -> int:
    if value not in container.tags:
        raise Refusal(404, "Tag not found")
    return container.tags.index(value)


@handles(TABLE, "GET */{}/tags/{}")
def get_tag(call: Call) -> str:
    container = call.container
    return container.tags[_tag(container, call.args[1])]


@handles(TABLE, "PUT */{}/tags/{}")
def rename_tag(call: Call) -> str:
    container, value = call.container, str(call.body["value"])
    place = _tag(container, call.args[1])
    if value != call.args[1] and value in container.tags:
        raise Refusal(409, "Tag exists already")
    container.tags[place] = value
    container.touch()
    return value


@handles(TABLE, "DELETE */{}/tags/{}")
def delete_tag(call: Call) -> Json:
    container = call.container
    del container.tags[_tag(container, call.args[1])]
    container.touch()
    return {"deleted": 1}


def _annotated(call: Call) -> Container:
    """Return the container that a note belongs to: of a nested path the analysis."""
    nested = "analyses" in call.operation.path[1:]
    return call.state.get(call.args[1], "analysis") if nested else call.container


@handles(TABLE, "POST */{}/notes", "POST */{}/analyses/{}/notes")
def add_note(call: Call) -> Json:
    times = {"created": now(), "modified": now(), "timestamp": now()}
    note = {"_id": call.state.ids.new(), "text": call.body["text"], "user": call.user_id, **times}
    container = _annotated(call)
    container.notes.append(note)
    container.touch()
    return note


def _note(container: Container, note_id: str) -> Json:
    found = next((note for note in container.notes if note["_id"] == note_id), None)
    if found is None:
        raise Refusal(404, "Note not found")
    return found


@handles(TABLE, "GET */{}/notes/{}")
def get_note(call: Call) -> Json:
    return _note(call.container, call.args[1])


@handles(TABLE, "PUT */{}/notes/{}")
def modify_note(call: Call) -> int:
    note = _note(call.container, call.args[1])
    note |= {"text": call.body["text"], "modified": now()}
    return 1


@handles(TABLE, "DELETE */{}/notes/{}", "DELETE */{}/analyses/{}/notes/{}")
def delete_note(call: Call) -> Json:
    container = _annotated(call)
    container.notes.remove(_note(container, call.args[-1]))
    container.touch()
    return {"deleted": 1}


@handles(TABLE, "PATCH */{}/info")
def modify_info(call: Call) -> Json:
    container = call.container
    container.info = change_info(container.info, call.body)
    container.touch()
    return {"modified": 1}


def change_info(info: Json, body: Json) -> Json:
    """Return info after ``set``, ``delete`` or ``replace``; keys are stored without ``$`` and dots.

    Raises:
        Refusal: 422, the change has no part, or ``replace`` beside others.
    """
    given = {name: body[name] for name in ("set", "delete", "replace") if body.get(name) is not None}
    if not given or ("replace" in given and len(given) > 1):
        raise Refusal(422, "body: has either replace or set and delete")
    if "replace" in given:
        replaced: Json = dict(_stored(given["replace"]))
        return replaced
    changed: Json = info | _stored(given.get("set", {}))
    for path in given.get("delete", ()):
        _remove(changed, path)
    return changed


def _stored(value: Any) -> Any:
    if isinstance(value, list):
        return [_stored(item) for item in value]
    if isinstance(value, dict):
        return {name.replace("$", "-").replace(".", "_"): _stored(item) for name, item in value.items()}
    return value


def _remove(info: MutableMapping[str, Any], path: str) -> None:
    name, _, rest = path.partition(".")
    if not rest:
        info.pop(name, None)
    elif isinstance(info.get(name), dict):
        info[name] = dict(info[name])
        _remove(info[name], rest)
