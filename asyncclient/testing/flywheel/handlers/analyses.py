"""Analyses of containers."""

from __future__ import annotations

from asyncclient.testing._contract import Refusal
from asyncclient.testing.flywheel import tree
from asyncclient.testing.flywheel.handlers.containers import page_of
from asyncclient.testing.flywheel.handlers.jobs import new_job, shown_job
from asyncclient.testing.flywheel.listing import listed
from asyncclient.testing.flywheel.route import Call, Table, handles
from asyncclient.testing.flywheel.shown import shown
from asyncclient.testing.flywheel.tables import PLURALS, Container, Json

__all__ = ["TABLE"]

TABLE: Table = {}


@handles(TABLE, "POST */{}/analyses")
def add_analysis(call: Call) -> Json:
    """Make an analysis; with a job, the job's inputs become those of the analysis."""
    parent, body = call.container, call.body
    facts: Json = {"label": body["label"], "description": body.get("description") or "", "parent": parent.ref}
    made = Container(call.state.ids.new(), "analysis", parent.lineage, facts)
    made.info = dict(body.get("info") or {})
    job = body.get("job") or {}
    for item in [*(body.get("inputs") or ()), *(job.get("inputs") or {}).values()]:
        if item.get("name"):
            call.state.get(item["id"], item["type"]).series(item["name"])
            made.inputs.append((item["id"], item["name"]))
    if job:
        made.data["job"] = new_job(call, {**job, "destination": made.ref}, made.lineage)["id"]
        made.data["gear_info"] = call.state.jobs[made.data["job"]]["gear_info"]
    return {"_id": call.state.add(made).id}


def _shown(call: Call, row: Container, *, inflate: bool, in_list: bool = False) -> Json:
    with_info = not in_list or bool(call.query.get("include_all_info"))
    out = shown(call.state, row, full=not in_list, with_info=with_info)
    job_id = out.get("job")
    if inflate and job_id in call.state.jobs:
        out |= {"job": shown_job(call, call.state.jobs[job_id], listed_form=in_list), "job_id": job_id}
    return out


@handles(TABLE, "GET */{}/analyses", "GET analyses")
def list_analyses(call: Call) -> list[Json] | Json:
    rows = list(call.state.of_kind("analysis"))
    if call.args:
        parent = call.container
        rows = [row for row in rows if row.data["parent"]["id"] == parent.id]
    inflate = bool(call.query.get("inflate_job"))

    def show(row: Container) -> Json:
        return _shown(call, row, inflate=inflate, in_list=True)

    return listed(rows, show, call.query, paged="pagination" in call.features)


@handles(TABLE, "GET {}/{}/{}/analyses")
def list_analyses_below(call: Call) -> list[Json] | Json:
    plural, container_id, below = call.args
    if plural not in PLURALS or (below not in PLURALS and below != "all"):
        raise Refusal(404, "Not Found")
    parent = call.state.get(container_id, PLURALS[plural])
    kinds = [PLURALS[below]] if below != "all" else ["project", "subject", "session", "acquisition"]
    held = {row.id for kind in kinds for row in tree.below(call.state, parent, kind)}
    return page_of(call, (row for row in call.state.of_kind("analysis") if row.data["parent"]["id"] in held))


def _analysis(call: Call) -> Container:
    """Return the analysis of a path, which must belong to the container before it."""
    row = call.state.get(call.args[-1], "analysis")
    if len(call.args) == 2 and row.data["parent"]["id"] != call.container.id:
        raise Refusal(404, "Analysis not found")
    return row


@handles(TABLE, "GET analyses/{}", "GET */{}/analyses/{}")
def get_analysis(call: Call) -> Json:
    return _shown(call, _analysis(call), inflate=bool(call.query.get("inflate_job")))


@handles(TABLE, "PUT */{}/analyses/{}")
def modify_analysis(call: Call) -> Json:
    tree.change(call.state, _analysis(call), call.body)
    return {"modified": 1}


@handles(TABLE, "DELETE */{}/analyses/{}")
def delete_analysis(call: Call) -> Json:
    tree.delete(call.state, _analysis(call))
    return {"deleted": 1}
