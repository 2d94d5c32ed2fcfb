"""Documents: a record at the API, the file at the file server. Content is streamed in both directions."""

from __future__ import annotations

import asyncio
import base64
import logging
import os
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlencode

from asyncclient._messages import Body
from asyncclient._net.threads import CPU, in_thread
from asyncclient._pipeline import StreamedAnswer
from asyncclient._scheduler import Lane
from asyncclient.errors import ArgumentError, AsyncClientError, DeadlineExceeded, DecodeError
from asyncclient.las._generated.operations.datasets import DELETE_DATASET, GET_DATASET
from asyncclient.las._generated.operations.documents import CREATE_DOCUMENT, DELETE_DOCUMENTS, GET_DOCUMENT
from asyncclient.las.base import LasClient
from asyncclient.las.content import guess_content_type, load_content, open_content
from asyncclient.las.exceptions import FileFormatException
from asyncclient.types import UNSET

if TYPE_CHECKING:
    from asyncclient.las._generated import models

__all__ = ["DocumentMethods"]

_log = logging.getLogger(__name__)
# The service takes more than the official client has arguments for.
_CREATE: Final = replace(CREATE_DOCUMENT, extra=True, known_extra=("content", "contentType", "name", "description"))
_THREAD_FROM_BYTES: Final = 256 * 1024


