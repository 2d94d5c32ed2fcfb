"""The memory of a job: what was proven to have arrived, so that a killed process loses no more than parts in flight.

One task writes, in worker threads; all others hand it their records and wait. What comes together while a write is
under way goes out with the next, so that a thousand small files cost a few dozen writes (group commit). A record is
reported as written only when it is; one whose waiter was cancelled is written wholly or not at all.

Data comes before its record. ``fsync`` chooses how far that holds:

``none``
    against a killed process (the operating system has the data).
``end``
    also against a lost machine, up to 5 s or 64 MiB ago: data is synced, then a ``sync`` line that vouches for the
    parts above it, then the journal. Parts below the last such line are read again before they are trusted.
``part``
    for every part, before :meth:`Journal.append` returns.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import time
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Final, Self

import anyio

from asyncclient._transfers.claims import claim_journal, claim_note, current_holder, make_lease
from asyncclient._transfers.hops import DISK, Hop, finish, run_hop, run_to_end
from asyncclient._transfers.journal_file import JournalFile
from asyncclient._transfers.journal_writer import Barrier, Entry, Fsync, JournalOptions, JournalWriter
from asyncclient._transfers.lines import encode_line
from asyncclient._transfers.places import journal_folder, journal_name, new_owner
from asyncclient._transfers.records import Job, Record
from asyncclient._transfers.replay import JournalState, compact
from asyncclient.errors import ResumeError

__all__ = ["Barrier", "Fsync", "Journal", "JournalOptions"]

_DEFAULTS: Final = JournalOptions()


class Journal:
    """An open journal; made by :meth:`create` or :meth:`resume`, closed by :meth:`aclose` or ``async with``.

    Attributes:
        job: What it is about.
        owner: Name of this opening.
        path: The file.
        state: What it said when it was opened.
    """

    def __init__(self, file: JournalFile, state: JournalState, options: JournalOptions) -> None:
        assert state.job is not None
        assert state.lease is not None
        self.job: Job = state.job
        self.owner = state.lease.owner
        self.path = file.path
        self.state = state
        counts = {n: len(entry.parts) for n, entry in state.files.items()}
        self._writer = JournalWriter(file, state.lease, options, counts)
        self._queue: asyncio.Queue[Entry | None] = asyncio.Queue()
        self._room = asyncio.Semaphore(options.max_waiting)
        self._closing = False
        self._task = asyncio.create_task(self._run(), name=f"journal {self.job.id}")

    @classmethod
    async def create(
        cls, job: Job, *, folder: str | os.PathLike[str] | None = None, options: JournalOptions = _DEFAULTS
    ) -> Journal:
        """Begin the journal of a new job.

        Args:
            job: Its first line.
            folder: Where journals lie. Default: ``journal`` in the state folder.
            options: How it is kept.
        """

        def begin() -> tuple[JournalFile, JournalState]:
            lease = make_lease(new_owner(), current_holder(), time.time())
            state = JournalState(job=job, lease=lease, owners=[lease.owner])
            return _written(journal_folder(folder) / journal_name(job.id, lease.owner), state, options), state

        return await cls._begun(begin, options, new=True)

    @classmethod
    async def resume(
        cls,
        job_id: str,
        *,
        folder: str | os.PathLike[str] | None = None,
        options: JournalOptions = _DEFAULTS,
        force: bool = False,
        reopen: bool = False,
    ) -> Journal:
        """Take over the journal of a job that was interrupted, and write it anew without what no longer matters.

        Args:
            job_id: The job.
            folder: Where journals lie. Default: ``journal`` in the state folder.
            options: How it is kept from now on.
            force: Whether to take it from an owner that seems to live.
            reopen: Whether transfers that are said to be complete are to be looked at again.

        Raises:
            ResumeError: There is none, it cannot be read, its owner lives, or another process was faster.
        """

        def take() -> tuple[JournalFile, JournalState]:
            here = current_holder()
            lease = make_lease(new_owner(), here, time.time())
            state = claim_journal(journal_folder(folder), job_id, lease, here=here, force=force)
            state.lease, state.end = lease, None
            for entry in state.files.values() if reopen else ():
                entry.outcome = None
            state.owners.append(lease.owner)
            return _written(
                journal_folder(folder) / journal_name(job_id, lease.owner), state, options, resumed=True
            ), state

        return await cls._begun(take, options, new=False)

    @classmethod
    async def _begun(
        cls, begin: Callable[[], tuple[JournalFile, JournalState]], options: JournalOptions, *, new: bool
    ) -> Journal:
        """Make the journal of what a thread has opened; if the caller is cancelled meanwhile, it gets no owner."""
        hop = Hop(begin, crew=DISK)
        try:
            return cls(*await hop.wait(), options)
        except asyncio.CancelledError:
            if hop.returned:
                with anyio.CancelScope(shield=True):
                    journal = cls(*hop.result(), options)
                    await (journal.remove() if new else journal.aclose())
            raise

    async def append(self, *records: Record, barrier: Barrier | None = None) -> None:
        """Write records and return when they are written, in mode ``part`` when they are on the disk.

        Args:
            records: Written one behind the other.
            barrier: Makes the data durable that the records speak of; None when that is not on this disk (uploads).

        Raises:
            ArgumentError: A value looks like a secret; nothing was written.
            OSError: They could not be written, or their data could not be made durable.
            ResumeError: The journal is closed, or another process has taken it over.

        Cancelling leaves each record wholly written or not written.
        """
        lines = b"".join(map(encode_line, records))
        async with self._room:
            # Asked with room in hand: whatever is queued is queued ahead of the end, and will be answered.
            if self._closing or self._task.done():
                raise self._closed()
            entry = Entry(records, lines, barrier, asyncio.get_running_loop().create_future())
            self._queue.put_nowait(entry)
            await entry.written

    async def aclose(self) -> None:
        """Write and sync what waits, and say that the job has no owner any more. May be repeated.

        Raises:
            OSError: The last records could not be written.
        """
        if not self._closing:
            self._closing = True
            self._queue.put_nowait(None)
        await finish(self._task)
        if not self._task.cancelled():
            self._task.result()
        error, self._writer.last_error = self._writer.last_error, None
        if isinstance(error, OSError):  # a lost ownership is nothing that closing could still change
            raise error

    async def remove(self) -> None:
        """Close the journal and delete it: there is nothing left to resume."""
        with contextlib.suppress(OSError):  # a full disk takes no last line, and gives the room of the others
            await self.aclose()
        await run_to_end(lambda: self.path.unlink(missing_ok=True))

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()

    async def _run(self) -> None:
        entries: list[Entry] = []
        last = False
        try:
            while not last:
                entries, last = await self._collect()
                await run_hop(self._writer.commit, entries, last, crew=DISK)
                for entry in entries:
                    entry.answer()
        finally:
            self._refuse(entries)
            self._writer.close()

    def _refuse(self, entries: list[Entry]) -> None:
        """Answer everybody who would wait for ever: those that met a loop that is torn down."""
        while not self._queue.empty():
            left = self._queue.get_nowait()
            entries = [*entries, left] if left is not None else entries
        for entry in entries:
            entry.error = entry.error or self._closed()
            entry.answer()

    def _closed(self) -> ResumeError:
        return ResumeError(f"the journal of job {self.job.id} is closed", transfer_id=self.job.id)

    async def _collect(self) -> tuple[list[Entry], bool]:
        """Wait for records, or for the time to sync or to show a sign of life; returns all there are."""
        found: list[Entry | None] = []
        try:
            async with asyncio.timeout(self._writer.due_in_s()):
                found.append(await self._queue.get())
        except TimeoutError:
            pass
        while not self._queue.empty():
            found.append(self._queue.get_nowait())
        return [entry for entry in found if entry is not None], None in found


def _written(path: Path, state: JournalState, options: JournalOptions, *, resumed: bool = False) -> JournalFile:
    """Write the file of a journal; blocking."""
    try:
        if resumed and not path.exists():
            raise ResumeError(f"another process has just taken over job {path.name.partition('.')[0]}")
        return JournalFile.create(path, compact(state), durable=options.fsync != "none")
    finally:  # from here on the lease in the file speaks, the new one or, if that failed, the old one
        claim_note(path).unlink(missing_ok=True)
