"""Taking secrets of a request out of what a service answers to it. Pure.

A service may repeat what it was sent: a gateway that prints the headers it did not like, a store that quotes the
signature it did not expect. What ends up in an error is cleaned first, where the request is still at hand, so that no
message, attribute, journal, log or span made from it can hold one.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote, quote_plus, unquote_plus

from asyncclient import _codec
from asyncclient._messages import Request
from asyncclient.errors import DecodeError

if TYPE_CHECKING:
    from asyncclient._messages import Headers

__all__ = ["HIDDEN_PATH", "REDACTED", "cleaned", "cleaned_headers", "hidden", "secrets_of"]

REDACTED: Final = b"[redacted]"
HIDDEN_PATH: Final = "/[redacted]"
"""In place of a path that may open something by itself."""

# What is said in these is no secret; of any other header, one given by the user included, nobody knows.
_OPEN_HEADERS: Final = frozenset(
    b"accept accept-charset accept-encoding accept-language accept-ranges cache-control connection content-disposition "
    b"content-encoding content-length content-md5 content-range content-type date expect host if-match if-modified-since "
    b"if-none-match if-range if-unmodified-since origin range te traceparent tracestate transfer-encoding user-agent "
    b"x-amz-acl x-amz-date x-goog-resumable x-upload-content-length x-upload-content-type".split()
)
_SECRET_NAME: Final = re.compile(
    r"auth|code|cookie|cred|hmac|key|passw|policy|private|secret|session|sig|ticket|token|upload_id", re.IGNORECASE
)
# Of members of JSON, where "key" and "code" are mostly names of things.
_SECRET_MEMBER: Final = re.compile(r"passw|secret|token|ticket|credential|private|api_?key|^key$", re.IGNORECASE)
# A shorter one would blot out words by chance, and can be guessed anyway.
_LEAST: Final = 6
_LEAST_SEGMENT: Final = 16
_MOST_BODY_BYTES: Final = 64 * 1024


def secrets_of(request: Request, signature: tuple[bytes, bytes] | None = None, *, own: bool = True) -> list[bytes]:
    """Return what must not be repeated of a request, in every form it is likely to be repeated in; the longest first.

    Args:
        request: As it was made.
        signature: The header that signed it, if it is not among its headers.
        own: Whether it went to the service itself. The path of any other may be all that opens it.
    """
    headers: Headers = [*request.headers, *([signature] if signature is not None else ())]
    found: set[bytes] = set()
    for name, value in headers:
        if name.lower() not in _OPEN_HEADERS:
            found.update(_header_secrets(value))
    found.update(_form_secrets(request.target.partition(b"?")[2]))
    found.update(_body_secrets(request))
    if not own:
        found.update(
            segment for segment in request.target.partition(b"?")[0].split(b"/") if len(segment) >= _LEAST_SEGMENT
        )
    forms = {form for secret in found if len(secret) >= _LEAST for form in _forms(secret)}
    return sorted(forms, key=len, reverse=True)


def hidden(request: Request) -> Request:
    """Return a request without its path, for what is said of it."""
    return Request(request.method, request.origin, HIDDEN_PATH.encode(), request.headers, idempotent=request.idempotent)


def cleaned(text: bytes, secrets: Iterable[bytes]) -> bytes:
    """Return a text without any of the secrets."""
    for secret in secrets:
        if secret in text:
            text = text.replace(secret, REDACTED)
    return text


def cleaned_headers(headers: Headers, secrets: list[bytes]) -> Headers:
    """Return header pairs without any of the secrets."""
    return [(name, cleaned(value, secrets)) for name, value in headers]


def _header_secrets(value: bytes) -> Iterator[bytes]:
    yield value
    for word in re.split(rb"[\s;,]+", value)[-3:]:  # after "Bearer", or a few cookies
        yield word
        yield word.rpartition(b":")[2]  # keys that begin with the host they are for
        yield word.partition(b"=")[2]
    scheme, _, rest = value.partition(b" ")
    if scheme.lower() == b"basic":
        try:
            pair = base64.b64decode(rest, validate=True)
        except binascii.Error:
            return
        yield pair
        yield pair.partition(b":")[2]


def _body_secrets(request: Request) -> Iterator[bytes]:
    body = request.body
    if not isinstance(body, bytes) or len(body) > _MOST_BODY_BYTES:
        return
    if body[:1] in (b"{", b"["):
        try:
            yield from _json_secrets(_codec.decode_json(body), secret=False)
        except DecodeError:
            return
    elif b"=" in body:
        yield from _form_secrets(body)


def _json_secrets(value: Any, *, secret: bool) -> Iterator[bytes]:
    if isinstance(value, dict):
        for name, item in value.items():
            yield from _json_secrets(item, secret=secret or bool(_SECRET_MEMBER.search(name)))
    elif isinstance(value, list):
        for item in value:
            yield from _json_secrets(item, secret=secret)
    elif secret and isinstance(value, str):
        yield value.encode("utf-8", "replace")


def _form_secrets(text: bytes) -> Iterator[bytes]:
    """Yield values decoded, and as they stand: there are several ways to write one, and it may be quoted as it came."""
    for pair in text.split(b"&"):
        name, _, value = pair.partition(b"=")
        if value and _SECRET_NAME.search(unquote_plus(name.decode("utf-8", "replace"))):
            yield value
            yield unquote_plus(value.decode("utf-8", "replace")).encode("utf-8", "replace")


def _forms(secret: bytes) -> Iterator[bytes]:
    yield secret
    yield quote(secret, safe="").encode()
    yield quote_plus(secret).encode()
    yield base64.b64encode(secret)
    yield base64.urlsafe_b64encode(secret).rstrip(b"=")
    yield secret.hex().encode()
    text = secret.decode("utf-8", "replace")
    yield _codec.encode(text)[1:-1]
