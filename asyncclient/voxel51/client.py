"""The sessions of the Voxel51 Platform: a user's, and an application's."""

from __future__ import annotations

import copy
import inspect
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final, Self, TypeVar

from asyncclient._map import run_map
from asyncclient.errors import ArgumentError, ArgumentTypeError
from asyncclient.types import UNSET
from asyncclient.voxel51 import tokens
from asyncclient.voxel51._generated.operations import ApplicationOperations, Operations, applications
from asyncclient.voxel51.active_user import ActiveUser, ActiveUsers
from asyncclient.voxel51.downloads import DownloadMethods
from asyncclient.voxel51.exceptions import AnalyticNotFound, application_refusal
from asyncclient.voxel51.paging import PagingMethods
from asyncclient.voxel51.queries import AnalyticsQuery
from asyncclient.voxel51.uploads import UploadMethods
from asyncclient.voxel51.waiting import WaitingMethods

if TYPE_CHECKING:
    from asyncclient._endpoint import Endpoint
    from asyncclient._messages import Headers
    from asyncclient._pipeline import Rules
    from asyncclient.hub import AsyncHub

__all__ = ["AsyncAPI", "AsyncApplicationAPI"]

T = TypeVar("T")
R = TypeVar("R")

_WORKERS: Final = 16
_USER_HEADER: Final = tokens.USER_HEADER.encode("ascii")


class AsyncAPI(UploadMethods, DownloadMethods, WaitingMethods, PagingMethods, Operations):
    """All that a user can do on the platform, awaited.

    ::

        async with AsyncAPI() as api:
            data = await api.upload_data("clip.mp4")

    Methods, arguments and defaults are those of the official client; answers are plain dicts.

    Args:
        token: Default: ``VOXEL51_API_PRIVATE_KEY`` (with ``VOXEL51_API_BASE_URL``), the file that ``VOXEL51_API_TOKEN``
            names, or the active token.
        keep_alive: Accepted for compatibility; connections are kept in any case.
        allow_http: Whether the key may go to another machine in clear text.
        query_string: Whether queries are sent in the URL, as before 2020, for proxies that refuse a GET with a body.
        hub: Shares connections and limits with other clients. Default: a hub of its own, closed with the session.
        timeout: Seconds for a whole small call, a ``Timeouts``, an ``httpx.Timeout``, or None to wait for ever. Files
            may take as long as they move.
        max_retries: Tries beyond the first of what may be repeated; uploads are never. Default: 3.

    Raises:
        TokenError: No usable token was found.
    """

    @classmethod
    def from_json(cls, token_path: tokens.StrPath, **kwargs: Any) -> Self:
        """Make a session of a token file; ``kwargs`` are those of the class.

        Raises:
            TokenError: The file is missing, or not a token.
        """
        return cls(token=tokens.load(cls._level, token_path), **kwargs)

    async def get_analytic_id(self, name: str, version: str | None = None) -> str:
        """Find an analytic's id by its exact name and version.

        Args:
            name: Its name.
            version: Default: the first that the platform lists.

        Raises:
            AnalyticNotFound: There is none (also a ``ValueError``).
        """
        query = AnalyticsQuery().add_fields(("id", "name", "version")).add_search("name", name)
        if version is not None:
            query.add_search("version", version).set_all_versions(True)
        answer: Any = await self.query_analytics(query)
        for record in answer.get("analytics") or ():
            # The platform finds parts of names too.
            if record.get("name") == name and (version is None or record.get("version") == version):
                return str(record["id"])
        raise AnalyticNotFound(f"Analytic '{name}{'' if version is None else f' v{version}'}' not found")

    @staticmethod
    async def thread_map(
        callback: Callable[[T], Awaitable[R] | R], iterable: Iterable[T], max_workers: int | None = None
    ) -> list[R]:
        """Call a function for every item, several at a time; see also ``hub.map``, which needs no list.

        Args:
            callback: A coroutine function; any other function runs in a worker thread.
            iterable: The items.
            max_workers: Calls at a time. Default: 16.

        Returns:
            The results, in the order of the items. The first error cancels the other calls and is raised.
        """
        if max_workers is not None and (isinstance(max_workers, bool) or not isinstance(max_workers, int)):
            raise ArgumentTypeError("max_workers must be a whole number", argument="max_workers")
        if max_workers is not None and max_workers < 1:
            raise ArgumentError(f"max_workers must be at least 1, not {max_workers}", argument="max_workers")
        workers = max_workers or _WORKERS
        call: Any = callback if inspect.iscoroutinefunction(callback) else _in_thread(callback, workers)
        return [result async for result in run_map(call, list(iterable), workers, ordered=True)]


