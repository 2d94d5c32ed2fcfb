"""What jobs there are on this machine, and sweeping up after those nobody will resume."""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, NamedTuple

from asyncclient._transfers.claims import Standing, claim, current_holder, current_lease, judge
from asyncclient._transfers.hops import DISK, run_hop
from asyncclient._transfers.lines import decode_line
from asyncclient._transfers.places import (
    CLAIM_SUFFIX,
    JOURNAL_SUFFIX,
    job_started_s,
    journal_folder,
    new_owner,
    part_path,
)
from asyncclient._transfers.records import Done, Fail, Job, Lease, Skip
from asyncclient._transfers.replay import FileState, JournalState, replay

__all__ = ["JobSummary", "LeftSession", "Pruned", "first_lines", "list_jobs", "prune", "with_key"]

_DAY_S: Final = 86_400.0
_PRUNED_SUFFIX: Final = ".pruned"


@dataclass(frozen=True, slots=True)
class JobSummary:
    """One job, as its journal tells it.

    Attributes:
        id: For ``Journal.resume``.
        path: The journal.
        service: Module name of the service.
        direction: ``up`` or ``down``.
        origin: Of the service, or None.
        started_s: Seconds since the epoch, or None.
        updated_s: Seconds since the epoch of the last line.
        standing: Whether somebody works on it.
        files: Transfers begun.
        done: Of these, complete or not needed.
        failed: Of these, given up.
        ended: Whether all were dealt with.
        local: The file on this machine that it is about; None if its content was no file, or there are several.
        size: Bytes of all files, as far as they are known.
        moved: Of these, in files that are complete and in parts that are confirmed.
        owner: Who holds it, in words; "" if nobody does.
        problem: Why the journal cannot be used; "" if it can.
        error: What it failed with last; "" if it was interrupted otherwise.
    """

    id: str
    path: Path
    service: str
    direction: str
    origin: str | None
    started_s: float | None
    updated_s: float
    standing: Standing
    files: int
    done: int
    failed: int
    ended: bool
    local: Path | None = None
    size: int = 0
    moved: int = 0
    owner: str = ""
    problem: str = ""
    error: str = ""


