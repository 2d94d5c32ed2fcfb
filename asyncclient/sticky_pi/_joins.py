"""Rows of two answers joined. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from asyncclient.sticky_pi._spec import Rows

__all__ = ["images_with_annotations", "tuboids_with_labels"]

_PARENT_IMAGE: Final = "parent_image_id"
_PARENT_TUBOID: Final = "parent_tuboid_id"


def images_with_annotations(images: Sequence[dict[str, Any]], annotations: Sequence[dict[str, Any]]) -> Rows:
    """Return a row for each image and annotation of it, and one for each image that has none.

    Keys that both have get the suffix ``_annot`` in what comes from the annotation; None where there is none. Sorted
    by device, then by datetime.
    """
    if not annotations:
        rows = [{**image, _PARENT_IMAGE: None} for image in images]
    else:
        taken = set(images[0]) if images else set()
        names = {name: f"{name}_annot" if name in taken else name for row in annotations for name in row}
        nothing = dict.fromkeys(names.values())
        rows = []
        for image, annotation in _pairs(images, annotations, "id", _PARENT_IMAGE):
            rows.append({**image, **nothing, **{names[name]: value for name, value in annotation.items()}})
    return sorted(rows, key=lambda row: (row["device"], row["datetime"]))


def tuboids_with_labels(tuboids: Sequence[dict[str, Any]], labels: Sequence[dict[str, Any]]) -> Rows:
    """Return a row for each tuboid and label of it, and one for each tuboid that has none.

    The tuboid's own ``id`` is left out; all that comes from the label has the suffix ``_itc``.
    """
    names = {name: f"{name}_itc" for row in labels for name in row if name != _PARENT_TUBOID}
    nothing = dict.fromkeys(names.values())
    rows = []
    for tuboid, label in _pairs(tuboids, labels, "id", _PARENT_TUBOID):
        kept = {name: value for name, value in tuboid.items() if name != "id"}
        found = {names[name]: value for name, value in label.items() if name in names}
        rows.append({**kept, **nothing, **found})
    return rows


def _pairs(
    left: Sequence[dict[str, Any]], right: Sequence[dict[str, Any]], key: str, foreign: str
) -> list[tuple[dict[str, Any], dict[str, Any]]]:
    """Pair each row with those that refer to it, in order; with an empty one if there is none."""
    children: dict[Any, list[dict[str, Any]]] = {}
    for row in right:
        children.setdefault(row[foreign], []).append(row)
    return [(row, child) for row in left for child in children.get(row[key], [{}])]
