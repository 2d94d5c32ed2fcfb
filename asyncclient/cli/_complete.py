"""Values that shells complete. They are asked for while somebody types: nothing here needs a network, or fails."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable

__all__ = ["SERVICES", "all_jobs", "config_words", "emulators", "finishable_jobs", "profiles"]

SERVICES = ("flywheel", "las", "lfview", "sticky-pi", "voxel51")


def config_words(incomplete: str) -> list[str]:
    """Complete what ``config`` takes."""
    return _beginning(("show", *SERVICES), incomplete)


def emulators(incomplete: str) -> list[str]:
    """Complete the name of an emulator."""
    return _beginning((name for name in SERVICES if name != "sticky-pi"), incomplete)


def profiles(incomplete: str) -> list[str]:
    """Complete the name of a profile of Lucidtech."""
    with contextlib.suppress(Exception):
        from asyncclient.las.credentials import profile_names

        return _beginning(profile_names(), incomplete)
    return []


def all_jobs(incomplete: str) -> list[str]:
    """Complete the id of a job that has a journal."""
    return _jobs(incomplete, only_finishable=False)


def finishable_jobs(incomplete: str) -> list[str]:
    """Complete the id of a job that can be finished from the command line."""
    return _jobs(incomplete, only_finishable=True)


def _jobs(incomplete: str, *, only_finishable: bool) -> list[str]:
    with contextlib.suppress(Exception):  # whatever it is, there is nothing to complete then
        import asyncio

        from asyncclient._transfers.transfers import list_jobs
        from asyncclient.cli._transfers import obstacle

        jobs = asyncio.run(list_jobs())
        return _beginning((job.id for job in jobs if not (only_finishable and obstacle(job))), incomplete)
    return []


def _beginning(names: Iterable[str], incomplete: str) -> list[str]:
    return [name for name in names if name.startswith(incomplete)]
