"""File content that comes from the service: to a path through the transfer engine, or into memory."""

from __future__ import annotations

import contextlib
import inspect
import os
import tempfile
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlencode

import anyio.to_thread

from asyncclient import _codec
from asyncclient._endpoint import Endpoint
from asyncclient._scheduler import Lane
from asyncclient.errors import APIError, ArgumentError, ArgumentTypeError, DecodeError
from asyncclient.flywheel._base import Call, FlywheelClient

if TYPE_CHECKING:
    from asyncclient._transfers.options import Downloaded

__all__ = ["Receiving", "save_content"]

_WHOLE_BYTES: Final = 8 * 1024**3
"""Size of content that is taken into memory, because somebody asked for just that."""
_BEHIND_THE_END: Final = 416
_PARTIAL: Final = 206
_NO_JOURNAL: Final = ("range", "info", "member")
"""Arguments that make the answer something else than the file as it is stored."""


class Receiving(FlywheelClient):
    """Operations that fetch content."""

    async def _download(
        self, endpoint: Endpoint[bytes], arguments: Mapping[str, Any], options: Mapping[str, Any]
    ) -> None:
        destination = _checked_destination(endpoint, arguments.get("dest_file"))
        call = self._checked(endpoint, arguments, options)
        if any(arguments.get(name) not in (None, False) for name in _NO_JOURNAL):
            await save_content(destination, await self._whole(endpoint, call))
            return
        await self._fetched(endpoint, call, destination)

    async def _fetched(
        self, endpoint: Endpoint[bytes], call: Call, destination: Any, *, resume: bool = True
    ) -> Downloaded:
        from asyncclient._transfers.options import TransferOptions
        from asyncclient._transfers.transfers import download_file
        from asyncclient.flywheel._content import Content

        options = TransferOptions(resume=resume)
        rules = replace(call.rules, timeouts=replace(call.rules.timeouts, total=None))
        target = Content(endpoint.name, call.request)
        return await download_file(self._hub._opened(), rules, target, destination, options)

    async def _as_data(
        self, endpoint: Endpoint[bytes], arguments: Mapping[str, Any], options: Mapping[str, Any]
    ) -> bytes:
        return await self._whole(endpoint, self._checked(endpoint, arguments, options))

    async def _whole(self, endpoint: Endpoint[bytes], call: Call) -> bytes:
        rules = replace(call.rules, max_response_bytes=max(_WHOLE_BYTES, call.rules.max_response_bytes))
        answer = await self._sent(endpoint.name, call._replace(rules=rules), Lane.BULK)
        return answer.body

    async def _ranged(self, call: Call, offset: int, length: int) -> bytes:
        """Send a request for a range; what comes is cut to it, for the service may answer with more."""
        try:
            answer = await self._sent("read_range", call, Lane.BULK)
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
        call = self._checked(endpoint, {**arguments, "ticket": ""}, options)
        answer = await self._sent(endpoint.name, call)
        found = _codec.decode_json(answer.body, status=answer.status, headers=answer.headers)
        ticket = found.get("ticket") if isinstance(found, dict) else None
        if not isinstance(ticket, str):
            raise DecodeError(f"{endpoint.name}: the answer has no ticket", status=answer.status)
        target, _, query = call.request.target.decode("ascii").partition("?")
        kept = [pair for pair in query.split("&") if pair and pair.partition("=")[0] not in ("ticket", "exhaustive")]
        return f"{call.request.origin}{target}?{'&'.join([urlencode({'ticket': ticket}), *kept])}"


async def save_content(destination: Any, content: bytes) -> None:
    """Put content where it is wanted: at a path, in a file object, or through a callable."""
    if _is_path(destination):
        await anyio.to_thread.run_sync(_write, Path(os.fspath(destination)), content)
    elif hasattr(destination, "write"):
        await anyio.to_thread.run_sync(destination.write, content)
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
