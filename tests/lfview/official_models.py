"""Give thousands of values to the resource classes and report what becomes of each.

The module runs twice: in the tests, with our classes, and as a script in a virtual environment that has the official
packages and not this project. So it imports neither at its head.
"""

from __future__ import annotations

import json
import sys
import warnings
from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import Any

import numpy as np

VALUES = [
    "0",
    "1",
    "1.0",
    "2.5",
    "-1",
    "10**400",
    "True",
    "np.bool_(True)",
    "1j",
    "np.int64(3)",
    "np.float64(2.0)",
    "float('nan')",
    "float('inf')",
    "b'x'",
    "''",
    "'x'",
    "'red'",
    "'Red'",
    "'#fff'",
    "'ABC'",
    "'RANDOMX'",
    "'zero'",
    "'Up'",
    "'-X'",
    "'nodes'",
    "'N'",
    "'faces'",
    "'square'",
    "'SPHERE'",
    "'x'*301",
    "'x'*5001",
    "[]",
    "{}",
    "[0,0,0]",
    "[1,2,3]",
    "(1,2,3)",
    "[1.0,2,3]",
    "[255,0,256]",
    "[17,34,255]",
    "np.array([1.,2,3])",
    "{1,2}",
    "['a']",
    "[[1,2,3]]",
    "[True,False]",
    "[3,2,1,0]",
    "[0,0,1,1]",
    "[1,2]",
    "{'value':0.5}",
]
PROPERTIES = {
    "spatial.MappingContinuous": "name description data_controls gradient_controls visibility interpolate gradient",
    "spatial.MappingDiscrete": "values end_points end_inclusive visibility",
    "spatial.MappingCategory": "values indices visibility",
    "spatial.DataBasic": "location array mappings",
    "spatial.DataCategory": "array categories",
    "spatial.TextureProjection": "origin axis_u",
    "spatial.ElementSurfaceGrid": "tensor_u axis_u origin data defaults",
    "spatial.ElementLineSet": "defaults segments vertices",
    "spatial.OptionsPoints": "visible opacity color size shape",
    "spatial.OptionsBlockModel": "wireframe textures",
    "spatial.OptionsVolumeSlices": "slices_u",
    "spatial.options.OptionsOpacity": "value data",
    "spatial.options.OptionsSize": "value",
    "spatial.options.OptionsColor": "value",
    "scene.Light": "direction brightness enabled",
    "scene.Slice": "mode color_a normal uid",
    "scene.CameraStandard": "mode radius rotation target",
    "scene.Plot": "lims exaggeration views slice_groups",
    "scene.Scene": "plots camera lights",
    "scene.AnnotationText": "position color comment",
    "scene.AnnotationInk": "path",
    "scene.Ruler": "positions objects",
    "manifests.View": "name contents elements",
    "scene.Feedback": "comment",
    "files.Array": "dtype shape content_length content_type array",
    "files.Image": "content_length content_type",
}
MORE = [
    *(f"files.Array(array=np.array([0,1,2]).astype('{code}'))" for code in ["f2", "f4", "f8", "i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8", "?", "c8", "U3", ">f4"]),
    "scene.Plot(lims=[[0,1],[0,2],[0,3]])",
    "scene.Plot(exaggeration=[1,0])",
    "spatial.DataBasic(array=[[1,2]])",
    "spatial.DataBasic(array=[[1],[2]])",
    "spatial.DataCategory(array=[1.5])",
    "spatial.ElementLineSet(segments=[[0,-1]])",
    "spatial.ElementLineSet(segments=[[0,1]])",
    "spatial.MappingDiscrete(values=['red','blue'])",
    "spatial.MappingDiscrete(values=['red','x'])",
    "spatial.MappingDiscrete(values=['bad','fed'])",
    "spatial.MappingDiscrete(end_points=[1,0])",
    "spatial.MappingCategory(indices=[1,1])",
]  # fmt: skip


def expressions() -> Iterator[str]:
    for name, properties in PROPERTIES.items():
        for key in properties.split():
            yield from (f"{name}({key}={value})" for value in VALUES)
    yield from MORE


def report(modules: SimpleNamespace, body: Callable[[Any], Any]) -> dict[str, list[Any]]:
    """Tell for each expression whether it was refused at once or by validate, and the JSON it would be sent as."""
    found: dict[str, list[Any]] = {}
    for text in expressions():
        try:
            made = eval(text, {"np": np, **vars(modules)})  # the texts stand above
        except (ValueError, TypeError, OverflowError):
            found[text] = ["refused"]
            continue
        try:
            wire = json.loads(json.dumps(body(made)))
        except (ValueError, TypeError, AttributeError):
            wire = None  # children without URL
        try:
            made.validate()
        except ValueError:
            found[text] = ["invalid", wire]
        else:
            found[text] = ["valid", wire]
    return found


def _official() -> dict[str, list[Any]]:
    from lfview.client import utils  # type: ignore[import-not-found]  # only there
    from lfview.resources import files, manifests, scene, spatial  # type: ignore[import-not-found]  # only there

    def body(made: Any) -> Any:
        return utils.construct_upload_dict(made) if hasattr(made, "BASE_TYPE") else made.serialize(include_class=False)

    return report(SimpleNamespace(files=files, manifests=manifests, scene=scene, spatial=spatial), body)


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    sys.stdout.write(json.dumps(_official()))
