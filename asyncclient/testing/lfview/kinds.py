"""The types of resources: their schemas, their paths, and which of their properties are pointers. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

__all__ = [
    "FEEDBACK",
    "FILES",
    "ITEM_BYTES",
    "POINTERS",
    "PROJECT",
    "SCHEMAS",
    "SLIDES",
    "VIEW",
    "VIEWS",
    "canonical",
    "map_pointers",
    "prefix_of",
    "project_path",
    "shared_path",
    "view_path",
]

PROJECT = "/api/v1/project"
VIEW = "/api/v1/view"
VIEWS, SLIDES, FEEDBACK = "views", "slides", "feedback"

# Schema of the contract by the ``type`` of answers.
SCHEMAS = {
    "files/array": "files_Array",
    "files/image": "files_Image",
    "mappings/continuous": "mappings_MappingContinuous",
    "mappings/discrete": "mappings_MappingDiscrete",
    "mappings/category": "mappings_MappingCategory",
    "data/basic": "data_DataBasic",
    "data/category": "data_DataCategory",
    "textures/projection": "textures_TextureProjection",
    "elements/pointset": "elements_ElementPointSet",
    "elements/lineset": "elements_ElementLineSet",
    "elements/surface": "elements_ElementSurface",
    "elements/surfacegrid": "elements_ElementSurfaceGrid",
    "elements/volumegrid": "elements_ElementVolumeGrid",
    VIEWS: "views_View",
    SLIDES: "slides_Slide",
    FEEDBACK: "feedback_Feedback",
}
FILES = frozenset({"files/array", "files/image"})
ITEM_BYTES = {
    "Int8Array": 1,
    "Uint8Array": 1,
    "Int16Array": 2,
    "Uint16Array": 2,
    "Int32Array": 4,
    "Uint32Array": 4,
    "Float32Array": 4,
    "Float64Array": 8,
}

# Properties that hold a pointer or a list of them, at any depth of a body.
POINTERS = frozenset(
    {
        *("array", "categories", "contents", "data", "element", "elements", "gradient", "image"),
        *("mapping", "mappings", "objects", "offset_w", "segments", "triangles", "vertices"),
    }
)

_SHARED = re.compile(rf"{VIEW}/([^/]+/[^/]+)/[^/]+/([^/]+/[^/]+/[^/]+)")
_RESOURCE = re.compile(rf"{PROJECT}/([^/]+/[^/]+)/([^/]+/[^/]+/[^/]+)")
_SHARED_VIEW = re.compile(rf"{VIEW}/([^/]+/[^/]+)/([^/]+)")
_PROJECT_VIEW = re.compile(rf"{PROJECT}/([^/]+/[^/]+)/views/([^/]+)")


def prefix_of(kind: str) -> str:
    """Return what new ids of this type begin with."""
    return {VIEWS: "view", SLIDES: "slide", FEEDBACK: "fb"}.get(kind) or kind.rpartition("/")[2]


def canonical(pointer: str, project: str) -> str:
    """Return the path of what a pointer means: that of the project service, except for slides and feedback.

    Args:
        pointer: Absolute, or relative to the project.
        project: ``organization/project`` of the resource that has it.
    """
    path = urlsplit(pointer).path
    if not path.startswith("/"):
        return f"{PROJECT}/{project}/{path}"
    found = _SHARED.fullmatch(path)
    if found is None or found[2].startswith(f"{SLIDES}/"):
        return path
    return f"{PROJECT}/{found[1]}/{found[2]}"


def shared_path(path: str, view: str) -> str:
    """Return the path of a resource in the view service.

    Args:
        path: In the project service.
        view: Path of a view in the view service.
    """
    found = _RESOURCE.fullmatch(path)
    return path if found is None else f"{view}/{found[2]}"


def view_path(path: str) -> str:
    """Return the path of a view in the view service, from its path in the project service."""
    found = _PROJECT_VIEW.fullmatch(path)
    return path if found is None else f"{VIEW}/{found[1]}/{found[2]}"


def project_path(path: str) -> str:
    """Return the path of a view in the project service, from its path in the view service."""
    found = _SHARED_VIEW.fullmatch(path)
    return path if found is None else f"{PROJECT}/{found[1]}/{VIEWS}/{found[2]}"


def map_pointers(value: Any, change: Callable[[str, str], str], name: str = "", where: str = "body") -> Any:
    """Return a copy of a body with every pointer replaced by ``change(pointer, place)``."""
    if isinstance(value, dict):
        return {key: map_pointers(item, change, key, f"{where}.{key}") for key, item in value.items()}
    if isinstance(value, list):
        return [map_pointers(item, change, name, f"{where}[{index}]") for index, item in enumerate(value)]
    return change(value, where) if name in POINTERS and isinstance(value, str) else value
