"""Resumable upload sessions: what is kept of what is sent. Pure; the bytes themselves are in ``storage``.

They follow Google's storage:

- A chunk that does not reach the end has at least 262144 bytes, and only whole multiples of that are kept.
- 308 says in ``Range`` what is kept; without that field nothing is. The client goes on from there.
- Bytes that are kept already are skipped; a chunk that begins after them is refused with 400.
- When a connection breaks, the multiples that had arrived are kept.
- ``bytes */N`` asks what is kept and changes nothing; of empty content it is also the whole upload.
- Without ``Content-Range`` the body is the whole content. The total may be unknown (``bytes 0-262143/*``).
- A complete session answers 200 to whatever is sent to it.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from asyncclient.testing._contract import Refusal
from asyncclient.testing.lfview.ranges import ContentRange

__all__ = ["QUANTUM_BYTES", "Chunk", "Session", "admit", "answer_headers", "granted"]

QUANTUM_BYTES = 262144


@dataclass(slots=True)
class Session:
    """One upload session.

    Attributes:
        id: Last segment of its address.
        owner: Path of the resource whose content it takes.
        total_bytes: Length of the content as the metadata announced it.
        generation: Counts the contents it has had; part of the etag.
        expired_status: What it answers since it expired; None while it lives.
        completed: When it was; None before.
    """

    id: str
    owner: str
    total_bytes: int
    content_type: str
    content_encoding: str | None
    generation: int = 1
    kept_bytes: int = 0
    expired_status: int | None = None
    completed: str | None = None

    @property
    def etag(self) -> str:
        """Validator of the content."""
        return f'"{self.content_id}"'

    @property
    def content_id(self) -> str:
        """Name of its bytes. Every generation has its own, so a chunk for the one before cannot spoil this one."""
        return f"{self.id}-{self.generation}"

    def record(self) -> dict[str, Any]:
        """Return what is to be kept of it."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Chunk:
    """What to do with the body of a request.

    Attributes:
        skip_bytes: So many of its first bytes are kept already.
        start: Position of the first byte.
        final: It reaches the end of the content.
    """

    skip_bytes: int
    start: int
    final: bool


def admit(session: Session, given: ContentRange, content_type: str | None) -> Chunk | None:
    """Decide about a chunk before it is read; None if it only asks for the state of the session.

    Raises:
        Refusal: 400, it cannot belong to this session.
    """
    if given.total is not None and given.total != session.total_bytes:
        raise Refusal(400, f"Content-Range: the content was announced with {session.total_bytes} bytes")
    if given.span is None:
        return None
    if content_type is not None and content_type.partition(";")[0].strip().lower() != session.content_type:
        raise Refusal(400, f"Content-Type: the content was announced as {session.content_type}")
    span = given.span
    if span.stop > session.total_bytes:
        raise Refusal(400, f"Content-Range: the content was announced with {session.total_bytes} bytes")
    if span.start > session.kept_bytes:
        raise Refusal(400, f"Content-Range: begins at {span.start}, but {session.kept_bytes} bytes are kept")
    final = span.stop == given.total
    if not final and span.stop - span.start < QUANTUM_BYTES:
        raise Refusal(400, f"every chunk but the last has {QUANTUM_BYTES} bytes or a multiple of that")
    return Chunk(min(session.kept_bytes, span.stop) - span.start, span.start, final)


def granted(session: Session, reached: int, *, whole: bool, limit_bytes: int | None) -> int:
    """Return how many bytes of the content are kept after a chunk.

    Args:
        session: As it was before.
        reached: Position after the last byte that arrived.
        whole: It was the last chunk, and all of it arrived; others count in multiples.
        limit_bytes: Keep no more than so many new bytes.
    """
    position = reached if whole else reached - reached % QUANTUM_BYTES
    if limit_bytes is not None:
        position = min(position, session.kept_bytes + limit_bytes)
    return max(position, session.kept_bytes)


def answer_headers(session: Session) -> dict[str, str]:
    """Return the header fields of a 308."""
    return {"range": f"bytes=0-{session.kept_bytes - 1}"} if session.kept_bytes else {}
