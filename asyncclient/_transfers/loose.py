"""Part files without a journal: small downloads, which nothing resumes. What a killed process left is taken away.

The name says whose a file is: machine, boot and process. The first download of a process into a folder looks for those
of processes that have ended. Nobody else's file is touched, and none whose owner may live.
"""

from __future__ import annotations

import contextlib
import functools
import hashlib
import itertools
import os
import re
from pathlib import Path
from typing import Final

from asyncclient._transfers.claims import current_holder, is_running
from asyncclient._transfers.places import beside

__all__ = ["loose_path", "sweep"]

_NAME: Final = re.compile(r"\..*\.([0-9a-f]{8})-([0-9]{1,10})-([0-9]{1,20})-[0-9]+\.part\Z", re.DOTALL)
# A look at more would take longer than the leftovers are worth.
_MOST_ENTRIES: Final = 20_000
_MOST_FOLDERS: Final = 4096
_UNKNOWN: Final = "0" * 8

_numbers: Final = itertools.count()
_swept: set[Path] = set()


def loose_path(destination: Path) -> Path:
    """Return a name for the part file of a download without a journal, beside its destination; never the same twice."""
    machine, started = _process(os.getpid())
    return beside(destination, f".{machine}-{os.getpid()}-{started}-{next(_numbers)}.part")


def sweep(folder: Path) -> None:
    """Take away what processes of this machine that have ended left in a folder; blocking.

    Does nothing the next time: what this process leaves is seen to by the next one. Nothing is raised: a folder that
    cannot be read may still take files.
    """
    if folder in _swept:  # two threads that both find it missing both look, which does no harm
        return
    if len(_swept) >= _MOST_FOLDERS:
        _swept.clear()
    _swept.add(folder)
    with contextlib.suppress(OSError), os.scandir(folder) as entries:
        for entry in itertools.islice(entries, _MOST_ENTRIES):
            if entry.name.endswith(".part") and _is_left(entry.name):
                with contextlib.suppress(OSError):
                    Path(entry).unlink()


def _is_left(name: str) -> bool:
    found = _NAME.match(name)
    if found is None or found[1] != _process(os.getpid())[0]:
        return False
    started = "" if found[3] == "0" else found[3]
    return found[1] != _UNKNOWN and is_running(int(found[2]), started) is False


@functools.lru_cache(maxsize=1)
def _process(pid: int) -> tuple[str, str]:
    """Return what tells this machine, as long as it runs, from others, and when this process began; for one pid.

    A process of another name space has other numbers, so its files are another machine's.
    """
    here = current_holder()
    if not here.boot:  # another machine could have the same name, and the number of a process that runs there
        return _UNKNOWN, here.started or "0"
    told = "\0".join((here.host, here.machine, here.boot, here.space))
    return hashlib.sha256(told.encode()).hexdigest()[:8], here.started or "0"
