"""Who may do what: users that are no administrators of the site see and change what they have permissions for. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from asyncclient.testing._contract import Operation, Refusal
from asyncclient.testing.flywheel.state import FlywheelState
from asyncclient.testing.flywheel.tables import PLURALS, Container, Json

__all__ = ["check_access", "is_limited", "may_see"]

_LEVELS: Final = {"ro": 1, "rw": 2, "admin": 3}
_READING: Final = ("view", "download", "read")
_ABOVE: Final = ("session", "subject", "project", "group")
_ASKS_ONLY: Final = frozenset({"create_download_ticket"})


def is_limited(state: FlywheelState, origin: Json) -> bool:
    """Tell whether permissions count for somebody: devices and administrators of the site may do everything."""
    return origin["type"] == "user" and not state.users.get(origin["id"], {}).get("root", True)


def _level(state: FlywheelState, user_id: str, container: Container) -> int:
    """Return what a user may do with a container: 0 nothing, 1 read, 2 write, 3 give permissions to others."""
    lineage = container.lineage
    owner = state.containers.get(lineage.get("project") or lineage.get("collection") or lineage.get("group") or "")
    rows = (owner or container).permissions
    return max((_of_row(state, row) for row in rows if row["_id"] == user_id), default=0)


def _of_row(state: FlywheelState, row: Json) -> int:
    known = state.records.get("roles ", {})  # as handlers.records keeps what belongs to the site
    roles = [known.get(role_id) for role_id in row.get("role_ids") or ()]
    return max(_LEVELS.get(str(row.get("access")), 0), *(_of_role(role) for role in roles), 0)


def _of_role(role: Json | None) -> int:
    """Return the level of a role; one that is not known is for reading."""
    actions = [str(action) for action in (role or {}).get("actions") or ()]
    if any("permissions" in action for action in actions):
        return _LEVELS["admin"]
    reading = all(any(word in action for word in _READING) for action in actions)
    return _LEVELS["ro"] if reading else _LEVELS["rw"]


def may_see(state: FlywheelState, origin: Json, container: Container) -> bool:
    """Tell whether lists show a container. A group is seen with any project in it."""
    if not is_limited(state, origin) or _level(state, origin["id"], container):
        return True
    projects = state.of_kind("project") if container.kind == "group" else ()
    return any(row.parents.get("group") == container.id and _level(state, origin["id"], row) for row in projects)


def check_access(state: FlywheelState, origin: Json, operation: Operation, args: tuple[str, ...], body: Any) -> None:
    """Refuse what somebody has no permission for.

    Raises:
        Refusal: 403, the container exists, and they may not do that with it.
    """
    if not is_limited(state, origin):
        return
    needed = _LEVELS["ro"] if operation.method == "GET" or operation.id in _ASKS_ONLY else _LEVELS["rw"]
    if "permissions" in operation.path and operation.method != "GET":
        needed = _LEVELS["admin"]
    for container in _concerned(state, operation, args, body):
        seen = needed == _LEVELS["ro"] and may_see(state, origin, container)
        if not seen and _level(state, origin["id"], container) < needed:
            raise Refusal(403, f"User {origin['id']} is not authorized to {_WORDS[needed]} the {container.kind}")


_WORDS: Final = {1: "read", 2: "change", 3: "administer"}


def _id_of(reference: Any) -> str:
    return str(reference.get("_id") if isinstance(reference, Mapping) else reference)


def _concerned(state: FlywheelState, operation: Operation, args: tuple[str, ...], body: Any) -> list[Container]:
    """Return what a request is about: what its path names, what it would put something into, what it would fetch."""
    first, found = operation.path[0], []
    if args and first in (*PLURALS, "containers"):
        found += [state.containers.get(args[0])]
        if "analyses" in operation.path and len(args) > 1:
            found += [state.containers.get(args[1])]
    elif args and first == "files" and args[0] in state.files:
        found += [state.files[args[0]][0]]
    if isinstance(body, Mapping):
        if operation.method == "POST" and not args and first in PLURALS:
            # The nearest one above counts: whoever may write to a project may put sessions into it.
            found += [state.containers.get(_id_of(body[name])) for name in _ABOVE if body.get(name)][:1]
        nodes = body.get("nodes")
        if operation.id in _ASKS_ONLY and isinstance(nodes, list):
            found += [state.containers.get(str(node.get("_id"))) for node in nodes]
    return [container for container in found if container is not None]
