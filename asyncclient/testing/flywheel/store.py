"""Files as they come into containers: names, types, versions."""

from __future__ import annotations

import mimetypes
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from asyncclient.testing._contract import Refusal
from asyncclient.testing.flywheel.contents import hashed
from asyncclient.testing.flywheel.shown import shown_file
from asyncclient.testing.flywheel.state import FlywheelState
from asyncclient.testing.flywheel.tables import Container, Content, Json, Series, Version, now

__all__ = ["Arrival", "mimetype_of", "register", "restore", "type_of"]

_TYPES = {
    ".dcm": "dicom",
    ".dicom.zip": "dicom",
    ".dcm.zip": "dicom",
    ".nii": "nifti",
    ".nii.gz": "nifti",
    ".csv": "tabular data",
    ".csv.gz": "tabular data",
    ".tsv": "tabular data",
    ".json": "source code",
    ".txt": "text",
    ".log": "log",
    ".pdf": "pdf",
    ".png": "image",
    ".jpg": "image",
    ".zip": "archive",
}
_FACTS = ("type", "modality", "classification", "tags", "zip_member_count", "client_hash")


def type_of(name: str) -> str | None:
    """Return the type that the end of a name stands for; the longest end counts."""
    ends = [end for end in _TYPES if name.lower().endswith(end)]
    return _TYPES[max(ends, key=len)] if ends else None


def mimetype_of(name: str) -> str:
    """Return the media type that the end of a name stands for."""
    return mimetypes.guess_type(name)[0] or "application/octet-stream"


@dataclass(frozen=True, slots=True)
class Arrival:
    """A file on its way into a container.

    Attributes:
        preserve: Keep the metadata of the version before.
    """

    name: str
    content: Content
    origin: Json
    metadata: Mapping[str, Any] = field(default_factory=dict)
    preserve: bool = False


async def register(state: FlywheelState, container: Container, arrival: Arrival) -> Json:
    """Enter a file as a new version and return what the service shows of it.

    Raises:
        Refusal: 422, it has no name.
    """
    if not arrival.name:
        raise Refusal(422, "filename: is empty")
    content = await hashed(arrival.content, up_to_bytes=state.options.hash_up_to_bytes)
    series = container.files.get(arrival.name)
    if series is None:
        series = container.files[arrival.name] = Series(state.ids.new(), arrival.name)
        state.files[series.file_id] = (container, series)
    before = series.newest
    version = _version(state, series, arrival, content, before if arrival.preserve else None)
    if before is not None:
        before.replaced = version.created
    series.versions.append(version)
    container.touch()
    return shown_file(container, series, version)


def _version(state: FlywheelState, series: Series, arrival: Arrival, content: Content, kept: Version | None) -> Version:
    given = arrival.metadata
    data = {"type": type_of(series.name)} | (dict(kept.data) if kept is not None else {})
    data |= {name: given[name] for name in _FACTS if given.get(name) is not None}
    info = dict(given.get("info") or {})
    return Version(
        id=state.ids.new(),
        number=len(series.versions) + 1,
        content=content,
        created=now(),
        origin=arrival.origin,
        mimetype=str(given.get("mimetype") or mimetype_of(series.name)),
        data=data,
        info=info if kept is None else kept.info | info,
    )


def restore(state: FlywheelState, container: Container, series: Series, old: Version, origin: Json) -> Version:
    """Make an earlier version the newest, as a version of its own."""
    before, made = series.newest, now()
    more = {"restored_from": old.number, "restored_by": origin}
    version = replace(
        old,
        id=state.ids.new(),
        number=len(series.versions) + 1,
        created=made,
        modified=made,
        data=old.data | more,
        info=dict(old.info),
        replaced=None,
        deleted=None,
    )
    if before is not None:
        before.replaced = made
    series.versions.append(version)
    container.touch()
    return version
