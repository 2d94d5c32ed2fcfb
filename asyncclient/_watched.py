"""Streamed answers that somebody observes; loaded when somebody does."""

from __future__ import annotations

from typing import TYPE_CHECKING

from asyncclient._rules import StreamedAnswer

if TYPE_CHECKING:
    from asyncclient._observe import AttemptWatch

__all__ = ["WatchedAnswer"]


class WatchedAnswer(StreamedAnswer):
    """A streamed answer that tells how its body ended, once.

    Args:
        answer: The answer; it is not used any more.
        attempt: Is told.
    """

    __slots__ = ("_attempt", "_bytes", "_ended", "_interrupted")

    def __init__(self, answer: StreamedAnswer, attempt: AttemptWatch) -> None:
        super().__init__(answer._response, answer._held)
        self._attempt = attempt
        self._bytes = 0
        self._ended = False
        self._interrupted: str | None = None

    async def read(self) -> bytes:
        try:
            piece = await super().read()
        except BaseException as error:
            self._broke(error)
            raise
        self._count(len(piece), at_end=not piece)
        return piece

    async def read_into(self, buffer: memoryview) -> int:
        try:
            count = await super().read_into(buffer)
        except BaseException as error:
            self._broke(error)
            raise
        if not isinstance(self._direct, bool):  # else it was read, and counted there
            self._count(count, at_end=not count and len(buffer) > 0)
        return count

    async def aclose(self) -> None:
        try:
            await super().aclose()
        finally:
            self._end(self._interrupted)

    def _count(self, count: int, *, at_end: bool) -> None:
        self._bytes += count
        self._interrupted = None
        if at_end:
            self._end(None, complete=True)

    def _broke(self, error: BaseException) -> None:
        self._interrupted = type(error).__name__
        if isinstance(error, Exception):  # after a wait that was cancelled reading may go on
            self._end(self._interrupted)

    def _end(self, error: str | None, *, complete: bool = False) -> None:
        if not self._ended:
            self._ended = True
            self._attempt.body_finished(self._bytes, error, complete=complete)
