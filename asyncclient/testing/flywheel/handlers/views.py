"""Data views: saved ones, read at once, or queued and read when they are done."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from starlette.responses import Response

from asyncclient.testing._contract import Refusal
from asyncclient.testing.flywheel.contents import in_thread
from asyncclient.testing.flywheel.formats import MEDIA, rendered
from asyncclient.testing.flywheel.listing import listed
from asyncclient.testing.flywheel.route import Call, Table, handles
from asyncclient.testing.flywheel.shown import file_record
from asyncclient.testing.flywheel.store import Arrival, register
from asyncclient.testing.flywheel.tables import LEVELS, Content, Json, now
from asyncclient.testing.flywheel.viewing import rows_of

__all__ = ["TABLE"]

TABLE: Table = {}

_COLUMNS = {"id": "string", "label": "string", "created": "string", "modified": "string", "info": "object"}
_MORE = {
    "project": {"description": "string"},
    "subject": {"code": "string", "sex": "string", "firstname": "string", "lastname": "string", "cohort": "string"},
    "session": {"age": "int", "weight": "float", "timestamp": "string", "operator": "string", "uid": "string"},
    "acquisition": {"timestamp": "string", "uid": "string"},
    "file": {"name": "string", "size": "int", "type": "string", "modality": "string", "mimetype": "string"},
}


@handles(TABLE, "GET views/columns")
def list_columns(call: Call) -> list[Json]:
    out: list[Json] = []
    for kind in (*LEVELS[1:], "file"):
        known = {**({} if kind == "file" else _COLUMNS), **_MORE[kind]}
        for name, form in known.items():
            out.append({"name": f"{kind}.{name}", "description": f"The {name} of the {kind}.", "type": form})
        out.append({"name": kind, "description": f"All of the {kind}.", "group": [f"{kind}.{name}" for name in known]})
    return out


def _view(call: Call) -> Json:
    found = call.state.views.get(call.args[0])
    if found is None:
        raise Refusal(404, "View not found")
    return found


@handles(TABLE, "GET */{}/views")
def list_views(call: Call) -> list[Json]:
    return [view for view in call.state.views.values() if view["parent"] == call.args[0]]


@handles(TABLE, "POST */{}/views")
def add_view(call: Call) -> Json:
    parent = call.args[0]
    if parent != "site" and parent not in call.state.users:
        call.state.get(parent)
    view = {**call.body, "_id": call.state.ids.new(), "parent": parent, "origin": call.origin}
    call.state.views[view["_id"]] = {"columns": [], **view}
    return {"_id": view["_id"]}


@handles(TABLE, "GET views/{}")
def get_view(call: Call) -> Json:
    return _view(call)


@handles(TABLE, "PUT views/{}")
def modify_view(call: Call) -> Json:
    view = _view(call)
    view |= {name: value for name, value in call.body.items() if name not in ("_id", "origin")}
    return {"modified": 1}


@handles(TABLE, "DELETE views/{}")
def delete_view(call: Call) -> Json:
    del call.state.views[_view(call)["_id"]]
    return {"deleted": 1}


def _container_id(call: Call) -> str:
    found = call.query.get("containerId")
    if not found:
        raise Refusal(422, "query.containerId: is missing")
    return str(found)


@handles(TABLE, "GET views/{}/data", "POST views/data")
async def read_view(call: Call) -> Response:
    view = _view(call) if call.args else call.body
    rows = await in_thread(rows_of, call.state, view, _container_id(call), call.query)
    return _response(rows, call.query.get("format") or "json")


def _response(rows: list[Json], form: str) -> Response:
    return Response(rendered(rows, form), media_type=f"{MEDIA[form]}; charset=utf-8")


@handles(TABLE, "POST views/{}/queue", "POST views/queue")
async def queue_view(call: Call) -> Json:
    view = _view(call) if call.args else call.body
    container = call.state.get(_container_id(call))
    failed: str | None = None
    rows: list[Json] = []
    try:
        rows = await in_thread(rows_of, call.state, view, container.id, call.query)
    except Refusal as refusal:
        failed = refusal.message
    execution: Json = {
        "_id": call.state.ids.new(),
        "created": now(),
        "modified": now(),
        "user_id": call.user_id,
        "project_id": container.lineage.get("project", container.id),
        "data_view_id": view.get("_id"),
        "data_view_label": view.get("label") or "UNKNOWN",
        "expires_on": (datetime.now(UTC) + timedelta(days=7)).isoformat(timespec="milliseconds"),
        "polls": call.state.options.view_polls,
        "rows": rows,
        "failure": failed,
    }
    call.state.executions[execution["_id"]] = execution
    return _shown(execution, "queued")


def _shown(execution: Json, state: str) -> Json:
    hidden = ("polls", "rows", "failure")
    return {**{name: value for name, value in execution.items() if name not in hidden}, "state": state}


def _execution(call: Call) -> Json:
    found = call.state.executions.get(call.args[0])
    if found is None:
        raise Refusal(404, "Data view execution not found")
    return found


def _state(execution: Json) -> str:
    if execution["polls"] > 0:
        return "processing"
    return "completed" if execution["failure"] is None else "failed"


@handles(TABLE, "GET data_view_executions")
def list_executions(call: Call) -> list[Json] | Json:
    rows = call.state.executions.values()
    return listed(rows, lambda row: _shown(row, _state(row)), call.query, paged="pagination" in call.features)


@handles(TABLE, "GET data_view_executions/{}")
def get_execution(call: Call) -> Json:
    execution = _execution(call)
    out = _shown(execution, _state(execution))
    execution["polls"] = max(0, execution["polls"] - 1)
    return out


@handles(TABLE, "POST data_view_executions/{}/delete")
def delete_execution(call: Call) -> Json:
    del call.state.executions[_execution(call)["_id"]]
    return {"deleted": 1}


@handles(TABLE, "GET data_view_executions/{}/data")
def get_execution_data(call: Call) -> Response:
    execution = _execution(call)
    if _state(execution) != "completed":
        raise Refusal(409, "The execution is not completed")
    return _response(execution["rows"], call.query.get("file_format") or "json")


@handles(TABLE, "POST views/save")
async def save_view(call: Call) -> Json:
    body = call.body
    view = call.state.views.get(body.get("viewId") or "") or body.get("view")
    if view is None:
        raise Refusal(404, "View not found")
    rows = await in_thread(rows_of, call.state, view, _container_id(call), call.query)
    form = call.query.get("format") or "json"
    content = Content((call.state.blobs.put(rendered(rows, form)),))
    target = call.state.get(body["containerId"], body["containerType"])
    return file_record(await register(call.state, target, Arrival(body["filename"], content, call.origin)))
