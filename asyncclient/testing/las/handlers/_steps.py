"""How executions of transitions and workflows go on.

A workflow execution walks through the states of its definition: a state whose resource is a transition starts an execution
of that transition, and when this one succeeds the next state begins. Manual transitions wait for a person (or a test) to end
them; docker and lambda transitions, and definitions without any transition, end by themselves after some looks.
"""

from __future__ import annotations

from datetime import UTC, datetime

from asyncclient.testing._contract import Refusal
from asyncclient.testing.las.handlers._call import Call, Json, as_it_is
from asyncclient.testing.las.tables import Row, now

__all__ = [
    "begin_transition",
    "end_step",
    "enter",
    "finish_run",
    "page_of_executions",
    "resources",
    "start_step",
    "time_from",
]


def start_step(call: Call, transition_id: str, given: Json, workflow_execution: Row | None) -> Row:
    """Start an execution of a transition, with its log."""
    row = call.tables.transition_executions.add(
        {
            "transitionId": transition_id,
            "status": "running",
            "input": given,
            "output": None,
            "startTime": now(),
            "endTime": None,
            "completedBy": None,
        },
        workflow_execution=workflow_execution,
    )
    run = {} if workflow_execution is None else workflow_execution.data
    log = call.tables.logs.add(
        {
            "startTime": row.data["startTime"],
            "workflowId": run.get("workflowId"),
            "workflowExecutionId": run.get("executionId"),
            "transitionId": transition_id,
            "transitionExecutionId": row.data["executionId"],
            "events": [{"timestamp": now(), "message": "started"}],
        }
    )
    row.data["logId"] = log.data["logId"]
    if call.tables.transitions.get(transition_id).data["transitionType"] != "manual":
        call.job(row, lambda done: end_step(call, done, "succeeded", {}, None))
    return row


def end_step(call: Call, row: Row, status: str, output: Json | None, by: str | None) -> None:
    """End an execution of a transition, and let the workflow it belongs to go on."""
    row.unfinished_polls = None
    row.data.update(status=status, output=output, endTime=now(), completedBy=by)
    log = call.tables.logs.find(row.data["logId"])
    if log is not None:
        log.data["events"].append({"timestamp": now(), "message": status})
    run: Row | None = row.hidden["workflow_execution"]
    if run is not None and run.data["status"] == "running":
        _step_ended(call, run, row)


def resources(definition: Json) -> dict[str, str]:
    """Return the transition of each state of a definition, by the state's name."""
    states = definition.get("States")
    if not isinstance(states, dict):
        return {}
    found = {}
    for name, state in states.items():
        resource = state.get("Resource") if isinstance(state, dict) else None
        if isinstance(resource, str):
            found[name] = resource
    return found


def enter(call: Call, run: Row, state: str | None, given: Json) -> None:
    """Let a workflow execution begin a state, or come to its end where no state has a transition."""
    definition: Json = run.hidden["definition"]
    steps = resources(definition)
    states = definition.get("States") or {}
    for _ in states:  # at most once through all: states may form a circle
        if state in steps or state not in states:
            break
        state = states[state].get("Next")
    resource = steps.get(state or "")
    if resource is None or call.tables.transitions.find(resource) is None:
        call.job(run, lambda done: finish_run(done, "succeeded", given))
        return
    run.hidden["state"] = state
    begin_transition(call, run, resource, given)


def begin_transition(call: Call, run: Row, transition_id: str, given: Json) -> None:
    """Start a transition as a step of a workflow execution."""
    run.unfinished_polls = None
    run.data.update(status="running", endTime=None)
    step = start_step(call, transition_id, given, run)
    run.data["transitionExecutions"].setdefault(transition_id, []).append(step.data["executionId"])


def _step_ended(call: Call, run: Row, step: Row) -> None:
    status = step.data["status"]
    states = run.hidden["definition"].get("States") or {}
    following = states.get(run.hidden.get("state"), {}).get("Next")
    output = step.data["output"] or {}
    if status == "retry":
        begin_transition(call, run, step.data["transitionId"], step.data["input"])
    elif status == "succeeded" and following is not None:
        enter(call, run, following, output)
    else:
        finish_run(run, status, output)


def finish_run(run: Row, status: str, output: Json | None) -> None:
    """End a workflow execution."""
    run.unfinished_polls = None
    run.data.update(status=status, output=output, endTime=now())


def page_of_executions(call: Call, rows: list[Row], parent: str) -> Json:
    """Answer with one page of executions."""
    status = call.query.get("status")
    answer = call.page(
        [row for row in rows if not status or row.data["status"] in status], as_it_is, sort_by="startTime"
    )
    return {parent: call.params[parent], **answer}


def time_from(text: str, where: str) -> datetime:
    """Read a time of a request.

    Raises:
        Refusal: 400, it is none.
    """
    try:
        value = datetime.fromisoformat(text)
    except ValueError:
        raise Refusal(400, f"{where}: is not a date and time") from None
    return value if value.tzinfo else value.replace(tzinfo=UTC)
