"""Tokens of users, under their official names."""

from __future__ import annotations

from typing import Final

from asyncclient.voxel51 import tokens
from asyncclient.voxel51.exceptions import TokenError
from asyncclient.voxel51.tokens import DEFAULT_BASE_API_URL, USER, StrPath, Token

__all__ = [
    "BASE_API_URL_ENV_VAR",
    "DEFAULT_BASE_API_URL",
    "HELP_URL",
    "PRIVATE_KEY_ENV_VAR",
    "TOKEN_ENV_VAR",
    "Token",
    "TokenError",
    "activate_token",
    "deactivate_token",
    "get_active_token_path",
    "load_token",
]

TOKEN_ENV_VAR: Final = USER.token_variable
PRIVATE_KEY_ENV_VAR: Final = USER.key_variable
BASE_API_URL_ENV_VAR: Final = USER.url_variable
HELP_URL: Final = "https://voxel51.com/docs/api/?python#authentication"


def activate_token(path: StrPath) -> None:
    """Make a token file the active one: it is checked, then copied to ``~/.voxel51/api-token.json`` with mode 0600.

    Raises:
        TokenError: It is no token file; the active one stays.
    """
    tokens.activate(USER, path)


def deactivate_token() -> None:
    """Delete the active token file; it is no error if there is none."""
    tokens.deactivate(USER)


def get_active_token_path() -> str | None:
    """Return the path of the token file in use; None if there is none, or a key in the environment goes before it.

    Raises:
        TokenError: ``VOXEL51_API_TOKEN`` names a file that does not exist.
    """
    return tokens.active_path(USER)


def load_token(token_path: StrPath | None = None) -> Token:
    """Read a token file. Default: ``VOXEL51_API_PRIVATE_KEY``, ``VOXEL51_API_TOKEN`` or the active file.

    Raises:
        TokenError: There is no token, or it is unusable.
    """
    return tokens.load(USER, token_path)


def __getattr__(name: str) -> str:
    if name == "TOKEN_PATH":  # asked for when it is needed: HOME may change
        return USER.path
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
