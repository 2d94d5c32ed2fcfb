"""Who may go on with a job: owners, not locks.

File locks are granted to everybody on some cluster file systems, so nothing here relies on one. The owner is part of a
file's name, and taking over is a rename from the old name to the new one: of several that try, exactly one finds the
old name still there. A lease in the journal tells whether the old owner lives; it decides politeness, not correctness.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import socket
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

from asyncclient._transfers.fileio import write_atomically
from asyncclient._transfers.lines import decode_line, encode_line
from asyncclient._transfers.places import CLAIM_SUFFIX, JOURNAL_SUFFIX, journal_name
from asyncclient._transfers.records import Lease
from asyncclient._transfers.replay import JournalState, replay
from asyncclient.errors import ResumeError

__all__ = [
    "LEASE_S",
    "Holder",
    "Standing",
    "claim",
    "claim_journal",
    "claim_note",
    "current_lease",
    "current_holder",
    "find_journal",
    "is_running",
    "judge",
    "make_lease",
]

LEASE_S: Final = 600.0
"""An owner that is not seen to be dead keeps its job this long after its last sign of life."""

Standing = Literal["free", "dead", "stale", "alive"]
"""``free``: closed in order; ``dead``: its process is gone; ``stale``: silent for too long; ``alive``: hands off."""


@dataclass(frozen=True, slots=True)
class Holder:
    """A process, as others can recognise it; fields as in :class:`~asyncclient._transfers.records.Lease`."""

    host: str
    machine: str
    boot: str
    space: str
    pid: int
    started: str


def current_holder() -> Holder:
    """Describe this process; blocking."""
    machine = _first_line("/etc/machine-id")
    return Holder(
        host=socket.gethostname(),
        # The id itself is meant to stay on the machine (machine-id(5)); its hash tells machines apart as well.
        machine=hashlib.sha256(b"asyncclient" + machine.encode()).hexdigest()[:16] if machine else "",
        boot=_first_line("/proc/sys/kernel/random/boot_id"),
        space=_link("/proc/self/ns/pid"),
        pid=os.getpid(),
        started=_started(os.getpid())[0],
    )


def make_lease(owner: str, holder: Holder, beat_s: float) -> Lease:
    """Write down that an owner lives, or with ``beat_s`` 0 that it has finished."""
    return Lease(
        owner=owner,
        host=holder.host,
        pid=holder.pid,
        beat=round(beat_s, 1),
        machine=holder.machine,
        boot=holder.boot,
        space=holder.space,
        started=holder.started,
    )


def is_running(pid: int, started: str) -> bool | None:
    """Tell whether a process of this machine still runs; None where that cannot be asked."""
    if sys.platform == "win32":  # os.kill would end it, whatever the signal
        return None
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:  # it is there and belongs to somebody else
        pass
    now, state = _started(pid)
    if state == "Z":
        return False
    return not (now and started and now != started)  # another process has its number now


def judge(
    lease: Lease | None,
    *,
    now_s: float,
    here: Holder,
    running: Callable[[int, str], bool | None] = is_running,
) -> Standing:
    """Decide whether the owner of a journal still works on it."""
    if lease is None or not lease.beat:
        return "free"
    if (lease.host, lease.machine) == (here.host, here.machine):
        if lease.boot and here.boot and lease.boot != here.boot and lease.machine:
            return "dead"
        if (lease.boot, lease.space) == (here.boot, here.space):
            lives = running(lease.pid, lease.started)
            if lives is not None:
                return "alive" if lives else "dead"
    return "stale" if now_s - lease.beat > LEASE_S else "alive"


def claim(path: Path, new: Path) -> bool:
    """Take over a file by renaming it to a name that only this process knows; exactly one of several succeeds.

    Returns:
        Whether it is ours now.
    """
    try:
        path.rename(new)
    except FileNotFoundError:
        # Over NFS a rename can be done and its repetition refused; nobody else makes a file of the new name.
        return new.exists()
    except PermissionError:
        if sys.platform == "win32":  # the owner has it open, so it lives
            return False
        raise
    return True


def find_journal(folder: Path, job_id: str) -> Path | None:
    """Return the journal of a job, whoever holds it."""
    found = sorted(folder.glob(f"{job_id}.*{JOURNAL_SUFFIX}"))
    return found[-1] if found else None


def current_lease(path: Path, state: JournalState) -> Lease | None:
    """Return the lease of whoever a journal belongs to by its name; blocking.

    Between its rename and its first line a new owner is known only by the note it has laid down before.

    Raises:
        FileNotFoundError: The journal was taken over since it was read.
    """
    owner = path.name.split(".")[1]
    if state.lease is None or state.lease.owner == owner:
        return state.lease
    try:
        note = decode_line(claim_note(path).read_bytes().rstrip(b"\n"))
    except FileNotFoundError:  # its first line is written by now, or it never was and never will be
        return replay(path.read_bytes()).lease
    return note if isinstance(note, Lease) else state.lease


def claim_note(path: Path) -> Path:
    """Return where the new owner of a journal is noted down until it has written its first line."""
    return path.with_suffix(CLAIM_SUFFIX)


def claim_journal(folder: Path, job_id: str, lease: Lease, *, here: Holder, force: bool = False) -> JournalState:
    """Take over the journal of a job and read it; blocking.

    The note of the claim stays until the caller has written the journal with the new lease.

    Args:
        folder: Where journals lie.
        job_id: The job.
        lease: The new owner's.
        here: This process.
        force: Whether to take it from an owner that seems to live.

    Raises:
        ResumeError: There is none, it cannot be read, its owner lives, or another process was faster.
    """
    path = find_journal(folder, job_id)
    if path is None:
        raise ResumeError(f"there is no journal of job {job_id}; start it anew", transfer_id=job_id)
    new = folder / journal_name(job_id, lease.owner)
    try:
        state = _read(path, job_id)
        held = current_lease(path, state)
        if not force and judge(held, now_s=lease.beat, here=here) == "alive":
            raise _held(job_id, held, lease.beat)
        # Laid down first: whoever finds the journal under its new name must be able to tell that its owner lives.
        write_atomically(claim_note(new), encode_line(lease))
        if claim(path, new):
            _drop_notes(folder, job_id, lease, here)
            return _read(new, job_id)  # again: the owner may have written until the rename
    except FileNotFoundError:
        pass
    except BaseException:
        claim_note(new).unlink(missing_ok=True)
        raise
    claim_note(new).unlink(missing_ok=True)
    raise ResumeError(f"another process has just taken over job {job_id}", transfer_id=job_id)


def _drop_notes(folder: Path, job_id: str, lease: Lease, here: Holder) -> None:
    """Delete what those left who died between laying a note down and writing their first line."""
    for path in folder.glob(f".{job_id}.*.tmp"):  # of one who lives: he has just lost the journal, and is told so
        path.unlink(missing_ok=True)
    for path in folder.glob(f"{job_id}.*{CLAIM_SUFFIX}"):
        with contextlib.suppress(OSError):
            note = decode_line(path.read_bytes().rstrip(b"\n"))
            if not isinstance(note, Lease) or note.owner == lease.owner:
                continue
            if judge(note, now_s=lease.beat, here=here) != "alive":
                path.unlink()


def _read(path: Path, job_id: str) -> JournalState:
    state = replay(path.read_bytes())
    if state.job is None:
        raise ResumeError(
            f"the journal of job {job_id} is damaged from its first line on and can only be pruned", transfer_id=job_id
        )
    if not state.readable:
        raise ResumeError(
            f"the journal of job {job_id} has format {state.job.version}; update asyncclient", transfer_id=job_id
        )
    return state


def _held(job_id: str, lease: Lease | None, now_s: float) -> ResumeError:
    assert lease is not None
    return ResumeError(
        f"job {job_id} is worked on by process {lease.pid} on {lease.host}, last seen "
        f"{max(0, now_s - lease.beat):.0f} s ago; wait until it is done, or stop it",
        transfer_id=job_id,
    )


def _started(pid: int) -> tuple[str, str]:
    """Return when a process began, in clock ticks since boot, and its state letter; both empty where unknown."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_bytes().rpartition(b")")[2].split()
    except OSError:
        return "", ""
    return fields[19].decode("ascii"), fields[0].decode("ascii")


def _first_line(path: str) -> str:
    try:
        return Path(path).read_text("ascii").strip()
    except (OSError, UnicodeDecodeError):
        return ""


def _link(path: str) -> str:
    try:
        return str(Path(path).readlink())
    except OSError:
        return ""
