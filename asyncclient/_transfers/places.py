"""Names and places of what transfers leave on disk. Pure, but for the environment."""

from __future__ import annotations

import os
import secrets
import time
import zlib
from pathlib import Path
from typing import Final

import platformdirs

from asyncclient.errors import ArgumentError

__all__ = [
    "CLAIM_SUFFIX",
    "JOURNAL_SUFFIX",
    "beside",
    "digest_file",
    "job_started_s",
    "journal_folder",
    "journal_name",
    "new_job_id",
    "new_owner",
    "part_path",
    "safe_join",
    "state_folder",
]

JOURNAL_SUFFIX: Final = ".journal"
CLAIM_SUFFIX: Final = ".claim"
_STATE_VARIABLE: Final = "ASYNCCLIENT_STATE_DIR"
# Of every common file system; bytes on POSIX, UTF-16 units on Windows, and no name has more units than bytes.
_MAX_NAME_BYTES: Final = 255
_RESERVED: Final = frozenset(
    ["CON", "PRN", "AUX", "NUL", "CONIN$", "CONOUT$"]
    + [f"{port}{number}" for port in ("COM", "LPT") for number in "123456789¹²³"]
)
_FORBIDDEN: Final = frozenset('<>:"|?*') | frozenset(map(chr, range(32)))


def state_folder(override: str | os.PathLike[str] | None = None) -> Path:
    """Return where state is kept: ``override``, else ``ASYNCCLIENT_STATE_DIR``, else the user's state directory."""
    chosen = override or os.environ.get(_STATE_VARIABLE)
    return Path(chosen) if chosen else platformdirs.user_state_path("asyncclient", appauthor=False)


def journal_folder(override: str | os.PathLike[str] | None = None) -> Path:
    """Return where journals are kept; ``override`` is the folder itself."""
    return Path(override) if override else state_folder() / "journal"


def digest_file(override: str | os.PathLike[str] | None = None) -> Path:
    """Return where digests are remembered."""
    return state_folder(override) / "digests.jsonl"


def new_job_id() -> str:
    """Make an id that sorts by time: UUID version 7 (RFC 9562) as 32 hexadecimal digits."""
    milliseconds = time.time_ns() // 1_000_000
    random = secrets.randbits(74)
    value = milliseconds << 80 | 0x7 << 76 | (random >> 62) << 64 | 0b10 << 62 | random & (2**62 - 1)
    return f"{value:032x}"


def job_started_s(job_id: str) -> float | None:
    """Return the time in a job id, in seconds since the epoch; None if it is of another make."""
    try:
        return int(job_id[:12], 16) / 1000 if len(job_id) == 32 and job_id[12] == "7" else None
    except ValueError:
        return None


def new_owner() -> str:
    """Make the name of one opening of a journal: long enough that two never choose the same."""
    return secrets.token_hex(8)


def journal_name(job_id: str, owner: str) -> str:
    """Return the file name of a job's journal while ``owner`` holds it."""
    return f"{job_id}.{owner}{JOURNAL_SUFFIX}"


def part_path(destination: Path, job_id: str, owner: str) -> Path:
    """Return where an unfinished download lies: beside its destination, so that the last step is a rename.

    The job shows in the last eight digits of its id; the first ones are a clock and equal for jobs begun together.
    """
    return beside(destination, f".{job_id[-8:]}{owner[:4]}.part")


def beside(destination: Path, tail: str) -> Path:
    """Return a hidden name beside a file that ends with ``tail`` and is not too long for a file system."""
    name = destination.name
    room = _MAX_NAME_BYTES - 1 - len(tail)
    encoded = os.fsencode(name)
    if len(encoded) > room:  # cut names need something that still tells them apart
        name = encoded[: room - 9].decode("utf-8", "ignore") + f"~{zlib.crc32(encoded):08x}"
    return destination.with_name(f".{name}{tail}")


def safe_join(folder: str | os.PathLike[str], remote_name: str, *, windows: bool = os.name == "nt") -> Path:
    """Return where a remote name lies below a folder; it never lies anywhere else.

    Unicode is kept as it is. Separators at the end and ``.`` mean nothing.

    Args:
        folder: Where downloads go.
        remote_name: What the service calls the file, with ``/`` between folders.
        windows: Whether to keep to what Windows can store: forbidden characters and dots or blanks at the
                    end are escaped with ``%`` and two hexadecimal digits, device names get a ``_``.

    Raises:
        ArgumentError: It is absolute, names a drive, climbs with ``..``, holds a NUL, or names no file.
    """
    # A backslash separates on Windows only, but a name made to climb there must not be carried over from here.
    folded = remote_name.replace("\\", "/")
    parts = [part for part in (folded if windows else remote_name).split("/") if part not in ("", ".")]
    if "\0" in remote_name:
        raise _unsafe(remote_name, "holds a NUL")
    if folded.startswith("/") or _names_drive(folded, windows):
        raise _unsafe(remote_name, "is absolute")
    if ".." in folded.split("/"):
        raise _unsafe(remote_name, "climbs out of the folder")
    if not parts:
        raise _unsafe(remote_name, "names no file")
    return Path(folder).joinpath(*(map(_escape, parts) if windows else parts))


def _names_drive(name: str, windows: bool) -> bool:
    # "C:notes" is an ordinary name elsewhere; "C:/notes" is one that was meant to be absolute.
    return name[1:2] == ":" and name[:1].isalpha() and name[:1].isascii() and (windows or name[2:3] in ("", "/"))


def _escape(part: str) -> str:
    found = "".join(f"%{ord(char):02X}" if char in _FORBIDDEN else char for char in part)
    if found[-1] in ". ":
        found = f"{found[:-1]}%{ord(found[-1]):02X}"
    stem, dot, rest = found.partition(".")
    return f"{stem}_{dot}{rest}" if stem.rstrip(" ").upper() in _RESERVED else found


def _unsafe(name: str, why: str) -> ArgumentError:
    return ArgumentError(f"the remote name {name[:200]!r} {why} and cannot be stored", argument="remote_name")
