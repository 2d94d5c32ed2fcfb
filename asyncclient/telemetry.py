"""Seeing what a hub does: logs on standard error, observers of your own, OpenTelemetry."""

from __future__ import annotations

from asyncclient._events import (
    Attempt,
    AttemptFinished,
    AttemptStarted,
    BodyFinished,
    Call,
    CallFinished,
    CallStarted,
    CredentialsRefused,
    Event,
    HubOpened,
    HubShut,
    Observer,
    Paused,
    RetryBudgetSpent,
    RetryScheduled,
    Transfer,
    TransferFinished,
    TransferPhase,
    TransferRestarted,
    TransferResumed,
    TransferRetry,
    TransferStarted,
)
from asyncclient._logging import LogLevel, log_to_stderr
from asyncclient._observers import observe
from asyncclient._opentelemetry import OpenTelemetry

__all__ = [
    "Attempt",
    "AttemptFinished",
    "AttemptStarted",
    "BodyFinished",
    "Call",
    "CallFinished",
    "CallStarted",
    "CredentialsRefused",
    "Event",
    "HubOpened",
    "HubShut",
    "LogLevel",
    "Observer",
    "OpenTelemetry",
    "Paused",
    "RetryBudgetSpent",
    "RetryScheduled",
    "Transfer",
    "TransferFinished",
    "TransferPhase",
    "TransferRestarted",
    "TransferResumed",
    "TransferRetry",
    "TransferStarted",
    "log_to_stderr",
    "observe",
]
