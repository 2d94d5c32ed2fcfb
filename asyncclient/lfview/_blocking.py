"""What the blocking sessions have that cannot be generated: attributes that can be set, an HTTP client that blocks."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from asyncclient._sync.base import SyncFacade
from asyncclient.lfview.client import AsyncUnauthenticatedSession

if TYPE_CHECKING:
    import httpx

__all__ = ["BlockingSession"]

A = TypeVar("A", bound=AsyncUnauthenticatedSession)


class BlockingSession(SyncFacade[A]):
    """The base of the blocking sessions."""

    @property
    def api_key(self) -> str | None:
        """The key; another one is used from the next request on."""
        return self._async.api_key

    @api_key.setter
    def api_key(self, value: str | None) -> None:
        self._async.api_key = value

    @property
    def source(self) -> str | None:
        """Provenance; another text is sent from the next request on, none after ``del session.source``."""
        return self._async.source

    @source.setter
    def source(self, value: str | None) -> None:
        self._async.source = value

    @source.deleter
    def source(self) -> None:
        del self._async.source

    @property
    def session(self) -> httpx.Client:
        """An HTTP client of your own with the headers of the API, for what no method here does.

        It has its own connections, is made when it is first asked for, and closed with this session. Its requests carry
        the key wherever they go.
        """
        account = self._async._account
        if account.http is None:
            from asyncclient import _httpx  # httpx is loaded only when it is used

            account.http = _httpx.new_client(account.headers)
        found: httpx.Client = account.http
        return found

    def close(self) -> None:
        """Close what this object opened itself; a hub it was given stays open. May be repeated."""
        account = self._async._account
        if self._recipe.parent is None:  # copies share the account, and close nothing
            http, account.http = account.http, None
            if http is not None:
                http.close()
        super().close()
