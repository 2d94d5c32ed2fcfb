"""Analytics."""

from __future__ import annotations

from typing import Any

from asyncclient.testing._blobs import Blob
from asyncclient.testing._contract import Refusal
from asyncclient.testing.voxel51.call import Call, Handler, Json
from asyncclient.testing.voxel51.handlers._common import batch, json_file
from asyncclient.testing.voxel51.queries import KINDS, run_query
from asyncclient.testing.voxel51.tables import Analytic, new_id

__all__ = ["HANDLERS", "newest"]


def version_key(version: str) -> list[tuple[int, int, str]]:
    """Sort versions: 0.9 before 0.10, numbers before words."""
    return [(0, int(part), "") if part.isdecimal() else (1, 0, part) for part in version.split(".")]


def newest(rows: list[Analytic]) -> list[Analytic]:
    """Return the newest version of each analytic, in the given order."""
    best: dict[tuple[str | None, str], Analytic] = {}
    for row in rows:
        key = (row.owner, row.name)
        if key not in best or version_key(best[key].version) <= version_key(row.version):
            best[key] = row
    return [row for row in rows if best[row.owner, row.name] is row]


def _list(call: Call) -> Json:
    ready = [row for row in call.analytics() if not row.pending]
    rows = ready if call.body.get("all_versions") else newest(ready)
    return {"analytics": [row.shown() for row in rows]}


def _query(call: Call) -> Json:
    query = call.query
    rows = call.analytics()
    rows = rows if query.get("all_versions") else newest(rows)
    records = [{**row.shown(), "type": row.kind} for row in rows]
    return run_query(KINDS["analytics"], records, query)


def _details(call: Call, analytic_id: str) -> Json:
    return call.analytic(analytic_id).shown()


def _details_alone(call: Call) -> Json:
    return {"analytic": _details(call, call.row_id)}


def _doc(call: Call) -> Json:
    return call.analytic(call.row_id).doc


def _upload(call: Call) -> Json:
    assert call.file is not None
    doc = json_file(call.file)
    info, name, version = _named(doc)
    needs = {kind for kind in ("CPU", "GPU") if info.get(f"supports_{kind.lower()}")}
    owner = call.analytics_owner
    if any((row.owner, row.name, row.version) == (owner, name, version) for row in call.state.analytics):
        raise Refusal(409, "This version of the analytic is there already")
    kind = call.body.get("analytic_type", "PLATFORM")
    row = Analytic(new_id(), owner, name, version, doc, call.state.clock.now(), kind, needs)
    call.state.analytics.add(row)
    return {"analytic": {**row.shown(), "is_image_to_video": kind == "IMAGE_TO_VIDEO"}}


def _named(doc: Any) -> tuple[Json, str, str]:
    info = doc.get("info") if isinstance(doc, dict) else None
    if not isinstance(info, dict):
        raise Refusal(400, "file.info: is required")
    name, version = info.get("name"), info.get("version", "0.1")
    if not isinstance(name, str) or not name or not isinstance(version, str):
        raise Refusal(400, "file.info: name and version are texts")
    return info, name, version


def _upload_image(call: Call) -> None:
    row = _own(call, call.row_id)
    assert call.file is not None
    if not row.doc["info"].get(f"supports_{call.query['type'].lower()}"):
        _forget(call)
        raise Refusal(400, "type: the analytic does not support it")
    row.needs.discard(call.query["type"])
    _forget(call)


def _forget(call: Call) -> None:
    """Drop an image; nobody ever fetches it."""
    assert call.file is not None
    assert isinstance(call.file.content, Blob)
    call.state.blobs.discard(call.file.content)


def _delete(call: Call) -> None:
    call.state.analytics.remove(_own(call, call.row_id))


def _own(call: Call, analytic_id: str) -> Analytic:
    row = call.analytic(analytic_id)
    if row.owner != call.analytics_owner:
        raise Refusal(403, "The analytic belongs to somebody else")
    return row


_BOTH: dict[str, Handler] = {
    "list_analytics": _list,
    "query_analytics": _query,
    "get_analytic_details": _details_alone,
    "get_analytic_doc": _doc,
    "upload_analytic": _upload,
    "upload_analytic_image": _upload_image,
    "delete_analytic": _delete,
}


def _of_application(handler: Handler) -> Handler:
    def handle(call: Call) -> Any:
        call.check_application()
        return handler(call)

    return handle


HANDLERS: dict[str, Handler] = {
    **_BOTH,
    **{f"app_{name}": _of_application(handler) for name, handler in _BOTH.items()},
    "batch_get_analytic_details": batch(_details),
}
