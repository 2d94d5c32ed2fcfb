"""Workflows and their executions."""

from __future__ import annotations

from asyncclient.testing._contract import Refusal
from asyncclient.testing.las.handlers._call import Call, Handler, Json
from asyncclient.testing.las.handlers._steps import begin_transition, enter, finish_run, page_of_executions, time_from
from asyncclient.testing.las.tables import Row, now

__all__ = ["HANDLERS"]

_FAILED = "las:transition:commons-failed"


def create_workflow(call: Call) -> Json:
    body = call.body
    row = call.tables.workflows.add(
        {
            "completedConfig": body.get("completedConfig"),
            "emailConfig": _with_address(body.get("emailConfig")),
            "errorConfig": body.get("errorConfig"),
            "metadata": body.get("metadata"),
            "status": body.get("status", "development"),
            **call.named(),
        },
        definition=body["specification"]["definition"],
    )
    return _shown(call, row)


def _with_address(config: Json | None) -> Json | None:
    return None if config is None else {"email": "workflow@emulator.example", **config}


def _shown(call: Call, row: Row) -> Json:
    runs = call.tables.workflow_executions.where(workflowId=row.data["workflowId"])
    running = [run for run in runs if run.data["status"] == "running"]
    return row.data | {"numberOfRunningExecutions": len(running), "monthlyNumberOfWorkflowExecutionsCreated": len(runs)}


def list_workflows(call: Call) -> Json:
    return call.page(call.tables.workflows, _shown)


def update_workflow(call: Call) -> Json:
    row = call.tables.workflows.get(call.params["workflowId"])
    values = dict(call.body)
    if "emailConfig" in values:
        values["emailConfig"] = _with_address(values["emailConfig"])
    call.change(row, values)
    return _shown(call, row)


def execute_workflow(call: Call) -> Json:
    workflow = call.tables.workflows.get(call.params["workflowId"])
    run = call.tables.workflow_executions.add(
        {
            "workflowId": workflow.data["workflowId"],
            "status": "running",
            "input": call.body["input"],
            "output": None,
            "startTime": now(),
            "endTime": None,
            "transitionExecutions": {},
            "completedBy": [],
            "createdBy": call.caller,
            "events": [],
        },
        definition=workflow.hidden["definition"],
    )
    enter(call, run, workflow.hidden["definition"].get("StartAt"), call.body["input"])
    return run.data


def get_workflow(call: Call) -> Json:
    return _shown(call, call.tables.workflows.get(call.params["workflowId"]))


def delete_workflow(call: Call) -> Json:
    row = call.tables.workflows.get(call.params["workflowId"])
    answer = _shown(call, row)
    for run in call.tables.workflow_executions.where(workflowId=row.data["workflowId"]):
        call.tables.workflow_executions.remove(run)
    call.tables.workflows.remove(row)
    return answer


def _run(call: Call) -> Row:
    call.tables.workflows.get(call.params["workflowId"])
    return call.tables.workflow_executions.get(call.params["executionId"], workflowId=call.params["workflowId"])


def get_workflow_execution(call: Call) -> Json:
    run = _run(call)
    run.poll()
    for step in call.tables.transition_executions:
        if step.hidden["workflow_execution"] is run:
            step.poll()
    return run.data


def list_workflow_executions(call: Call) -> Json:
    call.tables.workflows.get(call.params["workflowId"])
    rows = call.tables.workflow_executions.where(workflowId=call.params["workflowId"])
    start, end = call.query.get("fromStartTime"), call.query.get("toStartTime")
    if start:
        bound = time_from(start, "query.fromStartTime")
        rows = [row for row in rows if time_from(row.data["startTime"], "startTime") >= bound]
    if end:
        bound = time_from(end, "query.toStartTime")
        rows = [row for row in rows if time_from(row.data["startTime"], "startTime") <= bound]
    return page_of_executions(call, rows, "workflowId")


def update_workflow_execution(call: Call) -> Json:
    run = _run(call)
    transition_id, status = call.body.get("nextTransitionId"), call.body.get("status")
    if status is not None:
        if run.data["status"] not in ("succeeded", "completed"):
            raise Refusal(400, f"The execution has the status {run.data['status']}")
        run.data["status"] = status
    if transition_id == _FAILED:
        finish_run(run, "failed", None)
    elif transition_id is not None:
        call.tables.transitions.get(transition_id)
        begin_transition(call, run, transition_id, run.data["input"])
    run.data["completedBy"] = [call.caller]
    return run.data


def delete_workflow_execution(call: Call) -> Json:
    run = _run(call)
    call.tables.workflow_executions.remove(run)
    return run.data


HANDLERS: dict[str, Handler] = {
    "create_workflow": create_workflow,
    "get_workflow": get_workflow,
    "list_workflows": list_workflows,
    "update_workflow": update_workflow,
    "delete_workflow": delete_workflow,
    "execute_workflow": execute_workflow,
    "get_workflow_execution": get_workflow_execution,
    "list_workflow_executions": list_workflow_executions,
    "update_workflow_execution": update_workflow_execution,
    "delete_workflow_execution": delete_workflow_execution,
}
