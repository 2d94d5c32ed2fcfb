"""What a job is doing: its state, whether it is done or expired, and waiting for it."""

from __future__ import annotations

import asyncio
import datetime as dt
import time
from collections.abc import Awaitable, Callable, Mapping
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

from asyncclient.errors import ArgumentError, ArgumentTypeError, DecodeError
from asyncclient.voxel51._generated.operations.jobs import GET_JOB_DETAILS
from asyncclient.voxel51.base import PlatformClient
from asyncclient.voxel51.constants import JobState
from asyncclient.voxel51.exceptions import InvalidArguments, JobExecutionError, JobTimeout

if TYPE_CHECKING:
    from asyncclient.voxel51._generated import models

__all__ = ["Clock", "WaitingMethods", "is_past", "next_pause"]


class Clock(NamedTuple):
    """Time, as the wait for a job sees it: seconds that only grow, and how to let some of them pass."""

    now: Callable[[], float] = time.monotonic
    sleep: Callable[[float], Awaitable[Any]] = asyncio.sleep


class WaitingMethods(PlatformClient):
    """The state of jobs."""

    _clock: ClassVar[Clock] = Clock()

    async def get_job_state(self, job_id: str | None = None, job: Mapping[str, Any] | None = None) -> str:
        """Read a job's state from the platform, or from metadata that is there already.

        Args:
            job_id: Identifier of the job; goes before ``job``.
            job: Its metadata.

        Returns:
            A ``JobState``.

        Raises:
            InvalidArguments: Neither was given.
        """
        found = await self._job(job_id, job)
        return str(_member(found, "state"))

    async def is_job_complete(self, job_id: str | None = None, job: Mapping[str, Any] | None = None) -> bool:
        """Tell whether a job is complete.

        Args:
            job_id: Identifier of the job; goes before ``job``.
            job: Its metadata.

        Raises:
            JobExecutionError: It failed.
            InvalidArguments: Neither was given.
        """
        return _is_complete(await self._job(job_id, job), job_id)

    async def is_job_expired(self, job_id: str | None = None, job: Mapping[str, Any] | None = None) -> bool:
        """Tell whether a job is expired: as the platform says, or by the expiration date in its metadata.

        Args:
            job_id: Identifier of the job; goes before ``job``.
            job: Its metadata.

        Raises:
            InvalidArguments: Neither was given.
            ArgumentTypeError: The metadata has no expiration date.
        """
        if job_id is not None:
            return bool(_member(await self._job(job_id, None), "expired"))
        found = await self._job(None, job)
        return is_past(found.get("expiration_date"), dt.datetime.now(dt.UTC))

    async def wait_until_job_completes(
        self,
        job_id: str,
        sleep_time: float = 5,
        max_wait_time: float | None = 600,
        *,
        on_progress: Callable[[models.Job], None] | None = None,
    ) -> None:
        """Ask again and again until a job is complete; cancelling ends the wait, and leaves the job alone.

        Args:
            job_id: Identifier of the job.
            sleep_time: Seconds between two looks.
            max_wait_time: Seconds in all, with a last look at their end; None waits for ever.
            on_progress: Called with the job's metadata after every look.

        Raises:
            JobExecutionError: The job failed.
            JobTimeout: It is not complete after ``max_wait_time`` (also a ``JobExecutionError``).
        """
        _check_seconds("sleep_time", sleep_time)
        if max_wait_time is not None:
            _check_seconds("max_wait_time", max_wait_time)
        clock = self._clock
        begun = clock.now()
        while True:
            job: Any = await self._call(GET_JOB_DETAILS, {"job_id": job_id})
            if on_progress is not None:
                on_progress(job)
            if _is_complete(job, job_id):
                return
            pause_s = next_pause(clock.now() - begun, sleep_time, max_wait_time)
            if pause_s is None:
                raise JobTimeout("Maximum wait time exceeded", job_id=job_id, state=job.get("state"))
            await clock.sleep(pause_s)

    async def _job(self, job_id: str | None, job: Mapping[str, Any] | None) -> Mapping[str, Any]:
        if job_id is not None:
            return await self._call(GET_JOB_DETAILS, {"job_id": job_id})
        if job is None:
            raise InvalidArguments("Either `job_id` or `job` must be provided", "job_id")
        if not isinstance(job, Mapping):
            raise ArgumentTypeError(f"job must be the metadata of a job, not {type(job).__name__}", argument="job")
        return job


def next_pause(waited_s: float, sleep_s: float, max_wait_s: float | None) -> float | None:
    """Return how long to sleep before the next look, never past the end; None at the end."""
    if max_wait_s is None:
        return sleep_s
    left_s = max_wait_s - waited_s
    return None if left_s <= 0 else min(sleep_s, left_s)


def is_past(date: Any, now: dt.datetime) -> bool:
    """Tell whether a date is over; one without an offset is in UTC.

    Raises:
        ArgumentTypeError: It is no text.
        ArgumentError: It is no date.
    """
    if not isinstance(date, str):
        raise ArgumentTypeError(f"expiration_date of the job must be text, not {type(date).__name__}", argument="job")
    try:
        found = dt.datetime.fromisoformat(date)
    except ValueError:
        raise ArgumentError(f"expiration_date of the job is no date: {date[:60]!r}", argument="job") from None
    return now >= (found.replace(tzinfo=dt.UTC) if found.tzinfo is None else found)


def _is_complete(job: Mapping[str, Any], job_id: str | None) -> bool:
    state = _member(job, "state")
    if state == JobState.FAILED:
        name = job_id if job_id is not None else job.get("id")
        raise JobExecutionError(f"Job '{name}' failed", job_id=name, state=state, failure_type=job.get("failure_type"))
    return bool(state == JobState.COMPLETE)


def _member(job: Mapping[str, Any], name: str) -> Any:
    if name not in job:
        raise DecodeError(f"the metadata of the job has no {name!r}")
    return job[name]


def _check_seconds(name: str, value: Any) -> None:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise ArgumentTypeError(f"{name} must be a number of seconds, not {type(value).__name__}", argument=name)
    if not 0 <= value < float("inf"):
        raise ArgumentError(f"{name} must be at least 0 and finite, not {value!r}", argument=name)
