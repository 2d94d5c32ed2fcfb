"""One remote file while it is fetched: every answer must be of the same version of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final

from asyncclient._messages import Headers, Request
from asyncclient._pipeline import Answer, StreamedAnswer
from asyncclient._scheduler import Direction
from asyncclient._transfers.ranges import Span, check_content_range, parse_content_range, range_header
from asyncclient._transfers.target import DownloadTarget, RemoteInfo
from asyncclient._transfers.wire import MAX_RENEWALS, Wire
from asyncclient.errors import APIError, RemoteChanged, RemoteProtocolError, TransferError

__all__ = ["Piece", "RangeIgnored", "RemoteFile"]

_NOT_SATISFIABLE: Final = 416
_PRECONDITION: Final = 412


class RangeIgnored(TransferError):
    """The service answers a request for a range with something else than that range of that file."""


@dataclass(slots=True)
class Piece:
    """An answer whose head was judged good.

    Attributes:
        answer: Its body; None when there is nothing to read.
        span: The bytes it holds; ``stop`` None where it does not say.
        encoding: ``Content-Encoding`` if the body is not the file as it is, else "".
    """

    answer: StreamedAnswer | None
    start: int
    stop: int | None
    encoding: str = ""

    async def aclose(self) -> None:
        """Give connection and slot back."""
        if self.answer is not None:
            await self.answer.aclose()


class RemoteFile:
    """Opens ranges of a remote file.

    Args:
        wire: Sends the requests.
        target: Makes them.
        known: What a listing or an earlier run knows of the file.
        direction: ``STREAM`` where somebody takes the bytes when it suits him.

    Attributes:
        info: What is known by now; of every later answer it must be true.
        ranges: Whether the service has answered a range with that range.
    """

    def __init__(
        self, wire: Wire, target: DownloadTarget, known: RemoteInfo | None, direction: Direction = Direction.DOWN
    ) -> None:
        self._wire = wire
        self._direction = direction
        self._target = target
        self._fetched = False
        self.info = known or RemoteInfo()
        self.ranges = False

    async def open(self, span: Span | None) -> Piece:
        """Ask for a range, or for the whole.

        Raises:
            RemoteChanged: The file is another one now.
            RangeIgnored: The answer is not the range that was asked for, though the file may be the same.
            RemoteProtocolError: The answer contradicts itself.
        """
        answer = await self._send(span)
        if isinstance(answer, Answer):
            return self._refused(answer, span)
        try:
            return self._judge(answer, span)
        except BaseException:
            await answer.aclose()
            raise

    async def _send(self, span: Span | None) -> StreamedAnswer | Answer:
        for renewal in range(MAX_RENEWALS + 1):
            request = self._ranged(await self._target.request(self._wire), span)
            try:
                return await self._wire.stream(
                    request,
                    "download",
                    accept=(_NOT_SATISFIABLE, _PRECONDITION),
                    size_bytes=self._cost(span),
                    direction=self._direction,
                )
            except APIError as error:
                if renewal == MAX_RENEWALS or not self._target.expired(error):
                    raise
                self._target.renew()
        raise AssertionError("the last attempt returns or raises")

    def _cost(self, span: Span | None) -> int | None:
        return span.stop - span.start if span is not None else self.info.size

    def _ranged(self, request: Request, span: Span | None) -> Request:
        # Ranges are of the encoded form: a server that compresses on the way breaks them.
        headers: Headers = [(name, value) for name, value in request.headers if name.lower() != b"accept-encoding"]
        headers.append((b"accept-encoding", b"identity"))
        if span is not None:
            headers.append((b"range", range_header(span)))
            if self.info.etag is not None and self.info.strong and self._fetched:
                headers.append((b"if-range", self.info.etag.encode("latin-1")))
        return Request(request.method, request.origin, request.target, headers, idempotent=True)

    def trust_etag(self) -> None:
        """Take the etag that is known for one the service itself has sent: it is asked for again with every range."""
        self._fetched = True

    def _refused(self, answer: Answer, span: Span | None) -> Piece:
        value = answer.header(b"content-range")
        if answer.status == _PRECONDITION or value is None or span is None:
            raise RemoteChanged(f"{self._target.name} changed while it was fetched")
        total = parse_content_range(value.encode("latin-1")).total
        if total == 0 and self.info.size in (None, 0):
            self.info = replace(self.info, size=0)
            return Piece(None, 0, 0)
        if total != self.info.size:
            raise RemoteChanged(f"{self._target.name} has {total} bytes now, it had {self.info.size}")
        raise RemoteProtocolError(f"bytes {span.start}-{span.stop - 1} of {total} were refused")

    def _judge(self, answer: StreamedAnswer, span: Span | None) -> Piece:
        headers = _first_values(answer.headers)
        encoding = _encoding(headers)
        if answer.status == 206:
            return self._partial(answer, headers, span, encoding)
        length = _length(headers) if not encoding else None
        self._compare(headers, length)
        if span is not None and span.start:
            raise RangeIgnored(f"{self._target.name}: the service sends all of it instead of a range")
        self._learn(headers, length)
        return Piece(answer, 0, length, encoding)

    def _partial(
        self, answer: StreamedAnswer, headers: Mapping[bytes, bytes], span: Span | None, encoding: str
    ) -> Piece:
        if span is None:
            raise RemoteProtocolError("a range was sent that nobody asked for")
        if encoding:
            raise RangeIgnored(f"{self._target.name}: the service compresses ranges")
        found = check_content_range(headers.get(b"content-range"), asked=span, total=self.info.size)
        self._compare(headers, found.total)
        if found.total is None:
            raise RangeIgnored(f"{self._target.name}: the service does not say how long it is")
        self._learn(headers, found.total)
        self.ranges = True
        assert found.span is not None
        return Piece(answer, found.span.start, found.span.stop)

    def _compare(self, headers: Mapping[bytes, bytes], total: int | None) -> None:
        etag = headers.get(b"etag")
        known = self.info
        if total is not None and known.size is not None and total != known.size:
            raise RemoteChanged(f"{self._target.name} has {total} bytes now, it had {known.size}")
        if etag is not None and known.etag is not None:
            now = RemoteInfo(etag=etag.decode("latin-1"))
            if now.bare_etag != known.bare_etag:
                raise RemoteChanged(f"{self._target.name} changed while it was fetched: it has another etag now")

    def _learn(self, headers: Mapping[bytes, bytes], total: int | None) -> None:
        etag = headers.get(b"etag")
        info = self.info
        self.info = replace(
            info,
            size=total if total is not None else info.size,
            etag=etag.decode("latin-1") if etag is not None else info.etag,
            md5=info.md5 or self._target.digest(headers),
        )
        self._fetched = True


def _first_values(headers: Headers) -> dict[bytes, bytes]:
    found: dict[bytes, bytes] = {}
    for name, value in headers:
        found.setdefault(name, value)
    return found


def _encoding(headers: Mapping[bytes, bytes]) -> str:
    value = headers.get(b"content-encoding", b"").strip().lower().decode("latin-1")
    return "" if value == "identity" else value


def _length(headers: Mapping[bytes, bytes]) -> int | None:
    value = headers.get(b"content-length", b"")
    return int(value) if value.isdigit() else None
