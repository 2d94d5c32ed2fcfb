"""Gears, jobs and batches, point by point (BEHAVIOUR 4.8, 6.3, 8.5, 8.6)."""

from __future__ import annotations

import datetime as dt
import io
import threading
from collections.abc import Callable
from typing import Any

import pytest

from asyncclient.errors import ArgumentError, ArgumentTypeError, DeadlineExceeded
from asyncclient.flywheel import models
from tests.flywheel.conftest import Driver
from tests.flywheel.fake_service import FakeService, Received, Reply

MANIFEST: dict[str, Any] = {
    "name": "mygear",
    "label": "My gear",
    "description": "does much",
    "inputs": {"in1": {"base": "file", "description": "the image"}, "in2": {"base": "file", "optional": True}},
    "config": {
        "a": {"type": "integer", "default": 3, "description": "how many"},
        "b": {"type": "string"},
        "zero": {"default": 0},
        "off": {"default": False},
        "none": {"default": None},
        "list": {"default": ["x"]},
    },
}
UTILITY = {"_id": "gid", "gear": MANIFEST, "category": "utility"}
ANALYSIS = {**UTILITY, "category": "analysis"}
DEFAULTS = {"a": 3, "zero": 0, "off": False, "list": ["x"]}
SESSION = {"type": "session", "id": "ses1"}


def obj(drive: Driver, service: FakeService, method: str, answer: Any, *args: Any) -> Any:
    """Fetch one object and forget the request."""
    service.play(answer)
    found = drive(method, *(args or ("x",)))
    service.play()
    return found


# --- gears -----------------------------------------------------------------------------------------------------------


def test_gears_act_wherever_they_come_from(drive: Driver, service: FakeService) -> None:
    node = {**UTILITY, "container_type": "gear"}
    service.play(ANALYSIS, [UTILITY], [UTILITY], node, {"path": [node], "children": [node]})
    found = [drive("get_gear", "gid"), *drive("get_all_gears"), *drive.done(drive.client.gears.find(limit=1))]
    found.append(drive("lookup", ["gears", "mygear"]))
    path = drive("resolve", ["gears"])
    assert [gear.is_analysis_gear() for gear in found] == [True, False, False, False]
    for gear in [*found, path.path[0], path.children[0]]:
        service.play({"_id": "mygear"})
        drive.done(gear.get_series())
        assert service.lines == ["GET /gears/mygear/series"]
        assert gear.ref() == {"type": "gear", "id": "gid"}


def test_default_configuration(drive: Driver, service: FakeService) -> None:
    gear = obj(drive, service, "get_gear", UTILITY)
    assert gear.get_default_config() == DEFAULTS
    gear.create_invocation().config["list"].append("y")
    assert gear.get_default_config() == DEFAULTS, "a run changed the manifest"
    assert obj(drive, service, "get_gear", {"_id": "g", "gear": {"name": "n"}}).get_default_config() == {}


def test_what_a_run_sends_in_which_order(drive: Driver, service: FakeService) -> None:
    gear = obj(drive, service, "get_gear", UTILITY)
    service.play({"_id": "j1"}, {"_id": "j2"})
    file, other = ({"type": "acquisition", "id": "acq", "name": name} for name in ("f", "o"))
    assert drive.done(gear.run(in1=other, in2=other, inputs={"in1": file}, destination=SESSION)) == "j1"
    assert drive.done(gear.run()) == "j2"
    first, second = (got.json for got in service.received)
    assert list(first) == ["gear_id", "inputs", "destination", "tags", "priority", "config"]
    assert first["inputs"] == {"in1": file, "in2": other}, "what stands in inputs wins over keywords"
    rest = {"inputs": {}, "tags": [], "priority": "medium", "config": DEFAULTS}
    assert second == {"gear_id": "gid", **rest}, "without a destination none is named"


