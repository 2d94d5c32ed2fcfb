"""One file on its way to the store: ask for a ticket, send, say that it is there; and go on with what was left."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

from asyncclient import _codec
from asyncclient._endpoint import Endpoint
from asyncclient._transfers.source import Source
from asyncclient._transfers.transfers import upload_file
from asyncclient.errors import APIError, ArgumentError, IntegrityError, SessionExpired, SourceChanged
from asyncclient.flywheel._answers import read_answer
from asyncclient.flywheel._base import FlywheelClient
from asyncclient.flywheel._generated.operations.analyses import UPLOAD_OUTPUT_TO_ANALYSIS
from asyncclient.flywheel._receiving import transfer_options
from asyncclient.flywheel._signed import Ticket, part_size_of, signed_target
from asyncclient.flywheel._unfinished import Kept, content_key, unfinished_of
from asyncclient.flywheel.files import Upload

__all__ = ["SignedWork"]

_PASSING: Final = frozenset({408, 425, 429})
"""Refusals of clients that mean: later."""
_ANALYSIS_IDS: Final = ("analysis_id", "container_id")


class SignedWork:
    """One upload call by signed URLs.

    Args:
        client: Sends the requests.
        endpoint: The operation that was called.
        arguments: Of the call.
        options: Of the call, those of transfers included.
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

    async def store(
        self, upload: Upload, source: Source, metadata: dict[str, Any], *, optional: bool = False
    ) -> list[Any] | None:
        """Send one file, or the rest of it; None if the answer has no URLs, and nothing was sent.

        Args:
            upload: The file.
            source: Its content.
            metadata: Sent with it.
            optional: Whether a refused ticket counts as an answer without URLs.

        Raises:
            ArgumentError: Its size is not known.
            APIError: The service or the store refuses.
            TransportError: Retries are used up. The same call goes on from there, as it does after a cancellation.
            IntegrityError: The service has another size than was sent.
            SourceChanged: The file changed while it was read.
        """
        if source.size is None:
            raise ArgumentError(f"the size of {upload.name!r} is not known; give FileSpec(size=...)", argument="file")
        left, key = unfinished_of(self._client._hub), await self._key(upload, source, metadata)
        kept = left.take(key) if key is not None else None
        if kept is not None:
            try:
                return await self._finished(key, kept, upload, source)
            except (APIError, SessionExpired) as error:
                if not _spent(error):
                    raise
        try:
            ticket = await self._ticket(upload, metadata)
        except APIError:
            if not optional:
                raise
            ticket = None
        return None if ticket is None else await self._finished(key, Kept(ticket), upload, source)

    async def _key(self, upload: Upload, source: Source, metadata: Mapping[str, Any]) -> bytes | None:
        if self._options.get("resume", True) is False:
            return None
        key = self._client._key
        who = hashlib.sha256(key.authorization).hexdigest()
        place = [str(key.base.origin), who, self._endpoint.name, dict(self._arguments), upload.name, dict(metadata)]
        return await content_key(source, upload.source, *place)

    async def _ticket(self, upload: Upload, metadata: dict[str, Any]) -> Ticket | None:
        """Ask for URLs; None if the answer has none."""
        given: Any = [metadata] if self._analysis else metadata
        found = await self._post("", {"metadata": given, "filenames": [upload.name]})
        return Ticket.read(found, upload.name)

    async def _finished(self, key: bytes | None, kept: Kept, upload: Upload, source: Source) -> list[Any]:
        """Send what is missing and say that it is there; nothing is said after a failure."""
        try:
            if kept.etags is None:
                kept.etags = await self._sent(kept, upload, source)
            return await self._closed(kept, source)
        except BaseException as error:
            if key is not None and not _spent(error):
                unfinished_of(self._client._hub).keep(key, kept)
            raise

    async def _sent(self, kept: Kept, upload: Upload, source: Source) -> tuple[str, ...]:
        client = self._client
        rules = replace(
            client._rules_of({"_request_timeout": self._options.get("_request_timeout")}, bulk=True),
            auth=None,
            max_response_bytes=client._rules.max_response_bytes,
        )
        size = source.size or 0
        target = signed_target(kept, size)
        options = transfer_options(self._options, name=upload.name)
        options = replace(options, resume=False, part_size=part_size_of(kept.ticket, size))
        await upload_file(client._hub._opened(), rules, source, target, options)
        return tuple(target.etags)

    async def _closed(self, kept: Kept, source: Source) -> list[Any]:
        ticket = kept.ticket
        found = await self._post(ticket.id, ticket.closing(kept.etags or ()))
        records = self._client._bound(read_answer(self._endpoint, found)) if found.body else []
        _check_size(records, source)
        return list(records) if isinstance(records, list) else [records]

    async def _post(self, ticket: str, body: Mapping[str, Any] | None) -> Any:
        arguments = {**self._arguments, "ticket": ticket}
        content = b"" if body is None else _codec.encode(body)
        call = self._client._checked(self._control, arguments, {}, body=content)
        return await self._client._sent(self._endpoint.name, call)


def _spent(error: BaseException) -> bool:
    """Tell whether an error leaves nothing to go on with: the ticket is too old, or used up, or the content is wrong."""
    if isinstance(error, APIError):
        return 400 <= error.status < 500 and error.status not in _PASSING
    return isinstance(error, (IntegrityError, SessionExpired, SourceChanged))


def _check_size(records: Any, source: Source) -> None:
    size = getattr(records[0], "size", None) if isinstance(records, list) and len(records) == 1 else None
    if isinstance(size, int) and size != source.size:
        raise IntegrityError(str(source.name), expected=f"{source.size} bytes", actual=f"{size} bytes")
