"""What callers send to the server, and what they get: JSON, and forms with files, within limits."""

from __future__ import annotations

import datetime as dt
import logging
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from decimal import Decimal
from typing import Any, BinaryIO, Final

import anyio
from starlette.datastructures import FormData, UploadFile
from starlette.exceptions import HTTPException
from starlette.formparsers import MultiPartException
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.types import Message

from asyncclient._codec import decode_json, encode
from asyncclient.errors import ArgumentError, ArgumentTypeError, DecodeError
from asyncclient.sticky_pi._refusals import AccessDenied, BadInput, Refusal, TooLarge, TooManyAttempts
from asyncclient.sticky_pi._server_auth import NotAuthenticated
from asyncclient.sticky_pi.exceptions import InvalidImage
from asyncclient.sticky_pi.utils import datetime_to_string

__all__ = ["NamedFile", "answer", "limited", "read_form", "read_json", "refusal_answer", "uploads"]

_log: Final = logging.getLogger("asyncclient.sticky_pi.server")
_MAX_PARTS: Final = 256
_MAX_FIELD: Final = 1024 * 1024
_REALM: Final = {"WWW-Authenticate": 'Basic realm="Authentication Required"'}
_UNPROCESSABLE: Final = 422
_PLAIN: Final = frozenset({str, int, float, bool, type(None)})
"""What most of an answer is; asked for by type, since a call for each value takes longer than all the rest."""


class NamedFile:
    """An uploaded file under the name that it is known by."""

    def __init__(self, file: BinaryIO, name: str) -> None:
        self._file, self.name = file, name

    def read(self, size: int = -1) -> bytes:
        """Read bytes."""
        return self._file.read(size)

    def seek(self, offset: int, whence: int = 0) -> int:
        """Move within the file."""
        return self._file.seek(offset, whence)


def limited(request: Request, most: int) -> Request:
    """Return a request whose body cannot be longer than ``most`` bytes; more of it raises ``TooLarge``."""
    declared = request.headers.get("content-length", "0")
    if declared.isascii() and declared.isdigit() and int(declared) > most:
        raise TooLarge(f"a request must not have more than {most} bytes, and this one has {declared}")
    seen = 0

    async def receive() -> Message:
        nonlocal seen
        message = await request.receive()
        seen += len(message.get("body", b""))
        if seen > most:
            raise TooLarge(f"a request must not have more than {most} bytes")
        return message

    return Request(request.scope, receive)


async def read_json(request: Request) -> Any:
    """Read a JSON body."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != "application/json":
        raise BadInput("the body must be JSON, with the Content-Type application/json")
    try:
        return decode_json(await request.body())
    except DecodeError as error:
        raise BadInput(f"the body is not JSON: {error}") from error


@asynccontextmanager
async def read_form(request: Request) -> AsyncIterator[FormData]:
    """Read a form. Files of more than a megabyte go to the disk as they arrive, and are removed at the end."""
    if not request.headers.get("content-type", "").lower().startswith("multipart/form-data"):
        raise BadInput("the body must be a form, with the Content-Type multipart/form-data")
    try:
        form = await request.form(max_files=_MAX_PARTS, max_fields=_MAX_PARTS, max_part_size=_MAX_FIELD)
    except (MultiPartException, HTTPException) as error:
        reason = error.message if isinstance(error, MultiPartException) else error.detail
        raise BadInput(f"the form cannot be read: {reason}") from error
    try:
        yield form
    finally:
        with anyio.CancelScope(shield=True):
            await form.close()


def uploads(form: FormData) -> list[tuple[str, NamedFile]]:
    """Return the files of a form with the names of their fields, in order."""
    found = [(name, value) for name, value in form.multi_items() if isinstance(value, UploadFile)]
    if not found:
        raise BadInput("the form has no file")
    return [(name, NamedFile(value.file, name)) for name, value in found]


def answer(value: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """Write an answer: compact JSON with a newline at the end, datetimes as ``2020-06-20T20:19:15Z``."""
    body = encode(_plain(value)) + b"\n"
    return Response(body, status, headers, media_type="application/json")


def _plain(value: Any) -> Any:
    if isinstance(value, dt.datetime):
        return datetime_to_string(value)
    if isinstance(value, Mapping):
        # Names of columns are of a kind of str that the writer of JSON refuses, and then begins again.
        return {str(key): inner if type(inner) in _PLAIN else _plain(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [_plain(inner) for inner in value]
    return float(value) if isinstance(value, Decimal) else value


def refusal_answer(error: Exception) -> Response:
    """Say why a call failed; of what is not the caller's fault, nothing but that."""
    if isinstance(error, NotAuthenticated) or (isinstance(error, AccessDenied) and str(error) == "Unauthorized Access"):
        return PlainTextResponse("Unauthorized Access", error.status, _REALM)
    if isinstance(error, TooManyAttempts):
        return _reason(error, error.status, {"Retry-After": str(error.retry_after)})
    if isinstance(error, Refusal):
        return _reason(error, error.status)
    if isinstance(error, InvalidImage):
        return _reason(error, _UNPROCESSABLE)
    if isinstance(error, (ArgumentError, ArgumentTypeError)):
        return _reason(error, 400)
    _log.error("a call failed", exc_info=error)
    return answer({"error": {"type": "InternalServerError", "message": "the server failed; its log says why"}}, 500)


def _reason(error: Exception, status: int, headers: Mapping[str, str] | None = None) -> Response:
    message = str(error).encode("utf-8", "replace").decode()
    return answer({"error": {"type": type(error).__name__, "message": message}}, status, headers)
