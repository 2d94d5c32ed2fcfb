"""Tokens of applications, under their official names."""

from __future__ import annotations

from typing import Final

from asyncclient.voxel51 import tokens
from asyncclient.voxel51.exceptions import ApplicationTokenError
from asyncclient.voxel51.tokens import APPLICATION, KEY_HEADER, USER_HEADER, ApplicationToken, StrPath

__all__ = [
    "BASE_API_URL_ENV_VAR",
    "KEY_HEADER",
    "PRIVATE_KEY_ENV_VAR",
    "TOKEN_ENV_VAR",
    "USER_HEADER",
    "ApplicationToken",
    "ApplicationTokenError",
    "activate_application_token",
    "deactivate_application_token",
    "get_active_application_token_path",
    "load_application_token",
]

TOKEN_ENV_VAR: Final = APPLICATION.token_variable
PRIVATE_KEY_ENV_VAR: Final = APPLICATION.key_variable
BASE_API_URL_ENV_VAR: Final = APPLICATION.url_variable


def activate_application_token(path: StrPath) -> None:
    """Make a token file the active one: it is checked, then copied to ``~/.voxel51/app-token.json`` with mode 0600.

    Raises:
        ApplicationTokenError: It is no token file; the active one stays.
    """
    tokens.activate(APPLICATION, path)


def deactivate_application_token() -> None:
    """Delete the active token file; it is no error if there is none."""
    tokens.deactivate(APPLICATION)


def get_active_application_token_path() -> str | None:
    """Return the path of the token file in use; None if there is none, or a key in the environment goes before it.

    Raises:
        ApplicationTokenError: ``VOXEL51_APP_TOKEN`` names a file that does not exist.
    """
    return tokens.active_path(APPLICATION)


def load_application_token(token_path: StrPath | None = None) -> ApplicationToken:
    """Read a token file. Default: ``VOXEL51_APP_PRIVATE_KEY``, ``VOXEL51_APP_TOKEN`` or the active file.

    Raises:
        ApplicationTokenError: There is no token, or it is unusable.
    """
    token = tokens.load(APPLICATION, token_path)
    assert isinstance(token, ApplicationToken)
    return token


def __getattr__(name: str) -> str:
    if name == "TOKEN_PATH":  # asked for when it is needed: HOME may change
        return APPLICATION.path
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
