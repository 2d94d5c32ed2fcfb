"""The API itself: its list of operations, and its implementations.

``AsyncLocalAPI`` works on SQLite and files on disk, ``AsyncRemoteAPI`` on a database server and S3, inside of
:mod:`asyncclient.sticky_pi.server`. ``BaseAPISpec``, ``BaseAPI``, ``LocalAPI`` and ``RemoteAPI`` are the same, blocking.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from asyncclient import _extras
from asyncclient.sticky_pi._spec import AsyncBaseAPISpec

if TYPE_CHECKING:
    from asyncclient.sticky_pi._api import AsyncBaseAPI, AsyncLocalAPI, AsyncRemoteAPI
    from asyncclient.sticky_pi._blocking import BaseAPISpec
    from asyncclient.sticky_pi._database import set_sqlite_pragma
    from asyncclient.sticky_pi._generated.sync.specifications import BaseAPI, LocalAPI, RemoteAPI

__all__ = [
    "AsyncBaseAPI",
    "AsyncBaseAPISpec",
    "AsyncLocalAPI",
    "AsyncRemoteAPI",
    "BaseAPI",
    "BaseAPISpec",
    "LocalAPI",
    "RemoteAPI",
    "set_sqlite_pragma",
]

# Loaded by those who use them: SQLAlchemy is there with the extra "sticky-pi" only.
_HOMES: Final = {
    "AsyncBaseAPI": "asyncclient.sticky_pi._api",
    "AsyncLocalAPI": "asyncclient.sticky_pi._api",
    "AsyncRemoteAPI": "asyncclient.sticky_pi._api",
    "BaseAPI": "asyncclient.sticky_pi._generated.sync.specifications",
    "BaseAPISpec": "asyncclient.sticky_pi._blocking",
    "LocalAPI": "asyncclient.sticky_pi._generated.sync.specifications",
    "RemoteAPI": "asyncclient.sticky_pi._generated.sync.specifications",
    "set_sqlite_pragma": "asyncclient.sticky_pi._database",
}


def __getattr__(name: str) -> object:
    if name in _HOMES:
        found: object = getattr(_extras.load(_HOMES[name], "the API itself of Sticky Pi", "sticky-pi"), name)
        globals()[name] = found
        return found
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
