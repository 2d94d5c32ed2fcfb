"""Everything the emulator of the Voxel51 Platform remembers."""

from __future__ import annotations

import copy
from collections import deque
from collections.abc import Iterable
from datetime import timedelta
from pathlib import Path
from typing import Any

from asyncclient.testing._blobs import Blob, BlobStore
from asyncclient.testing._contract import Refusal
from asyncclient.testing._state import EmulatorState
from asyncclient.testing.voxel51 import jobs
from asyncclient.testing.voxel51.clock import Clock
from asyncclient.testing.voxel51.options import Options
from asyncclient.testing.voxel51.seeds import STATUSES, public_analytics
from asyncclient.testing.voxel51.tables import Analytic, Application, Data, Job, Link, Table, new_id

__all__ = ["Voxel51State"]


class Voxel51State(EmulatorState):
    """State of the emulator of the Voxel51 Platform. May be used from any thread.

    Attributes:
        options: May be changed at any time, except the keys, ``keep_files`` and ``keep_requests``.
        clock: The emulator's time.
        users: Names of platform users by their keys.
        applications: By their keys.
        statuses: What the platform says about itself.
        analytics: Of everybody.
        data: Of everybody; may still hold some whose date has passed.
        jobs: Of everybody.
        links: Signed URLs by their last segments.
    """

    def __init__(self, options: Options) -> None:
        super().__init__(keep_requests=options.keep_requests)
        self.options = options
        self.blobs = BlobStore(keep=options.keep_files)
        self._start_over()

    def _start_over(self) -> None:
        self.clock = Clock()
        self.users = {self.options.private_key: self.options.username}
        self.applications = {self.options.application_key: Application("application1")}
        self.statuses: dict[str, dict[str, Any]] = copy.deepcopy(STATUSES)
        self.analytics: Table[Analytic] = Table("Analytic")
        self.data: Table[Data] = Table("Data")
        self.jobs: Table[Job] = Table("Job")
        self.links: dict[str, Link] = {}
        self._failures: deque[str] = deque()
        for analytic in public_analytics():
            self.analytics.add(analytic)

    def reset(self) -> None:
        """Start over: no requests, faults or files, the real time, and the data of the start."""
        super().reset()
        self.blobs.close()
        self._start_over()

    def add_user(self, private_key: str, username: str) -> None:
        """Let another platform user in."""
        self.users[private_key] = username

    def add_application(self, private_key: str, name: str, users: Iterable[str] = ()) -> Application:
        """Let another application in, with users of its own."""
        self.applications[private_key] = Application(name, list(users))
        return self.applications[private_key]

    def advance(self, *, days: float = 0, seconds: float = 0) -> None:
        """Move the emulator's time forward: data and signed URLs expire, jobs with ``job_seconds`` go on."""
        self.clock.advance(timedelta(days=days, seconds=seconds))

    def fail_jobs(self, failure_type: str = "ANALYTIC", *, times: int = 1) -> None:
        """Let the next jobs that are started fail: ``USER``, ``ANALYTIC`` or ``PLATFORM``."""
        self._failures.extend([failure_type] * times)

    def settle(self) -> None:
        """Let all jobs that were started be over now."""
        for job in self.jobs:
            self._move(job, len(jobs.STAGES))

    def give_output(self, job_id: str, content: bytes, filename: str | None = None) -> None:
        """Replace the output of a job, or the name the service gives it, which may be any text."""
        job = self.jobs.get(job_id)
        self._drop(job.output)
        job.output = self.blobs.put(content)
        if filename is not None:
            job.output_name = filename

    def expire_urls(self) -> None:
        """Let all signed URLs that were given out be refused from now on."""
        self.links.clear()

    def content(self, data_id: str) -> bytes:
        """Return the file of a data."""
        blob = self.data.get(data_id).blob
        if blob is None or blob.content is None:
            raise ValueError("there is no file: it stays at a URL, or the emulator keeps none")
        return blob.content.read_bytes() if isinstance(blob.content, Path) else blob.content

    # What the handlers use.

    def start_job(self, job: Job) -> None:
        """Let a job begin."""
        jobs.start(job, self.clock.now(), self._failures.popleft() if self._failures else None)

    def refresh(self, job: Job) -> None:
        """Bring a job to where it is by the clock, if it goes by the clock."""
        if job.state in jobs.STAGES and self.options.job_seconds is not None:
            self._advance(job)

    def look(self, job: Job) -> dict[str, Any]:
        """Show a job; that may be what it waited for."""
        if job.state in jobs.STAGES:
            self._advance(job)
            job.looks += 1
        return job.shown(self.clock.now())

    def _advance(self, job: Job) -> None:
        options = self.options
        stage, at = jobs.ending_at(
            job, self.clock.now(), pending_polls=options.pending_polls, seconds=options.job_seconds
        )
        self._move(job, stage, at)

    def _move(self, job: Job, stage: int, at: Any = None) -> None:
        if jobs.move(job, stage, at or self.clock.now()) and job.output is None:
            job.output = self.blobs.put(jobs.output_of(job, self.options.output_bytes))

    def find_data(self, owner: str, data_id: str) -> Data:
        """Return data of somebody.

        Raises:
            Refusal: 404, there is none, or its date has passed.
        """
        self.sweep()
        row = self.data.get(data_id)
        if row.owner != owner:
            raise self.data.missing()
        return row

    def data_of(self, owners: Iterable[str]) -> list[Data]:
        """Return all data of some owners."""
        self.sweep()
        wanted = set(owners)
        return [row for row in self.data if row.owner in wanted]

    def sweep(self) -> None:
        """Delete the data whose date has passed, and the outputs of jobs."""
        now = self.clock.now()
        for row in self.data:
            if row.expires <= now:
                self.remove_data(row)
        for job in self.jobs:
            if job.expires <= now and job.output is not None:
                self._drop(job.output)
                job.output = None

    def remove_data(self, row: Data) -> None:
        """Delete data and its file."""
        self.data.remove(row)
        self._drop(row.blob)
        row.blob = None

    def find_job(self, owner: str, job_id: str) -> Job:
        """Return a job of somebody.

        Raises:
            Refusal: 404, there is none.
        """
        job = self.jobs.get(job_id)
        if job.owner != owner:
            raise self.jobs.missing()
        self.refresh(job)
        return job

    def link(self, link: Link) -> str:
        """Give a file an address for whoever has it; return the last segment."""
        token = new_id()
        self.links[token] = link
        return token

    def followed(self, token: str) -> Link:
        """Return what a signed URL leads to.

        Raises:
            Refusal: 403, it is unknown or its time is over.
        """
        link = self.links.get(token)
        if link is None or link.expires <= self.clock.now():
            raise Refusal(403, "The URL is not valid any longer")
        return link

    def _drop(self, blob: Blob | None) -> None:
        if blob is not None:
            self.blobs.discard(blob)
