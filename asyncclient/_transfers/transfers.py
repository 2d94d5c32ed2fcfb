"""The surface of the engine: send a file, fetch a file, and deal with what an earlier process left unfinished."""

from __future__ import annotations

import contextlib
import hashlib
import os
from collections.abc import Mapping
from contextlib import aclosing, asynccontextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import anyio

from asyncclient._codec import encode
from asyncclient._pipeline import Pipeline, Rules
from asyncclient._transfers import jobs
from asyncclient._transfers.abort import abort_session
from asyncclient._transfers.destination import check_destination
from asyncclient._transfers.download import Download
from asyncclient._transfers.hops import DISK, run_hop
from asyncclient._transfers.journal import Journal, JournalOptions
from asyncclient._transfers.open_source import as_source
from asyncclient._transfers.options import DEFAULTS, Downloaded, TransferOptions, Uploaded
from asyncclient._transfers.places import journal_folder, part_path
from asyncclient._transfers.progress import Meter
from asyncclient._transfers.records import Done, Job, Session
from asyncclient._transfers.registry import Bound, Direction, TargetFactory, factory_of, is_registered, register
from asyncclient._transfers.run import Run
from asyncclient._transfers.source import Source
from asyncclient._transfers.target import DownloadTarget, UploadTarget
from asyncclient._transfers.upload import Upload
from asyncclient._transfers.wire import Wire
from asyncclient.errors import APIError, ConfigurationError, ResumeError, TransportError

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator

__all__ = [
    "Bound",
    "Direction",
    "TargetFactory",
    "abort",
    "download_file",
    "list_jobs",
    "prune",
    "register",
    "resume",
    "upload_file",
]

list_jobs = jobs.list_jobs


async def upload_file(
    pipeline: Pipeline, rules: Rules, source: Any, target: UploadTarget, options: TransferOptions = DEFAULTS
) -> Uploaded:
    """Send one file and verify it on arrival.

    Args:
        pipeline: Of the hub.
        rules: Of the client.
        source: Whatever ``as_source`` takes, or a :class:`~.source.Source`, which stays open.
        target: Where to.
        options: How.

    Raises:
        SourceChanged: The file changed while it was read.
        IntegrityError: The service reports another digest or size than was sent.
        SessionExpired: The upload session is gone, and what was sent cannot be read again.
        APIError: The service refuses.
        TransportError: Retries are used up.

    After an error or a cancellation the journal and the session at the service remain: the same call goes on where this
    one stopped. No part is ever recorded before the service has confirmed it. Errors have ``transfer_id`` where that is
    so.
    """
    return await _upload(pipeline, rules, source, target, options, None)


async def download_file(
    pipeline: Pipeline, rules: Rules, target: DownloadTarget, destination: Any, options: TransferOptions = DEFAULTS
) -> Downloaded:
    """Fetch one file, verify it and put it in place.

    Args:
        pipeline: Of the hub.
        rules: Of the client.
        target: Where from.
        destination: A path, a binary file object or a callable. Nothing is seen at a path before it is whole.
        options: How.

    Raises:
        RemoteChanged: The remote file changed while it was fetched; the next call begins anew.
        IntegrityError: What arrived differs from what the service announced, also when it was fetched again.
        APIError: The service refuses.
        TransportError: Retries are used up.
        OSError: The destination cannot be written: there is a folder, or a file that must not be replaced, or nothing can
            be made there, all of which is seen before any request; or its disk is full (``ENOSPC``).

    After an error or a cancellation a part file beside the destination and the journal remain: the same call goes on
    where this one stopped.
    """
    return await _download(pipeline, rules, target, destination, options, None)


async def resume(job_id: str, options: TransferOptions = DEFAULTS, *, force: bool = False) -> Uploaded | Downloaded:
    """Go on with a transfer that was interrupted, in this process or another.

    Args:
        job_id: ``transfer_id`` of an error, or the id of a listed job.
        options: How; the size of parts is the recorded one.
        force: Whether to take it from an owner that seems to live.

    Raises:
        ResumeError: There is no such job, it is complete, its owner lives, its service has not been registered, or its
            source was no file or is gone.
    """
    journal = await _open_journal(job_id, options, force=force)
    try:
        path = await _local_path(journal)
        async with factory_of(journal.job)(
            cast("Direction", journal.job.direction), _description(journal.job)
        ) as bound:
            if journal.job.direction == "up":
                target = cast("UploadTarget", bound.target)
                return await _upload(bound.pipeline, bound.rules, path, target, options, journal)
            source = cast("DownloadTarget", bound.target)
            return await _download(bound.pipeline, bound.rules, source, path, options, journal)
    except BaseException:
        # Closed already where the transfer had begun; where it had not, the job must not seem to have an owner.
        with anyio.CancelScope(shield=True), contextlib.suppress(OSError, ResumeError):
            await journal.aclose()
        raise


