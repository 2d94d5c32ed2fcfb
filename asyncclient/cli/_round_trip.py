"""The round trip of the demo through the async client: one hub, many files at a time."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final, TypeVar

from asyncclient import AsyncHub, las
from asyncclient.cli._files import Item, md5_of
from asyncclient.errors import AsyncClientError, EmptyRequestError

if TYPE_CHECKING:
    from asyncclient.cli._progress import Progress
    from asyncclient.cli._report import Outcome

__all__ = ["Trip", "run"]

T = TypeVar("T")
R = TypeVar("R")

_CONCURRENCY: Final = 16
_PAGE: Final = 25  # small enough that the samples fill several pages


@dataclass(frozen=True, slots=True)
class Trip:
    """What both round trips share.

    Attributes:
        back: Folder for the files that come back.
        progress: Where it is shown.
        outcome: Where it is noted.
    """

    back: Path
    progress: Progress
    outcome: Outcome


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


async def run(trip: Trip, credentials: Mapping[str, str], items: Sequence[Item]) -> None:
    """Upload, read back, list and delete, and note in the outcome what happened."""
    async with AsyncHub() as hub:
        client = las.AsyncClient(las.Credentials(**credentials), hub=hub)
        runner = _Runner(trip, hub, client)
        stored = await runner.upload(items)
        await runner.read_back(stored)
        await runner.list_all(stored)
        await runner.delete(stored)


class _Runner:
    def __init__(self, trip: Trip, hub: AsyncHub, client: las.AsyncClient) -> None:
        self._trip = trip
        self._hub = hub
        self._client = client
        self._dataset_id = ""

    async def upload(self, items: Sequence[Item]) -> list[Stored]:
        size = sum(item.size_bytes for item in items)
        with self._trip.outcome.stage("upload", self._hub, self._trip.progress, len(items), size) as stage:
            self._dataset_id = (await self._client.create_dataset(name="asyncclient demo"))["datasetId"]
            stored = []
            async for item, found in self._all(self._send, items):
                if found is not None:
                    stored.append(found)
                    self._trip.progress.advance(stage, item.size_bytes)
        return stored

    async def read_back(self, stored: Sequence[Stored]) -> None:
        size = sum(each.item.size_bytes for each in stored)
        with self._trip.outcome.stage("download, compare", self._hub, self._trip.progress, len(stored), size) as stage:
            async for each, same in self._all(self._fetch, stored):
                if same:
                    self._trip.progress.advance(stage, each.item.size_bytes)

    async def list_all(self, stored: Sequence[Stored]) -> None:
        expected = {each.document_id: each.md5 for each in stored}
        problems = self._trip.outcome.problems
        with self._trip.outcome.stage("list, page by page", self._hub, self._trip.progress, len(stored), 0) as stage:
            rows = self._client.iterate("list_documents", dataset_id=self._dataset_id, max_results=_PAGE)
            async for row in rows:
                md5 = expected.pop(row["documentId"], None)
                if md5 is None or row["contentMD5"] != md5:
                    problems.append(f"{row['documentId']}: listed with md5 {row['contentMD5']}, sent with {md5}")
                self._trip.progress.advance(stage, 0)
        problems.extend(f"{document_id}: not listed" for document_id in expected)

    async def delete(self, stored: Sequence[Stored]) -> None:
        with self._trip.outcome.stage("delete", self._hub, self._trip.progress, len(stored), 0) as stage:
            answer = await self._client.delete_documents(dataset_id=self._dataset_id, delete_all=True)
            for _ in answer["documents"]:
                self._trip.progress.advance(stage, 0)
            await self._client.delete_dataset(self._dataset_id)
        if stage.files != len(stored):
            self._trip.outcome.problems.append(f"{stage.files} documents deleted, not {len(stored)}")

    def _all(self, fn: Callable[[T], Awaitable[R]], items: Sequence[T]) -> AsyncIterator[tuple[T, R]]:
        async def call(item: T) -> tuple[T, R]:
            return item, await fn(item)

        return self._hub.map(call, items, concurrency=_CONCURRENCY, ordered=False)

    async def _send(self, item: Item) -> Stored | None:
        """Upload a file; return None, with a note in the outcome, if the service does not have it afterwards."""
        try:
            md5 = await asyncio.to_thread(md5_of, item.path)
            metadata = {"name": item.name, "md5": md5}
            document = await self._client.create_document(item.path, dataset_id=self._dataset_id, metadata=metadata)
        except EmptyRequestError:
            self._trip.outcome.refused.append(item.name)
            return None
        except (AsyncClientError, OSError) as error:
            self._trip.outcome.problems.append(f"{item.name}: {error}")
            return None
        return Stored(item, md5, document["documentId"])

    async def _fetch(self, stored: Stored) -> bool:
        """Download a file, compare it and drop it; return whether it is the same."""
        target = self._trip.back / stored.document_id.replace(":", "-")
        try:
            await self._client.download_document(stored.document_id, target)
            md5 = await asyncio.to_thread(md5_of, target)
        except (AsyncClientError, OSError) as error:
            self._trip.outcome.problems.append(f"{stored.item.name}: {error}")
            return False
        target.unlink()
        if md5 != stored.md5:
            self._trip.outcome.problems.append(f"{stored.item.name}: sent with md5 {stored.md5}, came back with {md5}")
        return md5 == stored.md5
