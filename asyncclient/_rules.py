"""What one client wants of the pipeline, and what it gets from it."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from dataclasses import dataclass
from typing import Literal, NamedTuple

from asyncclient._auth import Auth
from asyncclient._bulk import BulkTurn
from asyncclient._messages import DirectStream, Headers, Origin, Request, Response
from asyncclient._retry import Kind, classify
from asyncclient._scheduler import Slot
from asyncclient.errors import APIError, TransportError
from asyncclient.types import RetryPolicy, Timeouts

__all__ = ["Answer", "Rules", "StreamedAnswer"]


class Answer(NamedTuple):
    """An answer, read to its end.

    Attributes:
        status: HTTP status.
        headers: Pairs, names in lower case.
        body: Content encoding undone.
    """

    status: int
    headers: Headers
    body: bytes

    def header(self, name: bytes) -> str | None:
        """Return the first value of a header, its name given in lower case."""
        for key, value in self.headers:
            if key == name:
                return value.decode("latin-1")
        return None


@dataclass(slots=True)
class Rules:
    """What one client wants of the pipeline.

    Attributes:
        service: Name of the service; one side of the scheduler's flows.
        error: Makes the error of an answer that is a refusal.
        auth: Signs requests, or None.
        auth_origins: Tells whether the signature may be sent to an origin.
        home: Path of the service on its origin, with a slash at its end: redirects that leave it get no signature. None:
            no redirect gets one.
        timeouts: For each attempt, and in all.
        policy: How often to repeat.
        classify: Sorts errors; services with peculiar statuses bring their own.
        max_response_bytes: Size of an answer that is read whole.
        job: Calls of one job are one side of the scheduler's flows. Default: the job that is current.
        priority: Share of that flow among others that wait: 1, 4 or 16.
    """

    service: str
    error: Callable[[Request, Answer], APIError]
    auth: Auth | None
    auth_origins: Callable[[Origin], bool]
    timeouts: Timeouts
    policy: RetryPolicy
    classify: Callable[..., Kind] = classify
    max_response_bytes: int = 256 * 1024 * 1024
    job: Hashable | None = None
    priority: Literal["low", "normal", "high"] = "normal"
    home: bytes | None = b"/"


class StreamedAnswer:
    """A good answer whose body is still on its way; it holds a slot until it is closed.

    Read it piece by piece as they arrive, content encoding not undone. Use it with ``async with``.
    """

    __slots__ = ("_direct", "_held", "_response", "_rest", "headers", "status")

    def __init__(self, response: Response, held: Slot | BulkTurn) -> None:
        self._response = response
        self._held = held
        self._rest = memoryview(b"")
        self._direct: DirectStream | bool | None = None
        self.status = response.status
        self.headers = response.headers

    async def read(self) -> bytes:
        """Wait for the next piece; ``b""`` at the end."""
        held = self._held
        if isinstance(held, Slot):
            return await self._response.stream.read()
        try:
            return await held.read(self._response)
        except TransportError as error:
            held.broke(error)
            raise

    async def read_into(self, buffer: memoryview) -> int:
        """Wait for bytes and put them at the beginning of a buffer; returns how many, 0 at the end.

        Not to be mixed with :meth:`read`: what does not fit waits here.
        """
        stream = self._direct
        if stream is None:  # looked at once: it takes as long as a read
            found = self._response.stream
            stream = self._direct = found if isinstance(found, DirectStream) else False
        if isinstance(stream, bool):
            return await self._copy_into(buffer)
        held = self._held
        if isinstance(held, Slot):
            return await stream.read_into(buffer)
        try:
            return await held.read_into(self._response, stream, buffer)
        except TransportError as error:
            held.broke(error)
            raise

    async def _copy_into(self, buffer: memoryview) -> int:
        if not self._rest:
            self._rest = memoryview(await self.read())
        count = min(len(self._rest), len(buffer))
        buffer[:count] = self._rest[:count]
        self._rest = self._rest[count:]
        return count

    async def aclose(self) -> None:
        """Give connection and slot back; may be repeated."""
        try:
            await self._response.stream.aclose()
        finally:
            self._held.release()

    async def __aenter__(self) -> StreamedAnswer:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()
