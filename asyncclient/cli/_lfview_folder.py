"""A view as a folder: ``view.json`` says what there is, arrays and images are files beside it."""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from asyncclient.cli._errors import Problem

if TYPE_CHECKING:
    from asyncclient.lfview._base import Resource

__all__ = ["INDEX", "read_folder", "read_points", "write_folder"]

INDEX: Final = "view.json"
_FORM: Final = "asyncclient lfview 1"
_SIGNATURES: Final = {b"\x89PNG": "png", b"\xff\xd8\xff": "jpg", b"GIF8": "gif"}


def write_folder(resource: Resource, folder: Path) -> int:
    """Write a resource and all it points to; blocks. Returns how many resources that are.

    ``view.json`` comes last, so that a folder that has one is whole. A resource that could not be fetched stays a URL.
    """
    from asyncclient.lfview.utils import compute_children

    nodes = [node for node in [*compute_children(resource), resource] if not isinstance(node, str)]
    places = {id(node): _place(node, number) for number, node in enumerate(nodes)}
    folder.mkdir(parents=True, exist_ok=True)
    entries = {}
    for node in nodes:
        place = places[id(node)]
        entries[place] = {
            "type": "/".join(filter(None, (node.BASE_TYPE, node.SUB_TYPE))),
            "data": node.to_json(lambda child: places[id(child)]),
            "content": _write_content(node, folder, place.rpartition("/")[2]),
        }
    index = {"form": _FORM, "root": places[id(resource)], "resources": entries}
    _write(folder / INDEX, json.dumps(index, indent=2, ensure_ascii=False).encode("utf-8"))
    return len(nodes)


def _place(node: Resource, number: int) -> str:
    # Ends as the URLs of such resources do: pointers are checked by that.
    return "/".join(filter(None, ("", node.BASE_TYPE, node.SUB_TYPE, f"r{number}")))


def _write_content(node: Any, folder: Path, name: str) -> str | None:
    from asyncclient.lfview._arrays import ArrayContent
    from asyncclient.lfview._images import ImageContent

    if isinstance(node, ArrayContent) and node.array is not None:
        _write(folder / f"{name}.bin", node.raw())
        return f"{name}.bin"
    if isinstance(node, ImageContent) and node.image is not None:
        node.image.seek(0)
        content = node.image.read()
        kind = next((kind for start, kind in _SIGNATURES.items() if content.startswith(start)), "image")
        _write(folder / f"{name}.{kind}", content)
        return f"{name}.{kind}"
    return None


def _write(path: Path, content: bytes | memoryview) -> None:
    """Write a file whole or not at all."""
    descriptor, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.", suffix=".part")
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
        Path(temporary).replace(path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise


def read_folder(folder: Path) -> Resource:
    """Read what :func:`write_folder` has written; blocks.

    Raises:
        Problem: It is not such a folder, or a file of it is missing or has other content than its description.
    """
    from asyncclient.lfview._graph import resolve
    from asyncclient.lfview.exceptions import UnknownType, ValidationError

    try:
        index = json.loads((folder / INDEX).read_text("utf-8"))
        entries: Mapping[str, Any] = index["resources"]
        if index["form"] != _FORM:
            raise Problem(f"{folder / INDEX}: was written by another version")
        found = {place: _read_resource(folder, entry) for place, entry in entries.items()}
        for resource in found.values():
            resolve(resource, found)
        return found[index["root"]]
    except FileNotFoundError as error:
        raise Problem(f"{error.filename}: is missing; `asyncclient lfview download` writes such folders") from error
    except (ValidationError, UnknownType, ValueError, KeyError, TypeError, AttributeError) as error:
        raise Problem(f"{folder / INDEX}: is not the description of a view: {error}") from error


def _read_resource(folder: Path, entry: Mapping[str, Any]) -> Resource:
    from asyncclient.lfview._arrays import ArrayContent
    from asyncclient.lfview._images import ImageContent
    from asyncclient.lfview.utils import find_class_from_types

    base, _, sub = str(entry["type"]).partition("/")
    resource = find_class_from_types(base, sub).from_json(entry["data"])
    name = entry.get("content")
    if name is not None:
        if Path(name).name != name:
            raise ValueError(f"{name!r} is no name of a file in the folder")
        if isinstance(resource, ArrayContent):
            resource.fill((folder / name).read_bytes())
        elif isinstance(resource, ImageContent):
            resource.image = folder / name
    return resource


def read_points(path: Path, name: str) -> Resource:
    """Make a view of a table of points: x, y, z and any further columns of numbers, with a line of headings; blocks.

    Args:
        path: A file with values separated by commas.
        name: Of the view.

    Raises:
        Problem: It is no such table.
    """
    import csv

    import numpy as np

    from asyncclient.lfview.manifests import View
    from asyncclient.lfview.spatial import DataBasic, ElementPointSet

    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            headings, *rows = list(csv.reader(file))
        values = np.array([[float(value) for value in row] for row in rows if row])
    except ValueError as error:
        raise Problem(f"{path}: is no table of numbers with a line of headings: {error}") from error
    if values.ndim != 2 or values.shape[1] < 3 or values.shape[1] != len(headings):
        raise Problem(f"{path}: needs three columns of numbers or more, as many as headings, and a line of values")
    columns = [
        DataBasic(name=heading.strip() or f"column {number}", array=values[:, number], location="N")
        for number, heading in enumerate(headings)
        if number > 2
    ]
    points = ElementPointSet(
        name=path.stem, vertices=values[:, :3], data=columns, defaults={"color": {"value": "steelblue"}}
    )
    return View(name=name, elements=[points])
