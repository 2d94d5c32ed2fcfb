"""Tokens of users and applications: what they hold, where they are found, which one is active."""

from __future__ import annotations

import contextlib
import json
import logging
import os
import re
import stat
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Final, Self, TypeAlias, TypeVar

from asyncclient._url import BaseUrl
from asyncclient.errors import ArgumentError, ArgumentTypeError, ConfigurationError
from asyncclient.voxel51.exceptions import HELP, ApplicationTokenError, TokenError

__all__ = [
    "APPLICATION",
    "DEFAULT_BASE_API_URL",
    "KEY_HEADER",
    "USER",
    "USER_HEADER",
    "ApplicationToken",
    "Level",
    "StrPath",
    "Token",
    "activate",
    "active_path",
    "deactivate",
    "load",
    "user_header_value",
]

StrPath: TypeAlias = "str | os.PathLike[str]"
T = TypeVar("T", bound="Token")

DEFAULT_BASE_API_URL: Final = "https://api.voxel51.com"
KEY_HEADER: Final = "x-voxel51-application"
USER_HEADER: Final = "x-voxel51-application-user"

_UNSENDABLE: Final = re.compile(r"[^\x20-\x7e\xa0-\xff]")
_NO_URL: Final = (
    f"No base API URL found in token; defaulting to '{DEFAULT_BASE_API_URL}'. To resolve this message, download a new "
    "API token from the Platform"
)
_log = logging.getLogger("asyncclient.voxel51")


class Token:
    """A user's token. Neither ``str`` nor ``repr`` show the key.

    Args:
        token_dict: The content of a token file, ``{"access_token": {"private_key": ...}}``.

    Attributes:
        private_key: The secret.
        base_api_url: Where the platform is, without ``/v1``.
        creation_date: As in the file, or None.
        id: Of the token, or None.

    Raises:
        TokenError: It holds no key that could be sent.
    """

    _noun: ClassVar[str] = "API token"
    _error: ClassVar[type[TokenError]] = TokenError

    def __init__(self, token_dict: Mapping[str, Any]) -> None:
        content: Any = token_dict
        access = content.get("access_token") if isinstance(content, Mapping) else None
        if not isinstance(access, Mapping):
            raise self._invalid("it is no object with an access_token")
        url = access.get("base_api_url")
        if url is None:
            _log.warning(_NO_URL)
            url = DEFAULT_BASE_API_URL
        if not isinstance(url, str):
            raise self._invalid("base_api_url is no text")
        self.private_key = self._usable_key(access.get("private_key"))
        self.base_api_url = url
        self.creation_date = access.get("created_at")
        self.id = access.get("token_id")

    @classmethod
    def from_dict(cls, d: Mapping[str, Any]) -> Self:
        """Make a token of the content of a token file."""
        return cls(d)

    @classmethod
    def from_str(cls, s: str | bytes) -> Self:
        """Make a token of the text of a token file."""
        content: Any = None
        with contextlib.suppress(ValueError, TypeError):  # not even as context: the error holds the text, and the key
            content = json.loads(s)
        if content is None:
            raise cls._invalid("it is not JSON")
        return cls(content)

    @classmethod
    def from_json(cls, path: StrPath) -> Self:
        """Read a token file. One that others may read is taken, with a warning in the log."""
        name = os.fspath(path)
        try:
            with Path(name).open("rb") as file:
                mode = os.fstat(file.fileno()).st_mode
                text = file.read(1024 * 1024)
        except FileNotFoundError as error:
            raise cls._error(f"No file found at '{name}'. {HELP}") from error
        except (OSError, ValueError) as error:
            raise cls._error(f"File '{name}' is not a valid {cls._noun}. {HELP}") from error
        if os.name == "posix" and mode & (stat.S_IROTH | stat.S_IWOTH):
            _log.warning("Token file '%s' can be read or changed by every user of this machine; use mode 0600", name)
        try:
            return cls.from_str(text)
        except TokenError as error:
            raise cls._error(f"File '{name}' is not a valid {cls._noun}. {HELP}") from error

    @classmethod
    def from_private_key(cls, private_key: str, base_api_url: str | None = None) -> Self:
        """Make a token of a key alone."""
        return cls({"access_token": {"private_key": private_key, "base_api_url": base_api_url or DEFAULT_BASE_API_URL}})

    def get_header(self) -> dict[str, str]:
        """Return the header that signs a request; it holds the key."""
        return {"Authorization": f"Bearer {self.private_key}"}

    def base(self, *, allow_http: bool = False) -> BaseUrl:
        """Return where requests go to: ``base_api_url`` and ``/v1``.

        Raises:
            TokenError: It is no URL, or one in clear text on another machine than this and ``allow_http`` is False.
        """
        try:
            base = BaseUrl.parse(f"{self.base_api_url.strip('/')}/v1", what="base API URL of the token")
        except ConfigurationError as error:
            raise self._error(str(error)) from None
        if base.origin.scheme == "http" and not allow_http and not _is_loopback(base.origin.host):
            raise self._error(
                f"the base API URL of the token is http://{base.origin.host}: the key would be sent in clear text; "
                "give allow_http=True if that is meant"
            )
        return base

    def __str__(self) -> str:
        return json.dumps(
            {
                "access_token": {
                    "token_id": self.id,
                    "created_at": self.creation_date,
                    "private_key": "***",
                    "base_api_url": self.base_api_url,
                }
            },
            indent=4,
        )

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.id or 'without id'} for {self.base_api_url}>"

    @classmethod
    def _usable_key(cls, key: Any) -> str:
        if not isinstance(key, str) or not (key := key.strip()):
            raise cls._invalid("it has no private_key")
        if _UNSENDABLE.search(key):
            raise cls._invalid("its private_key has characters that no header can hold")
        return key

    @classmethod
    def _invalid(cls, why: str) -> TokenError:
        return cls._error(f"not a valid {cls._noun}: {why}. {HELP}")


