"""The first answer to a download: taken as it is if it is small and whole, else handed to the engine unread."""

from __future__ import annotations

from typing import Any, Final, cast

from asyncclient._messages import Request
from asyncclient._pipeline import Pipeline, Rules, StreamedAnswer
from asyncclient._transfers.ranges import parse_content_range
from asyncclient.errors import APIError, RemoteProtocolError, TransportError
from asyncclient.voxel51.local_files import SMALL_BYTES

__all__ = ["FirstAnswer", "open_first"]

_COST_BYTES: Final = 1024 * 1024
_NOT_SATISFIABLE: Final = 416


class FirstAnswer:
    """An answer whose body has not been read.

    Attributes:
        pipeline: For the engine: gives this answer to whoever asks for the same first, then those of the real one.
    """

    def __init__(self, pipeline: Pipeline, answer: StreamedAnswer, wanted: bytes) -> None:
        self._wanted = wanted
        self._answer: StreamedAnswer | None = answer
        self._pipeline = pipeline
        self.pipeline = cast("Pipeline", self)

    async def small(self) -> bytes | None:
        """Read the content if it is small and comes whole; None if it does not, or breaks off."""
        answer = self._answer
        assert answer is not None
        size = _whole_size(answer)
        if size is None or size > SMALL_BYTES:
            return None
        self._answer = None
        pieces: list[bytes] = []
        async with answer:
            try:
                while piece := await answer.read():
                    pieces.append(piece)
            except TransportError:
                return None  # the engine tries again, as often as may be
        content = b"".join(pieces)
        return content if len(content) == size else None

    async def stream(self, request: Request, operation: str, rules: Rules, *args: Any, **kwargs: Any) -> StreamedAnswer:
        """Give the answer that is there, or fetch another."""
        answer, self._answer = self._answer, None
        if answer is not None:
            if _range_of(request) == self._wanted:
                return answer
            await answer.aclose()
        return await self._pipeline.stream(request, operation, rules, *args, **kwargs)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._pipeline, name)

    async def aclose(self) -> None:
        """Drop what nobody has read."""
        answer, self._answer = self._answer, None
        if answer is not None:
            await answer.aclose()


async def open_first(pipeline: Pipeline, rules: Rules, request: Request, most_bytes: int) -> FirstAnswer | None:
    """Ask for the beginning of a file, in the words of the engine; None if the service has no such range.

    Args:
        pipeline: Of the hub.
        rules: By which the engine would ask.
        request: For the whole file.
        most_bytes: What the engine asks for first.

    Raises:
        APIError: The service refuses.
        TransportError: Retries are used up.
    """
    wanted = b"bytes=0-%d" % (most_bytes - 1)
    headers = [pair for pair in request.headers if pair[0] != b"accept-encoding"]
    headers += [(b"accept-encoding", b"identity"), (b"range", wanted)]
    asked = Request(request.method, request.origin, request.target, headers, idempotent=True)
    try:
        answer = await pipeline.stream(asked, "download", rules, size_bytes=_COST_BYTES)
    except APIError as error:
        if error.status == _NOT_SATISFIABLE:
            return None  # a file without bytes, perhaps: the engine knows what to make of it
        raise
    return FirstAnswer(pipeline, answer, wanted)


def _range_of(request: Request) -> bytes | None:
    return next((value for name, value in request.headers if name == b"range"), None)


def _whole_size(answer: StreamedAnswer) -> int | None:
    """Return the bytes of a file whose content is the body as it is, from its first byte to its last."""
    headers = dict(reversed(answer.headers))
    if headers.get(b"content-encoding", b"identity") != b"identity":
        return None
    length = headers.get(b"content-length", b"")
    if not length.isdigit():
        return None
    size = int(length)
    if answer.status == 200:
        return size
    if answer.status != 206:
        return None
    try:
        found = parse_content_range(headers.get(b"content-range", b""))
    except RemoteProtocolError:
        return None
    return size if found.total == size and found.span == (0, size) else None
