"""Where credentials come from, and how they become access tokens."""

from __future__ import annotations

import base64
import configparser
import logging
import os
import re
import time
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from asyncclient import _codec
from asyncclient._auth import SingleFlight, Token, is_fresh
from asyncclient._failure import error_of
from asyncclient._messages import Request
from asyncclient._net.threads import DISK, in_thread
from asyncclient._pipeline import Answer, Rules
from asyncclient._url import BaseUrl
from asyncclient.errors import APIError, ArgumentTypeError, ConfigurationError, DecodeError
from asyncclient.hub import AsyncHub
from asyncclient.las.exceptions import InvalidCredentialsException, MissingCredentials
from asyncclient.las.token_cache import EMPTY, read_token_from_cache, write_token_to_cache
from asyncclient.types import RetryPolicy, Timeouts

if TYPE_CHECKING:
    from asyncclient._messages import Origin

__all__ = [
    "VARIABLES",
    "Credentials",
    "guess_credentials",
    "profile_names",
    "profile_path",
    "read_from_environ",
    "read_from_file",
]

_log = logging.getLogger(__name__)
VARIABLES: Final = ("LAS_CLIENT_ID", "LAS_CLIENT_SECRET", "LAS_AUTH_ENDPOINT", "LAS_API_ENDPOINT")
"""Environment variables of the four values."""
_KEYS: Final = ("client_id", "client_secret", "auth_endpoint", "api_endpoint")
_TRUE: Final = frozenset({"true", "yes", "on", "1"})
_TOKEN: Final = re.compile(r"[\x21-\x7e]+\Z")
_RULES_POLICY: Final = RetryPolicy(max_retries=2, base_transport_s=1.0, base_server_s=1.0)


def _home() -> Path:
    return Path.home() / ".lucidtech"


