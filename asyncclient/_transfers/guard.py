"""Keeps secrets out of what is written to disk. Pure.

The journal outlives tokens and signed URLs and lies in a home directory that is backed up. Nothing that looks like one
is written: a refusal shows the mistake in the first test, a silent cut would hide it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

from asyncclient.errors import ArgumentError

__all__ = ["check_no_secrets", "check_path", "redact"]

_URL: Final = re.compile(r"[a-z][a-z0-9+.-]*://[^\s\"'<>]*", re.IGNORECASE)
# Anchored where words of ordinary names would match too: "Basic measurements.pdf" is no header value.
_CREDENTIAL: Final = re.compile(
    r"\A\s*bearer\s+[\w.~+/=-]{8,}\s*\Z|\A\s*(?:basic|negotiate|scitran-user)\s+[\w:~+/=-]{8,}\s*\Z"
    r"|\bauthorization\s*[:=]\s*\S+(?:\s+\S+)?"
    r"|\beyJ[\w-]{8,}\.eyJ[\w-]+\.[\w-]*"
    r"|(?:\A|[?&;])(?:x-amz-(?:signature|credential|security-token)|x-goog-(?:signature|credential)|signature|sig"
    r"|access_token|refresh_token|id_token|api_?key|token|password|secret)=[^\s&\"']+",
    re.IGNORECASE,
)
_HEADER_VALUE: Final = re.compile(r"\b(bearer|basic|negotiate|scitran-user)\s+[\w.:~+/=-]{8,}", re.IGNORECASE)
_SECRET_KEYS: Final = frozenset(
    [
        "authorization",
        "proxyauthorization",
        "cookie",
        "setcookie",
        "token",
        "accesstoken",
        "refreshtoken",
        "idtoken",
        "securitytoken",
        "password",
        "passwd",
        "secret",
        "clientsecret",
        "apikey",
        "privatekey",
        "credential",
        "credentials",
        "signature",
        "signedurl",
        "presignedurl",
        "url",
    ]
)


def check_no_secrets(value: Any, *, where: str = "") -> None:
    """Refuse a value that holds, at any depth, what looks like a token, a signed URL or a header value.

    Raises:
        ArgumentError: It does. The message names the place and not the value.
    """
    if isinstance(value, str):
        if _has_private_url(value) or _CREDENTIAL.search(value):
            raise _refusal(where)
    elif isinstance(value, Mapping):
        for key, item in value.items():
            if re.sub(r"[\W_]", "", str(key)).lower() in _SECRET_KEYS and item:
                raise _refusal(f"{where}.{key}")
            check_no_secrets(item, where=f"{where}.{key}")
    elif isinstance(value, (list, tuple)):
        for index, item in enumerate(value):
            check_no_secrets(item, where=f"{where}[{index}]")


def check_path(value: str, *, where: str = "") -> None:
    """Refuse a path that is a URL with a query or a password; words that look like secrets are just file names.

    Raises:
        ArgumentError: It is.
    """
    if _has_private_url(value):
        raise _refusal(where)


def redact(text: str) -> str:
    """Take queries, passwords and credentials out of a message, for what must be written in any case."""
    text = _HEADER_VALUE.sub(r"\1 [removed]", _URL.sub(_cut_url, text))
    return _CREDENTIAL.sub("[removed]", text)


def _has_private_url(text: str) -> bool:
    return any(_cut_url(match) != match[0] for match in _URL.finditer(text))


def _cut_url(match: re.Match[str]) -> str:
    scheme, _, rest = match[0].partition("://")
    rest = rest.partition("?")[0]
    authority, slash, path = rest.partition("/")
    return f"{scheme}://{authority.rpartition('@')[2]}{slash}{path}"


def _refusal(where: str) -> ArgumentError:
    return ArgumentError(
        f"the journal must not hold secrets, and {where.strip('.') or 'a value'} looks like one; keep ids, not URLs",
        argument=where.strip(".") or None,
    )
