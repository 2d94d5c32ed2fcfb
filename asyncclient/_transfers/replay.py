"""What a journal says happened. Pure.

Replay never claims more than was written: a torn last line is dropped, a damaged line ends the reading there, and a
part counts only for the session and the file it was recorded for.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from asyncclient._transfers.lines import Unknown, decode_line, encode_line
from asyncclient._transfers.records import (
    VERSION,
    Done,
    End,
    Fail,
    File,
    Job,
    Lease,
    Lost,
    PartDone,
    Record,
    Session,
    Skip,
    Sync,
)

__all__ = ["FileState", "JournalState", "compact", "replay"]


@dataclass(slots=True)
class FileState:
    """One transfer, as recorded.

    Attributes:
        file: What it is, or None for a small file of which only the outcome was written.
        session: The upload session, or None.
        parts: Those that arrived, by index.
        proven: Indices of those whose data is on the disk; the others must be read again before they are trusted.
        digests: md5 by offset and length of parts that arrived in earlier sessions; the bytes are the same, the
            service has them no longer.
        outcome: How it ended, or None.
    """

    file: File | None = None
    session: Session | None = None
    parts: dict[int, PartDone] = field(default_factory=dict)
    proven: set[int] = field(default_factory=set)
    digests: dict[tuple[int, int], str] = field(default_factory=dict)
    outcome: Done | Fail | Skip | None = None

    @property
    def unproven(self) -> list[PartDone]:
        """Parts recorded after the last sync, ascending."""
        return [self.parts[index] for index in sorted(self.parts.keys() - self.proven)]


@dataclass(slots=True)
class JournalState:
    """Everything one journal says.

    Attributes:
        job: None if not even the first line is whole.
        files: Transfers by number.
        lease: The last one written.
        owners: Names of all that have written here, oldest first; part files may carry any of them.
        end: Whether all transfers were dealt with, and how.
        intact_bytes: Length of what could be read.
        dropped_bytes: Length of what could not.
        unknown: Intact lines of kinds this version does not know.
    """

    job: Job | None = None
    files: dict[int, FileState] = field(default_factory=dict)
    lease: Lease | None = None
    owners: list[str] = field(default_factory=list)
    end: End | None = None
    intact_bytes: int = 0
    dropped_bytes: int = 0
    unknown: int = 0

    @property
    def readable(self) -> bool:
        """Whether this version understands the journal."""
        return self.job is not None and self.job.version <= VERSION


def replay(data: bytes) -> JournalState:
    """Read a journal as far as it is intact."""
    state = JournalState()
    at = 0
    while (stop := data.find(b"\n", at)) >= 0:
        record = decode_line(data[at:stop])
        if record is None:
            break
        at = stop + 1
        if isinstance(record, Unknown):
            state.unknown += 1
        else:
            _apply(state, record)
    state.intact_bytes = at
    state.dropped_bytes = len(data) - at
    return state


def _apply(state: JournalState, record: Record) -> None:
    match record:
        case Job():
            state.job = record
        case Lease():
            state.lease = record
            if record.owner not in state.owners:
                state.owners.append(record.owner)
        case End():
            state.end = record
        case File():
            state.files[record.n] = FileState(file=record)
            state.end = None
        case Session() | Done() | Fail() | Skip():
            _apply_to_file(state.files.setdefault(record.n, FileState()), record)
            state.end = None
        case PartDone() | Lost() | Sync() if record.n in state.files:  # else nobody knows of which file
            _apply_to_file(state.files[record.n], record)
            state.end = None


def _apply_to_file(state: FileState, record: Record) -> None:
    match record:
        case Session():
            _begin_session(state, record)
        case PartDone() if state.file is not None:
            state.parts[record.index] = record
            state.proven.discard(record.index)  # written again: what was synced before was other data
            state.outcome = None
        case Lost():
            for index in record.indices:
                state.parts.pop(index, None)
                state.proven.discard(index)
            state.outcome = None
        case Sync():
            state.proven.update(state.parts)
        case Done() | Fail() | Skip():
            state.outcome = record


def _begin_session(state: FileState, session: Session) -> None:
    before = state.session
    state.session = session
    state.outcome = None
    if before is None or (before.upload_id, before.part) != (session.upload_id, session.part):
        for part in state.parts.values():
            if part.md5 is not None:
                state.digests[part.offset, part.length] = part.md5
        state.parts.clear()
        state.proven.clear()


def compact(state: JournalState) -> bytes:
    """Write a journal anew with what still matters; leases of earlier owners stay, as part files carry their names."""
    return b"".join(map(encode_line, _essence(state)))


def _essence(state: JournalState) -> Iterator[Record]:
    if state.job is not None:
        yield state.job
    for owner in state.owners:
        if state.lease is None or owner != state.lease.owner:
            yield Lease(owner=owner, host="", pid=0, beat=0)
    if state.lease is not None:
        yield state.lease
    for n in sorted(state.files):
        yield from _file_essence(n, state.files[n])
    if state.end is not None:
        yield state.end


def _file_essence(n: int, state: FileState) -> Iterator[Record]:
    if state.file is not None:
        yield state.file
    if not isinstance(state.outcome, Done):  # a complete file needs its parts no more
        if state.session is not None:
            # Ahead of the session these are parts of an earlier one, as they were.
            for index, ((offset, length), md5) in enumerate(sorted(state.digests.items())):
                yield PartDone(n, index, offset, length, md5)
            yield state.session
        proven = [state.parts[index] for index in sorted(state.proven)]
        yield from proven
        if proven:
            yield Sync(n, len(proven))
        yield from state.unproven
    if state.outcome is not None:
        yield state.outcome
