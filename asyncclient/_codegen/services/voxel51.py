"""The Voxel51 Platform: what its description does not say."""

from __future__ import annotations

from typing import Final

from asyncclient._codegen._settings import Convert, FacadeModule, FacadePair, Patch, Service, Unit

__all__ = ["UNIT"]

_BATCHES: Final = {
    "analytics": ("get_analytic_details",),
    "data": ("delete_data", "get_data_details", "update_data_ttl"),
    "jobs": (
        "archive_jobs",
        "delete_jobs",
        "get_job_details",
        "kill_jobs",
        "start_jobs",
        "unarchive_jobs",
        "update_jobs_ttl",
    ),
}
_SERVICE: Final = Service(
    name="voxel51",
    title="the Voxel51 Platform",
    answers="typeddict",
    hand_written={
        "upload_analytic": "a form with a file, streamed",
        "app_upload_analytic": "a form with a file, streamed",
        "upload_analytic_image": "a form with a file, streamed",
        "app_upload_analytic_image": "a form with a file, streamed",
        "upload_data": "a form with a file, streamed",
        "upload_job_request": "a form",
        "post_data_as_url": "dates are checked",
        "update_data_ttl": "a form; exactly one of two arguments",
        "update_job_ttl": "a form; exactly one of two arguments",
        "batch_update_data_ttl": "exactly one of two arguments",
        "batch_update_jobs_ttl": "exactly one of two arguments",
        "download_data": "a file, after a look at its name",
        "download_job_output": "a file, after a look at its name",
        "download_job_logfile": "a file, or text",
        "get_job_request": "returns an object",
    },
    patches=(
        *(
            Patch(
                f"/components/schemas/{name}/required", ["id", "name"], "only queries that choose fields leave them out"
            )
            for name in ("Analytic", "Data", "Job")
        ),
        *(
            Patch(
                f"/paths/{path}~1analytics~1list/get/requestBody/content/application~1json/schema/properties"
                "/all_versions/x-none",
                "null",
                "the official client sends null",
                "add",
            )
            for path in ("", "~1apps")
        ),
        *(
            Patch(
                f"/paths/~1{tag}~1batch#batch_{name}/post/requestBody/content/application~1json/schema/properties"
                "/ids/description",
                "Any iterable of ids, none of them empty.",
                "a single text is refused here, not cut into its letters",
            )
            for tag, names in _BATCHES.items()
            for name in names
        ),
        *(
            Patch(
                f"/paths/{path}~1analytics~1{{analytic_id}}~1images/post/{place}/required",
                False,
                "None drops it",
            )
            for path in ("", "~1apps")
            for place in ("parameters/1", "x-python-params/2")
        ),
    ),
    converts=(
        *(
            Convert(argument, "listed", "any iterable is taken, a single text refused")
            for argument in ("analytic_ids", "data_ids", "job_ids")
        ),
        *(
            Convert(argument, "to-dict", "queries are put together in objects")
            for argument in ("analytics_query", "data_query", "jobs_query")
        ),
    ),
    classes={
        "Operations": ("analytics", "data", "jobs", "status"),
        "ApplicationOperations": ("applications",),
    },
)


def _pair(name: str, base: str) -> FacadePair:
    return FacadePair(
        "asyncclient.voxel51.client",
        f"Async{name}",
        name,
        omit={
            "from_json": "a class method: in the base",
            "thread_map": "needs no loop: in the base",
        },
        base=f"asyncclient.voxel51.blocking:{base}",
    )


_FACADES: Final = (
    FacadeModule("voxel51/_generated", "sync/client.py", (_pair("API", "BlockingSession"),)),
    FacadeModule(
        "voxel51/_generated",
        "sync/applications/client.py",
        (_pair("ApplicationAPI", "BlockingApplicationSession"),),
    ),
)


UNIT: Final = Unit("voxel51", _SERVICE, _FACADES, contract="requests")
