"""Signed uploads: the places that the storage keeps for parts, and what it takes to be complete. Without any routes."""

from __future__ import annotations

import asyncio
import base64
import math
import secrets
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

from asyncclient.testing._blobs import Blob, BlobStore
from asyncclient.testing._contract import Refusal
from asyncclient.testing.flywheel.tables import Content, Json

__all__ = ["CHUNK_BYTES", "FOLDER", "HEADERS", "HOSTS", "Slot", "Upload", "etag_of", "slots_for"]

FOLDER = "signed"
CHUNK_BYTES = 256 * 1024  # Google's storage takes parts in multiples of this, except the last
# Clients tell the kind of a storage by names in its addresses.
HOSTS = {"plain": "storage", "s3": "bucket.s3.amazonaws.example", "google": "storage.googleapis.example"}
# Whoever writes to an address must send these, as with the storage of Azure and Google.
HEADERS = {"plain": {"x-ms-blob-type": "BlockBlob"}, "s3": {}, "google": {"x-goog-acl": "private"}}


def etag_of(blob: Blob) -> str:
    """Return the ETag of a part, without quotes."""
    return base64.b64decode(blob.md5).hex()


@dataclass(slots=True)
class Slot:
    """The place of one file.

    Attributes:
        size_bytes: As announced; None if it was not.
        count: How many parts there may be.
        parts: By number, from 1; of Google's session in their order.
        done: Google's session has everything.
    """

    key: str
    storage: str
    size_bytes: int | None
    count: int
    signature: str = field(default_factory=lambda: secrets.token_hex(16))
    upload_id: str = field(default_factory=lambda: secrets.token_urlsafe(16))
    parts: dict[int, Blob] = field(default_factory=dict)
    done: bool = False
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)

    def urls(self, origin: str) -> list[str]:
        """Return the addresses of the parts; those of Google's session are all the same."""
        return [f"{origin}/{FOLDER}/{HOSTS[self.storage]}/{self.key}?{self._query(n + 1)}" for n in range(self.count)]

    def _query(self, number: int) -> str:
        pairs: dict[str, Any] = {"sig": self.signature}
        if self.storage == "google":
            pairs |= {"upload_id": self.upload_id}
        else:
            pairs |= {"partNumber": number}
        if self.storage == "s3":
            pairs |= {"uploadId": self.upload_id}
        return urlencode(pairs)

    @property
    def received_bytes(self) -> int:
        """How much has arrived."""
        return sum(blob.size_bytes for blob in self.parts.values())

    async def put(self, blobs: BlobStore, number: int, body: AsyncIterator[bytes], *, limit_bytes: int) -> Blob:
        """Store a part; one that arrives again takes the place of the one before."""
        blob = await blobs.receive(body, limit_bytes=limit_bytes)
        before = self.parts.get(number)
        self.parts[number] = blob
        if before is not None:
            blobs.discard(before)
        return blob

    def content(self, multipart: Json | None) -> Content:
        """Return the whole file.

        Args:
            multipart: ``upload_id`` and ``e_tags`` of the parts, which S3 wants.

        Raises:
            Refusal: 400, parts are missing, or are not those that the list names, or the size is not as announced.
        """
        numbers = range(1, len(self.parts) + 1)
        if self.storage == "s3":
            numbers = self._listed(multipart)
        if self.storage == "google" and not self.done:
            raise Refusal(400, "the upload session is not complete")
        if not numbers or any(number not in self.parts for number in numbers):
            raise Refusal(400, "parts of the upload are missing")
        content = Content(tuple(self.parts[number] for number in numbers))
        if self.size_bytes is not None and content.size_bytes != self.size_bytes:
            raise Refusal(400, f"{content.size_bytes} bytes were uploaded and {self.size_bytes} announced")
        return content

    def _listed(self, multipart: Json | None) -> range:
        given = multipart or {}
        tags = given.get("e_tags") or []
        if given.get("upload_id") != self.upload_id:
            raise Refusal(400, "multipart.upload_id: there is no such upload")
        stored = [etag_of(self.parts[n + 1]) if n + 1 in self.parts else None for n in range(len(tags))]
        if [str(tag).strip('"') for tag in tags] != stored:
            raise Refusal(400, "multipart.e_tags: are not those of the parts")
        return range(1, len(tags) + 1)


@dataclass(slots=True)
class Upload:
    """One or several files under one ticket, or under one uuid.

    Attributes:
        target: Id of the container that the files are for; None for uploads by uuid.
        slots: By file name.
        metadata: By file name.
    """

    id: str
    target: str | None
    slots: dict[str, Slot]
    metadata: dict[str, Json]
    expired: bool = False

    @property
    def headers(self) -> dict[str, str]:
        """What is to be sent with the parts."""
        storage = next(iter(self.slots.values())).storage
        return dict(HEADERS[storage])


def slots_for(storage: str, sizes: dict[str, int | None], *, part_bytes: int, several: bool) -> dict[str, Slot]:
    """Make places for files.

    Args:
        storage: Kind of storage.
        sizes: By file name; None where it was not announced.
        part_bytes: Size of a part.
        several: Whether the client can use several addresses for a file.
    """
    made = {}
    for name, size in sizes.items():
        count = max(1, math.ceil((size or 0) / part_bytes)) if several else 1
        made[name] = Slot(secrets.token_hex(16), storage, size, count)
    return made
