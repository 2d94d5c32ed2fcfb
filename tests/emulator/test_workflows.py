"""Workflow executions walk through the states of their definition."""

from __future__ import annotations

from typing import Any

import pytest

from tests.emulator.conftest import Api


def manual(api: Api) -> str:
    return str(api.ok("POST", "/transitions", {"transitionType": "manual"})["transitionId"])


def docker(api: Api) -> str:
    body = {"transitionType": "docker", "parameters": {"imageUrl": "image:1"}}
    return str(api.ok("POST", "/transitions", body)["transitionId"])


def workflow(api: Api, *resources: str | None) -> str:
    """Make a workflow whose states follow one another; None is a state without a resource."""
    states: dict[str, dict[str, Any]] = {}
    for index, resource in enumerate(resources):
        states[f"s{index}"] = {"Type": "Task", "Resource": resource} if resource else {"Type": "Pass"}
        if index + 1 < len(resources):
            states[f"s{index}"]["Next"] = f"s{index + 1}"
    body = {"specification": {"definition": {"StartAt": "s0", "States": states}}}
    return f"/workflows/{api.ok('POST', '/workflows', body)['workflowId']}"


def steps(api: Api, run: str, transition: str) -> list[str]:
    return [
        f"/transitions/{transition}/executions/{item}"
        for item in api.ok("GET", run)["transitionExecutions"][transition]
    ]


def start(api: Api, path: str) -> str:
    return f"{path}/executions/{api.ok('POST', f'{path}/executions', {'input': {'n': 1}})['executionId']}"


def test_from_step_to_step(api: Api) -> None:
    first, second = manual(api), manual(api)
    path = workflow(api, None, first, None, second)
    run = start(api, path)
    assert api.ok("GET", path)["numberOfRunningExecutions"] == 1
    (step,) = steps(api, run, first)
    assert api.ok("GET", step)["input"] == {"n": 1}
    api.ok("PATCH", step, {"status": "succeeded", "output": {"n": 2}})
    (step,) = steps(api, run, second)
    assert api.ok("GET", step)["input"] == {"n": 2}
    assert api.ok("GET", run)["status"] == "running"
    api.ok("PATCH", step, {"status": "succeeded", "output": {"n": 3}})
    ended = api.ok("GET", run)
    assert (ended["status"], ended["output"]) == ("succeeded", {"n": 3})
    assert ended["endTime"] >= ended["startTime"]


@pytest.mark.parametrize("status", ["failed", "rejected"])
def test_a_step_that_fails_ends_the_execution(api: Api, status: str) -> None:
    transition = manual(api)
    run = start(api, workflow(api, transition))
    api.ok("PATCH", steps(api, run, transition)[0], {"status": status, "error": {"message": "no"}})
    assert api.ok("GET", run)["status"] == status


def test_retry_starts_the_step_again(api: Api) -> None:
    transition = manual(api)
    run = start(api, workflow(api, transition))
    api.ok("PATCH", steps(api, run, transition)[0], {"status": "retry"})
    again = steps(api, run, transition)
    assert len(again) == 2
    assert api.ok("GET", again[1])["input"] == {"n": 1}


def test_docker_steps_end_by_themselves(api: Api) -> None:
    transition = docker(api)
    run = start(api, workflow(api, transition))
    assert [api.ok("GET", run)["status"] for _ in range(3)] == ["running", "succeeded", "succeeded"]
    (log,) = api.ok("GET", "/logs", transitionId=transition)["logs"]
    events = api.ok("GET", f"/logs/{log['logId']}")["events"]
    assert [event["message"] for event in events] == ["started", "succeeded"]


@pytest.mark.parametrize("states", [[], [None, None], ["las:transition:unheard-of"]])
def test_definitions_without_transitions_end_by_themselves(api: Api, states: list[str | None]) -> None:
    run = start(api, workflow(api, *states))
    assert [api.ok("GET", run)["status"] for _ in range(3)] == ["running", "succeeded", "succeeded"]
    run = start(api, workflow(api, *states))
    api.state.settle()
    assert api.ok("GET", run)["status"] == "succeeded"


def test_states_in_a_circle(api: Api) -> None:
    states = {"a": {"Type": "Pass", "Next": "b"}, "b": {"Type": "Pass", "Next": "a"}}
    body = {"specification": {"definition": {"StartAt": "a", "States": states}}}
    run = start(api, f"/workflows/{api.ok('POST', '/workflows', body)['workflowId']}")
    api.state.settle()
    assert api.ok("GET", run)["status"] == "succeeded"


def test_sending_an_execution_elsewhere(api: Api) -> None:
    transition, other = manual(api), manual(api)
    path = workflow(api, transition)
    run = start(api, path)
    assert "status running" in api.refused(400, "PATCH", run, {"status": "completed"})
    assert api.ok("PATCH", run, {"nextTransitionId": "las:transition:commons-failed"})["status"] == "failed"
    api.ok("PATCH", run, {"nextTransitionId": other})
    assert api.ok("GET", run)["status"] == "running"
    api.ok("PATCH", steps(api, run, other)[0], {"status": "succeeded", "output": {}})
    assert api.ok("PATCH", run, {"status": "completed"})["status"] == "completed"
    api.refused(404, "PATCH", run, {"nextTransitionId": "las:transition:" + "0" * 32})
    api.ok("DELETE", path)
    api.refused(404, "GET", run)


def test_what_transitions_refuse(api: Api) -> None:
    for kind, parameters, problem in (
        ("docker", {}, "'imageUrl' is missing"),
        ("lambda", {"imageUrl": "x"}, "'lambdaId' is missing"),
        ("manual", {"imageUrl": "x"}, "assets only"),
    ):
        body = {"transitionType": kind, "parameters": parameters}
        assert problem in api.refused(400, "POST", "/transitions", body)
    assert "manual" in api.refused(400, "POST", f"/transitions/{docker(api)}/executions", {})
    transition = manual(api)
    step = f"/transitions/{transition}/executions"
    step = f"{step}/{api.ok('POST', step, {})['executionId']}"
    assert "is not one of" in api.refused(400, "PATCH", step, {"status": "running"})
    assert "date and time" in api.refused(400, "PATCH", step, {"status": "failed", "startTime": "noon"})
    naive = {"status": "failed", "startTime": "2022-01-01 12:00", "error": {"message": "m"}}
    assert api.ok("PATCH", step, naive)["startTime"] == "2022-01-01T12:00:00+00:00"
    assert "failed already" in api.refused(400, "PATCH", step, naive)


def test_times_of_a_list(api: Api) -> None:
    path = workflow(api)
    start(api, path)
    assert "date and time" in api.refused(400, "GET", f"{path}/executions", fromStartTime="noon")
    listed = api.ok("GET", f"{path}/executions", fromStartTime="", toStartTime="2022-01-01T00:00:00Z")
    assert listed["executions"] == []
    api.refused(404, "GET", "/workflows/none/executions")
    api.refused(404, "GET", "/transitions/none/executions")
