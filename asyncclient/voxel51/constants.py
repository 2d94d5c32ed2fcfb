"""The platform's constants; each is text, equal to its name."""

from __future__ import annotations

import enum

__all__ = ["AnalyticImageType", "AnalyticType", "JobComputeMode", "JobFailureType", "JobState"]


class AnalyticType(enum.StrEnum):
    """What an analytic is registered as."""

    PLATFORM = "PLATFORM"
    IMAGE_TO_VIDEO = "IMAGE_TO_VIDEO"


class AnalyticImageType(enum.StrEnum):
    """Which hardware the container image of an analytic is for."""

    CPU = "CPU"
    GPU = "GPU"


class JobState(enum.StrEnum):
    """How far a job is."""

    READY = "READY"
    """Created and never started."""
    QUEUED = "QUEUED"
    SCHEDULED = "SCHEDULED"
    RUNNING = "RUNNING"
    COMPLETE = "COMPLETE"
    FAILED = "FAILED"


class JobComputeMode(enum.StrEnum):
    """Which hardware a job runs on."""

    CPU = "CPU"
    GPU = "GPU"
    BEST = "BEST"


class JobFailureType(enum.StrEnum):
    """Whose fault a failed job is."""

    USER = "USER"
    ANALYTIC = "ANALYTIC"
    PLATFORM = "PLATFORM"
    NONE = "NONE"
