"""Where this client differs from the recordings, as the contract recommends; docs/howto/voxel51.md has the reasons."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from asyncclient import errors, voxel51


@dataclass(frozen=True)
class Deviation:
    """What comes of a case in place of what was recorded; None where the recording holds."""

    requests: list[dict[str, Any]] | None = None
    raises: type[BaseException] | None = None
    says: str = ""
    succeeds: bool = False
    result: Any = None
    files_after: dict[str, Any] | None = None
    home_after: dict[str, Any] | None = None
    log: list[list[str]] | None = None
    sleeps: list[float] | None = None


DATA = "5a3f0e7c-1b1d-4d0a-9d8f-2f0c3b1a9e01"
KEY = {"authorization": "Bearer user-key-123"}


def get(path: str) -> list[dict[str, Any]]:
    return [{"method": "GET", "path": path, "query": [], "headers_of_interest": KEY, "body_framing": "none"}]


NOTHING: list[dict[str, Any]] = []
NO_TOKEN_FILE = Deviation(raises=voxel51.TokenError, says="is not a valid API token", home_after={}, log=[])
NO_APPLICATION_FILE = Deviation(
    raises=voxel51.ApplicationTokenError, says="is not a valid application token", home_after={}, log=[]
)

DEVIATIONS: dict[str, Deviation] = {
    "api.get_data_details.question_mark": Deviation(requests=get("/v1/data/a%3Fb%3Dc%23d")),
    "api.get_data_details.plus_and_colon": Deviation(requests=get("/v1/data/a%2Bb%3Ac%40d%3Be%2Cf%3Dg%26h")),
    "api.get_data_details.dotdot": Deviation(requests=get("/v1/data/..%2Fjobs%2Flist")),
    "api.get_data_details.err_with_query": Deviation(
        requests=get("/v1/data/a%3Fb%3Dc"), says="404: Not Found for URL: {BASE}/v1/data/a%3Fb%3Dc"
    ),
    "api.get_data_details.none_id": Deviation(raises=errors.ArgumentError, says="data_id must not be None"),
    "api.batch_delete_data.string": Deviation(requests=NOTHING, raises=errors.ArgumentTypeError, says="data_ids"),
    "api.download_data.server_path_in_name": Deviation(result="x.mp4", files_after={"x.mp4": {"text": "c"}}, log=[]),
    "api.get_job_request.data_id_with_extra_keys": Deviation(
        result={
            "$job_request_json": {
                "analytic": "a",
                "inputs": {},
                "parameters": {"p": {"data-id": "x", "other": 1}, "q": {"data-id": None}},
            }
        }
    ),
    "api.wait_until_job_completes.timeout": Deviation(requests=get(f"/v1/jobs/{DATA}") * 4, sleeps=[5, 5, 2]),
    "api.wait_until_job_completes.timeout_boundary": Deviation(sleeps=[5, 5]),
    "api.wait_until_job_completes.zero_wait": Deviation(sleeps=[]),
    "api.download_job_logfile.as_text_invalid_utf8": Deviation(succeeds=True, result="\ufffd"),
    "api.list_data.ok_missing_key": Deviation(raises=errors.DecodeError, says="'data'"),
    "api.list_data.ok_304": Deviation(raises=voxel51.APIError, says="304: Not Modified for URL:"),
    "app.list_data.inherited_cjk_user": Deviation(raises=errors.ArgumentError, says="username"),
    "api.from_json.missing_private_key": Deviation(raises=voxel51.TokenError, says="is not a valid API token"),
    "app.from_json.missing_private_key": Deviation(
        raises=voxel51.ApplicationTokenError, says="is not a valid application token"
    ),
    "app.from_json.empty_url": Deviation(raises=voxel51.ApplicationTokenError, says="must begin with http"),
    "users.auth.activate_token.ok": NO_TOKEN_FILE,
    "users.auth.activate_token.overwrites": NO_TOKEN_FILE,
    "apps.auth.activate_application_token.ok": NO_APPLICATION_FILE,
    "apps.auth.activate_application_token.overwrites": NO_APPLICATION_FILE,
}
