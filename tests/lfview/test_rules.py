"""Every rule between properties, with good and bad values."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from asyncclient.lfview import files, scene, spatial
from asyncclient.lfview.exceptions import ValidationError
from tests.lfview.samples import MAPPED, URL, VERTICES, category, continuous, data, discrete, grid, volume

ARRAY = f"{URL}/files/array/a1"


def lines(**values: Any) -> spatial.ElementLineSet:
    base: dict[str, Any] = {"vertices": VERTICES, "segments": [[0, 1], [1, 2]]}
    return spatial.ElementLineSet(**base | values)


def surface(**values: Any) -> spatial.ElementSurface:
    base: dict[str, Any] = {"vertices": VERTICES, "triangles": [[0, 1, 2]]}
    return spatial.ElementSurface(**base | values)


def points(**values: Any) -> spatial.ElementPointSet:
    base: dict[str, Any] = {"vertices": VERTICES}
    return spatial.ElementPointSet(**base | values)


def metadata(*shape: int, dtype: str = "<f8") -> files.Array:
    return files.Array(dtype=dtype, shape=list(shape), content_length=0)


ON_SET: list[tuple[Callable[[], Any], str]] = [
    (lambda: continuous(data_controls=[3, 2, 1, 0]), "data_controls: must not decrease: item 0 is 3, the next is 2"),
    (lambda: continuous(data_controls=[0, float("nan")]), r"data_controls\[1\]: expected a finite number"),
    (lambda: discrete(end_points=[1, 0]), "end_points: must not decrease"),
    (lambda: category(indices=[1, 2, 1]), "indices: must be unique; more than once: 1"),
    (lambda: category(indices=[-1]), r"indices\[0\]: at least 0"),
    (lambda: data(array=[[1, 2], [3, 4]]), "array: every dimension after the first must be 1"),
    (lambda: spatial.DataCategory(array=[1.0]), "array: must hold integers, the array is Float64Array"),
    (lambda: points(vertices=[1.0, 2.0]), r"vertices: the shape must be N x 3, it is \[2\]"),
    (lambda: points(vertices=metadata(2, 2)), "vertices: the shape must be N x 3"),
    (lambda: lines(vertices=[[1.0, 2.0]]), "vertices: the shape must be N x 3"),
    (lambda: lines(segments=[[0, 1, 2]]), "segments: the shape must be N x 2"),
    (lambda: lines(segments=[[0.0, 1.0]]), "segments: must hold integers"),
    (lambda: lines(segments=[[0, -1]]), "segments: indices must not be negative, the least is -1"),
    (lambda: surface(triangles=[[0, 1]]), "triangles: the shape must be N x 3"),
    (lambda: surface(triangles=[[0.0, 1, 2]]), "triangles: must hold integers"),
    (lambda: surface(triangles=[[0, 1, -2]]), "triangles: indices must not be negative"),
    (lambda: grid(axis_u="zero"), "axis_u: expected a direction"),
    (lambda: volume(axis_w=[0, 0, 0]), "axis_w: expected a direction"),
    (lambda: grid(tensor_u=[-1]), r"tensor_u\[0\]: at least 0"),
]
ON_VALIDATE: list[tuple[Callable[[], Any], list[str]]] = [
    (lambda: continuous(data_controls=[0, 1]), ["gradient_controls", "visibility"]),
    (lambda: discrete(visibility=[True]), ["visibility"]),
    (lambda: discrete(end_points=[]), ["values"]),
    (lambda: discrete(end_inclusive=[True, False]), ["values"]),
    (lambda: category(indices=[0]), ["indices"]),
    (lambda: category(visibility=[]), ["visibility"]),
    (lambda: lines(segments=[[0, 4]]), ["segments"]),
    (lambda: surface(triangles=[[0, 1, 9]]), ["triangles"]),
    (lambda: points(data=[data(3)]), ["data[0].array"]),
    (lambda: points(data=[data(3, "cells")]), ["data[0].array"]),
    (lambda: lines(data=[data(4), data(3), data(2, "cells"), data(4, "cells")]), ["data[1].array", "data[3].array"]),
    (lambda: surface(data=[data(1), data(2, "cells")]), ["data[0].array", "data[1].array"]),
    (lambda: grid(offset_w=[0.0] * 5), ["offset_w"]),
    (lambda: grid(offset_w=[[0.0] * 6]), ["offset_w"]),
    (lambda: grid(data=[data(5), data(3, "cells")]), ["data[0].array", "data[1].array"]),
    (lambda: volume(data=[data(17), data(5, "cells")]), ["data[0].array", "data[1].array"]),
    (lambda: spatial.options.OptionsColor(data=MAPPED["data"]), ["mapping"]),
    (lambda: spatial.options.OptionsColor(), ["value"]),
    (lambda: spatial.options.OptionsSurfaceColor(), ["value"]),
    (lambda: spatial.options.OptionsSize(value=None), ["value"]),
    (lambda: spatial.options.OptionsSize(data=MAPPED["data"]), ["mapping"]),
    (lambda: spatial.options.OptionsOpacity(data=MAPPED["data"]), ["mapping"]),
    (lambda: spatial.OptionsPoints(), ["color.value"]),
    (lambda: scene.Slice(mode="section", position_b=None, color_b=None), ["position_b", "color_b"]),
    (lambda: scene.Ruler(positions=["x"], objects=[]), ["positions", "objects"]),
    (lambda: scene.Plot(slice_groups=[{}, {}]), ["slice_groups"]),
    (
        lambda: spatial.OptionsBlockModel(color={"value": "r"}, textures=[{"data": "textures/projection/t"}]),
        ["textures"],
    ),
    (lambda: scene.CameraStandard(rotation=[0, 0, 1]), ["rotation"]),
    (lambda: scene.Plot(lims=[[0, 1], [0, 1]]), ["lims"]),
    (lambda: scene.Plot(exaggeration=[1, 1]), []),
]
FINE: list[Callable[[], Any]] = [
    lambda: continuous(data_controls=[0, 0, 1, 1]),
    lambda: discrete(values=[1, 2, 3], end_points=[1, 1], end_inclusive=[0, 1], visibility=["x", "", 0]),
    lambda: data(array=[[1.0], [2.0]]),
    lambda: data(array=metadata(3, 1)),
    lambda: spatial.DataCategory(array=np.array([1], "u2"), location="N", categories=category()),
    lambda: points(vertices=ARRAY, data=[data(9)]),
    lambda: points(data=[data(array=ARRAY), f"{URL}/data/basic/d1"]),
    lambda: lines(vertices=ARRAY, segments=[[0, 99]], data=[data(7), data(1, "cells")]),
    lambda: lines(segments=ARRAY, data=[data(4), data(99, "cells")]),
    lambda: lines(segments=metadata(5, 2, dtype="<i4"), data=[data(5, "cells")]),
    lambda: lines(segments=np.zeros((0, 2), "u1")),
    lambda: surface(triangles=np.array([[0, 1, 3]], "u1")),
    lambda: grid(offset_w=ARRAY),
    lambda: spatial.options.OptionsColor(**MAPPED),
    lambda: scene.Slice(position_b=None),
]


@pytest.mark.parametrize(("make", "message"), ON_SET)
def test_refused_on_assignment(make: Callable[[], Any], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        make()


@pytest.mark.parametrize(("make", "paths"), ON_VALIDATE)
def test_refused_by_validate(make: Callable[[], Any], paths: list[str]) -> None:
    made = make()
    if not paths:
        made.validate()
        return
    with pytest.raises(ValidationError) as caught:
        made.validate()
    assert [problem.path for problem in caught.value.problems] == paths


@pytest.mark.parametrize("make", FINE)
def test_fine(make: Callable[[], Any]) -> None:
    make().validate()


def test_grids_without_spacings_count_nothing() -> None:
    made = grid(tensor_u=None, data=[data(5)], offset_w=[1.0])
    with pytest.raises(ValidationError) as caught:
        made.validate()
    assert [problem.path for problem in caught.value.problems] == ["tensor_u"]


def test_rules_for_assignment_hold_for_validate_too() -> None:
    made = points()
    vertices = made.vertices
    assert isinstance(vertices, files.Array)
    vertices.array = np.zeros(3)
    with pytest.raises(ValidationError, match="vertices: the shape must be N x 3"):
        made.validate()
