from __future__ import annotations

import datetime as dt
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from asyncclient.sticky_pi._joins import images_with_annotations, tuboids_with_labels

T0 = dt.datetime(2020, 6, 20)


def image(number: int, device: str = "0a5bb6f4") -> dict[str, Any]:
    return {"id": number, "device": device, "datetime": T0 + dt.timedelta(hours=number), "api_version": "0.1.1"}


def annotation(number: int, parent: int) -> dict[str, Any]:
    return {"id": number, "parent_image_id": parent, "api_version": "0.1.1", "n_objects": 2}


def test_a_row_for_each_image_and_annotation() -> None:
    rows = images_with_annotations([image(2), image(1)], [annotation(7, 2), annotation(8, 2)])
    assert [(row["id"], row["id_annot"], row["n_objects"]) for row in rows] == [(1, None, None), (2, 7, 2), (2, 8, 2)]
    assert list(rows[0]) == [
        "id", "device", "datetime", "api_version", "id_annot", "parent_image_id", "api_version_annot", "n_objects",
    ]  # fmt: skip


def test_without_any_annotation() -> None:
    assert images_with_annotations([image(1)], []) == [{**image(1), "parent_image_id": None}]


def test_labels_of_tuboids() -> None:
    tuboids = [{"id": 1, "tuboid_id": "a"}, {"id": 2, "tuboid_id": "b"}]
    labels = [{"id": 5, "parent_tuboid_id": 2, "label": 3}, {"id": 6, "parent_tuboid_id": 2, "label": 4}]
    assert tuboids_with_labels(tuboids, labels) == [
        {"tuboid_id": "a", "id_itc": None, "label_itc": None},
        {"tuboid_id": "b", "id_itc": 5, "label_itc": 3},
        {"tuboid_id": "b", "id_itc": 6, "label_itc": 4},
    ]


@given(st.lists(st.integers(0, 5), unique=True, min_size=1), st.lists(st.integers(0, 5)))
def test_no_image_and_no_annotation_of_one_is_lost(images: list[int], parents: list[int]) -> None:
    annotations = [annotation(number, parent) for number, parent in enumerate(parents)]
    rows = images_with_annotations([image(number) for number in images], annotations)
    assert {row["id"] for row in rows} == set(images)
    found = [row["id_annot"] for row in rows if row.get("id_annot") is not None]
    assert sorted(found) == [number for number, parent in enumerate(parents) if parent in images]
    assert [row["datetime"] for row in rows] == sorted(row["datetime"] for row in rows)
