"""Takes an answer apart as its bytes arrive: interim answers, head, body. No I/O."""

from __future__ import annotations

from typing import Final

from asyncclient._net.exchange import Exchange
from asyncclient._net.framing import CHUNKED, UNTIL_CLOSE, ChunkDecoder, find_bare_newline, parse_head
from asyncclient.errors import ReadError, RemoteProtocolError

__all__ = ["AnswerReader", "HeadLimits"]

# 103 Early Hints, 102 Processing every few seconds: nobody needs more.
_MAX_INTERIM: Final = 1000

# Less is not worth a read of its own.
_LEAST_LENT_BYTES: Final = 16 * 1024

# More chunks at a time are put together: an object for each byte would take forty times the memory that is counted.
_MANY_PIECES: Final = 32

# What the next bytes are.
_HEAD, _LENGTH, _TO_CLOSE, _CHUNKS = range(4)


class HeadLimits:
    """What the head of an answer may be: its bytes and its header lines. Trailers are held to the same."""

    __slots__ = ("count", "size_bytes")

    def __init__(self, size_bytes: int, count: int) -> None:
        self.size_bytes = size_bytes
        self.count = count


class AnswerReader:
    """Fills an exchange from the bytes of a connection; used for one answer after the other.

    Attributes:
        begun: At least one byte has arrived.
        done: The body is complete.
        stray: More bytes than the answer has arrived with it.
    """

    __slots__ = ("_chunks", "_interim", "_left", "_limits", "_partial", "_state", "begun", "done", "stray")

    def __init__(self, limits: HeadLimits) -> None:
        self._limits = limits
        self._chunks: ChunkDecoder | None = None
        self.reset()

    def reset(self) -> None:
        """Get ready for the next answer."""
        self.begun = self.done = self.stray = False
        self._state = _HEAD
        self._left = 0
        self._interim = 0
        self._partial: bytearray | None = None
        if self._chunks is not None:
            self.close()

    def close(self) -> None:
        """Let go of the parser of a body that was not read to its end."""
        if self._chunks is not None:
            self._chunks.close()
            self._chunks = None

    def feed(self, exchange: Exchange, data: memoryview) -> None:
        """Take what arrived; the memory may be reused afterwards.

        Raises:
            RemoteProtocolError: It is malformed.
        """
        if self._state == _CHUNKS:
            self._on_chunks(exchange, data)
        elif self._state == _HEAD:
            self.begun = True
            self._on_head(exchange, bytes(data))
        else:
            self._on_body(exchange, bytes(data))

    def lend(self, exchange: Exchange) -> memoryview | None:
        """Return where the next bytes of body may be received directly; None if they need to be looked at.

        The last byte of a body always passes :meth:`feed`, so that its end, and what comes behind it, are seen there.
        """
        target = exchange.target
        if target is None or self._state not in (_LENGTH, _TO_CLOSE):
            return None
        room = len(target) - exchange.filled
        if self._state == _LENGTH:
            room = min(room, self._left - 1)
        return target[exchange.filled : exchange.filled + room] if room >= _LEAST_LENT_BYTES else None

    def filled(self, exchange: Exchange, count: int) -> None:
        """Take note of bytes received where :meth:`lend` said."""
        exchange.filled += count
        if self._state == _LENGTH:
            self._left -= count

    def end(self, exchange: Exchange) -> None:
        """Take note that nothing more will come.

        Raises:
            ReadError: Something was still to come.
        """
        if self._state == _TO_CLOSE:
            self.done = True
        elif exchange.head is None:
            raise ReadError("the connection was closed in the head of the answer")
        elif self._state == _LENGTH:
            raise ReadError(f"the connection was closed {self._left} bytes before the end of the body")
        else:
            raise ReadError("the connection was closed before the end of the body")

    def _on_head(self, exchange: Exchange, data: bytes) -> None:
        limits = self._limits
        held = self._partial
        if held is not None:
            seen = len(held)
            held += data
            if held.find(b"\r\n\r\n", max(0, seen - 3)) < 0 and len(held) <= limits.size_bytes:
                self._check_partial(held, seen)
                return
            data, self._partial = bytes(held), None
        while True:
            end = data.find(b"\r\n\r\n") + 4
            if end > limits.size_bytes or (end < 4 and len(data) > limits.size_bytes):
                raise RemoteProtocolError(f"the head of the answer has more than {limits.size_bytes} bytes")
            if end < 4:
                self._check_partial(data, 0)
                self._partial = bytearray(data)
                return
            head = parse_head(data[:end], to_head=exchange.method == b"HEAD", max_headers=limits.count)
            data = data[end:]
            if head.status >= 200:
                break
            self._interim += 1
            if self._interim > _MAX_INTERIM:
                raise RemoteProtocolError(f"more than {_MAX_INTERIM} interim answers")
        exchange.head = head
        self._begin_body(exchange, head.length, data)

    def _check_partial(self, data: bytes | bytearray, seen: int) -> None:
        """Do not wait for the end of what will never end.

        The first ``seen`` bytes were looked at before: a head that comes byte by byte must not cost the square of its
        size.
        """
        if find_bare_newline(data, max(0, seen - 1)) or not b"HTTP/1.".startswith(data[:7]):
            raise RemoteProtocolError("the answer does not begin like HTTP/1.x, or has line ends that are not CR LF")

    def _begin_body(self, exchange: Exchange, length: int, data: bytes) -> None:
        if length >= 0:
            self._state, self._left = _LENGTH, length
            if length == len(data):  # all of it, as small answers come
                self.done = True
                self._left = 0
                if data:
                    exchange.push(data)
            else:
                self._on_body(exchange, data)
        elif length == UNTIL_CLOSE:
            self._state = _TO_CLOSE
            if data:
                exchange.push(data)
        else:
            assert length == CHUNKED
            self._state = _CHUNKS
            self._chunks = ChunkDecoder(max_overhead=self._limits.size_bytes, max_trailers=self._limits.count)
            if data:
                self._on_chunks(exchange, data)

    def _on_body(self, exchange: Exchange, data: bytes) -> None:
        if self._state == _LENGTH:
            left = self._left = self._left - len(data)
            if left <= 0:
                self.done = True
                self.stray = left < 0
                if left < 0:
                    data = data[:left]
        if data:
            exchange.push(data)

    def _on_chunks(self, exchange: Exchange, data: bytes | memoryview) -> None:
        chunks = self._chunks
        assert chunks is not None
        pieces = chunks.feed(data)
        if len(pieces) > _MANY_PIECES:
            pieces = [b"".join(pieces)]
        for piece in pieces:
            exchange.push(piece)
        if chunks.done:
            self.done = True
            self.stray = chunks.stray
