"""Downloads: files of containers, outputs and inputs of analyses, zip members, tickets, redirects."""

from __future__ import annotations

from urllib.parse import quote

from starlette.responses import Response

from asyncclient.testing._contract import Refusal
from asyncclient.testing._ranges import Span, requested
from asyncclient.testing.flywheel.archives import archive_response, selected
from asyncclient.testing.flywheel.contents import ContentResponse, in_thread, zip_info, zip_member
from asyncclient.testing.flywheel.handlers.uploads import storage_origin
from asyncclient.testing.flywheel.route import Call, Table, handles
from asyncclient.testing.flywheel.store import mimetype_of
from asyncclient.testing.flywheel.tables import Container, Json, Series, Version
from asyncclient.testing.flywheel.uploads import FOLDER

__all__ = ["TABLE"]

TABLE: Table = {}


def _located(call: Call) -> tuple[Container, Series, Version]:
    """Return the file that a path names."""
    inputs = call.operation.path[-2] == "inputs"
    container = call.state.get(call.args[1], "analysis") if len(call.args) == 3 else call.container
    name = call.args[-1]
    if inputs:
        found = next((item for item in container.inputs if item[1] == name), None)
        if found is None:
            raise Refusal(404, "File not found")
        container = call.state.get(found[0])
    series = container.series(name)
    return container, series, series.version(call.query.get("version"))


@handles(
    TABLE,
    *("GET */{}/files/{}", "GET */{}/inputs/{}", "GET */{}/analyses/{}/files/{}", "GET */{}/analyses/{}/inputs/{}"),
)
async def download(call: Call) -> Response | Json:
    _, series, version = _located(call)
    query = call.query
    if query.get("hash") and query["hash"] != version.content.hash:
        raise Refusal(409, "The file has another hash")
    if query.get("ticket") == "":
        return _new_ticket(call, series, version)
    if query.get("ticket"):
        _check_ticket(call, series)
    if query.get("info"):
        return await in_thread(zip_info, version.content)
    member = query.get("member")
    if member:
        return await _member(call, version, member)
    if call.state.options.redirect_downloads and "safe-redirect" in call.features:
        return _redirect(call, series, version)
    headers = {"content-type": version.mimetype, "content-disposition": _disposition(series.name)}
    span = _span(call, version.content.size_bytes)
    return ContentResponse(call.state.blobs, version.content, span, headers)


def _disposition(name: str) -> str:
    return f"attachment; filename*=UTF-8''{quote(name, safe='')}"


def _span(call: Call, size_bytes: int) -> Span | None:
    if call.state.options.range_needs_view and not call.query.get("view"):
        return None
    return requested(call.exchange.request.headers.get("range"), size_bytes)


async def _member(call: Call, version: Version, path: str) -> Response:
    data = await in_thread(zip_member, version.content, path)
    span = _span(call, len(data))
    headers = {"content-type": mimetype_of(path)}
    if span is None:
        return Response(data, 200, headers)
    headers["content-range"] = f"bytes {span.start}-{span.stop - 1}/{len(data)}"
    return Response(data[span.start : span.stop], 206, headers)


def _new_ticket(call: Call, series: Series, version: Version) -> Json:
    ticket = call.state.ids.new()
    call.state.tickets[ticket] = {"file_id": series.file_id, "version": version.number}
    return {"ticket": ticket, "filename": series.name, "file_cnt": 1, "size": version.content.size_bytes}


def _check_ticket(call: Call, series: Series) -> None:
    if call.state.tickets.get(call.query["ticket"], {}).get("file_id") != series.file_id:
        raise Refusal(400, "The ticket is not for this file")


def _redirect(call: Call, series: Series, version: Version) -> Response:
    token = call.state.ids.new()
    call.state.tickets[token] = {"file_id": series.file_id, "version": version.number, "signed": True}
    return Response(status_code=302, headers={"location": f"{storage_origin(call)}/{FOLDER}/{token}?sig={token[::-1]}"})


@handles(TABLE, "POST download")
def create_ticket(call: Call) -> Json:
    # The description has one body for all three strategies: nodes. What is asked for is the same files.
    if call.query.get("type", "classic") not in ("bulk", "classic", "full"):
        raise Refusal(422, "query.type: is not one of bulk, classic, full")
    files = selected(call.state, call.body, prefix=call.query.get("prefix") or "scitran")
    if not files:
        raise Refusal(404, "No files match the request")
    ticket = call.state.ids.new()
    call.state.tickets[ticket] = {"files": files}
    size = sum(file.content.size_bytes for file in files)
    return {"ticket": ticket, "filename": f"flywheel-{ticket[-6:]}", "file_cnt": len(files), "size": size}


@handles(TABLE, "GET download")
def download_ticket(call: Call) -> Response:
    ticket = call.state.tickets.get(call.query.get("ticket") or "", {})
    if "files" not in ticket:
        raise Refusal(404, "There is no such ticket")
    return archive_response(ticket["files"], call.query.get("format") or "tar")