class Credentials:
    """The four values of an app client, and the access tokens they buy.

    One object may be shared by several clients. Tokens are renewed before they lapse, by one request however many
    tasks wait for it.

    Args:
        client_id: Of the app client.
        client_secret: Of the app client; never shown.
        auth_endpoint: Host, optionally with a path; ``https`` unless it is given with a scheme.
        api_endpoint: Base URL with scheme and version path, for example ``https://api.lucidtech.ai/v1``.
        cached_profile: Name under which tokens are kept in the cache file; None keeps them in memory only.
        cache_path: The cache file. Default: ``~/.lucidtech/token-cache.json``.

    Raises:
        MissingCredentials: One of the four is empty.
        ConfigurationError: An endpoint is not a URL, or the id or secret cannot be written in Latin-1.
    """

    def __init__(
        self,
        client_id: str,
        client_secret: str,
        auth_endpoint: str,
        api_endpoint: str,
        cached_profile: str | None = None,
        cache_path: str | os.PathLike[str] | None = None,
    ) -> None:
        for name, value in zip(_KEYS, (client_id, client_secret, auth_endpoint, api_endpoint), strict=True):
            if not value:
                raise MissingCredentials(f"{name} is empty")
            if not isinstance(value, str):
                raise ArgumentTypeError(f"{name} must be text, not {type(value).__name__}", argument=name)
        self.client_id = client_id
        self.client_secret = client_secret
        self.auth_endpoint = auth_endpoint
        self.api_endpoint = api_endpoint
        self.cached_profile = cached_profile
        self.cache_path = Path(cache_path) if cache_path is not None else _home() / "token-cache.json"
        BaseUrl.parse(api_endpoint, what="api_endpoint")
        self._token_url()
        self._basic()
        self._token = EMPTY
        self._hub: AsyncHub | None = None
        self._flight: SingleFlight[Token] = SingleFlight(self._renew)

    # --- for scripts and other programs ------------------------------------------------------------------------------

    async def get_access_token(self) -> str:
        """Return a valid access token, asking for one if none is held.

        Raises:
            InvalidCredentialsException: The service refuses the credentials.
            APIError: The service answered with another refusal.
            TransportError: It could not be reached.
        """
        token = self._token
        if not is_fresh(token, time.time()):
            token = await self._flight()
        return token.value

    @property
    def access_token(self) -> str:
        """A valid access token; waits for the service when none is held. Async code awaits ``get_access_token()``."""
        if is_fresh(self._token, time.time()):
            return self._token.value
        from asyncclient._sync.portal import get_portal  # only scripts need a loop thread

        return get_portal().run(self.get_access_token)

    # --- signing, as the pipeline wants it ---------------------------------------------------------------------------

    def header_nowait(self) -> tuple[bytes, bytes] | None:
        """Return the authorization header if a valid token is held."""
        token = self._token
        return _bearer(token.value) if is_fresh(token, time.time()) else None

    async def header(self) -> tuple[bytes, bytes]:
        """Return the authorization header, asking for a token if none is held."""
        return _bearer(await self.get_access_token())

    def reject(self, header: tuple[bytes, bytes]) -> bool:
        """Drop the token of a header that was refused; one that was renewed meanwhile is kept."""
        if _bearer(self._token.value) == header:
            # The cache file may still hold the refused token: remember not to take it from there again.
            self._token = self._token._replace(expires_at=0.0)
        return True

    def bind(self, hub: AsyncHub) -> None:
        """Send token requests through this hub from now on."""
        self._hub = hub

    # --- the token request -------------------------------------------------------------------------------------------

    async def _renew(self) -> Token:
        refused = self._token.value
        if self.cached_profile:
            kept = await in_thread(self._from_cache, DISK)
            if is_fresh(kept, time.time()) and kept.value != refused:  # another process was faster
                self._token = kept
                return kept
        token = await self._request_token()
        self._token = token
        if self.cached_profile:
            await in_thread(partial(self._to_cache, token), DISK)
        return token

    async def _request_token(self) -> Token:
        base = self._token_url()
        request = Request(
            b"POST",
            base.origin,
            f"{base.path}/token?grant_type=client_credentials".encode("ascii"),
            [
                (b"accept", b"*/*"),
                (b"content-type", b"application/x-www-form-urlencoded"),
                (b"authorization", self._basic()),
            ],
            idempotent=True,  # a token that nobody received does no harm
        )
        hub = self._hub if self._hub is not None and not self._hub.closed else None
        if hub is not None:
            return _token_of(await hub._opened().fetch(request, "get_access_token", _TOKEN_RULES))
        async with AsyncHub() as own:
            return _token_of(await own._opened().fetch(request, "get_access_token", _TOKEN_RULES))

    def _token_url(self) -> BaseUrl:
        text = self.auth_endpoint if "://" in self.auth_endpoint else f"https://{self.auth_endpoint}"
        return BaseUrl.parse(text, what="auth_endpoint")

    def _basic(self) -> bytes:
        try:
            pair = f"{self.client_id}:{self.client_secret}".encode("latin-1")
        except UnicodeEncodeError:
            raise ConfigurationError("client_id and client_secret must be written in Latin-1 characters") from None
        return b"Basic " + base64.b64encode(pair)

    def _from_cache(self) -> Token:
        assert self.cached_profile is not None
        return read_token_from_cache(self.cached_profile, self.cache_path, client_id=self.client_id)

    def _to_cache(self, token: Token) -> None:
        assert self.cached_profile is not None
        try:
            write_token_to_cache(self.cached_profile, token, self.cache_path, client_id=self.client_id)
        except OSError as error:  # a cache that cannot be kept must not fail the call it serves
            _log.warning("token cache %s cannot be written: %s", self.cache_path, error.strerror)

    def __repr__(self) -> str:
        return f"Credentials(client_id={self.client_id!r}, client_secret=***, api_endpoint={self.api_endpoint!r})"

    def __getstate__(self) -> dict[str, Any]:
        # Configuration travels, tokens and connections do not.
        return {**self.__dict__, "_token": EMPTY, "_hub": None, "_flight": None}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self._flight = SingleFlight(self._renew)


def _bearer(token: str) -> tuple[bytes, bytes]:
    return (b"authorization", b"Bearer " + token.encode("ascii"))


def _token_of(answer: Answer) -> Token:
    body = _codec.decode_json(answer.body, status=answer.status, headers=answer.headers)
    value = body.get("access_token") if isinstance(body, dict) else None
    lifetime_s = body.get("expires_in") if isinstance(body, dict) else None
    if not isinstance(value, str) or not _TOKEN.match(value):
        raise DecodeError("the token endpoint answered without a usable access_token", status=answer.status)
    if isinstance(lifetime_s, bool) or not isinstance(lifetime_s, (int, float)) or not lifetime_s > 0:
        raise DecodeError("the token endpoint answered without a usable expires_in", status=answer.status)
    return Token(value, time.time() + lifetime_s, float(lifetime_s))


