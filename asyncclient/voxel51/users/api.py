"""The blocking session of a user, under its official name."""

from __future__ import annotations

from asyncclient.voxel51._generated.sync.client import API
from asyncclient.voxel51.constants import AnalyticImageType, AnalyticType
from asyncclient.voxel51.exceptions import APIError

__all__ = ["API", "APIError", "AnalyticImageType", "AnalyticType"]