@dataclass(frozen=True, slots=True)
class LeftSession:
    """An upload the service still keeps parts of; the client of that service can abort it.

    Attributes:
        job_id: The job it belonged to.
        service: Module name of the service.
        origin: Of the service, or None.
        upload_id: The service's id of the upload.
        extra: As recorded.
    """

    job_id: str
    service: str
    origin: str | None
    upload_id: str
    extra: dict[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Pruned:
    """What was swept up.

    Attributes:
        jobs: Ids of the jobs whose journals were deleted.
        part_files: Unfinished downloads that were deleted.
        sessions: Uploads that were never completed.
    """

    jobs: list[str] = field(default_factory=list)
    part_files: list[Path] = field(default_factory=list)
    sessions: list[LeftSession] = field(default_factory=list)


async def list_jobs(folder: str | os.PathLike[str] | None = None) -> list[JobSummary]:
    """Return all jobs that have a journal, the oldest first.

    Args:
        folder: Where journals lie. Default: ``journal`` in the state folder.
    """
    return await run_hop(_list_jobs, journal_folder(folder), crew=DISK)


async def prune(older_than_s: float = 14 * _DAY_S, *, folder: str | os.PathLike[str] | None = None) -> Pruned:
    """Delete journals of jobs without a living owner, and their part files; completed downloads are not touched.

    Args:
        older_than_s: Only those without a line written in this time. Most services drop an upload after 7 days.
        folder: Where journals lie. Default: ``journal`` in the state folder.
    """
    return await run_hop(_prune, journal_folder(folder), time.time() - older_than_s, crew=DISK)


def first_lines(folder: Path) -> Iterator[Job]:
    """Yield what the journals in a folder are about, the latest first; blocking."""
    for path in sorted(folder.glob(f"*{JOURNAL_SUFFIX}"), reverse=True):
        try:
            with path.open("rb") as file:
                record = decode_line(file.readline().rstrip(b"\n"))
        except OSError:
            continue  # taken over or finished since the folder was read
        if isinstance(record, Job):
            yield record


def with_key(folder: Path, key: str) -> list[str]:
    """Return the ids of jobs whose first line has a key, the latest first; blocking."""
    return [job.id for job in first_lines(folder) if job.options.get("key") == key]


def _list_jobs(folder: Path) -> list[JobSummary]:
    here, now_s = current_holder(), time.time()
    found = [_summary(entry, judge(entry.lease, now_s=now_s, here=here)) for entry in _journals(folder)]
    return sorted(found, key=lambda job: job.id)


class _Entry(NamedTuple):
    path: Path
    updated_s: float
    state: JournalState
    lease: Lease | None


def _journals(folder: Path) -> Iterator[_Entry]:
    for path in sorted(folder.glob(f"*{JOURNAL_SUFFIX}")):
        try:
            updated_s = path.stat().st_mtime
            state = replay(path.read_bytes())
            yield _Entry(path, updated_s, state, current_lease(path, state))
        except FileNotFoundError:
            continue  # taken over or finished since the folder was read


def _summary(entry: _Entry, standing: Standing) -> JobSummary:
    path, updated_s, state, lease = entry
    job = state.job
    job_id = path.name.partition(".")[0]
    outcomes = [entry.outcome for entry in state.files.values()]
    return JobSummary(
        id=job_id,
        path=path,
        service=job.service if job is not None else "",
        direction=job.direction if job is not None else "",
        origin=job.origin if job is not None else None,
        started_s=job_started_s(job_id),
        updated_s=updated_s,
        standing=standing,
        files=len(outcomes),
        done=sum(isinstance(outcome, (Done, Skip)) for outcome in outcomes),
        failed=sum(isinstance(outcome, Fail) for outcome in outcomes),
        ended=state.end is not None,
        local=_local(state),
        size=sum(each.file.size or 0 for each in state.files.values() if each.file is not None),
        moved=sum(map(_moved, state.files.values())),
        owner=f"process {lease.pid} on {lease.host}" if lease is not None and lease.beat else "",
        problem=_problem(state),
        error=next((f"{each.code}: {each.message}" for each in outcomes if isinstance(each, Fail)), ""),
    )


def _moved(each: FileState) -> int:
    if isinstance(each.outcome, Done) and each.file is not None and each.file.size is not None:
        return each.file.size  # its parts are not kept
    return sum(part.length for part in each.parts.values())


def _local(state: JournalState) -> Path | None:
    files = [each.file for each in state.files.values() if each.file is not None]
    if state.job is None or len(files) != 1:
        return None
    text = files[0].path if state.job.direction == "up" else files[0].dst
    return Path(text) if text and Path(text).is_absolute() else None


def _problem(state: JournalState) -> str:
    if state.job is None:
        return "damaged from its first line on"
    return "" if state.readable else f"of format {state.job.version}: update asyncclient"


def _prune(folder: Path, before_s: float) -> Pruned:
    found = Pruned()
    here, now_s = current_holder(), time.time()
    for path, updated_s, state, lease in _journals(folder):
        if updated_s >= before_s or judge(lease, now_s=now_s, here=here) == "alive":
            continue
        doomed = path.with_name(f"{path.name}.{new_owner()}{_PRUNED_SUFFIX}")
        if claim(path, doomed):  # else somebody resumes it right now
            _sweep(state, path.name.partition(".")[0], found)
            doomed.unlink(missing_ok=True)
    for suffix in (_PRUNED_SUFFIX, CLAIM_SUFFIX, ".tmp"):  # left by a process that was killed in the middle
        for path in folder.glob(f"*{suffix}"):
            with contextlib.suppress(FileNotFoundError):
                if path.stat().st_mtime < before_s:
                    path.unlink()
    return found


def _sweep(state: JournalState, job_id: str, found: Pruned) -> None:
    found.jobs.append(job_id)
    job = state.job
    if job is None:
        return
    for entry in state.files.values():
        if isinstance(entry.outcome, (Done, Skip)):
            continue
        if job.direction == "up" and entry.session is not None:
            session = entry.session
            found.sessions.append(LeftSession(job.id, job.service, job.origin, session.upload_id, session.extra))
        if job.direction == "down" and entry.file is not None and entry.file.dst is not None:
            found.part_files.extend(_sweep_parts(Path(entry.file.dst), job.id, state.owners))


def _sweep_parts(destination: Path, job_id: str, owners: list[str]) -> Iterator[Path]:
    for owner in owners:
        path = part_path(destination, job_id, owner)
        try:
            path.unlink()
        except OSError:
            continue  # not there, or its disk is not: nothing can be swept
        yield path