def test_a_run_put_together(drive: Driver, service: FakeService) -> None:
    gear = obj(drive, service, "get_gear", ANALYSIS)
    acquisition = obj(drive, service, "get_acquisition", {"_id": "acq", "files": [{"name": "f"}]})
    run = gear.create_invocation()
    run.update_config({"a": 4}, b="t").update_config(a=5)
    run.set_analysis_label("L").add_tag("t1").add_tags(["t2", "t3"]).set_priority("critical")
    run.set_input("in1", acquisition.files[0]).set_input("in2", models.FileVersion(file_id="fid", version=2))
    run.set_destination(models.ContainerReference(type="project", id="p"))
    service.play({"_id": "an"}, {"_id": "b"})
    assert drive.done(run.run()) == "an"
    drive.done(run.propose_batch([acquisition], optional_input_policy="required"))
    assert service.lines == ["POST /projects/p/analyses?job=true", "POST /batch"]
    started, proposed = (got.json for got in service.received)
    assert list(started) == ["label", "job"]
    assert started["job"] == {
        "gear_id": "gid",
        "inputs": {"in1": {"type": "acquisition", "id": "acq", "name": "f"}, "in2": {"file_id": "fid", "version": 2}},
        "tags": ["t1", "t2", "t3"],
        "priority": "critical",
        "config": {**DEFAULTS, "a": 5, "b": "t"},
    }
    assert proposed == {
        "gear_id": "gid",
        "targets": [{"type": "acquisition", "id": "acq"}],
        "priority": "critical",
        "config": {**DEFAULTS, "a": 5, "b": "t"},
        "tags": ["t1", "t2", "t3"],
        "analysis": {"label": "L"},
        "optional_input_policy": "required",
    }


@pytest.mark.parametrize("kind", ["project", "subject", "session", "acquisition", "container"])
@pytest.mark.parametrize("label", [None, ""])
def test_analyses_are_made_in_the_destination(drive: Driver, service: FakeService, kind: str, label: Any) -> None:
    gear = obj(drive, service, "get_gear", ANALYSIS)
    service.play({"_id": "an"})
    before = dt.datetime.now().replace(microsecond=0)
    assert drive.done(gear.run(destination={"type": kind, "id": "x"}, analysis_label=label)) == "an"
    assert service.lines == [f"POST /{kind}s/x/analyses?job=true"]
    name, _, when = service.received[0].json["label"].partition(" ")
    made = dt.datetime.strptime(when, "%Y-%m-%d %H:%M:%S")
    assert (name, before <= made <= dt.datetime.now()) == ("mygear", True)


def test_what_all_versions_of_a_gear_have_in_common(drive: Driver, service: FakeService) -> None:
    gear = obj(drive, service, "get_gear", UTILITY)
    for call in (
        gear.get_series,
        lambda: gear.modify_gear_series({"is_restricted": True}),
        lambda: gear.add_permission("users", {"id": "u"}),
        lambda: gear.replace_permissions({"users": ["u"], "projects": []}),
        lambda: gear.delete_permission("users", "u"),
        gear.delete_all_permissions,
    ):
        drive.done(call())
    assert service.lines == [
        "GET /gears/mygear/series",
        "PUT /gears/mygear/series",
        "PUT /gears/mygear/permissions/users",
        "PUT /gears/mygear/permissions",
        "DELETE /gears/mygear/permissions/users/u",
        "DELETE /gears/mygear/permissions",
    ]
    bodies = [got.json for got in service.received if got.method == "PUT"]
    assert bodies == [{"is_restricted": True}, {"id": "u"}, {"users": ["u"], "projects": []}]


def test_details_are_printed(drive: Driver, service: FakeService, capsys: pytest.CaptureFixture[str]) -> None:
    gear = obj(drive, service, "get_gear", UTILITY)
    gear.print_details(width=30)
    said = capsys.readouterr().out
    for part in ("My gear", "does much", "in1 (file) the image", "a (integer) how many"):
        assert part in said
    assert max(map(len, said.splitlines())) <= 30


# --- batches ---------------------------------------------------------------------------------------------------------


def test_batches_and_what_is_in_them_act(drive: Driver, service: FakeService) -> None:
    gear = obj(drive, service, "get_gear", ANALYSIS)
    lists = {"matched": [SESSION], "not_matched": [{"_id": "s2", "project": "p", "subject": {}}], "ambiguous": []}
    service.play({"_id": "b", "optional_input_policy": "ignored", **lists}, [{"id": "j", "state": "pending"}])
    proposal = drive.done(gear.propose_batch([SESSION]))
    assert service.received[0].json["analysis"]["label"].startswith("mygear 20")
    (job,) = drive.done(proposal.run())
    drive.done(job.change_state("cancelled"))
    drive.done(proposal.not_matched[0].add_tag("left out"))
    assert service.lines == ["POST /batch", "POST /batch/b/run", "PUT /jobs/j", "POST /sessions/s2/tags"]


