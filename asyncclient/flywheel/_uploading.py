"""File content that goes to the service: by signed URLs where the site offers them, else in a form."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from contextlib import aclosing
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeVar

import anyio.to_thread

from asyncclient import _codec
from asyncclient._endpoint import Endpoint
from asyncclient._net.multipart import MultipartBody, Part
from asyncclient._scheduler import Lane
from asyncclient._transfers.open_source import as_source
from asyncclient._transfers.options import TransferOptions
from asyncclient._transfers.source import Source
from asyncclient._transfers.transfers import upload_file
from asyncclient.errors import APIError, ArgumentError, ArgumentTypeError, IntegrityError
from asyncclient.flywheel._answers import read_answer
from asyncclient.flywheel._base import FlywheelClient
from asyncclient.flywheel._generated.operations.analyses import UPLOAD_OUTPUT_TO_ANALYSIS
from asyncclient.flywheel._signed import Ticket, part_size_of, send_google, signed_target
from asyncclient.flywheel.files import Upload, uploads_of

if TYPE_CHECKING:
    from asyncclient.flywheel._generated import models

__all__ = ["Uploads"]

T = TypeVar("T")

_SMALL_BYTES: Final = 64 * 1024
"""Files up to here are read in one hop to a thread and sent in one piece: the hops cost more than the memory."""
_WHOLE_BYTES: Final = _SMALL_BYTES + 16 * 1024
_ANALYSIS_IDS: Final = ("analysis_id", "container_id")


class Uploads:
    """Sends files.

    Args:
        client: What the requests are made by.
    """

    def __init__(self, client: FlywheelClient) -> None:
        self._client = client

    async def raw(self, endpoint: Endpoint[T], arguments: Mapping[str, Any], options: Mapping[str, Any]) -> T:
        body = arguments.get("body")
        if body is None:
            raise ArgumentError(f"{endpoint.name}(): body must not be None", argument="body")
        content = body.encode("utf-8") if isinstance(body, str) else body
        self._client._checked(endpoint, arguments, options)
        async with aclosing(await as_source(content)) as source:
            kind = b"application/octet-stream"
            call = self._client._checked(endpoint, arguments, options, body=source.body(), content_type=kind)
            answer = await self._client._sent(endpoint.name, call, Lane.BULK)
        result: T = self._client._read(endpoint, call, answer)
        return result

    async def upload(self, endpoint: Endpoint[T], arguments: Mapping[str, Any], options: Mapping[str, Any]) -> T:
        name = "files" if "files" in arguments else "file"
        given = arguments.get(name)
        if given is None and name == "file":
            raise ArgumentError(f"{endpoint.name}(): file must not be None", argument="file")
        uploads = uploads_of(given if given is not None else [], argument=name)
        metadata = _Metadata.of(arguments.get("metadata"), len(uploads))
        self._client._checked(endpoint, arguments, options)  # whatever way is taken: bad arguments are refused first
        found: Any = None
        if uploads and arguments.get("signed", False):
            found = await self._by_signed_urls(endpoint, arguments, options, uploads, metadata)
        if found is None:
            found = await self._by_form(endpoint, arguments, options, uploads, metadata)
        result: T = found
        return result

    async def signed(
        self, endpoint: Endpoint[Any], arguments: Mapping[str, Any], options: Mapping[str, Any]
    ) -> list[models.FileOutput] | None:
        uploads = uploads_of(arguments.get("file"), argument="file")
        metadata = _Metadata.of(arguments.get("metadata"), len(uploads))
        self._client._checked(endpoint, arguments, options)
        return await self._by_signed_urls(endpoint, arguments, options, uploads, metadata)

    # --- forms -------------------------------------------------------------------------------------------------------

    async def _by_form(
        self,
        endpoint: Endpoint[Any],
        arguments: Mapping[str, Any],
        options: Mapping[str, Any],
        uploads: Sequence[Upload],
        metadata: _Metadata,
    ) -> Any:
        """Send one form per file: some sites take no more than one file with a request."""
        field = "files" if "files" in arguments else "file"
        if not uploads:
            return await self._send_form(endpoint, arguments, options, MultipartBody(metadata.parts(0)))
        results: list[Any] = []
        for place, upload in enumerate(uploads):
            before = metadata.parts(place)
            small = await _small_content(upload.source)
            if small is not None:
                form = MultipartBody([*before, Part(field, small, upload.name, upload.content_type)])
                results.append(await self._send_form(endpoint, arguments, options, form))
                continue
            async with aclosing(await as_source(upload.source)) as source:
                form = MultipartBody([*before, Part(field, source.body(), upload.name, upload.content_type)])
                results.append(await self._send_form(endpoint, arguments, options, form))
        if len(results) == 1:
            return results[0]
        return [record for found in results for record in (found if isinstance(found, list) else [found])]

    async def _send_form(
        self, endpoint: Endpoint[Any], arguments: Mapping[str, Any], options: Mapping[str, Any], form: MultipartBody
    ) -> Any:
        whole = form.length is not None and form.length <= _WHOLE_BYTES and form.replayable
        body = b"".join([piece async for piece in form.open()]) if whole else form
        call = self._client._checked(endpoint, arguments, options, body=body, content_type=form.content_type)
        call = call._replace(rules=replace(call.rules, timeouts=replace(call.rules.timeouts, total=None)))
        answer = await self._client._sent(endpoint.name, call, Lane.BULK)
        return self._client._read(endpoint, call, answer) if answer.body else []

    # --- signed URLs -------------------------------------------------------------------------------------------------

    async def _by_signed_urls(
        self,
        endpoint: Endpoint[Any],
        arguments: Mapping[str, Any],
        options: Mapping[str, Any],
        uploads: Sequence[Upload],
        metadata: _Metadata,
    ) -> list[Any] | None:
        """Send every file by signed URLs; None if the site does not do that, and nothing was sent."""
        site = await self._client._features()
        if not site.get("signed_url"):
            return None
        work = _SignedWork(self._client, endpoint, arguments, options)
        records: list[Any] = []
        for place, upload in enumerate(uploads):
            async with aclosing(await as_source(upload.source)) as source:
                try:
                    ticket = await work.ticket(upload, source, metadata.of_file(place, upload.name, source.size))
                except APIError:
                    if not site.get("multiproject") or records:
                        raise
                    ticket = None  # such sites offer signed URLs for some of their projects
                if ticket is None and not records:
                    return None
                if ticket is None:
                    records += await self._by_form(endpoint, arguments, options, [upload], metadata.only(place))
                else:
                    records += await work.send(ticket, source)
        return records


async def _small_content(source: Any) -> bytes | None:
    """Return the content of a small file or of bytes; None for all else, which is streamed."""
    if isinstance(source, bytes):
        return source if len(source) <= _SMALL_BYTES else None
    return await anyio.to_thread.run_sync(_read_small, source) if isinstance(source, Path) else None


def _read_small(path: Path) -> bytes | None:
    with path.open("rb", buffering=0) as file:
        size = os.fstat(file.fileno()).st_size
        if size > _SMALL_BYTES:
            return None
        content = file.read(_SMALL_BYTES + 1)
    return content if content is not None and len(content) == size else None


class _SignedWork:
    """One upload call by signed URLs.

    Args:
        client: Sends the requests.
        endpoint: The operation that was called.
        arguments: Of the call.
        options: Of the call.
    """

    def __init__(
        self, client: FlywheelClient, endpoint: Endpoint[Any], arguments: Mapping[str, Any], options: Mapping[str, Any]
    ) -> None:
        self._client = client
        self._options = options
        self._analysis = endpoint.name.startswith("upload_output_to_")
        kept = {key: arguments[key] for key in ("preserve_metadata",) if arguments.get(key) is not None}
        if self._analysis:
            container = next(arguments[key] for key in _ANALYSIS_IDS if arguments.get(key) is not None)
            self._endpoint: Endpoint[Any] = UPLOAD_OUTPUT_TO_ANALYSIS
        else:
            container = arguments["container_id"]
            self._endpoint = endpoint
        # The ticket goes first into the query.
        params = sorted(self._endpoint.params, key=lambda param: param.name != "ticket")
        self._control: Endpoint[Any] = replace(self._endpoint, params=tuple(params), returns=None, answer="json")
        self._arguments = {"container_id": container, **kept}

    async def ticket(self, upload: Upload, source: Source, metadata: dict[str, Any]) -> Ticket | None:
        """Ask for URLs; None if the answer has none."""
        if source.size is None:
            raise ArgumentError(f"the size of {upload.name!r} is not known; give FileSpec(size=...)", argument="file")
        given: Any = [metadata] if self._analysis else metadata
        found = await self._post("", {"metadata": given, "filenames": [upload.name]})
        return Ticket.read(found, upload.name)

    async def send(self, ticket: Ticket, source: Source) -> list[Any]:
        """Send the content and say that it is there; nothing is said after a failure."""
        client = self._client
        rules = replace(
            client._rules_of(self._options, bulk=True), auth=None, max_response_bytes=client._rules.max_response_bytes
        )
        pipeline = client._hub._opened()
        if ticket.google and len(ticket.urls) > 1 and source.size:
            await send_google(pipeline, rules, ticket, source)
            etags: Sequence[str] = ()
        else:
            target = signed_target(ticket, source.size or 0)
            size = part_size_of(ticket, source.size or 0)
            await upload_file(pipeline, rules, source, target, TransferOptions(resume=False, part_size=size))
            etags = target.etags
        body = ticket.closing(etags)
        found = await self._post(ticket.id, body)
        records = client._bound(read_answer(self._endpoint, found)) if found.body else []
        _check_size(records, source)
        return list(records) if isinstance(records, list) else [records]

    async def _post(self, ticket: str, body: Mapping[str, Any] | None) -> Any:
        arguments = {**self._arguments, "ticket": ticket}
        content = b"" if body is None else _codec.encode(body)
        call = self._client._checked(self._control, arguments, {}, body=content)
        return await self._client._sent(self._endpoint.name, call)


def _check_size(records: Any, source: Source) -> None:
    size = getattr(records[0], "size", None) if isinstance(records, list) and len(records) == 1 else None
    if isinstance(size, int) and size != source.size:
        raise IntegrityError(str(source.name), expected=f"{source.size} bytes", actual=f"{size} bytes")


class _Metadata:
    """Metadata as it was given: for all files, or for each."""

    def __init__(self, given: Any, each: Sequence[Any] | None) -> None:
        self._given = given
        self._each = each

    @classmethod
    def of(cls, given: Any, count: int) -> _Metadata:
        """Check what was given.

        Raises:
            ArgumentError: A list has another length than the list of files.
            ArgumentTypeError: It is none of the accepted forms.
        """
        if given is None or isinstance(given, (str, Mapping)):
            return cls(given, None)
        if not isinstance(given, (list, tuple)):
            raise ArgumentTypeError(
                f"metadata must be a mapping, a list of mappings or JSON text, not {type(given).__name__}",
                argument="metadata",
            )
        if len(given) != count:
            raise ArgumentError(f"metadata has {len(given)} entries for {count} files", argument="metadata")
        return cls(given, given)

    def only(self, place: int) -> _Metadata:
        """Return what concerns one file."""
        return self if self._each is None else _Metadata(self._each[place], None)

    def parts(self, place: int) -> list[Part]:
        """Return the field of a form, if there is one."""
        given = self._given if self._each is None or len(self._each) == 1 else self._each[place]
        if given is None:
            return []
        text = given if isinstance(given, str) else _codec.encode(given, argument="metadata")
        return [Part("metadata", text)]

    def of_file(self, place: int, name: str, size: int | None) -> dict[str, Any]:
        """Return the metadata of one file, with its name and size."""
        given = self._given if self._each is None else self._each[place]
        if isinstance(given, str):
            given = _parsed(given)
        found = dict(given or {})
        found.setdefault("name", name)
        if size:
            found.setdefault("size", size)
        return found


def _parsed(text: str) -> dict[str, Any]:
    try:
        found = json.loads(text)
    except ValueError:
        raise ArgumentError("metadata is text that is not JSON", argument="metadata") from None
    if not isinstance(found, dict):
        raise ArgumentError("metadata for signed uploads must be a JSON object", argument="metadata")
    return found
