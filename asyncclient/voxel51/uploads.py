"""Files on their way to the platform, and the other requests that are forms or have dates."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any, Final, NamedTuple
from urllib.parse import urlencode

from asyncclient._build import build
from asyncclient._net.multipart import MultipartBody, Part
from asyncclient._transfers.hops import DISK, run_hop
from asyncclient._transfers.open_source import as_source
from asyncclient._transfers.options import TransferOptions
from asyncclient._transfers.progress import Meter
from asyncclient._transfers.transfers import upload_file
from asyncclient.errors import ArgumentError, ArgumentTypeError
from asyncclient.voxel51._dates import date_text, ttl_fields
from asyncclient.voxel51._generated.operations import analytics, data, jobs
from asyncclient.voxel51.base import PlatformClient
from asyncclient.voxel51.jobs import JobRequest, request_text
from asyncclient.voxel51.local_files import CountedBody, LocalFile, look_at
from asyncclient.voxel51.targets import FileForm, guess_type, member_of

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterable

    from asyncclient._endpoint import Endpoint
    from asyncclient._pipeline import Answer
    from asyncclient._transfers.source import Source
    from asyncclient.types import Progress
    from asyncclient.voxel51._dates import Date
    from asyncclient.voxel51._generated import models

__all__ = ["UploadMethods"]

_NO_ARGUMENTS: Final[Mapping[str, Any]] = {}


class FileFields(NamedTuple):
    """What a form has beside its file.

    Attributes:
        filename: What the file is called; None for its own name.
        fields: The fields after it.
        on_progress: Who is told how far it is, or None.
    """

    filename: str | None
    fields: Sequence[Part]
    on_progress: Callable[[Progress], None] | None = None


class UploadMethods(PlatformClient):
    """Uploads, and dates."""

    _UPLOAD_ANALYTIC: Endpoint[Any] = analytics.UPLOAD_ANALYTIC
    _UPLOAD_ANALYTIC_IMAGE: Endpoint[Any] = analytics.UPLOAD_ANALYTIC_IMAGE

    # --- uploads -----------------------------------------------------------------------------------------------------

    async def upload_data(
        self,
        path: Any,
        ttl: Date | None = None,
        *,
        filename: str | None = None,
        on_progress: Callable[[Progress], None] | None = None,
    ) -> models.Data:
        """Upload one file as data, streamed.

        It is sent once: a connection that breaks after the first byte is an error, since the platform may have stored
        the file already.

        Args:
            path: Path of the file; bytes, an open binary file or an iterable of bytes are taken too.
            ttl: When the data expires. Default: the platform's, three days as published.
            filename: What the platform calls it. Default: the last component of the path.
            on_progress: Called as bytes are sent, at most 10 times a second, and at the end.

        Returns:
            ``data`` of the answer.

        Raises:
            OSError: The file cannot be read; nothing was sent.
            SourceChanged: It changed while it was read.
        """
        fields = [] if ttl is None else [Part("data_ttl", date_text(ttl, "ttl"))]
        form = FileFields(filename, fields, on_progress)
        answer = await self._upload(data.UPLOAD_DATA, _NO_ARGUMENTS, ("path", path), form)
        found: models.Data = member_of("upload_data", answer, "data")
        return found

    async def upload_analytic(self, doc_json_path: Any, analytic_type: str | None = None) -> models.Analytic:
        """Register a new analytic from its documentation file.

        Args:
            doc_json_path: Path of the JSON file.
            analytic_type: An ``AnalyticType``.

        Returns:
            ``analytic`` of the answer.

        Raises:
            OSError: The file cannot be read; nothing was sent.
        """
        fields = [Part("analytic_type", str(analytic_type))] if analytic_type else []
        content = "doc_json_path", doc_json_path
        answer = await self._upload(self._UPLOAD_ANALYTIC, _NO_ARGUMENTS, content, FileFields(None, fields))
        found: models.Analytic = member_of("upload_analytic", answer, "analytic")
        return found

    async def upload_analytic_image(
        self,
        analytic_id: str,
        image_tar_path: Any,
        image_type: str | None,
        *,
        on_progress: Callable[[Progress], None] | None = None,
    ) -> None:
        """Send the container image of an analytic, streamed.

        Args:
            analytic_id: Identifier of the analytic.
            image_tar_path: Path of a ``.tar``, ``.tar.gz`` or ``.tar.bz`` file.
            image_type: An ``AnalyticImageType``; sent as it is given.
            on_progress: Called as bytes are sent, at most 10 times a second, and at the end.

        Raises:
            OSError: The file cannot be read; nothing was sent.
        """
        arguments = {"analytic_id": analytic_id, "image_type": image_type}
        self._url_of(self._UPLOAD_ANALYTIC_IMAGE, arguments)  # refuses an id before the file is looked for
        content = "image_tar_path", image_tar_path
        await self._upload(self._UPLOAD_ANALYTIC_IMAGE, arguments, content, FileFields(None, (), on_progress))

    async def upload_job_request(
        self, job_request: JobRequest | str, job_name: str | None, auto_start: bool = False, ttl: Date | None = None
    ) -> models.Job:
        """Create a job from a job request, and start it if wanted.

        Args:
            job_request: A ``JobRequest``, or its JSON text.
            job_name: What the job is called.
            auto_start: Whether it starts at once.
            ttl: When its output expires. Default: the platform's, three days as published.

        Returns:
            ``job`` of the answer.

        Raises:
            ArgumentError: The request is not valid; nothing was sent.
        """
        parts = [Part("file", request_text(job_request), "job.json", "application/json")]
        if job_name is not None:
            parts.append(Part("job_name", str(job_name)))
        parts.append(Part("auto_start", str(auto_start)))
        if ttl is not None:
            parts.append(Part("job_ttl", date_text(ttl, "ttl")))
        return await self._submit_parts(jobs.UPLOAD_JOB_REQUEST, _NO_ARGUMENTS, parts)

    async def post_data_as_url(
        self, url: str, filename: str, mime_type: str, size: int, expiration_date: Date, encoding: str | None = None
    ) -> models.Data:
        """Register a file that stays at a given URL as data.

        Args:
            url: Must be readable by a plain GET until the expiration date.
            filename: What the platform calls it.
            mime_type: Its media type.
            size: Its bytes.
            expiration_date: When the data expires; cannot be changed afterwards.
            encoding: Left out when empty.

        Returns:
            ``data`` of the answer.
        """
        arguments = {
            "url": url,
            "filename": filename,
            "mime_type": mime_type,
            "size": size,
            "expiration_date": date_text(expiration_date, "expiration_date"),
            "encoding": encoding or None,
        }
        return await self._call(data.POST_DATA_AS_URL, arguments)

    async def _upload(
        self, endpoint: Endpoint[Any], arguments: Mapping[str, Any], content: tuple[str, Any], form: FileFields
    ) -> Answer:
        """Send a form with a file, by the shortest way that its content allows.

        Args:
            endpoint: What takes it.
            arguments: Of the endpoint.
            content: Name of the argument, and its value.
            form: What else is in the form, and who is told of the progress.
        """
        argument, value = content
        if isinstance(value, (str, os.PathLike)):
            path = os.fsdecode(value)
            file = await run_hop(look_at, path, crew=DISK)
            if file is not None:
                return await self._send_form(endpoint, arguments, file, form)
        async with _opened(value, argument) as source:
            return await self._send_source(endpoint, arguments, source, form)

    async def _send_form(
        self, endpoint: Endpoint[Any], arguments: Mapping[str, Any], file: LocalFile, form: FileFields
    ) -> Answer:
        """Send a file that lies on disk: there is nothing to go on with later, and no digest to compare."""
        name = form.filename or file.name
        meter = Meter(form.on_progress, name=name, total=file.size)
        body = file.content if file.content is not None else CountedBody(file.body(), meter)
        parts = MultipartBody([Part("file", body, name, guess_type(name)), *form.fields])
        headers = [*self._headers_now(), (b"content-type", parts.content_type)]
        request = build(endpoint, arguments, self._home, headers, body=parts.whole() or parts)
        answer = await self._send(endpoint.name, request, rules=self._content_rules(endpoint))
        meter.confirm(file.size)
        meter.done()
        self._record(request, answer)
        return answer

    async def _send_source(
        self, endpoint: Endpoint[Any], arguments: Mapping[str, Any], source: Source, form: FileFields
    ) -> Answer:
        """Send content of any other kind."""
        name = form.filename or source.name
        if not name:
            raise ArgumentError("content without a name of its own needs filename", argument="filename")
        target = FileForm(
            self._url_of(endpoint, arguments),
            self._headers_now(),
            filename=name,
            content_type=await run_hop(guess_type, name, crew=DISK),
            after=form.fields,
            record=self._record,
        )
        options = TransferOptions(resume=False, on_progress=form.on_progress)
        sent = await upload_file(self._hub._opened(), self._content_rules(endpoint), source, target, options)
        answer: Answer = sent.remote["answer"]
        return answer

    # --- dates -------------------------------------------------------------------------------------------------------

    async def update_data_ttl(
        self, data_id: str, days: float | None = None, expiration_date: Date | None = None
    ) -> None:
        """Change the expiration date of one data; a date in the past deletes it.

        Args:
            data_id: Identifier of the data.
            days: Days to add, or to take away if negative.
            expiration_date: The new date.

        Raises:
            InvalidArguments: Both were given, or neither; nothing was sent.
        """
        form = urlencode(ttl_fields(days, expiration_date)).encode("ascii")
        await self._submit_form(data.UPDATE_DATA_TTL, {"data_id": data_id}, form)

    async def update_job_ttl(self, job_id: str, days: float | None = None, expiration_date: Date | None = None) -> None:
        """Change the expiration date of one job's output; a date in the past deletes it.

        Args:
            job_id: Identifier of the job.
            days: Days to add, or to take away if negative.
            expiration_date: The new date.

        Raises:
            InvalidArguments: Both were given, or neither; nothing was sent.
        """
        form = urlencode(ttl_fields(days, expiration_date)).encode("ascii")
        await self._submit_form(jobs.UPDATE_JOB_TTL, {"job_id": job_id}, form)

    async def batch_update_data_ttl(
        self, data_ids: Iterable[str], days: float | None = None, expiration_date: Date | None = None
    ) -> dict[str, models.BatchStatus]:
        """Change the expiration date of several data in one request.

        Args:
            data_ids: Any iterable of ids, none of them empty.
            days: Days to add, or to take away if negative.
            expiration_date: The new date.

        Returns:
            ``responses`` of the answer, keyed by id; single failures are in there and not raised.

        Raises:
            InvalidArguments: Both were given, or neither; nothing was sent.
        """
        arguments = {"data_ids": data_ids, **ttl_fields(days, expiration_date)}
        return await self._call(data.BATCH_UPDATE_DATA_TTL, arguments)

    async def batch_update_jobs_ttl(
        self, job_ids: Iterable[str], days: float | None = None, expiration_date: Date | None = None
    ) -> dict[str, models.BatchStatus]:
        """Change the expiration date of several jobs in one request.

        Args:
            job_ids: Any iterable of ids, none of them empty.
            days: Days to add, or to take away if negative.
            expiration_date: The new date.

        Returns:
            ``responses`` of the answer, keyed by id; single failures are in there and not raised.

        Raises:
            InvalidArguments: Both were given, or neither; nothing was sent.
        """
        arguments = {"job_ids": job_ids, **ttl_fields(days, expiration_date)}
        return await self._call(jobs.BATCH_UPDATE_JOBS_TTL, arguments)


@asynccontextmanager
async def _opened(content: Any, argument: str) -> AsyncIterator[Source]:
    """Open what is to be sent.

    Raises:
        OSError: It cannot be opened; also for a folder.
        ArgumentError: It is no regular file.
    """
    try:
        source = await as_source(content)
    except OSError as error:
        if isinstance(content, (str, os.PathLike)):
            error.filename = os.fspath(content)  # as it was given
        raise
    except (ArgumentError, ArgumentTypeError) as error:
        if isinstance(content, (str, os.PathLike)) and await run_hop(os.path.isdir, content, crew=DISK):
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), os.fspath(content)) from error
        error.argument = argument
        raise
    try:
        yield source
    finally:
        await source.aclose()
