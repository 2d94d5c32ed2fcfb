"""File content that comes from the service: to a path through the transfer engine, or into memory."""

from __future__ import annotations

import contextlib
import inspect
import os
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from asyncclient import _codec
from asyncclient._endpoint import Endpoint
from asyncclient._messages import Request
from asyncclient._scheduler import Lane
from asyncclient.errors import APIError, ArgumentError, ArgumentTypeError, DecodeError, TransportError
from asyncclient.flywheel._base import Call, FlywheelClient
from asyncclient.flywheel._surface import split_options

if TYPE_CHECKING:
    from pathlib import Path

    from asyncclient._pipeline import Rules
    from asyncclient._transfers.options import Downloaded, TransferOptions
    from asyncclient.flywheel._content import Content, FileRecord
    from asyncclient.types import Progress

__all__ = ["Receiving", "save_content", "transfer_options"]

_WHOLE_BYTES: Final = 8 * 1024**3
"""Size of content that is taken into memory, because somebody asked for just that."""
_BEHIND_THE_END: Final = 416
_PARTIAL: Final = 206
_PIECES: Final = ("range", "info")
"""Arguments that make the answer something else than the file as it is stored."""


class Receiving(FlywheelClient):
    """Operations that fetch content."""

    async def _download(
        self, endpoint: Endpoint[bytes], arguments: Mapping[str, Any], options: Mapping[str, Any]
    ) -> None:
        destination = _checked_destination(endpoint, arguments.get("dest_file"))
        plain, moving = split_options(options)
        call = self._checked(endpoint, arguments, plain)
        if any(arguments.get(name) not in (None, False) for name in _PIECES):
            if moving:
                raise ArgumentTypeError(f"{endpoint.name}() takes on_progress and resume for whole files only")
            await save_content(destination, await self._whole(endpoint, call))
            return
        # Archives and members of them are made as they are sent: nothing of one is worth keeping, and no record is of it.
        made = endpoint.name == "download_ticket" or arguments.get("member") is not None
        made_options = {"resume": False, "_lookup": False} if made else {}
        await self._fetched(endpoint, call, destination, {**moving, **made_options})

    async def _fetched(
        self, endpoint: Endpoint[bytes], call: Call, destination: Any, options: Mapping[str, Any]
    ) -> Downloaded:
        """Fetch content to where it is wanted.

        Args:
            endpoint: What is called.
            call: It, checked.
            destination: Where to.
            options: What they say of progress and resuming counts; ``_lookup`` is False where no record is of what comes.
        """
        from asyncclient._transfers.transfers import download_file

        rules, target = self._content(endpoint.name, call, options)
        return await download_file(self._hub._opened(), rules, target, destination, transfer_options(options))

    def _content(
        self,
        name: str,
        call: Call,
        options: Mapping[str, Any],
        description: Mapping[str, Any] | None = None,
    ) -> tuple[Rules, Content]:
        """Return a file as the engine asks for it, and the rules to ask by: those of tickets have no key.

        It has the name of the file; that of the operation where there is none, as for archives.
        """
        from asyncclient.flywheel._content import Content, FileRecord, file_name

        record, ticket = options.get("_record"), bool(options.get("_ticket"))
        target = Content(
            file_name(call.request.path) or name,
            call.request,
            record=None if record is None else FileRecord.of(record),
            lookup=partial(self._record_of, call) if options.get("_lookup", True) else None,
            mint=partial(self._ticket_url, with_empty_ticket(call)) if ticket else None,
            description=description,
        )
        rules = replace(self._content_rules(call), timeouts=replace(call.rules.timeouts, total=None))
        return (replace(rules, auth=None) if ticket else rules), target

    async def _record_of(self, call: Call) -> FileRecord | None:
        """Ask for the record of the version that a call is about; None if there is none to be had."""
        from urllib.parse import parse_qsl, quote

        from asyncclient.flywheel._content import FileRecord, record_place

        path, _, query = call.request.target.decode("ascii").partition("?")
        place = record_place(path)
        if place is None:
            return None
        try:
            found = await self._looked_up(call, place[0])
            if place[1] is not None:
                found = next((file for file in found.get("files") or () if file.get("name") == place[1]), {})
            record = FileRecord.of(found)
            wanted = dict(parse_qsl(query)).get("version")
            if wanted is not None and str(record.version) != wanted:
                file = quote(record.file_id or "", safe="")
                record = FileRecord.of(
                    await self._looked_up(call, f"{self._base().path}/files/{file}?version={wanted}")
                )
        except (APIError, DecodeError, TransportError):
            return None  # then nothing is known: what was fetched of it is fetched again
        return record

    async def _looked_up(self, call: Call, target: str) -> Mapping[str, Any]:
        request = Request(b"GET", call.request.origin, target.encode("ascii"), self._headers, idempotent=True)
        answer = await self._hub._opened().fetch(request, "record of a file", call.rules, Lane.CONTROL)
        found = _codec.decode_json(answer.body, status=answer.status, headers=answer.headers)
        return found if isinstance(found, dict) else {}

    async def _as_data(
        self, endpoint: Endpoint[bytes], arguments: Mapping[str, Any], options: Mapping[str, Any]
    ) -> bytes:
        return await self._whole(endpoint, self._checked(endpoint, arguments, options))

    async def _whole(self, endpoint: Endpoint[bytes], call: Call) -> bytes:
        rules = self._content_rules(call)
        rules.max_response_bytes = max(_WHOLE_BYTES, rules.max_response_bytes)
        answer = await self._sent(endpoint.name, call._replace(rules=rules), Lane.BULK)
        return answer.body

    def _content_rules(self, call: Call) -> Rules:
        """Return a copy of the rules, by which whatever leads out of the API gets no key."""
        return replace(call.rules, home=self._home_path())

    async def _ranged(self, call: Call, offset: int, length: int) -> bytes:
        """Send a request for a range; what comes is cut to it, for the service may answer with more."""
        try:
            answer = await self._sent("read_range", call._replace(rules=self._content_rules(call)), Lane.BULK)
        except APIError as error:
            if error.status == _BEHIND_THE_END:
                return b""
            raise
        start = 0
        if answer.status == _PARTIAL:
            from asyncclient._transfers.ranges import parse_content_range

            span = parse_content_range((answer.header(b"content-range") or "").encode("latin-1")).span
            start = offset if span is None else span.start
        return answer.body[max(0, offset - start) : max(0, offset + length - start)]

    async def _download_url(
        self, endpoint: Endpoint[Any], arguments: Mapping[str, Any], options: Mapping[str, Any]
    ) -> str:
        return await self._ticket_url(self._checked(endpoint, {**arguments, "ticket": ""}, options), endpoint.name)

    async def _ticket_url(self, call: Call, operation: str = "download ticket") -> str:
        """Ask for a ticket, and return the URL that it opens."""
        from urllib.parse import urlencode

        answer = await self._sent(operation, call)
        found = _codec.decode_json(answer.body, status=answer.status, headers=answer.headers)
        ticket = found.get("ticket") if isinstance(found, dict) else None
        if not isinstance(ticket, str):
            raise DecodeError(f"{operation}: the answer has no ticket", status=answer.status)
        target, _, query = call.request.target.decode("ascii").partition("?")
        kept = [pair for pair in query.split("&") if pair and pair.partition("=")[0] not in ("ticket", "exhaustive")]
        return f"{call.request.origin}{target}?{'&'.join([urlencode({'ticket': ticket}), *kept])}"


