"""The forms of URLs, and from one to another.

A trailing slash, a query and a fragment are left aside: people paste what the address bar shows.
"""

from __future__ import annotations

import re
from typing import Final

from asyncclient.lfview.exceptions import BadURL

__all__ = [
    "convert_url_app_to_project",
    "convert_url_project_to_view",
    "match_url_app",
    "match_url_feedback",
    "match_url_project",
    "match_url_slide",
    "match_url_view",
    "types_from_url",
]


def _form(text: str) -> re.Pattern[str]:
    pattern = re.sub(r"<(\w+)>", lambda found: f"(?P<{found[1]}>[a-z0-9]+)", text)
    return re.compile(rf"(?P<base>.*?){pattern}", re.DOTALL)


_APP: Final = _form("/(?:app|embed)/<org>/<proj>/<view>")
_PROJECT: Final = _form("/api/v1/project/<org>/<proj>/views/<view>")
_VIEW: Final = _form("/api/v1/view/<org>/<proj>/<view>")
_SLIDE: Final = _form("/api/v1/view/<org>/<proj>/<view>/slides/<slide>")
_FEEDBACK: Final = _form("/api/v1/view/<org>/<proj>/<view>/slides/<slide>/feedback/<feedback>")
_RESOURCE: Final = re.compile(
    r".*?/api/v1/(?:project/[a-z0-9]+/[a-z0-9]+|view/[a-z0-9]+/[a-z0-9]+/[a-z0-9]+)"
    r"/(?P<base>[a-z]+)/(?P<sub>[a-z]+)/[a-z0-9]+",
    re.DOTALL,
)


def _bare(url: str) -> str:
    return re.split("[?#]", url, maxsplit=1)[0]


def _match(form: re.Pattern[str], url: str) -> re.Match[str] | None:
    return form.fullmatch(_bare(url).rstrip("/"))


def match_url_app(url: str) -> re.Match[str] | None:
    """Match ``<base>/app/<org>/<proj>/<view>`` or the same with ``embed``."""
    return _match(_APP, url)


def match_url_project(url: str) -> re.Match[str] | None:
    """Match ``<base>/api/v1/project/<org>/<proj>/views/<view>``."""
    return _match(_PROJECT, url)


def match_url_view(url: str) -> re.Match[str] | None:
    """Match ``<base>/api/v1/view/<org>/<proj>/<view>``."""
    return _match(_VIEW, url)


def match_url_slide(url: str) -> re.Match[str] | None:
    """Match ``<view>/slides/<slide>``."""
    return _match(_SLIDE, url)


def match_url_feedback(url: str) -> re.Match[str] | None:
    """Match ``<slide>/feedback/<feedback>``."""
    return _match(_FEEDBACK, url)


def convert_url_app_to_project(url: str) -> str:
    """Return the project-service URL of the view that an app URL shows.

    Raises:
        BadURL: It is no app URL.
    """
    if (found := match_url_app(url)) is None:
        raise BadURL(f"no app URL: {_bare(url)}", argument="url")
    return "{base}/api/v1/project/{org}/{proj}/views/{view}".format(**found.groupdict())


def convert_url_project_to_view(url: str) -> str:
    """Return the view-service URL of the view that a project-service URL names.

    Raises:
        BadURL: It is no project-service URL of a view.
    """
    if (found := match_url_project(url)) is None:
        raise BadURL(f"no project-service URL of a view: {_bare(url)}", argument="url")
    return "{base}/api/v1/view/{org}/{proj}/{view}".format(**found.groupdict())


def types_from_url(url: str) -> tuple[str, str | None]:
    """Return base type and sub type of what a URL names.

    Raises:
        BadURL: It has none of the known forms.
    """
    if match_url_slide(url):
        return "slides", None
    if match_url_feedback(url):
        return "feedback", None
    if match_url_app(url) or match_url_project(url) or match_url_view(url):
        return "views", None
    if found := _match(_RESOURCE, url):
        return found["base"], found["sub"]
    raise BadURL(f"no URL of a resource: {_bare(url)}", argument="url")
