"""Where files are kept: on disk, or in an S3 bucket. Both have the same layout.

``raw_images/DEVICE/DEVICE.DATETIME.jpg`` and its thumbnails, ``tiled_tuboids/SERIES/TUBOID/`` with three files, and
``ml/BUNDLE/KEY``. ``BaseStorage``, ``DiskStorage`` and ``S3Storage`` are the same as the async classes, blocking.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from asyncclient import _extras

if TYPE_CHECKING:
    from asyncclient.sticky_pi._generated.sync.storage import BaseStorage, DiskStorage, S3Storage
    from asyncclient.sticky_pi._storage_base import AsyncBaseStorage
    from asyncclient.sticky_pi._storage_disk import AsyncDiskStorage
    from asyncclient.sticky_pi._storage_s3 import AsyncS3Storage

__all__ = ["AsyncBaseStorage", "AsyncDiskStorage", "AsyncS3Storage", "BaseStorage", "DiskStorage", "S3Storage"]

# Loaded by those who use them: what they need is there with the extra "sticky-pi" only.
_SYNC: Final = "asyncclient.sticky_pi._generated.sync.storage"
_HOMES: Final = {
    "AsyncBaseStorage": "asyncclient.sticky_pi._storage_base",
    "AsyncDiskStorage": "asyncclient.sticky_pi._storage_disk",
    "AsyncS3Storage": "asyncclient.sticky_pi._storage_s3",
}


def __getattr__(name: str) -> object:
    if name in __all__:
        found: object = getattr(_extras.load(_HOMES.get(name, _SYNC), "the storage of Sticky Pi", "sticky-pi"), name)
        globals()[name] = found
        return found
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
