"""Documents, datasets and their transformations."""

from __future__ import annotations

import base64
import binascii

from asyncclient.testing._contract import Refusal
from asyncclient.testing.las.files import content_type_of, file_url, store
from asyncclient.testing.las.handlers._call import PAGING, Call, Handler, Json, as_it_is
from asyncclient.testing.las.paging import Cursor, read_token, room_on, write_token
from asyncclient.testing.las.tables import Row

__all__ = ["HANDLERS"]

_MOST_DELETED = 1000  # documents per request, as published
_RETENTION_DAYS = 1825


def _shown(call: Call, row: Row) -> Json:
    return row.data | {"fileUrl": file_url(call.origin, row.data["documentId"])}


def create_document(call: Call) -> Json:
    body = call.body
    if "datasetId" in body:
        call.tables.datasets.get(body["datasetId"])
    given: Json = {name: body[name] for name in ("consentId", "datasetId", "groundTruth") if name in body}
    content = _decoded(body["content"]) if "content" in body else None
    row = call.tables.documents.add(
        {
            **given,
            "contentMD5": None,
            "contentType": None,
            "metadata": body.get("metadata"),
            "retentionInDays": body.get("retentionInDays", _RETENTION_DAYS),
            **call.named(),
        }
    )
    if content is not None:
        store(call.state, row, call.state.blobs.put(content))
        row.data["contentType"] = body.get("contentType") or content_type_of(content)
        row.hidden["content"] = body["content"]
    return _shown(call, row)


def _decoded(content: str) -> bytes:
    try:
        return base64.b64decode(content, validate=True)
    except (binascii.Error, ValueError):
        raise Refusal(400, "body.content: is not base64") from None


def get_document(call: Call) -> Json:
    row = call.tables.documents.get(call.params["documentId"])
    inline = {"content": row.hidden["content"]} if "content" in row.hidden else {}
    return _shown(call, row) | inline


def update_document(call: Call) -> Json:
    row = call.tables.documents.get(call.params["documentId"])
    if "datasetId" in call.body:
        call.tables.datasets.get(call.body["datasetId"])
    values = dict(call.body)
    if "groundTruth" in values and values["groundTruth"] is None:
        del values["groundTruth"]
        row.data.pop("groundTruth", None)
    call.change(row, values)
    return _shown(call, row)


def delete_document(call: Call) -> Json:
    row = call.tables.documents.get(call.params["documentId"])
    _remove(call, [row])
    return _shown(call, row)


def _remove(call: Call, rows: list[Row]) -> None:
    """Delete documents with their files; their datasets may count them for some time yet."""
    lag = call.state.options.count_lag_polls
    for row in rows:
        dataset = call.tables.datasets.find(row.data.get("datasetId"))
        if dataset is not None and lag:
            dataset.hidden.setdefault("still_counted", _count(call, dataset))
            dataset.hidden["lag_polls"] = lag
        call.tables.documents.remove(row)
        blob = row.hidden.get("blob")
        if blob is not None:
            call.state.blobs.discard(blob)


def _matching(call: Call) -> list[Row]:
    wanted: Json = {name: call.query[name] for name in ("consentId", "datasetId") if name in call.query}
    if "documentId" in call.query:
        wanted["documentId"] = [call.query["documentId"]]
    rows = call.tables.documents
    return [row for row in rows if all(row.data.get(name) in values for name, values in wanted.items())]


def list_documents(call: Call) -> Json:
    return call.page(_matching(call), _shown)


def delete_documents(call: Call) -> Json:
    filters = {name: value for name, value in call.query.items() if name not in PAGING}
    fingerprint = {"operation": call.operation.id, **filters}
    cursor = read_token(fingerprint, call.query.get("nextToken"))
    asked = call.query.get("maxResults", 0)
    limit = min(asked if asked > 0 else _MOST_DELETED, _MOST_DELETED)
    rows = _matching(call)
    gone = rows[: room_on(cursor.page, limit, short=call.state.options.short_pages)]
    _remove(call, gone)
    token = write_token(fingerprint, Cursor(cursor.page + 1)) if len(gone) < len(rows) else None
    return {**filters, "documents": [_shown(call, row) for row in gone], "nextToken": token}


