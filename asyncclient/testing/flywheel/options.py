"""How the emulator of Flywheel behaves."""

from __future__ import annotations

from dataclasses import dataclass, fields

__all__ = ["STORAGES", "Options", "options_from"]

STORAGES = ("plain", "s3", "google")


@dataclass(slots=True)
class Options:
    """Options of ``serve("flywheel", ...)`` and ``app("flywheel", ...)``; ``state.options`` may be changed while it runs.

    Attributes:
        secret: Last part of the API key of the user that exists from the start. With exactly 57 characters clients send it
            as ``Bearer``, otherwise as ``scitran-user``; both are accepted.
        user_id: That user, who may do everything.
        drone_secret: What devices log in with (``X-SciTran-Auth``); their own keys are made at their first login.
        storage: What signed uploads go to: ``plain`` (one ``PUT`` for each address, the parts joined in their order),
            ``s3`` (parts with an ETag, joined by their list) or ``google`` (one resumable session, ``Content-Range``).
            None: the site has no signed uploads, only forms.
        part_bytes: An upload gets as many addresses as it has parts of this size, if the client can use several
            (``multipart_signed_url``); otherwise one.
        storage_host: Name of the host of signed addresses, where that is to be another origin than the API's:
            ``localhost`` will do.
        redirect_downloads: Answer downloads with a redirect to a signed address, for clients that accept that
            (``Safe-Redirect``).
        range_needs_view: Honour ``Range`` only together with ``view=True``, as the service did in 2018.
        task_manager: Whether data views are queued (``features.task_manager_data_views``).
        view_polls: How often a queued data view is seen unfinished.
        job_polls: After so many looks at a job it goes one step further, until it is complete; None: jobs wait for
            somebody to change their state.
        hash_up_to_bytes: Files up to this size get a ``hash`` (SHA-384).
        max_file_bytes: Larger files are refused with 413.
        keep_files: False: digest uploaded files and forget them. For benchmarks of uploads.
        release: What ``/version`` tells.
        keep_requests: How many requests ``state.requests`` remembers.
    """

    secret: str = "emulator-key"  # noqa: S105 - opens nothing but an emulator
    user_id: str = "user@emulator.example"
    drone_secret: str = "drone-secret"  # noqa: S105 - likewise
    storage: str | None = "plain"
    part_bytes: int = 5 * 1024 * 1024
    storage_host: str | None = None
    redirect_downloads: bool = False
    range_needs_view: bool = True
    task_manager: bool = True
    view_polls: int = 0
    job_polls: int | None = None
    hash_up_to_bytes: int = 64 * 1024 * 1024
    max_file_bytes: int = 2**40
    keep_files: bool = True
    release: str = "20.0.0"
    keep_requests: int = 10_000


def options_from(given: dict[str, object]) -> Options:
    """Make options from keywords.

    Raises:
        ValueError: There is no such option, or no such storage.
    """
    names = [item.name for item in fields(Options)]
    for name in given:
        if name not in names:
            raise ValueError(f"the emulator of flywheel has no option {name!r}; it has: {', '.join(names)}")
    options = Options(**given)  # type: ignore[arg-type]  # values come from keywords of serve(), which cannot be typed
    if options.storage is not None and options.storage not in STORAGES:
        raise ValueError(f"storage must be None or one of {', '.join(STORAGES)}; got {options.storage!r}")
    if options.part_bytes < 1:
        raise ValueError(f"part_bytes must be 1 or more; got {options.part_bytes}")
    return options
