"""Job requests and what is said of jobs, under their official names."""

from __future__ import annotations

from asyncclient.voxel51.constants import JobComputeMode, JobFailureType, JobState
from asyncclient.voxel51.exceptions import JobExecutionError, RemoteDataPathError
from asyncclient.voxel51.jobs import DATA_ID_FIELD, JobRequest, RemoteDataPath

__all__ = [
    "DATA_ID_FIELD",
    "JobComputeMode",
    "JobExecutionError",
    "JobFailureType",
    "JobRequest",
    "JobState",
    "RemoteDataPath",
    "RemoteDataPathError",
]
