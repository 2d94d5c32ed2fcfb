"""API keys: where they come from and what they say. A key is never repeated in an error."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, NamedTuple

from asyncclient._messages import Origin
from asyncclient._url import BaseUrl
from asyncclient.errors import ConfigurationError
from asyncclient.flywheel.exceptions import InvalidKey, LoginNeeded

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["API_KEY_VARIABLE", "ApiKey", "login_path", "parse_key", "read_login"]

API_KEY_VARIABLE: Final = "FLYWHEEL_API_KEY"
"""Where the commands look for a key before they look for a login; the client itself does not, as the official one."""

_KEY: Final = re.compile(
    r"(?:(?P<scheme>https?)://)?(?P<host>\[[0-9A-Fa-f:.]+\]|[^:/\[\]\s]+)(?::(?P<port>[0-9]+))?(?:/api)?/?"
    r"(?P<rest>(?::[^:\s]+)*?):(?P<secret>[^:\s]+)",
    re.IGNORECASE,
)
_INSECURE: Final = "__force_insecure"
_FORMS: Final = "host:secret, host:port:secret or host:port:__force_insecure:secret"
_BEARER_LENGTH: Final = 57
_LOOPBACK: Final = r"localhost|127(?:\.[0-9]{1,3}){3}|::1|.*\.localhost"


class ApiKey(NamedTuple):
    """Where a key leads and how it signs."""

    base: BaseUrl
    authorization: bytes

    def __repr__(self) -> str:
        return f"ApiKey({self.base.origin}, ***)"


def parse_key(text: str) -> ApiKey:
    """Read a key: host, port and secret, joined by colons.

    Blanks around it, a scheme before the host and ``/api`` behind it are taken too; IPv6 addresses are written in
    brackets.

    Raises:
        InvalidKey: It has no such form, or would be sent in clear text to another machine without saying so by
            ``__force_insecure``.
    """
    if not isinstance(text, str):
        raise InvalidKey(f"Invalid API key: it must be text, not {type(text).__name__}")
    found = _KEY.fullmatch(text.strip())
    if found is None:
        raise InvalidKey(f"Invalid API key: its form is {_FORMS}")
    others = [part for part in found["rest"].split(":") if part]
    forced = _INSECURE in others
    if others and not forced and found["port"] is None:
        raise InvalidKey("Invalid API key: its second part must be a port, a number from 1 to 65535")
    scheme = "http" if forced else (found["scheme"] or "https").lower()
    host = found["host"].strip("[]").lower()
    if scheme == "http" and not forced and not re.fullmatch(_LOOPBACK, host):
        raise InvalidKey(
            "Invalid API key: it would be sent in clear text to another machine; use https, or write "
            f"host:port:{_INSECURE}:secret if that is what you want"
        )
    return ApiKey(_base(scheme, host, found["port"]), _authorization(found["secret"]))


def _base(scheme: str, host: str, port: str | None) -> BaseUrl:
    number = int(port) if port is not None else 80 if scheme == "http" else 443
    if not 1 <= number <= 65535:
        raise InvalidKey("Invalid API key: its second part must be a port, a number from 1 to 65535")
    shown = f"[{host}]" if ":" in host else host
    try:
        parsed = BaseUrl.parse(f"{scheme}://{shown}:{number}/api", what="host")
    except ConfigurationError as error:
        raise InvalidKey(f"Invalid API key: {error}") from None
    return BaseUrl(Origin(scheme, parsed.origin.host, number), parsed.path)


def _authorization(secret: str) -> bytes:
    kind = "Bearer" if len(secret) == _BEARER_LENGTH else "scitran-user"
    try:
        return f"{kind} {secret}".encode("ascii")
    except UnicodeEncodeError:
        raise InvalidKey("Invalid API key: the secret must be plain ASCII text") from None


def login_path(home: Path | None = None) -> Path:
    """Return the file in which the command line tool stores the key of its user."""
    from pathlib import Path  # not needed where the key is given

    return (home or Path.home()) / ".config" / "flywheel" / "user.json"


def read_login(home: Path | None = None) -> str:
    """Return the key that the command line tool stored when its user logged in.

    Raises:
        LoginNeeded: There is no such file, it cannot be read, or it holds no key.
    """
    import json  # not needed where the key is given

    path = login_path(home)
    try:
        found = json.loads(path.read_text("utf-8"))
    except FileNotFoundError:
        raise LoginNeeded(
            f"Must login with flywheel command-line interface (`fw login` writes {path}), or give an API key; "
            f"the commands of asyncclient also take it from {API_KEY_VARIABLE}"
        ) from None
    except (OSError, ValueError) as error:
        raise LoginNeeded(f"{path} cannot be read: {type(error).__name__}; login again, or give an API key") from None
    key = found.get("key") if isinstance(found, dict) else None
    if not isinstance(key, str) or not key.strip():
        raise LoginNeeded(f"{path} holds no key; login again, or give an API key")
    return key
