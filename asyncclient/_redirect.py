"""Which request follows a redirect. Pure.

Secrets stay home: headers that may hold one are sent again only to the origin they were meant for, and nothing moves
from https to http.
"""

from __future__ import annotations

import re
from typing import Final
from urllib.parse import quote, urljoin, urlsplit

from asyncclient._messages import Origin, Request
from asyncclient.errors import RedirectRefused

__all__ = ["MAX_REDIRECTS", "follow", "split_url"]

MAX_REDIRECTS: Final = 10
_STATUSES: Final = frozenset({301, 302, 303, 307, 308})
# What may go to another origin: headers that say what the client can read, none that say who it is.
_HARMLESS: Final = frozenset({b"accept", b"accept-encoding", b"accept-language", b"if-range", b"range", b"user-agent"})
_PATH_SAFE: Final = "/:@!$&'()*+,;=-._~%[]"
_QUERY_SAFE: Final = _PATH_SAFE + "?"
_BLANK: Final = re.compile(r"[\x00-\x20\x7f]")


def split_url(url: str) -> tuple[Origin, bytes]:
    """Take an absolute URL apart into origin and target; the query is kept byte for byte.

    Raises:
        ValueError: It is not an absolute http or https URL. The text says which part, never the URL: it may be signed.
    """
    if _BLANK.search(url):
        raise ValueError("a URL must not hold blanks or control characters")
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:  # its text repeats what may be a secret
        raise ValueError("a URL must have a valid host and port") from None
    scheme = parts.scheme.lower()
    if scheme not in ("http", "https") or not parts.hostname:
        raise ValueError("a URL must begin with http:// or https:// and name a host")
    if parts.username is not None or parts.password is not None:
        raise ValueError("a URL must not hold a user name or password")
    if port is None:
        port = 443 if scheme == "https" else 80
    try:
        host = parts.hostname if parts.hostname.isascii() else parts.hostname.encode("idna").decode("ascii")
        target = quote(parts.path or "/", safe=_PATH_SAFE)
        if parts.query:
            target = f"{target}?{quote(parts.query, safe=_QUERY_SAFE)}"
    except UnicodeError:
        raise ValueError("a URL must be valid Unicode") from None
    if port == 0:
        raise ValueError("a URL must have a valid host and port")
    return Origin(scheme, host.lower(), port), target.encode("ascii")


def follow(request: Request, status: int, location: bytes | None) -> Request | None:
    """Return the request that a redirect asks for, or None if it is not to be followed.

    GET and HEAD are followed; other methods never, because a body meant for one place must not be sent to another
    unasked: their redirect is an error of its own.

    Raises:
        RedirectRefused: The redirect leads from https to http, or its target is no URL.
    """
    if status not in _STATUSES or location is None or request.method not in (b"GET", b"HEAD"):
        return None
    base = f"{request.origin}{request.target.decode('ascii')}"
    try:
        origin, target = split_url(urljoin(base, location.decode("utf-8")))
    except ValueError:
        raise _refused(request, "to something that is not a URL") from None
    if request.origin.scheme == "https" and origin.scheme == "http":
        raise _refused(request, "from https to http")
    headers = request.headers
    if origin != request.origin:
        headers = [(name, value) for name, value in headers if name.lower() in _HARMLESS]
    return Request(request.method, origin, target, headers, None, idempotent=True)


def _refused(request: Request, where: str) -> RedirectRefused:
    return RedirectRefused(
        f"the service redirects {where}; not followed",
        origin=str(request.origin),
        method=request.method.decode("ascii"),
    )
