"""Reading and writing files at offsets, from several threads at once. Blocking; called in hops only."""

from __future__ import annotations

import contextlib
import errno
import os
import shutil
import tempfile
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final

__all__ = [
    "FileClosed",
    "FileHandle",
    "folder_lock",
    "fsync_folder",
    "preallocate",
    "pread_by_seek",
    "pwrite_by_seek",
    "write_atomically",
]

# IOV_MAX is 1024 on Linux and macOS.
_MAX_VECTOR: Final = 512
# A larger call gets larger pages of the page cache, and those come slowly where memory was given back to a host: a
# download of 1 GiB took 5.2 s of CPU in calls of 1 MiB on a virtual machine, 2.0 s in these; one of 256 MiB took the same.
_CALL_BYTES: Final = 256 * 1024
_NO_ALLOCATION: Final = frozenset({errno.EINVAL, errno.EOPNOTSUPP, errno.ENOSYS, errno.ENODEV})
_seek_lock = threading.Lock()
_folder_locks = [threading.Lock() for _ in range(64)]


def folder_lock(folder: Path) -> threading.Lock:
    """Return a lock for changes to the entries of a folder; some folders share one.

    The kernel makes such changes one after the other in any case, and spins while it waits: two threads that make files in
    one folder take twice the CPU of one, and as long.
    """
    return _folder_locks[hash(str(folder)) % len(_folder_locks)]


def _renew_locks() -> None:
    _folder_locks[:] = [threading.Lock() for _ in _folder_locks]


if hasattr(os, "register_at_fork"):  # a thread that is not there any more may hold one
    os.register_at_fork(after_in_child=_renew_locks)


class FileClosed(ValueError):
    """A file was used after it was closed."""


