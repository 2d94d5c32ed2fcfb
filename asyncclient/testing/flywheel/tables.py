"""The service's data: containers, and files with their versions. Pure."""

from __future__ import annotations

import itertools
import secrets
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from asyncclient.testing._blobs import Blob
from asyncclient.testing._contract import Refusal

__all__ = ["LEVELS", "PLURALS", "Container", "Content", "Ids", "Json", "Series", "Version", "now"]

Json = dict[str, Any]

LEVELS = ("group", "project", "subject", "session", "acquisition")
PLURALS = {
    "groups": "group",
    "projects": "project",
    "subjects": "subject",
    "sessions": "session",
    "acquisitions": "acquisition",
    "collections": "collection",
    "analyses": "analysis",
}


def now() -> str:
    """Return the present time as the service writes it."""
    return datetime.now(UTC).isoformat(timespec="milliseconds")


class Ids:
    """Makes ids of 24 hexadecimal digits that ascend, so that their order is that of creation."""

    def __init__(self) -> None:
        self._prefix = f"{int(time.time()):08x}{secrets.token_hex(4)}"
        self._numbers = itertools.count(1)

    def new(self) -> str:
        """Return the next id."""
        return f"{self._prefix}{next(self._numbers):08x}"


@dataclass(frozen=True, slots=True)
class Content:
    """The bytes of a file: blobs in their order, as parts arrived."""

    blobs: tuple[Blob, ...]
    hash: str | None = None

    @property
    def size_bytes(self) -> int:
        """Length of the whole."""
        return sum(blob.size_bytes for blob in self.blobs)


@dataclass(slots=True)
class Version:
    """One version of a file.

    Attributes:
        data: Facts that the service shows and that may change: type, modality, classification, tags.
    """

    id: str
    number: int
    content: Content
    created: str
    origin: Json
    mimetype: str
    data: Json
    info: Json = field(default_factory=dict)
    modified: str = field(default_factory=now)
    replaced: str | None = None
    deleted: str | None = None


@dataclass(slots=True)
class Series:
    """A file: all versions under one name and one id."""

    file_id: str
    name: str
    versions: list[Version] = field(default_factory=list)

    @property
    def newest(self) -> Version | None:
        """The version that counts; None if all are deleted."""
        return next((version for version in reversed(self.versions) if version.deleted is None), None)

    def version(self, number: int | None) -> Version:
        """Return a version, or the newest.

        Raises:
            Refusal: 404, there is none, or it is deleted.
        """
        if number is None:
            found = self.newest
        else:
            found = next((item for item in self.versions if item.number == number and item.deleted is None), None)
        if found is None:
            raise Refusal(404, "File not found")
        return found


@dataclass(slots=True)
class Container:
    """A group, project, subject, session, acquisition, collection or analysis.

    Attributes:
        parents: Ids of what is above it, by level.
        data: Facts that are particular to its kind: labels, times, settings.
        files: By name; of an analysis its outputs.
        inputs: Of an analysis: container ids and names of files.
    """

    id: str
    kind: str
    parents: dict[str, str]
    data: Json
    info: Json = field(default_factory=dict)
    tags: list[str] = field(default_factory=list)
    notes: list[Json] = field(default_factory=list)
    permissions: list[Json] = field(default_factory=list)
    files: dict[str, Series] = field(default_factory=dict)
    inputs: list[tuple[str, str]] = field(default_factory=list)
    created: str = field(default_factory=now)
    modified: str = field(default_factory=now)
    revision: int = 1

    @property
    def label(self) -> str:
        """What it is called."""
        return str(self.data.get("label") or "")

    @property
    def ref(self) -> Json:
        """Kind and id, as references are written."""
        return {"type": self.kind, "id": self.id}

    @property
    def lineage(self) -> dict[str, str]:
        """Ids by level, its own included."""
        return {**self.parents, self.kind: self.id}

    def touch(self) -> None:
        """Note that it was changed."""
        self.modified = now()
        self.revision += 1

    def series(self, name: str) -> Series:
        """Return a file that is not deleted.

        Raises:
            Refusal: 404, there is none.
        """
        found = self.files.get(name)
        if found is None or found.newest is None:
            raise Refusal(404, "File not found")
        return found

    def live_files(self) -> Iterator[tuple[Series, Version]]:
        """Iterate over files that are not deleted."""
        for series in self.files.values():
            newest = series.newest
            if newest is not None:
                yield series, newest
