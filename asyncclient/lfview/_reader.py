"""The session that reads, and what all sessions have."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from asyncclient.lfview._account import DISCOVERY_URL
from asyncclient.lfview._api import ApiClient
from asyncclient.types import UNSET

if TYPE_CHECKING:
    from typing import Self

    import httpx

    from asyncclient.hub import AsyncHub

__all__ = ["AsyncUnauthenticatedSession"]


class AsyncUnauthenticatedSession(ApiClient):
    """Reads what anybody may read.

    ::

        async with AsyncUnauthenticatedSession() as session:
            view = await session.download("https://lfview.com/app/org/project/view")

    Nothing is sent before the first call, or :meth:`connect`, or ``async with``.

    Args:
        api_key: Key of a user, or None.
        service: Base service, handed on to the discovery service as it is.
        source: Provenance, sent with every request to the API. Default: ``client_version``.
        client_version: What the service is told about the client.
        endpoint: Another name for ``service``, which goes before it.
        discovery_url: Where the addresses of the service are asked for; a URL without a path stands for a host with the
            usual path.
        hub: Shares connections and limits with other clients. Default: a hub of its own, closed with the session.
        timeout: Seconds for a call for metadata, a ``Timeouts``, an ``httpx.Timeout``, or None to wait for ever. Content
            may take as long as it moves.
        max_retries: Tries beyond the first of what may be repeated. Default: 3.

    Raises:
        ConfigurationError: ``discovery_url`` is not a URL.
    """

    def __init__(
        self,
        api_key: str | None = None,
        service: str | None = None,
        source: str | None = None,
        client_version: str | None = None,
        endpoint: str | None = None,
        *,
        discovery_url: str = DISCOVERY_URL,
        hub: AsyncHub | None = None,
        timeout: Any = UNSET,
        max_retries: int | None = None,
    ) -> None:
        super().__init__(
            api_key,
            service,
            source,
            client_version,
            endpoint,
            discovery_url=discovery_url,
            hub=hub,
            timeout=timeout,
            max_retries=max_retries,
        )
        self._owner = self  # copies share the account, and close nothing

    async def __aenter__(self) -> Self:
        try:
            await self.connect()
        except BaseException:
            await self.aclose()
            raise
        return self

    # --- attributes --------------------------------------------------------------------------------------------------

    @property
    def api_key(self) -> str | None:
        """The key; another one is used from the next request on."""
        return self._account.key

    @api_key.setter
    def api_key(self, value: str | None) -> None:
        self._account.set_key(value)

    @property
    def service(self) -> str | None:
        """The base service, or None for the default."""
        return self._service_name

    @property
    def client_version(self) -> str:
        """What the service is told about the client."""
        return self._client_version

    @property
    def source(self) -> str | None:
        """Provenance; another text is sent from the next request on, none after ``del session.source``."""
        return self._account.source

    @source.setter
    def source(self, value: str | None) -> None:
        self._account.set_source(value)

    @source.deleter
    def source(self) -> None:
        self._account.set_source(None)

    @property
    def upload_api_url_spec(self) -> str | None:
        """Form of the URLs that resources are posted to; None before the session is connected."""
        return self._account.upload_api_url_spec

    @property
    def upload_base_url(self) -> str | None:
        """Where uploads go; None before the session is connected, and without a key."""
        return self._account.upload_base_url

    @property
    def headers(self) -> dict[str, str]:
        """The headers that the API gets, the key among them."""
        return self._account.headers

    @property
    def session(self) -> httpx.AsyncClient:
        """An HTTP client of your own with :attr:`headers`, for what no method here does.

        It has its own connections, is made when it is first asked for, and closed with this session. Its requests carry
        the key wherever they go.
        """
        if self._account.http is None:
            from asyncclient import _httpx  # httpx is loaded only when it is used

            self._account.http = _httpx.new_async_client(self.headers)
        found: httpx.AsyncClient = self._account.http
        return found

    async def aclose(self) -> None:
        """Close the hub if this session made it, and what :attr:`session` gave; may be repeated."""
        if self._owner is self:
            http, self._account.http = self._account.http, None
            if http is not None:
                await http.aclose()
        await super().aclose()

    # --- downloads ---------------------------------------------------------------------------------------------------

    async def download(
        self,
        url: str,
        recursive: bool = True,
        copy: bool = False,
        verbose: bool = False,
        allow_failure: bool = False,
        parallel: bool = True,
        workers: int | None = 100,
        executor: Any = None,
    ) -> Any:
        """Fetch a resource, its content, and everything it points to.

        Args:
            url: Of a view as the browser shows it (``/app/`` or ``/embed/``), or of any resource in the API.
            recursive: Whether pointers are followed; those of slides and feedback never are.
            copy: Whether the objects are new ones: a later upload then creates everything again.
            verbose: Whether progress is written to standard output.
            allow_failure: Whether what cannot be fetched stays a URL, in place of an error.
            parallel: Whether several resources are fetched at a time.
            workers: At most how many; the limits of the hub hold as well. None for no other limit.
            executor: Accepted for compatibility and not used; a ``SynchronousExecutor`` stands for ``parallel=False``.

        Returns:
            The object; the URL if it could not be fetched and ``allow_failure`` is set.

        Raises:
            HTTPError: A resource or its content cannot be fetched; nothing is returned.
            BadAnswer: An answer is not what it should be.
            UnknownType: A resource is of a type for which there is no class.
            BadURL: ``url`` is no URL.
        """
        from asyncclient.lfview import _downloading as work
        from asyncclient.lfview._options import Options

        options = Options.of(verbose, parallel, workers, executor)
        return await work.download_graph(self, work.DownloadJob(url, recursive, copy, allow_failure), options)
