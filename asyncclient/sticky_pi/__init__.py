"""Sticky Pi: insect monitoring with cameras.

``AsyncLocalClient`` has the whole API in this process, ``AsyncRemoteClient`` speaks to a server; both are awaited.
``LocalClient`` and ``RemoteClient`` are for scripts and notebooks and have the same methods. Everything here is loaded
when it is first used; the embedded API and images need the extra ``sticky-pi``.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from asyncclient.sticky_pi import (
        client,
        configuration,
        exceptions,
        image_parser,
        specifications,
        storage,
        types,
        utils,
    )
    from asyncclient.sticky_pi._generated.sync.client import LocalClient, RemoteClient
    from asyncclient.sticky_pi.client import AsyncLocalClient, AsyncRemoteClient
    from asyncclient.sticky_pi.exceptions import RemoteAPIException
    from asyncclient.sticky_pi.image_parser import ImageParser

__all__ = [
    "AsyncLocalClient",
    "AsyncRemoteClient",
    "ImageParser",
    "LocalClient",
    "RemoteAPIException",
    "RemoteClient",
    "client",
    "configuration",
    "exceptions",
    "image_parser",
    "specifications",
    "storage",
    "types",
    "utils",
]

_MODULES: Final = frozenset(name for name in __all__ if name.islower())
_HOMES: Final = {"ImageParser": "image_parser", "RemoteAPIException": "exceptions"}


def __getattr__(name: str) -> object:
    if name in _MODULES:
        return importlib.import_module(f"{__name__}.{name}")
    if name in __all__:
        found: object = getattr(importlib.import_module(f"{__name__}.{_HOMES.get(name, 'client')}"), name)
        globals()[name] = found
        return found
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