async def abort(job_id: str, options: TransferOptions = DEFAULTS, *, force: bool = False) -> None:
    """Give up a transfer for good: drop what the service has of it, the part file, and the journal.

    Args:
        job_id: The job.
        options: Only where journals lie.
        force: Whether to take it from an owner that seems to live.

    Raises:
        ResumeError: There is no such job, its owner lives, or its service has not been registered and may have
            something of it; the journal stays.
        APIError: The service refuses; the journal stays.
    """
    journal = await _open_journal(job_id, options, force=force, complete=True)
    try:
        state = journal.state.files.get(0)
        if state is not None and not isinstance(state.outcome, Done):
            if state.session is not None and journal.job.direction == "up":
                await _abort_remote(journal.job, state.session)
            if state.file is not None and state.file.dst and journal.job.direction == "down":
                owners = [*journal.state.owners, journal.owner]
                await run_hop(_unlink_parts, Path(state.file.dst), journal.job.id, owners, crew=DISK)
    except BaseException:
        with anyio.CancelScope(shield=True):
            await journal.aclose()
        raise
    await journal.remove()


async def prune(older_than_s: float = 14 * 86_400.0, options: TransferOptions = DEFAULTS) -> jobs.Pruned:
    """Delete journals and part files that nobody has touched for long, and drop their uploads where that is possible.

    Args:
        older_than_s: Age in seconds.
        options: Only where journals lie.

    Returns:
        What was deleted; ``sessions`` has the uploads that may still be at their service: it was not registered, or refused.
    """
    folder = journal_folder(options.journal_folder)
    known = await run_hop(lambda: {job.id: job for job in jobs.first_lines(folder)}, crew=DISK)
    found = await jobs.prune(older_than_s, folder=options.journal_folder)
    left = [session for session in found.sessions if not await _abort_left(session, known.get(session.job_id))]
    return replace(found, sessions=left)


async def _upload(
    pipeline: Pipeline,
    rules: Rules,
    source: Any,
    target: UploadTarget,
    options: TransferOptions,
    journal: Journal | None,
) -> Uploaded:
    async with _opened(source) as reading:
        path = None if reading.path is None else str(reading.path)
        facts = _facts(rules.service, "up", path, target.description)
        # What has no path is known again by the digest that its target's description may have under "content".
        if journal is None and reading.replayable and (path is not None or "content" in target.description):
            journal = await _interrupted(facts, options)
        meter = Meter(options.on_progress, name=reading.name, total=reading.size, phase="sending")
        run = Run(Wire(pipeline, rules, options, job=facts.id), options, meter, facts, journal)
        run.by_command = path is not None and is_registered(rules.service)
        async with _concluded(run):
            sent = await Upload(run, reading, target).send()
            run.watch.finished(bytes_done=sent.size, resumed_bytes=sent.resumed_bytes, parts=sent.parts)
            return sent


async def _download(
    pipeline: Pipeline,
    rules: Rules,
    target: DownloadTarget,
    destination: Any,
    options: TransferOptions,
    journal: Journal | None,
) -> Downloaded:
    path = None
    if isinstance(destination, (str, os.PathLike)):
        # Made absolute without a look at the disk: links in it are followed when it is written.
        path = await run_hop(lambda: str(Path(os.fsdecode(destination)).absolute()), crew=DISK)
        destination = path
    facts = _facts(rules.service, "down", path, target.description)
    if journal is None and path is not None:
        journal = await _interrupted(facts, options)
        if journal is None:  # else what lies there may be what an interrupted call has just put there
            check = partial(check_destination, Path(path), overwrite=options.overwrite)
            await run_hop(check, crew=DISK)
    meter = Meter(options.on_progress, name=target.name, phase="receiving")
    run = Run(Wire(pipeline, rules, options, job=facts.id), options, meter, facts, journal)
    run.by_command = path is not None and is_registered(rules.service)
    async with _concluded(run):
        got = await Download(run, target, destination).fetch()
        run.watch.finished(bytes_done=got.size, resumed_bytes=got.resumed_bytes, parts=got.parts)
        return got


