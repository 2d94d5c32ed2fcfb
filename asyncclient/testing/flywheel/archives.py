"""Many files as one stream: which ones, and as tar or zip."""

from __future__ import annotations

import io
import tarfile
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from starlette.responses import Response, StreamingResponse

from asyncclient.testing._contract import Refusal
from asyncclient.testing.flywheel import tree
from asyncclient.testing.flywheel.contents import in_pieces
from asyncclient.testing.flywheel.state import FlywheelState
from asyncclient.testing.flywheel.tables import LEVELS, Container, Content, Json, Version

__all__ = ["ArchiveFile", "archive_response", "selected"]

_BLOCK = 512


@dataclass(frozen=True, slots=True)
class ArchiveFile:
    """A file of an archive, under its path there."""

    path: str
    content: Content
    time: datetime


def selected(state: FlywheelState, body: Mapping[str, Any], *, prefix: str) -> list[ArchiveFile]:
    """Return the files that a download asks for: those of the nodes and of all that is below them.

    Raises:
        Refusal: 404, a node does not exist, unless the download is ``optional``.
    """
    found: dict[str, ArchiveFile] = {}
    for node in body["nodes"]:
        root = state.containers.get(node["_id"])
        if root is None or root.kind != node["level"]:
            if body.get("optional"):
                continue
            raise Refusal(404, f"{node['level'].capitalize()} not found")
        for container in _with_all_below(state, root):
            for series, version in container.live_files():
                if _admitted(version, body.get("filters") or ()):
                    path = "/".join([prefix, *_names(state, container), series.name])
                    found[path] = ArchiveFile(path, version.content, datetime.fromisoformat(version.created))
    return list(found.values())


def _with_all_below(state: FlywheelState, root: Container) -> Iterator[Container]:
    yield root
    levels = LEVELS[-2:] if root.kind == "collection" else LEVELS if root.kind in LEVELS else ()
    for kind in levels:
        yield from (row for row in tree.below(state, root, kind) if row.id != root.id)


def _names(state: FlywheelState, container: Container) -> list[str]:
    above = [state.containers.get(container.parents.get(level, "")) for level in LEVELS]
    rows = [row for row in above if row is not None] + [container]
    return [(row.id if row.kind == "group" else row.label).replace("/", "_") or row.id for row in rows]


def _admitted(version: Version, filters: Any) -> bool:
    return not filters or any(_passes(version, item) for item in filters)


def _passes(version: Version, rule: Json) -> bool:
    kind, tags = version.data.get("type"), list(version.data.get("tags", ())) or [None]
    since = rule.get("since")
    if since is not None and datetime.fromisoformat(version.created).timestamp() < since:
        return False
    return _wanted([kind], rule.get("types") or {}) and _wanted(tags, rule.get("tags") or {})


def _wanted(values: list[Any], rule: Json) -> bool:
    """Tell whether one value is among the wanted and none among the others; ``null`` stands for having none."""
    plus = [None if item == "null" else item for item in rule.get("plus") or ()]
    minus = [None if item == "null" else item for item in rule.get("minus") or ()]
    return (not plus or any(value in plus for value in values)) and not any(value in minus for value in values)


def archive_response(files: list[ArchiveFile], form: str) -> Response:
    """Stream files as an archive, made on the way."""
    if form == "zip":
        return StreamingResponse(_zip(files), media_type="application/zip")
    return StreamingResponse(_tar(files), media_type="application/octet-stream")


def _tar(files: list[ArchiveFile]) -> Iterator[bytes]:
    for file in files:
        head = tarfile.TarInfo(file.path)
        head.size = file.content.size_bytes
        head.mtime = int(file.time.timestamp())
        yield head.tobuf(tarfile.PAX_FORMAT)
        yield from in_pieces(file.content)
        yield bytes(-head.size % _BLOCK)
    yield bytes(2 * _BLOCK)


class _Sink(io.RawIOBase):
    """Takes what an archive writes and gives it away; nothing can be gone back to."""

    def __init__(self) -> None:
        self._waiting: list[bytes] = []

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        self._waiting.append(bytes(data))
        return len(data)

    def take(self) -> bytes:
        taken, self._waiting = b"".join(self._waiting), []
        return taken


def _zip(files: list[ArchiveFile]) -> Iterator[bytes]:
    sink = _Sink()
    with zipfile.ZipFile(sink, "w") as archive:
        for file in files:
            info = zipfile.ZipInfo(file.path, file.time.timetuple()[:6])
            with archive.open(info, "w", force_zip64=True) as member:
                for piece in in_pieces(file.content):
                    member.write(piece)
                    yield sink.take()
        yield sink.take()
    yield sink.take()