class AsyncApplicationAPI(ApplicationOperations, AsyncAPI):
    """All that an application can do on the platform, for itself and for its users, awaited.

    ::

        async with AsyncApplicationAPI() as api:
            async with api.with_user("alice"):
                data = await api.upload_data("clip.mp4")

    Args:
        token: Default: ``VOXEL51_APP_PRIVATE_KEY`` (with ``VOXEL51_APP_BASE_URL``), the file that ``VOXEL51_APP_TOKEN``
            names, or the active application token.
        keep_alive: Accepted for compatibility; connections are kept in any case.
        allow_http: Whether the key may go to another machine in clear text.
        query_string: Whether all queries are sent in the URL, for proxies that refuse a GET with a body.
        hub: Shares connections and limits with other clients. Default: a hub of its own, closed with the session.
        timeout: Seconds for a whole small call, a ``Timeouts``, an ``httpx.Timeout``, or None to wait for ever. Files
            may take as long as they move.
        max_retries: Tries beyond the first of what may be repeated; uploads are never. Default: 3.

    Raises:
        ApplicationTokenError: No usable token was found.
    """

    _level = tokens.APPLICATION
    _UPLOAD_ANALYTIC = applications.UPLOAD_ANALYTIC
    _UPLOAD_ANALYTIC_IMAGE = applications.UPLOAD_ANALYTIC_IMAGE

    def __init__(
        self,
        token: tokens.Token | None = None,
        keep_alive: bool = False,
        *,
        allow_http: bool = False,
        query_string: bool = False,
        hub: AsyncHub | None = None,
        timeout: Any = UNSET,
        max_retries: int | None = None,
    ) -> None:
        super().__init__(
            token,
            keep_alive,
            allow_http=allow_http,
            query_string=query_string,
            hub=hub,
            timeout=timeout,
            max_retries=max_retries,
        )
        self._users = ActiveUsers()
        self._user: str | None = None

    @property
    def active_user(self) -> str | None:
        """The user that this task's calls are made for, or None."""
        return self._user if self._user is not None else self._users.get()

    def with_user(self, username: str | None) -> ActiveUser:
        """Make the following calls of this task, and of tasks it starts, for a user; no other task is affected.

        A plain call holds until :meth:`exit_user`; the result is a context manager, also an async one, that brings back
        the user before.

        Args:
            username: Its name, which is not checked; None or "" for none.

        Raises:
            ArgumentError: No header can hold the name.
            ArgumentTypeError: The session has the token of a user.
        """
        self._check_user(username)
        before = self._users.get()
        self._users.set(username)
        return ActiveUser(self._users, username, before)

    def exit_user(self) -> None:
        """Make the following calls of this task for the application itself."""
        self._users.set(None)

    def for_user(self, username: str) -> Self:
        """Return a copy of this session whose calls are made for one user, in every task and thread.

        It shares hub and token; ``with_user`` and ``exit_user`` do not change it.

        Raises:
            ArgumentError: No header can hold the name.
            ArgumentTypeError: The session has the token of a user.
        """
        self._check_user(username)
        other = copy.copy(self)
        other._owns_hub = False
        other._user = username or ""
        return other

    def _check_user(self, username: str | None) -> None:
        if not isinstance(self.token, tokens.ApplicationToken):
            raise ArgumentTypeError("only a session with an ApplicationToken can speak for a user", argument="username")
        if username is not None:
            tokens.user_header_value(username)

    def _headers_now(self) -> Headers:
        username = self.active_user
        if not username:
            return self._headers
        others = [pair for pair in self._headers if pair[0] != _USER_HEADER]  # one that with_options has set
        return [*others, (_USER_HEADER, tokens.user_header_value(username))]

    def _for_whom(self) -> Mapping[str, Any]:
        username = self.active_user
        return {"application": True, **({"user": username} if username else {})}

    def _rules_for(self, endpoint: Endpoint[Any]) -> Rules:
        own = endpoint.path.startswith("/apps/")
        return replace(self._rules, error=application_refusal) if own else self._rules


def _in_thread(callback: Callable[[T], Any], workers: int) -> Callable[[T], Awaitable[Any]]:
    import anyio.to_thread  # heavy, and not needed before

    limiter = anyio.CapacityLimiter(workers)

    async def call(item: T) -> Any:
        return await anyio.to_thread.run_sync(callback, item, limiter=limiter)

    return call
