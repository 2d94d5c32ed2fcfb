"""Clients for five research-data platforms over one connection pool and one bounded scheduler."""

from __future__ import annotations

import importlib
import os
from typing import TYPE_CHECKING

from asyncclient import errors
from asyncclient._version import __version__
from asyncclient.errors import AsyncClientError
from asyncclient.types import UNSET, Limits, RetryPolicy, Timeouts, Unset

if TYPE_CHECKING:
    from asyncclient import flywheel, las, lfview, sticky_pi, telemetry, testing, voxel51
    from asyncclient._httpx import PoolTransport
    from asyncclient._sync._generated.digests import Digests
    from asyncclient._sync._generated.hub import Hub
    from asyncclient._sync.portal import BlockingCallWarning
    from asyncclient.digests import AsyncDigests, infer_part_size, md5, md5_many, multipart_etag
    from asyncclient.hub import AsyncHub
    from asyncclient.types import HubStatistics, Progress

__all__ = [
    "UNSET",
    "AsyncClientError",
    "AsyncDigests",
    "AsyncHub",
    "BlockingCallWarning",
    "Digests",
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
    "flywheel",
    "infer_part_size",
    "las",
    "lfview",
    "md5",
    "md5_many",
    "multipart_etag",
    "sticky_pi",
    "telemetry",
    "testing",
    "voxel51",
]

if os.environ.get("ASYNCCLIENT_LOG"):
    from asyncclient._logging import log_from_environment

    log_from_environment()

# Loaded at first use, as the pytest plugin and the command line load this package without needing any of it.
_LAZY = {
    "AsyncDigests": ("asyncclient.digests", "AsyncDigests"),
    "AsyncHub": ("asyncclient.hub", "AsyncHub"),
    "BlockingCallWarning": ("asyncclient._sync.portal", "BlockingCallWarning"),
    "Digests": ("asyncclient._sync._generated.digests", "Digests"),
    "Hub": ("asyncclient._sync._generated.hub", "Hub"),
    "HubStatistics": ("asyncclient.types", "HubStatistics"),
    "PoolTransport": ("asyncclient._httpx", "PoolTransport"),
    "Progress": ("asyncclient.types", "Progress"),
    "infer_part_size": ("asyncclient.digests", "infer_part_size"),
    "flywheel": ("asyncclient.flywheel", None),
    "las": ("asyncclient.las", None),
    "lfview": ("asyncclient.lfview", None),
    "md5": ("asyncclient.digests", "md5"),
    "md5_many": ("asyncclient.digests", "md5_many"),
    "multipart_etag": ("asyncclient.digests", "multipart_etag"),
    "sticky_pi": ("asyncclient.sticky_pi", None),
    "telemetry": ("asyncclient.telemetry", None),
    "testing": ("asyncclient.testing", None),
    "voxel51": ("asyncclient.voxel51", None),
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
