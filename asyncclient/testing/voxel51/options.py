"""How the emulator of the Voxel51 Platform behaves."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["Options"]


@dataclass(slots=True)
class Options:
    """Options of ``serve("voxel51", ...)`` and ``app("voxel51", ...)``; ``state.options`` may be changed while it runs.

    Attributes:
        private_key: Key of the user that exists from the start.
        username: Name of that user.
        application_key: Key of the application that exists from the start.
        pending_polls: How many answers show a started job unfinished.
        job_seconds: Let jobs take so many seconds of the emulator's clock instead.
        ttl_days: How long data and the outputs of jobs are kept if nothing is said.
        url_seconds: How long signed URLs are good for.
        output_bytes: Length of the outputs of jobs; None: as long as they are.
        max_file_bytes: Larger files are refused with 413.
        ranges: Whether downloads can be asked for in parts. False: they always come whole, without an ETag.
        redirect_downloads: Answer downloads with a redirect to a signed URL.
        storage_host: Name of the host in signed URLs, where that is to be another origin than the API's: ``localhost`` will do.
        keep_files: False: count the bytes of uploads and forget them. For benchmarks.
        keep_requests: How many requests ``state.requests`` remembers.
    """

    private_key: str = "user-key-123"
    username: str = "user1"
    application_key: str = "app-key-456"
    pending_polls: int = 3
    job_seconds: float | None = None
    ttl_days: float = 3.0
    url_seconds: float = 3600.0
    output_bytes: int | None = None
    max_file_bytes: int = 16 * 1024**3
    ranges: bool = True
    redirect_downloads: bool = False
    storage_host: str | None = None
    keep_files: bool = True
    keep_requests: int = 10_000
