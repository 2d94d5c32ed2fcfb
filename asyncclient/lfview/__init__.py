"""LF View: geoscience in three dimensions, in the browser.

``AsyncSession`` is awaited; ``Session`` is for scripts and notebooks and has the same methods. The resource classes are
in ``files``, ``manifests``, ``spatial`` and ``scene``; they need numpy, which the extra ``lfview`` brings. Everything
here is loaded when it is first used.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from asyncclient.lfview import exceptions, files, manifests, scene, spatial, utils
    from asyncclient.lfview._generated.sync.client import Session, UnauthenticatedSession, UploadSession
    from asyncclient.lfview.client import AsyncSession, AsyncUnauthenticatedSession, AsyncUploadSession

__all__ = [
    "AsyncSession",
    "AsyncUnauthenticatedSession",
    "AsyncUploadSession",
    "Session",
    "UnauthenticatedSession",
    "UploadSession",
    "exceptions",
    "files",
    "manifests",
    "scene",
    "spatial",
    "utils",
]

_MODULES: Final = frozenset({"exceptions", "files", "manifests", "scene", "spatial", "utils"})
_SYNC: Final = f"{__name__}._generated.sync.client"


def __getattr__(name: str) -> object:
    if name in _MODULES:
        return importlib.import_module(f"{__name__}.{name}")
    if name in __all__:
        home = f"{__name__}.client" if name.startswith("Async") else _SYNC
        found: object = getattr(importlib.import_module(home), name)
        globals()[name] = found
        return found
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
