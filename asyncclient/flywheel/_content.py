"""A file at the service, as the transfer engine asks for it."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import parse_qsl, unquote

from asyncclient._messages import Request
from asyncclient._transfers.target import Identity, RemoteInfo
from asyncclient._transfers.urls import LateUrl, Mint, looks_expired, request_to
from asyncclient._transfers.wire import Wire
from asyncclient.errors import APIError

__all__ = ["Content", "FileRecord", "Lookup", "file_name", "identity_of", "record_place"]

_HASH: Final = re.compile(r"v\d+-(sha(?:224|256|384|512))-([0-9a-f]+)")
_FILE: Final = re.compile(r"(.*?)(/(?!analyses/)[^/]+/[^/]+)?(/analyses/[^/]+)?/(files|inputs)/([^/]+)")
_TICKET_GONE: Final = frozenset({400, 401, 404})
"""What is answered to a ticket that has run out, or is known no more."""


@dataclass(frozen=True, slots=True)
class FileRecord:
    """What the service says of one version of a file, as far as it does.

    Attributes:
        size: Bytes.
        hash: Of the content, such as ``v0-sha384-...``.
        file_id: Of all its versions.
        version: From 1.
    """

    size: int | None = None
    hash: str | None = None
    file_id: str | None = None
    version: int | None = None

    @classmethod
    def of(cls, record: Any) -> FileRecord:
        """Read an answer, or the model of one; members of other types count as missing."""
        get: Callable[[str], Any] = (
            record.get if isinstance(record, Mapping) else lambda name: getattr(record, name, None)
        )
        size, version = get("size"), get("version")
        digest, file_id = get("hash"), get("file_id")
        return cls(
            size if isinstance(size, int) else None,
            digest if isinstance(digest, str) else None,
            file_id if isinstance(file_id, str) else None,
            version if isinstance(version, int) else None,
        )


Lookup = Callable[[], Awaitable[FileRecord | None]]
"""Asks for the record of a file; None if it cannot be had."""


def identity_of(record: FileRecord) -> Identity:
    """Return what a record says of the content: by its digest, else by the version, whose content never changes."""
    known = _HASH.fullmatch(record.hash or "")
    digest = (known[1], known[2]) if known is not None else None
    if record.size is None:
        found = None
    elif digest is not None:
        found = f"{record.size}:{digest[0]}:{digest[1]}"
    elif record.file_id is not None and record.version is not None:
        found = f"{record.size}:{record.file_id}:{record.version}"
    else:
        found = None
    return Identity(found, record.size, digest)


def record_place(path: str) -> tuple[str, str | None] | None:
    """Return where the record of a file is, given the path of its content; None if that is no file.

    Returns:
        A path, and for outputs of analyses, which have none of their own, the name of the file in what is there.
    """
    found = _FILE.fullmatch(path)
    if found is None:
        return None
    base, container, analysis, kind, name = found.groups()
    if analysis is None:
        return f"{base}{container}/{kind}/{name}/info", None
    if kind == "inputs":
        return f"{base}{analysis}/{kind}/{name}/info", None
    return f"{base}{analysis}", unquote(name)


def file_name(path: str) -> str | None:
    """Return the name of the file whose content has this path; None if that is no file."""
    found = _FILE.fullmatch(path)
    return None if found is None else unquote(found[5])


class Content:
    """One file at the service, as the engine asks for it.

    The service honours ranges only together with ``view``, and enters what is fetched that way as looked at, not as
    fetched, into its access log. So a download begins without, and goes on with it if a range was ignored.

    Args:
        name: Of the file.
        request: For the whole of it.
        record: What is known of it already.
        lookup: Asks for its record, where that is worth a request.
        mint: Makes a URL with a fresh ticket, which is asked for in place of ``request``; only its headers count then.
        description: For the journal, beside what the request says: the ticket never goes there.
    """

    etag_is_md5 = False

    def __init__(
        self,
        name: str,
        request: Request,
        *,
        record: FileRecord | None = None,
        lookup: Lookup | None = None,
        mint: Mint | None = None,
        description: Mapping[str, Any] | None = None,
    ) -> None:
        self.name = name
        self.identity = None if record is None else identity_of(record)
        self._request = request
        self._lookup = lookup
        self._url = None if mint is None else LateUrl(mint)
        self._viewed = False
        self._ignored = False
        made = _described(request) | ({"by": "ticket"} if mint is not None else {})
        self.description: Mapping[str, Any] = description if description is not None else made

    async def identify(self, wire: Wire) -> Identity | None:
        """Ask for the record; of no use is one that says nothing."""
        record = None if self._lookup is None else await self._lookup()
        found = None if record is None else identity_of(record)
        return found if found is not None and found.id is not None else None

    def insist(self) -> bool:
        """Ask for ranges in the form in which the service honours them."""
        before, self._viewed = self._viewed, True
        return not before

    async def head(self, wire: Wire) -> RemoteInfo | None:
        return None

    async def request(self, wire: Wire) -> Request:
        given = self._request
        if self._url is not None:
            given = request_to(b"GET", await self._url.get(), given.headers)
        target = given.target
        if (self._viewed or self._ignored) and b"view=" not in target:
            target += (b"&" if b"?" in target else b"?") + b"view=True"
        return Request(given.method, given.origin, target, given.headers, idempotent=True)

    def renew(self) -> None:
        """Forget the ticket; without one every request asks the service itself, and there is nothing to renew."""
        if self._url is not None:
            self._url.renew()

    def expired(self, error: APIError) -> bool:
        return self._url is not None and (error.status in _TICKET_GONE or looks_expired(error))

    def digest(self, answer_headers: Mapping[bytes, bytes]) -> str | None:
        """Return None, as there is none; take note of an answer that is no range, for a stream that breaks."""
        self._ignored = self._ignored or b"content-range" not in answer_headers
        return None


def _described(request: Request) -> dict[str, Any]:
    """Describe a request by what is no secret in it; a ticket, which opens the file to whoever reads it, by its digest."""
    path, _, query = request.target.decode("ascii").partition("?")
    pairs = parse_qsl(query, keep_blank_values=True)
    found: dict[str, Any] = {"origin": str(request.origin), "path": path}
    found["query"] = [[name, value] for name, value in pairs if name != "ticket"]
    if len(found["query"]) != len(pairs):
        found["digest"] = hashlib.sha256(request.target).hexdigest()
    return found
