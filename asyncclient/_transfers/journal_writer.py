"""The order in which data, records and syncs reach the disk. Blocking; one thread at a time."""

from __future__ import annotations

import asyncio
import errno
import math
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Final, Literal

from asyncclient._transfers.claims import Holder, make_lease
from asyncclient._transfers.journal_file import JournalFile
from asyncclient._transfers.lines import encode_line
from asyncclient._transfers.records import Lease, PartDone, Record, Sync
from asyncclient.errors import ResumeError

__all__ = ["Barrier", "Entry", "Fsync", "JournalOptions", "JournalWriter"]

Fsync = Literal["none", "end", "part"]

Barrier = Callable[[], None]
"""Makes written data durable; called in a thread."""

# The disk may have room again for the next record; after any other error nobody knows what is on it.
_PASSING: Final = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})


@dataclass(frozen=True, slots=True)
class JournalOptions:
    """How a journal is kept.

    Attributes:
        fsync: ``none``, ``end`` or ``part``; see ``journal``.
        heartbeat_s: Seconds between two signs of life.
        sync_s: Seconds between two syncs in mode ``end``.
        sync_bytes: Bytes of data between two syncs in mode ``end``.
        max_waiting: Records that may wait to be written before :meth:`~.journal.Journal.append` waits for room.
    """

    fsync: Fsync = "end"
    heartbeat_s: float = 30.0
    sync_s: float = 5.0
    sync_bytes: int = 64 * 1024 * 1024
    max_waiting: int = 1024


@dataclass(slots=True, eq=False)
class Entry:
    """Records that are written together, and who waits for them.

    Attributes:
        records: What is written.
        lines: Its written form.
        barrier: Makes the data durable that the records speak of, or None.
        written: Set when the lines are written; belongs to the event loop.
        error: Why they are not.
    """

    records: tuple[Record, ...]
    lines: bytes
    barrier: Barrier | None
    written: asyncio.Future[None]
    error: Exception | None = None

    def answer(self) -> None:
        """Tell the waiter, if it still waits; on the event loop."""
        if not self.written.done():
            if self.error is None:
                self.written.set_result(None)
            else:
                self.written.set_exception(self.error)


class JournalWriter:
    """Writes batches of entries.

    Args:
        file: The journal.
        lease: The current owner's; written again as a sign of life.
        options: How the journal is kept.
        counts: Part records there are already, by number of the transfer.

    Attributes:
        last_error: Why the last batch could not be written, or None.
    """

    def __init__(self, file: JournalFile, lease: Lease, options: JournalOptions, counts: dict[int, int]) -> None:
        self._file = file
        self._lease = lease
        self._options = options
        self._counts = counts
        self._beaten = time.monotonic()
        self._dirty_since = math.inf
        self._pending: dict[int, Barrier] = {}
        self._unsynced_bytes = 0
        self._broken: Exception | None = None
        self.last_error: Exception | None = None

    def due_in_s(self) -> float:
        """Return the seconds until a batch must be committed even if it is empty."""
        due = self._beaten + self._options.heartbeat_s
        if self._broken is None:
            due = min(due, self._dirty_since + self._options.sync_s)
        return max(0.0, due - time.monotonic())

    def commit(self, entries: list[Entry], last: bool) -> None:
        """Write a batch and note in each entry what became of it; never raises for the disk's sake.

        Args:
            entries: May be empty.
            last: Whether the journal is closed with it.
        """
        self.last_error = None
        try:
            if self._broken is not None:
                raise self._broken
            self._write(entries, last)
        except (OSError, ResumeError) as error:
            if not (isinstance(error, OSError) and error.errno in _PASSING):
                self._broken = error
            self._beaten = time.monotonic()  # not again at once
            self.last_error = error
            for entry in entries:
                if entry.error is None:
                    entry.error = _another(error)

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def _write(self, entries: list[Entry], last: bool) -> None:
        mode = self._options.fsync
        if mode == "part":
            _run_barriers(entries)
        good = [entry for entry in entries if entry.error is None]
        parts = [(record, entry.barrier) for entry in good for record in entry.records if isinstance(record, PartDone)]
        pending = self._pending | {part.n: barrier for part, barrier in parts if barrier is not None}
        unsynced = self._unsynced_bytes + sum(part.length for part, _ in parts)
        counts = _counted(self._counts, (part for part, _ in parts))
        sync = bool(good or last) if mode == "part" else mode == "end" and self._sync_due(unsynced, last)
        lines = [entry.lines for entry in good]
        if sync and pending:
            if mode == "end":
                for barrier in set(pending.values()):
                    barrier()
            lines += [encode_line(Sync(n, counts[n])) for n in pending]
        lines += self._sign_of_life(last)
        self._file.write(lines, sync=sync)
        self._counts.update(counts)
        self._settle(sync, pending, unsynced, wrote=bool(lines))

    def _settle(self, sync: bool, pending: dict[int, Barrier], unsynced: int, *, wrote: bool) -> None:
        if sync:
            self._pending, self._unsynced_bytes, self._dirty_since = {}, 0, math.inf
            return
        self._pending, self._unsynced_bytes = pending, unsynced
        if wrote and self._options.fsync == "end":
            self._dirty_since = min(self._dirty_since, time.monotonic())

    def _sync_due(self, unsynced: int, last: bool) -> bool:
        waited_s = time.monotonic() - self._dirty_since
        return last or unsynced >= self._options.sync_bytes or waited_s >= self._options.sync_s

    def _sign_of_life(self, last: bool) -> list[bytes]:
        if not last and time.monotonic() - self._beaten < self._options.heartbeat_s:
            return []
        self._beaten = time.monotonic()
        holder = Holder(*(getattr(self._lease, name) for name in Holder.__slots__))
        return [encode_line(make_lease(self._lease.owner, holder, 0 if last else time.time()))]


def _run_barriers(entries: list[Entry]) -> None:
    """Make data durable, once per barrier; an entry whose data is not gets the error."""
    failed: dict[Barrier, OSError] = {}
    done: set[Barrier] = set()
    for entry in entries:
        barrier = entry.barrier
        if barrier is not None and barrier not in done:
            done.add(barrier)
            try:
                barrier()
            except OSError as error:
                failed[barrier] = error
        if barrier is not None and barrier in failed:
            entry.error = _another(failed[barrier])


def _counted(counts: dict[int, int], parts: Iterable[PartDone]) -> dict[int, int]:
    changed: dict[int, int] = {}
    for part in parts:
        changed[part.n] = changed.get(part.n, counts.get(part.n, 0)) + 1
    return counts | changed


def _another(error: Exception) -> Exception:
    """Copy an error for one of several waiters: a traceback grows with every raise."""
    copy = type(error)(*error.args)
    copy.__cause__ = error.__cause__
    return copy
