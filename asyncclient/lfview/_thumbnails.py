"""Previews of views and slides."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

from asyncclient._transfers.hops import DISK, run_hop
from asyncclient.lfview._content import Content, image_content
from asyncclient.lfview.files import Thumbnail

if TYPE_CHECKING:
    from asyncclient.lfview._api import ApiClient, Metadata

__all__ = ["Picture", "open_picture", "send_picture"]


class Picture(NamedTuple):
    """A preview that was opened before anything was sent."""

    content: Content
    body: dict[str, Any]


async def open_picture(value: Any) -> Picture:
    """Look at the file of a preview.

    Raises:
        ValidationError: It cannot be read.
    """
    thumbnail = await run_hop(Thumbnail, value, crew=DISK)
    return Picture(await image_content(thumbnail), thumbnail.to_json())


async def send_picture(client: ApiClient, picture: Picture, links: Mapping[str, str], chunk_size: int) -> None:
    """Send a preview to the resource that has these links; what has no preview gets a warning instead."""
    url = links.get("thumbnail")
    if url is None:
        warnings.warn("the service takes no thumbnail of this resource; it was not sent", UserWarning, stacklevel=2)
        return

    await picture.content.send(client, _Preview(client, url, picture.body), chunk_size)


class _Preview(NamedTuple):
    client: ApiClient
    url: str
    body: dict[str, Any]
    key: None = None

    async def store(self) -> Metadata:
        return await self.client._write(b"PUT", self.url, self.body, "thumbnail")

    async def find(self, url: str) -> None:
        """Return None: nothing is kept of a preview that was interrupted."""

    def adopt(self, metadata: Metadata) -> None:
        """Do nothing."""
