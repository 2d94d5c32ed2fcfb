"""Pointers: instances, URLs, and what classes are built of."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
import pytest

from asyncclient.lfview import files, manifests, scene, spatial
from asyncclient.lfview.exceptions import ValidationError
from tests.lfview.samples import URL, category, continuous, data, grid, texture


@pytest.mark.parametrize("text", ["files/array/abc123", f"{URL}/files/array/a", "x\ny files/array/a1"])
def test_urls_are_judged_by_their_end(text: str) -> None:
    assert data(array=text).array == text


@pytest.mark.parametrize(
    "text",
    ["", "files/array/", "files/array/1a", "files/array/A", "files/array/a/", "files/array/a?x=1", "files/image/a",
     "files/array/a\n", "files/array/" + "a" * 33, "array/a"],
)  # fmt: skip
def test_other_text_is_refused(text: str) -> None:
    with pytest.raises(ValidationError, match=r"array: expected Array or its URL"):
        data(array=text)


def test_patterns_of_views_elements_and_anything() -> None:
    view = manifests.View(elements=["elements/anything/e1"], contents=["x/y/z1", "views/v1"])
    view.validate()
    for name, text in (("elements", "data/basic/d1"), ("contents", "nothing"), ("contents", "a/b/c/")):
        with pytest.raises(ValidationError):
            setattr(view, name, [text])
    with pytest.raises(ValidationError):
        view.elements = [data()]  # type: ignore[list-item]  # the point
    with pytest.raises(ValidationError, match=r"expected ElementBase or its URL, got \{\}"):
        view.elements = [{}]  # type: ignore[list-item]  # the point
    view.contents = [data(), scene.Feedback(comment="x")]


@pytest.mark.parametrize("value", [[1.0, 2.0], (1.0, 2.0), np.array([1.0, 2.0]), {"array": [1.0, 2.0]}])
def test_arrays_are_built(value: Any) -> None:
    made = spatial.DataBasic(array=value).array
    assert isinstance(made, files.Array)
    assert made.array is not None
    assert made.array.tolist() == [1.0, 2.0]


def test_images_are_built_of_files_but_text_is_a_url() -> None:
    made = spatial.TextureProjection(image=io.BytesIO(b"abc"))
    assert isinstance(made.image, files.Image)
    with pytest.raises(ValidationError, match="expected Image or its URL"):
        spatial.TextureProjection(image="picture.png")
    with pytest.raises(ValidationError, match="expected Image, its URL or a dictionary"):
        spatial.TextureProjection(image=3)  # type: ignore[arg-type]  # the point


@pytest.mark.parametrize("value", [3, None, {1: 2}, {"nothing": 1}, "text", b"x", files.Image(b"")])
def test_nothing_is_built_of_anything_else(value: Any) -> None:
    with pytest.raises(ValidationError):
        spatial.ElementPointSet(data=[value])


def test_the_first_class_that_accepts_wins() -> None:
    made = spatial.ElementPointSet(
        data=[
            {"location": "N"},
            {"location": "N", "categories": category()},
            {"origin": "zero"},
            data(),
            texture(),
        ]
    )
    assert [type(item).__name__ for item in made.data] == [
        "DataBasic",
        "DataCategory",
        "TextureProjection",
        "DataBasic",
        "TextureProjection",
    ]


def test_subclasses_are_accepted_and_other_classes_are_not() -> None:
    class Mine(spatial.DataBasic):
        pass

    mine = Mine(location="N")
    assert grid(data=[mine]).data == [mine]
    with pytest.raises(ValidationError, match=r"mappings\[0\]: expected MappingContinuous"):
        data(mappings=[category()])
    with pytest.raises(ValidationError, match=r"expected DataBasic or DataCategory or its URL, which ends with"):
        spatial.ElementLineSet(data=[f"{URL}/textures/projection/t1"])
    with pytest.raises(ValidationError, match=r"mapping"):
        spatial.options.OptionsColor(mapping=data())  # type: ignore[arg-type]  # the point


def test_options_point_to_data_and_mappings() -> None:
    made = spatial.options.OptionsOpacity(data=data(), mapping=continuous())
    made.validate()
