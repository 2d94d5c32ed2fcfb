"""One request and its answer: what the connection fills and the reader empties."""

from __future__ import annotations

import asyncio
from typing import Protocol

from asyncclient._net.framing import Head
from asyncclient.errors import ReadError, TransportError

__all__ = ["Exchange", "Link"]


class Link(Protocol):
    """What an exchange and an upload need of a connection."""

    writable: bool

    def write(self, exchange: Exchange, data: bytes | memoryview) -> None:
        """Give bytes of the request to the socket."""
        ...

    def has_input(self) -> bool:
        """Whether the peer has sent something, or closed, that the loop has not seen yet."""
        ...

    async def wait_writable(self, exchange: Exchange) -> None:
        """Wait until the peer has taken most of what was written, or the exchange is settled."""
        ...

    async def wait_readable(self, exchange: Exchange) -> None:
        """Wait until something happens to the answer."""
        ...

    def resume_reading(self) -> None:
        """Let the peer go on, if it was stopped because its bytes were not taken."""
        ...

    def drop(self, exchange: Exchange) -> None:
        """Abort the connection, if it still works for this exchange."""
        ...


class Exchange:
    """State of one request on one connection; as a ``BodyStream``, the body of its answer.

    Attributes:
        link: The connection while it works for this exchange. None as soon as the last byte of the body is here, or
            the exchange has failed; from then on the connection may already serve another.
        method: Of the request.
        read_s: Read timeout in seconds, or None.
        write_s: Write timeout in seconds, or None.
        head: The head of the final answer, or None.
        error: Why no more will come, or None.
        written: At least one byte of the request was given to the socket.
        sent: The whole request was.
        waiter: The one task that waits for something to happen.
        buffered: Bytes of body that wait to be read.
        target: Where the next bytes of body go, while somebody waits for them in :meth:`read_into`; else None.
        filled: How many are there.
    """

    __slots__ = (
        "_pieces",
        "buffered",
        "error",
        "filled",
        "head",
        "link",
        "method",
        "read_s",
        "sent",
        "target",
        "waiter",
        "write_s",
        "written",
    )

    def __init__(self, link: Link, method: bytes, read_s: float | None, write_s: float | None) -> None:
        self.link: Link | None = link
        self.method = method
        self.read_s = read_s
        self.write_s = write_s
        self.head: Head | None = None
        self.error: TransportError | None = None
        self.written = False
        self.sent = False
        self.waiter: asyncio.Future[None] | None = None
        self._pieces: list[bytes] = []
        self.buffered = 0
        self.target: memoryview | None = None
        self.filled = 0

    @property
    def settled(self) -> bool:
        """Nothing more needs to be written: the answer is complete or a refusal, or none will come.

        A success that has only begun may well depend on the rest of the request.
        """
        return self.link is None or (self.head is not None and self.head.status >= 300)

    def push(self, piece: bytes) -> None:
        """Add a piece of body."""
        self._pieces.append(piece)
        self.buffered += len(piece)

    def wake(self) -> None:
        """Let the waiting task look again."""
        waiter = self.waiter
        if waiter is not None and not waiter.done():
            waiter.set_result(None)

    def _take(self) -> bytes:
        pieces = self._pieces
        whole = pieces[0] if len(pieces) == 1 else b"".join(pieces)
        self._pieces = []
        self.buffered = 0
        return whole

    async def read(self) -> bytes:
        """Wait for the next piece; see :class:`asyncclient._messages.BodyStream`."""
        while not self._pieces:
            if self.error is not None:
                raise self.error
            if self.link is None:
                return b""
            self.link.resume_reading()  # a buffer that was filled to its end has stopped it
            await self.link.wait_readable(self)
        whole = self._take()
        if self.link is not None:
            self.link.resume_reading()
        return whole

    async def read_into(self, buffer: memoryview) -> int:
        """Wait for bytes of the body and put them at the beginning of a buffer; returns how many, 0 at the end.

        The socket is read into the buffer itself, without a copy, where the length of the body is known or it ends with
        the connection. Cancelling keeps the bytes: the next call returns what this one would have.
        """
        while not self._pieces:
            if self.error is not None:
                raise self.error
            if self.link is None:
                return 0
            count = await self._wait_into(self.link, buffer)
            if count:
                return count
        return self._pour(buffer)

    async def _wait_into(self, link: Link, buffer: memoryview) -> int:
        if self.target is not None:
            raise RuntimeError("two tasks read one answer at the same time")
        self.target, self.filled = buffer, 0
        try:
            link.resume_reading()
            await link.wait_readable(self)
        except BaseException:
            if self.filled:
                self._pieces.insert(0, bytes(buffer[: self.filled]))
                self.buffered += self.filled
            raise
        finally:
            self.target = None  # from here on nobody writes into the buffer
        return self.filled

    def _pour(self, buffer: memoryview) -> int:
        """Copy what was received before anybody gave a buffer for it."""
        pieces, at, emptied = self._pieces, 0, 0
        for piece in pieces:
            taken = min(len(piece), len(buffer) - at)
            buffer[at : at + taken] = piece[:taken]
            at += taken
            if taken < len(piece):
                pieces[emptied] = piece[taken:]
                break
            emptied += 1
        del pieces[:emptied]  # all at once: one by one would make many small chunks quadratic
        self.buffered -= at
        if not pieces and self.link is not None:
            self.link.resume_reading()
        return at

    def read_nowait(self) -> bytes | None:
        """Return the whole rest of the body if it has already arrived, else None."""
        if self.link is not None or self.error is not None:
            return None
        return self._take()

    async def aclose(self) -> None:
        """Drop the connection unless the body was received to its end."""
        if self.link is not None:
            self.link.drop(self)
            self.error = ReadError("the body of the answer was closed before its end")
            self.wake()  # another task may be reading
        self._pieces = []
        self.buffered = 0
