"""How the targets of a service are made again, for a process that did not begin the transfer."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

from asyncclient._pipeline import Pipeline, Rules
from asyncclient._transfers.records import Job
from asyncclient._transfers.target import DownloadTarget, UploadTarget
from asyncclient.errors import ResumeError

__all__ = ["Bound", "Direction", "TargetFactory", "factory_of", "is_registered", "register"]

Direction: TypeAlias = Literal["up", "down"]


@dataclass(frozen=True, slots=True)
class Bound:
    """A target made again from what the journal keeps of it, and what it is spoken to with."""

    pipeline: Pipeline
    rules: Rules
    target: UploadTarget | DownloadTarget


TargetFactory = Callable[[Direction, Mapping[str, Any]], AbstractAsyncContextManager[Bound]]
"""Makes the target of a job: given the direction and the target's ``description``, opens a client and closes it."""

_factories: dict[str, TargetFactory] = {}


def register(service: str, factory: TargetFactory) -> None:
    """Say how the targets of a service are made again; a later call replaces an earlier one.

    The command line imports the module ``_resuming`` of a service for this; it takes secrets from the environment.
    """
    _factories[service] = factory


def is_registered(service: str) -> bool:
    """Tell whether the targets of a service can be made again."""
    return service in _factories


def factory_of(job: Job) -> TargetFactory:
    """Return what makes the target of a job again.

    Raises:
        ResumeError: Its service has not been registered.
    """
    factory = _factories.get(job.service)
    if factory is None:
        raise ResumeError(
            f"job {job.id} is of {job.service or 'an unknown service'}, which needs the program that began it; "
            "make the same call again to finish it, or prune it",
            transfer_id=job.id,
        )
    return factory
