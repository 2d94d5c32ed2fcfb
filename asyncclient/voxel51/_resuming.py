"""Going on with a download whose process has ended, without the program that began it: ``asyncclient transfers resume``.

The journal tells what was downloaded and from where. The key is in no journal: it is that of the active token, or of the
environment, and it is used only if it is for the place that the journal names.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

from asyncclient._transfers.transfers import Bound, Direction, register
from asyncclient.errors import ConfigurationError, ResumeError
from asyncclient.voxel51.client import AsyncAPI, AsyncApplicationAPI
from asyncclient.voxel51.targets import FileDownload

__all__: list[str] = []


@asynccontextmanager
async def _bind(direction: Direction, description: Mapping[str, Any]) -> AsyncIterator[Bound]:
    """Make the target of a job again, in a session of its own."""
    place, operation = description.get("place"), description.get("operation")
    if direction != "down" or not isinstance(place, str) or not isinstance(operation, str):
        raise ResumeError("the journal does not tell what was downloaded; make the same call again")
    session = AsyncApplicationAPI() if description.get("application") else AsyncAPI()
    async with session:
        if not place.startswith(f"{session._home.origin}{session._home.path}/"):
            raise ConfigurationError(
                f"the download is from {place.partition('/v1/')[0]}, the active token is for {session._home.origin}"
            )
        user = description.get("user")
        if isinstance(session, AsyncApplicationAPI) and isinstance(user, str):
            session = session.for_user(user)
        target = FileDownload(place, session._headers_now(), description=description)
        yield Bound(session._hub._opened(), session._resume_rules(), target)


register("voxel51", _bind)
