"""Answers become objects: classes, unions, what is ignored, what is refused."""

from __future__ import annotations

import json
from typing import Any

import pytest

from asyncclient.lfview import files, manifests, scene, spatial, utils
from asyncclient.lfview.exceptions import UnknownType, ValidationError
from tests.lfview.samples import URL, element_view, sample

LINE_OPTIONS = {"visible": True, "opacity": {"value": 0.5}, "color": {"value": "#FF0000"}}


def test_class_from_type_or_url() -> None:
    array = {"type": "files/array", "dtype": "Float32Array", "shape": [2], "content_length": 8, "uid": "a1"}
    made = utils.read_resource("https://elsewhere", array)
    assert isinstance(made, files.Array)
    assert made.uid == "a1"
    del array["type"]
    assert isinstance(utils.read_resource(f"{URL}/files/array/a1", array), files.Array)
    assert type(utils.read_resource(f"{URL}/files/image/i1", {"type": None})) is files.Image
    with pytest.raises(UnknownType, match="no class for the type things/odd"):
        utils.read_resource(URL, {"type": "things/odd"})
    with pytest.raises(ValueError, match="no URL of a resource"):
        utils.read_resource("https://lfview.example/", {})


@pytest.mark.parametrize(
    ("types", "cls"),
    [
        (("views", None), manifests.View),
        (("slides", ""), scene.Slide),
        (("feedback", None), scene.Feedback),
        (("data", "category"), spatial.DataCategory),
        (("elements", "volumegrid"), spatial.ElementVolumeGrid),
        (("files", "image"), files.Image),
    ],
)
def test_classes_of_types(types: tuple[str, str | None], cls: type) -> None:
    assert utils.find_class_from_types(*types) is cls
    text = "/".join(filter(None, types))
    assert utils.find_class_from_resp("https://x", text) is cls


def test_unknown_keys_are_ignored_and_null_is_unset() -> None:
    made = spatial.DataBasic.from_json(
        {
            "name": None,
            "mappings": None,
            "location": "nodes",
            "links": {},
            "author": "me",
            "date_created": "x",
            "new": 1,
        }
    )
    assert made.name is None
    assert made.mappings == []
    assert made.location == "nodes"
    options = {**LINE_OPTIONS, "surprise": 1, "color": {"value": "#010203", "new": 2}}
    lines = spatial.ElementLineSet.from_json({"defaults": options})
    assert isinstance(lines.defaults, spatial.OptionsLines)
    assert lines.defaults.color.value == (1, 2, 3)
    assert scene.Slice.from_json({"position_b": None}).position_b is None


def test_options_are_told_apart_by_their_keys() -> None:
    def read(cls: Any, **more: Any) -> Any:
        return cls.from_json({"defaults": {**LINE_OPTIONS, **more}}).defaults

    assert type(read(spatial.ElementLineSet)) is spatial.OptionsLines
    assert type(read(spatial.ElementLineSet, radius={"value": 2})) is spatial.OptionsTubes
    assert type(read(spatial.ElementLineSet, radius={"value": 2}, new=1)) is spatial.OptionsTubes
    assert type(read(spatial.ElementVolumeGrid)) is spatial.OptionsBlockModel
    assert type(read(spatial.ElementVolumeGrid, slices_u=[0.1])) is spatial.OptionsVolumeSlices
    assert type(read(spatial.ElementLineSet, __class__="OptionsTubes")) is spatial.OptionsTubes
    assert type(read(spatial.ElementLineSet, __class__="Other")) is spatial.OptionsLines


@pytest.mark.parametrize("cls", [spatial.ElementLineSet, spatial.ElementPointSet])
def test_options_may_be_json_text(cls: Any) -> None:
    made = cls.from_json({"defaults": json.dumps(LINE_OPTIONS)})
    assert made.defaults.opacity.value == 0.5
    assert cls.from_json({"defaults": json.dumps(LINE_OPTIONS)}).defaults.color.value == (255, 0, 0)
    with pytest.raises(ValidationError, match="defaults"):
        cls.from_json({"defaults": "no json"})
    with pytest.raises(ValidationError, match="defaults"):
        cls.from_json({"defaults": "\ud800"})


def test_scene_views_are_told_apart() -> None:
    plot = sample("scene.Plot")
    again = scene.Plot.from_json(plot.to_json())
    assert [type(view) for view in again.views] == [type(view) for view in plot.views]
    broken = element_view("PointSet", "pointset").to_json() | {"element": "elsewhere"}
    with pytest.raises(ValidationError, match=r"views\[0\]: no alternative can read it"):
        scene.Plot.from_json({"views": [broken]})


def test_annotations_are_told_apart() -> None:
    slide = scene.Slide.from_json(
        {"annotations": [{"position": [0, 1], "color": [1, 2, 3], "comment": "c"},
                         {"position": [0, 1], "color": [1, 2, 3], "path": [[0, 0]]}]}
    )  # fmt: skip
    assert [type(item) for item in slide.annotations] == [scene.AnnotationText, scene.AnnotationInk]


def test_a_view_without_elements_has_those_of_its_contents() -> None:
    contents = [f"{URL}/files/array/a1", f"{URL}/elements/surface/s1", f"{URL}/elements/pointset/p1"]
    assert manifests.View.from_json({"contents": contents}).elements == contents[1:]
    assert manifests.View.from_json({"contents": contents, "elements": contents[2:]}).elements == contents[2:]
    assert manifests.View.from_json({"contents": None}).elements == []


def test_pointers_given_as_objects_are_built() -> None:
    made = spatial.DataBasic.from_json(
        {"array": {"dtype": "Int8Array", "shape": [1], "content_length": 1, "author": "x"}, "location": "nodes"}
    )
    assert isinstance(made.array, files.Array)
    texture = {"origin": [0, 0, 0], "axis_u": [1, 0, 0], "axis_v": [0, "nan", 0], "image": f"{URL}/files/image/i1"}
    points = spatial.ElementPointSet.from_json({"data": [texture]})
    assert isinstance(points.data[0], spatial.TextureProjection)
    with pytest.raises(ValidationError, match=r"array: "):
        spatial.DataBasic.from_json({"array": {"dtype": "Int9Array"}})
    with pytest.raises(ValidationError, match="elements"):
        manifests.View.from_json({"elements": [{"name": "x"}]})


def test_problems_of_reading_have_their_path() -> None:
    with pytest.raises(ValidationError) as caught:
        scene.Scene.from_json({"camera": {"mode": "odd"}, "lights": [{"enabled": "on"}, {"enabled": 1}], "plots": 3})
    assert [problem.path for problem in caught.value.problems] == ["camera.mode", "lights[1].enabled"]
    with pytest.raises(ValidationError, match="plots: expected a list"):
        scene.Scene.from_json({"plots": 3})
