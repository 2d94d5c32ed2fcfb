"""Flywheel: projects, subjects, sessions, acquisitions, their files, gears and jobs.

``AsyncClient`` is awaited; ``Client`` is for scripts and notebooks and has the same methods. All models of the service
are found here by name, ``flywheel.ProjectInput``; each is loaded when it is first used.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from asyncclient.flywheel._rows import ViewFailed
from asyncclient.flywheel.client import AsyncClient
from asyncclient.flywheel.exceptions import ApiException, FeatureRefused, InvalidKey, LoginNeeded, NotADevice
from asyncclient.flywheel.files import FileSpec
from asyncclient.flywheel.finders import Finder

if TYPE_CHECKING:
    from asyncclient.flywheel._generated import models
    from asyncclient.flywheel._generated.sync.client import Client
    from asyncclient.flywheel.devices import async_drone_client, create_drone_client
    from asyncclient.flywheel.gear_context import GearContext
    from asyncclient.flywheel.views import ViewBuilder

__all__ = [
    "ApiException",
    "AsyncClient",
    "Client",
    "FeatureRefused",
    "FileSpec",
    "Finder",
    "GearContext",
    "InvalidKey",
    "LoginNeeded",
    "NotADevice",
    "ViewBuilder",
    "ViewFailed",
    "async_drone_client",
    "create_drone_client",
    "models",
]


# Loaded at first use: few scripts need more than one of these.
_LAZY = {
    "Client": "_generated.sync.client",
    "GearContext": "gear_context",
    "ViewBuilder": "views",
    "async_drone_client": "devices",
    "create_drone_client": "devices",
}


def __getattr__(name: str) -> Any:
    if name in _LAZY:
        return getattr(importlib.import_module(f"{__name__}.{_LAZY[name]}"), name)
    if name.startswith("_"):
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    models: Any = importlib.import_module("asyncclient.flywheel._generated.models")
    if name == "models":
        return models
    if name in models._HOMES:
        return getattr(models, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
