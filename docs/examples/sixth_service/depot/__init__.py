"""Depot: samples and their files.

``AsyncClient`` is awaited; ``Client`` is for scripts and notebooks and has the same methods.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from asyncclient.depot.client import AsyncClient
from asyncclient.depot.exceptions import NameTaken

if TYPE_CHECKING:
    from asyncclient.depot._generated.sync.client import Client

__all__ = ["AsyncClient", "Client", "NameTaken"]


def __getattr__(name: str) -> object:
    if name == "Client":  # the facade is loaded by those who use it
        from asyncclient.depot._generated.sync.client import Client

        return Client
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
