"""``asyncclient voxel51 jobs``: start, archive, unarchive, ttl, kill, delete."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from asyncclient.cli._output import Output
from asyncclient.cli._voxel51_batch import (
    All,
    Choice,
    Date,
    Days,
    DryRun,
    Force,
    Ids,
    Words,
    change,
    jobs_like,
    ttl_of,
)
from asyncclient.cli._voxel51_run import run

if TYPE_CHECKING:
    import typer

    from asyncclient.voxel51 import AsyncAPI

__all__ = ["add_changes"]


@dataclass(frozen=True, slots=True)
class _Change:
    """A command: its name, the method, which jobs ``--all`` means, what is said."""

    name: str
    method: str
    terms: tuple[tuple[str, Any], ...]
    words: Words
    help: str


_READY: Final = ("state", "READY")
_CURRENT: Final = ("archived", False)


def _words(verb: str, done: str) -> Words:
    return Words(f"job(s) to {verb}", f"failed to {verb} job", f"job(s) {done}")


_CHANGES: Final = (
    _Change("start", "batch_start_jobs", (_READY, _CURRENT), _words("start", "started"), "Start jobs that are ready."),
    _Change("archive", "batch_archive_jobs", (_CURRENT,), _words("archive", "archived"), "Archive jobs."),
    _Change(
        "unarchive",
        "batch_unarchive_jobs",
        (("archived", True), ("expired", False)),
        _words("unarchive", "unarchived"),
        "Take jobs out of the archive.",
    ),
    _Change(
        "kill",
        "batch_kill_jobs",
        (_CURRENT, ("state", "QUEUED|SCHEDULED")),
        _words("kill", "killed"),
        "Force queued and scheduled jobs to end.",
    ),
    _Change(
        "delete",
        "batch_delete_jobs",
        (_CURRENT, _READY),
        _words("delete", "deleted"),
        "Delete jobs that were never started.",
    ),
)


def add_changes(jobs: typer.Typer) -> None:
    """Add the commands to their group."""
    for each in _CHANGES:
        _add(jobs, each)
    jobs.command("ttl")(_ttl)


def _add(jobs: typer.Typer, what: _Change) -> None:
    def command(
        ids: Ids = None,
        everything: All = False,
        force: Force = False,
        dry_run: DryRun = False,
    ) -> None:
        async def work(api: AsyncAPI) -> int:
            choice = Choice(ids or (), everything, force, dry_run)
            act = getattr(api, what.method)
            return await change(choice, what.words, Output(), find=lambda: jobs_like(api, *what.terms), act=act)

        run(work)

    jobs.command(what.name, help=what.help)(command)


def _ttl(
    ids: Ids = None,
    days: Days = None,
    date: Date = None,
    everything: All = False,
    force: Force = False,
    dry_run: DryRun = False,
) -> None:
    """Change when the outputs of jobs expire."""
    words = Words("jobs to update TTL", "failed to update TTL of job", "job TTL(s) updated")

    async def work(api: AsyncAPI) -> int:
        when = ttl_of(days, date)
        choice = Choice(ids or (), everything, force, dry_run)
        find = lambda: jobs_like(api, ("expired", False))  # noqa: E731
        act = lambda chosen: api.batch_update_jobs_ttl(chosen, **when)  # noqa: E731
        return await change(choice, words, Output(), find=find, act=act)

    run(work)