def test_batches_are_cancelled(drive: Driver, service: FakeService) -> None:
    jobs = [{"id": "j", "state": "failed"}]
    service.play(
        {"_id": "b1", "gear_id": "g", "jobs": ["j"]},
        {"_id": "b2", "gear_id": "g", "jobs": jobs},
        {"_id": "b3", "jobs": jobs},
        [{"_id": "b4", "gear_id": "g"}],
    )
    found = [drive("get_batch", "b1"), *(drive("get_batch", name, jobs=True) for name in ("b2", "b3"))]
    found += drive("get_all_batches")
    for batch in found:
        service.play({"number_cancelled": 4})
        assert drive.done(batch.cancel()) == 4
        assert service.lines == [f"POST /batch/{batch.id}/cancel"]
    for batch in found[1:3]:
        service.play({"logs": [{"fd": 1, "msg": "m"}]})
        assert [line.msg for line in drive.done(batch.jobs[0].get_logs())] == ["m"]


def test_batches_of_ready_made_jobs(drive: Driver, service: FakeService) -> None:
    service.play({"_id": "b", "proposal": {}, "state": "pending"}, [{"id": "j"}])
    proposal = drive("create_batch_job_from_jobs", {"jobs": [{"gear_id": "g"}]})
    assert [job.id for job in drive.done(proposal.run())] == ["j"]
    assert service.lines == ["POST /batch/jobs", "POST /batch/b/run"]


# --- jobs ------------------------------------------------------------------------------------------------------------


def test_jobs_are_containers(drive: Driver, service: FakeService) -> None:
    when = "2020-01-02T03:04:05Z"
    service.play({"id": "j", "created": when}, [{"_id": "j", "created": when}], {"jobs": [{"id": "j"}], "total": 1})
    found = [drive("get_job", "j"), *drive("get_all_jobs"), *drive("get_current_user_jobs").jobs]
    assert [sorted({"id", "_id"} & set(job)) for job in found] == [["id"], ["_id"], ["id"]]
    for job in found:
        service.play(None, {"id": "j", "state": "failed"})
        drive.done(job.update(state="failed", failure_reason="f"))
        assert drive.done(job.reload()).state == "failed"
        assert service.lines == ["PUT /jobs/j", "GET /jobs/j"]
        assert service.received[0].json == {"state": "failed", "failure_reason": "f"}
        assert job.ref() == {"type": "job", "id": "j"}
    assert found[0].local_created == dt.datetime(2020, 1, 2, 3, 4, 5, tzinfo=dt.UTC)


def test_outputs_of_jobs_act(drive: Driver, service: FakeService) -> None:
    output = {"name": "o.txt", "file_id": "fid", "parent_ref": {"type": "analysis", "id": "an"}}
    job = obj(drive, service, "get_job", {"id": "j", "outputs": [output]})
    service.play(Reply(body=b"content"))
    assert drive.done(job.outputs[0].read()) == b"content"
    assert service.lines == ["GET /analyses/an/files/o.txt"]


class Out(io.StringIO):
    """Remembers which threads wrote."""

    def __init__(self) -> None:
        super().__init__()
        self.threads: set[int] = set()

    def write(self, text: str, /) -> int:
        self.threads.add(threading.get_ident())
        return super().write(text)


def test_logs(drive: Driver, service: FakeService, capsys: pytest.CaptureFixture[str]) -> None:
    job = obj(drive, service, "get_job", {"id": "j"})
    lines = [{"fd": 1, "msg": "a"}, {"fd": 2, "msg": "b\nc"}, {"fd": 1, "msg": None}]
    service.play(*[{"_id": "j", "logs": lines}] * 3, {"_id": "j", "logs": []}, {"_id": "j"})
    assert [(line.fd, line.msg) for line in drive.done(job.get_logs())][:2] == [(1, "a"), (2, "b\nc")]
    out = Out()
    drive.done(job.print_logs(out))
    drive.done(job.print_logs())
    assert out.getvalue() == capsys.readouterr().out == "ab\nc", "no line breaks are added"
    assert out.threads == {threading.get_ident()}
    assert [drive.done(job.get_logs()) for _ in range(2)] == [[], []]


def test_waiting_for_jobs(drive: Driver, service: FakeService) -> None:
    for state in ("complete", "failed", "cancelled"):
        service.play({"id": "j", "state": state})
        assert drive("wait_for_job", "j", timeout_s=None).state == state
        assert service.lines == ["GET /jobs/j"]
    service.play()
    with pytest.raises(ArgumentTypeError, match="timeout_s must be a number"):
        drive("wait_for_job", "j", timeout_s="10")
    assert not service.received
    gate = threading.Event()

    def late(request: Received) -> Reply:
        gate.wait(5)
        return Reply({"id": "j", "state": "running"})

    service.play(rule=late)
    slow = drive.client.with_options(timeout=0.05)
    with pytest.raises(DeadlineExceeded, match="get_job"):  # of the one call: nobody bounded the waiting
        drive.done(slow.wait_for_job("j"))
    gate.set()


