"""What a transfer is asked to do, and what came of it."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Literal

from asyncclient._transfers.journal_writer import Fsync
from asyncclient._transfers.plan import MIB
from asyncclient.errors import ArgumentError
from asyncclient.types import Progress

__all__ = ["Downloaded", "Restart", "Stall", "TransferOptions", "Uploaded"]

Restart = Literal["source_changed", "remote_changed", "session_expired", "digest_mismatch"]
"""Why bytes of an earlier run or attempt could not be used."""


@dataclass(frozen=True, slots=True)
class Stall:
    """When a connection that is still open counts as dead; the part is then tried again on another.

    Attributes:
        idle_s: Longest wait for the next byte of a download.
        least_rate: Bytes per second that must arrive at least, over ``window_s``.
        window_s: Seconds over which the rate is taken. Also the longest wait until the peer takes the next 256 KiB of
            an upload, as the operating system shows the progress of a write no finer than its buffer.
    """

    idle_s: float = 30.0
    least_rate: int = 1024
    window_s: float = 60.0


@dataclass(frozen=True, slots=True)
class TransferOptions:
    """How one transfer is made.

    Attributes:
        parallel: Parts in flight at a time; the scheduler may admit fewer.
        part_size: Bytes per part; raised and lowered to what the service accepts. Default: by the size.
        md5: Whether the md5 of the whole is computed in any case. Default: where it is needed to verify, or free.
        expected_md5: What the md5 of the whole must be, or None.
        resume: Whether to keep a journal, and to go on where an interrupted call of the same kind stopped.
        fsync: When data is made durable; see ``journal``.
        overwrite: Whether an existing destination is replaced.
        verify: Which parts of an earlier run are read again before they are trusted: those after the last sync
            (``tail``), ``all``, or ``none``.
        journal_folder: Where journals lie. Default: in the state folder.
        on_progress: Called on the event loop, at most 10 times a second, and at the end.
        stall: When a connection counts as dead.
        max_retries: Failures in a row without progress, per part; at least as many as the client allows a call. If
            either is 0, nothing is tried again.
        threshold_bytes: Smaller files are fetched in one request and have no journal.
    """

    parallel: int = 4
    part_size: int | None = None
    md5: bool = False
    expected_md5: str | None = None
    resume: bool = True
    fsync: Fsync = "end"
    overwrite: bool = True
    verify: Literal["tail", "all", "none"] = "tail"
    journal_folder: str | os.PathLike[str] | None = None
    on_progress: Callable[[Progress], None] | None = None
    stall: Stall = field(default_factory=Stall)
    max_retries: int = 7
    threshold_bytes: int = 8 * MIB

    def __post_init__(self) -> None:
        for name, least in (("parallel", 1), ("part_size", 1), ("max_retries", 0), ("threshold_bytes", 0)):
            value = getattr(self, name)
            if value is not None and (isinstance(value, bool) or not isinstance(value, int) or value < least):
                raise ArgumentError(f"{name} must be a whole number of at least {least}, not {value!r}", argument=name)


DEFAULTS: Final = TransferOptions()


@dataclass(frozen=True, slots=True)
class Uploaded:
    """What was stored.

    Attributes:
        size: Bytes.
        md5: Of the whole, 32 lower-case hexadecimal digits; None if it was not computed.
        etag: As the service reports it, or None.
        parts: Number of requests the content was cut into.
        resumed_bytes: Bytes that an earlier run had already brought there.
        restarted: Why an earlier run could not be continued, or None.
        remote: What else the service said: of JSON answers the decoded object.
        transfer_id: Under which the journal knew it, or None.
    """

    size: int
    md5: str | None = None
    etag: str | None = None
    parts: int = 1
    resumed_bytes: int = 0
    restarted: Restart | None = None
    remote: Mapping[str, Any] = field(default_factory=dict)
    transfer_id: str | None = None


@dataclass(frozen=True, slots=True)
class Downloaded:
    """What was fetched.

    Attributes:
        size: Bytes.
        md5: Of the whole; None if it was not computed.
        etag: Of the remote file, or None.
        parts: Number of ranges.
        resumed_bytes: Bytes that an earlier run had already brought.
        restarted: Why an earlier run could not be continued, or None.
        verified: What proved the content: ``md5``, ``etag``, ``parts``, or ``size`` if the service names no digest.
        transfer_id: Under which the journal knew it, or None.
    """

    size: int
    md5: str | None = None
    etag: str | None = None
    parts: int = 1
    resumed_bytes: int = 0
    restarted: Restart | None = None
    verified: Literal["md5", "etag", "parts", "size"] = "size"
    transfer_id: str | None = None
