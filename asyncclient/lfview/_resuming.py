"""Going on with an upload whose process has ended, without the program that began it: ``asyncclient transfers resume``.

The journal tells where the service was asked for and which resource the content belongs to. The key is in no journal;
it is taken from the environment, and goes only to where the discovery service sends it.
"""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from asyncclient._redirect import split_url
from asyncclient._transfers.guard import check_no_secrets
from asyncclient._transfers.registry import Bound, Direction, register
from asyncclient.errors import APIError, ArgumentError, ConfigurationError, ResumeError
from asyncclient.lfview._api import ApiClient
from asyncclient.lfview._classes import read_resource
from asyncclient.lfview._graph import construct_upload_dict
from asyncclient.lfview._refusals import content_refusal
from asyncclient.lfview._targets import Sent, ViewSession

if TYPE_CHECKING:
    from asyncclient.lfview._api import Metadata

__all__ = ["API_KEY_VARIABLE", "describe"]

API_KEY_VARIABLE: Final = "LFVIEW_API_KEY"
"""Where the command line finds the key; programs give it to the session."""

_GONE: Final = (404, 410)


def describe(client: ApiClient, content: Sent, key: str | None) -> Mapping[str, Any]:
    """Return what the journal keeps of an upload: enough to find it again, and no secrets.

    Args:
        client: Connected.
        content: What is sent.
        key: Tells this content for this resource from every other; None if nothing is to be kept.
    """
    if key is None:
        return {}
    origin, target = client._discovery
    found = {
        "content": key,
        "length": content.length,
        "media_type": content.media_type,
        "discovery": f"{origin}{target.partition(b'?')[0].decode('ascii')}",
        "client_version": client._client_version,
    }
    if client._service_name is not None:
        found["service"] = client._service_name
    if client._account.upload_base_url is not None:
        found["origin"] = str(split_url(client._account.upload_base_url)[0])
    try:
        check_no_secrets(found)
    except ArgumentError:  # then only the program itself, which knows them, can go on
        return {"content": key}
    return found


@asynccontextmanager
async def _bind(direction: Direction, description: Mapping[str, Any]) -> AsyncIterator[Bound]:
    """Make the target of a job again, in a session of its own."""
    if direction != "up" or "discovery" not in description:
        raise ResumeError("the journal does not tell where the upload goes; make the same call again")
    api_key = os.environ.get(API_KEY_VARIABLE)
    if not api_key:
        raise ConfigurationError(f"the key for LF View is missing: set {API_KEY_VARIABLE}")
    service, version = description.get("service"), description.get("client_version")
    async with ApiClient(api_key, service, None, version, None, discovery_url=description["discovery"]) as session:
        await session.connect()
        content = Sent(description["length"], description["media_type"])
        target = ViewSession(_Left(session, content), content, None, description)
        yield Bound(session._pipeline, replace(session._content_rules, error=content_refusal), target)


class _Left:
    """The place of content that another process was sending; see :class:`~asyncclient.lfview._targets.Place`."""

    key = None

    def __init__(self, session: ApiClient, content: Sent) -> None:
        self._session = session
        self._content = content
        self._found: Metadata | None = None
        self._why = "its resource was never found"

    async def find(self, url: str) -> Metadata | None:
        """Read the metadata of the resource; None if it is gone, or for content of another length by now."""
        self._found = None
        try:
            found = await self._session._read(url, "resume")
        except APIError as error:
            if error.status not in _GONE:
                raise
            self._why = f"{url} is not there any more"
            return None
        if found.data.get("content_length") == self._content.length:
            self._found = found
        else:
            self._why = f"{url} is for other content by now"
        return self._found

    async def store(self) -> Metadata:
        """Write the metadata as it is, which opens an empty session: the old one is gone."""
        if self._found is None:
            raise ResumeError(f"the upload cannot be finished: {self._why}; upload it again, or abort the job")
        resource = read_resource(self._found.url, self._found.data)
        body = {**construct_upload_dict(resource), "content_length": self._content.length}
        return await self._session._write(b"PATCH", self._found.url, body, "resume")

    def adopt(self, metadata: Metadata) -> None:
        """Do nothing: there is no object to tell."""


register("lfview", _bind)
