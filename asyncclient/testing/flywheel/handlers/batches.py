"""Batches: one job for each of many containers."""

from __future__ import annotations

from asyncclient.testing._contract import Refusal
from asyncclient.testing.flywheel.handlers.jobs import new_job, shown_job, step
from asyncclient.testing.flywheel.route import Call, Table, handles
from asyncclient.testing.flywheel.tables import Json, now

__all__ = ["TABLE"]

TABLE: Table = {}


@handles(TABLE, "POST batch")
def propose_batch(call: Call) -> Json:
    body = call.body
    if body["gear_id"] not in call.state.gears:
        raise Refusal(404, "Gear not found")
    matched = [call.state.get(item["id"], item["type"]).ref for item in body["targets"]]
    times = {"created": now(), "modified": now()}
    batch: Json = {"_id": call.state.ids.new(), "gear_id": body["gear_id"], "state": "pending", "origin": call.origin}
    batch |= {"config": body.get("config") or {}, **times, "jobs": [], "proposal": body}
    call.state.batches[batch["_id"]] = batch
    policy = body.get("optional_input_policy") or "ignored"
    lists = {"matched": matched, "ambiguous": [], "not_matched": [], "improper_permissions": []}
    return {**_shown_batch(batch), "optional_input_policy": policy, **lists}


def _shown_batch(batch: Json) -> Json:
    return {name: value for name, value in batch.items() if name != "proposal"}


def _batch(call: Call) -> Json:
    batch = call.state.batches.get(call.args[0])
    if batch is None:
        raise Refusal(404, "Batch not found")
    return batch


@handles(TABLE, "GET batch")
def list_batches(call: Call) -> list[Json]:
    return [_shown_batch(batch) for batch in call.state.batches.values()]


@handles(TABLE, "GET batch/{}")
def get_batch(call: Call) -> Json:
    out = _shown_batch(_batch(call))
    if call.query.get("jobs"):
        out["jobs"] = [shown_job(call, call.state.jobs[item]) for item in out["jobs"]]
    return out


@handles(TABLE, "POST batch/{}/run")
def run_batch(call: Call) -> list[Json]:
    batch = _batch(call)
    if batch["state"] != "pending":
        raise Refusal(409, "The batch was started already")
    made = []
    for item in batch["proposal"]["targets"]:
        job = {**batch["proposal"], "destination": item, "inputs": {}}
        made.append(new_job(call, job, call.state.get(item["id"]).lineage))
        made[-1]["batch"] = batch["_id"]
    batch |= {"state": "running", "jobs": [job["id"] for job in made], "modified": now()}
    return [shown_job(call, job) for job in made]


@handles(TABLE, "POST batch/{}/cancel")
def cancel_batch(call: Call) -> Json:
    batch = _batch(call)
    rows = [call.state.jobs[item] for item in batch["jobs"] if call.state.jobs[item]["state"] == "pending"]
    for job in rows:
        step(job, "cancelled")
    batch["state"] = "cancelled"
    return {"number_cancelled": len(rows)}
