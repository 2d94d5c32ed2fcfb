"""``asyncclient lfview api``: the operations of LF View for the command that all services have."""

from __future__ import annotations

import functools
import inspect
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote

from asyncclient.cli._api import Catalogue, Service
from asyncclient.cli._errors import Problem
from asyncclient.cli._lfview_run import run_reading

if TYPE_CHECKING:
    from asyncclient._pipeline import Answer
    from asyncclient.lfview import AsyncUnauthenticatedSession

__all__ = ["OPERATIONS", "SERVICE", "Call"]

_RESOURCES: Final = "/api/v1/project/{org}/{project}/{base_type}/{sub_type}"
_RESOURCE: Final = f"{_RESOURCES}/{{uid}}"
_OWN: Final = "/api/v1/project/{org}/{project}/views"
_VIEW: Final = f"{_OWN}/{{view}}"
_SHARED: Final = "/api/v1/view/{org}/{project}/{view}"
_SLIDES: Final = f"{_SHARED}/slides"
_SLIDE: Final = f"{_SLIDES}/{{slide}}"
_COMMENTS: Final = f"{_SLIDE}/feedback"
_COMMENT: Final = f"{_COMMENTS}/{{feedback}}"


@dataclass(frozen=True, slots=True)
class Call:
    """One operation of the service.

    Attributes:
        group: What it is about.
        name: As the platform calls it.
        method: Of HTTP.
        path: With the names of its parameters; ``{location}`` stands for a whole URL.
        text: What it does.
    """

    group: str
    name: str
    method: str
    path: str
    text: str

    @property
    def sends(self) -> bool:
        """Whether it has a body."""
        return self.method in ("POST", "PATCH", "PUT")


OPERATIONS: Final = (
    Call("session", "lookup_endpoints", "GET", "{discovery}", "Find out where the service is."),
    Call("session", "get_user", "GET", "/api/v1/user", "Check the key; says where uploads go."),
    Call("resources", "upload", "POST", _RESOURCES, "Create a resource, without its content."),
    Call("resources", "download", "GET", _RESOURCE, "Read a resource, without its content."),
    Call("resources", "upload_update", "PATCH", _RESOURCE, "Replace the properties of a resource."),
    Call("resources", "delete", "DELETE", _RESOURCE, "Delete a resource."),
    Call(
        "resources",
        "download_shared_resource",
        "GET",
        f"{_SHARED}/{{base_type}}/{{sub_type}}/{{uid}}",
        "Read a resource through a view that grants access to it.",
    ),
    Call("views", "upload_view", "POST", _OWN, "Create a view."),
    Call("views", "download_view", "GET", _VIEW, "Read a view of a project."),
    Call("views", "upload_view_update", "PATCH", _VIEW, "Replace the properties of a view."),
    Call("views", "delete_view", "DELETE", _VIEW, "Delete a view; what it points to stays."),
    Call("views", "upload_view_thumbnail", "PUT", f"{_VIEW}/thumbnail", "Announce the thumbnail of a view."),
    Call("views", "download_shared_view", "GET", _SHARED, "Read a view that somebody shared."),
    Call("views", "invite_to_view", "POST", f"{_SHARED}/invites", "Invite a person to a view."),
    Call("slides", "upload_slide", "POST", _SLIDES, "Add a slide to a view."),
    Call("slides", "download_slide", "GET", _SLIDE, "Read a slide."),
    Call("slides", "upload_slide_update", "PATCH", _SLIDE, "Replace the properties of a slide."),
    Call("slides", "delete_slide", "DELETE", _SLIDE, "Delete a slide."),
    Call("slides", "upload_slide_thumbnail", "PUT", f"{_SLIDE}/thumbnail", "Announce the thumbnail of a slide."),
    Call("slides", "upload_feedback", "POST", _COMMENTS, "Comment on a slide."),
    Call("slides", "download_feedback", "GET", _COMMENT, "Read a comment."),
    Call("slides", "upload_feedback_update", "PATCH", _COMMENT, "Change a comment."),
    Call("slides", "delete_feedback", "DELETE", _COMMENT, "Delete a comment."),
    Call(
        "content", "download_content", "GET", "{location}", "Read content, from the `location` in a resource's links."
    ),
)
"""All but ``upload_content``: content goes up in sessions of several requests, which ``lfview upload`` makes."""

_FIELD: Final = re.compile(r"\{(\w+)\}")


@functools.cache
def _catalogue() -> Catalogue:
    groups: dict[str, dict[str, Any]] = {}
    for call in OPERATIONS:
        groups.setdefault(call.group, {})[call.name] = _function(call)
    return Catalogue(groups)


def _function(call: Call) -> Any:
    """Return what calls it, with a signature and a text that say how."""

    async def function(session: AsyncUnauthenticatedSession, **arguments: Any) -> Any:
        return await _answer(session, call, arguments)

    names = [name for name in _FIELD.findall(call.path) if name != "discovery"]
    kinds = dict.fromkeys(names, "str") | ({"body": "Mapping[str, Any]"} if call.sends else {})
    params = [inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, annotation=kind) for name, kind in kinds.items()]
    function.__name__ = call.name
    function.__doc__ = call.text
    function.__signature__ = inspect.Signature(params, return_annotation="Any")  # type: ignore[attr-defined]
    return function


async def _answer(session: AsyncUnauthenticatedSession, call: Call, arguments: Mapping[str, Any]) -> Any:
    if call.path == "{discovery}":
        return _decoded(await _discovered(session))
    await session.connect()
    url = arguments.get("location") or _base(session) + _FIELD.sub(
        lambda found: _quoted(arguments, found[1]), call.path
    )
    request = session._request(call.method.encode("ascii"), url, arguments.get("body"))
    return _decoded(await session._ask(request, call.name))


async def _discovered(session: AsyncUnauthenticatedSession) -> Answer:
    """Ask as :meth:`connect` does: without the key, as discovery knows no users."""
    from asyncclient._messages import Request
    from asyncclient.lfview._api import _HEADERS
    from asyncclient.lfview._refusals import discovery_refusal

    origin, target = session._discovery
    rules = replace(session._rules, auth=None, error=discovery_refusal)
    request = Request(b"GET", origin, target, _HEADERS, idempotent=True)
    return await session._pipeline.fetch(request, "lookup_endpoints", rules)


def _base(session: AsyncUnauthenticatedSession) -> str:
    """Return where the API is: at the place of the user's uploads, or where users are asked for."""
    from asyncclient._redirect import split_url

    account = session._account
    if account.upload_base_url is not None:
        return str(split_url(account.upload_base_url)[0])
    return str(next(iter(account.homes)))


def _quoted(arguments: Mapping[str, Any], name: str) -> str:
    value = str(arguments[name])
    if value in ("", ".", ".."):
        raise Problem(f"--param {name}: {value!r} is no name")
    return quote(value, safe="")


def _decoded(answer: Answer) -> Any:
    from asyncclient import _codec

    if not answer.body:
        return None
    if "json" in (answer.header(b"content-type") or ""):
        return _codec.decode_json(answer.body, status=answer.status, headers=answer.headers)
    return answer.body


def _method(session: AsyncUnauthenticatedSession, group: str, name: str) -> Any:
    return functools.partial(_catalogue().operation(group, name), session)


SERVICE: Final = Service(_catalogue, run_reading, _method)
"""What the command needs of LF View."""
