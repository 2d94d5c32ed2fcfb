"""How this service takes content: in a resumable session, whose address comes with the metadata of the resource."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final, NamedTuple, Protocol

from asyncclient._transfers.ranges import content_range_query
from asyncclient._transfers.targets_session import ResumableSession
from asyncclient._transfers.urls import request_to
from asyncclient._version import USER_AGENT
from asyncclient.errors import APIError, SourceChanged

if TYPE_CHECKING:
    from asyncclient._messages import Headers
    from asyncclient._transfers.target import UploadFacts
    from asyncclient._transfers.wire import Wire
    from asyncclient.lfview._api import Metadata

__all__ = ["Place", "Sent", "ViewSession"]

_INCOMPLETE: Final = 308
_HEADERS: Final[Headers] = [(b"accept", b"*/*"), (b"user-agent", USER_AGENT)]


class Sent(NamedTuple):
    """What a session is told of its content."""

    length: int
    media_type: str


class Place(Protocol):
    """Where content goes: a resource, whose metadata names an upload session.

    Attributes:
        key: Tells this content for this place from every other, in another process too; None if nothing is to be
            known of it after a crash.
    """

    @property
    def key(self) -> str | None: ...

    async def store(self) -> Metadata:
        """Write the metadata, which opens an empty session."""
        ...

    async def find(self, url: str) -> Metadata | None:
        """Read the metadata that an earlier process has written; None if it is not there any more as it was."""
        ...

    def adopt(self, metadata: Metadata) -> None:
        """Go on with what that process has left."""
        ...


class ViewSession(ResumableSession):
    """An upload session of this service.

    Its address is given with the metadata. It may hold a signature, so the journal gets the URL of the resource, under
    which the address is found again.

    Args:
        place: The resource.
        content: What is sent there.
        part_size: Bytes per request.
        description: For the journal.
    """

    def __init__(self, place: Place, content: Sent, part_size: int | None, description: Mapping[str, Any]) -> None:
        headers: Headers = [*_HEADERS, (b"content-type", content.media_type.encode("ascii"))]
        super().__init__(
            self._store,
            reopen=self._find,
            session_id=self._name,
            headers=headers,
            part_size=part_size,
            names_md5=False,
            description=description,
        )
        self._place = place
        self._length = content.length
        self._query = content_range_query(content.length)
        self._resource = ""

    async def _store(self, _: Wire, facts: UploadFacts) -> str:
        if facts.size != self._length:  # the metadata announces another one
            raise SourceChanged(f"{facts.name or 'the content'} has {facts.size} bytes by now; upload it again")
        metadata = await self._place.store()
        self._resource = metadata.url if "?" not in metadata.url else ""
        return metadata.link("location")

    async def _find(self, wire: Wire, url: str) -> str | None:
        metadata = await self._place.find(url)
        if metadata is None or "location" not in metadata.links:
            return None
        location = metadata.links["location"]
        # Read instead of written, metadata may name the place to fetch content from, or a session that somebody else
        # has completed: only one that waits for more is the one that was left.
        request = request_to(b"PUT", location, [*self._headers, (b"content-range", self._query)], b"")
        try:
            answer = await wire.ask(request, "upload status", accept=(_INCOMPLETE,))
        except APIError:
            return None
        if answer.status != _INCOMPLETE:
            return None
        self._place.adopt(metadata)
        return location

    def _name(self, _: str) -> str:
        return self._resource

    def expired(self, error: APIError) -> bool:
        """Return False: sessions that are gone say 404 or 410, another refusal is meant."""
        return False
