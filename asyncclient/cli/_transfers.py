"""``asyncclient transfers``: what interrupted uploads and downloads have left on this machine, and dealing with it."""

from __future__ import annotations

import importlib
import importlib.util
import re
import time
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any, Final

from asyncclient._transfers import transfers as engine
from asyncclient._transfers.jobs import JobSummary
from asyncclient._transfers.options import DEFAULTS, Downloaded, TransferOptions, Uploaded
from asyncclient._transfers.progress import rich_progress
from asyncclient.cli._counts import counted
from asyncclient.cli._errors import FAILED, OK, Missing, Problem, complain, words_of
from asyncclient.cli._loop import run_async
from asyncclient.cli._output import Output, progress_console
from asyncclient.cli._settings import settings
from asyncclient.errors import AsyncClientError, ConfigurationError

__all__ = ["Request", "abort", "list_all", "obstacle", "prune", "resume", "seconds"]

_UNITS_S: Final = {"s": 1, "m": 60, "h": 3600, "d": 86_400}
_DURATION: Final = re.compile(r"(\d+(?:\.\d+)?)\s*([smhd]?)\Z")
_LEAST_CHARACTERS: Final = 4


@dataclass(frozen=True, slots=True)
class Request:
    """What was asked for.

    Attributes:
        jobs: Ids, or enough of their beginnings or ends to tell them apart.
        everything: All jobs that can be dealt with, in place of ``jobs``.
        force: Whether to take them from owners that seem to live.
    """

    jobs: Sequence[str] = ()
    everything: bool = False
    force: bool = False


@dataclass(slots=True)
class _Outcome:
    """What came of one job."""

    id: str
    ok: bool
    words: str
    facts: dict[str, Any] = field(default_factory=dict)


def seconds(text: str) -> float:
    """Read an age such as ``14d``, ``12h``, ``30m`` or ``0``; a number alone is of days.

    Raises:
        Problem: It is none.
    """
    found = _DURATION.match(text.strip().lower())
    if found is None:
        raise Problem(f"--older-than takes a number and s, m, h or d, such as 14d or 12h, not {text!r}")
    return float(found[1]) * _UNITS_S[found[2] or "d"]


# --- list ------------------------------------------------------------------------------------------------------------


def list_all() -> int:
    """Print the jobs that have a journal, the oldest first."""
    jobs = run_async(engine.list_jobs)
    if settings().as_json:
        Output().result([_as_data(job) for job in jobs], None)
    elif not jobs:
        print("There are no unfinished transfers.")
    else:
        for job in jobs:
            print(_line(job))
    return OK


def _state(job: JobSummary) -> str:
    if job.problem:
        return "unusable"
    if job.standing == "alive":
        return "running"
    if job.ended or (job.files and job.done == job.files):
        return "done"
    return "failed" if job.failed else "interrupted"


def obstacle(job: JobSummary) -> str:
    """Return why ``transfers resume`` cannot finish a job, and what can; "" if it can."""
    state = _state(job)
    if state == "unusable":
        return f"its journal is {job.problem}"
    if state == "running":
        return f"{job.owner} works on it"
    if state == "done":
        return "it is complete"
    if _module(job.service) is None:
        return f"{job.service} needs the program that began it: make the same call again"
    if job.local is None:
        what = "it is about several resources" if job.files > 1 else "its content was no file"
        return f"{what}: make the same call again"
    if job.direction == "up" and not job.local.exists():
        return f"{job.local} is not there any more: put it back, or abort the job"
    return ""


def _line(job: JobSummary) -> str:
    way = {"up": "to", "down": "from"}.get(job.direction, "?")
    where = f"{way} {job.service or 'unknown'}" + (f" ({job.origin})" if job.origin else "")
    done = f"{job.moved / job.size:4.0%} of {_bytes(job.size)}" if job.size else "size unknown"
    age = _age(max(0.0, time.time() - job.updated_s))
    found = obstacle(job)
    why = f"; {found}" if found else ""
    error = f" [{job.error}]" if job.error else ""
    return f"{job.id}  {_state(job):<11}  {done}  {job.local or '-'}  {where}  {age} ago{error}{why}"


def _as_data(job: JobSummary) -> dict[str, Any]:
    found = obstacle(job)
    return {
        "id": job.id,
        "state": _state(job),
        "service": job.service,
        "direction": job.direction,
        "origin": job.origin,
        "file": None if job.local is None else str(job.local),
        "size_bytes": job.size,
        "moved_bytes": job.moved,
        "started_s": job.started_s,
        "updated_s": job.updated_s,
        "owner": job.owner or None,
        "resumable": not found,
        "obstacle": found or None,
        "error": job.error or None,
        "journal": str(job.path),
    }


def _bytes(count: int) -> str:
    return f"{count / 1e6:.1f} MB" if count >= 1e5 else f"{count} bytes"


def _age(age_s: float) -> str:
    for unit in ("d", "h", "m"):
        if age_s >= _UNITS_S[unit]:
            return f"{age_s / _UNITS_S[unit]:.0f} {unit}"
    return f"{age_s:.0f} s"


