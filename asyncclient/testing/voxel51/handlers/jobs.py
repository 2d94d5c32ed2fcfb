"""Jobs."""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterator
from datetime import timedelta

from starlette.responses import Response

from asyncclient.testing._blobs import Blob, BlobStore
from asyncclient.testing._contract import Refusal
from asyncclient.testing.voxel51.call import Call, Handler, Json
from asyncclient.testing.voxel51.clock import moment_from
from asyncclient.testing.voxel51.content import download
from asyncclient.testing.voxel51.handlers._common import batch, changed_date, one
from asyncclient.testing.voxel51.handlers.analytics import newest
from asyncclient.testing.voxel51.jobs import log_of, status_of
from asyncclient.testing.voxel51.queries import KINDS, run_query
from asyncclient.testing.voxel51.tables import Analytic, Job, new_id

__all__ = ["HANDLERS"]


def _own(call: Call) -> list[Job]:
    return [job for job in call.state.jobs if job.owner == call.owner]


def _list(call: Call) -> Json:
    return {"jobs": [call.state.look(job) for job in _own(call) if not job.archived]}


def _query(call: Call) -> Json:
    return run_query(KINDS["jobs"], [call.state.look(job) for job in _own(call)], call.query)


def _upload(call: Call) -> Json:
    request = call.body["file"]
    analytic = _analytic_for(call, request)
    now = call.state.clock.now()
    if "job_ttl" in call.body:
        expires = moment_from(call.body["job_ttl"], "job_ttl")
    else:
        expires = now + timedelta(days=call.state.options.ttl_days)
    auto_start = call.body["auto_start"] == "True"
    job = Job(new_id(), call.owner, call.body["job_name"], analytic, request, now, expires, auto_start)
    job.inputs = dict(_inputs(call, request))
    job.output_name = _output_name(analytic)
    call.state.jobs.add(job)
    if auto_start:
        call.state.start_job(job)
    return {"job": job.shown(now)}


def _analytic_for(call: Call, request: Json) -> Analytic:
    rows = [row for row in call.analytics() if row.name == request["analytic"] and not row.pending]
    if "version" in request:
        rows = [row for row in rows if row.version == request["version"]]
    if not rows:
        raise Refusal(400, "Invalid job request: there is no such analytic")
    analytic = newest(rows)[-1]
    known = {item["name"]: item for item in analytic.doc.get("inputs", ())}
    for name in request["inputs"]:
        if known and name not in known:
            raise Refusal(400, "Invalid job request: the analytic has no such input")
    for name, item in known.items():
        if item.get("required") and name not in request["inputs"]:
            raise Refusal(400, "Invalid job request: an input is missing")
    if request.get("compute_mode") in ("CPU", "GPU") and not _supports(analytic, request["compute_mode"]):
        raise Refusal(400, "Invalid job request: the analytic does not support the compute mode")
    return analytic


def _supports(analytic: Analytic, mode: str) -> bool:
    return bool(analytic.shown()[f"supports_{mode.lower()}"])


def _inputs(call: Call, request: Json) -> Iterator[tuple[str, Json]]:
    """Describe the data a request names; all of it has to be there."""
    try:
        for name, value in {**request["parameters"], **request["inputs"]}.items():
            if isinstance(value, dict) and value.get("data-id") is not None:
                row = call.data(value["data-id"])
                digest = None if row.blob is None else base64.b64decode(row.blob.md5).hex()
                yield name, {"data-id": row.id, "name": row.name, "size": row.size_bytes, "md5": digest}
    except Refusal:
        raise Refusal(400, "Invalid job request: there is no such data") from None


def _output_name(analytic: Analytic) -> str:
    outputs = analytic.doc.get("outputs", ())
    return str(outputs[0]["filename"]) if outputs else "output.json"


def _details(call: Call, job_id: str) -> Json:
    return call.state.look(call.job(job_id))


def _details_alone(call: Call) -> Json:
    return {"job": _details(call, call.row_id)}


