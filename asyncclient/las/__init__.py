"""Lucidtech AI Services: documents in, predictions out.

``AsyncClient`` is awaited; ``Client`` is for scripts and notebooks and has the same methods.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from asyncclient.errors import APIError
from asyncclient.las.client import AsyncClient
from asyncclient.las.content import RawBytes, parse_content
from asyncclient.las.credentials import Credentials, guess_credentials, read_from_environ, read_from_file
from asyncclient.las.exceptions import (
    BadRequest,
    ClientException,
    EmptyRequestError,
    FileFormatException,
    InvalidCredentialsException,
    LimitExceededException,
    MissingCredentials,
    NotFound,
    TooManyRequestsException,
)
from asyncclient.las.handler import transition_handler
from asyncclient.las.token_cache import read_token_from_cache, write_token_to_cache

if TYPE_CHECKING:
    from asyncclient.las._generated.sync.client import Client

__all__ = [
    "APIError",
    "AsyncClient",
    "BadRequest",
    "Client",
    "ClientException",
    "Credentials",
    "EmptyRequestError",
    "FileFormatException",
    "InvalidCredentialsException",
    "LimitExceededException",
    "MissingCredentials",
    "NotFound",
    "RawBytes",
    "TooManyRequestsException",
    "guess_credentials",
    "parse_content",
    "read_from_environ",
    "read_from_file",
    "read_token_from_cache",
    "transition_handler",
    "write_token_to_cache",
]


def __getattr__(name: str) -> object:
    if name == "Client":  # the facade is loaded by those who use it
        from asyncclient.las._generated.sync.client import Client

        return Client
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
