"""Who uses the service, and where it is: the key, the provenance, what discovery has told."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote_plus, urlsplit
from weakref import WeakKeyDictionary

from asyncclient._redirect import split_url
from asyncclient._url import BaseUrl
from asyncclient.errors import ArgumentTypeError
from asyncclient.lfview.exceptions import BadAnswer, TermsNotAccepted, ValidationError

if TYPE_CHECKING:
    from asyncclient._messages import Origin

__all__ = ["CLIENT_VERSION", "DISCOVERY_URL", "Account", "discovery_target"]

DISCOVERY_URL: Final = "https://api.seequent.systems/v1/endpoints/lookup"
CLIENT_VERSION: Final = "View API Python Client v0.1.2"
"""What the service is told by default; it may turn away clients it does not know."""

_LOOKUP_PATH: Final = "/v1/endpoints/lookup"
_FIELD: Final = re.compile(r"\{([a-z_]+)\}")
_UNSENDABLE: Final = re.compile(r"[\x00-\x1f\x7f]")


class Account:
    """State that a session shares with its copies.

    It signs requests too: see :class:`asyncclient._auth.Auth`.

    Args:
        api_key: The key, or None to read only.
        source: Provenance, or None for none.

    Attributes:
        upload_api_url_spec: Form of the URLs that resources are posted to; None before the session has connected.
        upload_base_url: Where the user's uploads go; None before, and without a key.
        homes: The origins of the API: nothing else gets to see the key.
        connected: Whether all that is known.
        unfinished: Resources whose content is not complete, with what it is told from others by.
        http: The user's own HTTP client, once it was asked for; it gets every change of the headers.
    """

    def __init__(self, api_key: str | None, source: str | None) -> None:
        self._key: str | None = None
        self._source: str | None = None
        self.http: Any = None
        self.set_key(api_key)
        self.set_source(source)
        self.upload_api_url_spec: str | None = None
        self.upload_base_url: str | None = None
        self.homes: frozenset[Origin] = frozenset()
        self.connected = False
        self.unfinished: WeakKeyDictionary[Any, str] = WeakKeyDictionary()

    @property
    def key(self) -> str | None:
        """The key."""
        return self._key

    @property
    def source(self) -> str | None:
        """Provenance."""
        return self._source

    def set_key(self, value: str | None) -> None:
        """Use another key from the next request on."""
        self._key = None if value is None else _sendable("api_key", value)
        self._refresh()

    def set_source(self, value: str | None) -> None:
        """Say something else from the next request on, or nothing."""
        self._source = None if value is None else _sendable("source", value)
        self._refresh()

    @property
    def headers(self) -> dict[str, str]:
        """The headers that the API gets."""
        found = {"Accept-Encoding": "gzip, deflate"}
        if self._key:
            found["Authorization"] = f"bearer {self._key}"
        if self._source:
            found["Source"] = self._source
        return found

    def _refresh(self) -> None:
        if self.http is not None:
            self.http.headers = self.headers

    # --- signing -----------------------------------------------------------------------------------------------------

    def header_nowait(self) -> tuple[bytes, bytes]:
        """Return the header; it is asked for only where there is a key."""
        return b"authorization", b"bearer " + header_bytes(self._key or "")

    async def header(self) -> tuple[bytes, bytes]:
        """Return the header."""
        return self.header_nowait()

    def reject(self, header: tuple[bytes, bytes]) -> bool:
        """Tell whether the key was changed since."""
        return header != self.header_nowait()

    # --- what the service says ---------------------------------------------------------------------------------------

    def take_discovery(self, answer: Any, *, secure: bool) -> str:
        """Take the answer of the discovery service; returns where to ask for the user.

        Args:
            answer: Decoded.
            secure: Whether it came over https; the key then travels over nothing else.

        Raises:
            BadAnswer: It lacks something, or leads to where no key may be sent.
        """
        spec, user_url = _text(answer, "upload_api_url_spec"), _text(answer, "user_api_url")
        self.homes = frozenset({_home(user_url, "user_api_url", secure)})
        self.upload_api_url_spec = spec
        return user_url

    def take_user(self, answer: Any, *, secure: bool) -> None:
        """Take the answer about the user.

        Raises:
            TermsNotAccepted: The user has not accepted them.
            BadAnswer: It does not say where uploads go.
        """
        if not (isinstance(answer, dict) and answer.get("accepted_terms")):
            raise TermsNotAccepted("the terms of service are not accepted yet; log in to LF View in a browser to do so")
        base = _text(answer.get("links"), "default_upload_location")
        self.homes |= {_home(base, "default_upload_location", secure)}
        self.upload_base_url = base

    def upload_url(self, base_type: str, sub_type: str | None) -> str:
        """Return the URL that resources of a type are posted to.

        Raises:
            BadAnswer: The form that the service gave cannot be filled in.
        """
        values = {
            "upload_base_url": self.upload_base_url or "",
            "base_type": base_type,
            "type_delimiter": "/" if sub_type else "",
            "sub_type": sub_type or "",
        }
        spec = self.upload_api_url_spec or ""
        unknown = [name for name in _FIELD.findall(spec) if name not in values]
        if unknown:
            raise BadAnswer(f"the service wants {', '.join(unknown)} in its URLs, which this client does not know")
        # Not str.format: what the service sends is no program.
        return _FIELD.sub(lambda found: values[found[1]], spec)


def discovery_target(url: str, client_version: str, service: str | None) -> tuple[Origin, bytes]:
    """Return where the discovery request goes; a URL without a path is that of a host with the usual path.

    Raises:
        ConfigurationError: It is not a URL.
    """
    base = BaseUrl.parse(url, what="discovery_url")
    query = f"client_version={quote_plus(client_version)}"
    if service:
        query += f"&service={quote_plus(service)}"
    return base.origin, f"{base.path or _LOOKUP_PATH}?{query}".encode("ascii")


def header_bytes(text: str) -> bytes:
    """Return text as it goes into a header: Latin-1 as the platform's own client, UTF-8 for what that cannot say."""
    try:
        return text.encode("latin-1")
    except UnicodeEncodeError:
        return text.encode("utf-8", "replace")


def _sendable(name: str, value: str) -> str:
    if not isinstance(value, str):
        raise ArgumentTypeError(f"{name} must be text, not {type(value).__name__}", argument=name)
    if _UNSENDABLE.search(value):
        raise ValidationError(f"{name} must not hold control characters")
    return value


def _text(answer: Any, name: str) -> str:
    value = answer.get(name) if isinstance(answer, dict) else None
    if not isinstance(value, str) or not value:
        raise BadAnswer(f"the answer of the service has no {name}")
    return value


def _home(url: str, name: str, secure: bool) -> Origin:
    try:
        origin, _ = split_url(url)
    except ValueError as error:
        raise BadAnswer(f"the service named an unusable {name}: {error}") from None
    if secure and urlsplit(url).scheme.lower() != "https":
        raise BadAnswer(f"the service named a {name} without https, where no key may be sent")
    return origin