def _request(call: Call) -> Json:
    return call.job(call.row_id).request


def _status(call: Call) -> Json:
    job = call.job(call.row_id)
    call.state.look(job)
    return status_of(job)


def _start(call: Call, job_id: str) -> None:
    job = call.job(job_id)
    _check(job.state == "READY", "The job was started already")
    _check(not job.archived, "The job is archived")
    call.state.start_job(job)


def _kill(call: Call, job_id: str) -> None:
    job = call.job(job_id)
    _check(job.state in ("QUEUED", "SCHEDULED"), "Only queued and scheduled jobs can be killed")
    job.state, job.failed, job.failure = "FAILED", call.state.clock.now(), "USER"


def _archive(call: Call, job_id: str) -> None:
    job = call.job(job_id)
    _check(not job.archived, "The job is archived already")
    job.archived = True


def _unarchive(call: Call, job_id: str) -> None:
    job = call.job(job_id)
    _check(job.archived, "The job is not archived")
    _check(job.expires > call.state.clock.now(), "The job is expired")
    job.archived = False


def _change_ttl(call: Call, job_id: str) -> None:
    job = call.job(job_id)
    _check(job.expires > call.state.clock.now(), "The job is expired")
    job.expires = changed_date(call, job.expires)
    call.state.sweep()


def _delete(call: Call, job_id: str) -> None:
    job = call.job(job_id)
    _check(job.state == "READY", "Only jobs that were never started can be deleted")
    call.state.jobs.remove(job)


def _check(holds: bool, otherwise: str) -> None:
    if not holds:
        raise Refusal(400, otherwise)


def _finished(call: Call) -> Job:
    call.state.sweep()
    job = call.job(call.row_id)
    _check(job.state == "COMPLETE", "The job is not complete")
    _output_of(job)
    return job


def _output_of(job: Job) -> Blob:
    if job.output is None:
        raise Refusal(404, "The output is expired")
    return job.output


def _output(call: Call) -> Response:
    job = _finished(call)
    return download(call, lambda: _output_of(job), _media_type(job))


def _output_url(call: Call) -> Json:
    job = _finished(call)
    return {"url": call.signed_url(lambda: _output_of(job), _media_type(job))}


def _media_type(job: Job) -> str:
    return "application/json" if job.output_name.endswith(".json") else "application/octet-stream"


def _logged(call: Call) -> Job:
    job = call.job(call.row_id)
    if job.analytic.owner is None or job.started is None:
        raise Refusal(404, "Logfile not found")
    return job


def _log_of(job: Job) -> Callable[[], Blob]:
    return lambda: BlobStore().put(log_of(job).encode())  # made anew each time, and kept nowhere


def _log(call: Call) -> Response:
    return download(call, _log_of(_logged(call)), "text/plain")


def _log_url(call: Call) -> Json:
    return {"url": call.signed_url(_log_of(_logged(call)), "text/plain")}


HANDLERS: dict[str, Handler] = {
    "list_jobs": _list,
    "query_jobs": _query,
    "upload_job_request": _upload,
    "get_job_details": _details_alone,
    "get_job_request": _request,
    "get_job_status": _status,
    "start_job": one(_start),
    "kill_job": one(_kill),
    "archive_job": one(_archive),
    "unarchive_job": one(_unarchive),
    "update_job_ttl": one(_change_ttl),
    "delete_job": one(_delete),
    "download_job_output": _output,
    "get_job_output_download_url": _output_url,
    "download_job_logfile": _log,
    "get_job_logfile_download_url": _log_url,
    "batch_get_job_details": batch(_details),
    "batch_start_jobs": batch(_start),
    "batch_kill_jobs": batch(_kill),
    "batch_archive_jobs": batch(_archive),
    "batch_unarchive_jobs": batch(_unarchive),
    "batch_update_jobs_ttl": batch(_change_ttl),
    "batch_delete_jobs": batch(_delete),
}
