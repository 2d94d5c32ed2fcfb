"""The demo at Lucidtech: a folder of files goes up, comes back, is listed page by page and deleted."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from asyncclient import AsyncHub, las
from asyncclient.cli._demo_record import Part
from asyncclient.cli._demo_work import SmallCall, each
from asyncclient.cli._files import Item, md5_of
from asyncclient.errors import EmptyRequestError

__all__ = ["Documents"]

_PAGE: Final = 25  # small enough that the samples fill several pages


@dataclass(frozen=True, slots=True)
class Stored:
    """A file the service has.

    Attributes:
        item: The file.
        md5: Its digest before it was sent.
        document_id: Under which the service has it.
    """

    item: Item
    md5: str
    document_id: str

    def __str__(self) -> str:
        return self.item.name


class Documents:
    """The work.

    Args:
        part: Where it is noted.
        hub: That everything goes through.
        credentials: Of the emulator.
        items: The files.
        back: Folder for the files that come back.
    """

    def __init__(
        self, part: Part, hub: AsyncHub, credentials: Mapping[str, str], items: Sequence[Item], back: Path
    ) -> None:
        self.part = part
        self._hub = hub
        self._client = las.AsyncClient(las.Credentials(**credentials), hub=hub)
        self._items = items
        self._back = back
        self._dataset_id = ""
        part.expected_bytes = 2 * sum(item.size_bytes for item in items)

    async def open(self, stack: AsyncExitStack) -> SmallCall:
        """Return a small call; the client goes with its hub."""
        return lambda: self._client.get_organization("me")

    async def run(self) -> None:
        """Upload, read back, list and delete."""
        self._dataset_id = (await self._client.create_dataset(name="asyncclient demo"))["datasetId"]
        sent = await each(self._hub, self.part, "upload", self._send, self._items)
        stored = [found for _, found in sent if found is not None]
        await each(self._hub, self.part, "read back", self._fetch, stored)
        await self._list(stored)
        await self._delete(stored)

    async def _send(self, item: Item) -> Stored | None:
        """Upload a file; return None if the library refuses it, as it does with an empty one."""
        md5 = await asyncio.to_thread(md5_of, item.path)
        metadata = {"name": item.name, "md5": md5}
        try:
            document = await self._client.create_document(item.path, dataset_id=self._dataset_id, metadata=metadata)
        except EmptyRequestError:
            self.part.refused.append(item.name)
            return None
        return Stored(item, md5, document["documentId"])

    async def _fetch(self, stored: Stored) -> None:
        """Download a file, compare it and drop it."""
        target = self._back / stored.document_id.replace(":", "-")
        await self._client.download_document(stored.document_id, target)
        md5 = await asyncio.to_thread(md5_of, target)
        target.unlink()
        if md5 != stored.md5:
            raise ValueError(f"sent with md5 {stored.md5}, came back with {md5}")
        self.part.same(stored.item.size_bytes)

    async def _list(self, stored: Sequence[Stored]) -> None:
        expected = {each.document_id: each.md5 for each in stored}
        with self.part.step("list") as step:
            rows = self._client.iterate("list_documents", dataset_id=self._dataset_id, max_results=_PAGE)
            async for row in rows:
                md5 = expected.pop(row["documentId"], None)
                if md5 is None or row["contentMD5"] != md5:
                    self.part.problems.append(
                        f"{row['documentId']}: listed with md5 {row['contentMD5']}, sent with {md5}"
                    )
                step.files += 1
        self.part.problems.extend(f"{document_id}: not listed" for document_id in expected)

    async def _delete(self, stored: Sequence[Stored]) -> None:
        with self.part.step("delete") as step:
            answer = await self._client.delete_documents(dataset_id=self._dataset_id, delete_all=True)
            step.files = len(answer["documents"])
            await self._client.delete_dataset(self._dataset_id)
        if step.files != len(stored):
            self.part.problems.append(f"{step.files} documents deleted, not {len(stored)}")
