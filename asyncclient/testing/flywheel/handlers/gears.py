"""Gears: their manifests, permissions, and what they would run with."""

from __future__ import annotations

from typing import Any

from asyncclient.testing._contract import Refusal
from asyncclient.testing.flywheel.listing import listed
from asyncclient.testing.flywheel.route import Call, Table, handles
from asyncclient.testing.flywheel.tables import Json, now

__all__ = ["TABLE"]

TABLE: Table = {}


def _gear(call: Call) -> Json:
    found = call.state.gears.get(call.args[0])
    if found is None:
        raise Refusal(404, "Gear not found")
    return found


def _add(call: Call, body: Json) -> Json:
    name, version = body["gear"]["name"], body["gear"]["version"]
    for row in call.state.gears.values():
        if (row["gear"]["name"], row["gear"]["version"]) == (name, version):
            raise Refusal(409, "There is this version of the gear already")
    row = {"category": "utility", "exchange": {}, **body, "_id": call.state.ids.new()}
    row |= {"created": now(), "modified": now()}
    call.state.gears[row["_id"]] = row
    return row


@handles(TABLE, "POST gears/{}")
def add_gear(call: Call) -> Json:
    if call.body["gear"]["name"] != call.args[0]:
        raise Refusal(422, "body.gear.name: is not the name in the path")
    return {"_id": _add(call, call.body)["_id"]}


@handles(TABLE, "POST gears/prepare-add")
def prepare_gear(call: Call) -> Json:
    ticket = call.state.ids.new()
    document = {"origin": call.origin, "geardoc": call.body, "timestamp": now()}
    call.state.gear_tickets[ticket] = {"_id": ticket, **document}
    return {"ticket": ticket}


def _ticket(call: Call, ticket: str) -> Json:
    found = call.state.gear_tickets.get(ticket)
    if found is None:
        raise Refusal(404, "There is no such ticket")
    return found


@handles(TABLE, "GET gears/ticket/{}")
def get_ticket(call: Call) -> Json:
    return _ticket(call, call.args[0])


@handles(TABLE, "GET gears/my-tickets")
def list_tickets(call: Call) -> list[str]:
    return [ticket for ticket, row in call.state.gear_tickets.items() if row["origin"] == call.origin]


@handles(TABLE, "POST gears/save")
def save_gear(call: Call) -> Json:
    row = _add(call, _ticket(call, call.body["ticket"])["geardoc"])
    del call.state.gear_tickets[call.body["ticket"]]
    return row


@handles(TABLE, "GET gears")
def list_gears(call: Call) -> list[Json] | Json:
    rows = list(call.state.gears.values())
    if not call.query.get("all_versions"):
        rows = list({row["gear"]["name"]: row for row in rows}.values())
    return listed(rows, dict, call.query, paged="pagination" in call.features)


@handles(TABLE, "GET gears/{}")
def get_gear(call: Call) -> Json:
    return _gear(call)


@handles(TABLE, "DELETE gears/{}")
def delete_gear(call: Call) -> None:
    del call.state.gears[_gear(call)["_id"]]


@handles(TABLE, "GET gears/{}/invocation")
def get_invocation(call: Call) -> Json:
    """Return the form of a configuration as JSON Schema."""
    manifest = _gear(call)["gear"]
    parts: dict[str, Any] = {}
    for name in ("config", "inputs"):
        items = manifest.get(name) or {}
        required = [key for key, item in items.items() if not item.get("optional") and "default" not in item]
        properties = {key: {k: v for k, v in item.items() if k != "optional"} for key, item in items.items()}
        parts[name] = {"type": "object", "properties": properties, "required": required}
    return {
        "$schema": "http://json-schema.org/draft-04/schema#",
        "title": f"Invocation manifest for {manifest.get('label') or manifest['name']}",
        "type": "object",
        "properties": parts,
        "required": list(parts),
    }


@handles(TABLE, "GET gears/{}/context/{}/{}")
def get_context(call: Call) -> Json:
    """Return the context inputs, each from the nearest container whose info has a value for it."""
    manifest = _gear(call)["gear"]
    container = call.state.get(call.args[2])
    above = [call.state.get(item) for item in reversed(list(container.lineage.values()))]
    out: Json = {}
    for name, item in (manifest.get("inputs") or {}).items():
        if item.get("base") != "context":
            continue
        held = next((row for row in above if name in row.info.get("context", {})), None)
        out[name] = {"found": False}
        if held is not None:
            place = {"container_type": held.kind, "id": held.id, "label": held.label}
            out[name] = {"found": True, "value": held.info["context"][name], **place}
    return out


def _series(call: Call) -> Json:
    rows = [row for row in call.state.gears.values() if row["gear"]["name"] == call.args[0]]
    if not rows:
        raise Refusal(404, "Gear not found")
    first = rows[0]
    series: Json = first.setdefault("series", {"permissions": {"users": [], "projects": []}, "is_restricted": False})
    return series


def _shown(call: Call) -> Json:
    return {"_id": call.args[0], "name": call.args[0], "created": now(), "modified": now(), **_series(call)}


@handles(TABLE, "GET gears/{}/series")
def get_series(call: Call) -> Json:
    return _shown(call)


@handles(TABLE, "PUT gears/{}/series")
def modify_series(call: Call) -> Json:
    series = _series(call)
    series |= {name: value for name, value in call.body.items() if name in ("is_restricted", "permissions")}
    return _shown(call)


@handles(TABLE, "PUT gears/{}/permissions")
def replace_permissions(call: Call) -> Json:
    _series(call)["permissions"] = {"users": [], "projects": [], **call.body}
    return _shown(call)


@handles(TABLE, "DELETE gears/{}/permissions")
def delete_permissions(call: Call) -> None:
    _series(call)["permissions"] = {"users": [], "projects": []}


def _allowed(call: Call) -> list[str]:
    """Return the ids of users or projects, as the path says."""
    kind = call.args[1]
    if kind not in ("projects", "users"):
        raise Refusal(422, "path.permission_type: is neither projects nor users")
    rows: list[str] = _series(call)["permissions"].setdefault(kind, [])
    return rows


@handles(TABLE, "PUT gears/{}/permissions/{}")
def add_permission(call: Call) -> Json:
    rows = _allowed(call)
    if call.body["id"] not in rows:
        rows.append(call.body["id"])
    return _shown(call)


@handles(TABLE, "DELETE gears/{}/permissions/{}/{}")
def delete_permission(call: Call) -> None:
    rows = _allowed(call)
    if call.args[2] not in rows:
        raise Refusal(404, "Permission not found")
    rows.remove(call.args[2])
