"""Query builders, under their official names."""

from __future__ import annotations

from asyncclient.voxel51.queries import AnalyticsQuery, BaseQuery, DataQuery, JobsQuery

__all__ = ["AnalyticsQuery", "BaseQuery", "DataQuery", "JobsQuery"]
