"""The clients: the whole API embedded in the process, or that of a server over HTTP.

``AsyncLocalClient`` and ``AsyncRemoteClient`` have the same methods and give the same answers. ``LocalClient``,
``RemoteClient``, ``BaseClient`` and ``RemoteAPIConnector`` are the same, blocking.
"""

from __future__ import annotations

import importlib
import os
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Self

from asyncclient import _codec
from asyncclient._extras import without
from asyncclient._messages import Request
from asyncclient._net.bodies import FileBody
from asyncclient._net.multipart import MultipartBody, Part
from asyncclient._scheduler import Lane
from asyncclient._transfers.hops import DISK, run_hop
from asyncclient.errors import ConfigurationError, DecodeError
from asyncclient.sticky_pi._base_client import AsyncBaseClient
from asyncclient.sticky_pi._bundle_transfer import copy_file, fetch_file, send_file
from asyncclient.sticky_pi._cache import Cache
from asyncclient.sticky_pi._connector import AsyncRemoteAPIConnector
from asyncclient.sticky_pi._statistics import Failure
from asyncclient.sticky_pi._tuboids import FILES, Tuboid
from asyncclient.sticky_pi._wire import from_wire, to_wire
from asyncclient.sticky_pi.configuration import LocalAPIConf
from asyncclient.sticky_pi.exceptions import RemoteAPIException
from asyncclient.types import UNSET

if TYPE_CHECKING:
    from asyncclient.hub import AsyncHub
    from asyncclient.sticky_pi._generated.sync.bases import BaseClient, RemoteAPIConnector
    from asyncclient.sticky_pi._generated.sync.client import LocalClient, RemoteClient
    from asyncclient.sticky_pi._spec import ClientInfo, Info, Rows
    from asyncclient.types import Progress

__all__ = [
    "AsyncBaseClient",
    "AsyncLocalClient",
    "AsyncRemoteAPIConnector",
    "AsyncRemoteClient",
    "BaseClient",
    "Cache",
    "Failure",
    "LocalClient",
    "RemoteAPIConnector",
    "RemoteAPIException",
    "RemoteClient",
]

_SYNC: Final = {"BaseClient": "bases", "LocalClient": "client", "RemoteAPIConnector": "bases", "RemoteClient": "client"}

OnProgress = Callable[["Progress"], None]


class AsyncLocalClient(AsyncBaseClient):
    """The whole API in this process: SQLite and files under a folder.

    Needs the extra ``sticky-pi``. Close it with ``async with`` or :meth:`aclose`. Several clients, also of several
    processes, may use one folder.

    Args:
        local_dir: The folder. It is made.
        n_threads: How many files are worked on at a time; at least 1.
        skip_on_error: Whether ``put_images`` leaves out files that cannot be stored, and logs why, in place of raising
            the first error.
    """

    _images_at_once = 8  # they share a transaction, which costs more than a small image
    _put_order = -1  # the embedded API of the platform takes a group of tuboids from its end, and gives ids so

    def __init__(self, local_dir: str | os.PathLike[str], n_threads: int = 8, skip_on_error: bool = False) -> None:
        super().__init__(local_dir, n_threads, skip_on_error)
        try:
            from asyncclient.sticky_pi._api import AsyncLocalAPI
        except ImportError as error:
            raise ConfigurationError(str(without(error, "the embedded API", "sticky-pi"))) from error
        self._api = AsyncLocalAPI(LocalAPIConf(LOCAL_DIR=self.local_dir))

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """Close the database. May be repeated."""
        await self._api.aclose()

    async def verify_password(self, username_or_token: str, password: str) -> str | bool:
        """Check a user name and password, or a token; returns the user name, or False.

        Args:
            username_or_token: The name of a user, or a token.
            password: Of the user; not used with a token.
        """
        found: str | bool = await self._api.verify_password(username_or_token, password)
        return found

    async def _ask(self, operation: str, arguments: Mapping[str, Any]) -> Any:
        return await getattr(self._api, operation)(**arguments)

    async def _get_digests(self, info: Info) -> Rows:
        found: Rows = await self._api._get_digests(info)
        return found

    async def _put_new_images(self, files: Mapping[str, str | None], client_info: ClientInfo | None = None) -> Rows:
        rows: Rows = await self._api._put_new_images(files, client_info)
        return rows

    async def _put_tiled_tuboid(self, tuboid: Tuboid) -> Rows:
        described = {"tuboid_id": tuboid.tuboid_id, "series_info": dict(tuboid.series_info), **tuboid.paths}
        rows: Rows = await self._api._put_tiled_tuboids([described])
        return rows

    async def _put_ml_bundle_file(self, row: Mapping[str, Any], on_progress: OnProgress | None) -> None:
        await run_hop(copy_file, row["path"], Path(row["url"]), row["md5"], crew=DISK)

    async def _get_ml_bundle_file(self, row: Mapping[str, Any], target: Path, on_progress: OnProgress | None) -> None:
        await run_hop(copy_file, row["url"], target, row["md5"], float(row["mtime"]), crew=DISK)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} in {self.local_dir}>"


