"""The client of Lucidtech AI Services."""

from __future__ import annotations

from asyncclient.las._generated.operations import Operations
from asyncclient.las.documents import DocumentMethods
from asyncclient.las.waiting import WaitingMethods

__all__ = ["AsyncClient"]


class AsyncClient(DocumentMethods, WaitingMethods, Operations):
    """All operations of Lucidtech AI Services, awaited.

    ::

        async with AsyncClient() as client:
            document = await client.create_document("invoice.pdf")

    Methods, arguments and defaults are those of the official client; answers are plain dicts.

    Args:
        credentials: Default: the named profile; else the environment (``LAS_CLIENT_ID``, ``LAS_CLIENT_SECRET``,
            ``LAS_AUTH_ENDPOINT``, ``LAS_API_ENDPOINT``); else the profile ``default`` of
            ``~/.lucidtech/credentials.cfg``.
        profile: Section of the credentials file; the environment is then not looked at.
        hub: Shares connections and limits with other clients. Default: a hub of its own, closed with the client.
        timeout: Seconds for a whole call, a ``Timeouts``, an ``httpx.Timeout``, or None to wait for ever.
        max_retries: Tries beyond the first. Default: 2 after 5xx and broken connections, 3 after 429.

    Raises:
        MissingCredentials: No usable credentials were found.
    """
