"""Objects act through the client they were asked of, whichever way they came."""

from __future__ import annotations

from typing import Any

import pytest

from asyncclient import flywheel
from tests.flywheel.conftest import Driver
from tests.flywheel.fake_service import FakeService, Received, Reply


def test_objects_that_are_iterated_over_act(drive: Driver, service: FakeService) -> None:
    service.play([{"_id": "a"}, {"_id": "b"}], [])
    jobs = drive.listed(drive.client.iterate("get_all_jobs", limit=2))
    service.play([{"_id": "p", "files": [{"file_id": "f", "name": "n"}]}], [], {"jobs": [{"_id": "c"}]}, {"jobs": []})
    (project,) = drive.listed(drive.client.iterate("get_all_projects"))
    jobs += drive.listed(drive.client.iterate("get_session_jobs", session_id="s"))
    service.play()
    for job in jobs:
        drive.done(job.change_state("cancelled"))
    drive.done(project.add_tag("t"))
    drive.done(project.files[0].add_tag("t"))
    assert service.lines == [
        *(f"PUT /jobs/{job_id}" for job_id in "abc"),
        "POST /projects/p/tags",
        "PATCH /files/f/tags",
    ]


def one_job_a_page(request: Received) -> Reply:
    if request.method == "PUT":
        return Reply(None)
    return Reply([] if "after_id=b" in request.target else [{"_id": "b" if "after_id=a" in request.target else "a"}])


def test_objects_that_are_iterated_over_act_while_that_goes_on(service: FakeService) -> None:
    with flywheel.Client(service.key, disable_auth_check=True) as client:
        service.play(rule=one_job_a_page)
        for job in client.iterate("get_all_jobs", limit=1):
            job.change_state("cancelled")
        assert [line for line in service.lines if line.startswith("PUT")] == ["PUT /jobs/a", "PUT /jobs/b"]
        service.play([{"_id": "a"}, {"_id": "b"}])
        items: Any = client.iterate("get_all_jobs")
        assert next(items).id == "a"
        items.close()
        assert list(items) == []
        assert len(service.lines) == 1
        with pytest.raises(ValueError, match="no operation"):
            list(client.iterate("get_nothing"))
        service.play(Reply(body=b"content"))
        assert b"".join(client.stream_file("c", "f")) == b"content"


@pytest.mark.parametrize("operation", ["get_analysis", "get_session_analysis", "get_all_analyses"])
def test_jobs_of_analyses_act(drive: Driver, service: FakeService, operation: str) -> None:
    answer: Any = {"_id": "a", "job": {"id": "j", "_id": "j", "state": "complete"}}
    service.play([answer] if operation == "get_all_analyses" else answer, {"_id": "b", "job": "an id"})
    args = {"get_analysis": ("a",), "get_session_analysis": ("s", "a")}.get(operation, ())
    found = drive(operation, *args, inflate_job=True)
    (analysis,) = found if isinstance(found, list) else [found]
    assert drive("get_analysis", "b", inflate_job=False).job == "an id"
    service.play({"logs": [{"fd": 1, "msg": "m"}]})
    (line,) = drive.done(analysis.job.get_logs())
    assert (line.msg, service.lines) == ("m", ["GET /jobs/j/logs"])
