"""What must agree within a resource, and between it and what it points to: the rules of the official classes. Pure."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from itertools import pairwise
from typing import Any

from asyncclient.testing.lfview.kinds import ITEM_BYTES, SLIDES
from asyncclient.testing.lfview.tables import Resource

__all__ = ["problem"]

Body = dict[str, Any]
Find = Callable[[str], Resource | None]

_DISPLAY = ("color", "opacity", "radius", "size")


def problem(kind: str, body: Body, find: Find, view: Resource | None = None) -> str | None:
    """Return the first thing that does not fit, in words, or None.

    Args:
        kind: Type of the resource.
        body: Valid by its schema, with pointers as paths.
        find: The resource at a path; what is not found is not asked about.
        view: The view of a slide.
    """
    rules: Iterator[str] = _RULES.get(kind, _nothing)(body, find)
    found = next(rules, None) or next(_display(body, "body"), None)
    if found is None and kind == SLIDES and view is not None:
        found = _elements_of_slide(body, view)
    return found


def _nothing(body: Body, find: Find) -> Iterator[str]:
    yield from ()


def _array(body: Body, find: Find) -> Iterator[str]:
    size = ITEM_BYTES[body["dtype"]] * math.prod(body["shape"])
    if body["content_length"] > size:
        yield f"body.content_length: shape and dtype make {size} bytes"
    if "content_encoding" in body and body["content_length"] >= size:
        yield "body.content_encoding: the content did not become shorter"


def _continuous(body: Body, find: Find) -> Iterator[str]:
    controls = body["data_controls"]
    if not _rises(controls):
        yield "body.data_controls: must not decrease"
    if len(body["gradient_controls"]) != len(controls):
        yield "body.gradient_controls: as many as data_controls are needed"
    if len(body["visibility"]) != len(controls) + 1:
        yield "body.visibility: one more than data_controls is needed"


def _discrete(body: Body, find: Find) -> Iterator[str]:
    values = len(body["values"])
    if not _rises(body["end_points"]):
        yield "body.end_points: must not decrease"
    if len(body["visibility"]) != values:
        yield "body.visibility: as many as values are needed"
    for name in ("end_points", "end_inclusive"):
        if len(body[name]) != values - 1:
            yield f"body.{name}: one less than values is needed"


def _category(body: Body, find: Find) -> Iterator[str]:
    if len(set(body["indices"])) != len(body["indices"]):
        yield "body.indices: must be unique"
    for name in ("indices", "visibility"):
        if len(body[name]) != len(body["values"]):
            yield f"body.{name}: as many as values are needed"


def _rises(numbers: list[float]) -> bool:
    return all(one <= other for one, other in pairwise(numbers))


def _basic_data(body: Body, find: Find) -> Iterator[str]:
    shape, _ = _array_at(body["array"], find)
    if shape is not None and any(length != 1 for length in shape[1:]):
        yield "body.array: must have one column"


def _category_data(body: Body, find: Find) -> Iterator[str]:
    yield from _basic_data(body, find)
    _, dtype = _array_at(body["array"], find)
    if dtype.startswith("Float"):
        yield "body.array: must hold integers"


def _array_at(path: str, find: Find) -> tuple[list[int] | None, str]:
    row = find(path)
    return (None, "") if row is None or "shape" not in row.body else (row.body["shape"], row.body["dtype"])


def _indexed(cells: str | None, columns: int) -> Callable[[Body, Find], Iterator[str]]:
    """Return the rules of an element of vertices and, unless it is None, of cells of so many vertices."""

    def rules(body: Body, find: Find) -> Iterator[str]:
        shape, _ = _array_at(body["vertices"], find)
        if shape is not None and (len(shape) != 2 or shape[1] != 3):
            yield "body.vertices: must have the shape N x 3"
        nodes = count = None if shape is None else shape[0]
        if cells is not None:
            shape, dtype = _array_at(body[cells], find)
            if shape is not None and (len(shape) != 2 or shape[1] != columns):
                yield f"body.{cells}: must have the shape M x {columns}"
            if dtype.startswith("Float"):
                yield f"body.{cells}: must hold integers"
            count = None if shape is None else shape[0]
        yield from _lengths(body, find, {"nodes": nodes, "cells": count})

    return rules


def _grid(*tensors: str) -> Callable[[Body, Find], Iterator[str]]:
    def rules(body: Body, find: Find) -> Iterator[str]:
        cells = math.prod(len(body[name]) for name in tensors)
        nodes = math.prod(len(body[name]) + 1 for name in tensors)
        if "offset_w" in body:
            shape, _ = _array_at(body["offset_w"], find)
            if shape is not None and shape != [nodes]:
                yield f"body.offset_w: must have the shape {nodes}"
        yield from _lengths(body, find, {"nodes": nodes, "cells": cells})

    return rules


def _lengths(body: Body, find: Find, wanted: dict[str, int | None]) -> Iterator[str]:
    for index, pointer in enumerate(body["data"]):
        row = find(pointer)
        if row is None or "location" not in row.body:  # textures have no values
            continue
        shape, _ = _array_at(row.body["array"], find)
        length = wanted[row.body["location"]]
        if shape is not None and length is not None and shape[0] != length:
            yield f"body.data[{index}]: has {shape[0]} values for {length} {row.body['location']}"


def _display(value: Any, where: str) -> Iterator[str]:
    """Find options without a value, and slices without what their mode needs, at any depth."""
    if isinstance(value, list):
        for index, item in enumerate(value):
            yield from _display(item, f"{where}[{index}]")
    if not isinstance(value, dict):
        return
    for name in _DISPLAY:
        option = value.get(name)
        if isinstance(option, dict) and "data" in option and "mapping" not in option:
            yield f"{where}.{name}: 'mapping' is missing"
        if isinstance(option, dict) and "data" not in option and "value" not in option:
            yield f"{where}.{name}: has neither 'value' nor 'data'"
    if value.get("mode") == "section" and not {"position_b", "color_b"} <= set(value):
        yield f"{where}: a section needs 'position_b' and 'color_b'"
    for name, item in value.items():
        yield from _display(item, f"{where}.{name}")


def _elements_of_slide(body: Body, view: Resource) -> str | None:
    shown = {_uid(item["element"]) for plot in body["scene"]["plots"] for item in plot["views"]}
    wanted = {_uid(pointer) for pointer in view.body["elements"]}
    return None if shown == wanted else "body.scene: shows other elements than the view has"


def _uid(path: str) -> str:
    return path.rpartition("/")[2]


_RULES: dict[str, Callable[[Body, Find], Iterator[str]]] = {
    "files/array": _array,
    "mappings/continuous": _continuous,
    "mappings/discrete": _discrete,
    "mappings/category": _category,
    "data/basic": _basic_data,
    "data/category": _category_data,
    "elements/pointset": _indexed(None, 0),
    "elements/lineset": _indexed("segments", 2),
    "elements/surface": _indexed("triangles", 3),
    "elements/surfacegrid": _grid("tensor_u", "tensor_v"),
    "elements/volumegrid": _grid("tensor_u", "tensor_v", "tensor_w"),
}
