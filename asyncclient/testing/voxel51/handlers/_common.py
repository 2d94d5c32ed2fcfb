"""What the handlers share: one id or many, dates to come."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import datetime
from typing import Any

from asyncclient.testing._contract import Refusal
from asyncclient.testing.voxel51.call import Call, Handler, Json
from asyncclient.testing.voxel51.clock import days_from, moment_from
from asyncclient.testing.voxel51.forms import Part

__all__ = ["One", "batch", "changed_date", "json_file", "one"]

One = Callable[[Call, str], Json | None]


def one(act: One) -> Handler:
    """Do something to the row that the path names."""
    return lambda call: act(call, call.row_id)


def batch(act: One) -> Handler:
    """Do something to every row that the body names; what is refused does not hinder the others."""

    def each(call: Call, row_id: str) -> Json:
        try:
            response = act(call, row_id)
        except Refusal as refusal:
            return {"success": False, "error": {"code": refusal.status, "message": refusal.message}}
        return {"success": True} if response is None else {"success": True, "response": response}

    def all_of_them(call: Call) -> Json:
        if call.operation.path[0] != "analytics":
            call.check_user()  # one refusal for all
        return {"responses": {row_id: each(call, row_id) for row_id in dict.fromkeys(call.body["ids"])}}

    return all_of_them


def changed_date(call: Call, present: datetime) -> datetime:
    """Return the date a TTL request asks for."""
    if "days" in call.body:
        return days_from(call.body["days"], present)
    return moment_from(call.body["expiration_date"], "expiration_date")


def json_file(file: Part) -> Any:
    """Decode a file that is JSON.

    Raises:
        Refusal: 400, it is not.
    """
    assert isinstance(file.content, bytes)
    try:
        return json.loads(file.content, parse_constant=_no_constant)
    except ValueError:
        raise Refusal(400, "file: is not JSON") from None


def _no_constant(text: str) -> None:
    raise ValueError(text)  # NaN and infinities are Python's idea of JSON
