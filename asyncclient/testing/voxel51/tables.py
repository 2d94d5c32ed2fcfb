"""The platform's data: analytics, files, jobs, and who they belong to. Pure."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Generic, Protocol, TypeVar

from asyncclient.testing._blobs import Blob
from asyncclient.testing._contract import Refusal
from asyncclient.testing.voxel51.clock import text_of

__all__ = ["Analytic", "Application", "Data", "Job", "Link", "Table", "new_id"]


def new_id() -> str:
    """Return an id as the service makes them."""
    return str(uuid.uuid4())


@dataclass(slots=True)
class Application:
    """An application.

    Attributes:
        name: For tests.
        users: Names of its users, in order of creation.
    """

    name: str
    users: list[str] = field(default_factory=list)

    @property
    def owner(self) -> str:
        """As whom the application itself has analytics."""
        return f"application:{self.name}"

    def owner_of(self, username: str) -> str:
        """As whom one of its users has data and jobs."""
        return f"{self.owner}/{username}"


@dataclass(slots=True)
class Analytic:
    """An analytic.

    Attributes:
        owner: Who uploaded it; None for the public ones.
        doc: Its documentation.
        needs: Images that have not come yet: CPU, GPU.
    """

    id: str
    owner: str | None
    name: str
    version: str
    doc: dict[str, Any]
    uploaded: datetime
    kind: str = "PLATFORM"
    needs: set[str] = field(default_factory=set)

    @property
    def pending(self) -> bool:
        """Whether it cannot be used yet."""
        return bool(self.needs)

    def shown(self) -> dict[str, Any]:
        """Return its metadata."""
        info = self.doc["info"]
        return {
            "id": self.id,
            "name": self.name,
            "version": self.version,
            "scope": "public" if self.owner is None else "user",
            "supports_cpu": bool(info.get("supports_cpu", True)),
            "supports_gpu": bool(info.get("supports_gpu", False)),
            "pending": self.pending,
            "upload_date": text_of(self.uploaded),
            "description": info.get("description"),
        }


@dataclass(slots=True)
class Data:
    """A file, or the place of one.

    Attributes:
        blob: The file; None for what stays at its URL.
        url: Where it stays.
    """

    id: str
    owner: str
    name: str
    kind: str
    size_bytes: int
    uploaded: datetime
    expires: datetime
    blob: Blob | None = None
    url: str | None = None
    encoding: str | None = None

    def shown(self) -> dict[str, Any]:
        """Return its metadata."""
        return {
            "id": self.id,
            "name": self.name,
            "size": self.size_bytes,
            "type": self.kind,
            "encoding": self.encoding,
            "upload_date": text_of(self.uploaded),
            "expiration_date": text_of(self.expires),
        }


@dataclass(slots=True)
class Job:
    """A job.

    Attributes:
        request: What it was made from.
        looks: How many answers showed it since it was started.
        fails: With which failure type it is going to end; None if all goes well.
        output: Its output, once it is complete.
    """

    id: str
    owner: str
    name: str
    analytic: Analytic
    request: dict[str, Any]
    uploaded: datetime
    expires: datetime
    auto_start: bool
    state: str = "READY"
    archived: bool = False
    started: datetime | None = None
    completed: datetime | None = None
    failed: datetime | None = None
    failure: str | None = None
    fails: str | None = None
    looks: int = 0
    messages: list[dict[str, str]] = field(default_factory=list)
    inputs: dict[str, dict[str, Any]] = field(default_factory=dict)
    output: Blob | None = None
    output_name: str = "output.json"

    def shown(self, now: datetime) -> dict[str, Any]:
        """Return its metadata."""
        return {
            "id": self.id,
            "name": self.name,
            "state": self.state,
            "archived": self.archived,
            "upload_date": text_of(self.uploaded),
            "expiration_date": text_of(self.expires),
            "expired": self.expires <= now,
            "analytic_id": self.analytic.id,
            "compute_mode": self.request.get("compute_mode", "BEST"),
            "auto_start": self.auto_start,
            "start_date": text_of(self.started),
            "completion_date": text_of(self.completed),
            "fail_date": text_of(self.failed),
            "failure_type": self.failure,
            "output_filename": self.output_name,
        }


@dataclass(frozen=True, slots=True)
class Link:
    """What a signed URL leads to.

    Attributes:
        blob: Asks for the file, which may be gone by then.
    """

    blob: Callable[[], Blob]
    media_type: str
    expires: datetime


class _Row(Protocol):
    id: str


R = TypeVar("R", bound=_Row)


class Table(Generic[R]):
    """Rows of one kind, by id, in order of creation.

    Args:
        noun: What a row is called where it is missing, for instance ``Data``.
    """

    def __init__(self, noun: str) -> None:
        self._noun = noun
        self._rows: dict[str, R] = {}

    def add(self, row: R) -> R:
        """Add a row."""
        self._rows[row.id] = row
        return row

    def get(self, row_id: str) -> R:
        """Return a row.

        Raises:
            Refusal: 404, there is none.
        """
        row = self._rows.get(row_id)
        if row is None:
            raise self.missing()
        return row

    def missing(self) -> Refusal:
        """Return the answer for what is not there."""
        return Refusal(404, f"{self._noun} not found")

    def remove(self, row: R) -> None:
        """Delete a row."""
        self._rows.pop(row.id, None)

    def __iter__(self) -> Iterator[R]:
        return iter(list(self._rows.values()))
