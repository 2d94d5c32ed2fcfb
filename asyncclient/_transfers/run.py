"""One transfer under way: its journal, if it has one, and what is remembered of an earlier run."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final, Literal

from asyncclient._budget import Reservation
from asyncclient._events import Transfer
from asyncclient._observe import TransferWatch
from asyncclient._transfers.journal import Barrier, Journal, JournalOptions
from asyncclient._transfers.options import Restart, TransferOptions
from asyncclient._transfers.places import new_job_id
from asyncclient._transfers.progress import Meter
from asyncclient._transfers.records import Done, End, Fail, Job, Record, Session
from asyncclient._transfers.replay import FileState
from asyncclient._transfers.urls import origin_of
from asyncclient._transfers.windows import WINDOW_BYTES
from asyncclient._transfers.wire import Wire
from asyncclient._version import __version__
from asyncclient.errors import AsyncClientError, ResumeError, SourceChanged, TransferError

__all__ = ["Run"]

# One window is on its way while the next is read or collected.
_FLYING_BYTES: Final = 2 * WINDOW_BYTES


class Run:
    """What one upload or download holds on to.

    The journal is made with the first record that is worth one: a file that fits in one request has nothing to resume.

    Args:
        wire: Sends its requests.
        options: How it is made.
        meter: Where bytes are counted.
        facts: First line of the journal.
        journal: That of an earlier run, taken over; or None.

    Attributes:
        restarted: Why bytes of an earlier run could not be used, or None.
        resumed_bytes: Bytes that an earlier run had moved.
        earlier: What an earlier run recorded, or None.
        watch: Tells observers of it.
        by_command: Whether ``asyncclient transfers resume`` can finish it, without the program that began it.
    """

    def __init__(
        self, wire: Wire, options: TransferOptions, meter: Meter, facts: Job, journal: Journal | None = None
    ) -> None:
        self.wire = wire
        self.options = options
        self.meter = meter
        self.restarted: Restart | None = None
        self.resumed_bytes = 0
        self.by_command = False
        self._facts = facts
        self._journal = journal
        job, name = facts if journal is None else journal.job, meter.name
        transfer = Transfer(job.id, job.service, facts.direction, name)
        self.watch = TransferWatch(wire.pipeline.observers, transfer, meter.phase_now, journal=journal is not None)
        meter.watch = self.watch
        self._first: tuple[Record, ...] = ()
        self._begun_at: str | None = None
        self.earlier: FileState | None = None
        if journal is not None:
            found = journal.state.files.get(0)
            self.earlier = found if found is not None and found.file is not None else None

    @staticmethod
    def facts(service: str, direction: Literal["up", "down"], origin: str | None, options: Mapping[str, Any]) -> Job:
        """Make the first line of a journal."""
        return Job(new_job_id(), service, direction, origin, __version__, dict(options))

    @property
    def id(self) -> str | None:
        """Under which the transfer can be resumed; None while there is nothing to resume."""
        return None if self._journal is None else self._journal.job.id

    @property
    def job_id(self) -> str:
        """Of the job, journal or not."""
        return self._facts.id if self._journal is None else self._journal.job.id

    @property
    def owner(self) -> str | None:
        """Of the journal."""
        return None if self._journal is None else self._journal.owner

    @property
    def owners(self) -> list[str]:
        """Of earlier openings of the journal; part files may carry their names."""
        return [] if self._journal is None else [name for name in self._journal.state.owners if name != self.owner]

    async def reserve(self, size_bytes: int | None, *, own: bool = True) -> Reservation:
        """Wait for memory for what is under way of one request: at most two windows, or all of a smaller one.

        Never while a slot is held.

        Args:
            size_bytes: Of the request; None if unknown.
            own: Whether the bytes move by themselves. Those that somebody hands over or takes while they move are not
                waited for: he may need memory of the same budget to do so.
        """
        if not own:
            return Reservation.nothing()
        size = _FLYING_BYTES if size_bytes is None else min(size_bytes, _FLYING_BYTES)
        return await self.wire.pipeline.scheduler.budget.reserve(size)

    def recorded_option(self, name: str) -> Any:
        """Return an option that the journal of an earlier run was begun with, or None."""
        return None if self._journal is None else self._journal.job.options.get(name)

    async def open_journal(self, **plan: Any) -> None:
        """Begin the journal, unless there is one or none is wanted.

        Args:
            plan: What a later run must know to plan the same.
        """
        if self._journal is None and self.options.resume:
            origin = self._facts.origin or self.wire.origin or self._begun_at
            self._facts = replace(self._facts, origin=origin, options=self._facts.options | plan)
            options = JournalOptions(fsync=self.options.fsync)
            self._journal = await Journal.create(self._facts, folder=self.options.journal_folder, options=options)
            self.watch.journal = True

    def begin_with(self, *records: Record) -> None:
        """Begin the journal, unless none is wanted, when there is something to record, and with these records."""
        self._first = records

    async def record(self, *records: Record, barrier: Barrier | None = None) -> None:
        """Write records, if there is a journal; returns when they are written."""
        if self._first:
            first, self._first = self._first, ()
            self._begun_at = next((origin_of(each.upload_id) for each in records if isinstance(each, Session)), None)
            await self.open_journal()
            records = (*first, *records)
        if self._journal is not None:
            await self._journal.append(*records, barrier=barrier)

    async def finish(self) -> None:
        """Take the journal away: the transfer is complete."""
        journal = self._journal
        if journal is not None:
            # Said first: if the file cannot be deleted, or the process dies here, nobody starts it again.
            await journal.append(Done(0), End(1, 0))
            await journal.remove()

    async def forget(self) -> None:
        """Take the journal away: nothing came that a later run could go on with."""
        journal, self._journal = self._journal, None
        self.watch.journal = False
        if journal is not None:
            with contextlib.suppress(OSError, ResumeError):  # the error at hand says more
                await journal.remove()

    async def give_up(self, error: BaseException) -> None:
        """Close the journal, which stays, and tell in the error how to go on.

        Nothing is raised: the error at hand says more than a journal that cannot be written for the same full disk.
        """
        self.explain(error)
        if self._journal is None:
            return
        with contextlib.suppress(OSError, AsyncClientError):
            if isinstance(error, Exception):
                await self._journal.append(Fail(0, type(error).__name__, str(error)[:500]))
        with contextlib.suppress(OSError, AsyncClientError):
            await self._journal.aclose()

    def explain(self, error: BaseException) -> None:
        """Put id and advice into an error."""
        if not isinstance(error, (AsyncClientError, OSError)):
            return
        if self.id is None:
            return
        error.transfer_id = self.id  # type: ignore[union-attr] # APIError and OSError have no such field by themselves
        if isinstance(error, SourceChanged):
            error.add_note(f"transfer {self.id}: call again to send the file as it is now")
        elif isinstance(error, (TransferError, AsyncClientError, OSError)):
            again = f"call again, or run `asyncclient transfers resume {self.id}`," if self.by_command else "call again"
            error.add_note(f"transfer {self.id}: {again} to go on")

    def restart(self, why: Restart) -> None:
        """Forget what the earlier run recorded."""
        self.restarted = why
        self.watch.restarted(why)
        self.resumed_bytes = 0
        self.earlier = None

    def with_size(self, size: int | None) -> None:
        """Take note of the size."""
        self.meter.total = size
