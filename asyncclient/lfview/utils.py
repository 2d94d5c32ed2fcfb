"""Helpers that work on resources and URLs, without a session; most have the names of the platform's own client."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from asyncclient.lfview._base import url_of
from asyncclient.lfview._classes import find_class_from_resp, find_class_from_types, read_resource
from asyncclient.lfview._colormaps import is_color_mapping, sanitize_data_colormaps
from asyncclient.lfview._colours import parse_colour, random_colour, random_colours, to_hex
from asyncclient.lfview._graph import compute_children, construct_upload_dict, fingerprint, is_uploaded, touch
from asyncclient.lfview._slides import drawing_plane_from_camera, extra_slide_validation
from asyncclient.lfview._urls import (
    convert_url_app_to_project,
    convert_url_project_to_view,
    match_url_app,
    match_url_feedback,
    match_url_project,
    match_url_slide,
    match_url_view,
    types_from_url,
)

__all__ = [
    "SynchronousExecutor",
    "SynchronousFuture",
    "compute_children",
    "construct_upload_dict",
    "convert_url_app_to_project",
    "convert_url_project_to_view",
    "drawing_plane_from_camera",
    "extra_slide_validation",
    "find_class_from_resp",
    "find_class_from_types",
    "fingerprint",
    "is_color_mapping",
    "is_uploaded",
    "match_url_app",
    "match_url_feedback",
    "match_url_project",
    "match_url_slide",
    "match_url_view",
    "parse_colour",
    "random_colour",
    "random_colours",
    "read_resource",
    "sanitize_data_colormaps",
    "to_hex",
    "touch",
    "types_from_url",
    "url_of",
]


class SynchronousFuture:
    """What :class:`SynchronousExecutor` gives back: already done."""

    def __init__(self, result: Any) -> None:
        self._result = result

    def done(self) -> bool:
        """Return True."""
        return True

    def result(self) -> Any:
        """Return what the function returned."""
        return self._result


class SynchronousExecutor:
    """Run a function at once, in the calling thread; an error comes from :meth:`submit` itself."""

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> SynchronousFuture:
        """Call the function and return its result as a future."""
        return SynchronousFuture(fn(*args, **kwargs))

    def shutdown(self, wait: bool = True) -> None:
        """Do nothing: nothing is left running."""