# --- resume, abort ---------------------------------------------------------------------------------------------------


def resume(request: Request) -> int:
    """Finish jobs, one after the other; one that fails does not keep the others from being tried."""
    with _progress() as options:

        async def one(job: JobSummary) -> _Outcome:
            found = await engine.resume(job.id, options, force=request.force)
            way = "uploaded" if isinstance(found, Uploaded) else "downloaded"
            there = f", of which {_bytes(found.resumed_bytes)} were there already" if found.resumed_bytes else ""
            return _Outcome(job.id, True, f"{way} {job.local}, {_bytes(found.size)}{there}", _facts(found))

        return _each(request, one)


@contextmanager
def _progress() -> Iterator[TransferOptions]:
    """Give options that show bars on a terminal, always on standard error."""
    console = progress_console()
    if console is None:
        yield DEFAULTS
        return
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn

    with Progress(TextColumn("{task.description}"), BarColumn(), DownloadColumn(), console=console) as bars:
        yield replace(DEFAULTS, on_progress=rich_progress(bars))


def abort(request: Request) -> int:
    """Give up jobs: what their service has of them, their part files, their journals."""
    options = TransferOptions()

    async def one(job: JobSummary) -> _Outcome:
        await engine.abort(job.id, options, force=request.force)
        return _Outcome(job.id, True, "aborted")

    return _each(request, one)


def _facts(found: Uploaded | Downloaded) -> dict[str, Any]:
    return {
        "size_bytes": found.size,
        "resumed_bytes": found.resumed_bytes,
        "restarted": found.restarted,
        "md5": found.md5,
    }


def _each(request: Request, work: Callable[[JobSummary], Awaitable[_Outcome]]) -> int:
    outcomes = run_async(lambda: _run_each(request, work))
    if settings().as_json:
        found = [{"id": each.id, "ok": each.ok, **each.facts} for each in outcomes]
        Output().result(found, None)
    elif not outcomes:
        print("There is nothing that can be finished from here.")
    else:
        for outcome in outcomes:
            if outcome.ok:
                print(f"{outcome.id}: {outcome.words}")
    return OK if all(outcome.ok for outcome in outcomes) else FAILED


async def _run_each(request: Request, work: Callable[[JobSummary], Awaitable[_Outcome]]) -> list[_Outcome]:
    outcomes = []
    for job in _chosen(request, await engine.list_jobs()):
        _load(job.service)
        try:
            outcomes.append(await work(job))
        except ConfigurationError:  # the same for all that follow
            raise
        except (AsyncClientError, OSError) as error:
            words = words_of(error)
            complain(words if job.id in words else f"{job.id}: {words}", error)
            outcomes.append(_Outcome(job.id, False, words, {"error": words, "kind": type(error).__name__}))
    return outcomes


def _chosen(request: Request, jobs: Sequence[JobSummary]) -> list[JobSummary]:
    if request.everything == bool(request.jobs):
        raise Problem("name one job or more, or all of them; `asyncclient transfers list` shows them")
    if request.everything:
        return [job for job in jobs if not obstacle(job)]
    return list({job.id: job for job in (_named(text, jobs) for text in request.jobs)}.values())


def _named(text: str, jobs: Sequence[JobSummary]) -> JobSummary:
    found = [job for job in jobs if job.id == text]
    if not found and len(text) >= _LEAST_CHARACTERS:
        found = [job for job in jobs if job.id.startswith(text) or job.id.endswith(text)]
    if len(found) != 1:
        what = "there is no job" if not found else f"there are {len(found)} jobs"
        raise (Problem if found else Missing)(f"{what} {text}; `asyncclient transfers list` shows them")
    return found[0]


def _module(service: str) -> str | None:
    """Return the module that knows how jobs of a service are gone on with, if there is one."""
    name = f"asyncclient.{service}._resuming"
    try:
        return name if service.isidentifier() and importlib.util.find_spec(name) is not None else None
    except ImportError:
        return None


def _load(service: str) -> None:
    name = _module(service)
    if name is not None:
        importlib.import_module(name)


# --- prune -----------------------------------------------------------------------------------------------------------


def prune(older_than_s: float) -> int:
    """Delete what nobody has touched for long."""
    pruned = run_async(lambda: _prune(older_than_s))
    left = [{"id": each.job_id, "service": each.service, "origin": each.origin} for each in pruned.sessions]
    if settings().as_json:
        files = [str(path) for path in pruned.part_files]
        Output().result({"jobs": pruned.jobs, "part_files": files, "left": left}, None)
        return OK
    journals, part_files = counted(len(pruned.jobs), "journal"), counted(len(pruned.part_files), "part file")
    print(f"Deleted {journals} and {part_files}.")
    for entry in left:
        print(f"{entry['id']}: {entry['service']} may keep what it has of it for some days")
    return OK


async def _prune(older_than_s: float) -> Any:
    for job in await engine.list_jobs():
        _load(job.service)
    return await engine.prune(older_than_s)
