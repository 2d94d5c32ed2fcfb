"""Slides, feedback, invitations, deletion."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from asyncclient.errors import APIError, ArgumentError, ArgumentTypeError
from asyncclient.lfview._base import Resource
from asyncclient.lfview._console import Console
from asyncclient.lfview._downloading import read_metadata, read_object
from asyncclient.lfview._graph import construct_upload_dict, fingerprint, forget, is_uploaded, mark_sent
from asyncclient.lfview._slides import drawing_plane_from_camera, extra_slide_validation
from asyncclient.lfview._thumbnails import open_picture, send_picture
from asyncclient.lfview._urls import (
    convert_url_app_to_project,
    convert_url_project_to_view,
    match_url_app,
    match_url_project,
    match_url_view,
)
from asyncclient.lfview.exceptions import BadAnswer, BadURL, NotAResource, NotUploaded
from asyncclient.lfview.manifests import View
from asyncclient.lfview.scene import Feedback, Slide

if TYPE_CHECKING:
    from asyncclient._messages import Request
    from asyncclient._pipeline import Answer
    from asyncclient.lfview._api import ApiClient, Metadata

__all__ = ["Invitation", "SlideJob", "delete_resource", "invite", "upload_feedback", "upload_slide"]

ROLES: Final = ("view.editor", "view.spectator")


class SlideJob(NamedTuple):
    """One call of ``upload_slide``."""

    slide: Any
    view: Any
    autofill_plane: bool
    thumbnail: Any
    chunk_size: int


async def upload_slide(client: ApiClient, job: SlideJob, console: Console) -> str:
    """Send a slide, unless the service has it as it is; returns its URL."""
    slide = _checked_slide(client, job)
    picture = None if job.thumbnail is None else await open_picture(job.thumbnail)
    links: Mapping[str, str] = slide.links or {}
    if not is_uploaded(slide):
        links = (await _send_slide(client, slide, job.view)).links
    if picture is not None:
        await client.connect()
        await send_picture(client, picture, links, job.chunk_size)
    assert slide.url is not None, "it was created, or has been before"
    console.end(f"Uploaded {slide.url}")
    return slide.url


def _checked_slide(client: ApiClient, job: SlideJob) -> Slide:
    """Refuse what can be refused before anything is sent."""
    slide = job.slide
    if not isinstance(slide, Slide):
        raise NotAResource(f"upload_slide() takes a Slide, not {type(slide).__name__}", argument="slide")
    if job.view is None and slide.url is None:
        raise ArgumentError("a new slide needs the view it belongs to", argument="view")
    if isinstance(job.view, str):
        client._request(b"GET", _view_url(job.view))  # refuses what is no URL
    elif job.view is not None:
        _uploaded(job.view, View, "view")
    if job.autofill_plane and slide.annotation_plane is None and slide.scene is not None:
        slide.annotation_plane = drawing_plane_from_camera(slide.scene.camera)
    slide.validate()
    return slide


async def _send_slide(client: ApiClient, slide: Slide, view: Any) -> Metadata:
    await client.connect()
    elements, view_links = await _view_of(client, slide, view)
    extra_slide_validation(slide, elements)
    state, body = fingerprint(slide), construct_upload_dict(slide)
    if slide.url is not None:
        metadata = await client._write(b"PATCH", slide.url, body, "upload_slide", record=True)
    else:
        url = _link(view_links, "slides", "the view")
        metadata = await client._write(b"POST", url, body, "upload_slide", record=True)
        metadata.link("self")
    mark_sent(slide, metadata.links, state=state)
    return metadata


async def _view_of(client: ApiClient, slide: Slide, view: Any) -> tuple[Sequence[Resource | str], Mapping[str, str]]:
    """Return the elements and the links of the view that a slide belongs to."""
    if isinstance(view, View):
        return view.elements or [], view.links or {}
    url = _view_url(view) if view is not None else _link(slide.links or {}, "view", "the slide")
    found, metadata = await read_object(client, url)
    if not isinstance(found, View):
        raise BadURL(f"no view, but a {type(found).__name__}: {url.partition('?')[0]}", argument="view")
    return found.elements or [], metadata.links


def _view_url(url: str) -> str:
    """Return the view-service URL of a view that is given by any of its URLs."""
    found = convert_url_app_to_project(url) if match_url_app(url) else url
    found = convert_url_project_to_view(found) if match_url_project(found) else found
    if not match_url_view(found):
        raise BadURL(f"no URL of a view: {url.partition('?')[0]}", argument="view")
    return found


def _uploaded(value: Any, cls: type[Resource], argument: str) -> Mapping[str, str]:
    if not isinstance(value, cls):
        raise NotAResource(
            f"{argument} must be a {cls.__name__} or its URL, not {type(value).__name__}", argument=argument
        )
    if value.links is None:
        raise NotUploaded(f"the {cls.__name__} is not uploaded yet", argument=argument)
    return value.links


def _link(links: Mapping[str, str], name: str, owner: str) -> str:
    if name not in links:
        raise BadAnswer(f"the service named no links.{name} of {owner}")
    return links[name]


# --- feedback --------------------------------------------------------------------------------------------------------


async def upload_feedback(client: ApiClient, feedback: Any, slide: Any, console: Console) -> str:
    """Send feedback, unless the service has it as it is; returns its URL."""
    feedback = Feedback(comment=feedback) if isinstance(feedback, str) else feedback
    if not isinstance(feedback, Feedback):
        raise NotAResource(
            f"upload_feedback() takes text or Feedback, not {type(feedback).__name__}", argument="feedback"
        )
    if feedback.url is None and slide is None:
        raise ArgumentError("new feedback needs the slide it belongs to", argument="slide")
    if slide is not None and not isinstance(slide, str):
        _uploaded(slide, Slide, "slide")
    feedback.validate()
    if not is_uploaded(feedback):
        await _send_feedback(client, feedback, slide)
    assert feedback.url is not None, "it was created, or has been before"
    console.end(f"Uploaded {feedback.url}")
    return feedback.url


async def _send_feedback(client: ApiClient, feedback: Feedback, slide: Any) -> None:
    state, body = fingerprint(feedback), construct_upload_dict(feedback)
    if feedback.url is not None:
        await client.connect()
        metadata = await client._write(b"PATCH", feedback.url, body, "upload_feedback", record=True)
    else:
        links = await _slide_links(client, slide)
        url = _link(links, "feedback", "the slide")
        metadata = await client._write(b"POST", url, body, "upload_feedback", record=True)
        metadata.link("self")
    mark_sent(feedback, metadata.links, state=state)


async def _slide_links(client: ApiClient, slide: Slide | str) -> Mapping[str, str]:
    if isinstance(slide, Slide):
        await client.connect()
        return slide.links or {}
    client._request(b"GET", slide)  # refuses what is no URL, before anything is sent
    await client.connect()
    found, metadata = await read_object(client, slide)
    if not isinstance(found, Slide):
        raise BadURL(f"no slide, but a {type(found).__name__}: {slide.partition('?')[0]}", argument="slide")
    return metadata.links


# --- invitations -----------------------------------------------------------------------------------------------------


class Invitation(NamedTuple):
    """One call of ``invite_to_view``."""

    view: Any
    email: str
    role: str
    send_email: bool
    message: str | None

    def body(self) -> dict[str, Any]:
        """Return what is sent.

        Raises:
            ArgumentError: The role is none of the two, or the address is empty.
        """
        if self.role not in ROLES:
            raise ArgumentError(f"role must be {' or '.join(ROLES)}, not {self.role!r}", argument="role")
        for name, value in (("email", self.email), ("message", self.message)):
            if not isinstance(value, str) and not (name == "message" and value is None):
                raise ArgumentTypeError(f"{name} must be text, not {type(value).__name__}", argument=name)
        if not self.email.strip():
            raise ArgumentError("email must not be empty", argument="email")
        body: dict[str, Any] = {"email": self.email, "roles": [self.role], "send_email": bool(self.send_email)}
        return body | ({"message": self.message} if self.send_email else {})


async def invite(client: ApiClient, invitation: Invitation) -> tuple[Request, Answer]:
    """Give somebody access to a view; returns what was sent and what came back."""
    body, view = invitation.body(), invitation.view
    if isinstance(view, str):
        client._request(b"GET", view)  # refuses what is no URL, before anything is sent
        await client.connect()
        links = (await read_metadata(client, view)).links
    else:
        links = _uploaded(view, View, "view")
        await client.connect()
    request = client._request(b"POST", _link(links, "invites", "the view"), body)
    return request, await client._ask(request, "invite_to_view", record=True)


# --- deletion --------------------------------------------------------------------------------------------------------


async def delete_resource(client: ApiClient, resource: Any) -> None:
    """Delete a resource; what it points to stays."""
    if isinstance(resource, str):
        url = convert_url_app_to_project(resource) if match_url_app(resource) else resource
    elif isinstance(resource, Resource) and resource.url is not None:
        url = resource.url
    else:
        raise NotUploaded(f"{type(resource).__name__} is not uploaded, so there is nothing to delete")
    client._request(b"DELETE", url)  # refuses what is no URL, before anything is sent
    await client.connect()
    try:
        await client._ask(client._request(b"DELETE", url), "delete", record=True)
    except APIError as error:
        # The first try may have done it, and its answer have been lost.
        if error.attempts == 1 or error.status not in (404, 410):
            raise
    if isinstance(resource, Resource):
        forget(resource)
