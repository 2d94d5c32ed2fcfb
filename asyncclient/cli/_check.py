"""Whether a service takes the credentials: one call that changes nothing."""

from __future__ import annotations

import os
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Any, Final

from asyncclient.cli._errors import OK, REFUSED, UNREACHABLE, exit_code, one_line, words_of
from asyncclient.cli._settings import settings
from asyncclient.errors import AsyncClientError

__all__ = ["check"]

_TIMEOUT_S: Final = 15.0
_WORDS: Final = {OK: "ok", REFUSED: "refused", UNREACHABLE: "unreachable"}


async def check(service: str) -> dict[str, Any]:
    """Make a call and return ``result`` (``ok``, ``refused``, ``unreachable``, ``failed``), ``message``, ``exit_code``."""
    options = settings()
    options.timeout = options.timeout or _TIMEOUT_S
    options.max_retries = options.max_retries or 0
    try:
        await _CALLS[service]()
    except (AsyncClientError, OSError, ImportError) as error:
        code = exit_code(error)
        return {"result": _WORDS.get(code, "failed"), "message": one_line(words_of(error)), "exit_code": code}
    return {"result": "ok", "message": "", "exit_code": OK}


async def _flywheel() -> None:
    from asyncclient.cli._flywheel_run import opened

    async with opened() as session:
        await session.client.get_current_user()


async def _las() -> None:
    from asyncclient import las

    async with las.AsyncClient(profile=settings().profile, **settings().client_options()) as client:
        await client.list_datasets(max_results=1)


async def _lfview() -> None:
    from asyncclient.cli._lfview_run import opened

    async with opened() as session:
        await session.connect()


async def _sticky_pi() -> None:
    from asyncclient.cli import _sticky_pi_run as run

    host = os.environ.get(run.HOST_VARIABLE)
    if not host:  # nobody is asked
        return
    where = run.Where(Path(run.LOCAL_FOLDER), host, os.environ.get(run.USER_VARIABLE) or run.USER_DEFAULT)
    async with run.remote_api(where) as api:
        await api.get_token()


async def _voxel51() -> None:
    from asyncclient.voxel51 import AsyncAPI, DataQuery

    async with AsyncAPI(**settings().client_options()) as api:
        await api.query_data(DataQuery().set_limit(1))


_CALLS: Final[Mapping[str, Callable[[], Awaitable[None]]]] = {
    "flywheel": _flywheel,
    "las": _las,
    "lfview": _lfview,
    "sticky-pi": _sticky_pi,
    "voxel51": _voxel51,
}
