"""The Voxel51 Platform: video and images in, analytics run on them, results out.

``AsyncAPI`` and ``AsyncApplicationAPI`` are awaited; ``API`` and ``ApplicationAPI`` are for scripts and notebooks and
have the same methods. The official modules ``users`` and ``apps`` are here too.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from asyncclient.voxel51 import _resuming  # noqa: F401  # registers itself
from asyncclient.voxel51.active_user import ActiveUser
from asyncclient.voxel51.apps.auth import (
    activate_application_token,
    deactivate_application_token,
    get_active_application_token_path,
    load_application_token,
)
from asyncclient.voxel51.client import AsyncAPI, AsyncApplicationAPI
from asyncclient.voxel51.constants import AnalyticImageType, AnalyticType, JobComputeMode, JobFailureType, JobState
from asyncclient.voxel51.exceptions import (
    AnalyticNotFound,
    APIError,
    ApplicationAPIError,
    ApplicationTokenError,
    InvalidArguments,
    JobExecutionError,
    JobTimeout,
    RemoteDataPathError,
    TokenError,
)
from asyncclient.voxel51.jobs import JobRequest, RemoteDataPath
from asyncclient.voxel51.queries import AnalyticsQuery, BaseQuery, DataQuery, JobsQuery, escape_search
from asyncclient.voxel51.tokens import ApplicationToken, Token
from asyncclient.voxel51.users.auth import activate_token, deactivate_token, get_active_token_path, load_token

if TYPE_CHECKING:
    from asyncclient.voxel51._generated.sync.applications.client import ApplicationAPI
    from asyncclient.voxel51._generated.sync.client import API

__all__ = [
    "API",
    "APIError",
    "ActiveUser",
    "AnalyticImageType",
    "AnalyticNotFound",
    "AnalyticType",
    "AnalyticsQuery",
    "ApplicationAPI",
    "ApplicationAPIError",
    "ApplicationToken",
    "ApplicationTokenError",
    "AsyncAPI",
    "AsyncApplicationAPI",
    "BaseQuery",
    "DataQuery",
    "InvalidArguments",
    "JobComputeMode",
    "JobExecutionError",
    "JobFailureType",
    "JobRequest",
    "JobState",
    "JobTimeout",
    "JobsQuery",
    "RemoteDataPath",
    "RemoteDataPathError",
    "Token",
    "TokenError",
    "activate_application_token",
    "activate_token",
    "deactivate_application_token",
    "deactivate_token",
    "escape_search",
    "get_active_application_token_path",
    "get_active_token_path",
    "load_application_token",
    "load_token",
]


def __getattr__(name: str) -> object:
    if name == "API":  # the facades are loaded by those who use them
        from asyncclient.voxel51._generated.sync.client import API

        return API
    if name == "ApplicationAPI":
        from asyncclient.voxel51._generated.sync.applications.client import ApplicationAPI

        return ApplicationAPI
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
