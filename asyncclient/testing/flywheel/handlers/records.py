"""Records that are only kept: roles, modalities, rules of gears, saved searches. One set of functions for all of them."""

from __future__ import annotations

from asyncclient.testing._contract import Refusal
from asyncclient.testing.flywheel.listing import listed
from asyncclient.testing.flywheel.route import Call, Table, handles
from asyncclient.testing.flywheel.tables import Json, now

__all__ = ["TABLE"]

TABLE: Table = {}

_RULES = ("projects/{}/rules", "site/rules")
_KINDS = ("roles", "modalities", "dataexplorer/queries", *_RULES)
# What the description requires of a record and the body of a request may leave out.
_ALSO: dict[str, Json] = {
    "roles": {"actions": []},
    "modalities": {"classification": {}, "active": True},
    "queries": {},
    "rules": {"revision": 1, "disabled": False, "auto_update": False},
}
_ANSWERED_BY_ID = ("modalities", "queries")


def _each(method: str, *, one: bool = False) -> list[str]:
    return [f"{method} {kind}/{{}}" if one else f"{method} {kind}" for kind in _KINDS]


def _kind(call: Call) -> str:
    return next(part for part in call.operation.path if part in _ALSO)


def _rows(call: Call) -> dict[str, Json]:
    """Return the records of a kind; rules are those of one project or of the site."""
    owner = ""
    if call.operation.path[0] == "projects":
        owner = call.state.get(call.args[0], "project").id
    return call.state.records.setdefault(f"{_kind(call)} {owner}", {})


def _row(call: Call) -> Json:
    found = _rows(call).get(call.args[-1])
    if found is None:
        raise Refusal(404, f"{_kind(call).capitalize()}: there is none of this id")
    return found


@handles(TABLE, *_each("GET"))
def list_records(call: Call) -> list[Json] | Json:
    return listed(_rows(call).values(), dict, call.query, paged="pagination" in call.features)


@handles(TABLE, *_each("POST"))
def add_record(call: Call) -> Json:
    rows, kind = _rows(call), _kind(call)
    row_id = call.body.get("_id") or call.state.ids.new()
    if row_id in rows:
        raise Refusal(409, "There is one of this id already")
    owner = {"project_id": call.args[0] if call.args else "site"} if kind == "rules" else {}
    times = {"created": now(), "modified": now()}
    rows[row_id] = {**_ALSO[kind], **times, **call.body, "_id": row_id, **owner}
    return {"_id": row_id} if kind in _ANSWERED_BY_ID else rows[row_id]


@handles(TABLE, *_each("GET", one=True))
def get_record(call: Call) -> Json:
    return _row(call)


@handles(TABLE, *_each("PUT", one=True))
def modify_record(call: Call) -> Json:
    row = _row(call)
    row |= {**{name: value for name, value in call.body.items() if name != "_id"}, "modified": now()}
    return row


@handles(TABLE, *_each("DELETE", one=True))
def delete_record(call: Call) -> Json | None:
    del _rows(call)[_row(call)["_id"]]
    return {"deleted": 1} if _kind(call) in _ANSWERED_BY_ID else None
