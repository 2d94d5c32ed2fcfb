"""Transitions and their executions."""

from __future__ import annotations

from asyncclient.testing._contract import Refusal
from asyncclient.testing.las.handlers._call import Call, Handler, Json, as_it_is, fetching
from asyncclient.testing.las.handlers._steps import end_step, page_of_executions, resources, start_step, time_from
from asyncclient.testing.las.tables import Row

__all__ = ["HANDLERS"]

_NEEDS = {"docker": "imageUrl", "lambda": "lambdaId"}
_TIMEOUT_S = 600
_ENDS = ("succeeded", "failed", "rejected", "retry")


def create_transition(call: Call) -> Json:
    body = call.body
    kind = body["transitionType"]
    parameters = body.get("parameters")
    _check_parameters(call, kind, parameters)
    legacy: Json = {name: body[name] for name in ("inputJsonSchema", "outputJsonSchema") if name in body}
    row = call.tables.transitions.add(
        {
            "transitionType": kind,
            "parameters": parameters or {},
            "timeoutInSeconds": body.get("timeoutInSeconds", _TIMEOUT_S),
            **legacy,
            **call.named(),
        }
    )
    return row.data


def _check_parameters(call: Call, kind: str, parameters: Json | None) -> None:
    """Refuse parameters of another type of transition, and ids of nothing."""
    if parameters is None:
        return
    needed = _NEEDS.get(kind)
    if needed is not None and needed not in parameters:
        raise Refusal(400, f"body.parameters: '{needed}' is missing")
    if kind == "manual" and set(parameters) - {"assets"}:
        raise Refusal(400, "body.parameters: a manual transition has assets only")
    _check_references(call, parameters)


def _check_references(call: Call, parameters: Json) -> None:
    for asset_id in (parameters.get("assets") or {}).values():
        call.tables.assets.get(asset_id)
    for secret_id in [*(parameters.get("environmentSecrets") or []), parameters.get("secretId")]:
        if secret_id is not None:
            call.tables.secrets.get(secret_id)


def list_transitions(call: Call) -> Json:
    kinds = call.query.get("transitionType")
    rows = call.tables.transitions
    return call.page([row for row in rows if not kinds or row.data["transitionType"] in kinds], as_it_is)


def update_transition(call: Call) -> Json:
    row = call.tables.transitions.get(call.params["transitionId"])
    values = dict(call.body)
    changes = values.pop("parameters", {})
    _check_references(call, changes)
    merged = row.data["parameters"] | changes
    values["parameters"] = {name: value for name, value in merged.items() if value is not None}
    call.change(row, values)
    return row.data


def delete_transition(call: Call) -> Json:
    row = call.tables.transitions.get(call.params["transitionId"])
    transition_id = row.data["transitionId"]
    for workflow in call.tables.workflows:
        if transition_id in resources(workflow.hidden["definition"]).values():
            raise Refusal(400, "The transition is used by a workflow")
    call.tables.transitions.remove(row)
    return row.data


def execute_transition(call: Call) -> Json:
    row = call.tables.transitions.get(call.params["transitionId"])
    if row.data["transitionType"] != "manual":
        raise Refusal(400, "Only manual transitions can be executed on their own")
    return start_step(call, row.data["transitionId"], {}, None).data


def _execution(call: Call) -> Row:
    call.tables.transitions.get(call.params["transitionId"])
    return call.tables.transition_executions.get(call.params["executionId"], transitionId=call.params["transitionId"])


def get_transition_execution(call: Call) -> Json:
    row = _execution(call)
    row.poll()
    return row.data


def list_transition_executions(call: Call) -> Json:
    call.tables.transitions.get(call.params["transitionId"])
    rows = call.tables.transition_executions.where(transitionId=call.params["transitionId"])
    ids = call.query.get("executionId")
    return page_of_executions(call, [row for row in rows if not ids or row.data["executionId"] in ids], "transitionId")


def update_transition_execution(call: Call) -> Json:
    row = _execution(call)
    body = call.body
    if body["status"] not in _ENDS:
        raise Refusal(400, f"body.status: is not one of {', '.join(_ENDS)}")
    if row.data["status"] != "running":
        raise Refusal(400, f"The execution has the status {row.data['status']} already")
    if body.get("startTime"):
        row.data["startTime"] = time_from(body["startTime"], "body.startTime").isoformat()
    if "error" in body:
        row.hidden["error"] = body["error"]
    end_step(call, row, body["status"], body.get("output"), call.caller)
    return row.data


def send_heartbeat(call: Call) -> None:
    row = _execution(call)
    if row.data["status"] != "running":
        raise Refusal(400, f"The execution has the status {row.data['status']} already")
    row.hidden["heartbeats"] = row.hidden.get("heartbeats", 0) + 1


HANDLERS: dict[str, Handler] = {
    "create_transition": create_transition,
    "get_transition": fetching("transitions", "transitionId"),
    "list_transitions": list_transitions,
    "update_transition": update_transition,
    "delete_transition": delete_transition,
    "execute_transition": execute_transition,
    "get_transition_execution": get_transition_execution,
    "list_transition_executions": list_transition_executions,
    "update_transition_execution": update_transition_execution,
    "send_heartbeat": send_heartbeat,
}
