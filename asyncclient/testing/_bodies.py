"""Bodies of requests, read as JSON."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from asyncclient.testing._contract import Refusal

if TYPE_CHECKING:
    from asyncclient.testing._emulator import Exchange

__all__ = ["json_body", "media_type"]


def media_type(exchange: Exchange) -> str:
    """Return the media type of a request, in lower case and without parameters; empty if it names none."""
    return str(exchange.request.headers.get("content-type", "")).partition(";")[0].strip().lower()


async def json_body(exchange: Exchange) -> Any:
    """Read a request whose body has to be JSON.

    Raises:
        Refusal: 415, it says that it is something else; 400, it is not JSON.
    """
    if media_type(exchange) != "application/json":
        raise Refusal(415, "Unsupported Media Type")
    body = await exchange.request.body()
    try:
        return json.loads(body, parse_constant=_no_constant)
    except ValueError:
        raise Refusal(400, "body: is not JSON") from None


def _no_constant(text: str) -> None:
    raise ValueError(text)  # NaN and infinities are Python's idea of JSON
