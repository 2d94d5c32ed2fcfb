"""Downloads: a resource and what it points to, each once, and the objects put together at the end."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from typing import TYPE_CHECKING, NamedTuple

from asyncclient._transfers.hops import run_hop
from asyncclient.errors import APIError, ArgumentTypeError, DecodeError, TransferError, TransportError
from asyncclient.lfview._base import Resource, kinds_of
from asyncclient.lfview._classes import read_resource
from asyncclient.lfview._content import receive
from asyncclient.lfview._crew import Crew
from asyncclient.lfview._graph import mark_fetched, resolve
from asyncclient.lfview._options import Options
from asyncclient.lfview._urls import convert_url_app_to_project, convert_url_project_to_view, match_url_app
from asyncclient.lfview.exceptions import ValidationError
from asyncclient.lfview.scene import Feedback, Slide

if TYPE_CHECKING:
    from asyncclient.lfview._api import ApiClient, Metadata

__all__ = ["DownloadJob", "download_graph", "read_metadata", "read_object"]

_FAILURES = (APIError, TransportError, DecodeError, TransferError, ValidationError)
"""What ``allow_failure`` allows: what a server or a connection can do wrong with one resource."""


class DownloadJob(NamedTuple):
    """One call of ``download``."""

    url: str
    recursive: bool
    copy: bool
    allow_failure: bool


class _Found(NamedTuple):
    resource: Resource
    links: Mapping[str, str]


async def download_graph(client: ApiClient, job: DownloadJob, options: Options) -> Resource | str:
    """Fetch a resource and what it points to; returns the object, or the URL if that failed and may."""
    if not isinstance(job.url, str):
        raise ArgumentTypeError(f"url must be text, not {type(job.url).__name__}", argument="url")
    client._request(b"GET", _project_form(job.url))  # refuses what is no URL, before anything is sent
    await client.connect()
    download = _Download(client, job, options)
    await download.run()
    await run_hop(download.assemble)
    options.console.end(f"Downloaded {job.url.partition('?')[0]}")
    root = download.found.get(job.url)
    return root.resource if root is not None else job.url


def _project_form(url: str) -> str:
    return convert_url_app_to_project(url) if match_url_app(url) else url


async def read_metadata(client: ApiClient, url: str, *, record: bool = False) -> Metadata:
    """Read the metadata behind a URL; an app URL that is not the user's own is read as it is shared."""
    if not match_url_app(url):
        return await client._read(url, "download", record=record)
    own = convert_url_app_to_project(url)
    try:
        return await client._read(own, "download", record=record)
    except APIError:
        return await client._read(convert_url_project_to_view(own), "download", record=record)


async def read_object(client: ApiClient, url: str) -> tuple[Resource, Metadata]:
    """Read one resource, without content; what it points to stays URLs."""
    metadata = await read_metadata(client, url)
    return read_resource(metadata.url, metadata.data), metadata


class _Download:
    """One graph on its way.

    Args:
        client: Sends the requests.
        job: What the caller wants.
        options: How.

    Attributes:
        found: What was fetched, by the text of its URL.
    """

    def __init__(self, client: ApiClient, job: DownloadJob, options: Options) -> None:
        self._client = client
        self._job = job
        self._options = options
        self._seen: set[str] = set()
        self.found: dict[str, _Found] = {}

    async def run(self) -> None:
        """Fetch everything, each URL once."""
        self._options.console.begin("Downloading")
        todo = deque(self._new([self._job.url]))
        if not self._options.parallel:
            while todo:
                todo.extend(await self._one(todo.popleft()))
        else:
            await Crew(self._one).run(todo)

    def _new(self, urls: list[str]) -> list[str]:
        fresh = [url for url in dict.fromkeys(urls) if url not in self._seen]
        self._seen.update(fresh)
        for _ in fresh:
            self._options.console.found()
        return fresh

    async def _one(self, url: str) -> list[str]:
        """Fetch one resource; returns the URLs that it points to and nobody has asked for yet."""
        try:
            async with self._options.gate:
                resource, metadata = await self._fetch(url)
        except _FAILURES as error:
            if not self._job.allow_failure:
                error.add_note(f"while {url.partition('?')[0]} was downloaded")
                raise
            return []
        finally:
            self._options.console.step()
        self.found[url] = _Found(resource, metadata.links)
        return self._new(_pointed(resource)) if self._job.recursive else []

    async def _fetch(self, url: str) -> tuple[Resource, Metadata]:
        metadata = await read_metadata(self._client, url, record=url == self._job.url)
        resource = read_resource(metadata.url, metadata.data)
        await receive(self._client, resource, metadata)
        return resource, metadata

    def assemble(self) -> None:
        """Put the objects in the place of their URLs; in a thread, as all content is looked at."""
        objects = {url: found.resource for url, found in self.found.items()}
        for resource in objects.values() if self._job.recursive else ():
            resolve(resource, objects)
        if not self._job.copy:
            mark_fetched((found.resource, found.links) for found in self.found.values())


def _pointed(resource: Resource) -> list[str]:
    if isinstance(resource, (Slide, Feedback)):
        return []
    kinds = kinds_of(type(resource))
    values = ((kinds[name], resource.__dict__[name]) for name in kinds)
    found = [node for kind, value in values if value is not None for node in kind.pointers(value)]
    return [node for node in found if isinstance(node, str)]
