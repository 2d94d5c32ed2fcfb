"""``asyncclient voxel51 api``: the operations of the Voxel51 Platform for the command that all services have."""

from __future__ import annotations

import functools
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any

from asyncclient.cli._api import Catalogue, by_module
from asyncclient.cli._voxel51_run import run

if TYPE_CHECKING:
    from asyncclient.voxel51 import AsyncAPI

__all__ = ["Operations"]


@functools.cache
def _catalogue() -> Catalogue:
    from asyncclient.voxel51 import AsyncAPI

    return by_module("asyncclient.voxel51._generated.operations", AsyncAPI)


class Operations:
    """What the command needs of the Voxel51 Platform."""

    def catalogue(self) -> Catalogue:
        """Return its operations."""
        return _catalogue()

    def run(self, work: Callable[[AsyncAPI], Awaitable[int | None]]) -> None:
        """Do work with an open session."""
        run(work)

    def method(self, client: AsyncAPI, group: str, name: str) -> Callable[..., Awaitable[Any]]:
        """Return an operation of the session."""
        found: Callable[..., Awaitable[Any]] = getattr(client, name)
        return found
