"""Files on their way from the platform."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from asyncclient._build import build
from asyncclient._transfers.hops import DISK, run_hop
from asyncclient._transfers.options import DEFAULTS, TransferOptions
from asyncclient._transfers.transfers import download_file
from asyncclient._transfers.wire import Wire
from asyncclient.errors import ArgumentError, ArgumentTypeError
from asyncclient.voxel51._generated.operations import data, jobs
from asyncclient.voxel51._names import safe_name
from asyncclient.voxel51.base import PlatformClient
from asyncclient.voxel51.first_answer import FirstAnswer, open_first
from asyncclient.voxel51.jobs import JobRequest
from asyncclient.voxel51.local_files import write_small
from asyncclient.voxel51.targets import FileDownload
from asyncclient.voxel51.utils import ensure_basedir

if TYPE_CHECKING:
    from asyncclient._endpoint import Endpoint
    from asyncclient._pipeline import Rules
    from asyncclient.types import Progress

__all__ = ["DownloadMethods"]

# Without parts there is no checksum of each, and nothing that a later call could prove.
_PLAIN: Final = TransferOptions(resume=False, threshold_bytes=1 << 50)


class DownloadMethods(PlatformClient):
    """Downloads, and job requests as they were uploaded."""

    async def download_data(
        self,
        data_id: str,
        output_path: Any = None,
        *,
        resume: bool = True,
        on_progress: Callable[[Progress], None] | None = None,
    ) -> Any:
        """Download the content of one data to a file.

        Nothing is seen at the path before the file is whole. A download that was interrupted goes on where it stopped
        when the same call is made again, if the platform answers ranges.

        Args:
            data_id: Identifier of the data.
            output_path: A path, missing folders are made; a binary file object is taken too. Default: the name of the
                data, made safe, in the working directory.
            resume: Whether a later call, in another process too, may go on where this one stops. False saves the journal
                and the checksums that takes; a connection that breaks is taken up in any case.
            on_progress: Called as bytes arrive, at most 10 times a second, and at the end.

        Returns:
            ``output_path``, or the path that stands for it.

        Raises:
            RemoteChanged: The content changed while it was fetched.
            OSError: The file cannot be written.
        """
        if not output_path:
            details: Any = await self._call(data.GET_DATA_DETAILS, {"data_id": data_id})
            output_path = safe_name(details.get("name"), operation="download_data")
        options = _options(resume, on_progress)
        await self._fetch_file(data.DOWNLOAD_DATA, ("data_id", data_id), output_path, options)
        return output_path

    async def download_job_output(
        self,
        job_id: str,
        output_path: Any = None,
        *,
        resume: bool = True,
        on_progress: Callable[[Progress], None] | None = None,
    ) -> Any:
        """Download the output of a finished job to a file.

        Args:
            job_id: Identifier of the job.
            output_path: As of :meth:`download_data`. Default: the job's name for its output, made safe.
            resume: Whether a later call, in another process too, may go on where this one stops. False saves the journal
                and the checksums that takes; a connection that breaks is taken up in any case.
            on_progress: Called as bytes arrive, at most 10 times a second, and at the end.

        Returns:
            ``output_path``, or the path that stands for it.

        Raises:
            RemoteChanged: The content changed while it was fetched.
            OSError: The file cannot be written.
        """
        if not output_path:
            details: Any = await self._call(jobs.GET_JOB_DETAILS, {"job_id": job_id})
            output_path = safe_name(details.get("output_filename"), operation="download_job_output")
        options = _options(resume, on_progress)
        await self._fetch_file(jobs.DOWNLOAD_JOB_OUTPUT, ("job_id", job_id), output_path, options)
        return output_path

    async def download_job_logfile(self, job_id: str, output_path: Any = None) -> str | None:
        """Download the logfile of a job that ran a private analytic.

        Args:
            job_id: Identifier of the job.
            output_path: As of :meth:`download_data`. Default: the text is returned.

        Returns:
            The text, with a replacement character for what is no UTF-8; None with a path.

        Raises:
            OSError: The file cannot be written.
        """
        if output_path is None:
            return await self._call(jobs.DOWNLOAD_JOB_LOGFILE, {"job_id": job_id})
        if output_path == "":
            raise ArgumentError("output_path must not be empty; None returns the text", argument="output_path")
        await self._fetch_file(jobs.DOWNLOAD_JOB_LOGFILE, ("job_id", job_id), output_path, _options(True, None))
        return None

    async def get_job_request(self, job_id: str) -> JobRequest:
        """Fetch the job request that a job was made from.

        Args:
            job_id: Identifier of the job.

        Raises:
            RemoteDataPathError: One of its inputs is no reference to data.
        """
        found = await self._call(jobs.GET_JOB_REQUEST, {"job_id": job_id})
        return JobRequest.from_dict(found)

    async def _fetch_file(
        self, endpoint: Endpoint[Any], item: tuple[str, str], destination: Any, options: TransferOptions
    ) -> None:
        headers = self._headers_now()
        request = build(endpoint, dict([item]), self._home, headers)
        rules, pipeline = self._content_rules(endpoint), self._hub._opened()

        def target() -> FileDownload:
            url = f"{request.origin}{request.target.decode('ascii')}"
            return FileDownload(
                url, headers, description={"operation": endpoint.name, "place": url, **self._for_whom()}
            )

        if isinstance(destination, (str, os.PathLike)):
            path = os.fsdecode(destination)
            await self._make_folder(path)
            if options.on_progress is None:
                first = await open_first(pipeline, self._first_rules(rules), request, options.threshold_bytes)
                if first is not None:
                    await self._take(first, rules, path, lambda: (target(), options))
                    return
        elif not callable(destination) and not callable(getattr(destination, "write", None)):
            raise ArgumentTypeError(
                f"output_path must be a path or a binary file, not {type(destination).__name__}",
                argument="output_path",
            )
        await download_file(pipeline, rules, target(), destination, options)

    def _resume_rules(self) -> Rules:
        """Return the rules for a download that another process has begun."""
        return self._content_rules(data.DOWNLOAD_DATA)

    async def _make_folder(self, path: str) -> None:
        """Make the folder of a file, as the official client does before it asks; looked at once for many files."""
        folder = os.path.dirname(path)  # noqa: PTH120  # cheap
        if folder not in self._folders:
            await run_hop(ensure_basedir, path, crew=DISK)
            self._folders.add(folder)

    def _first_rules(self, rules: Rules) -> Rules:
        """Return the rules by which the engine asks for the beginning of a file."""
        if self._kept_first[0] is not rules:
            self._kept_first = rules, Wire(self._hub._opened(), rules).get
        return self._kept_first[1]

    async def _take(
        self, first: FirstAnswer, rules: Rules, path: str, plan: Callable[[], tuple[FileDownload, TransferOptions]]
    ) -> None:
        """Write what an answer holds, at once if it is small; else leave it to the engine."""
        try:
            content = await first.small()
            if content is None or not await run_hop(write_small, path, content, crew=DISK):
                target, options = plan()
                await download_file(first.pipeline, rules, target, path, options)
        finally:
            await first.aclose()


def _options(resume: bool, on_progress: Callable[[Progress], None] | None) -> TransferOptions:
    if on_progress is None:
        return DEFAULTS if resume else _PLAIN
    return replace(DEFAULTS if resume else _PLAIN, on_progress=on_progress)
