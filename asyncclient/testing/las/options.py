"""How the emulator of las behaves."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["Options"]


@dataclass(slots=True)
class Options:
    """Options of ``serve("las", ...)`` and ``app("las", ...)``; ``state.options`` may be changed while it runs.

    Attributes:
        client_id: Id of the app client that exists from the start.
        client_secret: Its secret.
        token_lifetime_s: Life of an access token.
        expired_status: Answer to an expired or revoked token; 401 or 403. A token that was never issued gets 403.
        page_size: Rows of a page where ``maxResults`` is not given or less than 1.
        max_page_size: Most rows of a page whatever is asked for.
        short_pages: Give pages that are half full, empty, and full in turn, all with a token.
        pending_polls: How often an asynchronous job is seen unfinished by the method that fetches it.
        count_lag_polls: How often a dataset is still seen with documents that were deleted from it.
        max_file_bytes: Largest file of the file server. The published limit is 64 MB.
        keep_files: False: take size and digest of uploaded files and forget their bytes.
        only_known_files: Refuse files that are not PDF, JPEG, PNG, TIFF or WebP, as the service does.
        legacy_fields: Admit members of bodies that the service of 2024 no longer names (``width``, ``height`` and
            ``status`` of models, schemas of transitions, ``name`` and ``avatar`` of users), and show them in answers.
        keep_requests: How many requests ``state.requests`` remembers.
    """

    client_id: str = "emulator"
    client_secret: str = "emulator-secret"  # noqa: S105 - guards made-up data only
    token_lifetime_s: float = 3600.0
    expired_status: int = 401
    page_size: int = 100
    max_page_size: int = 1000
    short_pages: bool = False
    pending_polls: int = 1
    count_lag_polls: int = 0
    max_file_bytes: int = 64 * 1024 * 1024
    keep_files: bool = True
    only_known_files: bool = False
    legacy_fields: bool = False
    keep_requests: int = 10_000