class AsyncRemoteClient(AsyncRemoteAPIConnector, AsyncBaseClient):
    """The API of a Sticky Pi server.

    Args:
        local_dir: A folder for what the client remembers. It is made.
        host: Name of the server; or its whole URL, then ``protocol`` and ``port`` are those of the URL.
        username: Who logs in.
        password: Of that user.
        protocol: ``https`` or ``http``.
        port: Of the server.
        n_threads: How many files are looked at, or on their way, at a time; at least 1.
        skip_on_error: Whether ``put_images`` leaves out files that cannot be sent, and logs why, in place of raising
            the first error.
        hub: What requests go through. Default: a hub of its own, closed with the client.
        timeout: Seconds for a whole small call, a ``Timeouts`` or an ``httpx.Timeout``; None waits for ever. Transfers
            have no such limit.
        max_retries: Tries beyond the first. Default: 5.

    Nothing is sent before the first call. A refusal is a :class:`RemoteAPIException`.
    """

    def __init__(
        self,
        local_dir: str | os.PathLike[str],
        host: str,
        username: str,
        password: str,
        protocol: str = "https",
        port: int = 443,
        n_threads: int = 8,
        skip_on_error: bool = False,
        *,
        hub: AsyncHub | None = None,
        timeout: Any = UNSET,
        max_retries: int | None = None,
    ) -> None:
        AsyncRemoteAPIConnector.__init__(
            self, host, username, password, protocol, port, hub=hub, timeout=timeout, max_retries=max_retries
        )
        AsyncBaseClient.__init__(self, local_dir, n_threads, skip_on_error)

    async def _put_new_images(self, files: Mapping[str, str | None], client_info: ClientInfo | None = None) -> Rows:
        parts = []
        for path, md5 in files.items():
            name = Path(path).name
            parts.append(Part(name, await FileBody.whole(path), name, "application/jpeg"))
            if md5 is not None:
                parts.append(Part(f"{name}.md5", md5))
        return await self._post_form("_put_new_images", parts)

    async def _put_tiled_tuboid(self, tuboid: Tuboid) -> Rows:
        parts = []
        for name, file in FILES.items():
            body = await FileBody.whole(tuboid.paths[name])
            kind = "application/text" if name == "metadata" else "application/octet-stream"
            parts.append(Part(name, body, file, kind))
        for name, value in (("tuboid_id", tuboid.tuboid_id), ("series_info", dict(tuboid.series_info))):
            text = _codec.encode(to_wire(value, "put_tiled_tuboids"))
            parts.append(Part(name, text, name, "application/json"))
        rows: list[Any] = await self._post_form("_put_tiled_tuboids", parts)
        return rows[0] if len(rows) == 1 and isinstance(rows[0], list) else rows  # servers wrap the list once more

    async def _post_form(self, operation: str, parts: list[Part]) -> Rows:
        form = MultipartBody(parts)
        kept = [(name, value) for name, value in self._headers if name != b"content-type"]
        headers = [*kept, (b"content-type", form.content_type)]
        target = f"{self._base().path}/{operation}".encode("ascii")
        request = Request(b"POST", self._base().origin, target, headers, form)
        rules = replace(self._rules, timeouts=replace(self._rules.timeouts, total=None))
        answer = await self._send(operation, request, lane=Lane.BULK, rules=rules)
        if self._recorder is not None:
            self._recorder.append((request, answer))
        rows = from_wire(_codec.decode_json(answer.body, status=answer.status, headers=answer.headers))
        if not isinstance(rows, list):
            raise DecodeError(f"{operation}: the answer is no list of rows", status=answer.status)
        return rows

    async def _put_ml_bundle_file(self, row: Mapping[str, Any], on_progress: OnProgress | None) -> None:
        await send_file(self, row, on_progress)

    async def _get_ml_bundle_file(self, row: Mapping[str, Any], target: Path, on_progress: OnProgress | None) -> None:
        await fetch_file(self, row, target, on_progress)


def __getattr__(name: str) -> object:
    if name in _SYNC:  # blocking code only needs the facades
        found: object = getattr(importlib.import_module(f"asyncclient.sticky_pi._generated.sync.{_SYNC[name]}"), name)
        globals()[name] = found
        return found
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
