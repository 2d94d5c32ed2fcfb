"""Going on with a download whose process has ended, without the program that began it: ``asyncclient transfers resume``.

The journal tells what was downloaded and from where. The key is in no journal: it is that of FLYWHEEL_API_KEY, else of
the last ``fw login``, and it is used only if it is for the site that the journal names. Tickets are asked for anew.

Uploads have no journal: what would be needed to go on with one are signed URLs, which are secrets.
"""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import urlencode

from asyncclient._messages import Request
from asyncclient._transfers.transfers import Bound, Direction, register
from asyncclient.errors import ConfigurationError, ResumeError
from asyncclient.flywheel._base import Call
from asyncclient.flywheel._generated.operations.containers import DOWNLOAD_FILE_FROM_CONTAINER
from asyncclient.flywheel._keys import API_KEY_VARIABLE
from asyncclient.flywheel.client import AsyncClient

__all__: list[str] = []


@asynccontextmanager
async def _bind(direction: Direction, description: Mapping[str, Any]) -> AsyncIterator[Bound]:
    """Make the target of a job again, with a client of its own."""
    target = _target(description)
    if direction != "down" or target is None:
        raise ResumeError("the journal does not tell what was downloaded; make the same call again")
    async with AsyncClient(os.environ.get(API_KEY_VARIABLE) or None, disable_auth_check=True) as client:
        base = client._base()
        if description.get("origin") != str(base.origin) or not target.startswith(f"{base.path}/".encode()):
            raise ConfigurationError(
                f"the download is from {description.get('origin')}, the key is for {base.origin}; set {API_KEY_VARIABLE}"
            )
        request = Request(
            b"GET", base.origin, target, client._headers_of(DOWNLOAD_FILE_FROM_CONTAINER, None), idempotent=True
        )
        call = Call(request, client._rules, raw=False, whole=False)
        options = {"_ticket": description.get("by") == "ticket"}
        rules, content = client._content("download", call, options, description)
        yield Bound(client._hub._opened(), rules, content)


def _target(description: Mapping[str, Any]) -> bytes | None:
    """Return what is asked for; None where the journal does not say all of it, for it was a secret."""
    path, query = description.get("path"), description.get("query")
    if not isinstance(path, str) or not isinstance(query, list) or "digest" in description:
        return None
    return f"{path}?{urlencode([(name, value) for name, value in query])}".removesuffix("?").encode("ascii")


register("flywheel", _bind)
