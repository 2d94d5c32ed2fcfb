"""Requests and answers as httpx shows them, and clients of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import httpx

from asyncclient._messages import Headers, Request

if TYPE_CHECKING:
    from asyncclient._pipeline import Answer

__all__ = ["new_async_client", "new_client", "to_httpx_response", "url_of"]

_SECRET_HEADERS: Final = frozenset(
    {b"authorization", b"proxy-authorization", b"cookie", b"x-api-key", b"x-amz-security-token"}
)


def url_of(request: Request) -> httpx.URL:
    """Return where a request goes, in one piece."""
    scheme, host, port = request.origin
    return httpx.URL(scheme=scheme, host=host, port=port, raw_path=request.target)


def new_async_client(headers: dict[str, str]) -> httpx.AsyncClient:
    """Return a client of httpx's own, for users who want to send something by hand."""
    return httpx.AsyncClient(headers=headers, follow_redirects=True)


def new_client(headers: dict[str, str]) -> httpx.Client:
    """Return a blocking client of httpx's own, for users who want to send something by hand."""
    return httpx.Client(headers=headers, follow_redirects=True)


def to_httpx_response(request: Request, answer: Answer) -> httpx.Response:
    """Return an answer, content encoding undone, as httpx would have; for ``with_raw_response``.

    The request beside it shows where it went and what it carried, with the values of secret headers replaced.
    """
    shown: Headers = [
        (name, b"[redacted]" if name.lower() in _SECRET_HEADERS else value) for name, value in request.headers
    ]
    body = request.body if isinstance(request.body, bytes) else None
    sent = httpx.Request(request.method.decode("ascii"), url_of(request), headers=shown, content=body)
    # The headers come last: httpx would undo the content encoding once more.
    response = httpx.Response(answer.status, content=answer.body, request=sent)
    response.headers = httpx.Headers(answer.headers)
    return response
