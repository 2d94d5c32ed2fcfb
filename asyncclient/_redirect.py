"""Which request follows a redirect. Pure.

Secrets stay home: headers that may hold one are sent again only to the service they were meant for, and nothing moves
from https to http. A signed address is never home, whatever its origin: it carries its own permission, stores refuse a
second one, and a store behind the same host is not the service.
"""

from __future__ import annotations

import re
from typing import Final

from asyncclient._messages import Origin, Request
from asyncclient.errors import RedirectRefused

__all__ = ["MAX_REDIRECTS", "follow", "is_signed", "leaves_home", "split_url"]

MAX_REDIRECTS: Final = 10
_STATUSES: Final = frozenset({301, 302, 303, 307, 308})
# What may go to another origin: headers that say what the client can read, none that say who it is.
_HARMLESS: Final = frozenset({b"accept", b"accept-encoding", b"accept-language", b"if-range", b"range", b"user-agent"})
_PATH_SAFE: Final = "/:@!$&'()*+,;=-._~%[]"
_QUERY_SAFE: Final = _PATH_SAFE + "?"
# As S3, Google, Alibaba (…-Signature), CloudFront, S3 of old (Signature), Azure (sig) name it.
_SIGNATURE: Final = rb"(?i)(?:.*-)?signature|sig"
_BLANK: Final = r"[\x00-\x20\x7f]"


def split_url(url: str) -> tuple[Origin, bytes]:
    """Take an absolute URL apart into origin and target; the query is kept byte for byte.

    Raises:
        ValueError: It is not an absolute http or https URL. The text says which part, never the URL: it may be signed.
    """
    from urllib.parse import quote, urlsplit  # in here: services seldom redirect

    if re.search(_BLANK, url):
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


def is_signed(target: bytes) -> bool:
    """Tell whether the query of a target carries a signature."""
    from urllib.parse import unquote_to_bytes

    pairs = target.partition(b"?")[2].split(b"&")
    return any(re.fullmatch(_SIGNATURE, unquote_to_bytes(pair.partition(b"=")[0])) for pair in pairs)


def leaves_home(request: Request, redirected: Request, home: bytes | None = b"/") -> bool:
    """Tell whether a redirect leads to somebody who must not see what the first request was signed with.

    Args:
        request: The one that was answered with a redirect.
        redirected: The one that follows.
        home: Path under which the service lies on its origin, with a slash at its end. None: every redirect leaves it.
    """
    if home is None or redirected.origin != request.origin or is_signed(redirected.target):
        return True
    from urllib.parse import unquote_to_bytes

    # Dots would be resolved by servers: below ``/api/../store`` nobody is at home. Some take a backslash for a slash, or
    # look only at what is before a semicolon.
    path = unquote_to_bytes(redirected.target.partition(b"?")[0]).replace(b"\\", b"/")
    return not path.startswith(home) or any(part.partition(b";")[0] == b".." for part in path.split(b"/"))


def follow(request: Request, status: int, location: bytes | None, home: bytes | None = b"/") -> Request | None:
    """Return the request that a redirect asks for, or None if it is not to be followed.

    GET and HEAD are followed; other methods never, because a body meant for one place must not be sent to another
    unasked: their redirect is an error of its own. ``home``: as for :func:`leaves_home`; there secrets go along.

    Raises:
        RedirectRefused: The redirect leads from https to http, or its target is no URL.
    """
    if status not in _STATUSES or location is None or request.method not in (b"GET", b"HEAD"):
        return None
    from urllib.parse import urljoin

    base = f"{request.origin}{request.target.decode('ascii')}"
    try:
        origin, target = split_url(urljoin(base, location.decode("utf-8")))
    except ValueError:
        raise _refused(request, "to something that is not a URL") from None
    if request.origin.scheme == "https" and origin.scheme == "http":
        raise _refused(request, "from https to http")
    redirected = Request(request.method, origin, target, request.headers, None, idempotent=True)
    if leaves_home(request, redirected, home):
        redirected.headers = [(name, value) for name, value in request.headers if name.lower() in _HARMLESS]
    return redirected


def _refused(request: Request, where: str) -> RedirectRefused:
    return RedirectRefused(
        f"the service redirects {where}; not followed",
        origin=str(request.origin),
        method=request.method.decode("ascii"),
    )
