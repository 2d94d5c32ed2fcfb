"""How jobs go on, and what comes out of them. Pure, but for the messages' times."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from typing import Any

from asyncclient.testing.voxel51.clock import text_of
from asyncclient.testing.voxel51.tables import Job

__all__ = ["STAGES", "ending_at", "log_of", "move", "output_of", "stage_of", "start", "status_of"]

STAGES = ("QUEUED", "SCHEDULED", "RUNNING")


def start(job: Job, now: datetime, fails: str | None) -> None:
    """Let a job begin; it waits in the queue."""
    job.state = "QUEUED"
    job.started = now
    job.looks = 0
    job.fails = fails
    _note(job, "Job queued", now)


def stage_of(done: float, whole: float) -> int:
    """Return how far a job is: the index of its stage, or the number of stages where it is over."""
    return len(STAGES) if done >= whole else int(done * len(STAGES) / whole)


def ending_at(job: Job, now: datetime, *, pending_polls: int, seconds: float | None) -> tuple[int, datetime]:
    """Return the stage a job has reached, and when its end would be, if this is it."""
    assert job.started is not None
    if seconds is None:
        return stage_of(job.looks, pending_polls), now
    passed = (now - job.started).total_seconds()
    return stage_of(passed, seconds), job.started + timedelta(seconds=seconds)


def move(job: Job, stage: int, at: datetime) -> bool:
    """Bring a job to a stage; return whether it is complete now. What is over stays as it is."""
    if job.state not in STAGES:
        return False
    if stage < len(STAGES):
        if STAGES[stage] != job.state:
            job.state = STAGES[stage]
            _note(job, f"Job {job.state.lower()}", at)
        return False
    if job.fails is None:
        job.state, job.completed = "COMPLETE", at
        _note(job, "Job complete", at)
        return True
    job.state, job.failed, job.failure = "FAILED", at, job.fails
    _note(job, "Job failed", at)
    return False


def _note(job: Job, message: str, at: datetime) -> None:
    job.messages.append({"message": message, "time": at.strftime("%Y-%m-%d %H:%M:%S")})


def status_of(job: Job) -> dict[str, Any]:
    """Return the status document of a job."""
    return {
        "analytic": job.analytic.name,
        "version": job.analytic.version,
        "state": job.state,
        "start_time": text_of(job.started),
        "complete_time": text_of(job.completed),
        "fail_time": text_of(job.failed),
        "failure_type": job.failure or "NONE",
        "messages": list(job.messages),
        "inputs": job.inputs,
        "posted_data": {},
    }


def log_of(job: Job) -> str:
    """Return the logfile of a job."""
    return "".join(f"{line['time']} {line['message']}\n" for line in job.messages)


def output_of(job: Job, length: int | None) -> bytes:
    """Return what a job makes of its inputs.

    Args:
        job: It is complete.
        length: Fill up or cut to so many bytes; None: as long as it is.
    """
    document = {
        "analytic": job.analytic.name,
        "version": job.analytic.version,
        "inputs": job.inputs,
        "parameters": job.request["parameters"],
    }
    text = json.dumps(document, ensure_ascii=False, indent=4).encode()
    return text if length is None else text[:length].ljust(length)
