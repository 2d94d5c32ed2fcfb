"""Open a path, or what is behind a URL: downloaded to a folder of its own first."""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
import time
from functools import partial
from pathlib import Path
from typing import IO, Any, Final
from urllib.parse import unquote, urlsplit

from asyncclient._failure import error_of
from asyncclient._rules import Rules
from asyncclient._sync.portal import get_portal
from asyncclient._transfers.hops import DISK, obtain, run_hop, run_to_end
from asyncclient._transfers.options import TransferOptions
from asyncclient._transfers.targets_download import HttpDownload
from asyncclient._transfers.transfers import download_file
from asyncclient._version import USER_AGENT
from asyncclient.errors import ArgumentError
from asyncclient.hub import AsyncHub
from asyncclient.types import RetryPolicy, Timeouts

__all__ = ["AsyncURLOrFileOpen", "URLOrFileOpen", "plain_rules"]

_PREFIX: Final = "sticky-pi-"


def plain_rules(timeouts: Timeouts | None = None) -> Rules:
    """Return the rules for requests to storage, which are signed by their URL or not at all."""
    return Rules(
        service="sticky_pi",
        error=lambda request, answer: error_of(request, answer, now=time.time()),
        auth=None,
        auth_origins=lambda origin: False,
        timeouts=timeouts if timeouts is not None else Timeouts(total=None),
        policy=RetryPolicy(),
    )


class AsyncURLOrFileOpen:
    """Open a file with ``async with``; a URL is downloaded to a temporary folder first.

    The file inside is a plain, blocking one. On exit it is closed, and the folder removed.

    Args:
        file_or_url: A path, or an ``http`` or ``https`` URL.
        mode: As for ``open``.
        hub: What the download goes through. Default: a hub for this one.

    Raises:
        FileNotFoundError: There is no such file, and it is no URL.
        APIError: The server refuses.
    """

    def __init__(self, file_or_url: str, mode: str = "rb", *, hub: AsyncHub | None = None) -> None:
        self._file_or_url = file_or_url
        self._mode = mode
        self._hub = hub
        self._folder: str | None = None
        self._file: IO[Any] | None = None

    async def __aenter__(self) -> IO[Any]:
        path = Path(self._file_or_url)
        try:
            if _is_url(self._file_or_url) and not await run_hop(path.is_file, crew=DISK):
                path = await self._download()
            file: IO[Any] = await obtain(partial(path.open, self._mode), release=lambda file: file.close())
        except BaseException:
            await self._drop()
            raise
        self._file = file
        return file

    async def __aexit__(self, *_: object) -> None:
        await self._drop()

    async def _drop(self) -> None:
        await run_to_end(self._close)

    async def _download(self) -> Path:
        self._folder = await obtain(partial(tempfile.mkdtemp, prefix=_PREFIX), release=os.rmdir)
        name = unquote(urlsplit(self._file_or_url).path.rpartition("/")[2])
        if not name or name in (".", "..") or any(sign in name for sign in "/\\\0"):
            raise ArgumentError("the URL names no file", argument="file_or_url")
        target = HttpDownload(self._file_or_url, name=name, headers=[(b"user-agent", USER_AGENT)])
        path = Path(self._folder, name)
        async with contextlib.AsyncExitStack() as stack:
            hub = self._hub if self._hub is not None else await stack.enter_async_context(AsyncHub())
            await download_file(hub._opened(), plain_rules(), target, path, TransferOptions(resume=False))
        return path

    def _close(self) -> None:
        if self._file is not None:
            self._file.close()
        if self._folder is not None:
            shutil.rmtree(self._folder, ignore_errors=True)
            self._folder = None


class URLOrFileOpen:
    """Open a file with ``with``; a URL is downloaded to a temporary folder first.

    See :class:`AsyncURLOrFileOpen` for arguments and errors.
    """

    def __init__(self, file_or_url: str, mode: str = "rb") -> None:
        self._async = AsyncURLOrFileOpen(file_or_url, mode)

    def __enter__(self) -> IO[Any]:
        if not _is_url(self._async._file_or_url):  # nothing to wait for: no loop is needed
            self._async._file = opened = Path(self._async._file_or_url).open(self._async._mode)
            return opened
        return get_portal().run(self._async.__aenter__)

    def __exit__(self, *_: object) -> None:
        self._async._close()


def _is_url(text: str) -> bool:
    return str(text).lower().startswith(("http://", "https://"))
