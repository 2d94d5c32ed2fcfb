"""The bytes of arrays, images and thumbnails, on their way to where they are stored and back."""

from __future__ import annotations

import math
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from io import BytesIO
from typing import TYPE_CHECKING, Any, Final

from asyncclient._budget import ByteBudget
from asyncclient._transfers.hops import DISK, run_hop
from asyncclient._transfers.open_source import as_source
from asyncclient._transfers.options import TransferOptions
from asyncclient._transfers.targets_download import HttpDownload
from asyncclient._transfers.transfers import download_file, upload_file
from asyncclient.lfview._arrays import NUMPY_TYPES, ArrayContent
from asyncclient.lfview._graph import fingerprint
from asyncclient.lfview._gzip import KEPT_BYTES, SMALL_BYTES, pack, pack_small
from asyncclient.lfview._images import ImageContent, PathFile
from asyncclient.lfview._refusals import content_refusal
from asyncclient.lfview._resuming import describe
from asyncclient.lfview._targets import Place, Sent, ViewSession
from asyncclient.lfview.exceptions import BadAnswer, Problem, ValidationError

if TYPE_CHECKING:
    from asyncclient.lfview._api import ApiClient, Metadata
    from asyncclient.lfview._base import Resource

__all__ = ["Content", "has_content", "image_content", "new_budget", "prepared", "receive"]

_HELD_BYTES: Final = 64 * 1024 * 1024
"""Memory of one call for what is compressed and not yet sent."""


def new_budget() -> ByteBudget:
    """Return the memory for the contents of one call."""
    return ByteBudget(_HELD_BYTES)


def has_content(resource: Resource) -> bool:
    """Tell whether there are bytes to send beside the metadata."""
    if isinstance(resource, ArrayContent):
        return resource.array is not None
    return isinstance(resource, ImageContent) and resource.image is not None


@dataclass(slots=True)
class Content:
    """Content that is ready to be sent.

    Attributes:
        body: The fields of the metadata that tell of it, in place of what the object says.
        state: Fingerprint of the resource when it was prepared.
    """

    body: Mapping[str, Any]
    state: bytes
    _value: Any
    _sent: Sent

    async def send(self, client: ApiClient, place: Place, chunk_size: int) -> None:
        """Write the metadata, then the content; go on where an earlier process was stopped in the middle of it.

        Args:
            client: Whose hub and retries are used; nothing is signed.
            place: Where to.
            chunk_size: Bytes per request.
        """
        length = self._sent.length
        target = ViewSession(place, self._sent, chunk_size, describe(client, self._sent, place.key))
        # A single request has nothing to go on with.
        resume = place.key is not None and length > chunk_size
        rules = replace(client._content_rules, error=content_refusal)
        source = await as_source(self._value)
        try:
            if source.size != length:
                raise _changed(length, source.size)
            await upload_file(client._pipeline, rules, source, target, TransferOptions(resume=resume))
        finally:
            await source.aclose()


@asynccontextmanager
async def prepared(resource: Resource, budget: ByteBudget) -> AsyncIterator[Content]:
    """Look at the content of a resource, compress it where that helps, and hold it until it is sent."""
    if isinstance(resource, ArrayContent):
        raw = resource.raw()
        held = await budget.reserve(min(max(len(raw), SMALL_BYTES), 2 * KEPT_BYTES))
        try:
            async with _packed_array(resource, raw) as content:
                yield content
        finally:
            held.release()
    else:
        assert isinstance(resource, ImageContent)
        yield await image_content(resource)


@asynccontextmanager
async def _packed_array(resource: ArrayContent, raw: memoryview) -> AsyncIterator[Content]:
    if len(raw) <= SMALL_BYTES:
        state, packed = await run_hop(lambda: (fingerprint(resource), pack_small(raw)))
    else:
        state = await run_hop(fingerprint, resource)
        packed = await pack(raw)
    kind = "application/octet-stream"
    if packed is None:
        yield Content({"content_length": len(raw)}, state, raw, Sent(len(raw), kind))
        return
    try:
        fields = {"content_length": packed.length, "content_encoding": "gzip"}
        yield Content(fields, state, packed.content, Sent(packed.length, kind))
    finally:
        packed.close()


async def image_content(resource: ImageContent) -> Content:
    """Look at the file of an image."""
    file, length = resource.image, resource.content_length
    assert length is not None, "validate() demands it"
    state = await run_hop(fingerprint, resource, crew=DISK)
    if isinstance(file, PathFile):
        value: Any = file.path
    elif type(file) is BytesIO:  # a subclass may have ideas of its own
        value = file.getvalue()  # shares its memory
    else:
        await run_hop(file.seek, 0, crew=DISK)
        value = file
    return Content({"content_length": length}, state, value, Sent(length, "image/png"))


def _changed(expected: int, found: int | None) -> ValidationError:
    return ValidationError([Problem("image", f"has {found} bytes now, it had {expected}: assign image again")])


# --- the way back ----------------------------------------------------------------------------------------------------


class _Download(HttpDownload):
    """Content of a resource."""

    def digest(self, answer_headers: Mapping[bytes, bytes]) -> str | None:
        """Return the md5 that headers name, unless it is that of the compressed form."""
        encodings = (answer_headers.get(name) for name in (b"content-encoding", b"x-goog-stored-content-encoding"))
        if any(value not in (None, b"identity") for value in encodings):
            return None
        return super().digest(answer_headers)


class _Memory:
    """Takes a download into memory, no more than is expected; its methods are awaited but never wait.

    Args:
        name: Of what is received.
        most: Bytes that are expected, or None.
    """

    def __init__(self, name: str, most: int | None) -> None:
        self.data = bytearray()
        self.most = most
        self._name = name

    @property
    def data_missing(self) -> bool:
        """Whether less came than was expected."""
        return self.most is not None and len(self.data) < self.most

    async def tell(self) -> int:
        return len(self.data)

    async def write(self, piece: bytes) -> int:
        if self.most is not None and len(self.data) + len(piece) > self.most:
            raise BadAnswer(f"the content of {self._name} is longer than the {self.most} bytes its metadata announces")
        self.data += piece
        return len(piece)

    async def seek(self, position: int) -> None:
        del self.data[position:]

    async def truncate(self) -> None:
        """Do nothing: ``seek`` has cut it off."""


async def receive(client: ApiClient, resource: Resource, metadata: Metadata) -> None:
    """Fetch the content of a resource, if it has any, into its object.

    Raises:
        BadAnswer: It is longer or shorter than its metadata says.
        ValidationError: The metadata is incomplete.
    """
    location = metadata.links.get("location")
    if location is None or not isinstance(resource, (ArrayContent, ImageContent)):
        return
    name = metadata.url.partition("?")[0]
    sink = _Memory(name, _expected_bytes(resource))
    # Signed only where the API itself is: elsewhere the key is nobody's business.
    rules = replace(client._rules, error=content_refusal, home=None)
    target = _Download(location, name=name, headers=client._headers_to(location))
    await download_file(client._pipeline, rules, target, sink, TransferOptions(resume=False))
    if sink.data_missing:
        raise BadAnswer(f"the content of {name} has {len(sink.data)} bytes, its metadata announces {sink.most}")
    if isinstance(resource, ArrayContent):
        await run_hop(resource.fill, sink.data)
    else:
        resource.image = BytesIO(sink.data)


def _expected_bytes(resource: ArrayContent | ImageContent) -> int | None:
    if not isinstance(resource, ArrayContent):
        return resource.content_length
    if resource.dtype is None or resource.shape is None:
        return None
    return math.prod(resource.shape) * int(NUMPY_TYPES[resource.dtype][2:])