def _count(call: Call, row: Row) -> int:
    return len(call.tables.documents.where(datasetId=row.data["datasetId"]))


def _shown_dataset(call: Call, row: Row) -> Json:
    count = row.hidden.get("still_counted", None)
    return row.data | {"numberOfDocuments": _count(call, row) if count is None else count}


def _poll_count(row: Row) -> None:
    """Let the count of a dataset come one look closer to the truth."""
    if "lag_polls" in row.hidden:
        row.hidden["lag_polls"] -= 1
        if row.hidden["lag_polls"] < 0:
            del row.hidden["lag_polls"], row.hidden["still_counted"]


def create_dataset(call: Call) -> Json:
    body = call.body
    row = call.tables.datasets.add(
        {
            "containsPersonallyIdentifiableInformation": body.get("containsPersonallyIdentifiableInformation", False),
            "groundTruthSummary": {},
            "metadata": body.get("metadata"),
            "retentionInDays": body.get("retentionInDays", _RETENTION_DAYS),
            "storageLocation": "EU",
            "version": 0,
            **call.named(),
        }
    )
    return _shown_dataset(call, row)


def get_dataset(call: Call) -> Json:
    row = call.tables.datasets.get(call.params["datasetId"])
    _poll_count(row)
    return _shown_dataset(call, row)


def list_datasets(call: Call) -> Json:
    return call.page(call.tables.datasets, _shown_dataset)


def update_dataset(call: Call) -> Json:
    row = call.tables.datasets.get(call.params["datasetId"])
    call.change(row, call.body | {"version": row.data["version"] + 1})
    return _shown_dataset(call, row)


def delete_dataset(call: Call) -> Json:
    row = call.tables.datasets.get(call.params["datasetId"])
    _poll_count(row)
    shown = _shown_dataset(call, row)
    if shown["numberOfDocuments"]:
        raise Refusal(400, "The dataset still has documents")
    call.tables.datasets.remove(row)
    return shown


def create_transformation(call: Call) -> Json:
    dataset = call.tables.datasets.get(call.params["datasetId"])

    def finish(row: Row) -> None:
        row.data["status"] = "succeeded"
        _remove_duplicates(call, dataset)

    row = call.tables.transformations.add(
        {
            "datasetId": dataset.data["datasetId"],
            "operations": call.body["operations"],
            "status": "running",
            **call.created(),
        }
    )
    return call.job(row, finish).data


def _remove_duplicates(call: Call, dataset: Row) -> None:
    seen: set[str | None] = {None}  # a document without a file equals no other
    doubles = []
    for row in call.tables.documents.where(datasetId=dataset.data["datasetId"]):
        digest = row.data["contentMD5"]
        if digest is not None and digest in seen:
            doubles.append(row)
        seen.add(digest)
    _remove(call, doubles)


def list_transformations(call: Call) -> Json:
    dataset = call.tables.datasets.get(call.params["datasetId"])
    rows = call.tables.transformations.where(datasetId=dataset.data["datasetId"])
    for row in rows:
        row.poll()  # no method fetches a single one
    wanted = call.query.get("status")
    return call.page([row for row in rows if not wanted or row.data["status"] in wanted], as_it_is)


def delete_transformation(call: Call) -> Json:
    row = call.tables.transformations.get(call.params["transformationId"], datasetId=call.params["datasetId"])
    call.tables.transformations.remove(row)
    row.unfinished_polls = None
    if row.data["status"] == "running":
        row.data["status"] = "failed"
    return row.data


HANDLERS: dict[str, Handler] = {
    "create_document": create_document,
    "get_document": get_document,
    "list_documents": list_documents,
    "update_document": update_document,
    "delete_document": delete_document,
    "delete_documents": delete_documents,
    "create_dataset": create_dataset,
    "get_dataset": get_dataset,
    "list_datasets": list_datasets,
    "update_dataset": update_dataset,
    "delete_dataset": delete_dataset,
    "create_transformation": create_transformation,
    "list_transformations": list_transformations,
    "delete_transformation": delete_transformation,
}
