"""What proves that a part found on disk holds the bytes that were received. Pure.

A crc32 does: what threatens a part file is a write that was torn by a crash, which a crc shows as surely as an md5, for a
seventh of the work. Who can change files on purpose can change the journal too; only a digest that the service names
protects from him. An md5 is kept beside it where the service names md5s of parts, or an etag is made of them.
"""

from __future__ import annotations

from asyncclient._transfers.digest import PartDigest, RunningDigest
from asyncclient._transfers.records import PartDone

__all__ = ["proves", "proving"]


def proving(record: PartDone, *, md5: bool = False) -> RunningDigest:
    """Begin the digest that a recorded part is held against.

    Args:
        record: The part; it must be ``provable``.
        md5: Whether to compute the md5 in any case.
    """
    return RunningDigest(md5=md5 or record.crc32 is None, crc32=record.crc32 is not None)


def proves(record: PartDone, found: PartDigest) -> bool:
    """Tell whether what was found is what was recorded."""
    if record.crc32 is not None and found.crc32 is not None:
        return found.crc32 == record.crc32
    return record.md5 is not None and found.md5 == record.md5
