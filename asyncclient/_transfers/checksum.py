"""crc32 (the polynomial of gzip), by whatever is fastest: isal where it is installed, else zlib. Both give the same number."""

from __future__ import annotations

from typing import TYPE_CHECKING

__all__ = ["crc32"]

if TYPE_CHECKING:
    from zlib import crc32
else:
    try:
        # An order of magnitude faster than zlib: next to nothing beside writing the same bytes.
        from isal.isal_zlib import crc32
    except ImportError:
        from zlib import crc32
