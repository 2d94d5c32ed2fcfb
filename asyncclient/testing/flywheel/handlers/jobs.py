"""Jobs, as far as those go who start them: nothing is computed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

from asyncclient.testing._contract import Refusal
from asyncclient.testing.flywheel.listing import listed
from asyncclient.testing.flywheel.route import Call, Table, handles
from asyncclient.testing.flywheel.shown import shown_file
from asyncclient.testing.flywheel.state import FINAL
from asyncclient.testing.flywheel.tables import Json, now

__all__ = ["TABLE", "new_job", "shown_job", "step"]

TABLE: Table = {}

_NEXT = {"pending": "running", "running": "complete"}


def new_job(call: Call, body: Mapping[str, Any], parents: Mapping[str, str]) -> Json:
    """Make a job.

    Raises:
        Refusal: 404, there is no such gear or input.
    """
    gear = call.state.gears.get(body["gear_id"])
    if gear is None:
        raise Refusal(404, "Gear not found")
    inputs = body.get("inputs") or {}
    destination = body.get("destination") or _destination(call, inputs)
    job: Json = {**_asked(gear, body), **_begun(call), "inputs": inputs, "destination": destination}
    job["config"] |= {"inputs": {name: _config_input(call, item) for name, item in inputs.items()}}
    job["config"]["destination"] = destination
    job["parents"] = dict(parents or call.state.get(destination["id"]).lineage)
    job["related_container_ids"] = list(job["parents"].values())
    call.state.jobs[job["id"]] = job
    return job


def _asked(gear: Json, body: Mapping[str, Any]) -> Json:
    """Return what a job has from its gear and from who asked for it."""
    manifest = gear["gear"]
    defaults = {name: part["default"] for name, part in (manifest.get("config") or {}).items() if "default" in part}
    facts = {"id": gear["_id"], "category": gear.get("category"), "name": manifest["name"]}
    return {
        "gear_id": gear["_id"],
        "gear_info": {**facts, "version": manifest["version"]},
        "tags": list(body.get("tags") or ()),
        "priority": body.get("priority") or "medium",
        "label": body.get("label") or manifest["name"],
        "config": {"config": defaults | (body.get("config") or {})},
    }


def _begun(call: Call) -> Json:
    """Return what every job begins with."""
    time = now()
    return {
        "id": call.state.ids.new(),
        "attempt": 1,
        "state": "pending",
        "origin": call.origin,
        "outputs": [],
        "deleted_outputs": [],
        "created": time,
        "modified": time,
        "transitions": {"pending": time},
        "logs": [],
        "looks": 0,
    }


def _destination(call: Call, inputs: Mapping[str, Json]) -> Json:
    for item in inputs.values():
        return call.state.get(item["id"], item["type"]).ref
    raise Refusal(422, "body.destination: is missing, and there are no inputs to tell it")


def _config_input(call: Call, item: Json) -> Json:
    if not item.get("name"):
        return {"base": "context", "found": True, "value": item}
    version = call.state.get(item["id"], item["type"]).series(item["name"]).version(None)
    location = {"name": item["name"], "path": f"/flywheel/v0/input/{item['name']}"}
    facts = {"size": version.content.size_bytes, "type": version.data.get("type"), "mimetype": version.mimetype}
    return {
        "base": "file",
        "hierarchy": {"type": item["type"], "id": item["id"]},
        "location": location,
        "object": facts,
    }


def _job(call: Call) -> Json:
    job = call.state.jobs.get(call.args[0])
    if job is None:
        raise Refusal(404, "Job not found")
    return job


def shown_job(call: Call, job: Json, *, listed_form: bool = False) -> Json:
    """Return the JSON of a job; lists call its id ``_id``."""
    out = {name: value for name, value in job.items() if name not in ("logs", "looks")}
    if listed_form:
        out["_id"] = out.pop("id")
        out["inputs"] = [{"input": name, **item} for name, item in job["inputs"].items()]
    return out


def step(job: Json, state: str) -> None:
    """Put a job into a state."""
    job |= {"state": state, "modified": now(), "transitions": {**job["transitions"], state: now()}}


@handles(TABLE, "POST jobs/add")
def add_job(call: Call) -> Json:
    return {"_id": new_job(call, call.body, {})["id"]}


@handles(TABLE, "GET jobs/{}")
def get_job(call: Call) -> Json:
    job, polls = _job(call), call.state.options.job_polls
    if polls is not None and job["state"] in _NEXT:
        job["looks"] += 1
        if job["looks"] > polls:
            job["looks"] = 0
            step(job, _NEXT[job["state"]])
    return shown_job(call, job)


@handles(TABLE, "GET jobs/{}/detail")
def get_job_detail(call: Call) -> Json:
    job = _job(call)
    inputs = {name: _detail(call, item) for name, item in job["inputs"].items() if item.get("name")}
    return {**shown_job(call, job, listed_form=True), "inputs": inputs}


def _detail(call: Call, item: Json) -> Json:
    """Return a reference to a file, and the file if it is still there."""
    out: Json = {"ref": {key: item[key] for key in ("type", "id", "name")}}
    container = call.state.containers.get(item["id"])
    series = None if container is None else container.files.get(item["name"])
    if container is not None and series is not None and series.newest is not None:
        out["object"] = shown_file(container, series, series.newest)
    return out


def _page(call: Call, rows: Iterable[Json], *, paged: bool, listed_form: bool = True) -> Any:
    def show(job: Json) -> Json:
        return shown_job(call, job, listed_form=listed_form)

    return listed(rows, show, call.query, paged=paged, ids=lambda job: (job["id"],))


@handles(TABLE, "GET jobs")
def list_jobs(call: Call) -> list[Json] | Json:
    found: list[Json] | Json = _page(call, call.state.jobs.values(), paged="pagination" in call.features)
    return found


@handles(TABLE, "GET sessions/{}/jobs")
def list_session_jobs(call: Call) -> Json:
    states, tags = call.query.get("states"), call.query.get("tags")
    rows = [job for job in call.state.jobs.values() if job["parents"].get("session") == call.container.id]
    rows = [job for job in rows if not states or job["state"] in states]
    rows = [job for job in rows if not tags or set(tags) & set(job["tags"])]
    paged = "pagination" in call.features
    found = _page(call, rows, paged=paged)
    return found if paged else {"jobs": found}


@handles(TABLE, "GET users/self/jobs")
def list_own_jobs(call: Call) -> Json:
    rows = [job for job in call.state.jobs.values() if job["origin"] == call.origin]
    page = _page(call, rows, paged=True, listed_form=False)
    return {"jobs": page["results"], "total": page["total"], "stats": _counts(rows)}


def _counts(rows: Any) -> Json:
    counted = Counter(job["state"] for job in rows)
    return {state: counted[state] for state in ("pending", "running", *FINAL)}


@handles(TABLE, "GET jobs/stats")
def get_stats(call: Call) -> Json:
    return {"by-state": _counts(call.state.jobs.values())}


@handles(TABLE, "PUT jobs/{}")
def modify_job(call: Call) -> Json:
    job, wanted = _job(call), call.body["state"]
    if job["state"] in FINAL:
        raise Refusal(409, f"The job is {job['state']} already")
    step(job, wanted)
    if call.body.get("failure_reason"):
        job["failure_reason"] = call.body["failure_reason"]
    return {"modified": 1}


@handles(TABLE, "PUT jobs/priority")
def modify_priority(call: Call) -> Json:
    rows = [call.state.jobs[item] for item in call.body["job_ids"] if item in call.state.jobs]
    for job in rows:
        job["priority"] = call.body["priority"]
    return {"modified": len(rows)}


@handles(TABLE, "GET jobs/{}/config.json")
def get_config(call: Call) -> Json:
    config: Json = _job(call)["config"]
    return config


@handles(TABLE, "GET jobs/{}/logs")
def get_logs(call: Call) -> Json:
    job = _job(call)
    return {"_id": job["id"], "logs": job["logs"]}


@handles(TABLE, "POST jobs/{}/logs")
def add_logs(call: Call) -> None:
    _job(call)["logs"] += call.body


@handles(TABLE, "POST jobs/{}/retry")
def retry_job(call: Call) -> Json:
    job = _job(call)
    if job["state"] != "failed" and not call.query.get("ignoreState"):
        raise Refusal(409, f"The job is {job['state']}")
    made = new_job(call, {**job, "config": job["config"]["config"]}, job["parents"])
    made |= {"attempt": job["attempt"] + 1, "previous_job_id": job["id"]}
    job["retried"] = now()
    return {"_id": made["id"]}


@handles(TABLE, "GET jobs/next")
def get_next_job(call: Call) -> Json:
    tags = set(call.query.get("tags") or ())
    for job in call.state.jobs.values():
        if job["state"] == "pending" and (not tags or tags & set(job["tags"])):
            step(job, "running")
            return shown_job(call, job)
    raise Refusal(400, "No jobs to process")


@handles(TABLE, "POST jobs/{}/prepare-complete", "PUT jobs/{}/prepare-complete")
def prepare_complete(call: Call) -> Json:
    return {"ticket": _job(call)["id"]}


@handles(TABLE, "POST jobs/{}/complete", "PUT jobs/{}/complete")
def complete(call: Call) -> None:
    step(_job(call), "complete" if call.body.get("success", True) else "failed")
