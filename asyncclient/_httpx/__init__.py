"""The only importer of httpx: our pool as an httpx transport, httpx transports and clients as ours, its response class.

Imported when one of these is used, never by ``import asyncclient``.
"""

from asyncclient._httpx.environment import environment_transport
from asyncclient._httpx.foreign import FROM_HTTPX, ForeignTransport
from asyncclient._httpx.given import as_transport
from asyncclient._httpx.pooled import TO_HTTPX, PoolTransport
from asyncclient._httpx.raw import new_async_client, new_client, to_httpx_response

__all__ = [
    "FROM_HTTPX",
    "TO_HTTPX",
    "ForeignTransport",
    "PoolTransport",
    "as_transport",
    "environment_transport",
    "new_async_client",
    "new_client",
    "to_httpx_response",
]
