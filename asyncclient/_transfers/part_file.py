"""Downloads to disk: a part file beside the destination, any range at any time, one rename at the end.

The destination is never seen half written. The part file carries the owner's name; a resumed download takes it over by
renaming it, see ``claims``.
"""

from __future__ import annotations

import hashlib
import os
import threading
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from asyncclient._transfers.claims import claim
from asyncclient._transfers.digest import OrderedDigest, Updatable, new_md5
from asyncclient._transfers.fileio import FileClosed, FileHandle, folder_lock, fsync_folder
from asyncclient._transfers.hops import DISK, Hop, run_hop, run_to_end
from asyncclient._transfers.journal_writer import Fsync
from asyncclient._transfers.loose import loose_path, sweep
from asyncclient._transfers.places import new_job_id, part_path
from asyncclient._transfers.sink import Sink, as_object_sink
from asyncclient._transfers.windows import WINDOW_BYTES
from asyncclient.errors import ArgumentTypeError, ResumeError

__all__ = ["PartFile", "PartFileOptions", "as_sink"]

_CATCH_UP_BYTES: Final = 4 * WINDOW_BYTES
# So much is digested before the thread is left to others.
_VISIT_BYTES: Final = 32 * WINDOW_BYTES


@dataclass(frozen=True, slots=True)
class PartFileOptions:
    """How a download is put on disk.

    Attributes:
        fsync: ``none``: never; ``end``: the data before the rename and the folder after it; ``part``: the same, and the
            journal syncs every part.
        overwrite: Whether an existing destination is replaced; if not, it is an error, also one that appears meanwhile.
        preallocate: Whether to reserve the room when the size is known.
        digest: Whether to keep an md5 of the whole.
        mtime_ns: Time of change to set, in nanoseconds since the epoch.
    """

    fsync: Fsync = "end"
    overwrite: bool = True
    preallocate: bool = True
    digest: bool = True
    mtime_ns: int | None = None


_DEFAULTS: Final = PartFileOptions()


def as_sink(
    value: Any, *, job_id: str | None = None, owner: str | None = None, options: PartFileOptions = _DEFAULTS
) -> Sink:
    """Make a sink of a path, a binary file object, sync or async, or a callable.

    Args:
        value: Text is always a path.
        job_id: Of the journal, for paths.
        owner: Of the journal, for paths. Default: there is no journal.
        options: For paths.

    Raises:
        ArgumentTypeError: It is none of these, or a text file.
    """
    if isinstance(value, (str, os.PathLike)):
        return PartFile(Path(os.fsdecode(value)).absolute(), job_id or new_job_id(), owner, options)
    found = as_object_sink(value)
    if found is None:
        raise ArgumentTypeError(
            f"destination must be a path, a binary file object or a callable, not {type(value).__name__}",
            argument="destination",
        )
    return found