def with_empty_ticket(call: Call) -> Call:
    """Return the call that asks for a ticket in place of the content."""
    request = call.request
    path, _, query = request.target.partition(b"?")
    target = path + b"?ticket=" + (b"&" + query if query else b"")
    headers = [(name, b"application/json" if name == b"accept" else value) for name, value in request.headers]
    return call._replace(request=Request(request.method, request.origin, target, headers, idempotent=True))


def transfer_options(options: Mapping[str, Any], *, name: str | None = None) -> TransferOptions:
    """Return what the engine is told of a call.

    Args:
        options: Of the call.
        name: Of the file, for progress, where the source has another one.
    """
    from asyncclient._transfers.options import TransferOptions

    report = options.get("on_progress")
    if report is not None and name is not None:
        report = _named(report, name)
    return TransferOptions(resume=options.get("resume", True) is not False, on_progress=report)


def _named(report: Callable[[Progress], None], name: str) -> Callable[[Progress], None]:
    return lambda progress: report(replace(progress, name=name))


async def save_content(destination: Any, content: bytes) -> None:
    """Put content where it is wanted: at a path, in a file object, or through a callable."""
    from pathlib import Path  # these are loaded with the first content, not with the package

    from asyncclient._transfers.hops import DISK, FOREIGN, run_hop

    if _is_path(destination):
        await run_hop(_write, Path(os.fspath(destination)), content, crew=DISK)
    elif hasattr(destination, "write"):
        await run_hop(destination.write, content, crew=FOREIGN)
    else:
        result = destination(content)
        if inspect.isawaitable(result):
            await result


def _is_path(destination: Any) -> bool:
    return isinstance(destination, (str, os.PathLike))


def _checked_destination(endpoint: Endpoint[Any], destination: Any) -> Any:
    if _is_path(destination):
        text = os.fspath(destination)
        if not text or "\0" in text:
            raise ArgumentError(f"{endpoint.name}(): dest_file is no path of a file", argument="dest_file")
        return destination
    if not hasattr(destination, "write") and not callable(destination):
        raise ArgumentTypeError(
            f"{endpoint.name}(): dest_file must be a path, a binary file object or a callable, not "
            f"{type(destination).__name__}",
            argument="dest_file",
        )
    return destination


def _write(path: Path, content: bytes) -> None:
    """Write a file so that nobody sees half of it."""
    import tempfile
    from pathlib import Path

    descriptor, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name[:40]}.", suffix=".part")
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        Path(temporary).replace(path)
    except BaseException:
        with contextlib.suppress(OSError):
            Path(temporary).unlink()
        raise
