"""Data."""

from __future__ import annotations

from datetime import timedelta

from starlette.responses import Response

from asyncclient.testing._blobs import Blob
from asyncclient.testing._contract import Refusal
from asyncclient.testing.voxel51.call import Call, Handler, Json
from asyncclient.testing.voxel51.clock import moment_from
from asyncclient.testing.voxel51.content import download
from asyncclient.testing.voxel51.handlers._common import batch, changed_date, one
from asyncclient.testing.voxel51.queries import KINDS, run_query
from asyncclient.testing.voxel51.tables import Data, new_id

__all__ = ["HANDLERS"]


def _list(call: Call) -> Json:
    return {"data": [row.shown() for row in call.state.data_of([call.owner])]}


def _query(call: Call) -> Json:
    records = [row.shown() for row in call.state.data_of([call.owner])]
    return run_query(KINDS["data"], records, call.query)


def _upload(call: Call) -> Json:
    file = call.file
    assert file is not None
    assert isinstance(file.content, Blob)
    now = call.state.clock.now()
    if "data_ttl" in call.body:
        expires = moment_from(call.body["data_ttl"], "data_ttl")
    else:
        expires = now + timedelta(days=call.state.options.ttl_days)
    size = file.content.size_bytes
    row = Data(new_id(), call.owner, file.filename, file.media_type, size, now, expires, blob=file.content)
    row.encoding = "7bit"
    return {"data": call.state.data.add(row).shown()}


def _post_url(call: Call) -> Json:
    body = call.body
    row = Data(
        id=new_id(),
        owner=call.owner,
        name=body["filename"],
        kind=body["mimetype"],
        size_bytes=body["size"],
        uploaded=call.state.clock.now(),
        expires=moment_from(body["data_ttl"], "body.data_ttl"),
        url=body["signed_url"],
        encoding=body.get("encoding"),
    )
    return {"data": call.state.data.add(row).shown()}


def _details(call: Call, data_id: str) -> Json:
    return call.data(data_id).shown()


def _details_alone(call: Call) -> Json:
    return {"data": _details(call, call.row_id)}


def _change_ttl(call: Call, data_id: str) -> None:
    row = call.data(data_id)
    if row.url is not None:
        raise Refusal(400, "The date of data that stays at a URL cannot be changed")
    row.expires = changed_date(call, row.expires)
    call.state.sweep()


def _delete(call: Call, data_id: str) -> None:
    call.state.remove_data(call.data(data_id))


def _file_of(row: Data) -> Blob:
    if row.blob is None:
        raise Refusal(404, "Data not found")
    return row.blob


def _stored(call: Call) -> Data:
    row = call.data(call.row_id)
    if row.url is not None:
        raise Refusal(400, "The data stays at its URL")
    return row


def _download(call: Call) -> Response:
    row = _stored(call)
    return download(call, lambda: _file_of(row), row.kind)


def _download_url(call: Call) -> Json:
    row = call.data(call.row_id)
    return {"url": row.url or call.signed_url(lambda: _file_of(row), row.kind)}


HANDLERS: dict[str, Handler] = {
    "list_data": _list,
    "query_data": _query,
    "upload_data": _upload,
    "post_data_as_url": _post_url,
    "get_data_details": _details_alone,
    "update_data_ttl": one(_change_ttl),
    "delete_data": one(_delete),
    "download_data": _download,
    "get_data_download_url": _download_url,
    "batch_get_data_details": batch(_details),
    "batch_update_data_ttl": batch(_change_ttl),
    "batch_delete_data": batch(_delete),
}