class PartFile:
    """A file on disk that is being downloaded.

    Args:
        destination: Where it will lie. Missing folders are made.
        job_id: Id of the job.
        owner: Name of the journal's owner; None if there is no journal, by which it could be found again.
        options: How it is put on disk.

    Attributes:
        destination: As given.
        path: Where it lies until then.
        size: Bytes, if known.
        rewritten: Something that was digested was written again and may differ: the whole is read at the end.
    """

    positional = True

    def __init__(self, destination: Path, job_id: str, owner: str | None, options: PartFileOptions = _DEFAULTS) -> None:
        self.destination = destination
        self.path = part_path(destination, job_id, owner or "")  # without a journal: until it is opened
        self._loose = owner is None
        self.size: int | None = None
        self._job_id = job_id
        self._options = options
        self._handle: FileHandle | None = None
        self._digest = OrderedDigest()
        self.rewritten = False
        self._end = 0
        self._end_lock = threading.Lock()

    async def open(self, size: int | None, *, earlier: Iterable[str] = ()) -> int:
        """Make the part file, or take over one of an earlier owner.

        Args:
            size: Bytes of the whole, or None if unknown.
            earlier: Names of earlier owners of the job.

        Returns:
            Bytes in a part file that was taken over, not more than ``size``; they may have gaps. 0 for a new one: what
            the journal says of parts is void then.

        Raises:
            FileExistsError: The destination is there and must not be replaced.
            OSError: The file cannot be made, or the disk has no room (``ENOSPC``).
        """
        self.size = size
        return await run_hop(self._open, list(earlier), crew=DISK)

    def _open(self, earlier: list[str]) -> int:
        if not self._options.overwrite and os.path.lexists(self.destination):
            raise FileExistsError(17, os.strerror(17), str(self.destination))
        self.destination.parent.mkdir(parents=True, exist_ok=True)
        if self._loose:
            sweep(self.destination.parent)
            self.path = loose_path(self.destination)
        paths = [part_path(self.destination, self._job_id, owner) for owner in reversed(earlier)]
        taken = any(not self.path.exists() and path != self.path and claim(path, self.path) for path in paths)
        flags = os.O_RDWR if taken else os.O_RDWR | os.O_CREAT | os.O_EXCL
        with folder_lock(self.path.parent):
            self._handle = FileHandle(self.path, flags | getattr(os, "O_NOFOLLOW", 0))
        found = self._handle.stat().st_size if taken else 0
        try:
            self._reserve(found)
        except BaseException:
            self._handle.close()
            if not taken:
                self.path.unlink()
            raise
        self._end = found if self.size is None else min(found, self.size)
        return self._end

    def _reserve(self, found: int) -> None:
        assert self._handle is not None
        if self.size is None:
            return
        if found > self.size:
            self._handle.truncate(self.size)
        elif self._options.preallocate:
            self._handle.preallocate(self.size, self.path.parent)

    async def write(self, offset: int, pieces: Sequence[bytes], digest: Updatable | None = None) -> None:
        """Write pieces at an offset, and digest them in the same hop if they come in order.

        Raises:
            ResumeError: Another process has taken the download over.
        """
        await run_hop(self._write, offset, pieces, digest)

    def _write(self, offset: int, pieces: Sequence[bytes], digest: Updatable | None) -> None:
        self._check_owned()
        self._opened.write(pieces, offset)
        for piece in pieces:
            if digest is not None:
                digest.update(piece)
            if self._options.digest:
                if offset < self._digest.position:
                    self.rewritten = True
                self._digest.feed(offset, piece)
            offset += len(piece)
        with self._end_lock:
            self._end = max(self._end, offset)

    def begin_write(self, offset: int, view: memoryview, digest: Updatable | None = None) -> Hop[None]:
        """Begin to write memory that stays as it is until the returned hop is over; see :meth:`write`.

        The md5 of the whole is not fed: that is for :meth:`digest_held`, in another thread.
        """
        return Hop(self._write_view, offset, view, digest, crew=DISK)

    def _write_view(self, offset: int, view: memoryview, digest: Updatable | None) -> None:
        self._check_owned()
        self._opened.write([view], offset)
        if digest is not None:
            digest.update(view)
        if offset < self._digest.position:
            self.rewritten = True
        with self._end_lock:
            self._end = max(self._end, offset + len(view))

    async def store(self, pieces: Sequence[bytes]) -> str:
        """Write a whole small file and commit it in one hop; returns its md5. Takes the place of all other calls."""
        self.size = sum(map(len, pieces))
        return await run_hop(self._store, pieces, crew=DISK)

    def _store(self, pieces: Sequence[bytes]) -> str:
        self._open([])
        digest = new_md5()
        try:
            self._write(0, pieces, digest)
            self._commit()
        except BaseException:
            self._opened.close()
            self.path.unlink(missing_ok=True)
            raise
        return digest.hexdigest()

    def barrier(self) -> Callable[[], None] | None:
        """Return what makes written data durable; None with ``fsync="none"``."""
        return self._sync if self._options.fsync != "none" else None

    def _sync(self) -> None:
        """Sync the data; the journal may ask after the file was closed."""
        try:
            self._opened.sync()
        except FileClosed:
            try:
                handle = FileHandle(self.path, os.O_RDWR)
            except FileNotFoundError:
                return  # committed, which synced it, or discarded
            try:
                handle.sync()
            finally:
                handle.close()

    async def restart(self) -> None:
        """Forget all that was written; the room stays reserved."""
        await run_hop(self._restart, crew=DISK)

    def _restart(self) -> None:
        self._check_owned()
        self._digest = OrderedDigest()
        self.rewritten = False
        self._end = 0
        self._opened.truncate(0)
        self._reserve(0)

    async def scan(self, running: Updatable, offset: int, length: int) -> None:
        """Digest a range as it is in the file, to prove a part that an earlier run recorded.

        Where an md5 of the whole is kept, a range that continues what was digested counts for it as well.
        """
        for start in range(offset, offset + length, _CATCH_UP_BYTES):
            stop = min(start + _CATCH_UP_BYTES, offset + length)
            await run_hop(self._read_range, running, start, stop)

    async def hexdigest(self, name: str) -> str:
        """Return a digest of the whole file by its name in ``hashlib``, read from the page cache as a rule."""
        running = hashlib.new(name)
        await self.scan(running, 0, self._end if self.size is None else self.size)
        return running.hexdigest()

    def _read_range(self, running: Updatable, start: int, stop: int) -> None:
        for at in range(start, stop, WINDOW_BYTES):
            data = self._opened.read(min(WINDOW_BYTES, stop - at), at)
            running.update(data)
            if self._options.digest:
                self._digest.feed(at, data)

    async def digest_to(self, stop: int) -> None:
        """Digest what was written up to ``stop``, ahead of :meth:`md5`; all of it must be written."""
        # Few large steps: each has to win the interpreter back from an event loop that is busy receiving.
        buffer = memoryview(bytearray(min(_CATCH_UP_BYTES, max(1, stop - self._digest.position))))
        while not self.rewritten and self._digest.position < stop:
            if not await run_hop(self._catch_up, buffer, stop):
                break

    @property
    def keeps_digest(self) -> bool:
        """Whether an md5 of the whole is wanted."""
        return self._options.digest

    @property
    def digested(self) -> int:
        """How far the md5 of the whole has come."""
        return self._digest.position

    async def digest_held(self, take: Callable[[int], memoryview | None]) -> None:
        """Digest what was written and is still in memory, one block after the other, in one visit to a thread.

        Args:
            take: Called in the thread with an offset: returns what is held there, or None, which ends the visit.
        """
        await run_hop(self._digest_held, take)

    def _digest_held(self, take: Callable[[int], memoryview | None]) -> None:
        digest, left = self._digest, _VISIT_BYTES
        # Another one, if the file begins anew meanwhile.
        while left > 0 and digest is self._digest and (view := take(digest.position)) is not None:
            digest.feed(digest.position, view)
            left -= len(view)

    async def md5(self) -> str:
        """Return the md5 of the whole file; what did not arrive in order is read again, from the page cache as a rule."""
        if self.rewritten:
            self._digest = OrderedDigest()
            self.rewritten = False
        stop = self._end if self.size is None else self.size
        buffer = memoryview(bytearray(min(WINDOW_BYTES, max(1, stop - self._digest.position))))
        while self._digest.position < stop:
            if not await run_hop(self._catch_up, buffer, stop):
                break  # shorter than it should be: the digest will tell
        return self._digest.hexdigest()

    def _catch_up(self, buffer: memoryview, stop: int) -> int:
        done, digest = 0, self._digest
        while done < _CATCH_UP_BYTES and (count := digest.advance(self._opened.read_into, buffer, stop)):
            done += count
        return done

    async def commit(self) -> None:
        """Sync, rename to the destination, sync the folder.

        Raises:
            FileExistsError: The destination appeared meanwhile and must not be replaced; the part file stays.
            ResumeError: Another process has taken the download over.
        """
        await run_hop(self._commit, crew=DISK)

    def _commit(self) -> None:
        self._check_owned()
        durable = self._options.fsync != "none"
        if self.size is None:
            self._opened.truncate(self._end)
        if durable:
            self._opened.sync()
        self._opened.close()
        if self._options.mtime_ns is not None:
            os.utime(self.path, ns=(self._options.mtime_ns, self._options.mtime_ns))
        with folder_lock(self.destination.parent):
            if self._options.overwrite:
                self.path.replace(self.destination)
            else:
                _rename_new(self.path, self.destination)
        if durable:
            fsync_folder(self.destination.parent)

    async def discard(self) -> None:
        """Close and delete the part file."""
        await self.aclose()
        await run_to_end(lambda: self.path.unlink(missing_ok=True))

    async def aclose(self) -> None:
        """Close the part file, which stays, to be resumed."""
        if self._handle is not None:
            self._handle.close()

    @property
    def _opened(self) -> FileHandle:
        assert self._handle is not None, "the sink is not open"
        return self._handle

    def _check_owned(self) -> None:
        try:
            if os.path.samestat(self.path.stat(), self._opened.stat()):
                return
        except FileNotFoundError:
            pass
        raise ResumeError(f"another process has taken over the download of {self.destination.name}")


def _rename_new(path: Path, destination: Path) -> None:
    """Rename, unless the destination exists: a hard link cannot replace anything."""
    try:
        os.link(path, destination)
    except FileExistsError:
        raise
    except OSError:  # no hard links on this file system
        if os.path.lexists(destination):
            raise FileExistsError(17, os.strerror(17), str(destination)) from None
        path.rename(destination)
    else:
        path.unlink()
