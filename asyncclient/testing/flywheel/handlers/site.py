"""The site: configuration, version, who is asking, users, devices, roles and modalities."""

from __future__ import annotations

import json

from starlette.responses import Response

from asyncclient.testing._contract import Refusal
from asyncclient.testing.flywheel.listing import listed
from asyncclient.testing.flywheel.route import Call, Table, handles
from asyncclient.testing.flywheel.tables import Json, now

__all__ = ["TABLE"]

TABLE: Table = {}

_TIME = "2020-01-01T00:00:00.000+00:00"


def _config(call: Call) -> Json:
    options = call.state.options
    signed = options.storage is not None
    features = {"signed_url": signed, "multipart_signed_url": signed, "multiproject": False, "job_ask": True}
    features |= {"task_manager_data_views": options.task_manager, "collections": True, "core_api": True}
    site = {"id": "emulator", "name": "Emulator", "api_url": f"{call.exchange.origin}/api", "registered": False}
    return {
        "last_updated": _TIME,
        "site": {**site, "upload_maximum_bytes": str(options.max_file_bytes), "pagination_limit": 100},
        "features": features,
        "signed_url": signed,
        "auth": {},
        "created": _TIME,
        "modified": _TIME,
        "central": {"enabled": False},
    }


@handles(TABLE, "GET config")
def get_config(call: Call) -> Json:
    return _config(call)


@handles(TABLE, "GET config.js")
def get_config_js(call: Call) -> Response:
    return Response(f"config = {json.dumps(_config(call))};", media_type="application/javascript")


@handles(TABLE, "GET version")
def get_version(call: Call) -> Json:
    release = call.state.options.release
    return {"_id": "version", "database": 1, "release": release, "flywheel_release": release, "cli_version": release}


@handles(TABLE, "GET auth/status")
def get_auth_status(call: Call) -> Json:
    device = call.origin["type"] == "device"
    out: Json = {"origin": call.origin, "user_is_admin": not device, "is_device": device}
    return out | ({"roles": []} if device else {"roles": ["site_admin"], "user_id": call.user_id})


def _user(call: Call, user_id: str) -> Json:
    found = call.state.users.get(user_id)
    if found is None:
        raise Refusal(404, "User not found")
    return found


@handles(TABLE, "GET users/self")
def get_current_user(call: Call) -> Json:
    return _user(call, call.user_id)


@handles(TABLE, "GET users/self/info")
def get_current_user_info(call: Call) -> Json:
    info: Json = _user(call, call.user_id)["info"]
    return info


@handles(TABLE, "PATCH users/self/info")
def modify_current_user_info(call: Call) -> None:
    from asyncclient.testing.flywheel.handlers.marks import change_info

    user = _user(call, call.user_id)
    user["info"] = change_info(user["info"], call.body)


@handles(TABLE, "GET users")
def list_users(call: Call) -> list[Json] | Json:
    rows = sorted(call.state.users.values(), key=lambda user: str(user["_id"]))
    return listed(rows, dict, call.query, paged="pagination" in call.features)


@handles(TABLE, "POST users")
def add_user(call: Call) -> Json:
    if call.body["_id"] in call.state.users:
        raise Refusal(409, "User exists already")
    user = call.state.add_user(call.body["_id"])
    user |= {name: value for name, value in call.body.items() if name != "password" and value is not None}
    return {"_id": user["_id"]}


@handles(TABLE, "GET users/{}")
def get_user(call: Call) -> Json:
    return _user(call, call.args[0])


@handles(TABLE, "PUT users/{}")
def modify_user(call: Call) -> Json:
    user = _user(call, call.args[0])
    user |= {name: value for name, value in call.body.items() if name not in ("_id", "password")}
    user["modified"] = now()
    return {"modified": 1}


@handles(TABLE, "DELETE users/{}")
def delete_user(call: Call) -> None:
    del call.state.users[_user(call, call.args[0])["_id"]]


def _device(call: Call, device_id: str) -> Json:
    found = call.state.devices.get(device_id)
    if found is None:
        raise Refusal(404, "Device not found")
    return found


@handles(TABLE, "GET devices")
def list_devices(call: Call) -> list[Json] | Json:
    rows = call.state.devices.values()
    return listed(rows, dict, call.query, paged="pagination" in call.features)


@handles(TABLE, "GET devices/self")
def get_current_device(call: Call) -> Json:
    return _device(call, call.user_id)


@handles(TABLE, "GET devices/{}")
def get_device(call: Call) -> Json:
    return _device(call, call.args[0])
