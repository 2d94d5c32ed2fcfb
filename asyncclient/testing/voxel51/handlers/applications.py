"""Applications, their users, and the platform's status."""

from __future__ import annotations

from asyncclient.testing._contract import Refusal
from asyncclient.testing.voxel51.call import Call, Handler, Json
from asyncclient.testing.voxel51.queries import KINDS, run_query

__all__ = ["HANDLERS"]


def _create_user(call: Call) -> None:
    users = call.application.users
    name = call.body["username"]
    if not name:
        raise Refusal(400, "body.username: is empty")
    if name in users:
        raise Refusal(409, "User already exists")
    users.append(name)


def _list_users(call: Call) -> Json:
    return {"users": list(call.application.users)}


def _owners(call: Call) -> list[str]:
    return [call.application.owner_of(name) for name in call.application.users]


def _query_data(call: Call) -> Json:
    records = [row.shown() for row in call.state.data_of(_owners(call))]
    return run_query(KINDS["data"], records, call.query)


def _query_jobs(call: Call) -> Json:
    owners = _owners(call)
    records = [call.state.look(job) for job in call.state.jobs if job.owner in owners]
    return run_query(KINDS["jobs"], records, call.query)


def _status(call: Call) -> Json:
    return {"statuses": call.state.statuses}


def _application_status(call: Call) -> Json:
    call.check_application()
    return _status(call)


HANDLERS: dict[str, Handler] = {
    "create_user": _create_user,
    "list_users": _list_users,
    "query_application_data": _query_data,
    "query_application_jobs": _query_jobs,
    "get_platform_status": _status,
    "app_get_platform_status": _application_status,
}