class DocumentMethods(LasClient):
    """Operations on documents that take more than one request."""

    async def create_document(
        self,
        content: Any,
        content_type: str | None = None,
        *,
        consent_id: str | None = None,
        dataset_id: str | None = None,
        ground_truth: Sequence[Mapping[str, Any]] | None = None,
        retention_in_days: int | None = None,
        metadata: Mapping[str, Any] | None = None,
        inline: bool = False,
        name: Any = UNSET,
        description: Any = UNSET,
    ) -> models.Document:
        """Create a document record and upload its file to the file server.

        The file is streamed from disk, at most 64 MB as published. Both steps are repeated by themselves.

        Args:
            content: Path of the file, bytes (valid base64 is decoded; see ``RawBytes``), or an open file.
            content_type: Sent only with ``inline``; otherwise the service finds the type by itself.
            consent_id: Consent under which the document may be kept, ``las:consent:<32 hex digits>``.
            dataset_id: Dataset to put it in.
            ground_truth: What is known to be true of it, ``[{"label": ..., "value": ...}, ...]``.
            retention_in_days: Days until the service deletes it, at least 1.
            metadata: Any JSON object.
            inline: Send the file as base64 in the first request, in place of the file server; up to 4.5 MB.
            name: Up to 4096 characters.
            description: Up to 4096 characters.

        Returns:
            The record as it was created; ``contentType`` may be None, since the file was not there yet.

        Raises:
            EmptyRequestError: The content has no bytes; nothing was sent.
            FileFormatException: ``inline``, and the type is neither given nor known.
            OSError: The file cannot be read; nothing was sent.
            ClientException: The service refuses. If it refuses the file, or it cannot be sent, the record exists
                without a file and the error has its id in ``document_id``.
        """
        options = {
            "consent_id": consent_id,
            "dataset_id": dataset_id,
            "ground_truth": ground_truth,
            "metadata": metadata,
            "retention_in_days": retention_in_days,
            "name": name,
            "description": description,
        }
        if inline:
            return await self._create_inline(content, content_type, options)
        body = await open_content(content)
        document = await self._call(_CREATE, options)
        await self._put_file(document, body)
        return document

    async def _create_inline(self, content: Any, content_type: str | None, options: dict[str, Any]) -> models.Document:
        data = await load_content(content)
        guessed = guess_content_type(data)
        if content_type is None and guessed is None:
            raise FileFormatException(
                "the type of the content is not known; give content_type", argument="content_type"
            )
        if content_type is not None and guessed is not None and guessed != content_type:
            _log.warning("the content looks like %s but is sent as %s, as asked", guessed, content_type)
        given = {name: value for name, value in options.items() if value}  # the old form leaves out all false values
        text = await base64_text(data)
        return await self._call(_CREATE, {**given, "content": text, "contentType": content_type or guessed})

    async def _put_file(self, document: Any, body: bytes | Body) -> None:
        document_id = document.get("documentId") if isinstance(document, dict) else None
        try:
            if not isinstance(document, dict) or "fileUrl" not in document:
                raise DecodeError("create_document: the answer has no fileUrl")
            request = self._file_request(b"PUT", document["fileUrl"], body=body)
            await self._send("create_document", request, rules=self._file_rules())
        except (AsyncClientError, OSError) as error:
            error.document_id = document_id  # type: ignore[union-attr]  # a fact of this failure, whatever its class
            error.add_note(f"the document {document_id} exists without its file; delete_document() removes it")
            raise

    async def get_document(
        self,
        document_id: str,
        *,
        width: int | None = None,
        height: int | None = None,
        page: int | None = None,
        rotation: int | None = None,
        density: int | None = None,
        quality: str | None = None,
    ) -> models.Document:
        """Fetch a document and, from the file server, its file as base64.

        To save a large file use :meth:`download_document`, which needs no memory for it.

        Args:
            document_id: ``las:document:<32 hex digits>``.
            width: Pixels; a PDF or TIFF is converted to JPEG.
            height: Pixels.
            page: Counted from 0, or from the end if negative.
            rotation: 0, 90, 180 or 270 degrees.
            density: Dots per inch of a converted PDF or TIFF.
            quality: ``low``, for PDF.

        Returns:
            The record; ``content`` is the file, base64-encoded.
        """
        document = await self._call(GET_DOCUMENT, {"document_id": document_id})
        query = _options(width, height, page, rotation, density, quality)
        if not query and document.get("content") is not None:
            return document
        request = self._file_request(b"GET", _file_url(document), query=query)
        answer = await self._send("get_document", request, rules=self._file_rules())
        document["content"] = await base64_text(answer.body)
        return document

    async def download_document(
        self,
        document_id: str,
        path: str | os.PathLike[str],
        *,
        width: int | None = None,
        height: int | None = None,
        page: int | None = None,
        rotation: int | None = None,
        density: int | None = None,
        quality: str | None = None,
    ) -> int:
        """Save the file of a document, in constant memory.

        Args:
            document_id: ``las:document:<32 hex digits>``.
            path: The file to write. It appears only when it is complete; one that is there is replaced.
            width: As in :meth:`get_document`, like the further arguments.
            height: Pixels.
            page: Counted from 0.
            rotation: Degrees.
            density: Dots per inch.
            quality: ``low``.

        Returns:
            Its size in bytes.

        Cancelling leaves what was at ``path`` as it was, and no temporary file.
        """
        target = Path(path)
        if "\0" in str(target):
            raise ArgumentError("path must not hold a NUL character", argument="path")
        document = await self._call(GET_DOCUMENT, {"document_id": document_id})
        query = _options(width, height, page, rotation, density, quality)
        request = self._file_request(b"GET", _file_url(document), query=query)
        pipeline = self._hub._opened()
        async with await pipeline.stream(request, "download_document", self._file_rules(), Lane.BULK) as answer:
            return await _save(answer, target)

    async def delete_documents(
        self,
        *,
        consent_id: str | Sequence[str | None] | None = None,
        dataset_id: str | Sequence[str | None] | None = None,
        max_results: int | None = None,
        next_token: str | None = None,
        delete_all: bool = False,
    ) -> models.Documents:
        """Delete the documents that match a filter, one page or all pages.

        Without any filter this concerns all documents of the organization.

        Args:
            consent_id: One id or several.
            dataset_id: One id or several.
            max_results: Most documents to delete, up to 1000; not together with ``delete_all``.
            next_token: Where to go on.
            delete_all: Go on until no page is left.

        Returns:
            The deleted documents in ``documents``; with ``delete_all`` those of all pages, and ``nextToken`` None.
        """
        if delete_all and max_results:
            raise ArgumentError("give either max_results or delete_all", argument="max_results")
        arguments = {
            "consent_id": consent_id,
            "dataset_id": dataset_id,
            "max_results": max_results,
            "next_token": next_token,
        }
        first = await self._call(DELETE_DOCUMENTS, arguments)
        if not delete_all:
            return first
        deleted = list(first.get("documents") or [])
        token, seen = first.get("nextToken"), next_token
        while token:
            if token == seen:
                raise DecodeError("delete_documents: the service returned the token it was given; stopped")
            answer = await self._call(DELETE_DOCUMENTS, {**arguments, "next_token": token})
            deleted.extend(answer.get("documents") or [])
            token, seen = answer.get("nextToken"), token
        first["documents"], first["nextToken"] = deleted, None
        return first

    async def delete_dataset(
        self, dataset_id: str, delete_documents: bool = False, *, wait_s: float | None = None
    ) -> models.Dataset:
        """Remove a dataset, on request after deleting the documents in it.

        Args:
            dataset_id: ``las:dataset:<32 hex digits>``.
            delete_documents: Delete its documents first; if that fails the dataset stays.
            wait_s: With ``delete_documents``: how long to wait until the service counts no documents in it, because
                the count follows with delay and the service refuses before. None does not wait.

        Raises:
            DeadlineExceeded: The service still counts documents after ``wait_s``; the dataset stays.
        """
        if delete_documents:
            await self.delete_documents(dataset_id=dataset_id, delete_all=True)
            if wait_s is not None:
                await self._wait_until_empty(dataset_id, wait_s)
        return await self._call(DELETE_DATASET, {"dataset_id": dataset_id})

    async def _wait_until_empty(self, dataset_id: str, wait_s: float) -> None:
        delay_s = 1.0
        try:
            async with asyncio.timeout(wait_s):
                while (await self._call(GET_DATASET, {"dataset_id": dataset_id})).get("numberOfDocuments"):
                    await asyncio.sleep(delay_s)
                    delay_s *= 1.25
        except TimeoutError as error:
            raise DeadlineExceeded("delete_dataset", wait_s) from error


