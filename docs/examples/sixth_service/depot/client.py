"""The client of Depot."""

from __future__ import annotations

from asyncclient.depot._generated.operations import Operations
from asyncclient.depot.content import ContentMethods

__all__ = ["AsyncClient"]


class AsyncClient(ContentMethods, Operations):
    """All operations of Depot, awaited.

    Args:
        api_key: Sent as ``X-Api-Key``, to ``base_url`` alone.
        base_url: Where the service is.
        hub: Connections and limits to share. Default: a hub of its own, closed with the client.
        timeout: Seconds for a whole call, a ``Timeouts``, or None to wait for ever.
        max_retries: Tries beyond the first; 0 for none.
    """
