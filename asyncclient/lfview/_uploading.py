"""Uploads: what has to be sent, in which order, and sending it."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

from asyncclient._scheduler import CURRENT_JOB
from asyncclient._transfers.hops import run_hop
from asyncclient._transfers.places import new_job_id
from asyncclient.errors import APIError
from asyncclient.lfview._base import Resource, kinds_of, url_of
from asyncclient.lfview._colormaps import sanitize_data_colormaps
from asyncclient.lfview._content import Content, has_content, new_budget, prepared
from asyncclient.lfview._crew import Crew
from asyncclient.lfview._graph import (
    compute_children,
    construct_upload_dict,
    fingerprint,
    is_uploaded,
    keep_links,
    mark_sent,
)
from asyncclient.lfview._ledger import Ledger, graph_key, open_ledger
from asyncclient.lfview._options import Options
from asyncclient.lfview._thumbnails import Picture, open_picture, send_picture
from asyncclient.lfview.exceptions import NotAResource, Problem, ValidationError
from asyncclient.lfview.files import Thumbnail
from asyncclient.lfview.manifests import View
from asyncclient.lfview.scene import Feedback, Slide
from asyncclient.lfview.spatial import DataBasic, DataCategory

if TYPE_CHECKING:
    from asyncclient.lfview._api import ApiClient, Metadata

__all__ = ["UploadJob", "upload_graph"]


class UploadJob(NamedTuple):
    """One call of ``upload``.

    Attributes:
        resource: What was given.
        thumbnail: What was given.
        update_contents: Whether views name everything they show.
        chunk_size: Bytes per request for content.
    """

    resource: Any
    thumbnail: Any
    update_contents: bool
    chunk_size: int


async def upload_graph(client: ApiClient, job: UploadJob, options: Options) -> str:
    """Send a resource and everything it points to, as far as the service has not got it; returns its URL."""
    resource = _uploadable(job.resource)
    work = await run_hop(_prepare, resource, job.update_contents)
    picture = None if job.thumbnail is None else await open_picture(job.thumbnail)
    if work or picture is not None:
        await client.connect()
        # All its contents are one job: however many there are, they take turns with others as one.
        current = CURRENT_JOB.get()
        before = CURRENT_JOB.set(new_job_id() if current is None else current)
        try:
            async with open_ledger(client, await run_hop(_ledger_key, resource, work, job.chunk_size)) as ledger:
                await _Upload(client, job, options, picture, ledger).run(resource, work)
        finally:
            CURRENT_JOB.reset(before)
    url = url_of(resource)
    options.console.end(f"Uploaded {url}" if work else f"Nothing to upload: {url}")
    return url


def _uploadable(resource: Any) -> Resource:
    """Refuse what cannot be uploaded by itself, or by this way."""
    name = type(resource).__name__
    if isinstance(resource, Slide):
        raise NotAResource("a Slide is uploaded with upload_slide()", argument="resource")
    if isinstance(resource, Feedback):
        raise NotAResource("Feedback is uploaded with upload_feedback()", argument="resource")
    if isinstance(resource, Thumbnail):
        raise NotAResource("a Thumbnail belongs to a view or slide: give it as thumbnail=", argument="resource")
    if not isinstance(resource, Resource):
        raise NotAResource(f"{name} cannot be uploaded on its own", argument="resource")
    return resource


# --- what there is to do; in a thread, as all content may have to be looked at ---------------------------------------


def _prepare(resource: Resource, update_contents: bool) -> list[Resource]:
    """Check the whole graph and put it into the form it is sent in; returns what to send, children first."""
    resource.validate()
    for data in _objects(resource):
        if isinstance(data, (DataBasic, DataCategory)) and not is_uploaded(data):
            sanitize_data_colormaps(data)
    if update_contents:
        for view in _objects(resource):
            if isinstance(view, View):
                _update_contents(view)
    nodes = _objects(resource)
    for node in nodes:
        _uploadable(node)
    _check_order(nodes)
    return [node for node in nodes if not is_uploaded(node)]


def _objects(resource: Resource) -> list[Resource]:
    return [node for node in [*compute_children(resource), resource] if isinstance(node, Resource)]


def _update_contents(view: View) -> None:
    """Name everything in a view that it shows; another order alone is no reason to send it again."""
    found = compute_children(view)
    before = {_key(node) for node in view.contents or ()}
    if before != {_key(node) for node in found} or not is_uploaded(view):
        view.contents = found


def _ledger_key(resource: Resource, work: list[Resource], chunk_size: int) -> str | None:
    """Return what the ledger is found by; None where so little is sent that beginning anew costs hardly more."""
    contents = [node.content_length or 0 for node in work if has_content(node)]  # type: ignore[attr-defined]
    if len(work) < 2 or sum(contents) <= chunk_size:
        return None
    return graph_key(_objects(resource))


def _key(node: Resource | str) -> object:
    return node if isinstance(node, str) else id(node)


def _check_order(nodes: list[Resource]) -> None:
    """Refuse what points to itself, on whatever way, and has no URL to do so."""
    places = {id(node): place for place, node in enumerate(nodes)}
    for place, node in enumerate(nodes):
        for child in _pointed(node):
            if places[id(child)] >= place and child.url is None:
                name = type(node).__name__
                raise ValidationError([Problem("", "points to itself, and has no URL yet")], owner=name)


def _pointed(resource: Resource) -> list[Resource]:
    """Return the objects that a resource points to itself."""
    kinds = kinds_of(type(resource))
    values = ((kinds[name], resource.__dict__[name]) for name in kinds)
    found = [node for kind, value in values if value is not None for node in kind.pointers(value)]
    return [node for node in found if isinstance(node, Resource)]


# --- sending it ------------------------------------------------------------------------------------------------------


class _Upload:
    """One graph on its way.

    Args:
        client: Sends the requests.
        job: What the caller wants.
        options: How.
        picture: The thumbnail, or None.
        ledger: What an earlier run has created, and this one creates.
    """

    def __init__(
        self, client: ApiClient, job: UploadJob, options: Options, picture: Picture | None, ledger: Ledger
    ) -> None:
        self._client = client
        self._job = job
        self._options = options
        self._picture = picture
        self._ledger = ledger
        self._budget = new_budget()
        self._known: dict[int, asyncio.Event] = {}
        self._root: Resource | None = None
        self._creating: set[asyncio.Task[Any] | None] = set()
        self._failed = False

    async def run(self, root: Resource, work: list[Resource]) -> None:
        """Send what there is to send, children before parents, each once."""
        self._root = root
        self._known = {id(resource): asyncio.Event() for resource in work}
        self._options.console.begin("Uploading", len(work))
        if self._options.parallel:
            # Created, and its URL not known: it would stay behind. So these requests are let finish.
            await Crew(self._one, finishes=lambda task: task in self._creating).run(work)
        else:
            for resource in work:
                await self._one(resource)
        if id(root) not in self._known:
            await self._thumbnail(root.links or {})

    async def _one(self, resource: Resource) -> None:
        for child in _pointed(resource):
            if id(child) in self._known and child is not resource:
                await self._known[id(child)].wait()
        try:
            async with self._options.gate:
                await self._send(resource)
        except Exception as error:
            self._failed = True
            error.add_note(f"while {_title(resource)} was uploaded")
            raise
        self._options.console.step()

    async def _send(self, resource: Resource) -> None:
        if has_content(resource):
            async with prepared(resource, self._budget) as content:
                await self._with_content(resource, content)
            return
        state = fingerprint(resource)
        key = self._body_key(resource) if self._ledger.kept and resource.url is None else ""
        found = await self._recall(resource, key, {})
        metadata = await self.store(resource, {}) if found is None else found[0]
        self._known[id(resource)].set()
        mark_sent(resource, metadata.links, state=state)
        if found is None and key:
            await self._ledger.created(key, metadata.url, complete=True)
        if resource is self._root:
            await self._thumbnail(metadata.links)

    async def _with_content(self, resource: Resource, content: Content) -> None:
        file = _File(self, resource, content)
        found = await self._recall(resource, file.key, content.body)
        if found is not None:
            self.adopt_file(resource, found[0])
            self._client._account.unfinished[resource] = file.key
        if found is None or not found[1]:
            try:
                await content.send(self._client, file, self._job.chunk_size)
            except _Abandoned:
                return
            await self._ledger.completed(url_of(resource))
        mark_sent(resource, state=content.state)
        self._client._account.unfinished.pop(resource, None)

    async def store_file(self, resource: Resource, content: Content, key: str) -> Metadata:
        """Write the metadata of a resource with content; parents need its URL, and not the content."""
        new = resource.url is None
        metadata = await self.store(resource, content.body)
        self._client._account.unfinished[resource] = key
        self._known[id(resource)].set()
        if new:
            await self._ledger.created(key, metadata.url, resource.content_length)  # type: ignore[attr-defined]
        if self._failed:
            raise _Abandoned
        return metadata

    async def find_file(self, resource: Resource, content: Content, key: str, url: str) -> Metadata | None:
        """Read the resource that an earlier process, or call, has created; None unless it is there as it was left."""
        if resource.url is not None and (url, key) != (resource.url, self._client._account.unfinished.get(resource)):
            return None  # its content has been another one since
        return await self._existing(resource, url, content.body)

    async def _recall(self, resource: Resource, key: str, expected: Mapping[str, Any]) -> tuple[Metadata, bool] | None:
        """Look for a resource that an earlier run has created; return its metadata, and whether it is complete."""
        noted = self._ledger.take(key) if resource.url is None else None
        metadata = None if noted is None else await self._existing(resource, noted.url, expected)
        return None if noted is None or metadata is None else (metadata, noted.complete)

    async def _existing(self, resource: Resource, url: str, expected: Mapping[str, Any]) -> Metadata | None:
        """Read the metadata of a resource; None if it is gone, or other content than is expected is announced there."""
        try:
            metadata = await self._client._read(url, "upload", record=resource is self._root)
        except APIError as error:
            if error.status in (404, 410):
                return None
            raise
        same = all(metadata.data.get(name) == value for name, value in expected.items())
        return metadata if same and "self" in metadata.links else None

    def _body_key(self, resource: Resource) -> str:
        """Return what tells a resource without content from every other that is not equal."""
        facts = repr((self.upload_url(resource), construct_upload_dict(resource)))
        return hashlib.blake2b(facts.encode("utf-8", "surrogatepass"), digest_size=20).hexdigest()

    def adopt_file(self, resource: Resource, metadata: Metadata) -> None:
        """Take over what was left: its session waits for the rest of this very content."""
        keep_links(resource, metadata.links)
        self._known[id(resource)].set()

    def upload_url(self, resource: Resource) -> str:
        """Return where a resource of this class is posted to."""
        return self._client._account.upload_url(resource.BASE_TYPE, resource.SUB_TYPE)

    async def store(self, resource: Resource, content: Mapping[str, Any]) -> Metadata:
        """Create a resource, or change it; its URL is known from then on."""
        body = {**construct_upload_dict(resource), **content}
        record = resource is self._root
        if resource.url is not None:
            return await self._client._write(b"PATCH", resource.url, body, "upload", record=record)
        url = self.upload_url(resource)
        task = asyncio.current_task()
        self._creating.add(task)
        try:
            metadata = await self._client._write(b"POST", url, body, "upload", record=record)
            metadata.link("self")
            keep_links(resource, metadata.links)
        finally:
            self._creating.discard(task)
        return metadata

    async def _thumbnail(self, links: Mapping[str, str]) -> None:
        if self._picture is not None:
            await send_picture(self._client, self._picture, links, self._job.chunk_size)


class _Abandoned(Exception):
    """Another resource has failed: this one was let finish its first request only."""


class _File:
    """The place of the content of one resource."""

    def __init__(self, upload: _Upload, resource: Resource, content: Content) -> None:
        self._upload = upload
        self._resource = resource
        self._content = content
        facts = repr((upload.upload_url(resource), sorted(content.body.items()))).encode("utf-8", "surrogatepass")
        self.key = hashlib.blake2b(facts + content.state, digest_size=20).hexdigest()

    async def store(self) -> Metadata:
        return await self._upload.store_file(self._resource, self._content, self.key)

    async def find(self, url: str) -> Metadata | None:
        return await self._upload.find_file(self._resource, self._content, self.key, url)

    def adopt(self, metadata: Metadata) -> None:
        self._upload.adopt_file(self._resource, metadata)


def _title(resource: Resource) -> str:
    name = getattr(resource, "name", None)
    return f"{type(resource).__name__} {name!r}" if name else type(resource).__name__
