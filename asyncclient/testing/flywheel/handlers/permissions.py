"""Permissions of projects, groups and collections, and the templates of groups."""

from __future__ import annotations

from asyncclient.testing._contract import Refusal
from asyncclient.testing.flywheel.route import Call, Table, handles
from asyncclient.testing.flywheel.tables import Json

__all__ = ["TABLE"]

TABLE: Table = {}


def _rows(call: Call) -> list[Json]:
    if "templates" in call.operation.path:
        rows: list[Json] = call.container.data.setdefault("permissions_template", [])
        return rows
    return call.container.permissions


def _row(call: Call) -> Json:
    found = next((row for row in _rows(call) if row["_id"] == call.args[1]), None)
    if found is None:
        raise Refusal(404, "Permission not found")
    return found


def _propagate(call: Call) -> None:
    """Give the projects of a group its templates, where the call asks for that."""
    if not call.query.get("propagate"):
        return
    wanted = {row["_id"]: dict(row) for row in _rows(call)}
    for project in call.state.of_kind("project"):
        if project.parents["group"] == call.args[0]:
            kept = [row for row in project.permissions if row["_id"] not in wanted]
            project.permissions = [*kept, *wanted.values()]


@handles(TABLE, "POST */{}/permissions", "POST */{}/permissions/templates")
def add_permission(call: Call) -> Json:
    user_id = call.body["_id"]
    if user_id not in call.state.users:
        raise Refusal(404, "User not found")
    rows = _rows(call)
    if any(row["_id"] == user_id for row in rows):
        raise Refusal(409, "The user has a permission already")
    rows.append(dict(call.body))
    _propagate(call)
    return rows[-1]


@handles(TABLE, "GET */{}/permissions/{}", "GET */{}/permissions/templates/{}")
def get_permission(call: Call) -> Json:
    return _row(call)


@handles(TABLE, "PUT */{}/permissions/{}", "PUT */{}/permissions/templates/{}")
def modify_permission(call: Call) -> Json:
    row = _row(call)
    row |= {name: value for name, value in call.body.items() if name != "_id"}
    _propagate(call)
    return row


@handles(TABLE, "DELETE */{}/permissions/{}", "DELETE */{}/permissions/templates/{}")
def delete_permission(call: Call) -> Json:
    _rows(call).remove(_row(call))
    return {"modified": 1}
