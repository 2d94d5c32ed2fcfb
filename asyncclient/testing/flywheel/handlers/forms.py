"""Multipart forms: read them, place their files by label or uid, and pack many of them into one."""

from __future__ import annotations

import json
import secrets
import zipfile
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from tempfile import TemporaryFile
from typing import Any
from urllib.parse import unquote

from starlette.datastructures import UploadFile
from starlette.formparsers import MultiPartException
from starlette.responses import Response

from asyncclient.testing._blobs import Blob
from asyncclient.testing._contract import Refusal
from asyncclient.testing.flywheel import tree
from asyncclient.testing.flywheel.contents import in_pieces, in_thread
from asyncclient.testing.flywheel.route import Call, Table, handles
from asyncclient.testing.flywheel.shown import file_record
from asyncclient.testing.flywheel.store import Arrival, register
from asyncclient.testing.flywheel.tables import Container, Content, Json

__all__ = ["TABLE", "Form", "FormFile", "read_form"]

TABLE: Table = {}

_PIECE_BYTES = 1024 * 1024


@dataclass(frozen=True, slots=True)
class FormFile:
    """One file of a form."""

    name: str
    mimetype: str
    blob: Blob


@dataclass(frozen=True, slots=True)
class Form:
    """A form: its files in their order, and the JSON of its field ``metadata``."""

    files: list[FormFile]
    metadata: Any


async def read_form(call: Call) -> Form:
    """Read a form and store its files.

    Raises:
        Refusal: 400, it is broken; 413, a file is too large; 415, it is no form; 422, its metadata are no JSON.
    """
    request = call.exchange.request
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != "multipart/form-data":
        raise Refusal(415, "Unsupported Media Type")
    try:
        form = await request.form(max_files=100_000, max_part_size=64 * 1024 * 1024)
    except MultiPartException as error:
        raise Refusal(400, f"body: {error.message}") from None
    async with _closing(form):
        files = [await _stored(call, item) for _, item in form.multi_items() if isinstance(item, UploadFile)]
        return Form(files, _metadata(form.get("metadata")))


class _closing:  # noqa: N801 - reads like contextlib.closing
    def __init__(self, form: Any) -> None:
        self._form = form

    async def __aenter__(self) -> None:
        return None

    async def __aexit__(self, *_: object) -> None:
        await self._form.close()


def _metadata(text: Any) -> Any:
    if text is None:
        return None
    try:
        return json.loads(text)
    except (TypeError, ValueError):
        raise Refusal(422, "metadata: is not JSON") from None


async def _stored(call: Call, file: UploadFile) -> FormFile:
    async def chunks() -> AsyncIterator[bytes]:
        while piece := await file.read(_PIECE_BYTES):
            yield piece

    blob = await call.state.blobs.receive(chunks(), limit_bytes=call.state.options.max_file_bytes)
    return FormFile(_name(file.filename or ""), file.content_type or "application/octet-stream", blob)


def _name(text: str) -> str:
    """Undo what browsers and clients do to quotes and line breaks in file names."""
    for sign in ("%22", "%0A", "%0D"):
        text = text.replace(sign, unquote(sign))
    return text


@handles(TABLE, "POST upload/label", "POST upload/uid", "POST upload/reaper")
async def upload_by_labels(call: Call) -> list[Json]:
    """Place files in containers that the metadata name by labels or uids; what is missing is made."""
    if "ticket" in call.query:
        raise Refusal(400, "The emulator takes these uploads as forms only")
    form = await read_form(call)
    metadata = form.metadata
    if not isinstance(metadata, dict):
        raise Refusal(422, "metadata: is missing")
    placed = _places(call, metadata)
    shown = []
    for file in form.files:
        for target, rows in placed:
            named = [row for row in rows if isinstance(row, dict) and row.get("name") == file.name]
            if named:
                arrival = Arrival(file.name, Content((file.blob,)), call.origin, named[0])
                shown.append(file_record(await register(call.state, target, arrival)))
    return shown


