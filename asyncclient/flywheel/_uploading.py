"""File content that goes to the service: by signed URLs where the site offers them, else in a form."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from contextlib import aclosing
from typing import TYPE_CHECKING, Any, Final, NamedTuple, TypeVar

from asyncclient import _codec
from asyncclient._endpoint import Endpoint
from asyncclient._messages import Request
from asyncclient._net.multipart import MultipartBody, Part
from asyncclient._scheduler import Lane
from asyncclient._transfers.open_source import as_source
from asyncclient._transfers.progress import Meter
from asyncclient._transfers.upload_body import SentBody
from asyncclient.errors import ArgumentError, ArgumentTypeError
from asyncclient.flywheel._base import Call, FlywheelClient, without_total
from asyncclient.flywheel._receipts import compare_content, compare_source
from asyncclient.flywheel._signed_work import SignedWork
from asyncclient.flywheel._small_files import SMALL_BYTES, read_small
from asyncclient.flywheel._surface import split_options
from asyncclient.flywheel.files import Upload, uploads_of

if TYPE_CHECKING:
    from asyncclient.flywheel._generated import models

__all__ = ["Uploads"]

T = TypeVar("T")

_WHOLE_BYTES: Final = SMALL_BYTES + 16 * 1024


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
        name = _field(arguments)
        given = arguments.get(name)
        if given is None and name == "file":
            raise ArgumentError(f"{endpoint.name}(): file must not be None", argument="file")
        uploads = uploads_of(given if given is not None else [], argument=name)
        metadata = _Metadata.of(arguments.get("metadata"), len(uploads))
        form = self._form(endpoint, arguments, options)  # whatever way is taken: checked before anything is read
        found: Any = None
        if uploads and arguments.get("signed", False):
            found = await self._by_signed_urls(endpoint, arguments, options, uploads, metadata)
        if found is None:
            found = await self._by_form(form, uploads, metadata)
        result: T = found
        return result

    async def signed(
        self, endpoint: Endpoint[Any], arguments: Mapping[str, Any], options: Mapping[str, Any]
    ) -> list[models.FileOutput] | None:
        uploads = uploads_of(arguments.get("file"), argument="file")
        metadata = _Metadata.of(arguments.get("metadata"), len(uploads))
        self._form(endpoint, arguments, options)
        return await self._by_signed_urls(endpoint, arguments, options, uploads, metadata)

    # --- forms -------------------------------------------------------------------------------------------------------

    def _form(self, endpoint: Endpoint[Any], arguments: Mapping[str, Any], options: Mapping[str, Any]) -> _Form:
        plain, moving = split_options(options)
        return _Form(endpoint, self._client._checked(endpoint, arguments, plain), _field(arguments), moving)

    async def _by_form(self, form: _Form, uploads: Sequence[Upload], metadata: _Metadata) -> Any:
        """Send one form per file: some sites take no more than one file with a request.

        Raises:
            IntegrityError: The record that comes back has another size or digest than what was sent.
        """
        if not uploads:
            return await self._send_form(form, MultipartBody(metadata.parts(0)))
        results: list[Any] = []
        for place, upload in enumerate(uploads):
            before = metadata.parts(place)
            small = await _small_content(upload.source)
            if small is not None:
                body = MultipartBody([*before, Part(form.field, small, upload.name, upload.content_type)])
                results.append(await self._send_form(form, body))
                compare_content(results[-1], upload.name, small)
                form.meter(upload.name, len(small)).done()
                continue
            async with aclosing(await as_source(upload.source)) as source:
                meter = form.meter(upload.name, source.size)
                content = SentBody(source.body(), meter)
                body = MultipartBody([*before, Part(form.field, content, upload.name, upload.content_type)])
                results.append(await self._send_form(form, body))
                await compare_source(results[-1], upload.name, source, meter.sent)
                meter.confirm(meter.sent)
                meter.done()
        if len(results) == 1:
            return results[0]
        return [record for found in results for record in (found if isinstance(found, list) else [found])]

    async def _send_form(self, form: _Form, body: MultipartBody) -> Any:
        """Send what was checked, with a form as its body."""
        whole = body.length is not None and body.length <= _WHOLE_BYTES and body.replayable
        endpoint, call = form.endpoint, form.call
        request = call.request
        call = call._replace(
            request=Request(
                request.method,
                request.origin,
                request.target,
                [(name, body.content_type if name == b"content-type" else value) for name, value in request.headers],
                body.whole() or b"".join([piece async for piece in body.open()]) if whole else body,
                idempotent=request.idempotent,
            ),
            rules=without_total(call.rules),
        )
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
        work = SignedWork(self._client, endpoint, arguments, options)
        records: list[Any] = []
        for place, upload in enumerate(uploads):
            async with aclosing(await as_source(upload.source)) as source:
                facts = metadata.of_file(place, upload.name, source.size)
                # Some sites offer signed URLs for some of their projects.
                optional = bool(site.get("multiproject")) and not records
                stored = await work.store(upload, source, facts, optional=optional)
                if stored is None and not records:
                    return None
                if stored is None:
                    form = self._form(endpoint, arguments, options)
                    stored = await self._by_form(form, [upload], metadata.only(place))
                records += stored
        return records


class _Form(NamedTuple):
    """A call that sends forms, checked.

    Attributes:
        endpoint: The operation.
        call: Without a body.
        field: Of the file in a form.
        moving: Keywords of transfers.
    """

    endpoint: Endpoint[Any]
    call: Call
    field: str
    moving: Mapping[str, Any]

    def meter(self, name: str, size: int | None) -> Meter:
        """Begin to count the bytes of a file."""
        meter = Meter(self.moving.get("on_progress"), name=name, total=size)
        if size is not None and size <= SMALL_BYTES:
            meter.confirm(size)
        return meter


def _field(arguments: Mapping[str, Any]) -> str:
    return "files" if "files" in arguments else "file"


async def _small_content(source: Any) -> bytes | None:
    """Return the content of a small file or of bytes; None for all else, which is streamed."""
    if isinstance(source, bytes):
        return source if len(source) <= SMALL_BYTES else None
    return await read_small(source) if isinstance(source, str) else None


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
