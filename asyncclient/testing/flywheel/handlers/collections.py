"""Collections: what is in them."""

from __future__ import annotations

from asyncclient.testing.flywheel import tree
from asyncclient.testing.flywheel.route import Call, Table, handles
from asyncclient.testing.flywheel.tables import Json

__all__ = ["TABLE"]

TABLE: Table = {}


@handles(TABLE, "PUT collections/{}")
def modify_collection(call: Call) -> Json:
    collection = call.container
    contents = call.body.get("contents")
    if contents:
        for node in contents["nodes"]:
            container = call.state.get(node["_id"], node["level"])
            _enter(call, collection.data, container.kind, container.id, add=contents["operation"] == "add")
    tree.change(call.state, collection, {name: call.body[name] for name in call.body if name != "contents"})
    return {"modified": 1}


def _enter(call: Call, data: Json, kind: str, container_id: str, *, add: bool) -> None:
    names = {"session": "sessions", "acquisition": "acquisitions"}
    if kind not in names:  # a project or subject stands for its sessions
        for row in tree.below(call.state, call.state.get(container_id), "session"):
            _enter(call, data, "session", row.id, add=add)
        return
    held = data[names[kind]]
    data[names[kind]] = [item for item in held if item != container_id] + ([container_id] if add else [])


@handles(TABLE, "GET collections/curators")
def list_curators(call: Call) -> list[Json]:
    curators = {row.data["curator"] for row in call.state.of_kind("collection")}
    return [{**call.state.users[item]} for item in sorted(curators) if item in call.state.users]
