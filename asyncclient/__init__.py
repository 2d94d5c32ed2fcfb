"""Clients for five research-data platforms over one connection pool and one bounded scheduler."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

from asyncclient import errors
from asyncclient._version import __version__
from asyncclient.errors import AsyncClientError
from asyncclient.types import UNSET, HubStatistics, Limits, Progress, RetryPolicy, Timeouts, Unset

if TYPE_CHECKING:
    from asyncclient import las, lfview, testing
    from asyncclient._httpx import PoolTransport
    from asyncclient._sync._generated.hub import Hub
    from asyncclient._sync.portal import BlockingCallWarning
    from asyncclient.hub import AsyncHub

__all__ = [
    "UNSET",
    "AsyncClientError",
    "AsyncHub",
    "BlockingCallWarning",
    "Hub",
    "HubStatistics",
    "Limits",
    "PoolTransport",
    "Progress",
    "RetryPolicy",
    "Timeouts",
    "Unset",
    "__version__",
    "errors",
    "las",
    "lfview",
    "testing",
]

# Loaded at first use, as the pytest plugin and the command line load this package without needing any of it.
_LAZY = {
    "AsyncHub": ("asyncclient.hub", "AsyncHub"),
    "BlockingCallWarning": ("asyncclient._sync.portal", "BlockingCallWarning"),
    "Hub": ("asyncclient._sync._generated.hub", "Hub"),
    "PoolTransport": ("asyncclient._httpx", "PoolTransport"),
    "las": ("asyncclient.las", None),
    "lfview": ("asyncclient.lfview", None),
    "testing": ("asyncclient.testing", None),
}


def __getattr__(name: str) -> object:
    if name not in _LAZY:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    module_name, attribute = _LAZY[name]
    module = importlib.import_module(module_name)
    value: object = module if attribute is None else getattr(module, attribute)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *_LAZY})
