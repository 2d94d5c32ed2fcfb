"""The transport of ours that a user means."""

from __future__ import annotations

from typing import cast

import httpx

from asyncclient._httpx.foreign import ForeignTransport
from asyncclient._httpx.pooled import PoolTransport
from asyncclient._messages import Transport
from asyncclient.errors import ArgumentTypeError

__all__ = ["as_transport"]


def as_transport(given: object, *, max_connections: int = 32) -> Transport:
    """Make a transport of ours of what a user gave.

    Args:
        given: An async httpx transport or client, or a transport of ours.
        max_connections: Requests at a time over an httpx transport.

    Raises:
        ArgumentTypeError: It is neither an async httpx transport or client, nor a transport of ours.
    """
    if isinstance(given, PoolTransport):
        return given.pool  # the scheduler of the hub admits requests; no second queue behind it
    if isinstance(given, (httpx.AsyncBaseTransport, httpx.AsyncClient)):
        return ForeignTransport(given, max_connections=max_connections)
    foreign = any(base.__module__.partition(".")[0] in ("httpx", "httpx2") for base in type(given).__mro__)
    if (
        not foreign
        and not isinstance(given, type)
        and callable(getattr(given, "send", None))
        and callable(getattr(given, "aclose", None))
    ):
        return cast("Transport", given)
    raise ArgumentTypeError(
        f"transport must be an httpx.AsyncBaseTransport or httpx.AsyncClient, not {type(given).__module__}."
        f"{type(given).__qualname__}",
        argument="transport",
    )
