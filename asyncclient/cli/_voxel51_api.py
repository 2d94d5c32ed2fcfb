"""``asyncclient voxel51 api``: the operations of the Voxel51 Platform for the command that all services have."""

from __future__ import annotations

import functools
from typing import Final

from asyncclient.cli._api import Catalogue, Service, by_module
from asyncclient.cli._voxel51_run import run

__all__ = ["SERVICE"]


@functools.cache
def _catalogue() -> Catalogue:
    from asyncclient.voxel51 import AsyncAPI

    return by_module("asyncclient.voxel51._generated.operations", AsyncAPI)


SERVICE: Final = Service(_catalogue, run)
"""What the command needs of the Voxel51 Platform."""
