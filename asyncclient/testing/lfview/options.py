"""How the emulator of LF View behaves."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["Options"]


@dataclass(slots=True)
class Options:
    """Options of ``serve("lfview", ...)`` and ``app("lfview", ...)``; ``state.options`` may be changed while it runs.

    Attributes:
        api_key: Key of the user that exists from the start.
        user_id: The ``author`` of what that user makes.
        organization: With ``project``: where that user's uploads go.
        accepted_terms: Whether that user has accepted the terms of use.
        folder: Keep everything in this folder: an emulator that is started with it again, in another process and on another
            port, goes on where the last one ended, upload sessions included.
        check_pointers: Refuse pointers to what does not exist or may not be read.
        check_rules: Refuse values that contradict one another, for instance two visibilities for three values.
        storage_host: Name of the host in ``links.location``, where that is to be another origin than the API's, as it is in
            production: ``localhost`` will do, or a name that the client is led here for.
        kept_bytes_per_chunk: Keep at most so many bytes of every chunk.
        sticky_encoding: Let ``content_encoding`` survive a change that does not name it.
        transcode: Undo gzip for clients that do not accept it, as Google's storage does. Otherwise content comes as it was
            stored, with ``Content-Encoding``.
        expired_status: Answer of sessions after ``state.expire_sessions()``: 404 or 410.
        keep_files: False: count the bytes of content and forget them. For benchmarks of uploads.
        keep_requests: How many requests ``state.requests`` remembers.
    """

    api_key: str = "good-key"
    user_id: str = "user1"
    organization: str = "org1"
    project: str = "proj1"
    accepted_terms: bool = True
    folder: str | None = None
    check_pointers: bool = True
    check_rules: bool = True
    storage_host: str | None = None
    kept_bytes_per_chunk: int | None = None
    sticky_encoding: bool = False
    transcode: bool = False
    expired_status: int = 410
    keep_files: bool = True
    keep_requests: int = 10_000
