"""How a service takes and gives bytes: what the engine asks of it.

A target makes requests and reads answers; it never moves content itself. ``targets_upload`` and ``targets_download``
have ready-made ones. What a target needs of the network it asks through the :class:`~.wire.Wire` it is given, so that
it need not hold a client; one that does hold a client may use that instead.

Targets are asked late: a request for a part is made just before it is sent, as signed URLs expire.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol, TypeAlias, runtime_checkable

from asyncclient._messages import Body, Request
from asyncclient._pipeline import Answer
from asyncclient._transfers.plan import GIB
from asyncclient._transfers.wire import Wire
from asyncclient.errors import APIError

__all__ = [
    "AsksOtherwise",
    "DownloadTarget",
    "Identifies",
    "Identity",
    "NotesParts",
    "PartRules",
    "PartsSession",
    "PartsTarget",
    "Receipt",
    "RemoteInfo",
    "SessionLink",
    "SessionTarget",
    "StoredPart",
    "UploadFacts",
    "UploadTarget",
    "WholeTarget",
]


@dataclass(frozen=True, slots=True)
class UploadFacts:
    """What is known of a source before its upload.

    Attributes:
        name: File name, or None.
        size: Bytes, or None.
        part_size: Bytes per part, as planned.
        parts: Number of parts, or None.
    """

    name: str | None
    size: int | None
    part_size: int
    parts: int | None


@dataclass(frozen=True, slots=True)
class Receipt:
    """What the service says it has stored; None where it says nothing.

    Attributes:
        size: Bytes.
        md5: Of the whole, hexadecimal.
        etag: Without quotes.
        etag_is_md5: Whether the etag follows the rules of S3 (md5, or md5 of md5s with ``-count``).
        remote: The whole of it, for the caller.
    """

    size: int | None = None
    md5: str | None = None
    etag: str | None = None
    etag_is_md5: bool = False
    remote: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class PartRules:
    """How a service wants parts; see :func:`~.plan.plan_parts`."""

    alignment: int = 1
    min_part: int = 1
    max_part: int = 5 * GIB
    max_count: int = 10_000
    preferred: int | None = None


class _Described(Protocol):
    """What every target tells of itself."""

    @property
    def description(self) -> Mapping[str, Any]:
        """What a later process needs to make this target again; goes to the journal, so no secrets and no URLs."""
        ...

    def expired(self, error: APIError) -> bool:
        """Tell whether a refusal means that a signed URL is too old: the request is then made anew, up to 3 times."""
        ...


@runtime_checkable
class WholeTarget(_Described, Protocol):
    """Takes a file in one request."""

    async def request(self, wire: Wire, body: Body, name: str | None) -> Request:
        """Make the request; called again for every fresh URL."""
        ...

    def receipt(self, answer: Answer) -> Receipt:
        """Read the answer."""
        ...


@dataclass(frozen=True, slots=True)
class SessionLink:
    """An open session.

    Attributes:
        id: The service's name of it, goes to the journal; "" if there is none that is no secret, and the session is
            then lost with the process.
        expires: Seconds since the epoch, or None.
        begun: Whether it may have something already, that an earlier call of this process has sent: it is asked then.
    """

    id: str
    expires: float | None = None
    begun: bool = False


@runtime_checkable
class SessionTarget(_Described, Protocol):
    """Takes a file in order, remembers how far it came: the resumable uploads of Google storage.

    Attributes:
        rules: Of the parts.
        names_md5: Whether the receipt may name the md5 of the whole.
    """

    @property
    def rules(self) -> PartRules: ...
    @property
    def names_md5(self) -> bool: ...

    async def begin(self, wire: Wire, facts: UploadFacts) -> SessionLink:
        """Open a new session."""
        ...

    async def reopen(self, wire: Wire, session_id: str) -> bool:
        """Find a session of an earlier process again; False if it is gone."""
        ...

    async def request(self, body: Body | None, content_range: bytes) -> Request:
        """Make the request for a range, or for the state of the session (no body)."""
        ...

    def receipt(self, answer: Answer) -> Receipt:
        """Read the answer that ends the session."""
        ...

    async def abort(self, wire: Wire) -> None:
        """Drop the session and what it holds, if the service can."""
        ...


@dataclass(frozen=True, slots=True)
class PartsSession:
    """An open upload in parts.

    Attributes:
        id: The service's name of it; goes to the journal.
        part_size: Bytes per part, if the service insists.
        extra: What else is needed to go on; goes to the journal.
        expires: Seconds since the epoch, or None.
        stored: Parts that an earlier call of this process has brought there, of the same source cut the same way, by
            index from 0. They never go to the journal.
    """

    id: str
    part_size: int | None = None
    extra: Mapping[str, Any] = field(default_factory=dict)
    expires: float | None = None
    stored: Mapping[int, StoredPart] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class StoredPart:
    """A part the service has."""

    size: int | None
    etag: str


@runtime_checkable
class PartsTarget(_Described, Protocol):
    """Takes parts in any order, several at a time: S3.

    Attributes:
        rules: Of the parts.
        etag_is_md5: Whether the etag of a part is its md5, unless the answer names keys under which it is not.
    """

    @property
    def rules(self) -> PartRules: ...
    @property
    def etag_is_md5(self) -> bool: ...

    async def begin(self, wire: Wire, facts: UploadFacts) -> PartsSession:
        """Open a new upload."""
        ...

    async def part_request(self, session: PartsSession, index: int, body: Body) -> Request:
        """Make the request for part ``index`` (from 0); called again for every fresh URL."""
        ...

    def part_etag(self, answer: Answer) -> str:
        """Read the etag of a part."""
        ...

    async def list_parts(self, wire: Wire, session: PartsSession) -> Mapping[int, StoredPart] | None:
        """Return the parts the service has, by index from 0; None if it cannot tell.

        Raises:
            SessionExpired: It does not know the upload any more.
        """
        ...

    async def complete(self, wire: Wire, session: PartsSession, etags: Sequence[str]) -> Receipt:
        """Put the parts together, in order."""
        ...

    async def abort(self, wire: Wire, session: PartsSession) -> None:
        """Drop the upload and its parts."""
        ...


@runtime_checkable
class FindsObject(Protocol):
    """Can say what lies where it puts things: what a :class:`PartsTarget` may be able to in addition.

    An upload that is complete is gone as an upload. If that answer got lost, or the process died before it could take
    note, only a look at the object tells that nothing needs to be sent again.
    """

    async def find(self, wire: Wire) -> Receipt | None:
        """Return what is stored under the name of this target; None if nothing is, or that cannot be told."""
        ...


@runtime_checkable
class NotesParts(Protocol):
    """Wants to know which parts are there: what a :class:`PartsTarget` may do in addition, to go on without a journal."""

    def stored(self, index: int, part: StoredPart) -> None:
        """Take note of a part that the service has confirmed."""
        ...


UploadTarget: TypeAlias = WholeTarget | SessionTarget | PartsTarget


@dataclass(frozen=True, slots=True)
class RemoteInfo:
    """What is known of a remote file, from a listing or from its headers.

    Attributes:
        size: Bytes, or None.
        etag: As in the header, quotes included; or None.
        md5: Of the whole, hexadecimal; or None.
        part_size: Bytes of the parts that ``part_md5s`` are of.
        part_md5s: Digests of the parts, where the service keeps them.
    """

    size: int | None = None
    etag: str | None = None
    md5: str | None = None
    part_size: int | None = None
    part_md5s: Sequence[str] = ()

    @property
    def strong(self) -> bool:
        """Whether the etag proves that bytes are the same."""
        return self.etag is not None and self.etag.startswith('"') and len(self.etag) > 2

    @property
    def bare_etag(self) -> str | None:
        """The etag without quotes and weakness."""
        return None if self.etag is None else self.etag.removeprefix("W/").strip('"')


@runtime_checkable
class DownloadTarget(_Described, Protocol):
    """Gives a file.

    Attributes:
        name: What it is called, for messages and the journal.
        etag_is_md5: Whether its etag follows the rules of S3.
    """

    @property
    def name(self) -> str: ...
    @property
    def etag_is_md5(self) -> bool: ...

    async def head(self, wire: Wire) -> RemoteInfo | None:
        """Return what is known without fetching; None if only the first answer will tell."""
        ...

    async def request(self, wire: Wire) -> Request:
        """Make a GET for the whole; the engine adds the range. The URL is renewed when it has expired."""
        ...

    def renew(self) -> None:
        """Forget a URL that was refused."""
        ...

    def digest(self, answer_headers: Mapping[bytes, bytes]) -> str | None:
        """Return the md5 of the whole file that headers of an answer name, hexadecimal; or None."""
        ...


@dataclass(frozen=True, slots=True)
class Identity:
    """What tells the content of a remote file from every other.

    Attributes:
        id: Never the same for other bytes; goes to the journal, so no secrets. None if nothing tells.
        size: Bytes, or None.
        digest: Name in ``hashlib`` and hexadecimal digits, of the whole; or None.
    """

    id: str | None
    size: int | None = None
    digest: tuple[str, str] | None = None


@runtime_checkable
class Identifies(Protocol):
    """Knows a file apart from the headers of answers: what a :class:`DownloadTarget` may be able to in addition.

    Where answers carry no strong etag, that is what a resume is based on.
    """

    @property
    def identity(self) -> Identity | None:
        """What is known without asking."""
        ...

    async def identify(self, wire: Wire) -> Identity | None:
        """Ask the service what the file is now; None if that cannot be told."""
        ...


@runtime_checkable
class AsksOtherwise(Protocol):
    """Has another form of its request, in which ranges are honoured: what a :class:`DownloadTarget` may have in addition."""

    def insist(self) -> bool:
        """Use that form from now on; False if it was so already."""
        ...
