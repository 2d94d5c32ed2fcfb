"""What a journal can say: one frozen value per line. Pure; ``lines`` gives them their written form."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, ClassVar, Final

__all__ = [
    "VERSION",
    "Done",
    "End",
    "Fail",
    "File",
    "Job",
    "Lease",
    "Lost",
    "PartDone",
    "Record",
    "Session",
    "Skip",
    "Sync",
]

VERSION: Final = 1
"""Of the format; raised when the meaning of a line changes, not when kinds or keys are added."""


@dataclass(frozen=True, slots=True)
class Record:
    """One line of a journal."""

    kind: ClassVar[str]


@dataclass(frozen=True, slots=True)
class Job(Record):
    """The first line: what this journal is about.

    Attributes:
        id: UUID version 7, 32 hexadecimal digits.
        service: Module name of the service.
        direction: ``up`` or ``down``.
        origin: ``scheme://host:port`` of the service.
        library: Version of this package.
        options: What the plan depends on, so that a resume plans the same.
        version: Of the format.
    """

    kind = "job"
    id: str
    service: str
    direction: str
    origin: str | None = None
    library: str | None = None
    options: dict[str, Any] = field(default_factory=dict)
    version: int = VERSION


@dataclass(frozen=True, slots=True)
class Lease(Record):
    """Who writes this journal and was alive when.

    Attributes:
        owner: Random name of one opening of the journal.
        host: Host name.
        machine: Hash of the machine id, or "".
        boot: Id of the boot, or "".
        space: Process id namespace, or "".
        pid: Process id.
        started: Start of the process in clock ticks since boot, or "".
        beat: Seconds since the epoch; 0 when the journal was closed in order.
    """

    kind = "lease"
    owner: str
    host: str
    pid: int
    beat: float
    machine: str = ""
    boot: str = ""
    space: str = ""
    started: str = ""


@dataclass(frozen=True, slots=True)
class File(Record):
    """A transfer begins, or begins anew: everything recorded before for this number is void.

    Attributes:
        n: Number of the transfer within the job.
        path: Source of an upload (relative to the job's root, POSIX form), or name at the service.
        dst: Destination: for downloads the absolute local path, for uploads the name at the service.
        size: Bytes, if known.
        mtime_ns: Of the local source.
        ino: Of the local source.
        dev: Of the local source.
        etag: Of the remote source.
    """

    kind = "file"
    n: int
    path: str
    dst: str | None = None
    size: int | None = None
    mtime_ns: int | None = None
    ino: int | None = None
    dev: int | None = None
    etag: str | None = None


@dataclass(frozen=True, slots=True)
class Session(Record):
    """The service has opened an upload; parts of another session are no longer confirmed.

    Attributes:
        n: Number of the transfer.
        upload_id: The service's id of the upload; never a URL with a query.
        part: Bytes per part.
        count: Number of parts, if known.
        expires: Seconds since the epoch, or None.
        extra: Whatever else the service needs to go on, no secrets.
    """

    kind = "sess"
    n: int
    upload_id: str
    part: int | None = None
    count: int | None = None
    expires: float | None = None
    extra: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class PartDone(Record):
    """A part has arrived: confirmed by the service, or written to the part file.

    Attributes:
        n: Number of the transfer.
        index: Of the part, from 0.
        offset: First byte.
        length: Bytes.
        md5: Of the part, hexadecimal, if computed: where a service names one, or an etag is made of them.
        etag: What the service returned for it.
        crc32: Of the part, unsigned, the polynomial of gzip. What proves a part that a later run finds in a file: it
            shows a write that was torn, and costs a seventh of an md5.

    Journals of earlier versions have the md5 alone; it is taken as proof as before.
    """

    kind = "part"
    n: int
    index: int
    offset: int
    length: int
    md5: str | None = None
    etag: str | None = None
    crc32: int | None = None

    @property
    def provable(self) -> bool:
        """Whether the bytes of the part can be held against it."""
        return self.crc32 is not None or self.md5 is not None


@dataclass(frozen=True, slots=True)
class Lost(Record):
    """Parts turned out missing or wrong: what was recorded of them is void.

    Attributes:
        n: Number of the transfer.
        indices: Of the parts.
    """

    kind = "lost"
    n: int
    indices: list[int]


@dataclass(frozen=True, slots=True)
class Sync(Record):
    """The data of all parts of this transfer recorded above is on the disk.

    Attributes:
        n: Number of the transfer.
        upto: How many part records that are.
    """

    kind = "sync"
    n: int
    upto: int


@dataclass(frozen=True, slots=True)
class Done(Record):
    """A transfer is complete and verified. For a file that fits in one request this is its only line.

    Attributes:
        n: Number of the transfer.
        md5: Of the whole, if computed.
        remote: What the service calls it.
        path: As in :class:`File`, if there is no such record.
        size: As in :class:`File`, if there is no such record.
        mtime_ns: As in :class:`File`, if there is no such record.
    """

    kind = "done"
    n: int
    md5: str | None = None
    remote: dict[str, Any] = field(default_factory=dict)
    path: str | None = None
    size: int | None = None
    mtime_ns: int | None = None


@dataclass(frozen=True, slots=True)
class Fail(Record):
    """A transfer was given up for now; what it has stays.

    Attributes:
        n: Number of the transfer.
        code: Name of the error class.
        message: Its text; secrets are taken out when it is written.
    """

    kind = "fail"
    n: int
    code: str
    message: str = ""


@dataclass(frozen=True, slots=True)
class Skip(Record):
    """A transfer was not needed.

    Attributes:
        n: Number of the transfer.
        reason: Why.
    """

    kind = "skip"
    n: int
    reason: str = ""


@dataclass(frozen=True, slots=True)
class End(Record):
    """All transfers of the job were dealt with.

    Attributes:
        ok: How many are done or were not needed.
        failed: How many were given up.
    """

    kind = "end"
    ok: int
    failed: int
