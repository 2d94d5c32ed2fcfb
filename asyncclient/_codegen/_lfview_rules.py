"""Which hand-written rule stands for which sentence of ``x-validators``, and which class has a hand-written base."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

__all__ = ["BASES", "RULES", "Base", "OnSet"]


@dataclass(frozen=True, slots=True)
class OnSet:
    """A rule for a value as it is assigned.

    Attributes:
        properties: Whose values.
        rule: Source text.
    """

    properties: tuple[str, ...]
    rule: str


_LINES: Final = 'data_lengths(nodes=rows("vertices"), cells=rows("segments"))'
_SURFACE: Final = 'data_lengths(nodes=rows("vertices"), cells=rows("triangles"))'
_FLAT: Final = '"tensor_u", "tensor_v"'
_DEEP: Final = '"tensor_u", "tensor_v", "tensor_w"'

RULES: Final[Mapping[str, OnSet | str]] = {
    "on set of content_length: when dtype and shape are known, content_length <= itemsize(dtype) * product(shape)": "",
    "setting the array attribute fills dtype, shape and content_length": "",
    "setting the image attribute fills content_length; the bytes are not inspected": "",
    "axis_u and axis_v are scaled to length 1 on set; the zero vector is refused": "",
    "axis_u, axis_v and axis_w are scaled to length 1 on set; the zero vector is refused": "",
    "on set: data_controls must not decrease (equal neighbours allowed; NaN refused)": OnSet(
        ("data_controls",), "ascending"
    ),
    "on validate: len(gradient_controls) == len(data_controls)": 'same_length("gradient_controls", "data_controls")',
    "on validate: len(visibility) == len(data_controls) + 1": 'same_length("visibility", "data_controls", plus=1)',
    "on set: end_points must not decrease (equal neighbours allowed)": OnSet(("end_points",), "ascending"),
    "on validate: len(visibility) == len(values)": 'same_length("visibility", "values")',
    "on validate: len(values) == len(end_points) + 1": 'same_length("values", "end_points", plus=1)',
    "on validate: len(values) == len(end_inclusive) + 1": 'same_length("values", "end_inclusive", plus=1)',
    "on set: indices must be unique": OnSet(("indices",), "unique"),
    "on validate: len(indices) == len(values)": 'same_length("indices", "values")',
    "on set, when array is an instance: every dimension after the first must be 1": OnSet(("array",), "column"),
    "on set, when array is an instance: its dtype must be one of the six integer types": OnSet(("array",), "integers"),
    "on set, when vertices is an instance: shape must be N x 3": OnSet(("vertices",), "triples"),
    "on set, when segments is an instance: shape M x 2, integer dtype, no negative value "
    "(checked when the content is present)": OnSet(("segments",), "indices(2)"),
    "on set, when triangles is an instance: shape M x 3, integer dtype, no negative value "
    "(checked when the content is present)": OnSet(("triangles",), "indices(3)"),
    "on validate: max(segments) < vertices.shape[0] when segments content is present and vertices is an instance": (
        'indices_within("segments", "vertices")'
    ),
    "on validate: max(triangles) < vertices.shape[0] when triangles content is present and vertices is an instance": (
        'indices_within("triangles", "vertices")'
    ),
    "on validate: each data instance with an array instance has array.shape[0] == number of nodes "
    "(both locations count nodes)": 'data_lengths(nodes=rows("vertices"), cells=rows("vertices"))',
    "on validate: each data instance with an array instance has array.shape[0] == N (nodes) or M (cells); "
    "skipped when that geometry array is a URL": _LINES,
    "on validate: data lengths as for ElementLineSet, cells = triangles": _SURFACE,
    "on validate: offset_w, when an instance, has exactly one dimension of (len(tensor_u)+1)*(len(tensor_v)+1)": (
        f'grid_length("offset_w", nodes=grid({_FLAT}, plus=1))'
    ),
    "on validate: data lengths: nodes (nu+1)*(nv+1), cells nu*nv": (
        f"data_lengths(nodes=grid({_FLAT}, plus=1), cells=grid({_FLAT}, plus=0))"
    ),
    "on validate: data lengths: nodes (nu+1)*(nv+1)*(nw+1), cells nu*nv*nw": (
        f"data_lengths(nodes=grid({_DEEP}, plus=1), cells=grid({_DEEP}, plus=0))"
    ),
    "on validate: if data is set, mapping must be set": "mapped",
    "on validate: if data is not set, value must be set": "mapped",
    'on validate: mode "section" needs position_b and color_b': "section_complete",
}
"""Sentence to rule; empty where a base class or the kind of the property sees to it."""


@dataclass(frozen=True, slots=True)
class Base:
    """A hand-written base class.

    Attributes:
        name: Its name.
        positional: First argument of its constructor with its type, if it has one by position.
    """

    name: str
    positional: tuple[str, str] | None = None


BASES: Final[Mapping[str, Base]] = {
    "files_Array": Base("ArrayContent", ("array", "ArrayLike")),
    "files_Image": Base("ImageContent", ("image", "ImageLike")),
    "files_Thumbnail": Base("ImageContent", ("image", "ImageLike")),
    "views_View": Base("ViewBase"),
} | {
    f"elements_Element{name}": Base("ElementBase")
    for name in ("PointSet", "LineSet", "Surface", "SurfaceGrid", "VolumeGrid")
}
"""Schema to base; others have ``Resource`` if they have a type, else ``Model``."""