def _places(call: Call, metadata: Mapping[str, Any]) -> list[tuple[Container, list[Any]]]:
    group_id = (metadata.get("group") or {}).get("_id")
    found = call.state.get(group_id or "", "group")
    places = []
    for kind in ("project", "subject", "session", "acquisition"):
        part = metadata.get(kind)
        if kind == "subject":
            part = part or (metadata.get("session") or {}).get("subject")
            if part is None and "session" in metadata:
                part = {"label": "unknown"}
        if not part:
            continue
        found = _placed(call, found, kind, part)
        places.append((found, list(part.get("files") or ())))
    return places


def _placed(call: Call, above: Container, kind: str, part: Mapping[str, Any]) -> Container:
    """Return the container that ``part`` describes, made if need be; the reaper's form knows uids wherever they are."""
    reaper = call.operation.path[-1] == "reaper"
    by_uid = call.operation.path[-1] in ("uid", "reaper") and part.get("uid")
    name = "uid" if by_uid else "label"
    wanted = part.get(name) or (part.get("code") if kind == "subject" else None)
    if not wanted:
        raise Refusal(422, f"metadata.{kind}: has no {name}")
    rows = call.state.of_kind(kind) if reaper and by_uid else tree.below(call.state, above, kind)
    for row in rows:
        if row.data.get(name) == wanted:
            return row
    facts = {key: value for key, value in part.items() if key not in ("files", "subject", "_id")}
    lineage: dict[str, Any] = dict(above.lineage)
    return tree.add(call.state, kind, {"label": wanted, **facts, **lineage}, call.user_id)


@handles(TABLE, "POST projects/{}/packfile-start")
def start_packfile(call: Call) -> Json:
    token = secrets.token_hex(12)
    call.state.packfiles[token] = []
    assert call.container.kind == "project"
    return {"token": token}


def _packfile(call: Call) -> list[tuple[str, Any]]:
    found = call.state.packfiles.get(call.query.get("token") or "")
    if found is None:
        raise Refusal(404, "There is no such packfile")
    return found


@handles(TABLE, "POST projects/{}/packfile")
async def add_to_packfile(call: Call) -> list[Json]:
    held = _packfile(call)
    form = await read_form(call)
    held += [(file.name, file.blob) for file in form.files]
    return [{"name": file.name, "size": file.blob.size_bytes} for file in form.files]


@handles(TABLE, "GET projects/{}/packfile-end")
async def end_packfile(call: Call) -> Response:
    """Pack what was sent into a zip file on an acquisition, and tell of it as server-sent events."""
    held = _packfile(call)
    metadata = _metadata(call.query.get("metadata"))
    if not isinstance(metadata, dict) or not {"project", "session", "acquisition", "packfile"} <= metadata.keys():
        raise Refusal(422, "metadata: names no project, session, acquisition or packfile")
    above = call.container
    subject = (metadata["session"].get("subject") or {}).get("code") or "unknown"
    for kind, part in (
        ("subject", {"label": subject}),
        *((kind, metadata[kind]) for kind in ("session", "acquisition")),
    ):
        above = _placed(call, above, kind, part)
    blob = await _packed(call, held)
    name = f"{above.label}.{metadata['packfile']['type']}.zip"
    arrival = Arrival(name, Content((blob,)), call.origin, {"type": metadata["packfile"]["type"]})
    await register(call.state, above, arrival)
    del call.state.packfiles[call.query["token"]]
    total = len(held)
    events = [("progress", {"done": n, "total": total, "percent": n / total * 100}) for n in range(1, total + 1)]
    result = {"acquisition_id": above.id, "session_id": above.parents["session"], "info": {"name": name}}
    text = "".join(f"event: {kind}\ndata: {json.dumps(data)}\n\n" for kind, data in [*events, ("result", result)])
    return Response(text, media_type="text/event-stream; charset=utf-8")


async def _packed(call: Call, held: list[tuple[str, Any]]) -> Blob:
    def pack() -> bytes:
        with TemporaryFile() as file:
            with zipfile.ZipFile(file, "w") as archive:
                for name, blob in held:
                    with archive.open(name, "w", force_zip64=True) as member:
                        for piece in in_pieces(Content((blob,))):
                            member.write(piece)
            file.seek(0)
            return file.read()

    packed = await in_thread(pack)

    async def chunks() -> AsyncIterator[bytes]:
        yield packed

    blob = await call.state.blobs.receive(chunks(), limit_bytes=call.state.options.max_file_bytes)
    for _, part in held:
        call.state.blobs.discard(part)
    return blob
