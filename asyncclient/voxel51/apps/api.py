"""The blocking session of an application, under its official name."""

from __future__ import annotations

from asyncclient.voxel51._generated.sync.applications.client import ApplicationAPI
from asyncclient.voxel51.exceptions import ApplicationAPIError

__all__ = ["ApplicationAPI", "ApplicationAPIError"]