def _token_refusal(request: Request, answer: Answer) -> APIError:
    if answer.status in (400, 401, 403):
        return error_of(request, answer, now=time.time(), kind=InvalidCredentialsException)
    return error_of(request, answer, now=time.time())


def _nowhere(_: Origin) -> bool:
    return False


_TOKEN_RULES: Final = Rules(
    service="las",
    error=_token_refusal,
    auth=None,
    auth_origins=_nowhere,
    timeouts=replace(Timeouts(), total=120.0),
    policy=_RULES_POLICY,
    max_response_bytes=1024 * 1024,
)


def read_from_environ() -> list[str]:
    """Return the four values of the environment.

    Raises:
        MissingCredentials: Not all four variables are set and not empty.
    """
    values = [os.environ.get(name, "") for name in VARIABLES]
    missing = [name for name, value in zip(VARIABLES, values, strict=True) if not value]
    if missing:
        raise MissingCredentials(f"not set in the environment: {', '.join(missing)}")
    return values


def read_from_file(
    credentials_path: str | os.PathLike[str] | None = None, section: str = "default"
) -> tuple[list[str], bool]:
    """Return the four values of a profile, and whether its tokens are to be cached.

    Args:
        credentials_path: An INI file. Default: ``~/.lucidtech/credentials.cfg``.
        section: Name of the profile.

    Raises:
        MissingCredentials: No file, no such section, a key missing or empty, or the file is malformed. The cause is
            attached; no value is repeated.
    """
    path = profile_path(credentials_path)
    parser = configparser.ConfigParser(interpolation=None)
    try:
        with path.open(encoding="utf-8") as file:
            parser.read_file(file)
    except OSError as error:
        raise MissingCredentials(f"profile {section!r}: {path} cannot be read: {error.strerror}") from error
    except (configparser.Error, UnicodeDecodeError) as error:
        # The parser's own text repeats lines of the file, which holds the secret.
        raise MissingCredentials(f"profile {section!r}: {path} is not a valid profile file{_line(error)}") from None
    if not parser.has_section(section):
        raise MissingCredentials(f"profile {section!r}: {path} has no section [{section}]")
    values = [_value(parser, section, key) for key in _KEYS]
    missing = [key for key, value in zip(_KEYS, values, strict=True) if not value]
    if missing:
        raise MissingCredentials(f"profile {section!r}: {path} lacks {', '.join(missing)}")
    return values, parser.get(section, "use_cache", fallback="").strip().lower() in _TRUE


def profile_names(credentials_path: str | os.PathLike[str] | None = None) -> list[str]:
    """Return the names of the profiles in a file, in its order; none if it is missing or malformed."""
    path = profile_path(credentials_path)
    parser = configparser.ConfigParser(interpolation=None)
    try:
        with path.open(encoding="utf-8") as file:
            parser.read_file(file)
    except (OSError, configparser.Error, UnicodeDecodeError):
        return []
    return parser.sections()


def profile_path(credentials_path: str | os.PathLike[str] | None = None) -> Path:
    """Return the file with the profiles: the one given, else ``~/.lucidtech/credentials.cfg``."""
    return Path(credentials_path) if credentials_path is not None else _home() / "credentials.cfg"


def _value(parser: configparser.ConfigParser, section: str, key: str) -> str:
    # The official client's parser interpolates: a doubled % stands for one. A single one is taken as it is.
    return parser.get(section, key, fallback="").replace("%%", "%")


def _line(error: Exception) -> str:
    number = getattr(error, "lineno", None)
    if number is None and getattr(error, "errors", None):
        number = error.errors[0][0]  # type: ignore[attr-defined]  # ParsingError: [(line number, line)]
    return f" (line {number})" if number is not None else ""


def guess_credentials(profile: str | None = None) -> Credentials:
    """Find credentials: the named profile; else the environment, if it holds all four; else the profile ``default``.

    Raises:
        MissingCredentials: None of these is usable; the message says what was looked at.
    """
    if profile:
        return _from_profile(profile)
    try:
        return Credentials(*read_from_environ())
    except MissingCredentials as in_environment:
        try:
            return _from_profile("default")
        except MissingCredentials as in_file:
            raise MissingCredentials(f"no credentials: {in_environment}; {in_file}") from in_file


def _from_profile(profile: str) -> Credentials:
    values, use_cache = read_from_file(section=profile)
    client_id, client_secret, auth_endpoint, api_endpoint = values
    return Credentials(
        client_id, client_secret, auth_endpoint, api_endpoint, cached_profile=profile if use_cache else None
    )
