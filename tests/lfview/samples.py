"""One valid object of every class."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from asyncclient.lfview import files, manifests, scene, spatial
from asyncclient.lfview.spatial import options
from tests.lfview.cases import class_of

DESCRIPTION: dict[str, Any] = json.loads(
    (Path(__file__).parents[2] / "asyncclient" / "lfview" / "openapi.json").read_text("utf-8")
)
SCHEMAS: dict[str, dict[str, Any]] = {
    schema["x-python-class"]: schema
    for schema in DESCRIPTION["components"]["schemas"].values()
    if "x-python-class" in schema
}
CLASSES = sorted(SCHEMAS)
URL = "https://lfview.example/api/v1/project/org1/proj1"
VERTICES = [[0.0, 0, 0], [1, 0, 0], [0, 1, 0], [0, 0, 1]]
MAPPED: dict[str, Any] = {"data": f"{URL}/data/basic/d1", "mapping": f"{URL}/mappings/continuous/m1"}


def continuous(**values: Any) -> spatial.MappingContinuous:
    base: dict[str, Any] = {"gradient": [[0, 0, 0], [255, 255, 255]], "data_controls": [0, 1, 2, 3]}
    return spatial.MappingContinuous(**base | values)


def discrete(**values: Any) -> spatial.MappingDiscrete:
    base: dict[str, Any] = {
        "values": [1.0, 2.0],
        "end_points": [0.5],
        "end_inclusive": [True],
        "visibility": [True, False],
    }
    return spatial.MappingDiscrete(**base | values)


def category(**values: Any) -> spatial.MappingCategory:
    base: dict[str, Any] = {"values": ["granite", "basalt"], "indices": [0, 1], "visibility": [True, True]}
    return spatial.MappingCategory(**base | values)


def data(count: int = 4, location: str = "nodes", **values: Any) -> spatial.DataBasic:
    base: dict[str, Any] = {"array": [float(n) for n in range(count)], "location": location}
    return spatial.DataBasic(**base | values)


def texture() -> spatial.TextureProjection:
    return spatial.TextureProjection(origin="zero", axis_u="x", axis_v="y", image=files.Image(b"png"))


def grid(**values: Any) -> spatial.ElementSurfaceGrid:
    base: dict[str, Any] = {"origin": "zero", "tensor_u": [1, 2], "tensor_v": [3], "axis_u": "x", "axis_v": "y"}
    return spatial.ElementSurfaceGrid(**base | values)


def volume(**values: Any) -> spatial.ElementVolumeGrid:
    axes: dict[str, Any] = {"axis_u": "x", "axis_v": "y", "axis_w": "z"}
    base: dict[str, Any] = {"origin": "zero", "tensor_u": [1, 2], "tensor_v": [3, 4], "tensor_w": [5]}
    return spatial.ElementVolumeGrid(**axes | base | values)


def element_view(name: str, kind: str, **values: Any) -> Any:
    cls: Any = getattr(scene, name)
    return cls(element=f"{URL}/elements/{kind}/e1", color={"value": "red"}, **values)


PLANE: dict[str, Any] = {"origin": "zero", "axis_u": "x", "axis_v": "y"}
SAMPLES: dict[str, Callable[[], Any]] = {
    "files.Array": lambda: files.Array(VERTICES),
    "files.Image": lambda: files.Image(b"png"),
    "files.Thumbnail": lambda: files.Thumbnail(b"png"),
    "spatial.MappingContinuous": continuous,
    "spatial.MappingDiscrete": discrete,
    "spatial.MappingCategory": category,
    "spatial.DataBasic": lambda: data(name="Au", mappings=[continuous(), discrete()]),
    "spatial.DataCategory": lambda: spatial.DataCategory(
        array=[0, 1, 0, 1], location="N", categories=category(), mappings=[category(values=["red", "blue"])]
    ),
    "spatial.TextureProjection": texture,
    "spatial.ElementPointSet": lambda: spatial.ElementPointSet(vertices=VERTICES, data=[data(), texture()]),
    "spatial.ElementLineSet": lambda: spatial.ElementLineSet(
        vertices=VERTICES, segments=[[0, 1], [2, 3]], data=[data(2, "cells")]
    ),
    "spatial.ElementSurface": lambda: spatial.ElementSurface(
        vertices=VERTICES, triangles=[[0, 1, 2]], data=[texture()]
    ),
    "spatial.ElementSurfaceGrid": lambda: grid(offset_w=[0.0] * 6, data=[data(6), data(2, "cells")]),
    "spatial.ElementVolumeGrid": lambda: volume(data=[data(4, "cells"), data(18)]),
    "spatial.options.OptionsStaticOpacity": options.OptionsStaticOpacity,
    "spatial.options.OptionsOpacity": options.OptionsOpacity,
    "spatial.options.OptionsSize": lambda: options.OptionsSize(**MAPPED),
    "spatial.options.OptionsColor": lambda: options.OptionsColor(value="red"),
    "spatial.options.OptionsSurfaceColor": lambda: options.OptionsSurfaceColor(value="red", back="#00f"),
    "spatial.options.OptionsWireframe": options.OptionsWireframe,
    "spatial.options.OptionsTexture": lambda: options.OptionsTexture(data=f"{URL}/textures/projection/t1"),
    "spatial.OptionsPoints": lambda: spatial.OptionsPoints(color={"value": "red"}),
    "spatial.OptionsLines": lambda: spatial.OptionsLines(color={"value": "red"}),
    "spatial.OptionsTubes": lambda: spatial.OptionsTubes(color={"value": "red"}, radius={"value": 2}),
    "spatial.OptionsSurface": lambda: spatial.OptionsSurface(
        color={"value": "red"}, textures=[{"data": f"{URL}/textures/projection/t1"}]
    ),
    "spatial.OptionsBlockModel": lambda: spatial.OptionsBlockModel(color={"value": "red"}),
    "spatial.OptionsVolumeSlices": lambda: spatial.OptionsVolumeSlices(color={"value": "red"}, slices_u=[]),
    "manifests.ViewMetadata": lambda: manifests.ViewMetadata(name="v", label_x="East"),
    "manifests.View": lambda: manifests.View(name="v", elements=[f"{URL}/elements/surface/s1", grid()]),
    "scene.Light": lambda: scene.Light(direction="up", brightness=1, enabled=True),
    "scene.Slice": lambda: scene.Slice(mode="Section"),
    "scene.SliceGroup": scene.SliceGroup,
    "scene.Ruler": lambda: scene.Ruler(positions=["zero", [1, 2, 3]], objects=[f"{URL}/elements/surface/s1"] * 2),
    "scene.CameraStandard": lambda: scene.CameraStandard(mode="perspective"),
    "scene.PointSet": lambda: element_view("PointSet", "pointset"),
    "scene.Lines": lambda: element_view("Lines", "lineset"),
    "scene.Tubes": lambda: element_view("Tubes", "lineset"),
    "scene.Surface": lambda: element_view("Surface", "surface"),
    "scene.SurfaceGrid": lambda: element_view("SurfaceGrid", "surfacegrid"),
    "scene.BlockModel": lambda: element_view("BlockModel", "volumegrid"),
    "scene.VolumeSlices": lambda: element_view("VolumeSlices", "volumegrid", slices_w=[0.1]),
    "scene.Plot": lambda: scene.Plot(
        views=[
            element_view("PointSet", "pointset"),
            element_view("Lines", "lineset"),
            element_view("Tubes", "lineset"),
            element_view("Surface", "surface"),
            element_view("SurfaceGrid", "surfacegrid"),
            element_view("BlockModel", "volumegrid"),
            element_view("VolumeSlices", "volumegrid"),
        ],
        measurements=[{"positions": ["zero", "x"], "objects": [f"{URL}/elements/surface/s1"] * 2}],
    ),
    "scene.Scene": lambda: scene.Scene(lights=[{"direction": [0, 0, 1], "brightness": 0.5, "enabled": False}]),
    "scene.AnnotationText": lambda: scene.AnnotationText(position=[1, 2], color="red", comment="here"),
    "scene.AnnotationInk": lambda: scene.AnnotationInk(position=[1, 2], color=(1, 2, 3), path=[[0, 0], [1, 1]]),
    "scene.DrawingPlane": lambda: scene.DrawingPlane(**PLANE),
    "scene.Slide": lambda: scene.Slide(
        scene={},
        annotation_plane=PLANE,
        annotations=[
            scene.AnnotationText(uid="a1", position=[1, 2], color="red", comment="here"),
            {"position": [1, 2], "color": "b", "path": []},
        ],
    ),
    "scene.Feedback": lambda: scene.Feedback(comment="Nice"),
}


def sample(name: str) -> Any:
    made = SAMPLES[name]()
    assert type(made) is class_of(name)
    return made
