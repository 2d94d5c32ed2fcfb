"""What the service has of a graph of resources: kept on disk until all is there, for the run after a kill.

Contents of more than one request have journals of their own, which say how far they are. This one says which resources
are created, and which are complete, so that the next run of the same program creates none twice and sends no content
twice. It is a convenience: where it cannot be written, the upload goes on without.
"""

from __future__ import annotations

import contextlib
import hashlib
import itertools
import logging
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Final, NamedTuple

import anyio

from asyncclient._redirect import split_url
from asyncclient._transfers.hops import DISK, run_hop
from asyncclient._transfers.jobs import with_key
from asyncclient._transfers.journal import Journal, JournalOptions
from asyncclient._transfers.places import journal_folder
from asyncclient._transfers.records import Done, End, File, Record
from asyncclient._transfers.run import Run
from asyncclient.errors import ArgumentError, ResumeError

if TYPE_CHECKING:
    from asyncclient.lfview._api import ApiClient
    from asyncclient.lfview._base import Resource

__all__ = ["Ledger", "Noted", "graph_key", "open_ledger"]

_log: Final = logging.getLogger("asyncclient.lfview")
# Against a killed process. A machine that is lost may lose some lines; what they tell of is created once more then.
_OPTIONS: Final = JournalOptions(fsync="none")
_FIRST: Final = 1
"""Number of the first resource. 0 is that of jobs which are about one file; whoever resumes looks there."""


class Noted(NamedTuple):
    """One resource that an earlier run has created.

    Attributes:
        url: Of the resource.
        complete: Whether its content, if it has any, is there too.
    """

    url: str
    complete: bool


class Ledger:
    """The memory of one upload.

    Args:
        journal: Where it is kept, or None to remember nothing.
    """

    def __init__(self, journal: Journal | None = None) -> None:
        self._journal = journal
        self._numbers: dict[str, int] = {}
        self._left: dict[str, list[Noted]] = {}
        for number, entry in journal.state.files.items() if journal is not None else ():
            if entry.file is not None and entry.file.dst is not None:
                self._numbers[entry.file.dst] = number
                noted = Noted(entry.file.dst, isinstance(entry.outcome, Done))
                self._left.setdefault(entry.file.path, []).append(noted)
        for found in self._left.values():
            found.sort(key=lambda noted: not noted.complete)
            found.reverse()  # taken from the end: complete ones first, of these the oldest
        self._next = itertools.count(max(self._numbers.values(), default=_FIRST - 1) + 1)

    @property
    def kept(self) -> bool:
        """Whether anything is remembered."""
        return self._journal is not None

    @property
    def empty(self) -> bool:
        """Whether nothing was noted so far."""
        return not self._numbers

    def take(self, key: str) -> Noted | None:
        """Return a resource that an earlier run has created under a key, each only once; None if there is none left."""
        found = self._left.get(key)
        return found.pop() if found else None

    async def created(self, key: str, url: str, size: int | None = None, *, complete: bool = False) -> None:
        """Note that a resource exists.

        Args:
            key: Tells it from every other that is not equal.
            url: Where.
            size: Bytes of its content, if it has any.
            complete: Whether nothing more has to be sent.
        """
        if "?" not in url:  # a signature has no place here
            number = next(self._next)
            if await self._append(File(number, key, url, size), *([Done(number)] if complete else [])):
                self._numbers[url] = number

    async def completed(self, url: str) -> None:
        """Note that the content of a resource is there; nothing happens if it was not created under this ledger."""
        number = self._numbers.get(url)
        if number is not None:
            await self._append(Done(number))

    async def _append(self, *records: Record) -> bool:
        """Write records; return whether they are written. What cannot be written ends the ledger, once for all tasks."""
        journal = self._journal
        if journal is None:
            return False
        try:
            await journal.append(*records)
            return True
        except ArgumentError as error:  # a URL that looks like a secret: this one is not remembered
            _log.debug("%s", error)
        except (OSError, ResumeError) as error:
            if self._journal is not None:
                self._journal = None
                _log.warning("an upload that is interrupted from now on is not gone on with: %s", error)
                with contextlib.suppress(OSError, ResumeError):
                    await journal.aclose()
        return False

    async def close(self, *, finished: bool) -> None:
        """Take the ledger away if all is there, or if there is nothing in it; else leave it for the next run."""
        if self._journal is None:
            return
        with contextlib.suppress(OSError, ResumeError):
            if finished:
                # Said first: a file that cannot be deleted is not listed as unfinished.
                await self._journal.append(End(len(self._numbers), 0))
            await (self._journal.remove() if finished or self.empty else self._journal.aclose())


def graph_key(resources: Iterable[Resource]) -> str:
    """Return what tells a graph from most others: classes, properties and shapes, without URLs and contents.

    It only finds the ledger; what that says of a resource is held against the resource itself.
    """
    digest = hashlib.blake2b(digest_size=20)
    for resource in resources:
        body = resource.to_json(lambda child: type(child).__name__)
        digest.update(repr((type(resource).__name__, body)).encode("utf-8", "surrogatepass"))
    return digest.hexdigest()


@asynccontextmanager
async def open_ledger(client: ApiClient, key: str | None) -> AsyncIterator[Ledger]:
    """Open the ledger of an earlier run that was interrupted, or a new one; leave it to the next run if this one fails.

    Args:
        client: Connected.
        key: Of the graph; None for one that is not worth a ledger.
    """
    ledger = Ledger(None if key is None else await _open(client, key))
    try:
        yield ledger
    except BaseException as error:
        with anyio.CancelScope(shield=True):
            await ledger.close(finished=False)
        if isinstance(error, Exception) and ledger.kept and not ledger.empty:
            error.add_note("upload the same again to go on: what the service has is not sent again")
        raise
    with anyio.CancelScope(shield=True):
        await ledger.close(finished=True)


async def _open(client: ApiClient, key: str) -> Journal | None:
    base = client._account.upload_base_url
    origin = str(split_url(base)[0]) if base is not None else None
    key = hashlib.blake2b(f"{base} {key}".encode(), digest_size=20).hexdigest()
    job = Run.facts("lfview", "up", origin, {"key": key, "target": {"graph": key}})
    try:
        for job_id in await run_hop(with_key, journal_folder(), key, crew=DISK):
            with contextlib.suppress(ResumeError):  # somebody works on it: a graph that looks the same
                return await Journal.resume(job_id, options=_OPTIONS)
        return await Journal.create(job, options=_OPTIONS)
    except OSError as error:
        _log.warning("an upload that is interrupted begins anew: no journal can be made: %s", error)
        return None
