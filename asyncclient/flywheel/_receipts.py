"""What the service says that it stored, compared with what was sent to it in a form."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

from asyncclient.errors import IntegrityError
from asyncclient.flywheel._content import FileRecord, identity_of

if TYPE_CHECKING:
    from asyncclient._transfers.source import Source

__all__ = ["compare_content", "compare_source"]


def compare_content(answer: Any, name: str, content: bytes) -> None:
    """Compare the record of a file with its content.

    Args:
        answer: To the form: models or mappings of files; whatever else says nothing of them.
        name: That the file was given.
        content: All of it.

    Raises:
        IntegrityError: The record has another size or digest.
    """
    record = _record_of(answer, name)
    if record is None:
        return
    _compare_size(record, name, len(content))
    digest = identity_of(record).digest if record.hash is not None else None
    if digest is not None:
        _compare_digest(digest, name, hashlib.new(digest[0], content).hexdigest())


async def compare_source(answer: Any, name: str, source: Source, sent: int) -> None:
    """Compare the record of a file with what was read from a source.

    The source is read again where the record has a digest: which kind is not known before. What can be read only once is
    compared by its size.

    Args:
        answer: To the form.
        name: That the file was given.
        source: Still open.
        sent: Bytes.

    Raises:
        IntegrityError: The record has another size or digest.
        SourceChanged: The source is not what it was any more.
    """
    record = _record_of(answer, name)
    if record is None:
        return
    _compare_size(record, name, sent)
    digest = identity_of(record).digest
    if digest is not None and source.replayable:
        found = hashlib.new(digest[0])
        await source.scan(found)
        await source.check()
        _compare_digest(digest, name, found.hexdigest())


def _record_of(answer: Any, name: str) -> FileRecord | None:
    """Return the record of this file; a single one is its, whatever name the service gave it."""
    if not isinstance(answer, list):
        return None
    records = answer if len(answer) == 1 else [each for each in answer if _name(each) == name]
    return FileRecord.of(records[0]) if len(records) == 1 else None


def _name(record: Any) -> Any:
    return record.get("name") if isinstance(record, dict) else getattr(record, "name", None)


def _compare_size(record: FileRecord, name: str, size: int) -> None:
    if record.size is not None and record.size != size:
        raise IntegrityError(name, expected=f"{size} bytes", actual=f"{record.size} bytes")


def _compare_digest(stored: tuple[str, str], name: str, sent: str) -> None:
    kind, found = stored
    if found != sent:
        raise IntegrityError(name, expected=f"{kind} {sent}", actual=f"{kind} {found}")
