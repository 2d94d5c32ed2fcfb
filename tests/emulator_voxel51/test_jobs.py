"""Jobs: from request to output, by looks and by the clock."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from typing import Any

import pytest

from asyncclient.testing.voxel51.jobs import stage_of
from tests.emulator_voxel51.conftest import Api, Json, job_form

STATES = ["QUEUED", "SCHEDULED", "RUNNING", "COMPLETE"]


def private_analytic(api: Api, **info: Any) -> Json:
    doc = {"info": {"name": "mine", "version": "1", "description": "d", **info}}
    made: Json = api.ok("POST", "/analytics", files={"file": ("a.json", json.dumps(doc))})["analytic"]
    return made


def test_from_upload_to_output(api: Api) -> None:
    data = api.upload(b"video")
    job = api.job(data_id=data["id"], parameters={"fps": 2, "mask": {"data-id": data["id"]}})
    assert (job["state"], job["auto_start"], job["archived"], job["expired"]) == ("READY", False, False, False)
    assert api.states(job["id"], 2) == ["READY", "READY"]
    assert api.refused(400, "GET", f"/jobs/{job['id']}/output") == "The job is not complete"
    api.ok("PUT", f"/jobs/{job['id']}/start")
    assert api.states(job["id"], 5) == [*STATES, "COMPLETE"]
    details = api.ok("GET", f"/jobs/{job['id']}")["job"]
    assert details["completion_date"] >= details["start_date"] >= details["upload_date"]
    assert (details["failure_type"], details["fail_date"]) == (None, None)
    response = api.send("GET", f"/jobs/{job['id']}/output")
    video = {"data-id": data["id"], "name": "clip.mp4", "size": 5, "md5": hashlib.md5(b"video").hexdigest()}
    assert response.json() == {
        "analytic": "voxel51/vehicle-sense",
        "version": "0.10",
        "inputs": {"mask": video, "video": video},
        "parameters": {"fps": 2, "mask": {"data-id": data["id"]}},
    }
    part = api.send("GET", f"/jobs/{job['id']}/output", headers={"Range": "bytes=0-0"})
    assert (part.status_code, part.content) == (206, b"{")
    url = api.ok("GET", f"/jobs/{job['id']}/output-url")["url"]
    assert api.plain.get(url).content == response.content
    status = api.ok("GET", f"/jobs/{job['id']}/status")
    assert (status["state"], status["failure_type"], status["inputs"]["video"]) == ("COMPLETE", "NONE", video)
    assert [line["message"] for line in status["messages"]] == [
        *("Job queued", "Job scheduled", "Job running", "Job complete")
    ]


def test_every_answer_that_shows_the_state_is_a_look(api: Api) -> None:
    job = api.job(auto_start="true")
    assert job["state"] == "QUEUED"
    seen = [
        api.ok("GET", "/jobs/list")["jobs"][0]["state"],
        api.ok("GET", "/jobs", json={"fields": "state"})["jobs"][0]["state"],
        api.ok("GET", f"/jobs/{job['id']}/status")["state"],
        api.batch("jobs", "details", job["id"])[job["id"]]["response"]["state"],
    ]
    assert seen == STATES


@pytest.mark.parametrize(("polls", "states"), [(0, ["COMPLETE"]), (1, ["QUEUED", "COMPLETE"]), (4, ["QUEUED"] * 2)])
def test_number_of_looks(make_api: Callable[..., Api], polls: int, states: list[str]) -> None:
    api = make_api(pending_polls=polls)
    assert api.states(api.job(auto_start="True")["id"], len(states)) == states


def test_stages_are_passed_in_order() -> None:
    for whole in range(1, 50):
        stages = [stage_of(done, whole) for done in range(whole + 1)]
        assert stages == sorted(stages)
        assert (stages[0], stages[-1]) == (0, 3)


def test_by_the_clock(make_api: Callable[..., Api]) -> None:
    api = make_api(job_seconds=30_000)
    job = api.job(auto_start="True")
    seen = []
    for _ in range(4):
        seen += api.states(job["id"], 2)
        api.state.advance(seconds=10_000)
    assert seen == [state for state in STATES for _ in range(2)]
    details = api.ok("GET", f"/jobs/{job['id']}")["job"]
    assert details["completion_date"] > details["start_date"]


def test_all_over_at_once(api: Api) -> None:
    started, waiting = api.job(auto_start="True"), api.job()
    api.state.settle()
    assert api.states(started["id"], 1) + api.states(waiting["id"], 1) == ["COMPLETE", "READY"]


def test_failing(api: Api) -> None:
    api.state.fail_jobs("PLATFORM")
    failing, other = api.job(auto_start="True"), api.job(auto_start="True")
    api.state.settle()
    details = api.ok("GET", f"/jobs/{failing['id']}")["job"]
    assert (details["state"], details["failure_type"], details["completion_date"]) == ("FAILED", "PLATFORM", None)
    assert details["fail_date"] is not None
    assert api.states(other["id"], 1) == ["COMPLETE"]
    assert api.refused(400, "GET", f"/jobs/{failing['id']}/output-url") == "The job is not complete"


def test_what_can_be_done_when(api: Api) -> None:
    job = api.job()
    path = f"/jobs/{job['id']}"
    assert "Only queued" in api.refused(400, "PUT", f"{path}/kill")
    assert "not archived" in api.refused(400, "PUT", f"{path}/unarchive")
    api.ok("PUT", f"{path}/archive")
    assert "archived already" in api.refused(400, "PUT", f"{path}/archive")
    assert "is archived" in api.refused(400, "PUT", f"{path}/start")
    assert api.ok("GET", "/jobs/list")["jobs"] == []
    api.ok("PUT", f"{path}/unarchive")
    api.ok("PUT", f"{path}/start")
    assert "started already" in api.refused(400, "PUT", f"{path}/start")
    assert "never started" in api.refused(400, "DELETE", path)
    api.ok("PUT", f"{path}/kill")
    details = api.ok("GET", path)["job"]
    assert (details["state"], details["failure_type"]) == ("FAILED", "USER")
    other = api.job()
    api.ok("DELETE", f"/jobs/{other['id']}")
    assert api.refused(404, "GET", f"/jobs/{other['id']}") == "Job not found"


def test_batches(api: Api) -> None:
    one, two = api.job(), api.job()
    both = (one["id"], two["id"])
    done = {job_id: {"success": True} for job_id in both}
    assert api.batch("jobs", "ttl", *both, expiration_date="2100-01-01") == done
    assert api.batch("jobs", "archive", *both) == done
    assert api.batch("jobs", "unarchive", *both) == done
    assert api.batch("jobs", "start", one["id"]) == {one["id"]: {"success": True}}
    answers = api.batch("jobs", "start", *both)
    assert answers[one["id"]]["error"] == {"code": 400, "message": "The job was started already"}
    assert answers[two["id"]] == {"success": True}
    assert api.batch("jobs", "kill", *both) == done
    assert not any(answer["success"] for answer in api.batch("jobs", "delete", *both, "x").values())


def test_output_runs_out(api: Api) -> None:
    job = api.job(auto_start="True")
    api.state.settle()
    url = api.ok("GET", f"/jobs/{job['id']}/output-url")["url"]
    api.state.options.url_seconds = 1e9
    lasting = api.ok("GET", f"/jobs/{job['id']}/output-url")["url"]
    api.state.advance(days=4)
    assert api.refused(404, "GET", f"/jobs/{job['id']}/output") == "The output is expired"
    assert api.plain.get(url).status_code == 403
    assert api.plain.get(lasting).status_code == 404
    assert api.ok("GET", f"/jobs/{job['id']}")["job"]["expired"] is True
    assert "expired" in api.refused(400, "PUT", f"/jobs/{job['id']}/ttl", data={"days": "5"})
    api.ok("PUT", f"/jobs/{job['id']}/archive")
    assert "expired" in api.refused(400, "PUT", f"/jobs/{job['id']}/unarchive")


def test_ttl(api: Api) -> None:
    job = api.ok("POST", "/jobs", files=_form(api, job_ttl="2100-01-01"))["job"]
    assert job["expiration_date"] == "2100-01-01T00:00:00.000Z"
    api.ok("PUT", f"/jobs/{job['id']}/ttl", data={"days": "-1"})
    assert api.ok("GET", f"/jobs/{job['id']}")["job"]["expiration_date"] == "2099-12-31T00:00:00.000Z"


def _form(api: Api, **more: str) -> list[tuple[str, Any]]:
    data_id = api.upload()["id"]
    request = {"analytic": "voxel51/vehicle-sense", "inputs": {"video": {"data-id": data_id}}, "parameters": {}}
    return job_form(request, **more)


def test_the_request_comes_back(api: Api) -> None:
    job = api.job(version="0.9", parameters={"name": "ü", "list": [1, None, {"x": True}]})
    request = api.ok("GET", f"/jobs/{job['id']}/request")
    assert (request["version"], request["parameters"]) == ("0.9", {"name": "ü", "list": [1, None, {"x": True}]})


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"analytic": "nothing"}, "there is no such analytic"),
        ({"version": "7"}, "there is no such analytic"),
        ({"inputs": {}}, "an input is missing"),
        ({"inputs": {"audio": {"data-id": "x"}}}, "the analytic has no such input"),
        ({"inputs": {"video": {"data-id": "x"}}}, "there is no such data"),
        ({"parameters": {"mask": {"data-id": "x"}}}, "there is no such data"),
        ({"version": "0.9", "compute_mode": "GPU"}, "does not support the compute mode"),
        ({"compute_mode": "TPU"}, "compute_mode: is not one of CPU, GPU, BEST"),
        ({"inputs": {"video": "x"}}, "body.file.inputs.video: is not of type object"),
        ({"inputs": {"video": {"data-id": "x", "more": 1}}}, "'more' is not known"),
    ],
)
def test_wrong_requests(api: Api, change: Json, said: str) -> None:
    data_id = api.upload()["id"]
    request = {"analytic": "voxel51/vehicle-sense", "inputs": {"video": {"data-id": data_id}}, "parameters": {}}
    assert said in api.refused(400, "POST", "/jobs", files=job_form({**request, **change}))
    assert api.ok("GET", "/jobs/list")["jobs"] == []


@pytest.mark.parametrize("text", [b"", b"{", b'{"analytic": "a", "inputs": {}, "parameters": {"x": NaN}}', b"\xff"])
def test_requests_that_are_not_json(api: Api, text: bytes) -> None:
    assert api.refused(400, "POST", "/jobs", files=job_form(text)) == "file: is not JSON"


def test_missing_parts(api: Api) -> None:
    form = [part for part in _form(api) if part[0] != "auto_start"]
    assert api.refused(400, "POST", "/jobs", files=form) == "body: 'auto_start' is missing"


def test_logs_are_for_private_analytics(api: Api) -> None:
    public = api.job(auto_start="True")
    assert api.refused(404, "GET", f"/jobs/{public['id']}/log") == "Logfile not found"
    private_analytic(api)
    job = api.job(analytic="mine", inputs={})
    assert api.refused(404, "GET", f"/jobs/{job['id']}/log-url") == "Logfile not found"
    api.ok("PUT", f"/jobs/{job['id']}/start")
    api.state.settle()
    log = api.send("GET", f"/jobs/{job['id']}/log").text
    assert [line[20:] for line in log.splitlines()] == ["Job queued", "Job complete"]
    assert api.plain.get(api.ok("GET", f"/jobs/{job['id']}/log-url")["url"]).text == log


def test_given_outputs(api: Api) -> None:
    job = api.job(auto_start="True")
    api.state.give_output(job["id"], b"early", "../x.zip")
    api.state.settle()
    assert api.ok("GET", f"/jobs/{job['id']}")["job"]["output_filename"] == "../x.zip"
    response = api.send("GET", f"/jobs/{job['id']}/output")
    assert (response.content, response.headers["content-type"]) == (b"early", "application/octet-stream")
    api.state.give_output(job["id"], b"late")
    assert api.send("GET", f"/jobs/{job['id']}/output").content == b"late"


@pytest.mark.parametrize("length", [10, 1_000_000])
def test_outputs_of_a_length(make_api: Callable[..., Api], length: int) -> None:
    api = make_api(output_bytes=length, pending_polls=0)
    job = api.job(auto_start="True")
    assert api.states(job["id"], 1) == ["COMPLETE"]
    assert len(api.send("GET", f"/jobs/{job['id']}/output").content) == length


def test_somebody_elses(api: Api) -> None:
    job = api.job()
    api.state.add_user("other-key", "user2")
    other = {"Authorization": "Bearer other-key"}
    assert api.ok("GET", "/jobs/list", headers=other) == {"jobs": []}
    assert api.refused(404, "PUT", f"/jobs/{job['id']}/start", headers=other) == "Job not found"
