"""Gears, jobs, batches and analyses."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.emulator_flywheel.conftest import Api

MANIFEST: dict[str, Any] = {
    "name": "mygear",
    "label": "My gear",
    "description": "does",
    "version": "1.0",
    "author": "a",
    "license": "MIT",
    "source": "s",
    "url": "u",
    "inputs": {"in": {"base": "file"}, "matlab": {"base": "context"}, "other": {"base": "context"}},
    "config": {
        "a": {"type": "integer", "default": 3},
        "b": {"type": "string"},
        "c": {"type": "string", "optional": True},
    },
}
GEAR = {"gear": MANIFEST, "category": "utility", "exchange": {"git-commit": "x", "rootfs-hash": "x", "rootfs-url": "x"}}


@pytest.fixture
def gear(api: Api) -> str:
    made: str = api.ok("POST", "/gears/mygear", GEAR)["_id"]
    return made


@pytest.fixture
def ids(api: Api) -> dict[str, str]:
    made = api.tree()
    api.put_form(f"/acquisitions/{made['acquisition']}/files", ("f.txt", b"x"))
    return made


def job_body(gear: str, ids: dict[str, str], **more: Any) -> dict[str, Any]:
    reference = {"type": "acquisition", "id": ids["acquisition"], "name": "f.txt"}
    return {"gear_id": gear, "inputs": {"in": reference}, "config": {"b": "x"}, **more}


def test_gears(api: Api, gear: str) -> None:
    api.refused(409, "POST", "/gears/mygear", GEAR)
    api.refused(422, "POST", "/gears/other", GEAR)
    newer = {**GEAR, "gear": {**MANIFEST, "version": "2.0"}}
    ticket = api.ok("POST", "/gears/prepare-add", newer)["ticket"]
    assert api.ok("GET", "/gears/my-tickets") == [ticket]
    assert api.ok("GET", f"/gears/ticket/{ticket}")["geardoc"]["gear"]["version"] == "2.0"
    body = {"ticket": ticket, "repo": "r", "pointer": "p"}
    second = api.ok("POST", "/gears/save", body)["_id"]
    api.refused(404, "POST", "/gears/save", body)
    assert [row["_id"] for row in api.ok("GET", "/gears")] == [second]
    assert len(api.ok("GET", "/gears?all_versions=true")) == 2
    assert api.ok("GET", f"/gears/{gear}")["gear"] == MANIFEST
    form = api.ok("GET", f"/gears/{gear}/invocation")
    assert form["properties"]["config"]["required"] == ["b"]
    assert api.send("DELETE", f"/gears/{gear}").status_code == 204
    api.refused(404, "GET", f"/gears/{gear}")


def test_permissions_of_gears(api: Api, gear: str) -> None:
    path = "/gears/mygear"
    assert api.ok("GET", f"{path}/series")["is_restricted"] is False
    assert api.ok("PUT", f"{path}/series", {"is_restricted": True})["is_restricted"] is True
    assert api.ok("PUT", f"{path}/permissions/users", {"id": "u"})["permissions"] == {"users": ["u"], "projects": []}
    api.ok("PUT", f"{path}/permissions/users", {"id": "u"})
    assert api.send("DELETE", f"{path}/permissions/users/u").status_code == 204
    api.refused(404, "DELETE", f"{path}/permissions/users/u")
    assert api.ok("PUT", f"{path}/permissions", {"projects": ["p"]})["permissions"] == {"users": [], "projects": ["p"]}
    assert api.send("DELETE", f"{path}/permissions").status_code == 204
    api.refused(404, "GET", "/gears/unknown/series")
    assert "projects" in api.refused(422, "PUT", f"{path}/permissions/user", {"id": "u"})
    api.refused(422, "DELETE", f"{path}/permissions/user/u")
    assert api.ok("GET", f"{path}/series")["permissions"] == {"users": [], "projects": []}


def test_context(api: Api, gear: str, ids: dict[str, str]) -> None:
    for kind, value in (("project", "far"), ("session", "near")):
        api.ok("PATCH", f"/{kind}s/{ids[kind]}/info", {"set": {"context": {"matlab": value}}})
    found = api.ok("GET", f"/gears/{gear}/context/acquisitions/{ids['acquisition']}")
    assert (found["matlab"]["value"], found["matlab"]["container_type"]) == ("near", "session")
    assert found["other"] == {"found": False}


def test_jobs(api: Api, gear: str, ids: dict[str, str]) -> None:
    job = api.ok("POST", "/jobs/add", job_body(gear, ids, tags=["t"], priority="high"))["_id"]
    shown = api.ok("GET", f"/jobs/{job}")
    assert (shown["state"], shown["config"]["config"], shown["destination"]["id"]) == (
        *("pending", {"a": 3, "b": "x"}),
        ids["acquisition"],
    )
    config = api.ok("GET", f"/jobs/{job}/config.json")
    assert config["inputs"]["in"]["location"]["path"] == "/flywheel/v0/input/f.txt"
    assert api.ok("GET", f"/jobs/{job}/detail")["_id"] == job
    assert api.ok("PUT", "/jobs/priority", {"job_ids": [job, "x"], "priority": "low"}) == {"modified": 1}
    assert api.send("POST", f"/jobs/{job}/logs", [{"fd": 1, "msg": "m"}]).status_code == 204
    assert api.ok("GET", f"/jobs/{job}/logs")["logs"] == [{"fd": 1, "msg": "m"}]
    path = f"/sessions/{ids['session']}/jobs"
    assert [row["_id"] for row in api.ok("GET", f"{path}?states=pending&states=running&tags=t")["jobs"]] == [job]
    assert api.ok("GET", f"{path}?tags=other")["jobs"] == api.ok("GET", f"{path}?states=failed")["jobs"] == []
    own = api.ok("GET", "/users/self/jobs")
    assert (own["total"], own["stats"]["pending"]) == (1, 1)
    assert [row["_id"] for row in api.ok("GET", "/jobs?filter=state=pending")] == [job]
    assert api.ok("GET", "/jobs/stats")["by-state"]["pending"] == 1


@pytest.mark.parametrize(("place", "name"), [("sessions/{}/jobs", "_id"), ("users/self/jobs", "id")])
def test_pages_of_jobs(api: Api, gear: str, ids: dict[str, str], place: str, name: str) -> None:
    jobs = [api.ok("POST", "/jobs/add", job_body(gear, ids, label=label))["_id"] for label in "cab"]
    path = "/" + place.format(ids["session"])

    def found(query: str) -> list[str]:
        return [row[name] for row in api.ok("GET", f"{path}?{query}")["jobs"]]

    assert found("limit=2") == jobs[:2]
    assert found(f"limit=2&after_id={jobs[1]}") == jobs[2:]
    assert found(f"after_id={jobs[2]}") == []
    assert found("limit=1&skip=1") == found("limit=1&page=2") == [jobs[1]]
    assert found("sort=label:asc") == [jobs[1], jobs[2], jobs[0]]
    assert found("filter=label=b") == [jobs[2]]
    assert "combined" in api.refused(422, "GET", f"{path}?sort=label:asc&after_id={jobs[0]}")


def test_how_many_jobs_there_are(api: Api, gear: str, ids: dict[str, str]) -> None:
    jobs = [api.ok("POST", "/jobs/add", job_body(gear, ids))["_id"] for _ in range(3)]
    own = api.ok("GET", f"/users/self/jobs?limit=1&after_id={jobs[0]}")
    assert ([row["id"] for row in own["jobs"]], own["total"], own["stats"]["pending"]) == ([jobs[1]], 3, 3)
    pages = {"x-accept-feature": "pagination"}
    page = api.ok("GET", f"/sessions/{ids['session']}/jobs?limit=2", headers=pages)
    assert (page["count"], page["total"], [row["_id"] for row in page["results"]]) == (2, 3, jobs[:2])
    assert len(api.ok("GET", "/users/self/jobs", headers=pages)["jobs"]) == 3


def test_files_of_jobs_in_detail(api: Api, gear: str, ids: dict[str, str]) -> None:
    job = api.ok("POST", "/jobs/add", job_body(gear, ids))["_id"]
    entry = api.ok("GET", f"/jobs/{job}/detail")["inputs"]["in"]
    assert entry["ref"] == {"type": "acquisition", "id": ids["acquisition"], "name": "f.txt"}
    assert (entry["object"]["name"], entry["object"]["size"]) == ("f.txt", 1)
    api.ok("DELETE", f"/acquisitions/{ids['acquisition']}/files/f.txt")
    assert list(api.ok("GET", f"/jobs/{job}/detail")["inputs"]["in"]) == ["ref"]


@pytest.mark.parametrize("state", ["complete", "cancelled"])
def test_only_failed_jobs_are_tried_again(api: Api, gear: str, ids: dict[str, str], state: str) -> None:
    job = api.ok("POST", "/jobs/add", job_body(gear, ids))["_id"]
    api.ok("PUT", f"/jobs/{job}", {"state": state})
    assert state in api.refused(409, "POST", f"/jobs/{job}/retry")
    again = api.ok("POST", f"/jobs/{job}/retry?ignoreState=true")["_id"]
    assert api.ok("GET", f"/jobs/{again}")["previous_job_id"] == job


JOBS_THAT_ARE_NONE: list[Any] = [
    *({}, "x", ["x"], {"inputs": {}}, {"gear_id": 1}),
    *({"gear_id": "g", "inputs": {"in": {"name": "f.txt"}}}, {"gear_id": "g", "tags": "t"}),
]


@pytest.mark.parametrize("job", JOBS_THAT_ARE_NONE)
def test_analyses_with_jobs_that_are_none(api: Api, ids: dict[str, str], job: Any) -> None:
    for kind in ("project", "session", "acquisition"):
        path = f"/{kind}s/{ids[kind]}/analyses"
        assert api.refused(422, "POST", path, {"label": "x", "job": job})
        assert api.ok("GET", path) == []


def test_a_job_whose_input_is_a_container(api: Api, gear: str, ids: dict[str, str]) -> None:
    body = {"gear_id": gear, "inputs": {"matlab": {"type": "session", "id": ids["session"]}}}
    made = api.ok("POST", f"/sessions/{ids['session']}/analyses", {"label": "x", "job": body})["_id"]
    shown = api.ok("GET", f"/analyses/{made}?inflate_job=true")
    assert (shown["inputs"], shown["job"]["config"]["inputs"]["matlab"]["base"]) == ([], "context")
    assert api.ok("GET", f"/jobs/{shown['job']['id']}/detail")["inputs"] == {}


def test_states_of_jobs(api: Api, gear: str, ids: dict[str, str]) -> None:
    job = api.ok("POST", "/jobs/add", job_body(gear, ids))["_id"]
    api.refused(409, "POST", f"/jobs/{job}/retry")
    assert "No jobs" in api.refused(400, "GET", "/jobs/next?tags=none")
    assert api.ok("GET", "/jobs/next")["id"] == job
    assert api.ok("POST", f"/jobs/{job}/prepare-complete")["ticket"]
    assert api.ok("PUT", f"/jobs/{job}", {"state": "failed", "failure_reason": "f"}) == {"modified": 1}
    assert api.ok("GET", f"/jobs/{job}")["failure_reason"] == "f"
    api.refused(409, "PUT", f"/jobs/{job}", {"state": "running"})
    again = api.ok("POST", f"/jobs/{job}/retry")["_id"]
    shown = api.ok("GET", f"/jobs/{again}")
    assert (shown["attempt"], shown["previous_job_id"]) == (2, job)
    assert api.ok("GET", f"/jobs/{job}")["retried"]
    assert api.send("POST", f"/jobs/{again}/complete", {"success": True}).status_code == 204
    assert api.ok("GET", f"/jobs/{again}")["state"] == "complete"
    api.refused(404, "GET", "/jobs/unknown")


def test_jobs_that_cannot_be(api: Api, gear: str, ids: dict[str, str]) -> None:
    api.refused(404, "POST", "/jobs/add", job_body("unknown", ids))
    missing = {"in": {"type": "acquisition", "id": ids["acquisition"], "name": "missing"}}
    api.refused(404, "POST", "/jobs/add", job_body(gear, ids, inputs=missing))
    api.refused(422, "POST", "/jobs/add", {"gear_id": gear})


def test_jobs_that_go_on_by_themselves(make_api: Callable[..., Api]) -> None:
    api = make_api(job_polls=1)
    gear = api.ok("POST", "/gears/mygear", GEAR)["_id"]
    session = api.tree()["session"]
    body = {"gear_id": gear, "destination": {"type": "session", "id": session}}
    job = api.ok("POST", "/jobs/add", body)["_id"]
    states = [api.ok("GET", f"/jobs/{job}")["state"] for _ in range(5)]
    assert states == ["pending", "running", "running", "complete", "complete"]
    other = api.ok("POST", "/jobs/add", body)["_id"]
    api.state.settle()
    assert api.ok("GET", f"/jobs/{other}")["state"] == "complete"


def test_batches(api: Api, gear: str, ids: dict[str, str]) -> None:
    targets = [{"type": "session", "id": ids["session"]}, {"type": "acquisition", "id": ids["acquisition"]}]
    proposal = api.ok("POST", "/batch", {"gear_id": gear, "targets": targets, "config": {"a": 1}})
    assert proposal["matched"] == targets
    path = f"/batch/{proposal['_id']}"
    jobs = api.ok("POST", f"{path}/run")
    assert [job["config"]["config"] for job in jobs] == [{"a": 1}, {"a": 1}]
    api.refused(409, "POST", f"{path}/run")
    assert api.ok("GET", path)["jobs"] == [job["id"] for job in jobs]
    assert api.ok("GET", f"{path}?jobs=true")["jobs"][0]["id"] == jobs[0]["id"]
    assert len(api.ok("GET", "/batch")) == 1
    api.state.finish_job(jobs[0]["id"])
    assert api.ok("POST", f"{path}/cancel") == {"number_cancelled": 1}
    api.refused(404, "GET", "/batch/unknown")
    api.refused(404, "POST", "/batch", {"gear_id": "unknown", "targets": []})


def test_analyses(api: Api, gear: str, ids: dict[str, str]) -> None:
    path = f"/sessions/{ids['session']}/analyses"
    made = api.ok("POST", f"{path}?job=true", {"label": "Made", "job": job_body(gear, ids)})["_id"]
    plain = api.ok("POST", path, {"label": "Plain", "info": {"x": 1}})["_id"]
    shown = api.ok("GET", f"/analyses/{made}?inflate_job=true")
    assert (shown["job"]["state"], shown["job_id"]) == ("pending", shown["job"]["id"])
    assert shown["job"]["destination"] == {"type": "analysis", "id": made}
    assert [item["name"] for item in shown["inputs"]] == ["f.txt"]
    assert api.ok("GET", f"{path}/{made}")["job"] == shown["job_id"]
    assert [row["_id"] for row in api.ok("GET", path)] == [made, plain]
    assert api.ok("GET", f"{path}?filter=label=Plain&include_all_info=true")[0]["info"] == {"x": 1}
    assert len(api.ok("GET", "/analyses?inflate_job=true")) == 2
    for below in ("sessions", "all"):
        assert len(api.ok("GET", f"/projects/{ids['project']}/{below}/analyses")) == 2
    assert api.ok("GET", f"/projects/{ids['project']}/acquisitions/analyses") == []
    api.refused(404, "GET", f"/projects/{ids['project']}/nothing/analyses")
    api.ok("PUT", f"{path}/{plain}", {"label": "New", "description": "d"})
    assert api.ok("GET", f"{path}/{plain}")["label"] == "New"
    api.refused(404, "GET", f"/projects/{ids['project']}/analyses/{plain}")
    assert api.ok("DELETE", f"{path}/{plain}") == {"deleted": 1}
    api.refused(404, "GET", f"/analyses/{plain}")


def test_inputs_that_went_away(api: Api, gear: str, ids: dict[str, str]) -> None:
    body = {"label": "x", "job": job_body(gear, ids)}
    made = api.ok("POST", f"/projects/{ids['project']}/analyses", body)["_id"]
    api.ok("DELETE", f"/acquisitions/{ids['acquisition']}/files/f.txt")
    assert api.ok("GET", f"/analyses/{made}")["inputs"] == []
    api.ok("DELETE", f"/acquisitions/{ids['acquisition']}")
    assert api.ok("GET", f"/analyses/{made}")["inputs"] == []
    api.refused(404, "POST", f"/projects/{ids['project']}/analyses", body)