# --- what is refused -------------------------------------------------------------------------------------------------

BAD: list[tuple[dict[str, Any], type[Exception], str]] = [
    ({"config": ["a"]}, ArgumentTypeError, "config must be a mapping, not list"),
    ({"config": "a=1"}, ArgumentTypeError, "config must be a mapping, not str"),
    ({"tags": "t"}, ArgumentTypeError, "tags must be a list of texts, not str"),
    ({"tags": 5}, ArgumentTypeError, "tags must be a list of texts, not int"),
    ({"tags": [5]}, ArgumentTypeError, "tags must be text, not int"),
    ({"priority": 1}, ArgumentTypeError, "priority must be text, not int"),
    ({"analysis_label": 5, "destination": SESSION}, ArgumentTypeError, "analysis_label must be text"),
    ({"inputs": [SESSION]}, ArgumentTypeError, "inputs must be a mapping"),
    ({"in1": None}, ArgumentTypeError, "in1 must be a file, a container or a mapping .*, not NoneType"),
    ({"in1": "f.dcm"}, ArgumentTypeError, "in1 must be a file, .*, not str"),
    ({"in1": {"id": "x"}}, ArgumentError, "in1 must have type and id, and type is None"),
    ({"in1": {"type": "session", "_id": "x"}}, ArgumentError, "and id is None"),
    ({"in1": models.SessionOutput()}, ArgumentError, "and id is None"),
    ({"inn1": SESSION}, ArgumentTypeError, "'mygear' has no input 'inn1'; did you mean 'in1'"),
    ({"destinaton": SESSION}, ArgumentTypeError, "no input 'destinaton'; did you mean 'destination'"),
    ({"mask": SESSION}, ArgumentTypeError, "no input 'mask'; it has in1, in2"),
    ({"destination": "ses1"}, ArgumentTypeError, "destination must be .*, not str"),
    ({"destination": {"id": "x"}}, ArgumentError, "destination must have type and id"),
    ({"destination": {"file_id": "x"}}, ArgumentError, "destination must be a container"),
    ({"destination": {"type": "group", "id": "x"}}, ArgumentError, "a group has no analyses"),
    ({}, ArgumentError, "must have a destination"),
]


@pytest.mark.parametrize(("given", "error", "message"), BAD)
def test_runs_that_are_refused(
    drive: Driver, service: FakeService, given: dict[str, Any], error: type[Exception], message: str
) -> None:
    gear = obj(drive, service, "get_gear", ANALYSIS)
    with pytest.raises(error, match=message):
        gear.run(**given)
    assert not service.received


@pytest.mark.parametrize("containers", ["ses1", SESSION, models.SessionOutput(id="s"), 5, None])
def test_batches_of_what_is_no_list(drive: Driver, service: FakeService, containers: Any) -> None:
    gear = obj(drive, service, "get_gear", UTILITY)
    with pytest.raises(ArgumentTypeError, match="containers must be a list of containers"):
        gear.propose_batch(containers)
    with pytest.raises(ArgumentError, match="only analysis gears"):
        gear.run(analysis_label="L")
    with pytest.raises(ArgumentError, match="came from no client"):
        models.GearDocument(id="g").run()
    assert not service.received


def test_places_to_write_to_that_are_none(drive: Driver, service: FakeService) -> None:
    gear = obj(drive, service, "get_gear", UTILITY)
    job = obj(drive, service, "get_job", {"id": "j"})
    calls: list[Callable[[], Any]] = [lambda: gear.print_details(file="path"), lambda: job.print_logs("path")]
    for call in calls:
        with pytest.raises(ArgumentTypeError, match="file must be open for writing, not str"):
            call()
    with pytest.raises(ArgumentError, match="width must be a number of letters, not 0"):
        gear.print_details(width=0)
    assert not service.received


def test_gears_without_a_manifest(drive: Driver, service: FakeService, capsys: pytest.CaptureFixture[str]) -> None:
    gear = obj(drive, service, "get_gear", {"_id": "gid", "category": "analysis"})
    for call in (gear.get_series, lambda: gear.run(destination=SESSION)):
        with pytest.raises(ArgumentError, match="name of the gear gid is not known"):
            call()
    gear.print_details()
    assert capsys.readouterr().out.startswith("gid\n")
    service.play({"_id": "an"})
    assert drive.done(gear.run(destination=SESSION, analysis_label="L", anything=SESSION)) == "an"
