"""The address of a service, checked and taken apart once. Pure."""

from __future__ import annotations

import re
from typing import Final, NamedTuple

from asyncclient._endpoint import quote_path
from asyncclient._messages import Origin
from asyncclient.errors import ConfigurationError

__all__ = ["BaseUrl"]

_PORT_REASON: Final = "the port is not a number from 1 to 65535"
_FORBIDDEN: Final = r"[\x00-\x20\x7f\\]"
_HOST: Final = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789.-")
_PATH: Final = _HOST | frozenset("/_~")


class BaseUrl(NamedTuple):
    """The endpoint of a service, taken apart once."""

    origin: Origin
    path: str
    """Percent-encoded, without a trailing slash; may be empty."""

    @classmethod
    def parse(cls, url: str, *, what: str = "endpoint") -> BaseUrl:
        """Take apart an ``http`` or ``https`` URL.

        Raises:
            ConfigurationError: It has no usable scheme, host or port, or holds user, query or fragment. The text of
                the URL is not repeated beyond scheme and host: it may hold a secret.
        """
        if type(url) is str and (found := _plain_url(url)) is not None:
            return found
        if type(url) is not str or re.search(_FORBIDDEN, url):
            raise ConfigurationError(f"the {what} is not a URL: it must be text without blanks or control characters")
        from urllib.parse import urlsplit

        try:
            parts = urlsplit(url)
            port = parts.port
        except ValueError as error:
            raise ConfigurationError(f"the {what} is not a usable URL: {_plain_reason(error)}") from None
        if parts.scheme.lower() not in ("http", "https") or not parts.hostname:
            raise ConfigurationError(f"the {what} must begin with http:// or https:// and name a host")
        if parts.username is not None or parts.password is not None:
            raise ConfigurationError(f"the {what} must not hold a user name or password")
        if parts.query or parts.fragment:
            raise ConfigurationError(f"the {what} must not hold a query or fragment")
        scheme = parts.scheme.lower()
        if port is None:
            port = 443 if scheme == "https" else 80
        if port == 0:
            raise ConfigurationError(f"the {what} is not a usable URL: {_PORT_REASON}")
        try:
            path = quote_path(parts.path.rstrip("/"))
        except UnicodeEncodeError:
            raise ConfigurationError(f"the {what} is not a usable URL: it is not valid Unicode") from None
        return cls(Origin(scheme, _ascii_host(parts.hostname, what), port), path)


def _plain_url(url: str) -> BaseUrl | None:
    """Take apart a URL of the usual form; None for all others, which need ``urllib``, that takes long to load."""
    scheme, _, rest = url.partition("://")
    authority, _, path = rest.partition("/")
    host, colon, port = authority.partition(":")
    if scheme not in ("http", "https") or not host or not _HOST.issuperset(host) or not _PATH.issuperset(path):
        return None
    if colon and not (port.isascii() and port.isdigit() and 0 < int(port[:6]) < 65536):
        return None
    number = int(port) if colon else 443 if scheme == "https" else 80
    return BaseUrl(Origin(scheme, host.lower(), number), f"/{path}".rstrip("/"))


def _plain_reason(error: ValueError) -> str:
    return _PORT_REASON if str(error).startswith("Port") else "malformed"


def _ascii_host(host: str, what: str) -> str:
    if host.isascii():
        return host.lower()
    try:
        return host.encode("idna").decode("ascii").lower()
    except UnicodeError:
        raise ConfigurationError(f"the {what} has a host name that is not valid") from None
