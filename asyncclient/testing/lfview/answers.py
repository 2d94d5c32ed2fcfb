"""What the service shows of a resource: its properties, facts and links. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from asyncclient.testing.lfview.kinds import FEEDBACK, FILES, SLIDES, VIEWS, map_pointers, shared_path, view_path
from asyncclient.testing.lfview.state import STORAGE
from asyncclient.testing.lfview.tables import Resource

__all__ = ["Origins", "shown", "shown_thumbnail", "thumbnail_id"]


@dataclass(frozen=True, slots=True)
class Origins:
    """Scheme, host and port for the links of an answer.

    Attributes:
        api: As the client named them.
        storage: Those of contents.
    """

    api: str
    storage: str

    @classmethod
    def of(cls, api: str, storage_host: str | None) -> Origins:
        """Make them; ``storage_host`` None means the same host for both."""
        url = urlsplit(api)
        port = "" if url.port is None else f":{url.port}"
        return cls(api, api if storage_host is None else f"{url.scheme}://{storage_host}{port}")

    def location(self, session_id: str) -> str:
        """Return the address of an upload session."""
        return f"{self.storage}/{STORAGE}/{session_id}"


def shown(resource: Resource, origins: Origins, shared_by: str | None = None) -> dict[str, Any]:
    """Return the JSON of a resource.

    Args:
        resource: With pointers as paths.
        origins: For the links.
        shared_by: Path of the view that somebody else reads it through; every link then leads through that view.
    """

    def absolute(pointer: str, where: str = "") -> str:
        path = pointer if shared_by is None else shared_path(pointer, shared_by)
        return f"{origins.api}{path}" if path.startswith("/") else path

    body = map_pointers(resource.body, absolute)
    if shared_by is not None and resource.kind == VIEWS:
        del body["elements"]  # the view service leaves them to be found among the contents
    facts = {
        "uid": resource.uid,
        "type": resource.kind,
        "author": resource.author,
        "date_created": resource.created,
        "date_modified": resource.modified,
    }
    links = {name: absolute(path) for name, path in _links(resource, shared_by).items()}
    if resource.kind in FILES:
        links["location"] = origins.location(resource.uid)
    return {**body, **facts, "links": links}


def _links(resource: Resource, shared_by: str | None) -> dict[str, str]:
    path, parent = resource.path, resource.path.rsplit("/", 2)[0]
    if resource.kind == FEEDBACK:
        return {"self": path, "slide": parent}
    if resource.kind == SLIDES:
        return {"self": path, "view": parent, "feedback": f"{path}/feedback", "thumbnail": f"{path}/thumbnail"}
    if resource.kind == VIEWS:
        view = view_path(path)
        more = {"slides": f"{view}/slides", "invites": f"{view}/invites"}
        if shared_by is None:
            return {"self": path, "thumbnail": f"{path}/thumbnail", **more}
        return {"self": view, **more}
    return {"self": path}


def thumbnail_id(path: str) -> str:
    """Return the id of the upload session of a thumbnail, from the path it is announced at."""
    return "thumb-" + path.strip("/").replace("/", "-")


def shown_thumbnail(body: dict[str, Any], path: str, origins: Origins) -> dict[str, Any]:
    """Return the JSON of an announced thumbnail."""
    return {**body, "links": {"self": origins.api + path, "location": origins.location(thumbnail_id(path))}}