async def base64_text(data: bytes) -> str:
    """Encode bytes; large ones in a worker thread."""
    if len(data) < _THREAD_FROM_BYTES:
        return base64.b64encode(data).decode("ascii")
    return await in_thread(lambda: base64.b64encode(data).decode("ascii"), CPU)


def _file_url(document: Any) -> Any:
    if not isinstance(document, dict) or not document.get("fileUrl"):
        raise DecodeError("get_document: the answer has no fileUrl")
    return document["fileUrl"]


def _options(
    width: int | None, height: int | None, page: int | None, rotation: int | None, density: int | None, quality: Any
) -> str:
    given = {
        "width": width,
        "height": height,
        "page": page,
        "rotation": rotation,
        "density": density,
        "quality": quality,
    }
    return urlencode({name: value for name, value in given.items() if value is not None})


async def _save(answer: StreamedAnswer, target: Path) -> int:
    """Write a body to a temporary file beside its place, make it durable, rename it."""
    from asyncclient._transfers.hops import DISK, run_hop
    from asyncclient._transfers.part_file import PartFile, PartFileOptions
    from asyncclient._transfers.places import new_job_id
    from asyncclient._transfers.sink import SinkWriter

    await run_hop(target.parent.stat, crew=DISK)  # a folder that is missing is an error here, not made
    sink = PartFile(target, new_job_id(), None, PartFileOptions(digest=False))
    writer = SinkWriter(sink, 0)
    try:
        await sink.open(None)
        while piece := await answer.read():
            await writer.feed(piece)
        await writer.flush()
        await sink.commit()
    except BaseException:
        await writer.aclose()
        await sink.discard()
        raise
    return writer.written
