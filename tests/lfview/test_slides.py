"""Slides and colour mappings: what the web application needs beyond the properties."""

from __future__ import annotations

import random
from typing import Any

import pytest

from asyncclient.lfview import scene, spatial, utils
from asyncclient.lfview._colours import PALETTE
from asyncclient.lfview.exceptions import ValidationError
from tests.lfview.samples import URL, category, continuous, data, discrete, element_view

HALF = 0.7071067811865476


@pytest.mark.parametrize(
    ("camera", "plane"),
    [
        (
            {"target": [1, 2, 3], "radius": 10, "zoom": 4, "rotation": [0, 0, HALF, HALF]},
            ([2.25, 0.75, 3], [0, 2.5, 0], [-2.5, 0, 0]),
        ),
        (
            {"target": [10, 20, 30], "radius": 6, "zoom": 2, "rotation": [0.5, 0.5, -0.5, 0.5]},
            ([8.5, 20, 31.5], [0, 0, -3], [3, 0, 0]),
        ),
        ({"radius": 8, "zoom": 2, "rotation": [0, 0, 0, 0]}, ([-2, -2, 0], [4, 0, 0], [0, 4, 0])),
        (
            {"radius": 1, "zoom": 1, "rotation": [0, 0, 1, 1]},
            ([0.914213562373095, -0.5, 0], [-0.41421356237309515, 1.414213562373095, 0], [-1.414213562373095, -0.41421356237309515, 0]),
        ),
    ],
)  # fmt: skip
def test_planes(camera: dict[str, Any], plane: tuple[Any, Any, Any]) -> None:
    made = utils.drawing_plane_from_camera(scene.CameraStandard(**camera))
    for name, expected in zip(("origin", "axis_u", "axis_v"), plane, strict=True):
        assert getattr(made, name).tolist() == pytest.approx(expected, abs=1e-12)


def test_no_plane_without_a_camera_that_sees() -> None:
    with pytest.raises(ValidationError, match=r"CameraStandard\.zoom: must not be 0"):
        utils.drawing_plane_from_camera(scene.CameraStandard(zoom=0))
    with pytest.raises(ValidationError, match="radius: is required"):
        utils.drawing_plane_from_camera(scene.CameraStandard(radius=None))
    with pytest.raises(ValidationError, match="rotation: at least 4 items"):
        utils.drawing_plane_from_camera(scene.CameraStandard(rotation=[1]))


def slide_of(*views: Any) -> scene.Slide:
    return scene.Slide(scene=scene.Scene(plots=[scene.Plot(views=list(views))]))


def paths(slide: scene.Slide, *elements: Any) -> list[str]:
    with pytest.raises(ValidationError) as caught:
        utils.extra_slide_validation(slide, elements)
    return [problem.path for problem in caught.value.problems]


def test_every_element_needs_a_view_and_no_other() -> None:
    points, other = f"{URL}/elements/pointset/e1", "https://x/api/v1/view/o/p/v/elements/surface/e2"
    slide = slide_of(element_view("PointSet", "pointset"))
    utils.extra_slide_validation(slide, [points])
    utils.extra_slide_validation(slide, ["https://other/api/v1/view/o/p/v/elements/pointset/e1"])
    assert paths(slide, points, other) == ["scene.plots[0].views"]
    assert paths(slide) == ["scene.plots[0].views"]
    assert paths(slide, other) == ["scene.plots[0].views"] * 2
    utils.extra_slide_validation(slide_of(), [])


def test_a_slide_needs_a_plot() -> None:
    assert paths(scene.Slide()) == ["scene.plots"]
    assert paths(scene.Slide(scene={"plots": []})) == ["scene.plots"]


def test_everything_a_plot_points_to_is_a_url() -> None:
    made = element_view("PointSet", "pointset")
    made.color.data = data()
    made.size.data = data()
    assert paths(slide_of(made), made.element) == [f"scene.plots[0].views[0].{name}.data" for name in ("color", "size")]
    textured = element_view("Surface", "surface", textures=[{"data": {"origin": "zero"}}])
    assert paths(slide_of(textured), textured.element) == ["scene.plots[0].views[0].textures[0].data"]
    whole = scene.PointSet(element=spatial.ElementPointSet())
    assert paths(slide_of(whole)) == ["scene.plots[0].views[0].element"]


COLOURS = {"values": ["red", "#00F"]}
NUMBERS = {"values": [1.0, 2.0]}


def test_colour_mappings() -> None:
    assert utils.is_color_mapping("mappings/discrete/m1")
    assert utils.is_color_mapping(continuous())
    assert utils.is_color_mapping(discrete(**COLOURS))
    assert not utils.is_color_mapping(discrete())
    assert not utils.is_color_mapping(discrete(values=[]))
    assert not utils.is_color_mapping(category(values=None))


def test_what_is_right_is_left_alone() -> None:
    for mappings in ([], [continuous(), discrete()], [discrete(**COLOURS), discrete()], ["mappings/discrete/m1"]):
        made = data(mappings=mappings)
        assert utils.sanitize_data_colormaps(made) is made
        assert made.mappings == mappings
    plain = spatial.DataCategory()
    assert utils.sanitize_data_colormaps(plain).mappings == []


def test_the_first_colour_mapping_moves_to_the_front() -> None:
    first, second, third = discrete(), discrete(**COLOURS), continuous()
    made = utils.sanitize_data_colormaps(data(mappings=[first, third, second]))
    assert made.mappings == [second, first, third]
    numbers, colours = category(**NUMBERS), category(**COLOURS)
    labels = category()
    both = spatial.DataCategory(categories=labels, mappings=[numbers, colours])
    assert utils.sanitize_data_colormaps(both).mappings == [colours, numbers]


def test_categories_serve_when_no_mapping_does() -> None:
    colours, labels = category(**COLOURS), category()
    made = spatial.DataCategory(categories=colours, mappings=[labels])
    assert utils.sanitize_data_colormaps(made).mappings == [colours, labels]
    url = f"{URL}/mappings/category/c1"
    assert utils.sanitize_data_colormaps(spatial.DataCategory(categories=url)).mappings == [url]


def test_a_stand_in_is_made_of_the_first_mapping_or_of_the_categories() -> None:
    numbers = discrete(name="n", uid="u1")
    with utils.random_colours(random.Random(3)):
        made = utils.sanitize_data_colormaps(data(mappings=[numbers]))
    front, rest = made.mappings
    assert rest is numbers
    assert isinstance(front, spatial.MappingDiscrete)
    assert (front.name, front.uid, front.end_points) == ("n", None, numbers.end_points)
    assert front.values is not None
    assert set(front.values) <= set(PALETTE)
    front.validate()
    assert utils.sanitize_data_colormaps(made).mappings == [front, numbers]
    labels = category()
    from_labels = utils.sanitize_data_colormaps(spatial.DataCategory(categories=labels)).mappings
    assert len(from_labels) == 1
    assert utils.is_color_mapping(from_labels[0])
    continuous_only = data(mappings=[discrete(), continuous()])
    assert len(utils.sanitize_data_colormaps(continuous_only).mappings) == 3


def test_without_values_there_is_nothing_to_colour() -> None:
    empty = discrete(values=[])
    assert utils.sanitize_data_colormaps(data(mappings=[empty])).mappings == [empty]