@asynccontextmanager
async def _opened(source: Any) -> AsyncGenerator[Source]:
    if hasattr(source, "take") and hasattr(source, "scan"):
        yield source
        return
    async with aclosing(await as_source(source)) as found:
        yield found


@asynccontextmanager
async def _concluded(run: Run) -> AsyncIterator[None]:
    """Leave a journal that can be resumed, whatever ends the transfer, and say so in the error."""
    run.watch.started()
    try:
        yield
    except BaseException as error:
        with anyio.CancelScope(shield=True):
            await run.give_up(error)
        run.watch.finished(bytes_done=run.meter.confirmed, resumed_bytes=run.resumed_bytes, error=error)
        raise


def _facts(service: str, direction: Direction, path: str | None, description: Mapping[str, Any]) -> Job:
    key = hashlib.sha256(encode([service, direction, path, dict(description)])).hexdigest()[:32]
    origin = description.get("origin")
    return Run.facts(
        service,
        direction,
        origin if isinstance(origin, str) else None,
        {"key": key, "target": dict(description)},
    )


def _description(job: Job) -> Mapping[str, Any]:
    found = job.options.get("target")
    return found if isinstance(found, dict) else {}


async def _local_path(journal: Journal) -> str:
    """Return the file on this machine that a job is about."""
    job_id, state = journal.job.id, journal.state.files.get(0)
    file = state.file if state is not None else None
    path = None if file is None else file.path if journal.job.direction == "up" else file.dst
    if not path or not Path(path).is_absolute():
        why = "it is about several resources" if len(journal.state.files) > 1 else "its content was no file"
        raise ResumeError(
            f"job {job_id} cannot be resumed from here: {why}; make the same call again, "
            "which goes on where it stopped",
            transfer_id=job_id,
        )
    if journal.job.direction == "up" and not await run_hop(os.path.exists, path, crew=DISK):
        raise ResumeError(
            f"job {job_id} cannot be resumed: {path} is not there any more; put it back, or abort the job",
            transfer_id=job_id,
        )
    return path


async def _open_journal(job_id: str, options: TransferOptions, *, force: bool, complete: bool = False) -> Journal:
    kept = JournalOptions(fsync=options.fsync)
    journal = await Journal.resume(job_id, folder=options.journal_folder, options=kept, force=force)
    state = journal.state.files.get(0)
    if state is not None and isinstance(state.outcome, Done) and not complete:
        await journal.remove()
        raise ResumeError(f"job {job_id} is complete; there is nothing to resume", transfer_id=job_id)
    return journal


async def _interrupted(facts: Job, options: TransferOptions) -> Journal | None:
    """Take over the journal of an earlier call of the same kind, if there is one nobody works on."""
    if not options.resume:
        return None
    key, folder = facts.options["key"], journal_folder(options.journal_folder)
    for job_id in await run_hop(jobs.with_key, folder, key, crew=DISK):
        try:
            # One that says it is complete was not deleted: its process died on its way out, and nobody had the result.
            made = JournalOptions(fsync=options.fsync)
            return await Journal.resume(job_id, folder=options.journal_folder, options=made, reopen=True)
        except ResumeError:
            continue  # somebody works on it, or was faster: this call goes its own way
    return None


async def _abort_left(left: jobs.LeftSession, job: Job | None) -> bool:
    """Drop an upload whose journal is gone; returns whether it is."""
    if job is None or not is_registered(job.service):
        return False
    try:
        await _abort_remote(job, Session(0, left.upload_id, extra=left.extra))
    except (APIError, TransportError, ConfigurationError):
        return False  # it is reported instead; services drop such uploads by themselves after a while
    return True


async def _abort_remote(job: Job, session: Session) -> None:
    async with factory_of(job)("up", _description(job)) as bound:
        await abort_session(Wire(bound.pipeline, bound.rules), cast("UploadTarget", bound.target), session)


def _unlink_parts(destination: Path, job_id: str, owners: list[str]) -> None:
    for owner in owners:
        part_path(destination, job_id, owner).unlink(missing_ok=True)