class FileHandle:
    """A file descriptor that threads share; it is closed when asked to and nobody is inside a call.

    Without that rule a descriptor number could be given to another file while a thread still writes to it.
    """

    __slots__ = ("_closing", "_fd", "_lock", "_users", "_writing")

    def __init__(self, path: str | bytes | os.PathLike[Any], flags: int, mode: int = 0o666) -> None:
        self._fd = os.open(path, flags | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_BINARY", 0), mode)
        self._lock, self._writing = threading.Lock(), threading.Lock()
        self._users = 0
        self._closing = False

    @classmethod
    def adopt(cls, fd: int) -> FileHandle:
        """Take over an open descriptor."""
        handle = cls.__new__(cls)
        handle._fd = fd
        handle._lock, handle._writing = threading.Lock(), threading.Lock()
        handle._users = 0
        handle._closing = False
        return handle

    @property
    def closed(self) -> bool:
        """Whether :meth:`close` was called."""
        return self._closing

    @contextlib.contextmanager
    def _use(self) -> Iterator[int]:
        with self._lock:
            if self.closed:
                raise FileClosed("the file is closed")
            self._users += 1
        try:
            yield self._fd
        finally:
            with self._lock:
                self._users -= 1
                if self._closing and not self._users:
                    os.close(self._fd)

    def close(self) -> None:
        """Close now, or when the last running call returns. May be repeated."""
        with self._lock:
            if not self._closing:
                self._closing = True
                if not self._users:
                    os.close(self._fd)

    def stat(self) -> os.stat_result:
        """Return the state of the open file."""
        with self._use() as fd:
            return os.fstat(fd)

    def read(self, length: int, offset: int) -> bytes:
        """Read up to ``length`` bytes; fewer only at the end of the file."""
        with self._use() as fd:
            data = _pread(fd, length, offset)
            if len(data) == length or not data:
                return data
            pieces = [data]
            got = len(data)
            while got < length and (data := _pread(fd, length - got, offset + got)):
                pieces.append(data)
                got += len(data)
            return b"".join(pieces)

    def read_into(self, view: memoryview, offset: int) -> int:
        """Fill a buffer; returns how many bytes came, fewer than its size only at the end of the file."""
        got = 0
        with self._use() as fd:
            while got < len(view) and (count := _pread_into(fd, view[got:], offset + got)):
                got += count
        return got

    def write(self, pieces: Sequence[bytes | memoryview], offset: int) -> None:
        """Write pieces one behind the other; all of them, or an OSError."""
        # One at a time: the kernel locks the file for each write in any case, and spins while it waits.
        with self._use() as fd, self._writing:
            for start in range(0, len(pieces), _MAX_VECTOR):
                offset += _write_all(fd, pieces[start : start + _MAX_VECTOR], offset)

    def truncate(self, size: int) -> None:
        """Cut or extend to ``size`` bytes."""
        with self._use() as fd:
            os.ftruncate(fd, size)

    def sync(self) -> None:
        """Wait until the data is on the disk."""
        with self._use() as fd:
            _fdatasync(fd)

    def preallocate(self, size: int, folder: Path) -> None:
        """Reserve ``size`` bytes; see :func:`preallocate`."""
        with self._use() as fd:
            preallocate(fd, size, folder)


def preallocate(fd: int, size: int, folder: Path) -> None:
    """Reserve the bytes of a file and give it its size, so that a full disk shows before the first byte is fetched.

    Where the file system cannot reserve, or says that it is full while it is not, the free space is compared and the file
    is made sparse.

    Raises:
        OSError: ``ENOSPC`` when there is not enough room; it says how much is needed and how much there is.
    """
    allocate = getattr(os, "posix_fallocate", None)
    held = os.fstat(fd).st_size
    if allocate is not None and size:
        try:
            allocate(fd, 0, size)
        except OSError as error:
            if error.errno not in _NO_ALLOCATION and error.errno != errno.ENOSPC:
                raise
            os.ftruncate(fd, held)  # what was reserved before the disk was full counts as free
        else:
            os.ftruncate(fd, size)
            return
    needed, free = size - held, shutil.disk_usage(folder).free
    if needed > free:
        what = f"{os.strerror(errno.ENOSPC)}: {needed} bytes are needed, {free} are free"
        raise OSError(errno.ENOSPC, what, str(folder))
    os.ftruncate(fd, size)


def fsync_folder(folder: Path) -> None:
    """Make a rename in a folder durable; does nothing where folders cannot be synced."""
    if not hasattr(os, "O_DIRECTORY"):
        return
    fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(fd)
    except OSError as error:  # some network file systems refuse; the rename itself is done
        if error.errno not in _NO_ALLOCATION:
            raise
    finally:
        os.close(fd)


def write_atomically(path: Path, data: bytes, *, durable: bool = False) -> None:
    """Replace a private file (mode 0600, folder 0700) whole or not at all.

    Args:
        path: The file.
        data: What it holds afterwards.
        durable: Whether both the data and the rename are on the disk when this returns.
    """
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    fd, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.", suffix=".tmp")
    temporary = Path(name)
    try:
        handle = FileHandle.adopt(fd)
        try:
            handle.write([data], 0)
            if durable:
                handle.sync()
        finally:
            handle.close()
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    if durable:
        fsync_folder(path.parent)


def _write_all(fd: int, pieces: Sequence[bytes | memoryview], offset: int) -> int:
    written = 0
    for call in _calls(pieces):
        total = sum(map(len, call))
        done = _pwritev(fd, call, offset + written)
        if done < total:  # rare: a signal, a quota, a full disk; the next write says which
            rest = memoryview(b"".join(call))
            while done < total:
                done += _pwrite(fd, rest[done:], offset + written + done)
        written += total
    return written


def _calls(pieces: Sequence[bytes | memoryview]) -> Iterator[list[memoryview]]:
    """Cut and join pieces into what one call writes."""
    call: list[memoryview] = []
    room = _CALL_BYTES
    for piece in pieces:
        rest = memoryview(piece)
        while rest:
            call.append(rest[:room])
            rest, room = rest[room:], room - len(call[-1])
            if not room:
                yield call
                call, room = [], _CALL_BYTES
    if call:
        yield call


def pread_by_seek(fd: int, length: int, offset: int) -> bytes:
    """``os.pread`` for systems without it."""
    with _seek_lock:
        os.lseek(fd, offset, os.SEEK_SET)
        return os.read(fd, length)


def pwrite_by_seek(fd: int, data: bytes | memoryview, offset: int) -> int:
    """``os.pwrite`` for systems without it."""
    with _seek_lock:
        os.lseek(fd, offset, os.SEEK_SET)
        return os.write(fd, data)


def pread_into_by_copy(fd: int, view: memoryview, offset: int) -> int:
    """``os.preadv`` of one buffer for systems without it."""
    data = _pread(fd, len(view), offset)
    view[: len(data)] = data
    return len(data)


def pwritev_by_join(fd: int, pieces: Sequence[bytes | memoryview], offset: int) -> int:
    """``os.pwritev`` for systems without it."""
    return _pwrite(fd, b"".join(pieces), offset)


def _preadv_one(fd: int, view: memoryview, offset: int) -> int:
    return os.preadv(fd, [view], offset)


_pread = getattr(os, "pread", pread_by_seek)
_pwrite = getattr(os, "pwrite", pwrite_by_seek)
_pread_into = _preadv_one if hasattr(os, "preadv") else pread_into_by_copy
_pwritev = getattr(os, "pwritev", pwritev_by_join)
_fdatasync = getattr(os, "fdatasync", os.fsync)
