"""Gears, jobs, batches, analyses and rules at work: against the emulator; pages and inputs of jobs, from a script."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import pytest

from asyncclient import flywheel
from asyncclient.flywheel import models
from tests.flywheel.conftest import Driver
from tests.flywheel.fake_service import FakeService
from tests.flywheel.sites import Site, Sites

MANIFEST: dict[str, Any] = {
    "name": "mygear",
    "label": "My gear",
    "description": "does",
    "version": "1.0",
    "author": "a",
    "license": "MIT",
    "source": "s",
    "url": "u",
    "inputs": {"in": {"base": "file"}, "matlab": {"base": "context"}},
    "config": {"a": {"type": "integer", "default": 3}, "b": {"type": "string"}},
}
EXCHANGE = {"git-commit": "x", "rootfs-hash": "x", "rootfs-url": "x"}


def gear_of(site: Site, category: str) -> Any:
    """Publish a gear, and fetch it."""
    made = site.drive("add_gear", "mygear", {"gear": MANIFEST, "category": category, "exchange": EXCHANGE})
    return site.drive("get_gear", made)


def run(site: Site, gear: Any, **more: Any) -> str:
    """Run a gear on a file of the acquisition."""
    site.put("f.txt", b"content")
    found: str = site.drive.done(gear.run(inputs={"in": site.record("f.txt")}, **more))
    return found


def test_a_utility_gear(sites: Sites, tmp_path: Path) -> None:
    site = sites()
    gear = gear_of(site, "utility")
    done = site.drive.done
    job = site.drive("get_job", run(site, gear, config={"b": "x"}, tags=["t"], priority="high"))
    assert (job.state, job.priority, job.tags, job.config.config) == ("pending", "high", ["t"], {"a": 3, "b": "x"})
    assert job.destination.id == site.acquisition.id, "without a destination the outputs go where the input lies"
    done(job.update_priority("low"))
    site.drive("add_job_logs", job.id, [{"fd": 1, "msg": "begun\n"}, {"fd": 2, "msg": "done"}])
    out = io.StringIO()
    done(job.print_logs(out))
    assert out.getvalue() == "begun\ndone"
    config = site.drive("get_job_config", job.id)
    assert config.inputs["in"].location.path == "/flywheel/v0/input/f.txt"
    done(job.change_state("failed"))
    again = site.drive("get_job", site.drive("retry_job", job.id))
    assert (again.attempt, again.previous_job_id, again.priority) == (2, job.id, "low")
    assert done(job.reload()).retried is not None
    with pytest.raises(flywheel.ApiException) as caught:
        done(job.change_state("running"))
    assert caught.value.status == 409
    assert [found.id for found in done(site.drive.client.jobs.find("state=pending"))] == [again.id]

    # What the service tells an engine is what the gear finds in its folder.
    whole = config.to_wire() | {"destination": {"type": "acquisition", "id": site.acquisition.id}}
    (tmp_path / "config.json").write_text(json.dumps(whole), "utf-8")
    with pytest.warns(DeprecationWarning, match="GearContext"):
        context = flywheel.GearContext(tmp_path)
    assert (context.config, context.get_input_path("in")) == ({"a": 3, "b": "x"}, "/flywheel/v0/input/f.txt")


def test_an_engine(sites: Sites) -> None:
    site = sites()
    gear = gear_of(site, "utility")
    for success, prefix in ((True, ""), (False, "engine_")):
        made = run(site, gear, tags=["mine"])
        with pytest.raises(flywheel.ApiException, match="No jobs"):
            site.drive("get_next_job", tags=["others"])
        job = site.drive("get_next_job", tags=["mine"])
        assert (job.id, job.state) == (made, "running")
        ticket = site.drive(f"{prefix}prepare_complete_job", made).ticket
        site.drive(f"{prefix}complete_job", made, {"success": success}, job_ticket_id=ticket)
        assert site.drive.done(job.reload()).state == ("complete" if success else "failed")
    stats = site.drive("get_jobs_stats")["by-state"]
    assert (stats["complete"], stats["failed"]) == (1, 1)


def test_versions_of_a_gear(sites: Sites) -> None:
    site = sites()
    gear_of(site, "utility")
    newer = {"gear": {**MANIFEST, "version": "2.0"}, "category": "analysis", "exchange": EXCHANGE}
    ticket = site.drive("prepare_add_gear", newer).ticket
    assert site.drive("get_my_gear_tickets") == [ticket]
    assert site.drive("get_gear_ticket", ticket).geardoc.gear.version == "2.0"
    gear = site.drive("save_gear", {"ticket": ticket, "repo": "r", "pointer": "p"})
    assert (gear.gear.version, gear.is_analysis_gear()) == ("2.0", True)
    versions = site.drive("get_all_gears", all_versions=True)
    assert [found.gear.version for found in versions] == ["1.0", "2.0"]
    assert [found.id for found in site.drive.listed(site.drive.client.gears.iter())] == [gear.id]
    assert site.drive("delete_gear", gear.id) is None
    assert [found.gear.version for found in site.drive.done(site.drive.client.gears.find())] == ["1.0"]


def test_waiting(sites: Sites) -> None:
    site = sites(job_polls=0)
    job = site.drive("get_job", run(site, gear_of(site, "utility")))
    assert site.drive.done(job.wait(timeout_s=30)).state == "complete"


def test_an_analysis_gear(sites: Sites) -> None:
    site = sites()
    gear = gear_of(site, "analysis")
    session = site.drive("get_session", site.acquisition.session)
    made = run(site, gear, destination=session, analysis_label="Made", config={"b": "x"})
    analysis = site.drive("get_analysis", made)
    assert (analysis.label, analysis.parent.id, analysis.job.state) == ("Made", session.id, "pending")
    assert analysis.job.destination.to_wire() == {"type": "analysis", "id": made}
    assert [file.name for file in analysis.inputs] == ["f.txt"]
    assert site.drive("get_session_analysis", session.id, made).job == analysis.job.id
    (listed,) = site.drive("get_session_analyses", session.id, inflate_job=True)
    assert (listed.job.id, listed.job.state) == (analysis.job.id, "pending")
    site.drive.done(analysis.upload_output(flywheel.FileSpec("out.txt", b"result")))
    assert site.drive.done(site.drive.done(analysis.reload()).files[0].read()) == b"result"
    assert site.drive("download_input_from_analysis_as_data", made, "f.txt") == b"content"
    plain = site.drive.done(session.add_analysis(label="Plain", inputs=[site.record("f.txt").ref()]))
    assert (plain.label, plain.job, [file.name for file in plain.inputs]) == ("Plain", None, ["f.txt"])
    below = site.drive("get_analyses", "projects", site.project.id, "sessions")
    assert [found.id for found in below] == [made, plain.id]
    without = site.drive.done(gear.run(destination=session))
    assert site.drive("get_analysis", without).label.startswith("mygear 20")


def test_a_batch(sites: Sites) -> None:
    site = sites()
    gear = gear_of(site, "utility")
    session = site.drive("get_session", site.acquisition.session)
    proposal = site.drive.done(gear.propose_batch([session, site.acquisition], config={"b": "x"}, tags=["t"]))
    matched = [{"type": "session", "id": session.id}, {"type": "acquisition", "id": site.acquisition.id}]
    assert [found.to_wire() for found in proposal.matched] == matched
    jobs = site.drive.done(proposal.run())
    assert [(job.state, job.tags, job.config.config) for job in jobs] == [("pending", ["t"], {"a": 3, "b": "x"})] * 2
    site.drive.done(jobs[0].change_state("running"))
    (batch,) = site.drive("get_all_batches")
    assert site.drive.done(batch.cancel()) == 1, "only those that wait are cancelled"
    inflated = site.drive("get_batch", batch.id, jobs=True)
    assert [site.drive.done(job.reload()).state for job in inflated.jobs] == ["running", "cancelled"]
    with pytest.raises(flywheel.ApiException) as caught:
        site.drive.done(proposal.run())
    assert caught.value.status == 409


def test_what_a_gear_takes(sites: Sites) -> None:
    site = sites()
    gear = gear_of(site, "utility")
    found = site.drive("get_gear", gear.id).gear
    assert {name: type(value).__name__ for name, value in found.inputs.items()} == {
        "in": "GearFileInput",
        "matlab": "GearContextInput",
    }
    form = site.drive("get_gear_invocation", gear.id)
    assert form["properties"]["config"]["required"] == ["b"]
    context = site.drive("get_gear_context", gear.id, "projects", site.project.id)
    assert context["matlab"].found is False
    site.drive.done(site.project.update_info({"context": {"matlab": "license"}}))
    context = site.drive("get_gear_context", gear.id, "acquisitions", site.acquisition.id)
    assert (context["matlab"].found, context["matlab"].value) == (True, "license")


def test_who_may_use_a_gear(sites: Sites) -> None:
    site = sites()
    gear, done = gear_of(site, "utility"), site.drive.done
    assert done(gear.modify_gear_series(models.GearSeriesUpdate(is_restricted=True))).is_restricted
    assert done(gear.add_permission("users", {"id": "u"})).permissions.users == ["u"]
    assert done(gear.replace_permissions({"projects": ["p"]})).permissions.projects == ["p"]
    done(gear.delete_permission("projects", "p"))
    with pytest.raises(flywheel.ApiException) as caught:
        done(gear.delete_permission("projects", "p"))
    assert caught.value.status == 404
    done(gear.delete_all_permissions())
    series = done(gear.get_series())
    assert (series.name, series.permissions.users, series.permissions.projects) == ("mygear", [], [])


@pytest.mark.parametrize("place", ["project", "site"])
def test_rules(sites: Sites, place: str) -> None:
    site = sites()
    gear = gear_of(site, "utility")
    condition = models.GearRuleCondition(type="file.type", value="text")
    rule = models.GearRuleInput(gear_id=gear.id, name="all texts", all=[condition], any=[], not_=[condition])
    owner = [site.project.id] if place == "project" else []
    made = site.drive(f"add_{place}_rule", *owner, rule)
    assert (made.name, made.revision, made.all[0].value) == ("all texts", 1, "text")
    assert made["not"][0].type == made.not_[0].type == "file.type"
    assert [found.id for found in site.drive(f"get_{place}_rules", *owner)] == [made.id]
    site.drive(f"modify_{place}_rule", *owner, made.id, models.GearRuleModifyInput(disabled=True))
    shown = site.drive(f"get_{place}_rule", *owner, made.id)
    assert (shown.disabled, shown.name, shown.auto_update) == (True, "all texts", False)
    assert site.drive(f"remove_{place}_rule", *owner, made.id) is None
    assert site.drive(f"get_{place}_rules", *owner) == []


def test_members_of_rules_by_their_official_names(sites: Sites) -> None:
    site = sites()
    condition = models.GearRuleCondition(type="file.type", value="text")
    given: dict[str, Any] = {"_not": [condition]}
    rule = models.GearRuleInput(gear_id=gear_of(site, "utility").id, name="no texts", all=[], any=[], **given)
    made = site.drive("add_project_rule", site.project.id, rule)
    assert made._not == made.not_ == [condition]
    changed: Any = models.GearRuleModifyInput.model_validate({"_not": []})
    site.drive("modify_project_rule", site.project.id, made.id, changed)
    assert site.drive("get_project_rule", site.project.id, made.id)._not == []


def test_jobs_of_a_session(sites: Sites) -> None:
    site = sites()
    gear = gear_of(site, "utility")
    job = run(site, gear, tags=["t"])
    session = site.acquisition.session
    for options, count in (({}, 1), ({"states": ["pending"], "tags": ["t"]}, 1), ({"tags": ["other"]}, 0)):
        found = site.drive("get_session_jobs", session, **options).jobs
        assert [each.id for each in found] == [job] * count
    own = site.drive("get_current_user_jobs")
    assert (own.total, own.stats.pending, own.jobs[0].id) == (1, 1, job)
    site.drive.done(own.jobs[0].change_state("cancelled"))
    assert site.drive("get_job", job).state == "cancelled"
    later = run(site, gear)
    assert [found.id for found in site.drive.listed(site.drive.client.jobs.iter(limit=1))] == [job, later]


@pytest.mark.parametrize(
    ("operation", "arguments", "path", "name"),
    [
        ("get_all_jobs", {}, "/jobs", "_id"),
        ("get_session_jobs", {"session_id": "s"}, "/sessions/s/jobs", "_id"),
        ("get_current_user_jobs", {}, "/users/self/jobs", "id"),
    ],
)
def test_pages_of_jobs(
    drive: Driver, service: FakeService, operation: str, arguments: dict[str, str], path: str, name: str
) -> None:
    pages: list[Any] = [[{name: "j1"}, {name: "j2"}], [{name: "j3"}], []]
    service.play(*(page if operation == "get_all_jobs" else {"jobs": page} for page in pages))
    found = drive.listed(drive.client.iterate(operation, limit=2, **arguments))
    assert [job.id for job in found] == ["j1", "j2", "j3"]
    assert service.lines == [f"GET {path}?limit=2{after}" for after in ("", "&after_id=j2", "&after_id=j3")]


def test_inputs_are_read_by_their_base(drive: Driver, service: FakeService) -> None:
    inputs = {
        "k": {"base": "api-key", "key": "S"},
        "c": {"base": "context", "found": True, "value": {"a": 1}},
        "f": {"base": "file", "location": {"path": "/p", "name": "n"}, "hierarchy": {"type": "session", "id": "ses1"}},
    }
    config = {"config": {"inputs": inputs}}
    service.play({"id": "j", **config}, [{"_id": "j", **config}], {"jobs": [{"id": "j", "inputs": inputs}]})
    found = [drive("get_job", "j").config.inputs, drive("get_all_jobs")[0].config.inputs]
    found.append(drive("ask_jobs", {}).jobs[0].inputs)
    for each in found:
        assert (each["k"].key, each["c"].found, each["c"].value) == ("S", True, {"a": 1})
        assert (each["f"].location.path, each["f"].hierarchy.id) == ("/p", "ses1")
