"""One handler for each operation."""

from __future__ import annotations

from collections.abc import Mapping

from asyncclient.testing.voxel51.call import Handler
from asyncclient.testing.voxel51.handlers import analytics, applications, data, jobs

__all__ = ["HANDLERS"]

HANDLERS: Mapping[str, Handler] = {**analytics.HANDLERS, **applications.HANDLERS, **data.HANDLERS, **jobs.HANDLERS}