class ApplicationToken(Token):
    """An application's token. Neither ``str`` nor ``repr`` show the key."""

    _noun = "application token"
    _error = ApplicationTokenError

    def get_header(self, username: str | None = None) -> dict[str, str]:
        """Return the headers that sign a request, for a user of the application if one is given."""
        header = {KEY_HEADER: self.private_key}
        if username:
            header[USER_HEADER] = username
        return header


def user_header_value(username: str) -> bytes:
    """Return the name of a user as it is sent.

    Raises:
        ArgumentTypeError: It is no text.
        ArgumentError: No header can hold it: characters outside ISO-8859-1, line ends, blanks at an end.
    """
    if not isinstance(username, str):
        raise ArgumentTypeError(f"username must be text, not {type(username).__name__}", argument="username")
    if username != username.strip() or _UNSENDABLE.search(username):
        raise ArgumentError(
            f"username must be of ISO-8859-1 characters without blanks at its ends, not {username!r:.80}",
            argument="username",
        )
    return username.encode("latin-1")


def _is_loopback(host: str) -> bool:
    return host in ("localhost", "::1") or host.endswith(".localhost") or bool(re.fullmatch(r"127(\.\d+){3}", host))


@dataclass(frozen=True, slots=True)
class Level:
    """Where the tokens of one kind are found.

    Attributes:
        kind: Class of the tokens.
        token_variable: Environment variable with the path of a token file.
        key_variable: Environment variable with a key.
        url_variable: Environment variable with the base URL that belongs to it.
        file: Name of the active file, in ``~/.voxel51``.
        name: How messages call a token of this kind.
        none: What is said where none is found.
        inactive: What is said where none is active.
    """

    kind: type[Token]
    token_variable: str
    key_variable: str
    url_variable: str
    file: str
    name: str
    none: str
    inactive: str

    @property
    def path(self) -> str:
        """Path of the active file."""
        return str(Path.home() / ".voxel51" / self.file)


USER: Final = Level(
    Token,
    "VOXEL51_API_TOKEN",
    "VOXEL51_API_PRIVATE_KEY",
    "VOXEL51_API_BASE_URL",
    "api-token.json",
    "API token",
    "No API token found",
    "No API token to deactivate",
)
APPLICATION: Final = Level(
    ApplicationToken,
    "VOXEL51_APP_TOKEN",
    "VOXEL51_APP_PRIVATE_KEY",
    "VOXEL51_APP_BASE_URL",
    "app-token.json",
    "ApplicationToken",
    "No application token found",
    "No token to deactivate",
)


def load(level: Level, path: StrPath | None = None) -> Token:
    """Find a token: the file given, the key in the environment, the file named there, the active file.

    Raises:
        TokenError: There is none, or it is unusable.
    """
    if path is not None:
        return level.kind.from_json(path)
    if key := os.environ.get(level.key_variable):
        return level.kind.from_private_key(key, os.environ.get(level.url_variable))
    found = active_path(level)
    if found is None:
        raise level.kind._error(f"{level.none}. {HELP}")
    return level.kind.from_json(found)


def active_path(level: Level) -> str | None:
    """Return the path of the token file in use; None if there is none, or a key in the environment goes before it.

    Raises:
        TokenError: The environment names a file that does not exist.
    """
    if os.environ.get(level.key_variable):
        return None
    named = os.environ.get(level.token_variable)
    if named is not None:
        if not named or not Path(named).is_file():
            raise level.kind._error(f"No file found at '{level.token_variable}={named}'. {HELP}")
        return named
    return level.path if Path(level.path).is_file() else None


def activate(level: Level, path: StrPath) -> None:
    """Make a token file the active one: checked, copied at once or not at all, for its owner only.

    Raises:
        TokenError: It is no token file; the active one stays.
        OSError: The copy cannot be written.
    """
    level.kind.from_json(path)
    content = Path(path).read_bytes()
    target = Path(level.path)
    if not target.parent.is_dir():
        _log.info("Making directory '%s'", target.parent)
        target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    handle, temporary = tempfile.mkstemp(dir=target.parent, prefix=f".{level.file}.")  # of mode 0600
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        Path(temporary).replace(target)
    except BaseException:
        with contextlib.suppress(OSError):
            Path(temporary).unlink()
        raise
    _log.info("%s successfully activated", level.name)


def deactivate(level: Level) -> None:
    """Delete the active token file; it is no error if there is none."""
    try:
        Path(level.path).unlink()
    except FileNotFoundError:
        _log.info(level.inactive)
    else:
        _log.info("%s '%s' successfully deactivated", level.name, level.path)
