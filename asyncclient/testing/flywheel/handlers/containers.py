"""Containers: make, show, list, change, delete."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from asyncclient.testing._contract import Refusal
from asyncclient.testing.flywheel import tree
from asyncclient.testing.flywheel.access import may_see
from asyncclient.testing.flywheel.filters import Condition, matches
from asyncclient.testing.flywheel.listing import listed
from asyncclient.testing.flywheel.route import Call, Table, handles
from asyncclient.testing.flywheel.shown import shown
from asyncclient.testing.flywheel.tables import PLURALS, Container, Json

__all__ = ["TABLE", "conditions_of", "page_of"]

TABLE: Table = {}

_OPERATORS = frozenset({"=", "!=", "<", "<=", ">", ">=", "=~"})


def page_of(call: Call, rows: Iterable[Container]) -> list[Json] | Json:
    """Return a page of containers as the query asks for it."""
    with_info = bool(call.query.get("include_all_info"))

    def show(row: Container) -> Json:
        return shown(call.state, row, full=False, with_info=with_info)

    seen = [row for row in rows if may_see(call.state, call.origin, row)]
    return listed(seen, show, call.query, paged="pagination" in call.features)


@handles(TABLE, "POST *")
def add_container(call: Call) -> Json:
    assert call.kind is not None
    return {"_id": tree.add(call.state, call.kind, call.body, call.user_id).id}


@handles(TABLE, "GET *")
def list_containers(call: Call) -> list[Json] | Json:
    assert call.kind is not None
    rows: Iterable[Container] = call.state.of_kind(call.kind)
    if call.query.get("collection_id"):
        rows = tree.below(call.state, call.state.get(call.query["collection_id"], "collection"), call.kind)
    if call.kind == "group":
        rows = sorted(rows, key=lambda row: row.id)
    return page_of(call, rows)


@handles(TABLE, "GET users/{}/groups", "GET users/{}/projects", "GET users/{}/sessions", "GET users/{}/acquisitions")
def list_of_user(call: Call) -> list[Json] | Json:
    return page_of(call, call.state.of_kind(PLURALS[call.operation.path[-1]]))


@handles(
    TABLE,
    *("GET */{}/projects", "GET */{}/subjects", "GET */{}/sessions"),
    "GET */{}/acquisitions",
)
def list_below(call: Call) -> list[Json] | Json:
    kind = PLURALS[call.operation.path[-1]]
    rows = list(tree.below(call.state, call.container, kind))
    session_id, collection_id = call.query.get("session"), call.query.get("collection_id")
    if session_id:
        rows = [row for row in rows if row.parents["session"] == session_id]
    if collection_id:
        held = {row.id for row in tree.below(call.state, call.state.get(collection_id, "collection"), kind)}
        rows = [row for row in rows if row.id in held]
    return page_of(call, rows)


@handles(TABLE, "GET */{}")
def get_container(call: Call) -> Json:
    container = call.container
    out = shown(call.state, container)
    return out if call.kind is not None else {**out, "container_type": container.kind}


@handles(TABLE, "PUT */{}")
def modify_container(call: Call) -> Json:
    tree.change(call.state, call.container, call.body)
    return {"modified": 1}


@handles(TABLE, "DELETE */{}")
def delete_container(call: Call) -> Json:
    tree.delete(call.state, call.container)
    return {"deleted": 1}


@handles(TABLE, "DELETE *")
def delete_by_ids(call: Call) -> Json:
    found = [call.state.containers.get(item) for item in call.body]
    rows = [row for row in found if row is not None and row.kind == call.kind]
    return _delete_all(call, rows, not_found=len(found) - len(rows))


@handles(TABLE, "DELETE */delete_by_query")
def delete_by_query(call: Call) -> Json:
    assert call.kind is not None
    if not call.body:
        raise Refusal(422, "body: has no filter")
    conditions = conditions_of(call.body)
    rows = [row for row in call.state.of_kind(call.kind) if matches(shown(call.state, row, full=False), conditions)]
    return _delete_all(call, rows, not_found=0)


def conditions_of(filters: list[Json]) -> list[Condition]:
    """Read a list of filters as bodies have them.

    Raises:
        Refusal: 422, there is no such operator.
    """
    made = []
    for item in filters:
        if item["operator"] not in _OPERATORS:
            raise Refusal(422, "body: there is no such operator")
        value: Any = item.get("value")
        text = "null" if value is None else str(value)
        made.append(Condition(item["attribute"], item["operator"], text, isinstance(value, str)))
    return made


def _delete_all(call: Call, rows: list[Container], *, not_found: int) -> Json:
    for row in rows:
        if row.id in call.state.containers:  # one before may have been above it
            tree.delete(call.state, row)
    return {"deleted": len(rows), "not_found": not_found}
