"""Uploads to containers and analyses: by tickets with signed addresses, or as a form. And signed addresses by uuid."""

from __future__ import annotations

import json
from typing import Any

from starlette.responses import Response

from asyncclient.testing._contract import Refusal
from asyncclient.testing.flywheel.handlers.forms import Form, read_form
from asyncclient.testing.flywheel.route import Call, Table, handles
from asyncclient.testing.flywheel.store import Arrival, register
from asyncclient.testing.flywheel.tables import Container, Content, Json
from asyncclient.testing.flywheel.uploads import Upload, slots_for

__all__ = ["TABLE", "storage_origin"]

TABLE: Table = {}


def storage_origin(call: Call) -> str:
    """Return scheme, host and port of signed addresses."""
    host = call.state.options.storage_host
    if host is None:
        return call.exchange.origin
    url = call.exchange.request.url
    return f"{url.scheme}://{host}" + ("" if url.port is None else f":{url.port}")


def _target(call: Call) -> Container:
    nested = len(call.args) == 2
    return call.state.get(call.args[1], "analysis") if nested else call.container


@handles(TABLE, "POST */{}/files", "POST */{}/analyses/{}/files")
async def upload(call: Call) -> Response | Json | list[Json]:
    target = _target(call)
    ticket = call.query.get("ticket")
    if ticket == "":
        return _new_ticket(call, target, await _json(call))
    if ticket is not None:
        return await _close(call, target, ticket)
    return await _from_form(call, target, await read_form(call))


async def _json(call: Call) -> Any:
    body = await call.exchange.request.body()
    if not body:
        return None
    try:
        return json.loads(body)
    except ValueError:
        raise Refusal(400, "body: is not JSON") from None


def _new_ticket(call: Call, target: Container, body: Any) -> Json:
    state = call.state
    if state.options.storage is None:
        raise Refusal(400, "The site has no signed uploads")
    names = body.get("filenames") if isinstance(body, dict) else None
    if not isinstance(names, list) or not names or not all(isinstance(name, str) and name for name in names):
        raise Refusal(422, "body.filenames: is not a list of names")
    metadata = _by_name(body.get("metadata") or {}, names)
    sizes = {name: _size(metadata[name]) for name in names}
    several = "multipart_signed_url" in call.features
    slots = slots_for(state.options.storage, sizes, part_bytes=state.options.part_bytes, several=several)
    made = Upload(state.ids.new(), target.id, slots, metadata)
    state.uploads[made.id] = made
    urls = {name: slot.urls(storage_origin(call)) for name, slot in slots.items()}
    shaped = {name: found if several else found[0] for name, found in urls.items()}
    return {"ticket": made.id, "urls": shaped, "headers": made.headers}


def _by_name(metadata: Any, names: list[str]) -> dict[str, Json]:
    """Return the metadata of each file: one object is for the file it names, or for all."""
    rows = metadata if isinstance(metadata, list) else [metadata]
    if not all(isinstance(row, dict) for row in rows):
        raise Refusal(422, "body.metadata: is not an object or a list of objects")
    found = {}
    for name in names:
        named = [row for row in rows if row.get("name", name) == name]
        found[name] = dict(named[0]) if named else {}
    return found


def _size(metadata: Json) -> int | None:
    size = metadata.get("size")
    if size is not None and (not isinstance(size, int) or size < 0):
        raise Refusal(422, "body.metadata.size: is not a number of bytes")
    return size


async def _close(call: Call, target: Container, ticket: str) -> list[Json]:
    state = call.state
    made = state.uploads.get(ticket)
    if made is None or made.target != target.id:
        raise Refusal(400, "There is no such upload ticket")
    body = await _json(call) or {}
    multipart = body.get("multipart") if isinstance(body, dict) else None
    contents = {name: slot.content(multipart) for name, slot in made.slots.items()}
    if state.uploads.pop(ticket, None) is None:
        raise Refusal(400, "There is no such upload ticket")
    preserve = bool(call.query.get("preserve_metadata"))
    arrivals = [Arrival(name, found, call.origin, made.metadata[name], preserve) for name, found in contents.items()]
    return [await register(state, target, arrival) for arrival in arrivals]


async def _from_form(call: Call, target: Container, form: Form) -> list[Json]:
    found = _by_name(form.metadata or {}, [file.name for file in form.files])
    preserve = bool(call.query.get("preserve_metadata"))
    shown = []
    for file in form.files:
        metadata = {"mimetype": file.mimetype, **found[file.name]}
        arrival = Arrival(file.name, Content((file.blob,)), call.origin, metadata, preserve)
        shown.append(await register(call.state, target, arrival))
    return shown


@handles(TABLE, "POST upload/signed-url")
def create_signed_url(call: Call) -> Json:
    state = call.state
    if state.options.storage is None:
        raise Refusal(400, "The site has no signed uploads")
    sizes = {"": call.body.get("size")}
    slots = slots_for(state.options.storage, sizes, part_bytes=state.options.part_bytes, several=True)
    made = Upload(state.ids.new(), None, slots, {})
    state.uploads[made.id] = made
    urls = slots[""].urls(storage_origin(call))
    if state.options.storage == "plain" and len(urls) == 1:  # as with a local file system
        urls = [f"{call.exchange.origin}/api/upload/fs-file?token={slots[''].signature}"]
    out = {
        "provider_id": call.body["provider_id"],
        "uuid": made.id,
        "upload_urls": urls,
        "upload_headers": made.headers,
    }
    return out | ({"s3_multipart_upload_id": slots[""].upload_id} if state.options.storage == "s3" else {})


@handles(TABLE, "PUT upload/fs-file")
async def put_fs_file(call: Call) -> Json:
    state = call.state
    for made in state.uploads.values():
        slot = made.slots.get("")
        if slot is not None and slot.signature == call.query.get("token") and not made.expired:
            stream = call.exchange.request.stream()
            await slot.put(state.blobs, 1, stream, limit_bytes=state.options.max_file_bytes)
            return {"provider_id": "emulator", "uuid": made.id}
    raise Refusal(403, "The token is not valid")


def _by_uuid(call: Call) -> Upload:
    made = call.state.uploads.get(call.body.get("uuid") or "")
    if made is None or made.target is not None:
        raise Refusal(404, "There is no such upload")
    return made


@handles(TABLE, "POST upload/complete-s3-multipart")
def complete_s3(call: Call) -> Json:
    made = _by_uuid(call)
    made.slots[""].content({"upload_id": call.body["upload_id"], "e_tags": call.body["etags"]})
    made.metadata["complete"] = {"upload_id": call.body["upload_id"], "e_tags": call.body["etags"]}
    return {"provider_id": call.body["provider_id"], "uuid": made.id}


@handles(TABLE, "POST upload/signed-url/cleanup")
def cleanup(call: Call) -> None:
    made = _by_uuid(call)
    del call.state.uploads[made.id]
    for blob in made.slots[""].parts.values():
        call.state.blobs.discard(blob)


@handles(TABLE, "POST files")
async def upsert_file(call: Call) -> Json:
    state, body = call.state, call.body
    target = state.get(body["parent_ref"]["id"], body["parent_ref"]["type"])
    known = target.files.get(body["name"])
    made = _by_uuid(call)
    content = made.slots[""].content(made.metadata.get("complete"))
    if content.size_bytes != body["size"]:
        raise Refusal(400, f"{content.size_bytes} bytes were uploaded and {body['size']} announced")
    del state.uploads[made.id]
    shown = await register(state, target, Arrival(body["name"], content, body["origin"], body))
    return {**shown, "upsert_result": "created" if known is None else "updated"}
